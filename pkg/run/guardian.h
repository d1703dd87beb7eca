/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small forked process that holds a pipe to us and outlives our SIGKILL: it puts the terminal
 * back and has the backend bury what we had created (backend_ops.bury). It is told every step
 * before it is made, so that no moment is uncovered. Fork it early, while the process is small and
 * owns no connection.
 */
#ifndef ONEOFF_RUN_GUARDIAN_H
#define ONEOFF_RUN_GUARDIAN_H

#include "pkg/backend/backend.h"
#include "pkg/io/terminal.h"

struct guardian {
	int pipe_fd; /* our end; -1: none */
	int pid;
};

#define GUARDIAN_INIT                                                                              \
	{                                                                                          \
		.pipe_fd = -1, .pid = -1                                                           \
	}

/* Forks it. `terminal_fd` may be -1. */
int guardian_start(struct guardian *guardian, const struct backend_ops *ops,
                   const struct backend_settings *settings, int terminal_fd,
                   struct err *err) _must_check_;
/* Before raw mode: these settings are to be restored. */
void guardian_watch_terminal(struct guardian *guardian, const struct termios *saved);
/* Before create: this object is to be buried. */
void guardian_watch_task(struct guardian *guardian, const struct burial *burial);
/* The task was given away: it sees to the deadline on its own. Does not wait. */
void guardian_leave(struct guardian *guardian);
/* The run is over or was left: it ends without doing anything. Waits for it. */
void guardian_dismiss(struct guardian *guardian);

#endif
