/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor writes down of its task. */
#include "oci/task_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static char folder[64];
static int folder_fd;

static void open_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/oneoff-task-XXXXXX");
	cr_assert(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(folder_fd >= 0);
}

static void close_folder(void)
{
	(void)unlinkat(folder_fd, "task.json", 0);
	(void)unlinkat(folder_fd, "task.json.new", 0);
	close(folder_fd);
	(void)rmdir(folder);
}

TestSuite(task_file, .init = open_folder, .fini = close_folder, .timeout = 10);

Test(task_file, comes_back_as_it_was_written)
{
	struct task_file written = {.started = 100, .pid = 7, .pid_start_time = 9}, got;
	struct err err = ERR_INIT;

	cr_assert_eq(task_file_write(folder_fd, &written, &err), 0, "%s", err.message);
	cr_assert_eq(task_file_read(folder_fd, &got, &err), 0, "%s", err.message);
	cr_assert_eq(got.started, 100);
	cr_assert_eq(got.pid, 7);
	cr_assert_eq(got.pid_start_time, 9);
	cr_assert_eq(got.ended, 0);
	cr_assert_not(got.status.known);

	written.ended = 160;
	written.status = (struct exit_status){
		.known = true, .code = 137, .out_of_memory = true, .message = "words"};
	cr_assert_eq(task_file_write(folder_fd, &written, &err), 0, "%s", err.message);
	cr_assert_eq(task_file_read(folder_fd, &got, &err), 0, "%s", err.message);
	cr_assert_eq(got.ended, 160);
	cr_assert(got.status.known && got.status.out_of_memory && !got.status.timed_out);
	cr_assert_eq(got.status.code, 137);
	cr_assert_str_eq(got.status.message, "words");
}

Test(task_file, a_writer_that_was_killed_in_the_middle_is_no_hindrance)
{
	struct task_file written = {.started = 100}, got;
	int fd = openat(folder_fd, "task.json.new", O_WRONLY | O_CREAT, 0600);
	struct err err = ERR_INIT;

	cr_assert_eq(write(fd, "{\"star", 6), 6);
	close(fd);
	cr_assert_eq(task_file_read(folder_fd, &got, &err), -1);
	cr_assert_eq(err.kind, ERR_NOT_FOUND);
	cr_assert_eq(task_file_write(folder_fd, &written, &err), 0, "%s", err.message);
	cr_assert_eq(task_file_read(folder_fd, &got, &err), 0);
}

static int parse(const char *text, struct task_file *ret)
{
	struct err err = ERR_INIT;

	return task_file_parse(text, strlen(text), ret, &err);
}

Test(task_file, what_is_no_record_is_none)
{
	struct task_file got = {.started = 1};

	cr_assert_eq(parse("", &got), -1);
	cr_assert_eq(parse("[]", &got), -1);
	cr_assert_eq(parse("{}", &got), -1);
	cr_assert_eq(parse("{\"started\":0}", &got), -1);
	cr_assert_eq(parse("{\"started\":\"now\"}", &got), -1);
	cr_assert_eq(got.started, 1);
}

Test(task_file, a_code_that_cannot_be_is_not_known)
{
	struct task_file got;

	cr_assert_eq(parse("{\"started\":5,\"ended\":6,\"known\":true,\"code\":256}", &got), 0);
	cr_assert_not(got.status.known);
	cr_assert_eq(parse("{\"started\":5,\"ended\":6,\"known\":true}", &got), 0);
	cr_assert_not(got.status.known);
	cr_assert_eq(parse("{\"started\":5,\"ended\":-6,\"pid\":-4}", &got), 0);
	cr_assert_eq(got.ended, 0);
	cr_assert_eq(got.pid, 0);
}
