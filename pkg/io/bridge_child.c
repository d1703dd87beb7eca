/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/io/bridge_internal.h"

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
#include <sys/wait.h>
#include "pkg/io/process.h"

#define MAX_RUNNING 64
#define GRACE_MS    1000

enum {
	FIRST_KEPT =
		10, /* our descriptors stand from here on, clear of 0 to 3, which commands get */
	FIRST_FREE = 20, /* above what we keep */
};

/* Moves our descriptors to fixed places and closes all others: a copy of a connection or pipe of
 * the parent's would keep it open. */
static int keep_descriptors(struct bridge_child *child)
{
	int *const kept[] = {&child->listener, &child->control, &child->log, &child->status};
	int null;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (*kept[i] >= 0)
			*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, FIRST_FREE);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		int place = FIRST_KEPT + (int)i;

		if (*kept[i] >= 0)
			*kept[i] = dup3(*kept[i], place, O_CLOEXEC);
		else
			close(place);
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || child->listener < 0 || child->control < 0 || child->log < 0)
		return -1;
	/* Moved up first: dup2 onto itself would leave O_CLOEXEC on. */
	null = fcntl(null, F_DUPFD_CLOEXEC, FIRST_FREE);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(child->log, 2) < 0)
		return -1;
	process_close(3, FIRST_KEPT - 1);
	process_close(FIRST_KEPT + (unsigned)ARRAY_SIZE(kept), UINT_MAX);
	return 0;
}

static int open_signals(struct bridge_child *child)
{
	sigset_t wanted;

	process_reset_signals(PROCESS_DIES);
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGCHLD);
	child->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	return child->signals < 0 ? -1 : 0;
}

static void reap(struct bridge_child *child)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		child->running--;
}

/* Empties the signal descriptor; true when we are told to end. */
static bool read_signals(struct bridge_child *child)
{
	struct signalfd_siginfo info;
	bool ends = false;

	while (read(child->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		ends |= info.ssi_signo == SIGTERM;
	reap(child);
	return ends;
}

static void signal_commands(const struct bridge_child *child, int number)
{
	/* Our process group is ours alone, so its helpers (ssh's ProxyCommand) are reached as well.
	 * A service may have started what has to go on. */
	if (!child->service)
		kill(-getpid(), number);
	else if (child->running)
		kill(child->service_pid, number);
}

static _noreturn_ void leave(struct bridge_child *child)
{
	unlink(child->path);
	rmdir(child->folder);
	if (child->running)
		signal_commands(child, SIGTERM);
	while (child->running) {
		struct pollfd item = {.fd = child->signals, .events = POLLIN};

		if (poll(&item, 1, GRACE_MS) == 0)
			break;
		read_signals(child);
	}
	signal_commands(child, SIGKILL);
	_exit(0);
}

/* Why the command does not run: to the parent if it waits for that, else to the log. */
static void report_fault(const struct bridge_child *child, int fault)
{
	if (child->status < 0)
		dprintf(2, "%s: %s\n", child->command->items[0], strerror(fault));
	else if (write(child->status, &fault, sizeof(fault)) < 0)
		_exit(126);
}

static void become_service(const struct bridge_child *child)
{
	char pid[3 * sizeof(int) + 1];

	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	unsetenv("LISTEN_FDNAMES");
	/* It is not for the service to tell our own supervisor that it is ready. */
	unsetenv("NOTIFY_SOCKET");
	dup2(child->log, 1);
	dup2(child->listener, 3);
}

static _noreturn_ void run_command(const struct bridge_child *child, pid_t parent, int connection)
{
	char *const *argv = child->command->items;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	if (child->service) {
		become_service(child);
	} else {
		dup2(connection, 0);
		dup2(connection, 1);
	}
	process_unblock_signals();
	execvp(argv[0], argv);
	report_fault(child, errno);
	_exit(127);
}

static pid_t start_command(struct bridge_child *child, int connection)
{
	pid_t self = getpid();
	pid_t pid = fork();

	if (pid == 0)
		run_command(child, self, connection);
	if (pid > 0)
		child->running++;
	else
		report_fault(child, errno);
	return pid;
}

static void serve_connection(struct bridge_child *child)
{
	_cleanup_fd_ int connection = accept4(child->listener, NULL, NULL, SOCK_CLOEXEC);

	if (connection >= 0)
		start_command(child, connection);
}

static void start_service(struct bridge_child *child)
{
	child->service_pid = start_command(child, -1);
	/* Ours would accept connections that nobody serves once the service has ended. */
	close(child->listener);
	close(child->status);
	child->listener = child->status = -1;
}

_noreturn_ void bridge_child_run(struct bridge_child *child)
{
	setsid();
	prctl(PR_SET_NAME, "oneoff-bridge");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (keep_descriptors(child) < 0 || open_signals(child) < 0 || getppid() != child->parent)
		leave(child);
	if (child->service)
		start_service(child);
	for (;;) {
		bool accepts = child->running < MAX_RUNNING;
		struct pollfd items[3] = {{.fd = child->control}, {.fd = child->signals}};

		items[2].fd = accepts ? child->listener : -1;
		items[0].events = items[1].events = items[2].events = POLLIN;
		if (poll(items, ARRAY_SIZE(items), -1) < 0 && errno != EINTR)
			leave(child);
		if (items[0].revents || (items[1].revents && read_signals(child)))
			leave(child);
		if (items[2].revents)
			serve_connection(child);
	}
}
