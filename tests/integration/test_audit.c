/* SPDX-License-Identifier: Apache-2.0 */
/* Who ran what, on which app and image, why: the same in --result and, read back from the platform, in the list. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

TestSuite(audit, .fini = expect_clean, .timeout = 60);

static cJSON *parse_file(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "re");

	if (!file)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return cJSON_Parse(text);
}

/* The run's own record. */
static cJSON *start_detached(void)
{
	char path[] = "/tmp/oneoff-audit-XXXXXX";
	int fd = mkstemp(path);
	struct run run;
	cJSON *result;

	cr_assert(fd >= 0);
	close(fd);
	run_all(&run, &(struct run_spec){ARGV("run", "-d", "--reason", "ticket \"4711\"",
	                                      "--result", path, "--like", "web", "--", "helper",
	                                      "exit", "0", "a b")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	result = parse_file(path);
	unlink(path);
	cr_assert(result, "no JSON in %s", path);
	run_release(&run);
	return result;
}

static cJSON *list_all(void)
{
	struct run run;
	cJSON *list;

	run_all(&run, &(struct run_spec){ARGV("list", "--all", "-o", "json")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	list = cJSON_Parse(run.out.text);
	cr_assert(list, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	return list;
}

static void expect_argv(const cJSON *argv)
{
	cr_assert_eq(cJSON_GetArraySize(argv), 4);
	cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(argv, 3)), "a b");
}

Test(audit, list_and_result_tell_the_same)
{
	cJSON *result = start_detached(), *list = list_all();
	const cJSON *record = cJSON_GetArrayItem(list, 0);

	engine_remove_one_offs();
	cr_assert_eq(cJSON_GetArraySize(list), 1);
	cr_assert_str_not_empty(text_of(result, "id"));
	cr_assert_str_eq(text_of(record, "id"), text_of(result, "id"));
	cr_assert_str_not_empty(text_of(result, "user"));
	cr_assert_str_eq(text_of(record, "user"), text_of(result, "user"));
	cr_assert_str_eq(text_of(result, "source"), "web");
	cr_assert(strstr(text_of(record, "source"), "web"));
	cr_assert_str_eq(text_of(result, "note"), "ticket \"4711\"");
	cr_assert_str_eq(text_of(record, "reason"), "ticket \"4711\"");
	expect_argv(member(result, "argv"));
	expect_argv(member(record, "command"));
	if (engine_traits()->image_known) {
		cr_assert_str_not_empty(text_of(record, "image"));
		cr_assert_str_not_empty(text_of(record, "digest"));
		cr_assert(strstr(text_of(result, "digest"), text_of(record, "digest")), "%s, %s",
		          text_of(result, "digest"), text_of(record, "digest"));
	}
	cJSON_Delete(list);
	cJSON_Delete(result);
}
