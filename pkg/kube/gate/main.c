/* SPDX-License-Identifier: Apache-2.0 */
/* The gate itself; gate.h says what it does. Runs without a C library, in any image, mostly as process 1. */
#include "pkg/kube/gate/system.h"

#include <stdbool.h>

#define TERMINATION_LOG "/dev/termination-log"
#define DEFAULT_PATH    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define SHELL           "/bin/sh"

#define MAX_PATH       4096
#define MAX_DETAIL     1000     /* a node keeps only the last 4096 bytes of the log */
#define TTY_STEP_NS    10000000 /* there is no event for a terminal's size without a signal */
#define NS_PER_SECOND  1000000000
#define SIGNAL_COUNT   3
#define EXIT_GATE      125
#define EXIT_DENIED    126
#define EXIT_NOT_FOUND 127

enum mode { MODE_STDIN, MODE_NULL, MODE_TTY };

struct signals {
	struct system_action action[SIGNAL_COUNT];
	unsigned long mask;
};

static const int signal_numbers[SIGNAL_COUNT] = {SYSTEM_SIGHUP, SYSTEM_SIGINT, SYSTEM_SIGTERM};

/* ---- strings ---- */

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

/* What follows `prefix` in `text`, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
	for (; *prefix; prefix++, text++)
		if (*text != *prefix)
			return NULL;
	return text;
}

static bool has_slash(const char *text)
{
	for (; *text; text++)
		if (*text == '/')
			return true;
	return false;
}

/* ---- failing ---- */

static void add_text(int fd, const char *text)
{
	size_t length = length_of(text);

	system_write(fd, text, length < MAX_DETAIL ? length : MAX_DETAIL);
}

static void add_number(int fd, long number)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	system_write(fd, digits + at, sizeof(digits) - at);
}

/* The log is a file that the node has put there; where there is none, none is made. `error` 0: no system call is to
 * blame. */
__attribute__((noreturn)) static void fail(int code, const char *kind, const char *detail,
                                           long error)
{
	int fd = (int)system_openat(SYSTEM_AT_FDCWD, TERMINATION_LOG,
	                            SYSTEM_O_WRONLY | SYSTEM_O_TRUNC | SYSTEM_O_NONBLOCK, 0);

	if (fd >= 0) {
		add_text(fd, "oneoff-gate: ");
		add_text(fd, kind);
		add_text(fd, ": ");
		add_text(fd, detail);
		if (error) {
			add_text(fd, ": error ");
			add_number(fd, error);
		}
	}
	system_exit_group(code);
}

/* ---- signals ---- */

static void on_signal(int number)
{
	system_exit_group(128 + number);
}

/* Process 1 does not get a signal that it has no handler for. */
static void catch_signals(struct signals *before)
{
	struct system_action action = {
		.handler = on_signal, .flags = SYSTEM_SA_RESTORER, .restorer = on_signal};
	unsigned long mask = 0;

	for (int i = 0; i < SIGNAL_COUNT; i++) {
		mask |= 1UL << (signal_numbers[i] - 1);
		system_rt_sigaction(signal_numbers[i], &action, &before->action[i], sizeof(mask));
	}
	system_rt_sigprocmask(SYSTEM_SIG_UNBLOCK, &mask, &before->mask, sizeof(mask));
}

static void restore_signals(const struct signals *before)
{
	for (int i = 0; i < SIGNAL_COUNT; i++)
		system_rt_sigaction(signal_numbers[i], &before->action[i], NULL,
		                    sizeof(before->mask));
	system_rt_sigprocmask(SYSTEM_SIG_SETMASK, &before->mask, NULL, sizeof(before->mask));
}

/* ---- waiting ---- */

/* Waits for stdin until the limit, or for `step` nanoseconds (0: only the limit). Returns what poll saw, 0 for
 * nothing. */
static int wait_stdin(const struct system_time *limit, short events, long step)
{
	struct system_poll item = {.fd = 0, .events = events, .revents = 0};
	struct system_time now, left;

	system_clock_gettime(SYSTEM_CLOCK_MONOTONIC, &now);
	left.seconds = limit->seconds - now.seconds;
	left.nanoseconds = limit->nanoseconds - now.nanoseconds;
	if (left.nanoseconds < 0) {
		left.seconds--;
		left.nanoseconds += NS_PER_SECOND;
	}
	if (left.seconds < 0)
		fail(EXIT_GATE, "timeout", "nobody attached in time", 0);
	if (step && (left.seconds > 0 || left.nanoseconds > step)) {
		left.seconds = 0;
		left.nanoseconds = step;
	}
	return system_ppoll(&item, 1, &left, NULL, sizeof(unsigned long)) > 0 ? item.revents : 0;
}

static void wait_byte(const struct system_time *limit)
{
	char byte;
	long got;

	for (;;) {
		if (!wait_stdin(limit, SYSTEM_POLLIN, 0))
			continue;
		got = system_read(0, &byte, 1);
		if (got == 1)
			return;
		if (got != -SYSTEM_EINTR && got != -SYSTEM_EAGAIN)
			fail(EXIT_GATE, "closed", "stdin ended", -got);
	}
}

static void wait_window(const struct system_time *limit)
{
	struct system_window window = {0, 0, 0, 0};
	long result;

	for (;;) {
		result = system_ioctl(0, SYSTEM_TIOCGWINSZ, &window);
		if (result == -SYSTEM_ENOTTY)
			fail(EXIT_GATE, "usage", "stdin is no terminal", 0);
		if (result < 0)
			fail(EXIT_GATE, "closed", "the terminal ended", -result);
		if (window.rows)
			return;
		if (wait_stdin(limit, 0, TTY_STEP_NS))
			fail(EXIT_GATE, "closed", "the terminal ended", 0);
	}
}

/* An image without /dev/null does as well with a pipe that has ended. */
static void end_stdin(void)
{
	int fds[2];
	long fd = system_openat(SYSTEM_AT_FDCWD, "/dev/null", 0, 0);

	if (fd < 0) {
		if (system_pipe2(fds, 0) < 0)
			fail(EXIT_GATE, "closed", "there is neither /dev/null nor a pipe", -fd);
		system_close(fds[1]);
		fd = fds[0];
	}
	system_dup3((int)fd, 0, 0);
	system_close((int)fd);
}

/* ---- executing ---- */

/* execve, and for a script without "#!" the shell, as execvp has it. The gate's own words in front of the command
 * leave room for the shell's name. Returns the error number, with ENOEXEC kept where there is no shell. */
static long try(const char *path, char **command, char *const *environment)
{
	long error = -system_execve(path, command, environment);
	char *const name = command[0];

	if (error == SYSTEM_ENOEXEC) {
		command[-1] = (char *)SHELL;
		command[0] = (char *)path;
		system_execve(SHELL, command - 1, environment);
		command[0] = name;
	}
	return error;
}

static bool is_missing(long error)
{
	return error == SYSTEM_ENOENT || error == SYSTEM_ENOTDIR;
}

/* The errors after which execvp looks on in the next folder. */
static bool may_go_on(long error)
{
	return is_missing(error) || error == SYSTEM_EACCES || error == SYSTEM_ESTALE ||
	       error == SYSTEM_ENODEV || error == SYSTEM_ETIMEDOUT;
}

/* Tries every folder of PATH; an empty one is the current folder. Returns the error number. */
static long search(const char *folders, char **command, char *const *environment)
{
	char path[MAX_PATH];
	size_t name_length = length_of(command[0]), length;
	long error, found = SYSTEM_ENOENT;

	for (;; folders += length + 1) {
		for (length = 0; folders[length] && folders[length] != ':'; length++)
			;
		if (length + name_length + 2 <= sizeof(path)) {
			size_t used = 0;

			for (size_t i = 0; i < length; i++)
				path[used++] = folders[i];
			if (length > 0)
				path[used++] = '/';
			for (size_t i = 0; i <= name_length; i++)
				path[used++] = command[0][i];
			error = try(path, command, environment);
			if (!may_go_on(error))
				return error;
			if (error == SYSTEM_EACCES)
				found = error;
		}
		if (!folders[length])
			return found;
	}
}

__attribute__((noreturn)) static void execute(char **command, char *const *environment)
{
	const char *folders = DEFAULT_PATH;
	long error = SYSTEM_ENOENT;

	for (char *const *item = environment; *item; item++) {
		const char *value = behind(*item, "PATH=");

		if (value) {
			folders = value;
			break;
		}
	}
	if (has_slash(command[0]))
		error = try(command[0], command, environment);
	else if (command[0][0])
		error = search(folders, command, environment);
	if (is_missing(error))
		fail(EXIT_NOT_FOUND, "not-found", command[0], error);
	fail(EXIT_DENIED, "cannot-execute", command[0], error);
}

/* ---- the command line ---- */

/* "MODE:SECONDS" */
static bool read_settings(const char *text, enum mode *ret_mode, long *ret_seconds)
{
	static const char names[][8] = {"stdin:", "null:", "tty:"};
	const char *digits = NULL;
	long seconds = 0;
	int mode;

	for (mode = MODE_STDIN; mode <= MODE_TTY; mode++) {
		digits = behind(text, names[mode]);
		if (digits)
			break;
	}
	if (!digits || !*digits || length_of(digits) > 9)
		return false;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return false;
		seconds = 10 * seconds + (*digits - '0');
	}
	*ret_mode = (enum mode)mode;
	*ret_seconds = seconds;
	return true;
}

void gate_main(long argc, char **argv, char **environment)
{
	struct system_time limit;
	struct signals signals;
	enum mode mode;
	long seconds;

	if (argc < 3 || !read_settings(argv[1], &mode, &seconds))
		fail(EXIT_GATE, "usage", "gate stdin|null|tty:SECONDS COMMAND [ARG...]", 0);
	catch_signals(&signals);
	system_clock_gettime(SYSTEM_CLOCK_MONOTONIC, &limit);
	limit.seconds += seconds;
	if (mode == MODE_TTY)
		wait_window(&limit);
	else
		wait_byte(&limit);
	if (mode == MODE_NULL)
		end_stdin();
	restore_signals(&signals);
	execute(argv + 2, environment);
}
