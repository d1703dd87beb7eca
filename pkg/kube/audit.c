/* SPDX-License-Identifier: Apache-2.0 */
/* An Event on the source's workload, so that `kubectl describe deploy/web` tells who ran what. It is a hint, not a
 * proof: events go after an hour and anybody may write one (research/kubernetes.md section 12). */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"

#define MAX_MESSAGE 1000

static int set_object(const struct kube *kube, cJSON *event, const cJSON *workload)
{
	cJSON *involved = json_object_for(event, "involvedObject");
	const char *const keys[][2] = {
		{"apiVersion", "apiVersion"},
		{"kind", "kind"},
		{"name", "metadata.name"},
		{"uid", "metadata.uid"},
	};

	if (!involved || json_set_string(involved, "namespace", kube->config.name_space) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = json_string(workload, keys[i][1]);

		if (!value || json_set_string(involved, keys[i][0], value) < 0)
			return -1;
	}
	return 0;
}

static cJSON *event_of(const struct kube *kube, const cJSON *workload, const char *message,
                       const struct identity *identity)
{
	_cleanup_(json_free) cJSON *event = cJSON_CreateObject();
	cJSON *metadata = event ? json_object_for(event, "metadata") : NULL;
	cJSON *origin = event ? json_object_for(event, "source") : NULL;
	char when[CLOCK_RFC3339_SIZE], name[300];

	clock_format_rfc3339(identity->started, when);
	snprintf(name, sizeof(name), "%.200s.%s", identity->name, identity->id);
	if (!metadata || !origin || json_set_string(event, "apiVersion", "v1") < 0 ||
	    json_set_string(event, "kind", "Event") < 0 ||
	    json_set_string(metadata, "name", name) < 0 ||
	    json_set_string(origin, "component", "oneoff") < 0 ||
	    json_set_string(event, "type", "Normal") < 0 ||
	    json_set_string(event, "reason", "OneOffStarted") < 0 ||
	    json_set_string(event, "message", message) < 0 ||
	    json_set_string(event, "firstTimestamp", when) < 0 ||
	    json_set_string(event, "lastTimestamp", when) < 0 ||
	    json_set_int64(event, "count", 1) < 0 || set_object(kube, event, workload) < 0)
		return NULL;
	return TAKE_PTR(event);
}

void kube_audit(struct kube *kube, const struct plan *plan, const struct identity *identity)
{
	const cJSON *annotations = json_at(plan->document, "metadata.annotations");
	const char *command = cJSON_GetStringValue(json_member(annotations, "oneoff.dev/command"));
	const char *reason = cJSON_GetStringValue(json_member(annotations, "oneoff.dev/reason"));
	_cleanup_free_ char *path = kube_path("", kube->config.name_space, "events", NULL, NULL);
	_cleanup_(json_free) cJSON *event = NULL;
	char message[MAX_MESSAGE];

	if (!kube->workload || !path)
		return;
	snprintf(message, sizeof(message), "%.100s runs %.600s as %.70s%s%.150s",
	         kube->user ? kube->user : identity->user, command ? command : "a task",
	         identity->name, reason ? ": " : "", reason ? reason : "");
	event = event_of(kube, kube->workload, message, identity);
	if (event)
		kube_send(kube, "POST", path, event);
}
