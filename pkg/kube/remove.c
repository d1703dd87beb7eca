/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the task's objects. The Job owns the rest; the cluster deletes it in the background. */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"

#define LABEL_ID      "oneoff.dev/id"
#define LOOK_PAUSE_MS INT64_C(5000)

static int delete (struct kube *kube, bool is_job, const char *name, struct err *err)
{
	_cleanup_free_ char *path =
		kube_path(is_job ? "batch/v1" : "", kube->config.name_space,
	                  is_job ? "jobs" : "pods", name, "?propagationPolicy=Background");

	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "DELETE", path, NULL, NULL, err) == 0 || err->http_status == 404) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	return -1;
}

int kube_remove(struct backend *backend, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	struct kube_task *task = &kube->task;

	if (!task->name || !task->created)
		return 0;
	if (delete (kube, task->is_job, task->name, err) < 0) {
		err->kind = ERR_NOT_REMOVED;
		return err_wrap(err, "%s '%s' is left in namespace '%s'",
		                task->is_job ? "job" : "pod", task->name, kube->config.name_space);
	}
	task->created = false;
	return 0;
}

/* Finished Jobs go by their TTL; there is nothing for us to sweep. */
void kube_sweep(struct backend *backend)
{
	(void)backend;
}

/* What a pod document says of its end. */
static bool is_over(const cJSON *pod)
{
	const char *phase = json_string(pod, "status.phase");

	return phase && (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed"));
}

/* 1: a container of this Job's pod runs, or the pod itself does. */
static int is_running(struct kube *kube, bool is_job, const char *name, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	_cleanup_free_ char *base = kube_path("", kube->config.name_space, "pods", NULL, NULL);
	_cleanup_(json_free) cJSON *pods = NULL;
	const cJSON *pod;

	strbuf_addf(&path, "%s?%s%%3D", base ? base : "",
	            is_job ? "labelSelector=job-name" : "fieldSelector=metadata.name");
	strbuf_add_url(&path, name);
	if (!base || path.failed)
		return err_no_memory(err);
	if (kube_list(kube, strbuf_str(&path), &pods, err) < 0)
		return -1;
	cJSON_ArrayForEach (pod, pods) {
		const char *phase = json_string(pod, "status.phase");

		if (phase && !strcmp(phase, "Running"))
			return 1;
	}
	return 0;
}

/* A watch tells of the end of what it has seen, and of nothing that was gone before. */
static bool is_gone(struct kube *kube, const struct burial *burial)
{
	_cleanup_free_ char *path =
		kube_path("", kube->config.name_space, "pods", burial->name, NULL);
	_cleanup_(json_free) cJSON *pod = NULL;
	struct err err = ERR_INIT;
	const char *id;

	if (!path || kube_call(kube, "GET", path, NULL, &pod, &err) < 0)
		return err.http_status == 404;
	id = cJSON_GetStringValue(json_member(json_at(pod, "metadata.labels"), LABEL_ID));
	return !id || strcmp(id, burial->id);
}

/* Nothing but us deletes a bare pod: its end is waited for, at most until the deadline. */
static int wait_for_pod(struct kube *kube, const struct burial *burial, struct err *err)
{
	int64_t look_at = clock_monotonic_ms() + LOOK_PAUSE_MS;
	_cleanup_(watch_event_release) struct watch_event event = {.object = NULL};
	_cleanup_(strbuf_release) struct strbuf selector = STRBUF_INIT;
	_cleanup_free_ char *path = kube_path("", kube->config.name_space, "pods", NULL, NULL);
	struct watch *watch = NULL;
	int result = 0;

	strbuf_adds(&selector, "fieldSelector=metadata.name%3D");
	strbuf_add_url(&selector, burial->name);
	if (!path || selector.failed)
		return err_no_memory(err);
	if (watch_open(kube, path, strbuf_str(&selector), &watch, err) < 0)
		return -1;
	while (result >= 0) {
		result = watch_next(watch, &event, err);
		if (result > 0 && (event.deleted || is_over(event.object)))
			break;
		if (burial->deadline && clock_unix_seconds() >= burial->deadline)
			break;
		if (clock_monotonic_ms() >= look_at) {
			if (is_gone(kube, burial))
				break;
			look_at = clock_monotonic_ms() + LOOK_PAUSE_MS;
		}
		if (result == 0 && loop_wait(kube->loop, NULL, 0, 1000, err) < 0)
			result = -1;
	}
	watch_close(watch);
	return result < 0 ? -1 : 0;
}

/* A gate that was not opened ends by itself when its client is gone, and the Job's TTL takes what has ended. So only
 * what shall not run on, or never began, is deleted here, and bare pods when they end. */
static int bury_one(struct kube *kube, bool is_job, const struct burial *burial, struct err *err)
{
	_cleanup_free_ char *path = kube_path(is_job ? "batch/v1" : "", kube->config.name_space,
	                                      is_job ? "jobs" : "pods", burial->name, NULL);
	_cleanup_(json_free) cJSON *object = NULL;
	const cJSON *label;
	int running = 0;

	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "GET", path, NULL, &object, err) < 0)
		return err->http_status == 404 ? 0 : -1;
	label = json_member(json_at(object, "metadata.labels"), LABEL_ID);
	if (!cJSON_IsString(label) || strcmp(label->valuestring, burial->id))
		return 0;
	if (!burial->stop && burial->started)
		running = is_running(kube, is_job, burial->name, err);
	if (running < 0 || (running && !is_job && wait_for_pod(kube, burial, err) < 0))
		return -1;
	return running && is_job ? 0 : delete (kube, is_job, burial->name, err);
}

int kube_bury(struct backend *backend, const struct burial *burial, struct err *err)
{
	struct kube *kube = (struct kube *)backend;

	/* The Job's deadline and TTL see to it; a pod that stands alone has its deadline, and gc. */
	if (burial->detached && burial->started)
		return 0;
	if (bury_one(kube, true, burial, err) < 0)
		return -1;
	return bury_one(kube, false, burial, err);
}
