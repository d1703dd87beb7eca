/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/monitor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "oci/cgroup.h"
#include "oci/file.h"
#include "pkg/base/number.h"

#define MAX_LOG ((size_t)1 << 20)

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

void monitor_task_start(struct monitor_child *child, const int fds[3])
{
	struct err err = ERR_INIT;

	if (start(child, fds, &err) < 0)
		failed(child, &err);
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

static void tell_started(struct monitor_child *child)
{
	struct message message = {.type = MESSAGE_STARTED, .number = child->task_pid};
	struct err ignored = ERR_INIT;

	if (child->client >= 0)
		(void)!message_send(child->client, &message, &child->master, child->master >= 0,
		                    &ignored);
	/* With our copy open, the client's death would not hang the task up. */
	if (child->master >= 0 && child->settings->stop) {
		close(child->master);
		child->master = -1;
	}
}

static void runtime_ended(struct monitor_child *child, int status)
{
	struct err err = ERR_INIT;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

	child->runtime_pid = 0;
	if (code != 0) {
		read_log(child, code, &err);
		failed(child, &err);
		return;
	}
	if (read_pid(child, &err) < 0 || (child->console >= 0 && take_master(child, &err) < 0)) {
		failed(child, &err);
		return;
	}
	tell_started(child);
	if (child->doomed)
		monitor_task_signal(child, SIGKILL);
}

static void task_ended(struct monitor_child *child, int status)
{
	struct message message = {.type = MESSAGE_EXITED};
	struct err ignored = ERR_INIT;

	message.number = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	message.out_of_memory =
		message.number && cgroup_out_of_memory_kills(child->settings->cgroup) > 0;
	child->task_pid = 0;
	child->ended = true;
	if (child->client >= 0)
		(void)!message_send(child->client, &message, NULL, 0, &ignored);
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
