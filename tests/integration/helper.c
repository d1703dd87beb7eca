/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The task of most cases: a small static program inside the test image that does one exact thing.
 * `helper MODE [ARG...]`; the table at the end lists the modes. It never writes through stdio, so
 * that what a case sees is what one write() sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "pattern.h"

extern char **environ;

static void write_all(int fd, const void *bytes, size_t length)
{
	const char *p = bytes;
	ssize_t n;

	while (length > 0) {
		n = write(fd, p, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			_exit(99);
		p += n;
		length -= (size_t)n;
	}
}

static void say(int fd, const char *format, ...)
{
	char line[512];
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	write_all(fd, line, (size_t)n);
}

static uint64_t number(char **argv, int index, uint64_t fallback)
{
	int i;

	for (i = 0; i <= index; i++)
		if (!argv[i])
			return fallback;
	return strtoull(argv[index], NULL, 0);
}

static void pause_ms(uint64_t ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* pattern N [SEED] [CODE]: N bytes to stdout */
static int mode_pattern(char **argv)
{
	static unsigned char buffer[65536];
	struct pattern pattern = {.state = number(argv, 1, 1)};
	uint64_t left = number(argv, 0, 0);
	size_t n;

	while (left > 0) {
		n = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);
		pattern_fill(&pattern, buffer, n);
		write_all(1, buffer, n);
		left -= n;
	}
	return (int)number(argv, 2, 0);
}

/* sum: "HASH COUNT\n" of stdin */
static int mode_sum(char **argv)
{
	static unsigned char buffer[65536];
	uint64_t hash = FNV_START, count = 0;
	ssize_t n;

	(void)argv;
	while ((n = read(0, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 98;
		hash = fnv_add(hash, buffer, (size_t)n);
		count += (uint64_t)n;
	}
	say(1, "%016" PRIx64 " %" PRIu64 "\n", hash, count);
	return 0;
}

/* both N: "out I\n" to stdout and "err I\n" to stderr, N times by turns */
static int mode_both(char **argv)
{
	uint64_t i, n = number(argv, 0, 0);

	for (i = 0; i < n; i++) {
		say(1, "out %" PRIu64 "\n", i);
		say(2, "err %" PRIu64 "\n", i);
	}
	return 0;
}

static int sigset_of_interest(sigset_t *set)
{
	static const int list[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		sigaddset(set, list[i]);
	return sigprocmask(SIG_BLOCK, set, NULL);
}

/* signals [CODE]: "ready", then each signal's name; TERM ends it with CODE (0) */
static int mode_signals(char **argv)
{
	sigset_t set;
	int signal_number;

	sigset_of_interest(&set);
	say(1, "ready\n");
	for (;;) {
		if (sigwait(&set, &signal_number) != 0)
			continue;
		say(1, "%s\n", sigabbrev_np(signal_number));
		if (signal_number == SIGTERM)
			return (int)number(argv, 0, 0);
	}
}

/* winsize: "ROWS COLUMNS\n" now and after each WINCH; INT or TERM ends it */
static int mode_winsize(char **argv)
{
	struct winsize size;
	sigset_t set;
	int signal_number = SIGWINCH;

	(void)argv;
	sigset_of_interest(&set);
	while (signal_number != SIGINT && signal_number != SIGTERM) {
		if (signal_number == SIGWINCH && ioctl(0, TIOCGWINSZ, &size) == 0)
			say(1, "size %d %d\n", size.ws_row, size.ws_col);
		if (sigwait(&set, &signal_number) != 0)
			return 97;
	}
	return 0;
}

/* eat N: touches N MiB, then says so */
static int mode_eat(char **argv)
{
	uint64_t i, n = number(argv, 0, 0);
	char *p;

	for (i = 0; i < n; i++) {
		p = malloc(1 << 20);
		if (!p)
			return 96;
		memset(p, (int)i | 1, 1 << 20);
	}
	say(1, "ate %" PRIu64 "\n", n);
	return 0;
}

static int mode_env(char **argv)
{
	char **entry;

	(void)argv;
	for (entry = environ; *entry; entry++) {
		write_all(1, *entry, strlen(*entry));
		write_all(1, "\n", 1);
	}
	return 0;
}

/* argv [ARG...]: one line of hex an argument, so that no byte can hide */
static int mode_argv(char **argv)
{
	const unsigned char *p;

	for (; *argv; argv++) {
		for (p = (const unsigned char *)*argv; *p; p++)
			say(1, "%02x", *p);
		say(1, "\n");
	}
	return 0;
}

/* argv-sum [ARG...]: "HASH COUNT\n" over all arguments, NULs included: for large ones */
static int mode_argv_sum(char **argv)
{
	uint64_t hash = FNV_START, count = 0;

	for (; *argv; argv++, count++)
		hash = fnv_add(hash, *argv, strlen(*argv) + 1);
	say(1, "%016" PRIx64 " %" PRIu64 "\n", hash, count);
	return 0;
}

/* exit N [TEXT]: code N, with TEXT on stdout before */
static int mode_exit(char **argv)
{
	if (argv[0] && argv[1])
		say(1, "%s", argv[1]);
	return (int)number(argv, 0, 0);
}

/* die N: kills itself with signal N; needs not to be process 1, so a child does it and we repeat it
 */
static int mode_die(char **argv)
{
	int status, signal_number = (int)number(argv, 0, SIGKILL);
	pid_t child = fork();

	if (child == 0) {
		raise(signal_number);
		_exit(95);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 95;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : 94;
}

/* close-stdin-early N: reads N bytes, closes stdin, lives on for a moment, ends with 7 */
static int mode_close_stdin_early(char **argv)
{
	uint64_t left = number(argv, 0, 0);
	char byte;

	while (left > 0 && read(0, &byte, 1) == 1)
		left--;
	close(0);
	pause_ms(300);
	say(1, "closed\n");
	return 7;
}

/* ignore-term: "ready", deaf to INT and TERM, for a minute */
static int mode_ignore_term(char **argv)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	say(1, "ready\n");
	pause_ms(number(argv, 0, 60000));
	return 0;
}

/* wait MS [CODE]: "ready", then nothing for MS */
static int mode_wait(char **argv)
{
	say(1, "ready\n");
	pause_ms(number(argv, 0, 0));
	return (int)number(argv, 1, 0);
}

/* flood: writes for ever; ends with 141 when nobody reads */
static int mode_flood(char **argv)
{
	static char line[4096];
	ssize_t n;

	(void)argv;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (;;) {
		n = write(1, line, sizeof(line));
		if (n < 0 && errno != EINTR)
			return 141;
	}
}

/* where: user, groups, folder, whether 0 1 2 are terminals */
static int mode_where(char **argv)
{
	char folder[256];

	(void)argv;
	say(1, "uid %u gid %u cwd %s tty %d%d%d\n", getuid(), getgid(),
	    getcwd(folder, sizeof(folder)) ? folder : "?", isatty(0), isatty(1), isatty(2));
	return 0;
}

struct mode {
	const char *name;
	int (*run)(char **argv);
};

static const struct mode modes[] = {
	{"pattern", mode_pattern},
	{"sum", mode_sum},
	{"both", mode_both},
	{"signals", mode_signals},
	{"winsize", mode_winsize},
	{"eat", mode_eat},
	{"env", mode_env},
	{"argv", mode_argv},
	{"argv-sum", mode_argv_sum},
	{"exit", mode_exit},
	{"die", mode_die},
	{"close-stdin-early", mode_close_stdin_early},
	{"ignore-term", mode_ignore_term},
	{"wait", mode_wait},
	{"flood", mode_flood},
	{"where", mode_where},
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run(argv + 2);
	say(2, "helper: no such mode\n");
	return 93;
}
