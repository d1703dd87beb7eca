/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The person's terminal: raw while the task is attached, restored on every way out. The saved
 * settings can be handed to another process (the guardian), which restores them when we are killed.
 */
#ifndef ONEOFF_IO_TERMINAL_H
#define ONEOFF_IO_TERMINAL_H

#include <stdbool.h>
#include <termios.h>
#include "pkg/base/err.h"

struct terminal {
	int fd; /* borrowed; -1: no terminal */
	bool raw;
	struct termios saved;
};

#define TERMINAL_INIT                                                                              \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Remembers the settings of the terminal at fd. */
int terminal_open(struct terminal *terminal, int fd, struct err *err) _must_check_;
/* Every byte goes through unchanged, Ctrl-C included (cfmakeraw); output is not waited for. Refused
 * with ERR_USAGE while we are a background job: the shell would stop us in a loop. */
int terminal_make_raw(struct terminal *terminal, struct err *err) _must_check_;
/* Puts the saved settings back; does nothing when not raw. */
void terminal_restore(struct terminal *terminal);
/* The size in characters; 0×0 when it is not known. */
void terminal_size(int fd, int *ret_rows, int *ret_columns);

#endif
