/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/kube.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct known_kind {
	const char *group_version, *resource, *kind, *template_path;
	const char *names[5]; /* besides the resource */
};

/* Kinds of every cluster: their paths are fixed, nobody has to be asked. */
static const struct known_kind known[] = {
	{"apps/v1", "deployments", "Deployment", "spec.template", {"deploy", "deployment"}},
	{"apps/v1", "statefulsets", "StatefulSet", "spec.template", {"sts", "statefulset"}},
	{"apps/v1", "daemonsets", "DaemonSet", "spec.template", {"ds", "daemonset"}},
	{"apps/v1", "replicasets", "ReplicaSet", "spec.template", {"rs", "replicaset"}},
	{"",
         "replicationcontrollers",
         "ReplicationController",
         "spec.template",
         {"rc", "replicationcontroller"}},
	{"batch/v1", "jobs", "Job", "spec.template", {"job"}},
	{"batch/v1", "cronjobs", "CronJob", "spec.jobTemplate.spec.template", {"cj", "cronjob"}},
	{"", "pods", "Pod", NULL, {"po", "pod"}},
	{"", "services", "Service", NULL, {"svc", "service"}},
};

static void set(struct kube_kind *ret, const char *group_version, const char *resource,
                const char *kind, const char *template_path)
{
	snprintf(ret->group_version, sizeof(ret->group_version), "%s", group_version);
	snprintf(ret->resource, sizeof(ret->resource), "%s", resource);
	snprintf(ret->kind, sizeof(ret->kind), "%s", kind);
	ret->template_path = template_path;
}

static bool is_named(const struct known_kind *row, const char *name, size_t length)
{
	if (strlen(row->resource) == length && !strncasecmp(row->resource, name, length))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(row->names) && row->names[i]; i++)
		if (strlen(row->names[i]) == length && !strncasecmp(row->names[i], name, length))
			return true;
	return false;
}

/* "deployments.apps" names the group, too; it may only be that kind's own. */
static bool is_group_of(const struct known_kind *row, const char *group)
{
	size_t length = strcspn(row->group_version, "/");

	return !*group || (strlen(group) == length && !strncmp(row->group_version, group, length));
}

/* Both forms of discovery name the same things in their own words. */
static const char *const aggregated_keys[] = {"resource", "singularResource", "responseKind.kind"};
static const char *const plain_keys[] = {"name", "singularName", "kind"};

static bool matches(const cJSON *resource, const char *const keys[3], const char *name,
                    size_t length)
{
	const cJSON *short_name;

	for (size_t i = 0; i < 3; i++) {
		const char *own = json_string(resource, keys[i]);

		if (own && strlen(own) == length && !strncasecmp(own, name, length))
			return true;
	}
	cJSON_ArrayForEach (short_name, json_member(resource, "shortNames")) {
		const char *own = cJSON_GetStringValue(short_name);

		if (own && strlen(own) == length && !strncasecmp(own, name, length))
			return true;
	}
	return false;
}

/* In one group of the aggregated discovery document (API concepts, "Aggregated discovery"); its first version is the
 * preferred one. */
static bool find_in_group(const cJSON *group, const char *name, size_t length,
                          struct kube_kind *ret)
{
	const char *group_name = json_string(group, "metadata.name");
	const cJSON *version, *resource;

	cJSON_ArrayForEach (version, json_member(group, "versions")) {
		const char *version_name = json_string(version, "version");

		cJSON_ArrayForEach (resource, json_member(version, "resources")) {
			const char *plural = json_string(resource, "resource");
			const char *kind = json_string(resource, "responseKind.kind");
			char group_version[128];

			if (!group_name || !version_name || !plural || !kind ||
			    !matches(resource, aggregated_keys, name, length))
				continue;
			snprintf(group_version, sizeof(group_version), "%s/%s", group_name,
			         version_name);
			set(ret, group_version, plural, kind, "spec.template");
			return true;
		}
	}
	return false;
}

/* ---- servers before 1.26, and whatever stands in front of one: a list of groups, a list for each ---- */

static bool find_in_list(const cJSON *list, const char *name, size_t length, struct kube_kind *ret)
{
	const char *group_version = json_string(list, "groupVersion");
	const cJSON *resource;

	cJSON_ArrayForEach (resource, json_member(list, "resources")) {
		const char *plural = json_string(resource, "name");
		const char *kind = json_string(resource, "kind");

		if (!group_version || !plural || !kind || strchr(plural, '/') ||
		    !matches(resource, plain_keys, name, length))
			continue;
		set(ret, group_version, plural, kind, "spec.template");
		return true;
	}
	return false;
}

/* Asks for as many groups as fit side by side. True when one has the kind. */
static bool ask_groups(struct kube *kube, const cJSON **group, const char *wanted_group,
                       const char *name, size_t length, struct kube_kind *ret)
{
	struct kube_question questions[KUBE_MAX_QUESTIONS] = {0};
	bool found = false;
	size_t count = 0;

	for (; *group && count < KUBE_MAX_QUESTIONS; *group = (*group)->next) {
		const char *own = json_string(*group, "name");
		const char *version = json_string(*group, "preferredVersion.groupVersion");

		if (!version || (*wanted_group && (!own || strcmp(own, wanted_group))))
			continue;
		if (asprintf(&questions[count].path, "/apis/%s", version) >= 0)
			count++;
	}
	kube_ask(kube, questions, count);
	for (size_t i = 0; i < count && !found; i++)
		found = find_in_list(questions[i].answer, name, length, ret);
	kube_questions_release(questions, count);
	return found;
}

static bool find_plainly(struct kube *kube, const cJSON *groups, const char *wanted_group,
                         const char *name, size_t length, struct kube_kind *ret)
{
	const cJSON *group = groups ? groups->child : NULL;

	while (group)
		if (ask_groups(kube, &group, wanted_group, name, length, ret))
			return true;
	return false;
}

static int ask_server(struct kube *kube, const char *name, size_t length, const char *group,
                      struct kube_kind *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	const cJSON *item;

	if (kube_call_as(kube, "/apis",
	                 "Accept: application/json;g=apidiscovery.k8s.io;v=v2;"
	                 "as=APIGroupDiscoveryList,application/json",
	                 &document, err) < 0)
		return err_wrap(err, "which kinds are there?");
	cJSON_ArrayForEach (item, json_member(document, "items")) {
		const char *own = json_string(item, "metadata.name");

		if ((!*group || (own && !strcmp(own, group))) &&
		    find_in_group(item, name, length, ret))
			return 0;
	}
	if (find_plainly(kube, json_member(document, "groups"), group, name, length, ret))
		return 0;
	err_set(err, ERR_USAGE, "the cluster has no kind '%.*s%s%s' that runs pods", (int)length,
	        name, *group ? "." : "", group);
	return err_hint(err, "for example deploy/NAME, sts/NAME, pod/NAME or svc/NAME");
}

int kube_discover(struct kube *kube, const char *name, struct kube_kind *ret, struct err *err)
{
	size_t length = strcspn(name, ".");
	const char *group = name[length] ? name + length + 1 : "";

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (!is_named(&known[i], name, length) || !is_group_of(&known[i], group))
			continue;
		set(ret, known[i].group_version, known[i].resource, known[i].kind,
		    known[i].template_path);
		return 0;
	}
	return ask_server(kube, name, length, group, ret, err);
}
