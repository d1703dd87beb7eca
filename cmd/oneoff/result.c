/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/result.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
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
	failed |=
		json_set_node(object, "argv",
	                      result->request->argv.count ? json_new_strings(&result->request->argv)
	                                                  : cJSON_CreateNull());
	failed |= json_set_known_string(object, "note", result->request->reason);
	failed |= json_set_known_string(object, "lock", result->request->lock);
	failed |= set_outcome(object, result);
	return failed ? NULL : TAKE_PTR(object);
}

/* A file, or a name where one can be made: the real one behind links, so that they stay what they are. */
static bool is_file(const char *path, struct stat *ret_info)
{
	return stat(path, ret_info) < 0 ? errno == ENOENT : S_ISREG(ret_info->st_mode);
}

/* Our own stdout and stderr are files when somebody sends them to one: then their end is the place, and
 * neither may be cut short or replaced. */
static int own_stream(const struct stat *target)
{
	struct stat info;

	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &info) == 0 && info.st_dev == target->st_dev &&
		    info.st_ino == target->st_ino)
			return fd;
	return -1;
}

static int write_text(int fd, const struct strbuf *text)
{
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool whole;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	whole = fwrite(text->data, 1, text->length, file) == text->length;
	return fclose(file) == 0 && whole ? 0 : -1;
}

static int replace_file(const char *path, const struct strbuf *text, struct err *err)
{
	_cleanup_free_ char *real = realpath(path, NULL), *temporary = NULL;
	const char *target = real ? real : path;

	if (asprintf(&temporary, "%s.%d.tmp", target, (int)getpid()) < 0)
		return err_no_memory(err);
	if (write_text(open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), text) < 0 ||
	    rename(temporary, target) < 0) {
		err_errno(err, "--result %s", path);
		unlink(temporary);
		return -1;
	}
	return 0;
}

int result_check(const char *path, struct err *err)
{
	_cleanup_free_ char *real = NULL, *folder = NULL;
	struct stat info = {.st_dev = 0};
	bool writable;

	if (*path && is_file(path, &info)) {
		real = realpath(path, NULL);
		folder = strdup(real ? real : path);
		if (!folder)
			return err_no_memory(err);
		writable = access(dirname(folder), W_OK | X_OK) == 0;
	} else if (S_ISDIR(info.st_mode)) {
		errno = EISDIR;
		writable = false;
	} else {
		writable = access(path, W_OK) == 0; /* "" is no such file */
	}
	if (writable || (real && own_stream(&info) >= 0))
		return 0;
	err_errno(err, "--result %s", path);
	return err_hint(err, "name a file in a folder that is there and may be written to");
}

int result_write(const char *path, const struct result *result, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *object = make(result);
	struct stat info = {.st_dev = 0};
	int fd, own = -1;

	if (!object)
		return err_no_memory(err);
	json_print(object, true, &text);
	strbuf_addc(&text, '\n');
	if (text.failed)
		return err_no_memory(err);
	if (stat(path, &info) == 0)
		own = own_stream(&info);
	if (own < 0 && is_file(path, &info))
		return replace_file(path, &text, err);
	/* A device, a pipe: written to as it is. One that nobody reads must not hold us. */
	fd = own >= 0 ? fcntl(own, F_DUPFD_CLOEXEC, 3)
	              : open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return write_text(fd, &text) < 0 ? err_errno(err, "--result %s", path) : 0;
}
