/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/result.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"

static int set_count(cJSON *object, const char *key, const struct run_outcome *outcome,
                     uint64_t bytes)
{
	return outcome->bytes_unknown ? json_set_node(object, key, cJSON_CreateNull())
	                              : json_set_int64(object, key, (int64_t)bytes);
}

static int set_outcome(cJSON *object, const struct result *result)
{
	const struct run_outcome *outcome = result->outcome;
	const char *message = outcome->failure.kind ? outcome->failure.message : NULL;
	const char *left = outcome->remove_failure.kind ? outcome->remove_failure.message : NULL;
	int failed = 0;

	failed |= json_set_bool(object, "started", outcome->started);
	failed |= json_set_known_time(object, "start", outcome->started_seconds);
	failed |= json_set_known_time(object, "end", outcome->ended_seconds);
	failed |= json_set_int64(object, "exitCode", result->exit_code);
	failed |= json_set_string(object, "reason", result->reason);
	if (outcome->status.known)
		failed |= json_set_int64(object, "taskCode", outcome->status.code);
	else
		failed |= json_set_node(object, "taskCode", cJSON_CreateNull());
	failed |= json_set_bool(object, "outOfMemory", outcome->status.out_of_memory);
	failed |= json_set_bool(object, "outputComplete",
	                        outcome->status.known && !outcome->output_lost &&
	                                !outcome->reader_gone);
	failed |= set_count(object, "bytesIn", outcome, outcome->bytes_in);
	failed |= set_count(object, "bytesOut", outcome, outcome->bytes_out[CHUNK_STDOUT]);
	failed |= set_count(object, "bytesErr", outcome, outcome->bytes_out[CHUNK_STDERR]);
	failed |= json_set_known_string(object, "message", message);
	failed |= json_set_known_string(object, "leftBehind", left);
	return failed;
}

static cJSON *make(const struct result *result)
{
	const struct release *release = result->release;
	const struct identity *identity = result->identity;
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	int failed = 0;

	if (!object)
		return NULL;
	failed |= json_set_known_string(object, "id", identity ? identity->id : NULL);
	failed |= json_set_known_string(object, "name", identity ? identity->name : NULL);
	failed |= json_set_known_string(object, "user", identity ? identity->user : NULL);
	failed |= json_set_known_string(object, "runtime", result->runtime);
	failed |= json_set_known_string(object, "source", release ? release->name : NULL);
	failed |= json_set_known_string(object, "sourceId", release ? release->id : NULL);
	failed |= json_set_known_string(object, "image", release ? release->image : NULL);
	failed |= json_set_known_string(object, "digest", release ? release->digest : NULL);
	failed |= json_set_node(object, "argv", json_new_strings(&result->request->argv));
	failed |= json_set_known_string(object, "note", result->request->reason);
	failed |= json_set_known_string(object, "lock", result->request->lock);
	failed |= set_outcome(object, result);
	return failed ? NULL : TAKE_PTR(object);
}

int result_write(const char *path, const struct result *result, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *object = make(result);
	_cleanup_free_ char *temporary = NULL;
	FILE *file;
	bool whole;

	if (!object || asprintf(&temporary, "%s.%d.tmp", path, (int)getpid()) < 0)
		return err_no_memory(err);
	json_print(object, true, &text);
	strbuf_addc(&text, '\n');
	if (text.failed)
		return err_no_memory(err);
	file = fopen(temporary, "wxe");
	if (!file)
		return err_errno(err, "--result %s", path);
	whole = fwrite(text.data, 1, text.length, file) == text.length;
	whole = fclose(file) == 0 && whole;
	if (!whole || rename(temporary, path) < 0) {
		err_errno(err, "--result %s", path);
		unlink(temporary);
		return -1;
	}
	return 0;
}
