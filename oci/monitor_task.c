/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/monitor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include "oci/cgroup.h"
#include "oci/file.h"
#include "oci/state.h"
#include "pkg/base/clock.h"
#include "pkg/base/number.h"

#define MAX_LOG  ((size_t)1 << 20)
#define MAX_PIPE ((size_t)2 << 20) /* more than fits into one (pipe(7), pipe-max-size) */

/* /dev/null, null(4). */
#define NULL_MAJOR 1
#define NULL_MINOR 3
#define NULL_MODE  0666

/* Tells of a start that failed. */
static void failed(struct monitor_child *child, const struct err *err)
{
	child->ended = child->failed = true;
	child->doomed |= child->client < 0; /* nobody is there to ask for the removal */
	monitor_tell(child, MESSAGE_FAILED, 0, err);
}

static int start(struct monitor_child *child, const int fds[3], struct err *err)
{
	const struct monitor_settings *settings = child->settings;
	_cleanup_(strv_release) struct strv argv = STRV_INIT;
	_cleanup_free_ char *log = NULL;

	if (asprintf(&log, "%s/log", settings->folder) < 0) {
		log = NULL;
		return err_no_memory(err);
	}
	if (runtime_argv(settings->runtime, log, &argv, err) < 0)
		return -1;
	if (strv_add(&argv, "run") < 0 || strv_add(&argv, "--detach") < 0 ||
	    strv_add(&argv, "--bundle") < 0 || strv_add(&argv, settings->folder) < 0 ||
	    strv_addf(&argv, "--pid-file=%s/pid", settings->folder) < 0 ||
	    (settings->tty && strv_add(&argv, "--console-socket=console") < 0) ||
	    strv_add(&argv, settings->name) < 0)
		return err_no_memory(err);
	child->runtime_pid = runtime_spawn(&argv, settings->folder, fds, err);
	if (child->runtime_pid < 0) {
		child->runtime_pid = 0;
		return -1;
	}
	return 0;
}

/* Runtimes give the task's user its stdio. Where that is the machine's null device, it would be that user's
 * from then on. */
static void note_null_devices(struct monitor_child *child, const int fds[3])
{
	struct stat info;

	for (int i = 0; i < 3; i++) {
		int fd = fds[i] >= 0 ? fcntl(fds[i], F_DUPFD_CLOEXEC, 3)
		                     : open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (fstat(fd, &info) == 0 && S_ISCHR(info.st_mode) &&
		    info.st_rdev == makedev(NULL_MAJOR, NULL_MINOR))
			child->null_fds[i] = fd;
		else
			close(fd);
	}
}

/* To root, not to whom it belonged before: that could be another run's doing, at this very moment. Without
 * root it cannot have changed, and this fails. */
static void restore_null_devices(struct monitor_child *child)
{
	struct stat info;

	for (int i = 0; i < 3; i++) {
		int fd = child->null_fds[i];

		if (fd < 0)
			continue;
		if (fstat(fd, &info) == 0 && (info.st_uid || info.st_gid))
			(void)!fchown(fd, 0, 0);
		if (fstat(fd, &info) == 0 && (info.st_mode & 07777) != NULL_MODE)
			(void)fchmod(fd, NULL_MODE);
		close(fd);
		child->null_fds[i] = -1;
	}
}

void monitor_task_start(struct monitor_child *child, const int fds[3])
{
	int own[3] = {fds[0], fds[1], fds[2]};
	struct err err = ERR_INIT;

	if (child->settings->detached && monitor_output_open(child, own, &err) < 0) {
		failed(child, &err);
		return;
	}
	note_null_devices(child, own);
	if (start(child, own, &err) < 0)
		failed(child, &err);
	for (int i = 0; i < 3; i++)
		if (own[i] >= 0 && own[i] != fds[i])
			close(own[i]);
}

void monitor_task_signal(struct monitor_child *child, int number)
{
	/* We are its parent and have not reaped it: the number cannot mean another process. */
	if (child->task_pid)
		(void)kill(child->task_pid, number);
}

static int read_log(struct monitor_child *child, int code, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err ignored = ERR_INIT;

	(void)!file_read(AT_FDCWD, "log", MAX_LOG, &text, &ignored);
	return runtime_failure(child->settings->runtime->path, strbuf_str(&text), code, err);
}

static int read_pid(struct monitor_child *child, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int64_t pid;

	if (file_read(AT_FDCWD, "pid", 64, &text, err) < 0)
		return -1;
	if (text.length && text.data[text.length - 1] == '\n')
		text.data[--text.length] = '\0';
	if (parse_int64(strbuf_str(&text), 2, INT32_MAX, &pid) < 0)
		return err_set(err, ERR_PROTOCOL, "the runtime wrote an odd pid file");
	child->task_pid = (pid_t)pid;
	return 0;
}

/* The runtime connected and sent it before it ended. The payload means nothing. */
static int take_master(struct monitor_child *child, struct err *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char payload[4096];
	struct iovec piece = {payload, sizeof(payload)};
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	_cleanup_fd_ int connection = accept4(child->console, NULL, NULL, SOCK_CLOEXEC);
	struct cmsghdr *part;

	if (connection < 0 || recvmsg(connection, &header, MSG_CMSG_CLOEXEC) < 0)
		return err_errno(err, "the runtime sent no terminal");
	part = CMSG_FIRSTHDR(&header);
	if (!part || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
		return err_set(err, ERR_PROTOCOL, "the runtime sent no terminal");
	memcpy(&child->master, CMSG_DATA(part), sizeof(child->master));
	return 0;
}

/* To the owner with the terminal's other end, which its reader is to have. */
static void tell_started(struct monitor_child *child)
{
	struct message message = monitor_started_message(child);
	bool detached = child->settings->detached;
	struct err ignored = ERR_INIT;
	int client = child->client;

	if (client >= 0)
		(void)!message_send(client, &message, &child->master,
		                    child->master >= 0 && !detached, &ignored);
	child->client = -1;
	monitor_peers_tell(child, &message);
	child->client = client;
	/* With our copy open, the client's death would not hang the task up. */
	if (child->master >= 0 && child->settings->stop) {
		close(child->master);
		child->master = -1;
	}
}

static void note_started(struct monitor_child *child)
{
	struct err ignored = ERR_INIT;

	child->file.started = clock_unix_seconds();
	child->file.pid = child->task_pid;
	child->file.pid_start_time = process_start_time(child->task_pid);
	/* Without it the task is taken for one that was not started: no reason to end it. */
	(void)!task_file_write(child->folder_fd, &child->file, &ignored);
	if (child->master >= 0 && child->settings->detached)
		(void)fcntl(child->master, F_SETFL, O_RDWR | O_NONBLOCK);
	tell_started(child);
}

static void runtime_ended(struct monitor_child *child, int status)
{
	struct err err = ERR_INIT;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	child->runtime_pid = 0;
	restore_null_devices(child);
	if (code != 0) {
		read_log(child, code, &err);
		failed(child, &err);
		return;
	}
	if (read_pid(child, &err) < 0 || (child->console >= 0 && take_master(child, &err) < 0)) {
		failed(child, &err);
		return;
	}
	note_started(child);
	if (child->doomed)
		monitor_task_signal(child, SIGKILL);
}

/* What it wrote before its end is still in the pipes; another process that has them may write for ever. */
static void take_rest(struct monitor_child *child)
{
	for (int stream = 0; stream < CHUNK_STREAM_COUNT; stream++)
		for (size_t taken = 0; taken < MAX_PIPE; taken += OUTPUT_FRAME_MAX)
			if (!monitor_output_take(child, (enum chunk_stream)stream))
				break;
}

/* Before anybody is told of the end: who waited for it may want the lock. Where other processes of the task live
 * on they go first, and the lock with us. */
static void free_lock(struct monitor_child *child)
{
	if (child->lock_fd < 0 || cgroup_is_populated(child->settings->cgroup))
		return;
	close(child->lock_fd);
	child->lock_fd = -1;
}

static void task_ended(struct monitor_child *child, int status)
{
	struct exit_status *verdict = &child->file.status;
	struct err ignored = ERR_INIT;
	struct message message;

	if (child->settings->detached)
		take_rest(child);
	verdict->known = true;
	verdict->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	verdict->out_of_memory =
		verdict->code && cgroup_out_of_memory_kills(child->settings->cgroup) > 0;
	verdict->timed_out = child->kill_at != 0;
	verdict->output_incomplete = child->log.lost;
	child->file.ended = clock_unix_seconds();
	child->task_pid = 0;
	child->ended = true;
	/* Before anybody is told: who looks then must find it. */
	if (monitor_keeps(child))
		(void)!task_file_write(child->folder_fd, &child->file, &ignored);
	free_lock(child);
	message = monitor_exited_message(child);
	monitor_peers_tell(child, &message);
}

/* The runtime is asked for first: the task becomes our child by the runtime's end, and may have ended by
 * then as well. */
void monitor_task_reap(struct monitor_child *child)
{
	int status;

	if (child->runtime_pid &&
	    waitpid(child->runtime_pid, &status, WNOHANG) == child->runtime_pid)
		runtime_ended(child, status);
	if (child->task_pid && waitpid(child->task_pid, &status, WNOHANG) == child->task_pid)
		task_ended(child, status);
	if (child->runtime_pid || child->task_pid)
		return;
	/* Orphans of a task that shares our process namespace. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}
