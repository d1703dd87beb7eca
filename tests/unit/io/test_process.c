/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pkg/io/process.h"

/* How the child judges itself; bits of its exit code. */
enum { BLOCKED = 1, REACHED = 2 };

static int code_of(pid_t pid)
{
	int status = -1;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_blocked(int number)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, number) == 1;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void ignore(int number)
{
	(void)number;
}

Test(process, a_signal_waits_until_the_child_is_ready)
{
	pid_t pid;

	signal(SIGTERM, ignore);
	pid = process_fork();
	if (pid == 0) {
		bool blocked = is_blocked(SIGTERM) && is_blocked(SIGHUP);

		kill(getpid(), SIGTERM);
		process_reset_signals(PROCESS_DIES);
		if (!blocked)
			_exit(BLOCKED);
		process_unblock_signals();
		_exit(REACHED);
	}
	cr_expect_eq(code_of(pid), 128 + SIGTERM);
	cr_expect_not(is_blocked(SIGTERM), "the parent's own mask has changed");
}

Test(process, what_outlives_is_not_ended_by_a_terminal_or_a_group)
{
	pid_t pid = process_fork();

	if (pid == 0) {
		process_reset_signals(PROCESS_OUTLIVES);
		process_unblock_signals();
		for (size_t i = 0; i < 4; i++)
			kill(getpid(), ((const int[]){SIGHUP, SIGINT, SIGQUIT, SIGTERM})[i]);
		_exit(7);
	}
	cr_expect_eq(code_of(pid), 7);
}

/* Fills the low places, so that what is closed and kept does not hang on what the runner has open. */
static void fill(int last)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int place = 3; place <= last; place++)
		if (place != fd)
			dup2(fd, place);
}

Test(process, keeps_the_listed_descriptors_and_the_standard_ones_alone)
{
	static const int kept[] = {9, -1, 5, 2, 6};
	pid_t pid = process_fork();

	if (pid == 0) {
		int wrong = 0;

		fill(12);
		process_keep_descriptors(kept, sizeof(kept) / sizeof(kept[0]));
		for (int fd = 0; fd <= 12; fd++)
			wrong += is_open(fd) != (fd <= 2 || fd == 5 || fd == 6 || fd == 9);
		_exit(wrong);
	}
	cr_expect_eq(code_of(pid), 0);
}

Test(process, closes_both_ends_of_a_range)
{
	pid_t pid = process_fork();

	if (pid == 0) {
		fill(8);
		process_close(4, 6);
		_exit(is_open(3) && !is_open(4) && !is_open(6) && is_open(7) ? 0 : 1);
	}
	cr_expect_eq(code_of(pid), 0);
}
