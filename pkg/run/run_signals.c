/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person's signals mean (design section 4). Without a terminal INT, TERM, HUP, QUIT, USR1
 * and USR2 go to the task; INT and TERM also start the grace after which it is killed; a second INT
 * or TERM within 2 s kills at once; a third leaves. With a terminal Ctrl-C is a byte for the task,
 * so a signal can only come from outside and stops the task; HUP follows --on-disconnect.
 */
#include "pkg/run/session.h"

#include <signal.h>
#include <string.h>
#include "pkg/base/clock.h"

#define FORCE_WINDOW_MS  INT64_C(2000)
#define DEFAULT_GRACE_MS INT64_C(10000)

int64_t session_grace_ms(const struct session *session)
{
	const struct request *request = session->settings->request;
	int64_t seconds;

	if (request->grace_ms != REQUEST_AS_SOURCE)
		return request->grace_ms;
	if (json_int64(session->settings->plan->document, "StopTimeout", &seconds) == 0 &&
	    seconds >= 0 && seconds < 1000000)
		return seconds * 1000;
	return DEFAULT_GRACE_MS;
}

void session_kill(struct session *session)
{
	struct err ignored = ERR_INIT;

	session->kill_at = 0;
	if (session->running && session->ops->signal(session->backend, SIGKILL, &ignored) < 0)
		report(&session->settings->reporter, REPORT_WARNING, "%s", ignored.message);
}

void session_stop(struct session *session, int signal_number, int64_t grace_ms)
{
	int64_t due = clock_monotonic_ms() + grace_ms;
	struct err ignored = ERR_INIT;

	if (!session->running)
		return;
	if (session->ops->signal(session->backend, signal_number, &ignored) < 0)
		report(&session->settings->reporter, REPORT_WARNING, "%s", ignored.message);
	session->stopping = true;
	if (!session->kill_at || due < session->kill_at)
		session->kill_at = due;
}

void session_resize(struct session *session)
{
	struct err ignored = ERR_INIT;
	int rows, columns;

	if (!session->settings->request->tty || !session->running)
		return;
	terminal_size(session->terminal.fd, &rows, &columns);
	if (rows > 0 && columns > 0 &&
	    session->ops->resize(session->backend, rows, columns, &ignored) < 0)
		report(&session->settings->reporter, REPORT_WARNING, "%s", ignored.message);
}

/* The second one kills, the third one leaves. */
static void count_force(struct session *session, int number)
{
	const struct reporter *reporter = &session->settings->reporter;
	const char *name = sigabbrev_np(number);
	int64_t now = clock_monotonic_ms();

	if (now - session->last_force > FORCE_WINDOW_MS)
		session->forces = 0;
	session->last_force = now;
	session->forces++;
	if (session->forces == 1) {
		int64_t grace = session_grace_ms(session);

		session_stop(session, number, grace);
		report(reporter, REPORT_NOTE,
		       "sent %s to the task; it is killed in %llds unless it ends (again: at once)",
		       name ? name : "the signal", (long long)(grace + 999) / 1000);
	} else if (session->forces == 2) {
		report(reporter, REPORT_NOTE, "killing the task");
		session_kill(session);
	} else {
		session->leave = true;
	}
}

static void hang_up(struct session *session)
{
	struct err ignored = ERR_INIT;

	if (!session->settings->request->tty) {
		if (session->ops->signal(session->backend, SIGHUP, &ignored) < 0)
			report(&session->settings->reporter, REPORT_WARNING, "%s", ignored.message);
	} else if (session->settings->stop_on_disconnect) {
		session_stop(session, SIGHUP, 0);
	} else {
		session->leave = true;
	}
}

static void take(struct session *session, int number)
{
	struct err ignored = ERR_INIT;

	if (session->observing && number != SIGWINCH && number != SIGCONT) {
		if (number != SIGUSR1 && number != SIGUSR2) {
			session->leave = true;
			session->outcome->interrupted_by = number;
		}
		return;
	}
	switch (number) {
	case SIGWINCH:
	case SIGCONT:
		session_resize(session);
		break;
	case SIGINT:
	case SIGTERM:
		count_force(session, number);
		break;
	case SIGHUP:
		hang_up(session);
		break;
	default:
		if (session->ops->signal(session->backend, number, &ignored) < 0)
			report(&session->settings->reporter, REPORT_WARNING, "%s", ignored.message);
	}
}

void session_take_signals(struct session *session)
{
	int number;

	while ((number = signals_next(&session->signals))) {
		if (session->running || session->observing)
			take(session, number);
		else if (number == SIGINT || number == SIGTERM || number == SIGHUP ||
		         number == SIGQUIT)
			session->pending_stop = number;
	}
}

bool session_interrupted(void *context)
{
	struct session *session = context;

	session_take_signals(session);
	return session->pending_stop != 0 || session->leave;
}

int session_sleep(struct session *session, int timeout_ms, struct err *err)
{
	int64_t until = clock_monotonic_ms() + timeout_ms, left;

	while ((left = until - clock_monotonic_ms()) > 0)
		if (loop_wait_answer(session->settings->loop, (int)left, err) < 0)
			return -1;
	return 0;
}
