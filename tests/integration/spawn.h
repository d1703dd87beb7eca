/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The harness's own: how a program comes to life with the descriptors that a case asks for. Used by
 * harness.c alone, in this order: open_terminal or open_pipes, fork, lead in the child.
 */
#ifndef ONEOFF_TESTS_SPAWN_H
#define ONEOFF_TESTS_SPAWN_H

#include <sys/resource.h>
#include "tests/integration/harness.h"

/* What the session leader tells about the program: first its pid, at the end this. */
struct report {
	int status;
	struct rusage usage;
};

/* The descriptors that become 0, 1 and 2; -1: stays closed. */
struct child_ends {
	int fd[3];
};

/* Says what failed and errno's text, aborts. */
void die(const char *what) __attribute__((noreturn));

/* Ours does not block; both are closed on exec. */
void make_pipe(int *ours, int *theirs, bool we_write);

/* Fill the program's ends, and ours in *run. */
void open_terminal(struct run *run, struct child_ends *ends);
void open_pipes(struct run *run, struct child_ends *ends);

/* Leads the program's session: starts it in the foreground, writes its pid and then a struct report
 * to `report`, holds the terminal until `hold` is closed. Does not return. */
void lead(const struct run *run, const struct child_ends *ends, int report, int hold)
	__attribute__((noreturn));

#endif
