/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a run, the same for all platforms (design section 1): create → attach → arm the wait
 * → start → pump → verdict → remove, confirmed. Finding and planning are done before
 * (pkg/run/choose.h and the backend's plan).
 */
#ifndef ONEOFF_RUN_RUN_H
#define ONEOFF_RUN_RUN_H

#include "pkg/backend/backend.h"
#include "pkg/io/signals.h"
#include "pkg/io/terminal.h"

struct run_settings {
	struct backend *backend; /* borrowed, like everything here */
	struct loop *loop;
	struct reporter reporter;
	const struct backend_settings *backend_settings; /* for the guardian, which opens its own */
	const struct release *release;
	const struct request *request;
	struct identity *identity; /* its time is set anew when a lock was waited for */
	struct plan *plan;         /* …and the plan is made anew */
	const char *detach_keys;   /* NULL: none */
	bool stop_on_disconnect;   /* when we die or our terminal hangs up: stop the task */
};

/* What became of it. Filled by run_task in every case. */
struct run_outcome {
	bool started;
	struct exit_status status; /* status.known: the task's own code counts */
	bool timed_out;            /* --timeout ended it */
	bool output_lost;          /* bytes may be missing */
	bool reader_gone; /* our stdout's reader went away: the task was stopped, if it was ours */
	bool kept;        /* the ended object stays, as --keep asked */
	bool detached;    /* it was started and given away */
	bool left_behind; /* a third signal, or a hang-up with --on-disconnect continue */
	int interrupted_by;        /* signal number when we gave up before the start, else 0 */
	struct err failure;        /* kind ERR_NONE, or why it did not start or is not known */
	struct err remove_failure; /* kind ERR_NONE, or what is left */
	int64_t started_seconds, ended_seconds; /* unix */
	bool bytes_unknown; /* the task had our own descriptors: nobody counted */
	uint64_t bytes_in;
	uint64_t bytes_out[CHUNK_STREAM_COUNT];
};

/* Waits for the lock if there is one, runs the task to its end and removes it; with request->detach: starts
 * it. Signals are taken over and the terminal is raw
 * meanwhile. */
void run_task(const struct run_settings *settings, struct run_outcome *ret);

/* Fills a fresh identity: random id, name (the lock's where that is its name, the request's own, else
 * SOURCE-oneoff-ID), who we are (to the platform where it tells, else user@host), time. `capabilities`: of the
 * backend. */
int identity_make(const struct release *release, const struct request *request,
                  unsigned capabilities, struct identity *ret, struct err *err) _must_check_;

#endif
