/* SPDX-License-Identifier: Apache-2.0 */
/* The task's objects: a dry run of the pod, the Job, the ConfigMap that brings the gate. */
#include "pkg/kube/kube.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/base64.h"
#include "pkg/base/clock.h"
#include "pkg/kube/clone.h"
#include "pkg/kube/diagnose.h"
#include "pkg/kube/gate/gate.h"

#define LABEL_ID     "oneoff.dev/id"
#define PREFLIGHT_MS INT64_C(10000)

void kube_task_release(struct kube_task *task)
{
	free(task->name);
	free(task->container);
	free(task->pod);
	free(task->image_id);
	strbuf_release(&task->last_output);
	*task = (struct kube_task){.name = NULL};
}

static int copy(char **to, const char *from, struct err *err)
{
	if (!from)
		return 0;
	free(*to);
	*to = strdup(from);
	return *to ? 0 : err_no_memory(err);
}

/* Whether the gate is what the container begins with. */
static bool stands_first(const struct plan *plan, const char *name)
{
	const cJSON *container;

	cJSON_ArrayForEach (container, json_at(plan->extra, "pod.spec.containers")) {
		const char *own = json_string(container, "name");
		const char *first = json_string(container, "command[0]");

		if (own && !strcmp(own, name))
			return first && !strcmp(first, KUBE_GATE_PATH);
	}
	return true;
}

/* What the plan says of the task besides its document. */
static int read_plan(struct kube *kube, const struct plan *plan, const struct identity *identity,
                     struct err *err)
{
	struct kube_task *task = &kube->task;
	const char *kind = json_string(plan->document, "kind");
	const char *gate = json_string(plan->extra, "gate");

	kube_task_release(task);
	if (copy(&task->name, json_string(plan->document, "metadata.name"), err) < 0 ||
	    copy(&task->container, json_string(plan->extra, "container"), err) < 0 ||
	    copy(&task->image_id, json_string(plan->extra, "imageID"), err) < 0)
		return -1;
	if (!task->name || !task->container || !kind)
		return err_set(err, ERR_INTERNAL, "the plan names no task");
	snprintf(task->id, sizeof(task->id), "%s", identity->id);
	task->is_job = !strcmp(kind, "Job");
	task->gate = gate ? gate[0] : '\0';
	task->gate_behind = task->gate && !stands_first(plan, task->container);
	task->rows = kube->rows;
	task->columns = kube->columns;
	if (kube->start_timeout_ms)
		task->start_limit = clock_monotonic_ms() + kube->start_timeout_ms;
	return 0;
}

/* Quota, Pod Security and webhooks refuse a pod here with their reasons; of a Job they only stop the pods, later.
 * Whoever may make no pods finds that out the slow way. */
static int preflight(struct kube *kube, const struct plan *plan, struct err *err)
{
	_cleanup_free_ char *path = kube_path("", kube->config.name_space, "pods", NULL,
	                                      "?dryRun=All&fieldValidation=Strict");
	const cJSON *pod = json_member(plan->extra, "pod");
	struct err own = ERR_INIT;

	if (!path)
		return err_no_memory(err);
	if (!pod || kube_call(kube, "POST", path, pod, NULL, &own) == 0)
		return 0;
	if (own.http_status == 403 && strstr(own.message, "cannot create resource \"pods\"")) {
		report(&kube->reporter, REPORT_DETAIL, "no dry run: %s", own.message);
		return 0;
	}
	*err = own;
	if (err->http_status == 403 && strstr(err->message, "quota"))
		err_hint(err, "ask for less with --cpu and --memory");
	return err_wrap(err, "the cluster refuses the task");
}

static char *task_path(const struct kube *kube, const char *suffix)
{
	const struct kube_task *task = &kube->task;

	return kube_path(task->is_job ? "batch/v1" : "", kube->config.name_space,
	                 task->is_job ? "jobs" : "pods", task->name, suffix);
}

/* A reply that got lost, or a name that is taken: by its label it is ours or not. */
static int find_own(struct kube *kube, cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *path = task_path(kube, NULL);
	const cJSON *label;

	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "GET", path, NULL, &document, err) < 0)
		return -1;
	label = json_member(json_at(document, "metadata.labels"), LABEL_ID);
	if (!cJSON_IsString(label) || strcmp(label->valuestring, kube->task.id)) {
		err_set(err, ERR_CONFLICT, "'%s' exists already and is not ours", kube->task.name);
		return err_hint(err, "choose another --name");
	}
	*ret = TAKE_PTR(document);
	return 0;
}

/* Servers before 1.28 do not know podReplacementPolicy and refuse it under fieldValidation=Strict. With a
 * backoffLimit of 0 they make no second pod either. */
static bool is_too_new(const struct err *err)
{
	return (err->http_status == 400 || err->http_status == 422) &&
	       strstr(err->message, "podReplacementPolicy");
}

static int post_older(struct kube *kube, const char *path, const cJSON *document, cJSON **ret,
                      struct err *err)
{
	_cleanup_(json_free) cJSON *older = cJSON_Duplicate(document, true);

	if (!older)
		return err_no_memory(err);
	report(&kube->reporter, REPORT_DETAIL, "this server is older than 1.28: %s", err->message);
	cJSON_DeleteItemFromObjectCaseSensitive(json_member(older, "spec"), "podReplacementPolicy");
	*err = (struct err)ERR_INIT;
	return kube_call(kube, "POST", path, older, ret, err);
}

/* What is sent: with a lock the Job is suspended until that is surely ours (lock.h). The plan does not show it, since
 * what it shows is for `kubectl apply`. */
static cJSON *document_of(const struct kube *kube, const struct plan *plan)
{
	_cleanup_(json_free) cJSON *document = cJSON_Duplicate(plan->document, true);

	if (document && kube->lock.lease && kube->task.is_job &&
	    json_set_bool(json_member(document, "spec"), "suspend", true) < 0)
		return NULL;
	return TAKE_PTR(document);
}

static int create_object(struct kube *kube, const struct plan *plan, cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = document_of(kube, plan);
	_cleanup_free_ char *path =
		kube_path(kube->task.is_job ? "batch/v1" : "", kube->config.name_space,
	                  kube->task.is_job ? "jobs" : "pods", NULL, "?fieldValidation=Strict");
	struct err own = ERR_INIT;

	if (!path || !document)
		return err_no_memory(err);
	kube->task.created = true; /* from now on it may be there */
	if (kube_call(kube, "POST", path, document, ret, &own) == 0 ||
	    (is_too_new(&own) && post_older(kube, path, document, ret, &own) == 0))
		return 0;
	if ((!own.http_status || own.http_status == 409 || own.http_status >= 500) &&
	    own.kind != ERR_INTERRUPTED && find_own(kube, ret, err) == 0)
		return 0;
	/* What has our name and not our label is another's: it must not be removed in the end. */
	if ((own.http_status && own.http_status < 500) || err->kind == ERR_CONFLICT)
		kube->task.created = false;
	if (own.http_status != 409 && err->kind != ERR_CONFLICT)
		*err = own;
	if (own.http_status == 403 && strstr(own.message, "\"jobs\""))
		err_hint(err,
		         "your role may create no Jobs; where it may create pods: --carrier pod");
	return err_wrap(err, "create %s '%s'", kube->task.is_job ? "job" : "pod", kube->task.name);
}

/* ---- the gate's ConfigMap ---- */

static char *encode(const unsigned char *bytes, size_t length)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	base64_encode(bytes, length, &text);
	return text.failed ? NULL : strbuf_take(&text);
}

cJSON *kube_owner_of(const struct kube *kube, const cJSON *object)
{
	_cleanup_(json_free) cJSON *owner = cJSON_CreateObject();
	const char *uid = json_string(object, "metadata.uid");

	if (!owner || !uid ||
	    json_set_string(owner, "apiVersion", kube->task.is_job ? "batch/v1" : "v1") < 0 ||
	    json_set_string(owner, "kind", kube->task.is_job ? "Job" : "Pod") < 0 ||
	    json_set_string(owner, "name", kube->task.name) < 0 ||
	    json_set_string(owner, "uid", uid) < 0 ||
	    json_set_bool(owner, "blockOwnerDeletion", false) < 0)
		return NULL;
	return TAKE_PTR(owner);
}

static cJSON *config_map(const struct kube *kube, const char *name, const struct gate *gate,
                         cJSON *owner)
{
	_cleanup_(json_free) cJSON *map = cJSON_CreateObject();
	_cleanup_free_ char *text = encode(gate->bytes, gate->length);
	cJSON *metadata = map ? json_object_for(map, "metadata") : NULL;
	cJSON *labels = metadata ? json_object_for(metadata, "labels") : NULL;
	cJSON *data = map ? json_object_for(map, "binaryData") : NULL;
	cJSON *owners = cJSON_CreateArray();

	if (!owners || json_add_node(owners, owner) < 0 || !metadata ||
	    json_set_node(metadata, "ownerReferences", owners) < 0)
		return NULL;
	if (!labels || !data || !text || json_set_string(map, "apiVersion", "v1") < 0 ||
	    json_set_string(map, "kind", "ConfigMap") < 0 ||
	    json_set_bool(map, "immutable", true) < 0 ||
	    json_set_string(metadata, "name", name) < 0 ||
	    json_set_string(labels, LABEL_ID, kube->task.id) < 0 ||
	    json_set_string(labels, "app.kubernetes.io/managed-by", "oneoff") < 0 ||
	    json_set_string(data, "gate", text) < 0)
		return NULL;
	return TAKE_PTR(map);
}

/* Made after the Job, which owns it: so nothing of us is ever left without an owner. */
static int bring_gate(struct kube *kube, const struct plan *plan, const cJSON *object,
                      struct err *err)
{
	const char *name = json_string(plan->extra, "configMap");
	const struct gate *gate = gate_find(kube->architecture ? kube->architecture : "amd64");
	_cleanup_free_ char *path = kube_path("", kube->config.name_space, "configmaps", NULL,
	                                      "?fieldValidation=Strict");
	_cleanup_(json_free) cJSON *map = NULL;
	cJSON *owner;

	if (!kube->task.gate)
		return 0;
	owner = kube_owner_of(kube, object);
	if (!name || !gate || !path || !owner)
		return err_set(err, ERR_INTERNAL, "the gate cannot be brought");
	map = config_map(kube, name, gate, owner);
	if (!map)
		return err_no_memory(err);
	if (kube_call(kube, "POST", path, map, NULL, err) == 0 || err->http_status == 409) {
		*err = (struct err)ERR_INIT;
		return 0;
	}
	if (err->http_status == 403)
		err_hint(err, "your role needs the verb create on configmaps, or use --gate none");
	return err_wrap(err, "create configmap '%s'", name);
}

/* The objects, in the order in which nothing can be left without an owner and nothing runs without its lock. */
static int create_all(struct kube *kube, const struct plan *plan, struct err *err)
{
	_cleanup_(json_free) cJSON *object = NULL;

	/* What has no gate runs whether we can attach or not. */
	if (!kube->task.gate && !kube->detached && kube_check_attach(kube, err) < 0)
		return -1;
	if (preflight(kube, plan, err) < 0 || create_object(kube, plan, &object, err) < 0 ||
	    bring_gate(kube, plan, object, err) < 0)
		return -1;
	return kube->lock.lease ? kube_lock_confirm(kube, object, err) : 0;
}

static int create_locked(struct kube *kube, const struct plan *plan,
                         const struct identity *identity, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (!kube->task.is_job && !kube->task.gate) {
		err_set(err, ERR_USAGE,
		        "--lock with --carrier pod needs the gate: without it the "
		        "pod runs before the lock is sure");
		return err_hint(err, "leave out --carrier pod, or -d and --gate none");
	}
	if (kube_lock_acquire(kube, plan, identity, err) < 0)
		return -1;
	if (create_all(kube, plan, err) == 0)
		return 0;
	/* Nobody else may be kept waiting by what did not begin. */
	if (kube_remove(&kube->base, &ignored) < 0)
		report(&kube->reporter, REPORT_WARNING, "%s", ignored.message);
	kube_lock_give_back(kube);
	return -1;
}

int kube_create(struct backend *backend, const struct plan *plan, const struct identity *identity,
                const struct burial *burial, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_free_ char *path = NULL;
	_cleanup_(strbuf_release) struct strbuf selector = STRBUF_INIT;

	(void)burial; /* the Job's own deadline and TTL see to it */
	if (read_plan(kube, plan, identity, err) < 0 ||
	    (identity->lock ? create_locked(kube, plan, identity, err)
	                    : create_all(kube, plan, err)) < 0)
		return -1;
	if (!kube->task.is_job && copy(&kube->task.pod, kube->task.name, err) < 0)
		return -1;
	strbuf_adds(&selector, kube->task.is_job ? "labelSelector=job-name%3D"
	                                         : "fieldSelector=metadata.name%3D");
	strbuf_add_url(&selector, kube->task.name);
	path = kube_path("", kube->config.name_space, "pods", NULL, NULL);
	if (!path || selector.failed)
		return err_no_memory(err);
	if (watch_open(kube, path, strbuf_str(&selector), &kube->watch, err) < 0)
		return -1;
	kube_audit(kube, plan, identity);
	return 0;
}

/* ---- what happened to it ---- */

/* The newest warning about one object; its reason stands in front. */
static void newest_of(struct kube *kube, const char *name, char *text, size_t size, char newest[64])
{
	_cleanup_(strbuf_release) struct strbuf query = STRBUF_INIT;
	_cleanup_free_ char *base = kube_path("", kube->config.name_space, "events", NULL, NULL);
	_cleanup_(json_free) cJSON *items = NULL;
	struct err ignored = ERR_INIT;
	const cJSON *event;

	strbuf_addf(&query, "%s?fieldSelector=involvedObject.name%%3D", base ? base : "");
	strbuf_add_url(&query, name);
	if (!base || query.failed || kube_list(kube, strbuf_str(&query), &items, &ignored) < 0)
		return;
	cJSON_ArrayForEach (event, items) {
		const char *when = json_string(event, "lastTimestamp");
		const char *reason = json_string(event, "reason");
		const char *message = json_string(event, "message");
		const char *type = json_string(event, "type");

		if (!when)
			when = json_string(event, "eventTime");
		if (!when)
			when = json_string(event, "metadata.creationTimestamp");
		if (!reason || !message || !when || strcmp(when, newest) < 0)
			continue;
		if (type && !strcmp(type, "Normal") && strcmp(reason, "TriggeredScaleUp"))
			continue;
		snprintf(newest, 64, "%s", when);
		snprintf(text, size, "%s: %s", reason, message);
	}
}

void kube_newest_event(struct kube *kube, char *text, size_t size)
{
	char newest[64] = "";

	*text = '\0';
	if (kube->task.name)
		newest_of(kube, kube->task.name, text, size, newest);
	if (kube->task.pod && strcmp(kube->task.pod, kube->task.name))
		newest_of(kube, kube->task.pod, text, size, newest);
}

/* ---- signals ---- */

/* There is no call that signals a process: deletion is the platform's TERM, and a second one without grace its
 * KILL. */
int kube_signal(struct backend *backend, int signal_number, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_free_ char *path = NULL;

	if (signal_number == SIGUSR1 || signal_number == SIGUSR2) {
		report(&kube->reporter, REPORT_WARNING,
		       "a cluster passes no signals on but the one to end");
		return 0;
	}
	if (kube->task.adopted)
		return kube_stop_adopted(kube, signal_number, err);
	if (signal_number == SIGKILL && kube->task.pod) {
		path = kube_path("", kube->config.name_space, "pods", kube->task.pod,
		                 "?gracePeriodSeconds=1");
		if (path)
			kube_send(kube, "DELETE", path, NULL);
		free(path);
	}
	path = task_path(kube, "?propagationPolicy=Background");
	if (!path)
		return err_no_memory(err);
	kube_send(kube, "DELETE", path, NULL);
	return 0;
}
