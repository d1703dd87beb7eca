/* SPDX-License-Identifier: Apache-2.0 */
/* One-offs of the list, deleted by whoever: a monitor that lives does it itself, for nobody else may touch what it
 * holds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include "oci/leftovers.h"
#include "oci/oci_internal.h"
#include "oci/one_off.h"
#include "pkg/base/clock.h"

#define DISCARD_LIMIT_MS INT64_C(10000)

/* A process's descriptors do not close at one moment: the lock may follow the socket. */
static void await_lock(const struct oci *oci, const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -1;

	if (asprintf(&path, "%s/%s/lock", oci->run_folder, name) < 0) {
		path = NULL;
		return;
	}
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
}

/* Takes what is there. 1: it has hung up, 0: not yet; with *ret_started, that the task was started. */
static int has_hung_up(int fd, bool *ret_started)
{
	int fds[MESSAGE_MAX_FDS], result;
	struct err ignored = ERR_INIT;
	struct message message;

	while ((result = message_receive(fd, false, &message, fds, &ignored)) > 0) {
		*ret_started |= message.type == MESSAGE_STARTED;
		for (int i = 0; i < MESSAGE_MAX_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
	return result < 0;
}

int oci_await_monitor(const struct oci *oci, int fd, const char *name, bool unstarted_only,
                      struct err *err)
{
	int64_t due = clock_monotonic_ms() + DISCARD_LIMIT_MS;
	bool started = false;

	while (!has_hung_up(fd, &started)) {
		struct loop_item item = {fd, LOOP_READ, 0};
		int64_t left = due - clock_monotonic_ms();

		if (started && unstarted_only)
			return 0;
		if (left <= 0)
			return err_set(err, ERR_NOT_REMOVED, "'%s' is still being removed", name);
		if (loop_poll(&item, 1, (int)left, err) < 0)
			return -1;
	}
	await_lock(oci, name);
	return 1;
}

/* 1 when the monitor has ended, 0 when the task runs and stays. */
static int ask_monitor(struct oci *oci, const struct one_off *one_off, bool force, struct err *err)
{
	enum task_state state = one_off->record.state;
	struct message message = {.type = force ? MESSAGE_REMOVE : MESSAGE_DISCARD};
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int fd = -1;

	if (state == TASK_RUNNING && !force)
		return 0;
	fd = oci_connect(oci, one_off->record.name, &ignored);
	if (fd < 0)
		return 1; /* it ended just now */
	if (state != TASK_ENDED)
		(void)!message_send(fd, &message, NULL, 0, &ignored);
	return oci_await_monitor(oci, fd, one_off->record.name, state == TASK_CREATED && !force,
	                         err);
}

int oci_discard(struct backend *backend, const struct task_record *record, bool force,
                struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
	int found = one_off_read(oci->run_folder, record->handle, &one_off, err);
	int asked = 1, deleted;

	if (found <= 0)
		return found;
	if (strcmp(one_off.record.id, record->id) != 0)
		return 0;
	if (one_off.guarded)
		asked = ask_monitor(oci, &one_off, force, err);
	if (asked <= 0)
		return asked;
	deleted = leftovers_discard(oci->run_folder, record->handle, record->id, force, err);
	if (deleted != 0 || !one_off.guarded || one_off.record.state == TASK_ENDED)
		return deleted;
	/* Its monitor did it, unless that found it running. */
	one_off_release(&one_off);
	found = one_off_read(oci->run_folder, record->handle, &one_off, err);
	return found < 0 ? -1 : !found || strcmp(one_off.record.id, record->id) != 0;
}
