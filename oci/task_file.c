/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/task_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "oci/file.h"
#include "pkg/json/json.h"

#define NAME     "task.json"
#define NEW_NAME "task.json.new"
#define MAX_FILE ((size_t)64 << 10)

static int add_status(cJSON *document, const struct task_file *file)
{
	const struct exit_status *status = &file->status;

	if (!file->ended)
		return 0;
	if (json_set_int64(document, "ended", file->ended) < 0 ||
	    json_set_bool(document, "known", status->known) < 0 ||
	    json_set_int64(document, "code", status->code) < 0 ||
	    json_set_bool(document, "out-of-memory", status->out_of_memory) < 0 ||
	    json_set_bool(document, "timed-out", status->timed_out) < 0 ||
	    json_set_bool(document, "output-incomplete", status->output_incomplete) < 0)
		return -1;
	return json_set_string(document, "message", status->message);
}

int task_file_write(int folder_fd, const struct task_file *file, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = cJSON_CreateObject();

	if (!document || json_set_int64(document, "started", file->started) < 0 ||
	    json_set_int64(document, "pid", file->pid) < 0 ||
	    json_set_int64(document, "pid-start-time", (int64_t)file->pid_start_time) < 0 ||
	    add_status(document, file) < 0)
		return err_no_memory(err);
	json_print(document, false, &text);
	if (text.failed)
		return err_no_memory(err);
	if (unlinkat(folder_fd, NEW_NAME, 0) < 0 && errno != ENOENT)
		return err_errno(err, "cannot replace " NEW_NAME);
	if (file_write_new(folder_fd, NEW_NAME, text.data, text.length, err) < 0)
		return -1;
	if (renameat(folder_fd, NEW_NAME, folder_fd, NAME) < 0)
		return err_errno(err, "cannot write " NAME);
	return 0;
}

static void read_status(const cJSON *document, struct exit_status *ret)
{
	const char *message = json_string(document, "message");
	int64_t code;

	if (json_int64(document, "code", &code) == 0 && code >= 0 && code <= 255) {
		ret->code = (int)code;
		ret->known = json_true(document, "known");
	}
	ret->out_of_memory = json_true(document, "out-of-memory");
	ret->timed_out = json_true(document, "timed-out");
	ret->output_incomplete = json_true(document, "output-incomplete");
	snprintf(ret->message, sizeof(ret->message), "%s", message ? message : "");
}

int task_file_parse(const char *text, size_t length, struct task_file *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	struct task_file file = {.started = 0};
	int64_t pid, start_time;

	if (json_parse(text, length, MAX_FILE, &document, err) < 0)
		return -1;
	if (json_int64(document, "started", &file.started) < 0 || file.started <= 0)
		return err_set(err, ERR_PROTOCOL, NAME " does not tell when the task started");
	if (json_int64(document, "pid", &pid) == 0 && pid > 0 && pid <= INT32_MAX)
		file.pid = (pid_t)pid;
	if (json_int64(document, "pid-start-time", &start_time) == 0 && start_time > 0)
		file.pid_start_time = (uint64_t)start_time;
	if (json_int64(document, "ended", &file.ended) < 0 || file.ended < 0)
		file.ended = 0;
	if (file.ended)
		read_status(document, &file.status);
	*ret = file;
	return 0;
}

int task_file_read(int folder_fd, struct task_file *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (file_read(folder_fd, NAME, MAX_FILE, &text, err) < 0)
		return -1;
	return task_file_parse(strbuf_str(&text), text.length, ret, err);
}
