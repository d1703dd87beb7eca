/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/guardian.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "pkg/io/process.h"

#define MAX_NAME 256
#define MAX_ID   16

enum message_type {
	MESSAGE_TERMINAL = 1,
	MESSAGE_TASK,
	MESSAGE_DISMISS,
};

/* Fixed size and smaller than PIPE_BUF: a write is whole or did not happen. */
struct message {
	enum message_type type;
	struct termios saved;
	char name[MAX_NAME];
	char id[MAX_ID];
	bool started;
	bool stop;
	bool detached;
	int64_t deadline;
};

struct watched {
	bool terminal, task;
	struct message of_terminal, of_task;
};

/* Reads until dismissed (true) or the pipe's other end is gone (false). */
static bool listen_to(int fd, struct watched *watched)
{
	struct message message;

	for (;;) {
		ssize_t got = read(fd, &message, sizeof(message));

		if (got < 0 && errno == EINTR)
			continue;
		if (got != (ssize_t)sizeof(message))
			return false;
		if (message.type == MESSAGE_DISMISS)
			return true;
		if (message.type == MESSAGE_TERMINAL) {
			watched->terminal = true;
			watched->of_terminal = message;
		} else {
			watched->task = true;
			watched->of_task = message;
			watched->of_task.name[MAX_NAME - 1] = '\0';
			watched->of_task.id[MAX_ID - 1] = '\0';
		}
	}
}

/* Only while it is still as we left it: the shell may have noticed our death first and set its own.
 */
static void restore(int terminal, const struct termios *saved)
{
	struct termios raw = *saved, now;

	cfmakeraw(&raw);
	if (tcgetattr(terminal, &now) == 0 && now.c_lflag == raw.c_lflag &&
	    now.c_iflag == raw.c_iflag && now.c_oflag == raw.c_oflag)
		tcsetattr(terminal, TCSADRAIN, saved);
}

static void bury(const struct backend_ops *ops, const struct backend_settings *settings,
                 const struct message *task)
{
	struct burial burial = {
		.name = task->name,
		.id = task->id,
		.stop = task->stop,
		.deadline = task->deadline,
		.started = task->started,
		.detached = task->detached,
	};
	struct backend_settings quiet = *settings;
	struct loop loop = LOOP_INIT;
	struct backend *backend = NULL;
	struct err err = ERR_INIT;

	quiet.reporter = (struct reporter){NULL, NULL};
	quiet.may_spawn = true;
	if (ops->open(&quiet, &loop, &backend, &err) < 0)
		return; /* the engine is gone; the next run's sweep finds what comes back with it */
	if (ops->bury(backend, &burial, &err) < 0) {
		ops->close(backend);
		return;
	}
	ops->close(backend);
}

/* Neither a signal to our group nor a closing terminal may reach it, and it must not hold our
 * stdout: whoever reads that waits for its end. */
static void detach(int keep_terminal, int keep_pipe)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	process_reset_signals(PROCESS_OUTLIVES);
	process_unblock_signals();
	for (int fd = 0; fd <= 2; fd++)
		if (null >= 0)
			dup2(null, fd);
	process_keep_descriptors((const int[]){keep_terminal, keep_pipe}, 2);
}

int guardian_start(struct guardian *guardian, const struct backend_ops *ops,
                   const struct backend_settings *settings, int terminal_fd, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "pipe");
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return err_errno(err, "fork");
	}
	if (pid == 0) {
		struct watched watched = {.terminal = false};
		int terminal = terminal_fd < 0 ? -1 : fcntl(terminal_fd, F_DUPFD_CLOEXEC, 3);

		detach(terminal, fds[0]);
		if (listen_to(fds[0], &watched))
			_exit(0);
		if (watched.terminal && terminal >= 0)
			restore(terminal, &watched.of_terminal.saved);
		if (watched.task)
			bury(ops, settings, &watched.of_task);
		_exit(0);
	}
	close(fds[0]);
	guardian->pipe_fd = fds[1];
	guardian->pid = pid;
	return 0;
}

static void tell(struct guardian *guardian, const struct message *message)
{
	ssize_t written;

	if (guardian->pipe_fd < 0)
		return;
	do
		written = write(guardian->pipe_fd, message, sizeof(*message));
	while (written < 0 && errno == EINTR);
}

void guardian_watch_terminal(struct guardian *guardian, const struct termios *saved)
{
	struct message message = {.type = MESSAGE_TERMINAL, .saved = *saved};

	tell(guardian, &message);
}

void guardian_watch_task(struct guardian *guardian, const struct burial *burial)
{
	struct message message = {
		.type = MESSAGE_TASK,
		.stop = burial->stop,
		.detached = burial->detached,
		.deadline = burial->deadline,
		.started = burial->started,
	};

	snprintf(message.name, sizeof(message.name), "%s", burial->name);
	snprintf(message.id, sizeof(message.id), "%s", burial->id);
	tell(guardian, &message);
}

void guardian_leave(struct guardian *guardian)
{
	if (guardian->pipe_fd >= 0)
		close(guardian->pipe_fd);
	guardian->pipe_fd = -1;
}

void guardian_dismiss(struct guardian *guardian)
{
	struct message message = {.type = MESSAGE_DISMISS};

	if (guardian->pipe_fd < 0)
		return;
	tell(guardian, &message);
	close(guardian->pipe_fd);
	guardian->pipe_fd = -1;
	while (waitpid(guardian->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
