/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/spawn.h"

void make_pipe(int *ours, int *theirs, bool we_write)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe");
	*ours = ends[we_write ? 1 : 0];
	*theirs = ends[we_write ? 0 : 1];
	if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
		die("fcntl");
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

void open_terminal(struct run *run, struct child_ends *ends)
{
	struct winsize size = {
		.ws_row = (unsigned short)(run->spec.rows ? run->spec.rows : 24),
		.ws_col = (unsigned short)(run->spec.columns ? run->spec.columns : 80),
	};

	run->out_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (run->out_fd < 0 || grantpt(run->out_fd) < 0 || unlockpt(run->out_fd) < 0)
		die("posix_openpt");
	run->slave = open_or_die(ptsname(run->out_fd), O_RDWR | O_NOCTTY);
	if (ioctl(run->slave, TIOCSWINSZ, &size) < 0 || tcgetattr(run->slave, &run->before) < 0)
		die("terminal");
	run->in = run->out_fd;
	ends->fd[0] = ends->fd[1] = ends->fd[2] = run->slave;
}

void open_pipes(struct run *run, struct child_ends *ends)
{
	const struct run_spec *spec = &run->spec;

	switch (spec->stdin_mode) {
	case STDIN_NULL:
		ends->fd[0] = open_or_die("/dev/null", O_RDONLY);
		break;
	case STDIN_CLOSED:
		break;
	case STDIN_TEXT:
	case STDIN_PATTERN:
	case STDIN_ENDLESS:
	case STDIN_SILENT:
		make_pipe(&run->in, &ends->fd[0], true);
		break;
	}
	if (spec->reader == READER_FULL)
		ends->fd[1] = open_or_die("/dev/full", O_WRONLY);
	else if (spec->reader != READER_CLOSED)
		make_pipe(&run->out_fd, &ends->fd[1], false);
	if (!spec->stderr_closed)
		make_pipe(&run->err_fd, &ends->fd[2], false);
}

static void set_environment(const char *const *env)
{
	const char *const *entry;
	char *copy;

	for (entry = env; env && *entry; entry++) {
		copy = strdup(*entry);
		if (!copy || (strchr(copy, '=') ? putenv(copy) : unsetenv(copy)) != 0)
			_exit(250);
	}
}

static void exec_program(const struct run_spec *spec, const struct child_ends *ends)
{
	static const int reset[] = {SIGTTOU, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD};
	const char *program = spec->program ? spec->program : oneoff_path();
	const char *argv[256] = {program};
	sigset_t none;
	size_t i;
	int fd[3];

	for (i = 0; spec->argv && spec->argv[i] && i + 2 < 256; i++)
		argv[i + 1] = spec->argv[i];
	for (i = 1; argv[i] && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--like") == 0 && argv[i + 1])
			argv[i + 1] = source_name(argv[i + 1]);
	set_environment(spec->env);
	for (i = 0; i < 3; i++)
		fd[i] = ends->fd[i] < 0 ? -1 : fcntl(ends->fd[i], F_DUPFD, 10);
	for (i = 0; i < 3; i++) {
		close((int)i);
		if (fd[i] >= 0 && dup2(fd[i], (int)i) < 0)
			_exit(250);
	}
	for (i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_range(3, ~0U, 0);
	execv(program, (char *const *)argv);
	_exit(251);
}

/* Leads the program's session: starts it in the foreground, reports its end, then holds the
 * terminal until the harness lets go. */
void lead(const struct run *run, const struct child_ends *ends, int report, int hold)
{
	struct report end = {0};
	char byte;
	pid_t pid;
	int i;

	setsid();
	signal(SIGTTOU, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (run->spec.pty && ioctl(run->slave, TIOCSCTTY, 0) < 0)
		_exit(1);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		if (run->spec.pty)
			tcsetpgrp(run->slave, getpid());
		exec_program(&run->spec, ends);
	}
	setpgid(pid, pid);
	for (i = 3; i < 256; i++)
		if (i != report && i != hold && i != run->slave)
			close(i);
	close(0);
	close(1);
	close(2);
	if (write(report, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	while (wait4(pid, &end.status, 0, &end.usage) < 0 && errno == EINTR)
		;
	if (write(report, &end, sizeof(end)) != sizeof(end))
		_exit(1);
	while (read(hold, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}
