/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as the gate sees it: there is no C library below it. Each function is one system call, a few
 * instructions of assembly per architecture (amd64.S, arm64.S), named as the manual's section 2 names it. A result
 * from -4095 to -1 is an error number with its sign turned; there is no errno.
 *
 * Only calls that every architecture has are used (ppoll and openat; arm64 has no poll and open), and only such that
 * container runtimes' default seccomp profiles allow. Structs and constants are the 64-bit kernel's, the same on both
 * architectures, written out here so that no header of another architecture has to be installed.
 */
#ifndef ONEOFF_KUBE_GATE_SYSTEM_H
#define ONEOFF_KUBE_GATE_SYSTEM_H

#include <stddef.h>

enum {
	/* error numbers */
	SYSTEM_ENOENT = 2,
	SYSTEM_EINTR = 4,
	SYSTEM_ENOEXEC = 8,
	SYSTEM_EAGAIN = 11,
	SYSTEM_EACCES = 13,
	SYSTEM_ENODEV = 19,
	SYSTEM_ENOTDIR = 20,
	SYSTEM_ENOTTY = 25,
	SYSTEM_ENAMETOOLONG = 36,
	SYSTEM_ETIMEDOUT = 110,
	SYSTEM_ESTALE = 116,

	SYSTEM_AT_FDCWD = -100,
	SYSTEM_O_WRONLY = 01, /* reading alone is 0 */
	SYSTEM_O_TRUNC = 01000,
	SYSTEM_O_NONBLOCK = 04000,
	SYSTEM_POLLIN = 1,
	SYSTEM_POLLERR = 8,
	SYSTEM_POLLHUP = 16,
	SYSTEM_POLLNVAL = 32,
	SYSTEM_TIOCGWINSZ = 0x5413,
	SYSTEM_CLOCK_MONOTONIC = 1,

	/* signals */
	SYSTEM_SIGHUP = 1,
	SYSTEM_SIGINT = 2,
	SYSTEM_SIGTERM = 15,
	SYSTEM_SIG_UNBLOCK = 1,
	SYSTEM_SIG_SETMASK = 2,
	SYSTEM_SA_RESTORER = 0x04000000,
};

struct system_time {
	long seconds, nanoseconds;
};

struct system_poll {
	int fd;
	short events, revents;
};

struct system_window {
	unsigned short rows, columns, width, height;
};

/* struct kernel_sigaction. x86-64 takes a handler only with SA_RESTORER and a restorer, which returns from it; one
 * that never returns needs none, so any address does. */
struct system_action {
	void (*handler)(int number);
	unsigned long flags;
	void (*restorer)(int number);
	unsigned long mask; /* bit n - 1 is signal n */
};

long system_read(int fd, void *bytes, size_t length);
long system_write(int fd, const void *bytes, size_t length);
long system_openat(int folder, const char *path, int flags, int mode);
long system_close(int fd);
long system_dup3(int from, int to, int flags);
long system_pipe2(int fds[2], int flags);
long system_ioctl(int fd, unsigned long request, void *argument);
long system_clock_gettime(int clock, struct system_time *ret);
/* The kernel writes what was left of `limit` into it. `mask` NULL: signals stay as they are. */
long system_ppoll(struct system_poll *items, unsigned long count, struct system_time *limit,
                  const unsigned long *mask, size_t mask_size);
long system_rt_sigaction(int number, const struct system_action *action,
                         struct system_action *ret_before, size_t mask_size);
long system_rt_sigprocmask(int how, const unsigned long *mask, unsigned long *ret_before,
                           size_t mask_size);
/* Returns only when it failed. */
long system_execve(const char *path, char *const *argv, char *const *environment);
void system_exit_group(int code) __attribute__((noreturn));

/* Where _start goes, with what the kernel put on the stack. */
void gate_main(long argc, char **argv, char **environment) __attribute__((noreturn));

#endif
