/* SPDX-License-Identifier: Apache-2.0 */
/* How the task ended: by the status of its container in the watch, and by nothing else (research/kubernetes.md:
 * attach says Success for every exit code). */
#include "pkg/kube/kube.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/kube/channel.h"

/* A deleted pod that has not ended this long after its grace period is on a node that is lost. */
#define OVERDUE_MS INT64_C(30000)
#define MAX_GRACE  INT64_C(3600)

/* The watch began before the pod was there; nothing is to be armed. */
int kube_arm(struct backend *backend, struct err *err)
{
	return kube_turn((struct kube *)backend, err);
}

/* A Job that never makes a second pod has one; the first that comes is the task's. */
int kube_take_pod(struct kube *kube, const cJSON *pod, bool deleted, struct err *err)
{
	struct kube_task *task = &kube->task;
	const char *name = json_string(pod, "metadata.name");
	struct pod_status status;

	if (!name)
		return err_set(err, ERR_PROTOCOL, "the server tells of a pod without a name");
	if (!task->pod) {
		task->pod = strdup(name);
		if (!task->pod)
			return err_no_memory(err);
	}
	if (strcmp(name, task->pod))
		return 0;
	pod_status_read(pod, task->container, &status);
	/* What is known of an end stays: a deletion may carry an older state. */
	if (task->status.stage != POD_ENDED || !task->status.exit.known)
		task->status = status;
	task->seen = true;
	task->gone |= deleted;
	if (status.deleted && !task->overdue_at)
		task->overdue_at =
			clock_monotonic_ms() + OVERDUE_MS +
			(status.deletion_grace < MAX_GRACE ? status.deletion_grace : MAX_GRACE) *
				1000;
	return 0;
}

int kube_turn(struct kube *kube, struct err *err)
{
	_cleanup_(watch_event_release) struct watch_event event = {.object = NULL};
	int result = 0;

	kube_reap(kube);
	kube_lock_tick(kube);
	while (kube->watch && (result = watch_next(kube->watch, &event, err)) > 0)
		if (kube_take_pod(kube, event.object, event.deleted, err) < 0)
			return -1;
	if (kube->channel && !kube->task.by_log)
		kube_channel_tick(kube->channel, clock_monotonic_ms());
	return result;
}

/* The gate's own words for what kept the task from running. */
static void tell_gate(const struct pod_status *status, char *text, size_t size)
{
	if (!strcmp(status->gate, "not-found"))
		snprintf(text, size, "there is no command '%.150s' in the app's image",
		         status->gate_detail);
	else if (!strcmp(status->gate, "cannot-execute"))
		snprintf(text, size, "'%.150s' cannot be executed", status->gate_detail);
	else
		snprintf(text, size, "the task was not released and did not run: %s", status->gate);
}

static void tell(const struct kube_task *task, struct exit_status *ret)
{
	const struct pod_status *status = &task->status;

	*ret = status->exit;
	ret->output_incomplete = task->flawed;
	ret->timed_out = status->time_limit;
	/* A client that attaches hears of it before there is an end. */
	if (status->command_missing)
		ret->code = 127;
	else if (status->command_denied)
		ret->code = 126;
	if (*status->gate)
		tell_gate(status, ret->message, sizeof(ret->message));
	else if (status->time_limit)
		snprintf(ret->message, sizeof(ret->message),
		         "the time limit is reached: the cluster ended the task");
	else if (*status->disruption)
		snprintf(ret->message, sizeof(ret->message), "the cluster ended the pod: %.220s",
		         status->disruption);
	else if (!status->exit.known || status->never_ran)
		snprintf(ret->message, sizeof(ret->message), "%.60s%s%.180s", status->reason,
		         *status->message ? ": " : "", status->message);
}

/* A pod that we deleted may be gone before anybody told how it ended, or before it had begun: it was killed. */
static void end_killed(struct kube *kube, struct exit_status *ret)
{
	if (!kube->task.killed)
		return;
	if (!ret->known)
		*ret = (struct exit_status){.known = true, .code = 128 + SIGKILL};
	kube_note_code(kube, ret->code);
}

int kube_exited(struct backend *backend, struct exit_status *ret, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	const struct kube_task *task = &kube->task;

	if (kube_turn(kube, err) < 0)
		return -1;
	if (task->seen && task->status.stage == POD_ENDED) {
		tell(task, ret);
		end_killed(kube, ret);
		return 1;
	}
	if (!task->seen && task->adopted)
		return kube_job_end(kube, ret, err);
	/* Is the pod still there? kube_recover asks. */
	if (watch_lost_place(kube->watch) && task->seen && !task->gone)
		return err_set(err, ERR_LOST, "the server forgot where the watch was");
	if (!task->gone && (!task->overdue_at || clock_monotonic_ms() < task->overdue_at))
		return 0;
	*ret = (struct exit_status){.known = false, .may_run = !task->gone};
	if (task->killed && task->gone) {
		end_killed(kube, ret);
		return 1;
	}
	if (*task->status.disruption)
		snprintf(ret->message, sizeof(ret->message), "%.250s", task->status.disruption);
	else
		snprintf(
			ret->message, sizeof(ret->message), "%s",
			task->gone
				? "its pod was deleted"
				: "its pod was deleted and does not end: its node does not answer");
	return 1;
}

/* The watch takes itself up again when it breaks, but one that is only silent does not look broken: it begins anew. And
 * the pod is asked for once more, for the case that it is no more. */
int kube_recover(struct backend *backend, struct exit_status *ret, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_(watch_event_release) struct watch_event event = {.object = NULL};
	_cleanup_free_ char *path = NULL;
	struct err ignored = ERR_INIT;
	int result = kube_exited(backend, ret, &ignored);

	if (result > 0 || !kube->task.pod)
		return result > 0;
	watch_restart(kube->watch);
	path = kube_path("", kube->config.name_space, "pods", kube->task.pod, NULL);
	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "GET", path, NULL, &event.object, err) < 0) {
		/* Without the right to ask, the watch is all there is. */
		if (err->http_status == 403)
			return 0;
		if (err->http_status != 404)
			return -1;
		kube->task.gone = true;
	} else if (kube_take_pod(kube, event.object, event.deleted, err) < 0) {
		return -1;
	}
	return kube_exited(backend, ret, err);
}

/* A blocked reader of ours blocks the container, whose output then waits on its node: nothing is lost by it. */
bool kube_may_have_ended(struct backend *backend)
{
	(void)backend;
	return false;
}
