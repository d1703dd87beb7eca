/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/monitor_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

void monitor_wait(struct monitor *monitor)
{
	while (monitor->pid > 0 && waitpid(monitor->pid, NULL, 0) < 0 && errno == EINTR)
		;
	monitor->pid = 0;
}

void monitor_release(struct monitor *monitor)
{
	if (monitor->fd >= 0)
		close(monitor->fd);
	if (monitor->pid > 0)
		(void)waitpid(monitor->pid, NULL, WNOHANG);
	*monitor = (struct monitor)MONITOR_INIT;
}

static int wait_ready(int fd, struct err *err)
{
	struct message message;
	int fds[MESSAGE_MAX_FDS];

	if (message_receive(fd, true, &message, fds, err) < 0)
		return -1;
	if (message.type == MESSAGE_READY)
		return 0;
	err_set(err, message.kind, "%s", message.text);
	return err_hint(err, "%s", message.hint);
}

int monitor_start(const struct monitor_settings *settings, struct monitor *ret, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(err, "socketpair");
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		monitor_child_run(settings, fds[1]);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_errno(err, "fork");
	}
	if (wait_ready(fds[0], err) < 0) {
		close(fds[0]);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return -1;
	}
	*ret = (struct monitor){.fd = fds[0], .pid = pid};
	return 0;
}
