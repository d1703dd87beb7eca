/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signals that concern a run, as readable events (signalfd(2)): INT, TERM, HUP, QUIT, USR1,
 * USR2, WINCH, CONT. PIPE is ignored from then on. Signals that were ignored when we started stay
 * ignored (nohup). Stop (Ctrl-Z) keeps its usual effect on us.
 */
#ifndef ONEOFF_IO_SIGNALS_H
#define ONEOFF_IO_SIGNALS_H

#include <signal.h>
#include "pkg/base/err.h"

struct signals {
	int fd;
	sigset_t before; /* the mask to give back, to children above all */
};

#define SIGNALS_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

int signals_open(struct signals *signals, struct err *err) _must_check_;
/* The next pending signal's number, or 0. Never blocks. */
int signals_next(struct signals *signals);
/* Unblocks again. Pending ones take their usual effect. */
void signals_close(struct signals *signals);

#endif
