/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/one_off.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include "oci/file.h"
#include "oci/state.h"
#include "pkg/json/json.h"

#define MAX_CONFIG ((size_t)4 << 20)

void one_off_release(struct one_off *one_off)
{
	task_record_release(&one_off->record);
	free(one_off->cgroup);
	runtime_release(&one_off->runtime);
	*one_off = (struct one_off)ONE_OFF_INIT;
}

static int open_lock(int folder_fd)
{
	return openat(folder_fd, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

/* Shared, so that two who look do not take each other for a monitor. */
int one_off_is_guarded(int folder_fd)
{
	_cleanup_fd_ int fd = open_lock(folder_fd);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : -1;
}

int one_off_take(int folder_fd, bool *ret_missing)
{
	_cleanup_fd_ int fd = open_lock(folder_fd);

	*ret_missing = fd < 0 && errno == ENOENT;
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? TAKE_FD(fd) : -1;
}

static const char *annotation(const void *context, const char *key)
{
	char full[64];

	snprintf(full, sizeof(full), "dev.oneoff.%s", key);
	return cJSON_GetStringValue(json_member(context, full));
}

static int read_config(int folder_fd, struct one_off *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *config = NULL;
	const cJSON *annotations;
	const char *cgroup;

	if (file_read(folder_fd, "config.json", MAX_CONFIG, &text, err) < 0 ||
	    json_parse(strbuf_str(&text), text.length, MAX_CONFIG, &config, err) < 0)
		return -1;
	annotations = json_member(config, "annotations");
	if (task_record_read(&ret->record, annotation, annotations, err) < 0)
		return -1;
	ret->record.tty = json_true(config, "process.terminal");
	cgroup = json_string(config, "linux.cgroupsPath");
	ret->cgroup = cgroup ? strdup(cgroup) : NULL;
	ret->runtime.systemd_cgroup = cgroup && strchr(cgroup, ':');
	return cgroup && !ret->cgroup ? err_no_memory(err) : 0;
}

static int read_runtime(int folder_fd, const char *run_folder, struct runtime *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	/* A bundle that was never finished has none. */
	if (file_read(folder_fd, "runtime", 4096, &path, err) == 0)
		ret->path = strdup(strbuf_str(&path));
	else if (runtime_find(NULL, NULL, &ret->path, err) < 0)
		return -1;
	if (asprintf(&ret->state_root, "%s/state", run_folder) < 0)
		ret->state_root = NULL;
	return ret->path && ret->state_root ? 0 : err_no_memory(err);
}

static bool is_running(const struct runtime *runtime, const char *name)
{
	_cleanup_(container_state_release) struct container_state state = {.id = NULL};
	_cleanup_(strv_release) struct strv roots = STRV_INIT;
	struct err ignored = ERR_INIT;

	return strv_add(&roots, runtime->state_root) == 0 &&
	       state_find(&roots, name, &state, &ignored) == 0 && !strcmp(state.id, name) &&
	       state.running;
}

/* The monitor was killed, and the task has ended since: nobody knows when. */
static void set_unknown_end(struct task_record *record)
{
	static const char message[] = "its monitor was killed: nobody could read its status";

	record->state = TASK_ENDED;
	snprintf(record->status.message, sizeof(record->status.message), "%s", message);
}

static void set_state(struct one_off *one_off)
{
	struct task_record *record = &one_off->record;

	record->started = one_off->file.started;
	if (one_off->file.ended) {
		record->state = TASK_ENDED;
		record->ended = one_off->file.ended;
		record->status = one_off->file.status;
	} else if (one_off->guarded) {
		record->state = one_off->file.started ? TASK_RUNNING : TASK_CREATED;
	} else if (one_off->running) {
		record->state = TASK_RUNNING;
		snprintf(record->detail, sizeof(record->detail), "its monitor is gone");
	} else if (one_off->file.started) {
		set_unknown_end(record);
	} else {
		record->state = TASK_CREATED;
	}
}

static int read_whole(int folder_fd, const char *run_folder, const char *name, struct one_off *ret,
                      struct err *err)
{
	struct err ignored = ERR_INIT;
	int guarded = one_off_is_guarded(folder_fd);

	if (guarded < 0 || read_config(folder_fd, ret, err) < 0)
		return err->kind == ERR_NO_MEMORY ? -1 : 0;
	if (!ret->record.id || strlen(ret->record.id) != 8)
		return 0;
	if (read_runtime(folder_fd, run_folder, &ret->runtime, err) < 0)
		return -1;
	/* After the lock: what its monitor wrote last is there once the lock is free. */
	(void)!task_file_read(folder_fd, &ret->file, &ignored);
	ret->guarded = guarded;
	ret->running = !guarded && is_running(&ret->runtime, name);
	ret->record.platform = "oci";
	ret->record.name = strdup(name);
	ret->record.handle = strdup(name);
	if (!ret->record.name || !ret->record.handle)
		return err_no_memory(err);
	set_state(ret);
	return 1;
}

int one_off_open(const char *run_folder, const char *name, char **ret_path)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/%s", run_folder, name) < 0) {
		path = NULL;
		errno = ENOMEM;
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && ret_path)
		*ret_path = TAKE_PTR(path);
	return fd;
}

int one_off_read(const char *run_folder, const char *name, struct one_off *ret, struct err *err)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
	_cleanup_fd_ int fd = one_off_open(run_folder, name, NULL);
	int result;

	if (fd < 0)
		return errno == ENOMEM ? err_no_memory(err) : 0;
	result = read_whole(fd, run_folder, name, &one_off, err);
	if (result == 1) {
		*ret = one_off;
		one_off = (struct one_off)ONE_OFF_INIT;
	}
	return result;
}
