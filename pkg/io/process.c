/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/io/process.h"

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

/* Where close_range(2) is missing: more are not open in what starts us. */
#define HIGHEST_DESCRIPTOR 65535

pid_t process_fork(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static bool ends_programs(int number)
{
	return number == SIGPIPE || number == SIGHUP || number == SIGINT || number == SIGTERM ||
	       number == SIGQUIT;
}

void process_reset_signals(enum process_ending ending)
{
	for (int number = 1; number < NSIG; number++)
		signal(number,
		       ending == PROCESS_OUTLIVES && ends_programs(number) ? SIG_IGN : SIG_DFL);
}

void process_unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void process_close(unsigned first, unsigned last)
{
	if (close_range(first, last, 0) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd <= HIGHEST_DESCRIPTOR; fd++)
		close((int)fd);
}

/* The lowest of the list that is not below `first`, or -1. */
static int next_kept(const int *kept, size_t count, int first)
{
	int next = -1;

	for (size_t i = 0; i < count; i++)
		if (kept[i] >= first && (next < 0 || kept[i] < next))
			next = kept[i];
	return next;
}

void process_keep_descriptors(const int *kept, size_t count)
{
	int first = STDERR_FILENO + 1, next;

	while ((next = next_kept(kept, count, first)) >= 0) {
		if (next > first)
			process_close((unsigned)first, (unsigned)next - 1);
		first = next + 1;
	}
	process_close((unsigned)first, UINT_MAX);
}
