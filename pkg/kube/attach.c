/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Until the task's streams are ours, and then the gate: the pod is watched, the attach is tried from the moment
 * that it is on a node, and what will not heal ends the wait with the platform's own words.
 */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/kube/channel.h"

#define ATTACH_TIMEOUT_MS INT64_C(20000)
#define TURN_MS           50
/* Attempts before the watch says "running": cheap, and the watch may lag by a second. */
#define FIRST_ATTEMPT_MS INT64_C(150)
#define ATTEMPT_PAUSE_MS INT64_C(150)
/* The pod is made within milliseconds; when it is not, the Job's events say why. */
#define NO_POD_MS INT64_C(3000)
/* A scheduler without a place for it says so at once; an autoscaler needs minutes and says so, too. */
#define UNSCHEDULABLE_MS INT64_C(15000)
#define SAY_AFTER_MS     INT64_C(2000)
#define SAY_AGAIN_MS     INT64_C(15000)
/* Who detaches wants to hear of a typing error, but does not wait for an image or an autoscaler. */
#define DETACHED_MS INT64_C(10000)

struct attaching {
	struct kube *kube;
	int64_t began, attempt_at, asked_at, pending_since, said_at;
	char said[600];
	bool renewed; /* the credentials, after a 401 */
};

/* ---- why it will not start ---- */

static int explain_never_ran(const struct pod_status *status, struct err *err)
{
	enum err_kind kind = status->command_missing  ? ERR_COMMAND_NOT_FOUND
	                     : status->command_denied ? ERR_CANNOT_EXECUTE
	                                              : ERR_REFUSED;

	if (status->time_limit)
		kind = ERR_START_TIMEOUT;
	err_set(err, kind, "the task did not start: %s%s%s", status->reason,
	        *status->message ? ": " : "", status->message);
	if (kind == ERR_COMMAND_NOT_FOUND)
		err_hint(err, "is it in the image? a shell's line needs: -- sh -c 'LINE'");
	else if (kind == ERR_CANNOT_EXECUTE)
		err_hint(err, "may the app's user execute it?");
	return -1;
}

static int explain_hopeless(const struct pod_status *status, struct err *err)
{
	err_set(err, ERR_REFUSED, "the task cannot start: %s%s%s", status->reason,
	        *status->message ? ": " : "", status->message);
	if (strstr(status->reason, "Image"))
		err_hint(err, "the node cannot get the image; choose one with --image");
	return -1;
}

/* After the pod's word: the newest event tells what a status does not (a volume that is not there, a quota). */
static int explain_timeout(struct kube *kube, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf words = STRBUF_INIT;
	char event[400];

	kube_newest_event(kube, event, sizeof(event));
	if (kube->task.seen)
		pod_status_say(&kube->task.status, &words);
	err_set(err, ERR_START_TIMEOUT, "the task did not start in time: %s%s%s",
	        words.length ? strbuf_str(&words) : "there is no pod", *event ? "; " : "", event);
	return err_hint(err, "a longer wait: --start-timeout");
}

/* The Job has no pod: quota, Pod Security and webhooks refuse it there, and only events tell. */
static int check_no_pod(struct attaching *attaching, int64_t now, struct err *err)
{
	char event[400];

	if (attaching->kube->task.seen || now - attaching->began < NO_POD_MS ||
	    now - attaching->asked_at < NO_POD_MS)
		return 0;
	attaching->asked_at = now;
	/* Or there is one, and the watch does not tell. */
	watch_restart(attaching->kube->watch);
	kube_newest_event(attaching->kube, event, sizeof(event));
	if (!*event)
		return 0;
	return err_set(err, ERR_REFUSED, "the cluster makes no pod: %s", event);
}

static int check_pending(struct attaching *attaching, int64_t now, struct err *err)
{
	const struct pod_status *status = &attaching->kube->task.status;
	char event[400];

	if (status->stage != POD_PENDING || strcmp(status->reason, "Unschedulable")) {
		attaching->pending_since = 0;
		return 0;
	}
	if (!attaching->pending_since)
		attaching->pending_since = now;
	if (now - attaching->pending_since < UNSCHEDULABLE_MS ||
	    now - attaching->asked_at < UNSCHEDULABLE_MS)
		return 0;
	attaching->asked_at = now;
	kube_newest_event(attaching->kube, event, sizeof(event));
	if (strstr(event, "TriggeredScaleUp") || strstr(event, "Nominated"))
		return 0;
	err_set(err, ERR_REFUSED, "no node takes the task: %s", status->message);
	return err_hint(err, "ask for less with --cpu and --memory");
}

/* 0: go on waiting. -1: it will not start. */
static int check(struct attaching *attaching, struct err *err)
{
	struct kube *kube = attaching->kube;
	const struct pod_status *status = &kube->task.status;
	int64_t now = clock_monotonic_ms();

	if (kube->task.start_limit && now >= kube->task.start_limit)
		return explain_timeout(kube, err);
	if (kube->task.gone || status->deleted)
		return err_set(err, ERR_REFUSED, "somebody deleted the task before it started");
	if (status->stage == POD_ENDED && status->never_ran)
		return explain_never_ran(status, err);
	if (status->hopeless)
		return explain_hopeless(status, err);
	if (check_no_pod(attaching, now, err) < 0)
		return -1;
	return check_pending(attaching, now, err);
}

/* One line when there is something new to say, and now and then that we still wait. */
static void say(struct attaching *attaching)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;
	struct kube *kube = attaching->kube;
	int64_t now = clock_monotonic_ms(), waited = now - attaching->began;

	if (waited < SAY_AFTER_MS)
		return;
	if (kube->task.seen)
		pod_status_say(&kube->task.status, &line);
	else
		strbuf_adds(&line, "waiting for the pod");
	if (!strcmp(attaching->said, strbuf_str(&line)) && now - attaching->said_at < SAY_AGAIN_MS)
		return;
	attaching->said_at = now;
	snprintf(attaching->said, sizeof(attaching->said), "%s", strbuf_str(&line));
	report(&kube->reporter, REPORT_NOTE, "%s (%d s)", strbuf_str(&line), (int)(waited / 1000));
}

/* ---- the attach ---- */

static int attach_path(struct kube *kube, struct strbuf *path)
{
	const struct kube_task *task = &kube->task;
	bool input = task->stdin_open || task->gate == 's' || task->gate == 'n';
	_cleanup_free_ char *base =
		kube_path("", kube->config.name_space, "pods", task->pod, "/attach?container=");

	strbuf_adds(path, base ? base : "");
	strbuf_add_url(path, task->container);
	strbuf_addf(path, "&stdout=true%s%s", task->tty ? "&tty=true" : "&stderr=true",
	            input || task->tty ? "&stdin=true" : "");
	return base && !path->failed ? 0 : -1;
}

/* A gate that ended did so without having been opened. */
static int explain_gate(const struct pod_status *status, struct err *err)
{
	err_set(err, ERR_REFUSED, "the task was not released: %s",
	        *status->gate ? status->gate : "its container ended");
	return -1;
}

/* 1: attached; 0: the container is not ready for it, try again; -1. */
static int try_attach(struct attaching *attaching, struct err *err)
{
	struct kube *kube = attaching->kube;
	_cleanup_(http_reply_release) struct http_reply refusal = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	struct websocket *socket = NULL;
	char protocol[64] = "";
	bool v5;

	if (attach_path(kube, &path) < 0)
		return err_no_memory(err);
	if (websocket_open(kube->http, strbuf_str(&path), KUBE_CHANNEL_V5 ", " KUBE_CHANNEL_V4,
	                   ATTACH_TIMEOUT_MS, &socket, protocol, &refusal, err) < 0) {
		if (!err->http_status)
			return err->kind == ERR_LOST ? 0 : err_wrap(err, "attach");
		if (err->http_status == 400 || err->http_status == 404 || err->http_status >= 500 ||
		    err->http_status == 429)
			return 0;
		if (err->http_status == 401 && !attaching->renewed) {
			attaching->renewed = true;
			if (kube_renew(kube, true, err) > 0)
				return 0;
		}
		kube_refusal(refusal.status, strbuf_str(&refusal.body), refusal.body.length, err);
		if (err->http_status == 403)
			err_hint(err, "to attach, your role needs the verbs get and create on "
			              "pods/attach");
		return err_wrap(err, "attach");
	}
	v5 = !strcmp(protocol, KUBE_CHANNEL_V5);
	if (!v5 && strcmp(protocol, KUBE_CHANNEL_V4)) {
		websocket_close(socket);
		return err_set(err, ERR_PROTOCOL, "attach: the server speaks '%s'", protocol);
	}
	if (!v5 && kube->task.stdin_open && !kube->task.tty)
		report(&kube->reporter, REPORT_WARNING,
		       "this server is older than 1.30: the task will not learn that its input ended");
	return kube_channel_open(socket, v5, &kube->channel, err) < 0 ? -1 : 1;
}

static bool may_try(struct attaching *attaching)
{
	const struct kube_task *task = &attaching->kube->task;
	int64_t now = clock_monotonic_ms();

	if (!task->pod || now < attaching->attempt_at)
		return false;
	if (task->status.stage == POD_STARTING && !*task->status.message &&
	    now - attaching->began < FIRST_ATTEMPT_MS)
		return false;
	attaching->attempt_at = now + ATTEMPT_PAUSE_MS;
	return task->status.stage == POD_RUNNING || task->status.stage == POD_STARTING;
}

int kube_attach_running(struct kube *kube, struct channel **ret, struct err *err)
{
	struct attaching attaching = {.kube = kube, .began = clock_monotonic_ms()};
	int64_t limit = attaching.began + ATTACH_TIMEOUT_MS;
	int result;

	while ((result = try_attach(&attaching, err)) == 0) {
		if (kube_turn(kube, err) < 0)
			return -1;
		if (kube->task.status.stage == POD_ENDED || clock_monotonic_ms() >= limit)
			return 0;
		if (loop_wait_answer(kube->loop, (int)ATTEMPT_PAUSE_MS, err) < 0)
			return -1;
	}
	if (result > 0)
		*ret = kube->channel;
	return result;
}

static bool ran_without_us(const struct kube_task *task)
{
	return task->status.stage == POD_ENDED && !task->status.never_ran;
}

/* Without a gate the task begins without us. It is deleted when we cannot attach, but who reads "nothing was started"
 * would believe that nothing was done. */
static int explain_begun(const struct kube_task *task, bool refused, struct err *err)
{
	bool begun = task->status.stage == POD_RUNNING || ran_without_us(task);

	/* On a node it may begin at any moment. */
	refused &= task->status.stage == POD_STARTING;
	if (task->gate || err->kind == ERR_INTERRUPTED || (!begun && !refused))
		return -1;
	err->kind = ERR_RESULT_UNKNOWN;
	return err_wrap(err, "the task %s begun and is ended", begun ? "had" : "may have");
}

/* 1: attached; 0: by its log, as it was too fast; -1. */
static int attach(struct kube *kube, struct channel **ret, struct err *err)
{
	struct attaching attaching = {.kube = kube, .began = clock_monotonic_ms()};

	for (;;) {
		int result;

		if (kube_turn(kube, err) < 0 || check(&attaching, err) < 0)
			return explain_begun(&kube->task, false, err);
		if (ran_without_us(&kube->task))
			return kube->task.gate ? explain_gate(&kube->task.status, err)
			                       : kube_attach_by_log(kube, ret, err);
		result = may_try(&attaching) ? try_attach(&attaching, err) : 0;
		if (result < 0)
			return explain_begun(&kube->task, true, err);
		if (result > 0)
			return 1;
		say(&attaching);
		if (loop_wait_answer(kube->loop, TURN_MS, err) < 0)
			return -1;
	}
}

int kube_attach(struct backend *backend, bool tty, bool stdin_open, const char *detach_keys,
                struct channel **ret, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	int result;

	if (tty && detach_keys)
		report(&kube->reporter, REPORT_WARNING,
		       "--detach-keys: a cluster has none, they go to the task");
	kube->task.tty = tty;
	kube->task.stdin_open = stdin_open;
	result = attach(kube, ret, err);
	if (result <= 0)
		return result;
	kube->task.from_start =
		kube->task.gate ? !kube->task.gate_behind : !tty && kube_log_is_empty(kube);
	/* Of a screen nobody can say whether it is complete; a prompt comes again. */
	if (tty && !kube->task.gate)
		report(&kube->reporter, REPORT_NOTE,
		       "what it wrote before we were attached is not shown; Enter brings a prompt");
	else if (!tty)
		kube_channel_set_check(kube->channel,
		                       (struct kube_channel_check){kube_missing_output, kube});
	*ret = kube->channel;
	return 0;
}

/* ---- without attaching ---- */

static void say_not_yet(struct kube *kube)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;

	if (kube->task.seen)
		pod_status_say(&kube->task.status, &line);
	else
		strbuf_adds(&line, "there is no pod");
	report(&kube->reporter, REPORT_NOTE, "it has not started yet: %s", strbuf_str(&line));
}

/* With -d: an id is of a task that began, or may begin later. What cannot begin is known within the time that a start
 * takes. */
static int await_detached(struct kube *kube, struct err *err)
{
	struct attaching waiting = {.kube = kube, .began = clock_monotonic_ms()};
	struct err own = ERR_INIT;

	while (kube->task.status.stage != POD_RUNNING && !ran_without_us(&kube->task)) {
		if (kube_turn(kube, &own) < 0) {
			report(&kube->reporter, REPORT_DETAIL,
			       "whether it starts cannot be watched: %s", own.message);
			*err = own;
			return own.kind == ERR_INTERRUPTED ? -1 : 0;
		}
		if (check(&waiting, err) < 0)
			return -1;
		if (clock_monotonic_ms() - waiting.began >= DETACHED_MS) {
			say_not_yet(kube);
			return 0;
		}
		if (loop_wait_answer(kube->loop, TURN_MS, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the gate ---- */

/* Before it is opened: what would run must be what the app runs. */
static int check_image(struct kube *kube, struct err *err)
{
	const struct kube_task *task = &kube->task;

	if (!task->image_id || !*task->status.image_id ||
	    !strcmp(task->image_id, task->status.image_id))
		return 0;
	if (task->gate) {
		err_set(err, ERR_REFUSED,
		        "the node has another image under this name than the app "
		        "runs (%s, not %s)",
		        task->status.image_id, task->image_id);
		return err_hint(err,
		                "roll the app out again, or say which one is meant with --image");
	}
	report(&kube->reporter, REPORT_WARNING,
	       "the task runs another image than the app (%s, not %s)", task->status.image_id,
	       task->image_id);
	return 0;
}

int kube_task_start(struct backend *backend, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	struct kube_task *task = &kube->task;
	int64_t limit = clock_monotonic_ms() + 5000;
	bool sent = true;

	if (!kube->channel && await_detached(kube, err) < 0)
		return -1;
	/* The image's id comes with the status, a moment after the container. */
	while (task->gate && task->image_id && !*task->status.image_id &&
	       task->status.stage != POD_ENDED && clock_monotonic_ms() < limit)
		if (kube_turn(kube, err) < 0 || loop_wait_answer(kube->loop, TURN_MS, err) < 0)
			return -1;
	if (check_image(kube, err) < 0)
		return -1;
	if (task->gate == 't')
		sent = kube_channel_resize(kube->channel, task->rows ? task->rows : 24,
		                           task->columns ? task->columns : 80);
	else if (task->gate)
		sent = kube_channel_post(kube->channel, "\0\n", 2);
	if (!sent)
		return err_set(err, ERR_LOST, "the connection to the task broke before it started");
	task->released = true;
	return 0;
}

int kube_resize(struct backend *backend, int rows, int columns, struct err *err)
{
	struct kube *kube = (struct kube *)backend;

	if (kube->channel && !kube->task.by_log &&
	    !kube_channel_resize(kube->channel, rows, columns))
		return err_set(err, ERR_LOST, "the terminal's size could not be told");
	return 0;
}
