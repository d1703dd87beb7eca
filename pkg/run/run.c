/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/run.h"

#include "pkg/base/clock.h"
#include "pkg/run/session.h"
#include "pkg/run/step.h"

/* A resize that meets the start is lost on some engines; the second one soon after is not. */
#define RESIZE_AGAIN_MS 150
/* A lock's holder may take hours: asking is cheap, but two hundred may ask. */
#define LOCK_FIRST_PAUSE_MS 100
#define LOCK_MAX_PAUSE_MS   2000

static int terminal_fd(const struct run_settings *settings)
{
	return settings->request->tty && isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
}

int session_prepare(struct session *session, struct err *err)
{
	const struct run_settings *settings = session->settings;
	int terminal = terminal_fd(settings);
	struct loop *loop = settings->loop;

	if (signals_open(&session->signals, err) < 0)
		return -1;
	loop->interrupt_fd = session->signals.fd;
	loop->interrupt_context = session;
	loop->interrupted = session_interrupted;
	if (terminal >= 0 && terminal_open(&session->terminal, terminal, err) < 0)
		return -1;
	/* A platform that guards itself, or a task that is not ours, leaves only a terminal to be restored. */
	if (terminal < 0 &&
	    (session->observing || (session->ops->capabilities & BACKEND_GUARDS_ITSELF)))
		return 0;
	return guardian_start(&session->guardian, session->ops, settings->backend_settings,
	                      terminal, err);
}

/* Nobody attaches: the guardian stays behind with the deadline, where the platform has none. */
static int start_detached(struct session *session, struct burial *burial, struct err *err)
{
	burial->started = true;
	guardian_watch_task(&session->guardian, burial);
	if (session->ops->start(session->backend, err) < 0)
		return -1;
	step(STEP_STARTED);
	session->outcome->detached = true;
	return 0;
}

static int create_task(struct session *session, struct burial *burial, struct err *err)
{
	const struct run_settings *settings = session->settings;

	*burial = (struct burial){
		.name = settings->identity->name,
		.id = settings->identity->id,
		.stop = settings->stop_on_disconnect && !settings->request->detach,
		.detached = settings->request->detach,
	};
	if (settings->request->timeout_ms)
		burial->deadline =
			settings->identity->started + settings->request->timeout_ms / 1000 + 1;
	step(STEP_BEFORE_CREATE);
	guardian_watch_task(&session->guardian, burial);
	return session->ops->create(session->backend, settings->plan, settings->identity, burial,
	                            err);
}

/* The deadline counts from the time the lock was had, so the plan is made anew. */
static int plan_again(const struct run_settings *settings, struct err *err)
{
	settings->identity->started = clock_unix_seconds();
	plan_release(settings->plan);
	plan_init(settings->plan);
	return settings->backend->ops->plan(settings->backend, settings->release, settings->request,
	                                    settings->identity, settings->plan, err);
}

/* Creating is what takes the lock: again and again, later and later, until it is ours. */
static int create_when_free(struct session *session, struct burial *burial, struct err *err)
{
	const struct run_settings *settings = session->settings;
	int64_t limit = clock_monotonic_ms() + settings->request->lock_wait_ms;
	int pause_ms = LOCK_FIRST_PAUSE_MS;
	bool said = false;

	for (;;) {
		int64_t left;

		if (create_task(session, burial, err) == 0)
			return 0;
		left = limit - clock_monotonic_ms();
		if (err->kind != ERR_LOCKED || left <= 0)
			return -1;
		if (!said)
			report(&settings->reporter, REPORT_NOTE, "waiting: %s", err->message);
		said = true;
		if (pause_ms > left)
			pause_ms = (int)left;
		if (session_sleep(session, pause_ms, err) < 0 || plan_again(settings, err) < 0)
			return -1;
		pause_ms = pause_ms < LOCK_MAX_PAUSE_MS / 2 ? pause_ms * 2 : LOCK_MAX_PAUSE_MS;
	}
}

static int start_task(struct session *session, struct err *err)
{
	const struct run_settings *settings = session->settings;
	const struct request *request = settings->request;
	struct burial burial;

	if (create_when_free(session, &burial, err) < 0)
		return -1;
	step(STEP_CREATED);
	if (request->detach)
		return start_detached(session, &burial, err);
	if (session->ops->attach(session->backend, request->tty, request->stdin_open,
	                         settings->detach_keys, &session->channel, err) < 0)
		return -1;
	step(STEP_ATTACHED);
	if (session->ops->arm(session->backend, err) < 0)
		return -1;
	step(STEP_ARMED);
	if (session->terminal.fd >= 0) {
		guardian_watch_terminal(&session->guardian, &session->terminal.saved);
		if (terminal_make_raw(&session->terminal, err) < 0)
			return -1;
	}
	/* Before, not after: a task that was never released ends by itself, but one that runs must not be
	 * taken for it. */
	burial.started = true;
	guardian_watch_task(&session->guardian, &burial);
	if (session->ops->start(session->backend, err) < 0)
		return -1;
	step(STEP_STARTED);
	return 0;
}

static void run_started(struct session *session)
{
	const struct request *request = session->settings->request;
	struct run_outcome *outcome = session->outcome;
	struct err err = ERR_INIT;
	int64_t now = clock_monotonic_ms();

	outcome->started = true;
	outcome->started_seconds = clock_unix_seconds();
	session->running = true;
	if (pump_open(&session->pump, session->channel, request->stdin_open ? STDIN_FILENO : -1,
	              request->tty, &err) < 0) {
		outcome->failure = err;
		session_kill(session);
		return;
	}
	if (request->tty) {
		session_resize(session);
		session->resize_at = now + RESIZE_AGAIN_MS;
	}
	session->limit_at = request->timeout_ms ? now + request->timeout_ms : 0;
	if (session->pending_stop)
		session_stop(session, session->pending_stop, session_grace_ms(session));
	session->pending_stop = 0; /* from now on: one that came after the task's end */
	session->ops->sweep(session->backend);
	step(STEP_PUMPING);
	session_pump(session);
	step(STEP_ENDED);
	outcome->bytes_unknown = !session->channel;
	outcome->bytes_in = session->pump.bytes_in;
	outcome->bytes_out[CHUNK_STDOUT] = session->pump.bytes_out[CHUNK_STDOUT];
	outcome->bytes_out[CHUNK_STDERR] = session->pump.bytes_out[CHUNK_STDERR];
}

static void note_detached(struct run_outcome *outcome)
{
	outcome->started = true;
	outcome->started_seconds = clock_unix_seconds();
	outcome->bytes_unknown = true;
}

/* Kept objects stay; everything else goes. A task that may still run is left alone. */
static bool must_remove(const struct session *session)
{
	const struct run_outcome *outcome = session->outcome;
	enum keep_mode keep = session->settings->request->keep;
	bool failed = !outcome->status.known || outcome->status.code != 0;

	if (session->leave || outcome->detached)
		return false;
	if (!outcome->started)
		return true;
	if (outcome->failure.kind == ERR_RESULT_UNKNOWN)
		return session->stopping || session->gone;
	return keep == KEEP_NEVER || (keep == KEEP_FAILED && !failed);
}

static void finish(struct session *session)
{
	struct run_outcome *outcome = session->outcome;

	terminal_restore(&session->terminal);
	session->settings->loop->interrupted = NULL;
	step(STEP_BEFORE_REMOVE);
	if (session->leave) {
		outcome->left_behind = true;
	} else if (must_remove(session)) {
		struct err err = ERR_INIT;

		if (session->ops->remove(session->backend, &err) < 0)
			outcome->remove_failure = err;
	} else {
		outcome->kept = outcome->status.known && !outcome->detached;
	}
	step(STEP_REMOVED);
	if (outcome->detached)
		guardian_leave(&session->guardian);
	else
		guardian_dismiss(&session->guardian);
	pump_close(&session->pump);
	signals_close(&session->signals);
}

void run_task(const struct run_settings *settings, struct run_outcome *ret)
{
	struct session session = {
		.settings = settings,
		.backend = settings->backend,
		.ops = settings->backend->ops,
		.outcome = ret,
		.signals = SIGNALS_INIT,
		.terminal = TERMINAL_INIT,
		.guardian = GUARDIAN_INIT,
	};
	struct err err = ERR_INIT;

	*ret = (struct run_outcome){.started = false};
	if (session_prepare(&session, &err) == 0 && start_task(&session, &err) == 0) {
		if (ret->detached)
			note_detached(ret);
		else
			run_started(&session);
	} else if (session.pending_stop && err.kind == ERR_INTERRUPTED) {
		ret->interrupted_by = session.pending_stop;
	} else {
		ret->failure = err;
	}
	finish(&session);
}
