/* SPDX-License-Identifier: Apache-2.0 */
/* The guardian outlives a client that is killed; what it does shows in a file that the test's
 * backend writes to. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "pkg/run/guardian.h"

static char report_path[64];

static void put(const char *text)
{
	int fd = open(report_path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(9);
	close(fd);
}

static int open_backend(const struct backend_settings *settings, struct loop *loop,
                        struct backend **ret, struct err *err);

static int bury(struct backend *backend, const struct burial *burial, struct err *err)
{
	char line[200];

	(void)backend;
	(void)err;
	snprintf(line, sizeof(line), "bury %s %s %d %lld\n", burial->name, burial->id, burial->stop,
	         (long long)burial->deadline);
	put(line);
	return 0;
}

static void close_backend(struct backend *backend)
{
	(void)backend;
	put("close\n");
}

static const struct backend_ops ops = {
	.name = "test", .open = open_backend, .bury = bury, .close = close_backend};
static struct backend the_backend = {.ops = &ops};

static int open_backend(const struct backend_settings *settings, struct loop *loop,
                        struct backend **ret, struct err *err)
{
	(void)loop;
	(void)err;
	put(settings->may_spawn && !settings->reporter.say ? "open\n" : "open with a reporter\n");
	*ret = &the_backend;
	return 0;
}

enum client_end { CLIENT_KILLED, CLIENT_DISMISSES };

/* A client in a process of its own. */
static void run_client(const struct burial *burial, enum client_end end, int terminal)
{
	struct backend_settings settings = {.may_spawn = false};
	struct guardian guardian = GUARDIAN_INIT;
	struct termios saved = {0}; /* its padding goes through the pipe */
	struct err err = ERR_INIT;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (guardian_start(&guardian, &ops, &settings, terminal, &err) < 0)
			_exit(8);
		if (terminal >= 0) {
			struct termios raw;

			tcgetattr(terminal, &saved);
			raw = saved;
			guardian_watch_terminal(&guardian, &saved);
			cfmakeraw(&raw);
			tcsetattr(terminal, TCSANOW, &raw);
		}
		if (burial)
			guardian_watch_task(&guardian, burial);
		if (end == CLIENT_KILLED)
			raise(SIGKILL);
		guardian_dismiss(&guardian);
		guardian_dismiss(&guardian);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	cr_assert(end == CLIENT_KILLED ? WIFSIGNALED(status) : WIFEXITED(status));
}

/* All that the guardian did. */
static void expect_report(const char *expected)
{
	char text[512] = "";
	int fd = open(report_path, O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_geq(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	cr_expect_str_eq(text, expected);
}

static int prepare(void)
{
	int fd;

	snprintf(report_path, sizeof(report_path), "/tmp/oneoff-guardian-XXXXXX");
	fd = mkstemp(report_path);
	cr_assert_geq(fd, 0);
	return fd;
}

/* The test is the one that orphans are given to, so that it can wait for the guardian. */
static void wait_for_guardian(void)
{
	while (wait(NULL) > 0)
		;
}

Test(guardian, buries_what_a_killed_client_leaves, .timeout = 20)
{
	const struct burial burial = {
		"web-oneoff-abcd2345", "abcd2345", true, 1795236843, true, false};
	int fd = prepare();

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run_client(&burial, CLIENT_KILLED, -1);
	wait_for_guardian();
	expect_report("open\nbury web-oneoff-abcd2345 abcd2345 1 1795236843\nclose\n");
	unlink(report_path);
	close(fd);
}

Test(guardian, does_nothing_when_it_is_dismissed, .timeout = 20)
{
	const struct burial burial = {"x", "y", true, 0, true, false};
	int fd = prepare();

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run_client(&burial, CLIENT_DISMISSES, -1);
	wait_for_guardian();
	expect_report("");
	unlink(report_path);
	close(fd);
}

Test(guardian, buries_nothing_before_there_was_a_task, .timeout = 20)
{
	int fd = prepare();

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run_client(NULL, CLIENT_KILLED, -1);
	wait_for_guardian();
	expect_report("");
	unlink(report_path);
	close(fd);
}

Test(guardian, puts_the_terminal_back, .timeout = 20)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), fd = prepare(), terminal;
	struct termios before, now;

	cr_assert_eq(grantpt(master), 0);
	cr_assert_eq(unlockpt(master), 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_eq(tcgetattr(terminal, &before), 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run_client(NULL, CLIENT_KILLED, terminal);
	wait_for_guardian();
	cr_assert_eq(tcgetattr(terminal, &now), 0);
	cr_expect_eq(now.c_lflag, before.c_lflag);
	cr_expect_eq(now.c_oflag, before.c_oflag);
	unlink(report_path);
	close(terminal);
	close(master);
	close(fd);
}

Test(guardian, is_no_use_without_a_start)
{
	struct guardian guardian = GUARDIAN_INIT;
	const struct burial burial = {"x", "y", false, 0, true, false};

	guardian_watch_task(&guardian, &burial);
	guardian_dismiss(&guardian);
	cr_expect_eq(guardian.pipe_fd, -1);
}
