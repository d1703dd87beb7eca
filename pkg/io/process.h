/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every process of ours does between fork(2) and its own work or exec(3): no signal may end it too early or
 * reach it later, and no copy of another's descriptor may stay open in it. All are safe in a child of a process
 * with threads: they allocate nothing.
 *
 *	pid_t pid = process_fork();
 *	if (pid == 0) {
 *		process_reset_signals(PROCESS_DIES);
 *		process_keep_descriptors((const int[]){pipe_fd}, 1);
 *		process_unblock_signals();
 *		…
 *	}
 */
#ifndef ONEOFF_IO_PROCESS_H
#define ONEOFF_IO_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

/* What a signal that ends programs (HUP, INT, QUIT, TERM; PIPE) is to do. */
enum process_ending {
	PROCESS_DIES,     /* as in any program that was just started */
	PROCESS_OUTLIVES, /* ignored: it cleans up behind a client that such a signal may have ended */
};

/* fork(2), but in the child all signals are blocked, so that none of the parent's handlers runs there and none
 * ends it before it is ready: process_unblock_signals. */
pid_t process_fork(void);

/* Every signal as a new program has it, but for those that `ending` says. The mask stays. */
void process_reset_signals(enum process_ending ending);

/* No signal is blocked any more; those that waited arrive. */
void process_unblock_signals(void);

/* Closes the descriptors from `first` to `last`, UINT_MAX: to the end. Kernels before 5.9, too. */
void process_close(unsigned first, unsigned last);

/* Closes all from 3 on, but those of the list; a negative one stands for none. */
void process_keep_descriptors(const int *kept, size_t count);

#endif
