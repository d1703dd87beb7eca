/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that waits. Its user states what it waits for, gets told what is ready, does the
 * work and comes back; there are no callbacks to follow:
 *
 *	struct loop_item items[] = {{.fd = signals, .want = LOOP_READ}, {.fd = out, .want =
 * LOOP_WRITE}}; if (loop_wait(&loop, items, 2, 250, err) < 0) return -1; if (items[0].ready &
 * LOOP_READ)
 *		...
 *
 * A driver (the HTTP client) may take over the waiting, so that its own transfers move on in the
 * same turn: curl_multi_poll with extra descriptors. Without one it is poll(2). One thread.
 */
#ifndef ONEOFF_IO_LOOP_H
#define ONEOFF_IO_LOOP_H

#include <stdbool.h>
#include "pkg/base/err.h"

#define LOOP_READ      1u
#define LOOP_WRITE     2u
#define LOOP_MAX_ITEMS 16

struct loop_item {
	int fd;         /* -1: passed over */
	unsigned want;  /* LOOP_READ | LOOP_WRITE; 0: passed over */
	unsigned ready; /* set by loop_wait; hang-up and error count as both */
};

/* Something with descriptors of its own that must be driven while we wait. */
struct loop_driver {
	/* As poll(2) over items and its own descriptors; then moves its transfers on. */
	int (*wait)(void *context, struct loop_item *items, size_t count, int timeout_ms,
	            struct err *err);
	void *context; /* borrowed */
};

struct loop {
	struct loop_driver driver; /* wait NULL: plain poll(2) */
	/* Long calls ask it now and then whether to give up (a signal came); NULL: never. */
	bool (*interrupted)(void *context);
	int interrupt_fd; /* becomes readable when it is worth asking; used while interrupted is set
	                   */
	void *interrupt_context;
};

#define LOOP_INIT                                                                                  \
	{                                                                                          \
		.driver = {NULL, NULL}, .interrupt_fd = -1                                         \
	}

/* Waits until an item is ready, the driver moved, or timeout_ms passed (-1: for ever). Interruption
 * by a signal counts as a turn. 0, or -1 with ERR_SYSTEM. */
int loop_wait(struct loop *loop, struct loop_item *items, size_t count, int timeout_ms,
              struct err *err);

/* As loop_wait with no items, and ERR_INTERRUPTED once the loop's `interrupted` says so. For calls
 * that wait for an answer. */
int loop_wait_answer(struct loop *loop, int timeout_ms, struct err *err);

/* Plain poll(2) over the items. */
int loop_poll(struct loop_item *items, size_t count, int timeout_ms, struct err *err);

#endif
