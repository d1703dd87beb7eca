/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From outside, and perhaps from another machine, to a one-off that exists already: see its output,
 * take part, await its end, end it. But for stop, the task is not ours to end: INT, TERM, HUP and
 * QUIT leave it running.
 */
#ifndef ONEOFF_RUN_JOIN_H
#define ONEOFF_RUN_JOIN_H

#include "pkg/run/run.h"
#include "pkg/run/task_find.h"

enum join_kind {
	JOIN_LOGS,   /* its output so far; with `follow` until its end */
	JOIN_ATTACH, /* the same, with our input and terminal, and its exit code */
	JOIN_WAIT,   /* its exit code alone */
	JOIN_STOP,   /* TERM, grace, KILL; then what the platform would leave behind goes */
};

struct join_settings {
	enum join_kind kind;
	const struct found_task *task; /* borrowed, like everything here */
	const struct backend_settings *backend_settings;
	struct output_request output; /* with JOIN_LOGS and JOIN_ATTACH */
	int64_t grace_ms;             /* with JOIN_STOP: REQUEST_AS_SOURCE, or 0 to kill at once */
};

/* Fills *ret in every case, as run_task does. outcome.interrupted_by: a signal ended us, the task runs on. */
void join_task(const struct join_settings *settings, struct run_outcome *ret);

#endif
