/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/join.h"

#include <signal.h>
#include "pkg/base/clock.h"
#include "pkg/run/session.h"

static bool wants_output(const struct join_settings *settings)
{
	return settings->kind == JOIN_LOGS || settings->kind == JOIN_ATTACH;
}

/* True when the end is to be awaited, not only known already or not asked for. */
static bool wants_verdict(const struct join_settings *settings)
{
	const struct task_record *record = &settings->task->record;

	if (record->state == TASK_ENDED && record->status.known)
		return false;
	return settings->kind != JOIN_LOGS || settings->output.follow;
}

static int open_output(struct session *session, const struct join_settings *settings,
                       struct err *err)
{
	struct output_request output = settings->output;

	if (!wants_output(settings))
		return 0;
	output.stdin_open = session->settings->request->stdin_open;
	if (settings->kind == JOIN_ATTACH) {
		output.follow = true;
		output.join = settings->task->record.state != TASK_ENDED;
	}
	session->inexact = output.tail >= 0 || output.timestamps;
	return session->ops->output(session->backend, &output, &session->channel, err);
}

static int make_raw(struct session *session, struct err *err)
{
	if (session->terminal.fd < 0)
		return 0;
	guardian_watch_terminal(&session->guardian, &session->terminal.saved);
	return terminal_make_raw(&session->terminal, err);
}

/* Adopted, attached, the wait armed. */
static int begin(struct session *session, const struct join_settings *settings, struct err *err)
{
	if (session_prepare(session, err) < 0 ||
	    session->ops->adopt(session->backend, &settings->task->record, err) < 0)
		return -1;
	session->running = settings->task->record.state != TASK_ENDED;
	if (open_output(session, settings, err) < 0)
		return -1;
	if (wants_verdict(settings) && session->ops->arm(session->backend, err) < 0)
		return -1;
	return make_raw(session, err);
}

static void follow(struct session *session, const struct join_settings *settings)
{
	const struct request *request = session->settings->request;
	struct run_outcome *outcome = session->outcome;
	struct err err = ERR_INIT;

	outcome->started = true;
	outcome->started_seconds = settings->task->record.started;
	if (!wants_verdict(settings))
		session_set_ended(session, &settings->task->record.status);
	if (pump_open(&session->pump, session->channel, request->stdin_open ? STDIN_FILENO : -1,
	              request->tty, &err) < 0) {
		outcome->failure = err;
		return;
	}
	if (request->tty)
		session_resize(session);
	if (settings->kind == JOIN_STOP && session->running)
		session_stop(session, settings->grace_ms ? SIGTERM : SIGKILL,
		             session_grace_ms(session));
	session_pump(session);
	if (settings->task->record.ended)
		outcome->ended_seconds = settings->task->record.ended;
}

/* A kept one stays for those who want to know how it ended. */
static void remove_stopped(struct session *session, const struct join_settings *settings)
{
	const struct task_record *record = &settings->task->record;
	struct err err = ERR_INIT;

	if (settings->kind != JOIN_STOP || record->keep != KEEP_NEVER || session->leave)
		return;
	if (session->ops->remove(session->backend, &err) < 0)
		session->outcome->remove_failure = err;
}

static void end(struct session *session)
{
	terminal_restore(&session->terminal);
	session->settings->loop->interrupted = NULL;
	guardian_dismiss(&session->guardian);
	pump_close(&session->pump);
	signals_close(&session->signals);
}

void join_task(const struct join_settings *settings, struct run_outcome *ret)
{
	const struct found_task *task = settings->task;
	_cleanup_(request_release) struct request request;
	struct plan plan = {.document = NULL};
	const struct run_settings run = {
		.backend = task->engine.backend,
		.loop = task->engine.loop,
		.reporter = settings->backend_settings->reporter,
		.backend_settings = settings->backend_settings,
		.request = &request,
		.plan = &plan,
		.detach_keys = settings->output.detach_keys,
	};
	struct session session = {
		.settings = &run,
		.backend = run.backend,
		.ops = run.backend->ops,
		.outcome = ret,
		.signals = SIGNALS_INIT,
		.terminal = TERMINAL_INIT,
		.guardian = GUARDIAN_INIT,
		.observing = settings->kind != JOIN_STOP,
	};
	struct err err = ERR_INIT;

	request_init(&request);
	request.tty = settings->kind == JOIN_ATTACH && task->record.tty &&
	              task->record.state != TASK_ENDED;
	/* Without a terminal the input belongs to the client that started the task, or is closed. */
	request.stdin_open = settings->output.stdin_open && request.tty;
	request.grace_ms = settings->grace_ms;
	if (request.grace_ms == REQUEST_AS_SOURCE && task->record.grace_ms)
		request.grace_ms = task->record.grace_ms;
	*ret = (struct run_outcome){.started = false};
	if (begin(&session, settings, &err) == 0) {
		follow(&session, settings);
		remove_stopped(&session, settings);
	} else if (err.kind == ERR_INTERRUPTED) {
		if (!ret->interrupted_by)
			ret->interrupted_by = session.pending_stop;
	} else {
		ret->failure = err;
	}
	end(&session);
}
