/* SPDX-License-Identifier: Apache-2.0 */
/* Private to pkg/run: what the steps (run.c), the signals (run_signals.c) and the pump share. */
#ifndef ONEOFF_RUN_SESSION_H
#define ONEOFF_RUN_SESSION_H

#include "pkg/io/pump.h"
#include "pkg/run/guardian.h"
#include "pkg/run/run.h"

struct session {
	const struct run_settings *settings;
	struct backend *backend;
	const struct backend_ops *ops;
	struct run_outcome *outcome;
	struct signals signals;
	struct terminal terminal;
	struct guardian guardian;
	struct channel *channel;
	struct pump pump;

	bool running;    /* started and not known to have ended */
	bool ended;      /* the verdict is in outcome->status, or will never be known */
	bool gone;       /* …unknown, but it surely runs no more */
	bool wait_broke; /* ask recover from time to time */
	int64_t recover_at, recover_limit; /* monotonic ms */
	int recover_pause_ms;

	bool stopping;       /* TERM was sent on our own account or a person's */
	int64_t kill_at;     /* monotonic ms; 0: no KILL is due */
	int64_t limit_at;    /* --timeout; 0: none */
	int64_t resize_at;   /* a second resize soon after the start; 0: none */
	int64_t ended_at;    /* when the verdict came, for the drain limit */
	int64_t closed_at;   /* when the stream ended before the verdict */
	int64_t reattach_at; /* when the streams are tried again; 0: now */
	uint64_t drained;    /* bytes written when ended_at was last moved */
	int forces;          /* INT and TERM so far, within the window */
	int64_t last_force;
	int pending_stop; /* signal that came before the start */
	bool leave; /* go, whatever the task does: a third signal; an observer whose reader left */
	bool inexact; /* what comes is not what the task wrote (times, a tail): it cannot be taken up again */
	bool observing; /* the task is not ours to end: INT, TERM, HUP and QUIT end only us */
};

/* Signals, guardian and terminal, in this order: from here on every way out is covered. */
int session_prepare(struct session *session, struct err *err) _must_check_;
/* The verdict is there, however it came: what is left is to drain the streams. */
void session_set_ended(struct session *session, const struct exit_status *status);
/* Milliseconds between TERM and KILL: --grace, else the app's own. */
int64_t session_grace_ms(const struct session *session);
/* Sends TERM and arms KILL `grace_ms` later. */
void session_stop(struct session *session, int signal_number, int64_t grace_ms);
void session_kill(struct session *session);
/* loop.interrupted before the start. */
bool session_interrupted(void *context);
/* Waits, while the loop turns, until the time is over or a signal came (ERR_INTERRUPTED). */
int session_sleep(struct session *session, int timeout_ms, struct err *err) _must_check_;
/* Takes every pending signal. */
void session_take_signals(struct session *session);
/* Tells the task our terminal's size. */
void session_resize(struct session *session);
/* Turns the loop until the task ended and its streams are drained. */
void session_pump(struct session *session);

#endif
