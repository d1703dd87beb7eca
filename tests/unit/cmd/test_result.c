/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "cmd/oneoff/result.h"

static cJSON *write_and_read(const struct result *result)
{
	char path[] = "/tmp/oneoff-result-XXXXXX", text[8192] = "";
	struct err err = ERR_INIT;
	cJSON *document = NULL;
	int fd = mkstemp(path);
	FILE *file;

	cr_assert_geq(fd, 0);
	cr_assert_eq(result_write(path, result, &err), 0, "%s", err.message);
	file = fopen(path, "r");
	cr_assert_not_null(file);
	cr_assert_gt(fread(text, 1, sizeof(text) - 1, file), 0);
	fclose(file);
	close(fd);
	unlink(path);
	cr_assert_eq(json_parse(text, strlen(text), JSON_MAX_BYTES, &document, &err), 0, "%s",
	             err.message);
	return document;
}

Test(result, a_run_is_told_in_full)
{
	struct release release = {
		.id = (char *)"f05a", .name = (char *)"web", .digest = (char *)"sha256:1"};
	struct identity identity = {
		.name = (char *)"web-oneoff-x", .id = "x", .user = (char *)"ana@l"};
	struct run_outcome outcome = {.started = true,
	                              .status = {.known = true, .code = 3},
	                              .started_seconds = 1795236843,
	                              .bytes_in = 5,
	                              .bytes_out = {UINT64_C(10) << 30, 7}};
	_cleanup_(request_release) struct request request;
	struct result result = {"docker", &release, &identity, &request, &outcome, 3, "task"};
	_cleanup_(json_free) cJSON *document = NULL;
	int64_t number;

	request_init(&request);
	cr_assert_eq(strv_add(&request.argv, "a \"b\"\n"), 0);
	document = write_and_read(&result);
	cr_expect_str_eq(json_string(document, "source"), "web");
	cr_expect_str_eq(json_string(document, "name"), "web-oneoff-x");
	cr_expect_str_eq(json_string(document, "argv[0]"), "a \"b\"\n");
	cr_expect_str_eq(json_string(document, "start"), "2026-11-21T04:54:03Z");
	cr_expect(cJSON_IsNull(json_member(document, "end")));
	cr_expect(json_true(document, "outputComplete"));
	cr_assert_eq(json_int64(document, "bytesOut", &number), 0);
	cr_expect_eq(number, INT64_C(10) << 30);
	cr_assert_eq(json_int64(document, "taskCode", &number), 0);
	cr_expect_eq(number, 3);
}

Test(result, what_is_not_known_is_null)
{
	struct run_outcome outcome = {.failure = {.kind = ERR_NOT_FOUND, .message = "no 'x'"}};
	_cleanup_(request_release) struct request request;
	struct result result = {NULL, NULL, NULL, &request, &outcome, 125, "not-found"};
	_cleanup_(json_free) cJSON *document = NULL;
	static const char *const keys[] = {"id",       "name",  "source", "image",
	                                   "taskCode", "start", "end",    "argv"};

	request_init(&request);
	document = write_and_read(&result);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		cr_expect(cJSON_IsNull(json_member(document, keys[i])), "%s", keys[i]);
	cr_expect_str_eq(json_string(document, "message"), "no 'x'");
	cr_expect_not(json_true(document, "outputComplete"));
}

Test(result, a_file_that_cannot_be_made_is_an_error)
{
	struct run_outcome outcome = {.started = false};
	_cleanup_(request_release) struct request request;
	struct result result = {NULL, NULL, NULL, &request, &outcome, 125, "usage"};
	struct err err = ERR_INIT;

	request_init(&request);
	cr_expect_eq(result_write("/tmp/oneoff-no-such-folder/r.json", &result, &err), -1);
	cr_expect_eq(err.kind, ERR_SYSTEM);
}

static void write_empty(const char *path)
{
	struct run_outcome outcome = {.started = false};
	_cleanup_(request_release) struct request request;
	struct result result = {NULL, NULL, NULL, &request, &outcome, 125, "usage"};
	struct err err = ERR_INIT;

	request_init(&request);
	cr_assert_eq(result_check(path, &err), 0, "%s", err.message);
	cr_assert_eq(result_write(path, &result, &err), 0, "%s", err.message);
}

/* Root may rename over /dev/null: what is no file is written to. */
Test(result, what_is_no_file_is_written_to_and_not_replaced)
{
	char folder[] = "/tmp/oneoff-result-XXXXXX", path[64], text[8192] = "";
	struct stat info;
	int fd;

	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/pipe", folder);
	cr_assert_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK);
	cr_assert_geq(fd, 0);
	write_empty(path);
	cr_expect_eq(lstat(path, &info), 0);
	cr_expect(S_ISFIFO(info.st_mode));
	cr_expect_gt(read(fd, text, sizeof(text) - 1), 0);
	cr_expect(strstr(text, "\"usage\""), "%s", text);
	close(fd);
	unlink(path);
	rmdir(folder);
}

Test(result, a_link_stays_a_link)
{
	char folder[] = "/tmp/oneoff-result-XXXXXX", link[64], file[64];
	struct stat info;

	cr_assert(mkdtemp(folder));
	snprintf(link, sizeof(link), "%s/link", folder);
	snprintf(file, sizeof(file), "%s/file", folder);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(symlink("file", link), 0);
	write_empty(link);
	cr_expect_eq(lstat(link, &info), 0);
	cr_expect(S_ISLNK(info.st_mode));
	cr_expect_eq(stat(file, &info), 0);
	cr_expect_gt(info.st_size, 0);
	unlink(link);
	unlink(file);
	rmdir(folder);
}

Test(result, a_place_that_cannot_be_written_is_known_beforehand)
{
	struct err err = ERR_INIT;

	cr_expect_eq(result_check("/tmp/oneoff-no-such-folder/r.json", &err), -1);
	cr_expect_str_not_empty(err.hint);
	cr_expect_eq(result_check("/tmp", &err), -1);
	cr_expect_eq(result_check("", &err), -1);
	cr_expect_eq(result_check("/tmp/oneoff-no-such-file", &err), 0);
	cr_expect_eq(result_check("/dev/null", &err), 0);
}
