/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pod is the app as it runs now, and which template it was made from. A rollout has two revisions alive; a
 * template alone may be the one that never became ready.
 */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/number.h"

#define REVISION_ANNOTATION "deployment.kubernetes.io/revision"
#define HASH_LABEL          "controller-revision-hash"

void kube_choice_release(struct kube_choice *choice)
{
	json_free(&choice->pod_template);
	json_free(&choice->pod);
	json_free(&choice->workload);
	*choice = (struct kube_choice){.pod = NULL};
}

/* ---- selectors as queries ---- */

static void add_term(struct strbuf *terms, const char *text)
{
	if (terms->length)
		strbuf_addc(terms, ',');
	strbuf_adds(terms, text);
}

static void add_expression(const cJSON *expression, struct strbuf *terms)
{
	const char *key = json_string(expression, "key");
	const char *operation = json_string(expression, "operator");
	const cJSON *value;
	bool first = true;

	if (!key || !operation)
		return;
	if (!strcmp(operation, "Exists") || !strcmp(operation, "DoesNotExist")) {
		add_term(terms, operation[0] == 'D' ? "!" : "");
		strbuf_adds(terms, key);
		return;
	}
	add_term(terms, key);
	strbuf_addf(terms, " %s (", !strcmp(operation, "NotIn") ? "notin" : "in");
	cJSON_ArrayForEach (value, json_member(expression, "values")) {
		strbuf_addf(terms, "%s%s", first ? "" : ",",
		            cJSON_IsString(value) ? value->valuestring : "");
		first = false;
	}
	strbuf_addc(terms, ')');
}

void kube_add_selector(const cJSON *selector, struct strbuf *query)
{
	_cleanup_(strbuf_release) struct strbuf terms = STRBUF_INIT;
	const cJSON *labels = json_member(selector, "matchLabels");
	const cJSON *expressions = json_member(selector, "matchExpressions");
	const cJSON *item;

	if (!labels && !expressions)
		labels = selector;
	cJSON_ArrayForEach (item, labels) {
		if (!cJSON_IsString(item))
			continue;
		add_term(&terms, item->string);
		strbuf_addf(&terms, "=%s", item->valuestring);
	}
	cJSON_ArrayForEach (item, expressions)
		add_expression(item, &terms);
	strbuf_adds(query, "labelSelector=");
	strbuf_add_url(query, strbuf_str(&terms));
	query->failed |= terms.failed;
}

/* ---- pods ---- */

bool kube_is_ready(const cJSON *pod)
{
	const char *phase = json_string(pod, "status.phase");
	const cJSON *condition;

	if (!phase || strcmp(phase, "Running") || json_at(pod, "metadata.deletionTimestamp"))
		return false;
	cJSON_ArrayForEach (condition, json_at(pod, "status.conditions")) {
		const char *type = json_string(condition, "type");
		const char *status = json_string(condition, "status");

		if (type && status && !strcmp(type, "Ready"))
			return !strcmp(status, "True");
	}
	return false;
}

static bool is_alive(const cJSON *pod)
{
	const char *phase = json_string(pod, "status.phase");

	return phase && !strcmp(phase, "Running") && !json_at(pod, "metadata.deletionTimestamp");
}

/* The owner that controls an object, or NULL. */
static const cJSON *controller_of(const cJSON *object)
{
	const cJSON *owner;

	cJSON_ArrayForEach (owner, json_at(object, "metadata.ownerReferences"))
		if (json_true(owner, "controller"))
			return owner;
	return NULL;
}

static bool is_owned_by(const cJSON *object, const char *uid)
{
	const char *own = json_string(controller_of(object), "uid");

	return own && uid && !strcmp(own, uid);
}

static const cJSON *find_uid(const cJSON *list, const char *uid)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		const char *own = json_string(item, "metadata.uid");

		if (own && uid && !strcmp(own, uid))
			return item;
	}
	return NULL;
}

static const char *label_of(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(json_member(json_at(object, "metadata.labels"), name));
}

static int64_t revision_of(const cJSON *replica_set)
{
	const cJSON *text =
		json_member(json_at(replica_set, "metadata.annotations"), REVISION_ANNOTATION);
	int64_t number = 0;

	if (cJSON_IsString(text) && parse_int64(text->valuestring, 0, INT64_MAX, &number) < 0)
		number = 0;
	return number;
}

/* ---- the choice among a workload's pods ---- */

struct candidates {
	const cJSON *workload;
	const cJSON *pods, *replica_sets; /* arrays; replica_sets NULL when there are none */
	int revision;                     /* enum revision_choice */
};

/* Without the right to see ReplicaSets their names must do: WORKLOAD-HASH, the hash as the pod has it. */
static bool is_owned_by_name(const cJSON *workload, const cJSON *pod)
{
	const char *name = json_string(workload, "metadata.name");
	const char *owner = json_string(controller_of(pod), "name");
	const char *hash = label_of(pod, "pod-template-hash");
	size_t length = name ? strlen(name) : 0;

	return name && owner && hash && !strncmp(owner, name, length) && owner[length] == '-' &&
	       !strcmp(owner + length + 1, hash);
}

/* How new the revision of a pod is: the ReplicaSet's number, or 1 and 0 for StatefulSets and DaemonSets. -1: it is
 * not this workload's. */
static int64_t newness(const struct candidates *candidates, const cJSON *pod)
{
	const char *uid = json_string(candidates->workload, "metadata.uid");
	const char *update = json_string(candidates->workload, "status.updateRevision");
	const char *hash = label_of(pod, HASH_LABEL);
	const cJSON *set;

	if (is_owned_by(pod, uid))
		return update && hash ? !strcmp(update, hash) : 0;
	if (!candidates->replica_sets)
		return is_owned_by_name(candidates->workload, pod) ? 0 : -1;
	set = find_uid(candidates->replica_sets, json_string(controller_of(pod), "uid"));
	return set && is_owned_by(set, uid) ? revision_of(set) : -1;
}

static int64_t newest_revision(const struct candidates *candidates)
{
	const char *uid = json_string(candidates->workload, "metadata.uid");
	int64_t newest = 0;
	const cJSON *set;

	if (json_string(candidates->workload, "status.updateRevision"))
		return 1;
	cJSON_ArrayForEach (set, candidates->replica_sets)
		if (is_owned_by(set, uid) && revision_of(set) > newest)
			newest = revision_of(set);
	return newest;
}

/* Ready before running, then the newer revision, then the younger pod. */
static bool is_better(const struct candidates *candidates, const cJSON *pod, const cJSON *best)
{
	const char *made = json_string(pod, "metadata.creationTimestamp");
	const char *best_made = json_string(best, "metadata.creationTimestamp");
	int64_t own, other;

	if (!best)
		return true;
	if (kube_is_ready(pod) != kube_is_ready(best))
		return kube_is_ready(pod);
	own = newness(candidates, pod);
	other = newness(candidates, best);
	if (own != other)
		return own > other;
	return made && best_made && strcmp(made, best_made) > 0;
}

static const cJSON *choose(const struct candidates *candidates)
{
	int64_t newest = newest_revision(candidates);
	const cJSON *pod, *best = NULL;

	cJSON_ArrayForEach (pod, candidates->pods) {
		int64_t own = newness(candidates, pod);

		if (own < 0 || !is_alive(pod) ||
		    (candidates->revision == REVISION_NEW && own != newest) ||
		    (candidates->revision == REVISION_OLD && own == newest))
			continue;
		if (is_better(candidates, pod, best))
			best = pod;
	}
	return best;
}

static void note_choice(const struct candidates *candidates, const cJSON *pod,
                        struct kube_choice *ret)
{
	const char *name = json_string(pod, "metadata.name");

	if (!pod) {
		snprintf(ret->note, sizeof(ret->note),
		         "no pod of it runs: the task gets the template, its image by tag");
	} else if (newness(candidates, pod) != newest_revision(candidates) &&
	           candidates->revision == REVISION_CURRENT) {
		snprintf(
			ret->note, sizeof(ret->note),
			"a rollout is under way and its new revision is not ready: the task is like "
			"'%s' of the old one (--revision new for the other)",
			name ? name : "?");
	} else if (!kube_is_ready(pod)) {
		snprintf(ret->note, sizeof(ret->note),
		         "no pod of it is ready; the task is like '%s'", name ? name : "?");
	}
}

/* ---- templates ---- */

static int take_copy(const cJSON *from, cJSON **ret, struct err *err)
{
	if (!from)
		return 0;
	*ret = cJSON_Duplicate(from, true);
	return *ret ? 0 : err_no_memory(err);
}

/* StatefulSets and DaemonSets keep old templates as ControllerRevisions. */
static int template_of_revision(struct kube *kube, const cJSON *workload, const cJSON *pod,
                                cJSON **ret, struct err *err)
{
	const char *hash = label_of(pod, HASH_LABEL);
	const char *update = json_string(workload, "status.updateRevision");
	const char *owner = json_string(workload, "metadata.name");
	_cleanup_(strbuf_release) struct strbuf name = STRBUF_INIT;
	_cleanup_(json_free) cJSON *revision = NULL;
	_cleanup_free_ char *path = NULL;

	if (!hash || !owner || (update && !strcmp(update, hash)))
		return take_copy(json_at(workload, "spec.template"), ret, err);
	if (strncmp(hash, owner, strlen(owner)))
		strbuf_addf(&name, "%s-", owner);
	strbuf_adds(&name, hash);
	path = kube_path("apps/v1", kube->config.name_space, "controllerrevisions",
	                 strbuf_str(&name), NULL);
	if (!path || name.failed)
		return err_no_memory(err);
	if (kube_call(kube, "GET", path, NULL, &revision, err) < 0) {
		if (err->http_status != 403 && err->http_status != 404)
			return -1;
		*err = (struct err)ERR_INIT;
		return take_copy(json_at(workload, "spec.template"), ret, err);
	}
	return take_copy(json_at(revision, "data.spec.template"), ret, err);
}

static int template_for(struct kube *kube, const struct kube_kind *kind,
                        const struct candidates *candidates, const cJSON *pod, cJSON **ret,
                        struct err *err)
{
	const cJSON *set =
		find_uid(candidates->replica_sets, json_string(controller_of(pod), "uid"));

	if (pod && set)
		return take_copy(json_at(set, "spec.template"), ret, err);
	if (pod && (!strcmp(kind->kind, "StatefulSet") || !strcmp(kind->kind, "DaemonSet")))
		return template_of_revision(kube, candidates->workload, pod, ret, err);
	return take_copy(json_at(candidates->workload, kind->template_path), ret, err);
}

static char *list_path(const struct kube *kube, const char *group_version, const char *resource,
                       const cJSON *selector)
{
	_cleanup_(strbuf_release) struct strbuf query = STRBUF_INIT;

	strbuf_addc(&query, '?');
	kube_add_selector(selector, &query);
	if (query.failed)
		return NULL;
	return kube_path(group_version, kube->config.name_space, resource, NULL,
	                 strbuf_str(&query));
}

/* A CronJob's pods belong to its Jobs, which come and go: its template says all. */
static bool has_lasting_pods(const struct kube_kind *kind)
{
	return strcmp(kind->kind, "CronJob") != 0;
}

int kube_choose_of(struct kube *kube, const struct kube_kind *kind, cJSON *workload, int revision,
                   struct kube_choice *ret, struct err *err)
{
	const cJSON *selector = json_at(workload, "spec.selector");
	struct kube_question questions[2] = {{.list = true}, {.list = true}};
	struct candidates candidates = {.workload = workload, .revision = revision};
	const cJSON *pod = NULL;
	int result = -1;

	ret->workload = workload;
	if (!json_at(workload, kind->template_path))
		return err_set(err, ERR_USAGE, "a %s has no pod template", kind->kind);
	if (selector && has_lasting_pods(kind)) {
		questions[0].path = list_path(kube, "", "pods", selector);
		questions[1].path = list_path(kube, "apps/v1", "replicasets", selector);
		kube_ask(kube, questions, 2);
		if (!questions[0].answer) {
			*err = questions[0].err;
			err_wrap(err, "which pods are there?");
			goto done;
		}
	}
	candidates.pods = questions[0].answer;
	candidates.replica_sets = questions[1].answer;
	pod = choose(&candidates);
	note_choice(&candidates, pod, ret);
	if (!pod && revision != REVISION_CURRENT && candidates.pods) {
		err_set(err, ERR_NOT_FOUND, "no pod of the %s revision runs",
		        revision == REVISION_NEW ? "new" : "old");
		goto done;
	}
	if (template_for(kube, kind, &candidates, pod, &ret->pod_template, err) < 0 ||
	    take_copy(pod, &ret->pod, err) < 0)
		goto done;
	result = 0;
done:
	kube_questions_release(questions, 2);
	return result;
}

/* ---- one pod ---- */

/* The object that an owner reference names; NULL without a right to it. */
static int get_owner(struct kube *kube, const cJSON *owner, struct kube_kind *kind, cJSON **ret,
                     struct err *err)
{
	const char *name = json_string(owner, "name"), *kind_name = json_string(owner, "kind");
	_cleanup_free_ char *path = NULL;
	char wanted[300];
	const char *group_version = json_string(owner, "apiVersion");
	size_t group = group_version ? strcspn(group_version, "/") : 0;

	if (!name || !kind_name || !group_version)
		return err_set(err, ERR_PROTOCOL, "a pod's owner has no name");
	if (group_version[group])
		snprintf(wanted, sizeof(wanted), "%.120s.%.*s", kind_name, (int)group,
		         group_version);
	else
		snprintf(wanted, sizeof(wanted), "%.120s", kind_name);
	if (kube_discover(kube, wanted, kind, err) < 0)
		return -1;
	path = kube_path(kind->group_version, kube->config.name_space, kind->resource, name, NULL);
	if (!path)
		return err_no_memory(err);
	return kube_call(kube, "GET", path, NULL, ret, err);
}

int kube_choose_pod(struct kube *kube, cJSON *pod, struct kube_choice *ret, struct err *err)
{
	const cJSON *owner = controller_of(pod);
	_cleanup_(json_free) cJSON *first = NULL;
	struct kube_kind kind = {.template_path = NULL};
	struct err own = ERR_INIT;

	ret->pod = pod;
	/* Without its owner, or the right to see it, the pod speaks for itself. */
	if (!owner || get_owner(kube, owner, &kind, &first, &own) < 0 || !kind.template_path) {
		if (owner)
			report(&kube->reporter, REPORT_DETAIL, "the pod's owner: %s", own.message);
		return 0;
	}
	if (!strcmp(kind.kind, "StatefulSet") || !strcmp(kind.kind, "DaemonSet")) {
		if (template_of_revision(kube, first, pod, &ret->pod_template, err) < 0)
			return -1;
	} else if (take_copy(json_at(first, kind.template_path), &ret->pod_template, err) < 0) {
		return -1;
	}
	owner = controller_of(first);
	if (owner && get_owner(kube, owner, &kind, &ret->workload, &own) == 0)
		return 0;
	ret->workload = TAKE_PTR(first);
	return 0;
}
