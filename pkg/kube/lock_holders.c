/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/lock_holders.h"

#include <stdio.h>
#include <string.h>
#include "pkg/kube/kube.h"
#include "pkg/kube/record.h"

#define LABEL_ID      "oneoff.dev/id"
#define CONTAINER_KEY "kubectl.kubernetes.io/default-container"
#define MAX_TRIES     5

static int list_of(struct kube *kube, const char *group_version, const char *resource, cJSON **ret,
                   struct err *err)
{
	_cleanup_free_ char *base =
		kube_path(group_version, kube->config.name_space, resource, NULL, NULL);
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	/* Without a resourceVersion: what is there now, not what some cache remembers. */
	strbuf_addf(&path, "%s?labelSelector=oneoff.dev%%2Flock%%3D", base ? base : "");
	strbuf_add_url(&path, kube->lock.name);
	if (!base || path.failed)
		return err_no_memory(err);
	if (kube_list(kube, strbuf_str(&path), ret, err) == 0)
		return 0;
	if (err->http_status == 403)
		err_hint(err,
		         "a lock needs the verb list on jobs and pods: k8s-manifests/role.yaml");
	return err_wrap(err, "lock '%s'", kube->lock.name);
}

static const char *id_of(const cJSON *object)
{
	const cJSON *labels = json_at(object, "metadata.labels");
	const char *id = cJSON_GetStringValue(json_member(labels, LABEL_ID));

	return id ? id : "";
}

static bool is_holder(const cJSON *object, const char *holder)
{
	const char *id = id_of(object);
	size_t length = strlen(id);

	return length && !strncmp(holder, id, length) && (!holder[length] || holder[length] == ' ');
}

static bool is_alive(const cJSON *pod)
{
	const cJSON *annotations = json_at(pod, "metadata.annotations");
	const char *name = cJSON_GetStringValue(json_member(annotations, CONTAINER_KEY));
	struct pod_status status;

	if (!name)
		name = json_string(pod, "spec.containers[0].name");
	pod_status_read(pod, name ? name : "", &status);
	return status.stage != POD_ENDED;
}

static void say(struct kube_holders *ret, const char *kind, const cJSON *object)
{
	const char *name = json_string(object, "metadata.name");
	bool ends = json_at(object, "metadata.deletionTimestamp") != NULL;

	if (!*ret->words)
		snprintf(ret->words, sizeof(ret->words), "the %s '%.200s' %s", kind,
		         name ? name : "?", ends ? "has not ended yet" : "is there");
}

/* The pod's own Job says that it is over only a second or two later. */
static bool has_ended(const cJSON *job, const cJSON *pods)
{
	const char *name = json_string(job, "metadata.name");
	const cJSON *pod;

	cJSON_ArrayForEach (pod, pods) {
		const cJSON *labels = json_at(pod, "metadata.labels");
		const char *own = cJSON_GetStringValue(json_member(labels, "job-name"));

		if (own && name && !strcmp(own, name) && !strcmp(id_of(pod), id_of(job)))
			return !is_alive(pod);
	}
	return false;
}

static void look_at_pods(const struct kube *kube, const cJSON *pods, const char *holder,
                         struct kube_holders *ret)
{
	const cJSON *pod;

	cJSON_ArrayForEach (pod, pods) {
		bool alive = is_alive(pod);

		if (!strcmp(id_of(pod), kube->task.id))
			continue;
		ret->holder_ended |= !alive && is_holder(pod, holder);
		if (!alive)
			continue;
		ret->alive = true;
		say(ret, "pod", pod);
	}
}

static void look_at_jobs(const struct kube *kube, const cJSON *jobs, const cJSON *pods,
                         const char *holder, struct kube_holders *ret)
{
	const cJSON *job;

	cJSON_ArrayForEach (job, jobs) {
		bool over = kube_job_is_over(job, NULL, NULL) || has_ended(job, pods);

		if (!strcmp(id_of(job), kube->task.id))
			continue;
		ret->holder_ended |= over && is_holder(job, holder);
		if (over || json_true(job, "spec.suspend"))
			continue;
		ret->running = true;
		say(ret, "job", job);
	}
}

int kube_holders_look(struct kube *kube, const char *holder, struct kube_holders *ret,
                      struct err *err)
{
	_cleanup_(json_free) cJSON *jobs = NULL, *pods = NULL;

	*ret = (struct kube_holders){.running = false};
	/* The usual answer to one of many who wait costs no more than this. */
	if (list_of(kube, "", "pods", &pods, err) < 0)
		return -1;
	look_at_pods(kube, pods, holder, ret);
	if (ret->alive)
		return 0;
	/* In this order: a Job that is over or gone now makes no pod any more. */
	json_free(&pods);
	if (list_of(kube, "batch/v1", "jobs", &jobs, err) < 0 ||
	    list_of(kube, "", "pods", &pods, err) < 0)
		return -1;
	look_at_pods(kube, pods, holder, ret);
	look_at_jobs(kube, jobs, pods, holder, ret);
	return 0;
}

/* 1: deleted or gone, 0: it is another than it was. */
static int fence(struct kube *kube, const cJSON *job, struct err *err)
{
	_cleanup_free_ char *path = kube_path("batch/v1", kube->config.name_space, "jobs",
	                                      json_string(job, "metadata.name"), NULL);

	if (!path)
		return err_no_memory(err);
	if (kube_delete_as_seen(kube, path, job, err) == 0 || err->http_status == 404)
		return 1;
	return err->http_status == 409 ? 0 : err_wrap(err, "lock '%s'", kube->lock.name);
}

int kube_holders_fence(struct kube *kube, struct err *err)
{
	for (int try = 0; try < MAX_TRIES; try++) {
		_cleanup_(json_free) cJSON *jobs = NULL;
		const cJSON *job;
		bool all = true;

		if (list_of(kube, "batch/v1", "jobs", &jobs, err) < 0)
			return -1;
		cJSON_ArrayForEach (job, jobs) {
			int result;

			if (!strcmp(id_of(job), kube->task.id) || !json_true(job, "spec.suspend") ||
			    kube_job_is_over(job, NULL, NULL))
				continue;
			result = fence(kube, job, err);
			if (result < 0)
				return -1;
			all &= result > 0;
		}
		*err = (struct err)ERR_INIT;
		if (all)
			return 0;
	}
	return err_set(err, ERR_LOCKED, "lock '%s' is held by somebody who begins just now",
	               kube->lock.name);
}
