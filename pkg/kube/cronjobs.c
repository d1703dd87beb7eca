/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/cronjobs.h"

#include <string.h>
#include "pkg/kube/cronjob.h"
#include "pkg/kube/kube.h"

#define GROUP "batch/v1"
/* All CronJobs and Jobs that carry our label, whatever its value. */
#define SELECTOR "?labelSelector=oneoff.dev%2Fcron"

/* What the Role lacks, in the words of the verb. */
static int explain(const char *what, struct err *err)
{
	err_wrap(err, "%s", what);
	if (err->kind == ERR_DENIED)
		err_hint(err, "the Role in k8s-manifests/cron-role.yaml has what this needs");
	return -1;
}

int cronjobs_apply(struct backend *backend, const cJSON *document, bool force, bool *ret_created,
                   struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	const char *name = json_string(document, "metadata.name");
	_cleanup_free_ char *path =
		kube_path(GROUP, kube->config.name_space, "cronjobs", name,
	                  force ? "?fieldManager=oneoff&force=true" : "?fieldManager=oneoff");
	_cleanup_(json_free) cJSON *before = NULL;
	struct err ignored = ERR_INIT;

	if (!path || !name)
		return err_no_memory(err);
	if (cronjobs_get(backend, name, &before, &ignored) < 0 && ignored.kind == ERR_REFUSED) {
		*err = ignored;
		return -1;
	}
	*ret_created = before == NULL;
	if (kube_patch(kube, path, "application/apply-patch+yaml", document, NULL, err) == 0)
		return 0;
	if (err->kind == ERR_CONFLICT)
		err_hint(err, "another program has set these fields; --force takes them over");
	return explain("apply", err);
}

/* An update that only takes away makes its sender the owner of nothing: later applies go on without conflicts. */
int cronjobs_sync(struct backend *backend, const cJSON *document, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	const char *name = json_string(document, "metadata.name");
	_cleanup_free_ char *path =
		kube_path(GROUP, kube->config.name_space, "cronjobs", name, "?fieldManager=oneoff");
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	_cleanup_(json_free) cJSON *stored = NULL;
	bool created;

	if (!path || !name)
		return err_no_memory(err);
	if (cronjobs_apply(backend, document, true, &created, err) < 0 ||
	    cronjobs_get(backend, name, &stored, err) < 0)
		return -1;
	if (cronjob_compare(stored, document, &lines) < 0)
		return err_no_memory(err);
	if (lines.count == 0)
		return 0;
	if (json_set_node(json_member(stored, "spec"), "jobTemplate",
	                  cJSON_Duplicate(json_at(document, "spec.jobTemplate"), true)) < 0)
		return err_no_memory(err);
	if (kube_call(kube, "PUT", path, stored, NULL, err) < 0)
		return explain("sync", err);
	return 0;
}

static int not_ours(const char *name, struct err *err)
{
	err_set(err, ERR_REFUSED, "oneoff did not make the CronJob '%s'", name);
	return err_hint(err, "kubectl can change it");
}

int cronjobs_get(struct backend *backend, const char *name, cJSON **ret, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_free_ char *path =
		kube_path(GROUP, kube->config.name_space, "cronjobs", name, NULL);
	_cleanup_(json_free) cJSON *found = NULL;

	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "GET", path, NULL, &found, err) < 0)
		return explain("read the CronJob", err);
	if (!json_member(json_at(found, "metadata.labels"), CRONJOB_LABEL))
		return not_ours(name, err);
	*ret = TAKE_PTR(found);
	return 0;
}

/* All objects with our label. */
static int list_ours(struct kube *kube, const char *group, const char *resource, cJSON **ret,
                     struct err *err)
{
	_cleanup_free_ char *path =
		kube_path(group, kube->config.name_space, resource, NULL, SELECTOR);

	if (!path)
		return err_no_memory(err);
	if (kube_list(kube, path, ret, err) < 0)
		return explain("list", err);
	return 0;
}

int cronjobs_list(struct backend *backend, cJSON **ret_cronjobs, cJSON **ret_jobs, cJSON **ret_pods,
                  struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_(json_free) cJSON *cronjobs = NULL, *jobs = NULL, *pods = NULL;

	if (list_ours(kube, GROUP, "cronjobs", &cronjobs, err) < 0 ||
	    (ret_jobs && list_ours(kube, GROUP, "jobs", &jobs, err) < 0))
		return -1;
	if (ret_pods && list_ours(kube, "", "pods", &pods, err) < 0) {
		if (err->kind != ERR_DENIED)
			return -1;
		pods = cJSON_CreateArray();
	}
	*ret_cronjobs = TAKE_PTR(cronjobs);
	if (ret_jobs)
		*ret_jobs = TAKE_PTR(jobs);
	if (ret_pods)
		*ret_pods = TAKE_PTR(pods);
	return 0;
}

int cronjobs_suspend(struct backend *backend, const char *name, bool suspend, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_free_ char *path =
		kube_path(GROUP, kube->config.name_space, "cronjobs", name, "?fieldManager=oneoff");
	_cleanup_(json_free) cJSON *change = cJSON_CreateObject(), *before = NULL;
	cJSON *spec = change ? json_object_for(change, "spec") : NULL;

	if (!path || !spec || json_set_bool(spec, "suspend", suspend) < 0)
		return err_no_memory(err);
	if (cronjobs_get(backend, name, &before, err) < 0)
		return -1;
	if (kube_patch(kube, path, KUBE_MERGE_PATCH, change, NULL, err) < 0)
		return explain(suspend ? "suspend" : "resume", err);
	return 0;
}

int cronjobs_delete(struct backend *backend, const char *name, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_free_ char *path = kube_path(GROUP, kube->config.name_space, "cronjobs", name,
	                                      "?propagationPolicy=Background");
	_cleanup_(json_free) cJSON *before = NULL;

	if (!path)
		return err_no_memory(err);
	if (cronjobs_get(backend, name, &before, err) < 0)
		return -1;
	if (kube_call(kube, "DELETE", path, NULL, NULL, err) < 0)
		return explain("delete", err);
	return 0;
}
