/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/pod_status.h"

#include <stdio.h>
#include <string.h>
#include "pkg/backend/start_failure.h"

#define GATE_PREFIX "oneoff-gate: "

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
	for (size_t i = 0; word && i < count; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* Containers that a runtime could not start: told by its words, as there is nothing else. */
static void explain_start_error(struct pod_status *status)
{
	enum err_kind kind = start_failure_kind(status->message);

	status->command_missing = kind == ERR_COMMAND_NOT_FOUND;
	status->command_denied = kind == ERR_CANNOT_EXECUTE;
}

static void read_terminated(const cJSON *state, const char *pod_reason, struct pod_status *ret)
{
	const char *reason = json_string(state, "reason");
	const char *message = json_string(state, "message");
	int64_t code = -1;

	ret->stage = POD_ENDED;
	copy(ret->reason, sizeof(ret->reason), reason);
	copy(ret->message, sizeof(ret->message), message);
	ret->exit.known = json_int64(state, "exitCode", &code) == 0 && code >= 0 && code <= 255;
	ret->exit.code = ret->exit.known ? (int)code : 0;
	copy(ret->exit.message, sizeof(ret->exit.message), NULL);
	if (reason && !strcmp(reason, "ContainerStatusUnknown"))
		ret->exit.known = false;
	ret->exit.out_of_memory = reason && !strcmp(reason, "OOMKilled");
	ret->time_limit = pod_reason && !strcmp(pod_reason, "DeadlineExceeded");
	if (reason && (!strcmp(reason, "StartError") || !strcmp(reason, "ContainerCannotRun"))) {
		ret->never_ran = true;
		explain_start_error(ret);
	}
	if (message && !strncmp(message, GATE_PREFIX, strlen(GATE_PREFIX))) {
		const char *word = message + strlen(GATE_PREFIX);

		const char *detail = word + strcspn(word, ": \n");
		const char *error;

		snprintf(ret->gate, sizeof(ret->gate), "%.*s", (int)(detail - word), word);
		detail += strspn(detail, ": ");
		error = strstr(detail, ": error ");
		snprintf(ret->gate_detail, sizeof(ret->gate_detail), "%.*s",
		         error ? (int)(error - detail) : (int)strlen(detail), detail);
	}
}

static void read_waiting(const cJSON *state, struct pod_status *ret)
{
	static const char *const hopeless[] = {
		"ImagePullBackOff",          "ErrImageNeverPull",          "InvalidImageName",
		"ImageInspectError",         "CreateContainerConfigError", "CreateContainerError",
		"RunContainerError",         "CrashLoopBackOff",           "RegistryUnavailable",
		"SignatureValidationFailed",
	};
	static const char *const retried[] = {"ErrImagePull"};
	const char *reason = json_string(state, "reason");

	copy(ret->reason, sizeof(ret->reason), reason);
	copy(ret->message, sizeof(ret->message), json_string(state, "message"));
	ret->hopeless = is_one_of(reason, hopeless, ARRAY_SIZE(hopeless));
	ret->retrying = is_one_of(reason, retried, ARRAY_SIZE(retried));
}

/* An init container that holds the task back: still at work, in trouble, or failed. */
static void read_init(const cJSON *statuses, struct pod_status *ret)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, statuses) {
		const cJSON *terminated = json_at(item, "state.terminated");
		const cJSON *waiting = json_at(item, "state.waiting");
		const char *name = json_string(item, "name");
		int64_t code = 0;

		if (terminated && json_int64(terminated, "exitCode", &code) == 0 && code) {
			copy(ret->reason, sizeof(ret->reason), "InitContainerFailed");
			snprintf(ret->message, sizeof(ret->message),
			         "the init container '%s' failed with code %d", name ? name : "?",
			         (int)code);
			return;
		}
		if (waiting && !json_is_unset(waiting)) {
			struct pod_status own = {.stage = POD_STARTING};

			read_waiting(waiting, &own);
			if (!own.hopeless && !own.retrying)
				continue;
			*ret->reason = '\0';
			copy(ret->reason, sizeof(ret->reason), own.reason);
			copy(ret->message, sizeof(ret->message), own.message);
			ret->hopeless = own.hopeless;
			ret->retrying = own.retrying;
			return;
		}
		if (json_at(item, "state.running") && !json_true(item, "ready")) {
			copy(ret->reason, sizeof(ret->reason), "InitContainer");
			snprintf(ret->message, sizeof(ret->message), "the init container '%s' runs",
			         name ? name : "?");
		}
	}
}

static void read_scheduling(const cJSON *pod, struct pod_status *ret)
{
	const cJSON *condition;

	cJSON_ArrayForEach (condition, json_at(pod, "status.conditions")) {
		const char *type = json_string(condition, "type");
		const char *status = json_string(condition, "status");
		const char *reason = json_string(condition, "reason");

		if (!type || strcmp(type, "PodScheduled") || !status || strcmp(status, "False"))
			continue;
		copy(ret->reason, sizeof(ret->reason), reason);
		copy(ret->message, sizeof(ret->message), json_string(condition, "message"));
		ret->retrying = true;
	}
}

/* The pod is over although its container never said how: it was refused, evicted, or its node is lost. */
static void read_failed_pod(const cJSON *pod, bool was_started, struct pod_status *ret)
{
	const char *reason = json_string(pod, "status.reason");
	const char *message = json_string(pod, "status.message");

	ret->stage = POD_ENDED;
	ret->exit.known = false;
	ret->never_ran = !was_started;
	ret->time_limit = reason && !strcmp(reason, "DeadlineExceeded");
	if (reason)
		copy(ret->reason, sizeof(ret->reason), reason);
	if (message)
		copy(ret->message, sizeof(ret->message), message);
}

/* Evictions, preemptions and lost nodes leave a condition; old servers only a reason. */
static void read_disruption(const cJSON *pod, struct pod_status *ret)
{
	const char *reason = json_string(pod, "status.reason");
	const char *message = json_string(pod, "status.message");
	const cJSON *condition;

	cJSON_ArrayForEach (condition, json_at(pod, "status.conditions")) {
		const char *type = json_string(condition, "type");
		const char *status = json_string(condition, "status");

		if (reason || !type || strcmp(type, "DisruptionTarget") || !status ||
		    strcmp(status, "True"))
			continue;
		reason = json_string(condition, "reason");
		message = json_string(condition, "message");
	}
	if (reason && strcmp(reason, "DeadlineExceeded"))
		snprintf(ret->disruption, sizeof(ret->disruption), "%.60s%s%.220s", reason,
		         message ? ": " : "", message ? message : "");
}

static void read_pod(const cJSON *pod, const char *container, struct pod_status *ret)
{
	const cJSON *own = json_named(json_at(pod, "status.containerStatuses"), container);
	const cJSON *state = json_member(own, "state");
	const cJSON *terminated = json_member(state, "terminated");
	const char *phase = json_string(pod, "status.phase");
	bool over = phase && (!strcmp(phase, "Failed") || !strcmp(phase, "Succeeded"));

	*ret = (struct pod_status){.stage = POD_PENDING};
	copy(ret->node, sizeof(ret->node), json_string(pod, "spec.nodeName"));
	copy(ret->image_id, sizeof(ret->image_id), json_string(own, "imageID"));
	read_disruption(pod, ret);
	ret->stopped =
		json_member(json_at(pod, "metadata.annotations"), "oneoff.dev/stopped") != NULL;
	ret->deleted = json_at(pod, "metadata.deletionTimestamp") != NULL;
	if (json_int64(pod, "metadata.deletionGracePeriodSeconds", &ret->deletion_grace) < 0 ||
	    ret->deletion_grace < 0)
		ret->deletion_grace = 0;
	if (*ret->node)
		ret->stage = POD_STARTING;
	if (cJSON_IsObject(terminated)) {
		read_terminated(terminated, json_string(pod, "status.reason"), ret);
		return;
	}
	if (!*ret->node)
		read_scheduling(pod, ret);
	if (cJSON_IsObject(json_member(state, "running")) && !over) {
		ret->stage = POD_RUNNING;
		return;
	}
	if (cJSON_IsObject(json_member(state, "waiting")))
		read_waiting(json_member(state, "waiting"), ret);
	read_init(json_at(pod, "status.initContainerStatuses"), ret);
	if (over)
		read_failed_pod(pod, json_true(own, "started") || json_at(state, "running"), ret);
}

void pod_status_read(const cJSON *pod, const char *container, struct pod_status *ret)
{
	read_pod(pod, container, ret);
	/* `stop` ends a pod by its deadline, which then is none. */
	ret->time_limit &= !ret->stopped;
}

void pod_status_say(const struct pod_status *status, struct strbuf *ret)
{
	const char *what = status->message[0] ? status->message : status->reason;

	if (status->stage == POD_PENDING)
		strbuf_adds(ret, "waiting for a node");
	else if (!strcmp(status->reason, "ErrImagePull"))
		strbuf_adds(ret, "the image cannot be pulled yet");
	else
		strbuf_adds(ret, "starting");
	if (*what && strcmp(what, "ContainerCreating") && strcmp(what, "PodInitializing"))
		strbuf_addf(ret, ": %s", what);
}
