/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/record.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/base/number.h"
#include "pkg/kube/pod_status.h"

#define PREFIX        "oneoff.dev/"
#define CONTAINER_KEY "kubectl.kubernetes.io/default-container"
/* Beyond its grace period: then nobody has heard of its node for a while. */
#define LOST_AFTER_SECONDS 60
/* A pod's own, where it says nothing, and what a kubelet takes besides: it looks now and then, and tells later. */
#define DEFAULT_GRACE_SECONDS 30
#define KUBELET_SECONDS       15

/* "id" is a label, so that it can be selected by; the rest are annotations. */
static const char *get(const void *context, const char *key)
{
	const cJSON *metadata = json_member(context, "metadata");
	const cJSON *map = json_member(metadata, strcmp(key, "id") ? "annotations" : "labels");
	char name[64];

	snprintf(name, sizeof(name), PREFIX "%s", key);
	return cJSON_GetStringValue(json_member(map, name));
}

static int64_t time_at(const cJSON *object, const char *path)
{
	const char *text = json_string(object, path);
	int64_t seconds;

	return text && clock_parse_rfc3339(text, &seconds) == 0 && seconds > 0 ? seconds : 0;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* What both carriers have. */
static int read_object(const cJSON *object, const char *resource, struct task_record *ret,
                       struct err *err)
{
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	const char *name = json_string(object, "metadata.name");

	if (!get(object, "id") || !name)
		return 0;
	if (task_record_read(&record, get, object, err) < 0)
		return -1;
	record.platform = "kubernetes";
	record.name = strdup(name);
	record.place = copy(json_string(object, "metadata.namespace"));
	record.image = copy(get(object, "image"));
	if (asprintf(&record.handle, "%s/%s", resource, name) < 0)
		record.handle = NULL;
	if (!record.name || !record.handle)
		return err_no_memory(err);
	/* The server's clock, where there is one. */
	if (time_at(object, "metadata.creationTimestamp"))
		record.created = time_at(object, "metadata.creationTimestamp");
	if (json_at(object, "metadata.deletionTimestamp"))
		snprintf(record.detail, sizeof(record.detail), "Terminating");
	/* The platform's limit counts from the pod's start, which is not known yet. */
	record.deadline = 0;
	*ret = record;
	record = (struct task_record)TASK_RECORD_INIT;
	return 1;
}

static void read_grace(struct task_record *record, const cJSON *spec)
{
	int64_t seconds;

	if (json_int64(spec, "terminationGracePeriodSeconds", &seconds) < 0 || seconds < 0 ||
	    seconds > 1000000)
		seconds = DEFAULT_GRACE_SECONDS;
	record->grace_ms = (seconds + KUBELET_SECONDS) * 1000;
}

bool kube_job_code(const cJSON *job, int *ret_code)
{
	const cJSON *annotations = json_at(job, "metadata.annotations");
	const char *text = cJSON_GetStringValue(json_member(annotations, KUBE_CODE_ANNOTATION));
	int64_t code;

	if (!text || parse_int64(text, 0, 255, &code) < 0)
		return false;
	*ret_code = (int)code;
	return true;
}

bool kube_job_is_over(const cJSON *job, int64_t *ret_ended, const char **ret_reason)
{
	const cJSON *condition;

	cJSON_ArrayForEach (condition, json_at(job, "status.conditions")) {
		const char *type = json_string(condition, "type");
		const char *status = json_string(condition, "status");
		bool failed = type && !strcmp(type, "Failed");

		if (!status || strcmp(status, "True") || !type ||
		    (!failed && strcmp(type, "Complete") != 0))
			continue;
		if (ret_ended)
			*ret_ended = time_at(condition, "lastTransitionTime");
		if (ret_reason)
			*ret_reason = failed ? json_string(condition, "reason") : NULL;
		if (ret_reason && failed && !*ret_reason)
			*ret_reason = "Failed";
		return true;
	}
	return false;
}

int kube_record_of_job(const cJSON *job, struct task_record *ret, struct err *err)
{
	int result = read_object(job, "jobs", ret, err);
	const cJSON *container = json_at(job, "spec.template.spec.containers[0]");
	const char *reason = NULL;

	if (result <= 0)
		return result;
	ret->tty = json_true(container, "tty");
	read_grace(ret, json_at(job, "spec.template.spec"));
	if (kube_job_is_over(job, &ret->ended, &reason)) {
		ret->state = TASK_ENDED;
		ret->status.known = !reason || kube_job_code(job, &ret->status.code);
		ret->status.timed_out = reason && !strcmp(reason, "DeadlineExceeded");
		if (reason)
			snprintf(ret->detail, sizeof(ret->detail), "%s", reason);
	} else if (json_true(job, "spec.suspend")) {
		snprintf(ret->detail, sizeof(ret->detail), "Suspended");
	}
	return 1;
}

int kube_record_of_pod(const cJSON *pod, struct task_record *ret, struct err *err)
{
	int result = read_object(pod, "pods", ret, err);

	if (result <= 0)
		return result;
	read_grace(ret, json_member(pod, "spec"));
	return kube_record_add_pod(ret, pod, err) < 0 ? -1 : 1;
}

/* Which container is the task: the clone writes it down. */
static const char *task_container(const cJSON *pod)
{
	const cJSON *annotations = json_at(pod, "metadata.annotations");
	const char *name = cJSON_GetStringValue(json_member(annotations, CONTAINER_KEY));

	return name ? name : json_string(pod, "spec.containers[0].name");
}

static void read_times(struct task_record *record, const cJSON *pod, const cJSON *state)
{
	int64_t seconds, started;

	record->started = time_at(state, "running.startedAt");
	if (!record->started)
		record->started = time_at(state, "terminated.startedAt");
	if (time_at(state, "terminated.finishedAt"))
		record->ended = time_at(state, "terminated.finishedAt");
	started = time_at(pod, "status.startTime");
	if (started && json_int64(pod, "spec.activeDeadlineSeconds", &seconds) == 0 && seconds > 0)
		record->deadline = started + seconds;
}

/* A pod that should be gone for long and is not: its node does not answer, and the task may run there. */
static bool is_lost(const cJSON *pod)
{
	int64_t deleted = time_at(pod, "metadata.deletionTimestamp");

	/* deletionTimestamp lies behind the grace period. */
	return deleted && clock_unix_seconds() > deleted + LOST_AFTER_SECONDS;
}

static void read_end(struct task_record *record, const struct pod_status *status)
{
	record->state = TASK_ENDED;
	record->status = status->exit;
	record->status.timed_out = status->time_limit;
	if (status->command_missing)
		record->status.code = 127;
	else if (status->command_denied)
		record->status.code = 126;
	snprintf(record->status.message, sizeof(record->status.message), "%.250s",
	         *status->disruption ? status->disruption
	         : status->never_ran ? status->message
	                             : "");
	snprintf(record->detail, sizeof(record->detail), "%.120s",
	         status->exit.known && !strcmp(status->reason, "Completed") ? "" : status->reason);
}

int kube_record_add_pod(struct task_record *record, const cJSON *pod, struct err *err)
{
	const char *name = task_container(pod);
	const cJSON *container, *own;
	struct pod_status status;

	if (!name)
		return err_set(err, ERR_PROTOCOL, "the server tells of a pod without containers");
	container = json_named(json_at(pod, "spec.containers"), name);
	own = json_named(json_at(pod, "status.containerStatuses"), name);
	pod_status_read(pod, name, &status);
	read_times(record, pod, json_member(own, "state"));
	record->tty = json_true(container, "tty");
	if (!record->image && json_string(container, "image")) {
		record->image = strdup(json_string(container, "image"));
		if (!record->image)
			return err_no_memory(err);
	}
	if (status.stage == POD_ENDED) {
		read_end(record, &status);
		return 0;
	}
	if (record->state == TASK_ENDED)
		return 0;
	record->state = is_lost(pod)                  ? TASK_UNKNOWN
	                : status.stage == POD_RUNNING ? TASK_RUNNING
	                                              : TASK_CREATED;
	snprintf(record->detail, sizeof(record->detail), "%.120s",
	         status.deleted ? "Terminating" : status.reason);
	return 0;
}
