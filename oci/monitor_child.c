/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/monitor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "oci/cgroup.h"
#include "oci/namespace.h"
#include "pkg/base/clock.h"

/* Ours stand from here on; everything else that the client has open is closed: a copy of its stdout would
 * keep its reader waiting. */
#define FIRST_KEPT 3

/* A start that is no longer wanted is waited for this long. */
#define RUNTIME_LIMIT_MS INT64_C(5000)

void monitor_tell(struct monitor_child *child, enum message_type type, int number,
                  const struct err *err)
{
	struct message message = {.type = type, .number = number, .kind = err->kind};
	struct err ignored = ERR_INIT;

	memcpy(message.text, err->message, sizeof(message.text));
	memcpy(message.hint, err->hint, sizeof(message.hint));
	/* A client that is gone shows at the next poll. */
	if (child->client >= 0)
		(void)!message_send(child->client, &message, NULL, 0, &ignored);
}

static void close_others(struct monitor_child *child)
{
	int kept[2] = {child->client, child->settings->snapshot_fd};
	int next = FIRST_KEPT;

	if (kept[1] < kept[0]) {
		kept[0] = kept[1];
		kept[1] = child->client;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (kept[i] > next)
			(void)close_range((unsigned)next, (unsigned)kept[i] - 1, 0);
		if (kept[i] >= next)
			next = kept[i] + 1;
	}
	(void)close_range((unsigned)next, UINT_MAX, 0);
}

/* Neither a signal to the client's group nor its terminal may reach us. */
static int detach(struct monitor_child *child, struct err *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t wanted;

	setsid();
	prctl(PR_SET_NAME, "oneoff-monitor");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_errno(err, "cannot become the task's parent");
	for (int number = 1; number < NSIG; number++)
		signal(number, number == SIGPIPE || number == SIGHUP || number == SIGINT ||
		                               number == SIGTERM || number == SIGQUIT
		                       ? SIG_IGN
		                       : SIG_DFL);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_SETMASK, &wanted, NULL);
	if (child->client < FIRST_KEPT || null < 0)
		return err_set(err, ERR_SYSTEM, "no descriptors are free");
	for (int fd = 0; fd < FIRST_KEPT; fd++)
		dup2(null, fd);
	close_others(child);
	child->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	return child->signals < 0 ? err_errno(err, "signalfd") : 0;
}

/* The runtime sends the terminal's other end to this socket. The path is relative because socket paths are
 * short. */
static int listen_console(struct monitor_child *child, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "console"};

	if (!child->settings->tty)
		return 0;
	child->console = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (child->console < 0 ||
	    bind(child->console, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(child->console, 1) < 0)
		return err_errno(err, "cannot make the console socket");
	return 0;
}

static int prepare(struct monitor_child *child, struct err *err)
{
	const struct monitor_settings *settings = child->settings;
	bool copied;

	if (chdir(settings->folder) < 0)
		return err_errno(err, "cannot enter %s", settings->folder);
	if (settings->user_namespace && namespace_enter_user(settings->source_pid, err) < 0)
		return -1;
	if (namespace_enter_mount(err) < 0 || listen_console(child, err) < 0)
		return -1;
	cgroup_hide_hybrid();
	return rootfs_mount(settings->rootfs, settings->folder, &copied, err);
}

static _noreturn_ void leave(struct monitor_child *child)
{
	struct err err = ERR_INIT;

	(void)!monitor_remove(child, &err);
	monitor_tell(child, MESSAGE_REMOVED, 0, &err);
	_exit(0);
}

static void take_start(struct monitor_child *child, int fds[MESSAGE_MAX_FDS])
{
	if (!child->runtime_pid && !child->task_pid && !child->ended)
		monitor_task_start(child, fds);
	for (int i = 0; i < MESSAGE_MAX_FDS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Asked to remove, or left alone: what never started or may not go on ends now. A runtime at work is killed
 * only when it hangs: it would leave halves of a container. */
static void end_task(struct monitor_child *child)
{
	if (!child->doomed)
		child->doomed_at = clock_monotonic_ms();
	child->doomed = true;
	if (child->task_pid)
		monitor_task_signal(child, SIGKILL);
	else if (!child->runtime_pid)
		leave(child);
	else if (clock_monotonic_ms() - child->doomed_at >= RUNTIME_LIMIT_MS)
		(void)kill(child->runtime_pid, SIGKILL);
}

static void client_gone(struct monitor_child *child)
{
	close(child->client);
	child->client = -1;
	if (child->settings->stop || (!child->task_pid && !child->runtime_pid))
		end_task(child);
}

static void take_messages(struct monitor_child *child)
{
	int fds[MESSAGE_MAX_FDS];
	struct err err = ERR_INIT;
	struct message message;
	int result;

	while ((result = message_receive(child->client, false, &message, fds, &err)) > 0) {
		if (message.type == MESSAGE_START)
			take_start(child, fds);
		else if (message.type == MESSAGE_SIGNAL)
			monitor_task_signal(child, message.number);
		else if (message.type == MESSAGE_REMOVE)
			end_task(child);
	}
	if (result < 0)
		client_gone(child);
}

/* Nobody reads the terminal any more: what the task writes would fill it and stop the task. */
static void drain(struct monitor_child *child)
{
	char bytes[4096];
	ssize_t got = read(child->master, bytes, sizeof(bytes));

	if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)))
		return;
	close(child->master);
	child->master = -1;
}

/* Milliseconds until the deadline counts; it is the client's business while it lives. */
static int time_to_wait(struct monitor_child *child)
{
	int64_t left;

	if (child->doomed) {
		end_task(child);
		return 500;
	}
	if (child->client >= 0 || !child->settings->deadline)
		return -1;
	left = child->settings->deadline - clock_unix_seconds();
	if (left <= 0) {
		end_task(child);
		return 1000;
	}
	return left > 60 ? 60000 : (int)left * 1000;
}

void monitor_child_run(const struct monitor_settings *settings, int client)
{
	struct monitor_child child = {
		.settings = settings, .client = client, .console = -1, .master = -1};
	struct signalfd_siginfo info;
	struct err err = ERR_INIT;

	if (detach(&child, &err) < 0 || settings->make_bundle(settings->context, &err) < 0) {
		monitor_tell(&child, MESSAGE_FAILED, 0, &err);
		_exit(1);
	}
	if (prepare(&child, &err) < 0) {
		struct err ignored = ERR_INIT;

		(void)!monitor_remove(&child, &ignored);
		monitor_tell(&child, MESSAGE_FAILED, 0, &err);
		_exit(1);
	}
	monitor_tell(&child, MESSAGE_READY, 0, &err);
	for (;;) {
		struct pollfd items[] = {
			{.fd = child.client, .events = POLLIN},
			{.fd = child.signals, .events = POLLIN},
			{.fd = child.client < 0 ? child.master : -1, .events = POLLIN}};

		if (poll(items, ARRAY_SIZE(items), time_to_wait(&child)) < 0 && errno != EINTR)
			leave(&child);
		if (items[1].revents) {
			while (read(child.signals, &info, sizeof(info)) > 0)
				;
			monitor_task_reap(&child);
		}
		/* A failed start waits for the client's word; its death is one. */
		if (child.ended && (!child.failed || child.doomed))
			leave(&child);
		if (items[0].revents && child.client >= 0)
			take_messages(&child);
		if (items[2].revents)
			drain(&child);
	}
}
