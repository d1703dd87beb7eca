/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moves bytes between a task's channel and our stdin, stdout and stderr: in order for each stream,
 * with back-pressure both ways, in constant memory. The owner waits in the loop and calls pump_turn:
 *
 *	count = pump_items(&pump, items);
 *	loop_wait(loop, items, count, timeout, err);
 *	pump_turn(&pump, items, count);
 *
 * Nothing is read from the channel while an output is blocked, unless the owner says that the task
 * has ended (pump.task_ended): then the bounded rest goes to a spool.
 */
#ifndef ONEOFF_IO_PUMP_H
#define ONEOFF_IO_PUMP_H

#include <stdint.h>
#include "pkg/io/loop.h"
#include "pkg/io/output.h"
#include "pkg/io/spool.h"

#define PUMP_MAX_ITEMS  4
#define PUMP_INPUT_SIZE ((size_t)64 << 10)

enum pump_input {
	PUMP_INPUT_OPEN,   /* bytes are forwarded */
	PUMP_INPUT_ENDING, /* our stdin ended; what is buffered and then the end are still to be
	                      told */
	PUMP_INPUT_CLOSED, /* told, or refused by the task */
};

struct pump {
	struct channel *channel; /* borrowed; NULL while there is none */
	bool tty;                /* the end of input is the byte 4, never a half-close */
	bool unread;     /* the channel may hold more than poll can tell: come back at once */
	bool task_ended; /* set by the owner */
	int input_fd;    /* -1: none */
	enum pump_input input;
	char *input_bytes; /* owned; PUMP_INPUT_SIZE */
	size_t input_used, input_offset;
	struct output outputs[CHUNK_STREAM_COUNT];
	struct chunk pending; /* read, not yet written */
	struct spool spool;
	enum io_result channel_state;            /* IO_OK while open, then IO_EOF or IO_ERROR */
	bool spool_full;                         /* bytes were lost */
	int64_t blocked_since;                   /* monotonic ms; 0: output is not blocked */
	uint64_t bytes_in;                       /* accepted by the channel */
	uint64_t bytes_read[CHUNK_STREAM_COUNT]; /* taken from the channel */
	uint64_t bytes_out[CHUNK_STREAM_COUNT];
};

/* input_fd -1: the task's stdin is not forwarded. channel NULL: the task has our own descriptors, there is
 * nothing to move. 0, or -1 when memory ran out. */
int pump_open(struct pump *pump, struct channel *channel, int input_fd, bool tty, struct err *err);
/* Fills at most PUMP_MAX_ITEMS items; returns how many. */
size_t pump_items(const struct pump *pump, struct loop_item *items);
/* Does what is possible without blocking. */
void pump_turn(struct pump *pump, const struct loop_item *items, size_t count);
/* Goes on with another channel behind what was read so far; it takes no input. */
void pump_continue(struct pump *pump, struct channel *channel);
/* True when the channel ended and everything read from it has been written (or cannot be). */
bool pump_is_done(const struct pump *pump);
/* errno of the first output that failed, or 0. EPIPE: its reader went away. */
int pump_output_failure(const struct pump *pump);
void pump_close(struct pump *pump);

#endif
