/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one command and appends a line to a file: what it cost.
 *
 *	measure FILE LABEL COMMAND [ARG...]
 *	LABEL <tab> wall ms <tab> user ms <tab> system ms <tab> peak memory KiB <tab> code
 *
 * Wall time ends with the command itself. Processor time and memory count whatever it started as
 * well, also what it left behind (a guardian, conmon), for as long as LINGER_MS; memory is the
 * largest of them. Exits with the command's code, so that a failed run cannot pass for a fast one.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINGER_MS 3000

struct cost {
	double wall_ms, user_ms, system_ms;
	long peak_kib;
	int code;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double to_ms(struct timeval time)
{
	return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static void add_usage(struct cost *cost, const struct rusage *usage)
{
	cost->user_ms += to_ms(usage->ru_utime);
	cost->system_ms += to_ms(usage->ru_stime);
	if (usage->ru_maxrss > cost->peak_kib)
		cost->peak_kib = usage->ru_maxrss;
}

/* Descendants whose parents went away became our children (subreaper). SIGCHLD is blocked, so none
 * is missed between the look and the wait. */
static void wait_for_rest(struct cost *cost)
{
	double limit = now_ms() + LINGER_MS;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (;;) {
		struct rusage usage;
		pid_t pid = wait4(-1, NULL, WNOHANG, &usage);
		double left_ms = limit - now_ms();

		if (pid > 0) {
			add_usage(cost, &usage);
			continue;
		}
		if (pid < 0 || left_ms <= 0)
			return;

		struct timespec timeout = {.tv_sec = (time_t)(left_ms / 1e3),
		                           .tv_nsec = (long)left_ms % 1000 * 1000000};
		sigtimedwait(&child, NULL, &timeout);
	}
}

static int run(char **argv, struct cost *cost)
{
	double start = now_ms();
	sigset_t child, before;
	int status = 0;
	struct rusage usage;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);

	pid_t pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	while (wait4(pid, &status, 0, &usage) < 0) {
		if (errno != EINTR)
			return -1;
	}
	cost->wall_ms = now_ms() - start;
	cost->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	add_usage(cost, &usage);
	wait_for_rest(cost);
	return 0;
}

int main(int argc, char **argv)
{
	struct cost cost = {.wall_ms = 0};
	FILE *file;

	if (argc < 4) {
		fprintf(stderr, "usage: measure FILE LABEL COMMAND [ARG...]\n");
		return 125;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (run(argv + 3, &cost) < 0) {
		perror("measure");
		return 125;
	}
	file = fopen(argv[1], "a");
	if (!file || fprintf(file, "%s\t%.3f\t%.3f\t%.3f\t%ld\t%d\n", argv[2], cost.wall_ms,
	                     cost.user_ms, cost.system_ms, cost.peak_kib, cost.code) < 0) {
		perror(argv[1]);
		return 125;
	}
	return fclose(file) == 0 ? cost.code : 125;
}
