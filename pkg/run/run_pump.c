/* SPDX-License-Identifier: Apache-2.0 */
/* From the start to the verdict: bytes, limits, the wait, and what to do when one of them breaks.
 */
#include "pkg/run/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include "pkg/base/clock.h"

/* After the verdict the engine hands over the last bytes at once; silence this long means lost
 * ones. */
#define DRAIN_LIMIT_MS INT64_C(10000)
/* The stream ended but no verdict comes: ask whether the task still runs. */
#define VERDICT_LIMIT_MS INT64_C(5000)
/* After a broken stream the verdict often follows at once; only a task that goes on is reattached
 * to. */
#define BROKEN_LIMIT_MS   INT64_C(200)
#define REATTACH_PAUSE_MS INT64_C(1000)
/* A restarting engine is given this long. */
#define RECOVER_LIMIT_MS INT64_C(60000)
#define BLOCKED_MS       INT64_C(250)
/* A task without a reader has nobody to wait for. */
#define READER_GONE_GRACE_MS INT64_C(2000)

void session_set_ended(struct session *session, const struct exit_status *status)
{
	session->ended = true;
	session->running = false;
	session->wait_broke =
		false; /* or the loop would turn without a pause until it is drained */
	session->ended_at = clock_monotonic_ms();
	/* Elsewhere the rest is taken into memory while our own reader is slow. */
	session->pump.task_ended = !(session->ops->capabilities & BACKEND_HOLDS_OUTPUT);
	session->outcome->status = *status;
	session->outcome->timed_out |= status->timed_out;
	session->outcome->output_lost |= status->output_incomplete;
	session->outcome->ended_seconds = clock_unix_seconds();
}

static void give_up(struct session *session, const struct err *cause)
{
	struct exit_status unknown = {.known = false};

	session->outcome->failure = *cause;
	session->outcome->failure.kind = ERR_RESULT_UNKNOWN;
	session_set_ended(session, &unknown);
}

/* The wait broke: the task may run, have ended, or be gone. */
static void recover(struct session *session)
{
	struct exit_status status = {.known = false};
	int64_t now = clock_monotonic_ms();
	struct err err = ERR_INIT;
	int result;

	if (now < session->recover_at)
		return;
	result = session->ops->recover(session->backend, &status, &err);
	if (result > 0) {
		if (!status.known && session->outcome->failure.kind == ERR_NONE)
			err_set(&session->outcome->failure, ERR_RESULT_UNKNOWN,
			        "the task is gone and nobody can say how it ended");
		session->gone = true;
		session_set_ended(session, &status);
	} else if (result == 0) {
		session->wait_broke = false;
		/* The task runs on, so streams that ended were cut. */
		if (session->pump.channel_state == IO_EOF)
			session->pump.channel_state = IO_ERROR;
	} else if (now > session->recover_limit) {
		give_up(session, &err);
	} else {
		session->recover_at = now + session->recover_pause_ms;
		if (session->recover_pause_ms < 2000)
			session->recover_pause_ms *= 2;
	}
}

static void break_wait(struct session *session, const struct err *cause)
{
	session->wait_broke = true;
	session->recover_at = clock_monotonic_ms();
	session->recover_limit = session->recover_at + RECOVER_LIMIT_MS;
	session->recover_pause_ms = 100;
	report(&session->settings->reporter, REPORT_DETAIL, "asking again: %s", cause->message);
}

static void check_verdict(struct session *session)
{
	struct exit_status status = {.known = false};
	struct err err = ERR_INIT;
	int result;

	if (session->ended)
		return;
	if (session->wait_broke) {
		recover(session);
		return;
	}
	result = session->ops->exited(session->backend, &status, &err);
	if (result > 0)
		session_set_ended(session, &status);
	else if (result < 0)
		break_wait(session, &err);
}

/* The engine ended the task's input with the connection. That is a loss only if there was more of
 * it. */
static void note_input_cut(struct session *session)
{
	const struct pump *pump = &session->pump;

	if (pump->input == PUMP_INPUT_CLOSED ||
	    (!pump->bytes_in && pump->input_offset == pump->input_used))
		return;
	session->outcome->output_lost = true;
	report(&session->settings->reporter, REPORT_WARNING,
	       "the connection broke before the task's input had ended: it was cut short");
}

/* The streams broke while the task runs: take them up again behind the bytes that came. */
static void reattach(struct session *session)
{
	const struct reporter *reporter = &session->settings->reporter;
	struct run_outcome *outcome = session->outcome;
	struct pump *pump = &session->pump;
	int64_t now = clock_monotonic_ms();
	struct chunk front;
	struct err err = ERR_INIT;

	if (session->inexact) {
		outcome->output_lost = true;
		report(reporter, REPORT_WARNING, "the connection to the task's log broke");
		return;
	}
	/* What was read must be written first: the old channel's bytes go with it. */
	if (now < session->reattach_at || pump->pending.length || spool_front(&pump->spool, &front))
		return;
	session->reattach_at = now + REATTACH_PAUSE_MS;
	if (session->ops->reattach(session->backend, pump->bytes_read, &session->channel, &err) ==
	    0) {
		note_input_cut(session);
		pump_continue(pump, session->channel);
		session->closed_at = 0;
		report(reporter, REPORT_NOTE, "the connection broke and was taken up again");
	} else if (err.kind == ERR_OUTPUT_INCOMPLETE) {
		outcome->output_lost = true;
		report(reporter, REPORT_WARNING,
		       "the task's output is not complete: %s; waiting for its end", err.message);
	}
}

/* An orderly end of the streams belongs to the task's end; anything else is a broken connection. */
static void check_stream(struct session *session)
{
	struct pump *pump = &session->pump;
	struct run_outcome *outcome = session->outcome;
	int64_t now = clock_monotonic_ms();
	struct err err = ERR_INIT;

	if (!pump->channel || pump->channel_state == IO_OK || outcome->output_lost)
		return;
	if (pump->channel_state == IO_ERROR && session->ended) {
		outcome->output_lost = true;
		report(&session->settings->reporter, REPORT_WARNING,
		       "the task's output is not complete: %s",
		       session->channel->ops->error(session->channel));
	}
	if (session->ended || session->wait_broke)
		return;
	if (!session->closed_at)
		session->closed_at = now;
	if (pump->channel_state == IO_ERROR && now - session->closed_at > BROKEN_LIMIT_MS) {
		reattach(session);
	} else if (now - session->closed_at > VERDICT_LIMIT_MS) {
		/* An end without a verdict is a lost stream, however orderly it looked. */
		pump->channel_state = IO_ERROR;
		err_set(&err, ERR_LOST, "the streams ended, but not the task");
		break_wait(session, &err);
	}
}

/* Nobody can have the output any more: a task of ours is stopped, another's is left alone. */
static void check_outputs(struct session *session)
{
	int failure = pump_output_failure(&session->pump);
	int64_t grace = session_grace_ms(session);

	if (!failure || session->outcome->reader_gone || session->outcome->output_lost)
		return;
	if (failure == EPIPE) {
		session->outcome->reader_gone = true;
	} else {
		session->outcome->output_lost = true;
		report(&session->settings->reporter, REPORT_WARNING,
		       "cannot write the task's output: %s%s", strerror(failure),
		       session->observing ? "" : "; stopping the task");
	}
	if (session->observing) {
		session->leave = true;
		return;
	}
	if (grace > READER_GONE_GRACE_MS)
		grace = READER_GONE_GRACE_MS;
	session_stop(session, SIGTERM, grace);
}

static void check_limits(struct session *session)
{
	int64_t now = clock_monotonic_ms();

	if (session->resize_at && now >= session->resize_at) {
		session->resize_at = 0;
		session_resize(session);
	}
	if (!session->running)
		session->limit_at = 0;
	if (session->limit_at && now >= session->limit_at) {
		session->limit_at = 0;
		session->outcome->timed_out = true;
		report(&session->settings->reporter, REPORT_WARNING,
		       "the time limit is reached; stopping the task");
		session_stop(session, SIGTERM, session_grace_ms(session));
	}
	if (session->kill_at && now >= session->kill_at)
		session_kill(session);
}

static void check_blocked(struct session *session)
{
	struct pump *pump = &session->pump;

	if (pump->task_ended || !pump->blocked_since ||
	    clock_monotonic_ms() - pump->blocked_since < BLOCKED_MS)
		return;
	if (session->ops->may_have_ended(session->backend))
		pump->task_ended = true;
}

/* Milliseconds until something is due without any descriptor being ready. */
static int time_to_wait(const struct session *session)
{
	const int64_t due[] = {session->kill_at, session->limit_at, session->resize_at,
	                       session->wait_broke ? session->recover_at : 0};
	int64_t now = clock_monotonic_ms();
	int64_t wait = 1000;

	if (session->pump.unread)
		return 0;
	if ((session->pump.blocked_since && !session->pump.task_ended) || session->closed_at)
		wait = 100;
	for (size_t i = 0; i < ARRAY_SIZE(due); i++)
		if (due[i] && due[i] - now < wait)
			wait = due[i] - now;
	return wait < 0 ? 0 : (int)wait;
}

/* True when nothing more will come. After the verdict a silent but open stream is given up in the
 * end; a blocked reader of ours is waited for without limit, unless somebody told us to stop. */
static bool is_over(struct session *session)
{
	struct pump *pump = &session->pump;
	int64_t now = clock_monotonic_ms();

	if (session->leave)
		return true;
	if (!session->ended)
		return false;
	if (pump_is_done(pump))
		return true;
	if (session->pending_stop) {
		session->outcome->output_lost = true;
		return true;
	}
	if ((pump->blocked_since && !session->stopping) ||
	    pump->bytes_out[0] + pump->bytes_out[1] != session->drained) {
		session->drained = pump->bytes_out[0] + pump->bytes_out[1];
		session->ended_at = now;
	}
	if (now - session->ended_at > DRAIN_LIMIT_MS) {
		session->outcome->output_lost = true;
		return true;
	}
	return false;
}

void session_pump(struct session *session)
{
	struct loop_item items[1 + PUMP_MAX_ITEMS];
	struct err err = ERR_INIT;

	while (!is_over(session)) {
		size_t count = 1 + pump_items(&session->pump, items + 1);

		items[0] = (struct loop_item){session->signals.fd, LOOP_READ, 0};
		if (loop_wait(session->settings->loop, items, count, time_to_wait(session), &err) <
		    0) {
			give_up(session, &err);
			return;
		}
		if (items[0].ready)
			session_take_signals(session);
		pump_turn(&session->pump, items + 1, count - 1);
		check_verdict(session);
		check_stream(session);
		check_outputs(session);
		check_limits(session);
		check_blocked(session);
	}
	if (session->pump.spool_full)
		session->outcome->output_lost = true;
}
