/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From deploy/web to a release: the workload, its pod and template, and what of the namespace decides on labels and
 * volumes. All of it becomes one document, from which the plan is a pure function:
 *
 *	{"podTemplate", "pod", "workload", "services", "budgets", "policies", "workloads", "claims", "node"}
 */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/options.h"
#include "pkg/kube/clone.h"

#define MAX_NAMES          200
#define OUR_ANNOTATIONS    "oneoff.dev/"
#define CONSOLE_ANNOTATION "oneoff.dev/console"

/* ---- the object that was named ---- */

/* What there is instead, for the hint: the nearest name, or the first few. */
static int explain_not_found(struct kube *kube, const struct kube_kind *kind, const char *name,
                             struct err *err)
{
	_cleanup_free_ char *path =
		kube_path(kind->group_version, kube->config.name_space, kind->resource, NULL, NULL);
	_cleanup_(json_free) cJSON *items = NULL;
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;
	const char *names[MAX_NAMES], *nearest;
	struct err ignored = ERR_INIT;
	size_t count = 0;
	const cJSON *item;

	if (!path || kube_list(kube, path, &items, &ignored) < 0)
		return -1;
	cJSON_ArrayForEach (item, items) {
		const char *own = json_string(item, "metadata.name");

		if (own && count < MAX_NAMES)
			names[count++] = own;
	}
	nearest = nearest_name(name, names, count);
	for (size_t i = 0; i < count && i < 8; i++)
		strbuf_addf(&list, "%s%s", i ? ", " : "", names[i]);
	if (nearest)
		return err_hint(err, "did you mean %s/%s?", kind->resource, nearest);
	if (count)
		return err_hint(err, "namespace '%s' has: %s%s", kube->config.name_space,
		                strbuf_str(&list), count > 8 ? "…" : "");
	return err_hint(err, "namespace '%s' has no %s; another one: -n", kube->config.name_space,
	                kind->resource);
}

static int get_object(struct kube *kube, const struct kube_kind *kind, const char *name,
                      cJSON **ret, struct err *err)
{
	_cleanup_free_ char *path =
		kube_path(kind->group_version, kube->config.name_space, kind->resource, name, NULL);

	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "GET", path, NULL, ret, err) == 0)
		return 0;
	if (err->http_status == 404)
		explain_not_found(kube, kind, name, err);
	return -1;
}

/* The pods behind a Service; the youngest ready one stands for them. */
static int choose_behind(struct kube *kube, const cJSON *service, struct kube_choice *ret,
                         struct err *err)
{
	const cJSON *selector = json_at(service, "spec.selector"), *pod, *best = NULL;
	_cleanup_(strbuf_release) struct strbuf query = STRBUF_INIT;
	_cleanup_(json_free) cJSON *pods = NULL;
	_cleanup_free_ char *path = NULL;
	cJSON *copy;

	if (json_is_unset(selector))
		return err_set(err, ERR_USAGE, "the service selects no pods");
	strbuf_addc(&query, '?');
	kube_add_selector(selector, &query);
	path = kube_path("", kube->config.name_space, "pods", NULL, strbuf_str(&query));
	if (!path || query.failed)
		return err_no_memory(err);
	if (kube_list(kube, path, &pods, err) < 0)
		return err_wrap(err, "which pods are behind the service?");
	cJSON_ArrayForEach (pod, pods) {
		const char *made = json_string(pod, "metadata.creationTimestamp");
		const char *best_made = json_string(best, "metadata.creationTimestamp");

		if (kube_is_ready(pod) &&
		    (!best || (made && best_made && strcmp(made, best_made) > 0)))
			best = pod;
	}
	if (!best)
		return err_set(err, ERR_NOT_FOUND, "no ready pod is behind the service");
	copy = cJSON_Duplicate(best, true);
	return copy ? kube_choose_pod(kube, copy, ret, err) : err_no_memory(err);
}

static int choose_source(struct kube *kube, const struct source *source, struct kube_choice *ret,
                         struct err *err)
{
	_cleanup_(json_free) cJSON *object = NULL;
	struct kube_kind kind;

	if (kube_discover(kube, source->object_kind, &kind, err) < 0 ||
	    get_object(kube, &kind, source->name, &object, err) < 0)
		return -1;
	if (kind.template_path)
		return kube_choose_of(kube, &kind, TAKE_PTR(object), kube->settings.revision, ret,
		                      err);
	if (!strcmp(kind.kind, "Service"))
		return choose_behind(kube, object, ret, err);
	if (!strcmp(kind.kind, "Pod"))
		return kube_choose_pod(kube, TAKE_PTR(object), ret, err);
	return err_set(err, ERR_USAGE, "a %s has no pod template", kind.kind);
}

/* ---- what else the plan has to know ---- */

enum {
	ASK_SERVICES,
	ASK_BUDGETS,
	ASK_POLICIES,
	ASK_REPLICA_SETS,
	ASK_DEPLOYMENTS,
	ASK_STATEFUL_SETS,
	ASK_DAEMON_SETS,
	ASK_CONTROLLERS,
	ASK_CLAIMS,
	ASK_NODE,
	ASK_COUNT,
};

static const struct {
	const char *group_version, *resource,
		*key; /* key: of the document; NULL: into "workloads" */
} lists[] = {
	[ASK_SERVICES] = {"", "services", "services"},
	[ASK_BUDGETS] = {"policy/v1", "poddisruptionbudgets", "budgets"},
	[ASK_POLICIES] = {"networking.k8s.io/v1", "networkpolicies", "policies"},
	[ASK_REPLICA_SETS] = {"apps/v1", "replicasets", NULL},
	[ASK_DEPLOYMENTS] = {"apps/v1", "deployments", NULL},
	[ASK_STATEFUL_SETS] = {"apps/v1", "statefulsets", NULL},
	[ASK_DAEMON_SETS] = {"apps/v1", "daemonsets", NULL},
	[ASK_CONTROLLERS] = {"", "replicationcontrollers", NULL},
	[ASK_CLAIMS] = {"", "persistentvolumeclaims", "claims"},
};

static bool has_claims(const cJSON *pod)
{
	const cJSON *volume;

	cJSON_ArrayForEach (volume, json_at(pod, "spec.volumes"))
		if (json_member(volume, "persistentVolumeClaim"))
			return true;
	return false;
}

static int put(cJSON *document, const char *key, cJSON **value, struct err *err)
{
	if (!*value)
		return 0;
	return json_set_node(document, key, TAKE_PTR(*value)) < 0 ? err_no_memory(err) : 0;
}

/* Kinds are not told in the items of a list. */
static int add_workloads(cJSON *document, struct kube_question *question, const char *kind,
                         struct err *err)
{
	cJSON *all = json_member(document, "workloads"), *item;

	if (!question->answer)
		return 0;
	if (!all) {
		all = cJSON_CreateArray();
		if (json_set_node(document, "workloads", all) < 0)
			return err_no_memory(err);
	}
	while ((item = cJSON_DetachItemFromArray(question->answer, 0)))
		if (json_set_string(item, "kind", kind) < 0 || json_add_node(all, item) < 0)
			return err_no_memory(err);
	return 0;
}

static int ask_namespace(struct kube *kube, const struct kube_choice *choice, cJSON *document,
                         struct err *err)
{
	static const char *const kinds[ASK_COUNT] = {
		[ASK_REPLICA_SETS] = "ReplicaSet",           [ASK_DEPLOYMENTS] = "Deployment",
		[ASK_STATEFUL_SETS] = "StatefulSet",         [ASK_DAEMON_SETS] = "DaemonSet",
		[ASK_CONTROLLERS] = "ReplicationController",
	};
	struct kube_question questions[ASK_COUNT] = {0};
	const char *node = json_string(choice->pod, "spec.nodeName");
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		questions[i].list = true;
		if (i != ASK_CLAIMS || has_claims(choice->pod))
			questions[i].path =
				kube_path(lists[i].group_version, kube->config.name_space,
			                  lists[i].resource, NULL, NULL);
	}
	if (node)
		questions[ASK_NODE].path = kube_path("", NULL, "nodes", node, NULL);
	kube_ask(kube, questions, ASK_COUNT);
	for (size_t i = 0; i < ASK_COUNT && result == 0; i++) {
		if (questions[i].path && !questions[i].answer)
			report(&kube->reporter, REPORT_DETAIL, "%s", questions[i].err.message);
		if (i == ASK_NODE)
			result = put(document, "node", &questions[i].answer, err);
		else if (lists[i].key)
			result = put(document, lists[i].key, &questions[i].answer, err);
		else
			result = add_workloads(document, &questions[i], kinds[i], err);
	}
	kube_questions_release(questions, ASK_COUNT);
	return result;
}

/* ---- the release ---- */

static const cJSON *status_of(const cJSON *pod, const char *container)
{
	const cJSON *status;

	cJSON_ArrayForEach (status, json_at(pod, "status.containerStatuses")) {
		const char *name = json_string(status, "name");

		if (name && container && !strcmp(name, container))
			return status;
	}
	return NULL;
}

static char *copy_of(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int fill_release(struct kube *kube, const struct kube_choice *choice, struct release *ret,
                        struct err *err)
{
	const cJSON *pod_template = choice->pod_template ? choice->pod_template : choice->pod;
	const cJSON *named = choice->workload ? choice->workload : choice->pod;
	const cJSON *container = kube_clone_container(pod_template, kube->settings.container, err);
	const cJSON *status = status_of(choice->pod, json_string(container, "name"));
	const char *digest = json_string(status, "imageID");

	if (!container)
		return -1;
	ret->id = copy_of(json_string(choice->pod ? choice->pod : named, "metadata.uid"));
	ret->name = copy_of(json_string(named, "metadata.name"));
	ret->image = copy_of(json_string(container, "image"));
	ret->digest = digest && *digest ? strdup(digest) : NULL;
	ret->workdir = copy_of(json_string(container, "workingDir"));
	ret->console = copy_of(cJSON_GetStringValue(
		json_member(json_at(pod_template, "metadata.annotations"), CONSOLE_ANNOTATION)));
	ret->running = choice->pod != NULL;
	ret->status = strdup(choice->pod ? "running" : "no pod of it runs");
	if (!ret->id || !ret->name || !ret->status)
		return err_set(err, ERR_PROTOCOL, "the source has no name or uid");
	if (release_declare(ret, json_at(pod_template, "metadata.annotations"), OUR_ANNOTATIONS,
	                    err) < 0)
		return -1;
	return release_declare(ret, json_at(named, "metadata.annotations"), OUR_ANNOTATIONS, err);
}

static int remember(struct kube *kube, const struct source *source, const cJSON *document,
                    struct err *err)
{
	const cJSON *workload = json_member(document, "workload");

	free(kube->source);
	free(kube->architecture);
	json_free(&kube->workload);
	kube->workload = workload ? cJSON_Duplicate(workload, true) : NULL;
	kube->source = strdup(source->text);
	kube->architecture = copy_of(json_string(document, "node.status.nodeInfo.architecture"));
	return kube->source ? 0 : err_no_memory(err);
}

int kube_find(struct backend *backend, const struct source *source, struct release *ret,
              struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_(kube_choice_release) struct kube_choice choice = {.pod = NULL};
	_cleanup_(json_free) cJSON *document = cJSON_CreateObject();
	_cleanup_(release_release) struct release release = {.id = NULL};

	if (!document)
		return err_no_memory(err);
	if (choose_source(kube, source, &choice, err) < 0)
		return -1;
	if (*choice.note && choice.pod)
		report(&kube->reporter, REPORT_NOTE, "%s", choice.note);
	if (ask_namespace(kube, &choice, document, err) < 0 ||
	    fill_release(kube, &choice, &release, err) < 0 ||
	    put(document, "podTemplate", &choice.pod_template, err) < 0 ||
	    put(document, "pod", &choice.pod, err) < 0 ||
	    put(document, "workload", &choice.workload, err) < 0 ||
	    remember(kube, source, document, err) < 0)
		return -1;
	kube_ask_user(kube);
	release.user = copy_of(kube->user);
	release.document = TAKE_PTR(document);
	*ret = release;
	release = (struct release){.id = NULL};
	return 0;
}
