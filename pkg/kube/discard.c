/* SPDX-License-Identifier: Apache-2.0 */
/* gc's hand: deletes a one-off that nobody can want any more, and only in the state in which it was looked at. */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include "pkg/kube/record.h"

#define LABEL_ID  "oneoff.dev/id"
#define MAX_TRIES 3

static char *path_of(const struct kube *kube, const struct task_record *record)
{
	const char *place = record->place ? record->place : kube->config.name_space;
	bool is_job = !strncmp(record->handle, "jobs/", 5);

	return kube_path(is_job ? "batch/v1" : "", place, is_job ? "jobs" : "pods",
	                 strchr(record->handle, '/') + 1, NULL);
}

/* A Job that waits for a pod or a node has a client that waits for it, or a deadline of its own. Only one that is
 * suspended waits for nobody: its client died before it had the lock. */
static bool may_go(const cJSON *object, bool is_job)
{
	const char *phase = json_string(object, "status.phase");

	if (is_job)
		return kube_job_is_over(object, NULL, NULL) || json_true(object, "spec.suspend");
	return phase && (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"));
}

int kube_delete_as_seen(struct kube *kube, const char *path, const cJSON *object, struct err *err)
{
	_cleanup_(json_free) cJSON *options = cJSON_CreateObject();
	cJSON *conditions = options ? json_object_for(options, "preconditions") : NULL;
	const char *uid = json_string(object, "metadata.uid");
	const char *version = json_string(object, "metadata.resourceVersion");

	if (!uid || !version)
		return err_set(err, ERR_PROTOCOL, "the server tells of an object without uid");
	if (!conditions || json_set_string(options, "apiVersion", "v1") < 0 ||
	    json_set_string(options, "kind", "DeleteOptions") < 0 ||
	    json_set_string(options, "propagationPolicy", "Background") < 0 ||
	    json_set_string(conditions, "uid", uid) < 0 ||
	    json_set_string(conditions, "resourceVersion", version) < 0)
		return err_no_memory(err);
	return kube_call(kube, "DELETE", path, options, NULL, err);
}

int kube_discard(struct backend *backend, const struct task_record *record, bool force,
                 struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_free_ char *path = path_of(kube, record);
	bool is_job = !strncmp(record->handle, "jobs/", 5);

	if (!path)
		return err_no_memory(err);
	for (int try = 0; try < MAX_TRIES; try++) {
		_cleanup_(json_free) cJSON *object = NULL;
		const char *id;

		*err = (struct err)ERR_INIT;
		if (kube_call(kube, "GET", path, NULL, &object, err) < 0)
			break;
		id = cJSON_GetStringValue(
			json_member(json_at(object, "metadata.labels"), LABEL_ID));
		if (!id || strcmp(id, record->id) || json_at(object, "metadata.deletionTimestamp"))
			return 0;
		if (!force && !may_go(object, is_job))
			return 0;
		if (kube_delete_as_seen(kube, path, object, err) == 0)
			return 1;
		/* Something changed meanwhile: look again. */
		if (err->http_status != 409)
			break;
	}
	if (err->http_status == 404 || err->http_status == 409) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	return -1;
}
