/* SPDX-License-Identifier: Apache-2.0 */
/* A task that another process started. Its monitor tells us of its end as it tells its own client; when that is
 * gone, the record in the folder does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "oci/leftovers.h"
#include "oci/oci_internal.h"
#include "oci/one_off.h"

/* A path of /proc, because socket paths are short and the run folder's may not be. */
static int connect_in(int folder_fd, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return err_errno(err, "socket");
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/control", folder_fd);
	do
		result = connect(fd, (const struct sockaddr *)&address, sizeof(address));
	while (result < 0 && errno == EINTR);
	if (result == 0)
		return TAKE_FD(fd);
	err_errno(err, "the task's monitor does not answer");
	err->kind = ERR_LOST;
	return -1;
}

static int open_folder(const struct oci *oci, const char *name, struct err *err)
{
	int fd = one_off_open(oci->run_folder, name, NULL);

	if (fd >= 0 || errno == ENOMEM)
		return fd >= 0 ? fd : err_no_memory(err);
	err_errno(err, "'%s' is gone", name);
	err->kind = errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
	return -1;
}

int oci_connect(const struct oci *oci, const char *name, struct err *err)
{
	_cleanup_fd_ int folder_fd = open_folder(oci, name, err);

	return folder_fd < 0 ? -1 : connect_in(folder_fd, err);
}

static int set_names(struct oci *oci, const struct one_off *one_off, struct err *err)
{
	const struct runtime *runtime = &one_off->runtime;

	oci->id = strdup(one_off->record.id);
	oci->name = strdup(one_off->record.name);
	oci->cgroup = one_off->cgroup ? strdup(one_off->cgroup) : NULL;
	free(oci->runtime.path);
	oci->runtime.path = strdup(runtime->path);
	oci->runtime.systemd_cgroup = runtime->systemd_cgroup;
	if (!oci->id || !oci->name || !oci->runtime.path || (one_off->cgroup && !oci->cgroup))
		return err_no_memory(err);
	if (asprintf(&oci->folder, "%s/%s", oci->run_folder, oci->name) < 0) {
		oci->folder = NULL;
		return err_no_memory(err);
	}
	return 0;
}

static void take_file(struct oci *oci, const struct task_file *file)
{
	oci->pid = file->pid;
	oci->pid_start_time = file->pid_start_time;
	if (!file->ended)
		return;
	oci->ended = oci->kept = true;
	oci->status = file->status;
	if (oci->channel)
		oci->channel_ended(oci->channel);
}

int oci_read_end(struct oci *oci)
{
	struct err ignored = ERR_INIT;
	struct task_file file;

	if (oci->folder_fd < 0 || task_file_read(oci->folder_fd, &file, &ignored) < 0)
		return 0;
	take_file(oci, &file);
	return file.ended > 0;
}

/* Ended without a record, or running without a monitor: recover finds out. */
static void connect_monitor(struct oci *oci)
{
	struct err ignored = ERR_INIT;

	oci->monitor.fd = oci->ended ? -1 : connect_in(oci->folder_fd, &ignored);
	oci->lost = !oci->ended && oci->monitor.fd < 0;
	/* Between what was read and the connection it may have ended. */
	if (oci->lost && oci_read_end(oci))
		oci->lost = false;
}

int oci_adopt(struct backend *backend, const struct task_record *record, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
	int found;

	oci->folder_fd = open_folder(oci, record->handle, err);
	if (oci->folder_fd < 0)
		return -1;
	found = one_off_read(oci->run_folder, record->handle, &one_off, err);
	if (found < 0)
		return -1;
	if (!found || strcmp(one_off.record.id, record->id) != 0)
		return err_set(err, ERR_NOT_FOUND, "'%s' is gone", record->name);
	if (set_names(oci, &one_off, err) < 0)
		return -1;
	oci->adopted = oci->started = true;
	oci->tty = one_off.record.tty;
	oci->detached = one_off.record.detached;
	take_file(oci, &one_off.file);
	connect_monitor(oci);
	oci->loop->driver = (struct loop_driver){oci_loop_wait, oci};
	return 0;
}

int oci_signal_directly(const struct oci *oci, int signal_number, struct err *err)
{
	_cleanup_fd_ int fd = oci->pid > 0 ? pidfd_open(oci->pid, 0) : -1;

	/* Looked at behind the open: what it means then it means for good. */
	if (fd < 0 || !oci->pid_start_time || process_start_time(oci->pid) != oci->pid_start_time)
		return 0;
	if (pidfd_send_signal(fd, signal_number, NULL, 0) < 0 && errno != ESRCH)
		return err_errno(err, "cannot signal the task");
	return 0;
}

int oci_remove_adopted(struct oci *oci, struct err *err)
{
	struct message message = {.type = MESSAGE_REMOVE};
	struct err ignored = ERR_INIT;

	if (oci->monitor.fd >= 0 && !oci->lost) {
		/* Once it told the status it is on its way out. */
		if (!oci->ended)
			(void)!message_send(oci->monitor.fd, &message, NULL, 0, &ignored);
		if (oci_await_monitor(oci, oci->monitor.fd, oci->name, false, err) < 0)
			return -1;
	}
	oci->lost = true;
	return leftovers_discard(oci->run_folder, oci->name, oci->id, true, err) < 0 ? -1 : 0;
}
