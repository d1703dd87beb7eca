/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "pkg/kube/clone_calls.h"
#include "pkg/kube/cronjob.h"

/* The two pod templates, and where to tell. */
struct comparison {
	const cJSON *live, *fresh;
	struct strv *lines;
	bool failed;
};

static void tell(struct comparison *comparison, char *line)
{
	if (!line || strv_take(comparison->lines, line) < 0)
		comparison->failed = true;
}

static char *text_of(const cJSON *node)
{
	struct strbuf text = STRBUF_INIT;
	char *result;

	if (node && !json_is_unset(node) && cJSON_IsString(node))
		strbuf_adds(&text, node->valuestring);
	else if (node && !json_is_unset(node))
		json_print(node, false, &text);
	else
		strbuf_adds(&text, "none");
	result = strbuf_take(&text);
	strbuf_release(&text);
	return result;
}

/* Unset and not there are the same. */
static bool is_same(const cJSON *left, const cJSON *right)
{
	if (json_is_unset(left) || json_is_unset(right))
		return json_is_unset(left) && json_is_unset(right);
	return json_equal(left, right);
}

static void add_difference(struct comparison *comparison, const char *what, const cJSON *live,
                           const cJSON *fresh)
{
	_cleanup_free_ char *was = text_of(live), *now = text_of(fresh);
	char *line = NULL;

	if (is_same(live, fresh))
		return;
	if (!was || !now || asprintf(&line, "%s: %.300s, now %.300s", what, was, now) < 0)
		line = NULL;
	tell(comparison, line);
}

static void add_change(struct comparison *comparison, const char *what, const char *name,
                       const char *where, const char *how)
{
	char *line = NULL;

	if (asprintf(&line, "%s '%s' of %s: %s", what, name, where, how) < 0)
		line = NULL;
	tell(comparison, line);
}

/* The entry of a list whose `key` is that of `entry`; NULL: there is none. */
static const cJSON *find_like(const cJSON *list, const cJSON *entry, const char *key)
{
	const char *name = json_string(entry, key);
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		const char *other = json_string(item, key);

		if (name && other && !strcmp(name, other))
			return item;
	}
	return NULL;
}

/* Two lists whose entries are known by `key`; values are not shown. Their order is the server's to choose when it merges
 * what is applied; where ours changed, the hash tells. */
static void compare_lists(struct comparison *comparison, const char *what, const char *where,
                          const char *key, const cJSON *live, const cJSON *fresh)
{
	const cJSON *entry;

	if (is_same(live, fresh))
		return;
	cJSON_ArrayForEach (entry, fresh) {
		const cJSON *old = find_like(live, entry, key);
		const char *name = json_string(entry, key);

		if (!is_same(old, entry))
			add_change(comparison, what, name ? name : "?", where,
			           old ? "changed" : "added");
	}
	cJSON_ArrayForEach (entry, live) {
		const char *name = json_string(entry, key);

		if (!find_like(fresh, entry, key))
			add_change(comparison, what, name ? name : "?", where, "removed");
	}
}

static void compare_container(struct comparison *comparison, const char *name, const cJSON *live,
                              const cJSON *fresh)
{
	_cleanup_(strbuf_release) struct strbuf where = STRBUF_INIT, image = STRBUF_INIT;

	strbuf_addf(&where, "container '%s'", name);
	strbuf_addf(&image, "image of container '%s'", name);
	add_difference(comparison, strbuf_str(&image), json_member(live, "image"),
	               json_member(fresh, "image"));
	compare_lists(comparison, "variable", strbuf_str(&where), "name", json_member(live, "env"),
	              json_member(fresh, "env"));
	if (!is_same(json_member(live, "envFrom"), json_member(fresh, "envFrom")))
		add_change(comparison, "variables read", "envFrom", strbuf_str(&where), "changed");
	compare_lists(comparison, "mount", strbuf_str(&where), "mountPath",
	              json_member(live, "volumeMounts"), json_member(fresh, "volumeMounts"));
	compare_lists(comparison, "device", strbuf_str(&where), "devicePath",
	              json_member(live, "volumeDevices"), json_member(fresh, "volumeDevices"));
}

static void compare_containers(struct comparison *comparison, const char *key)
{
	const cJSON *live = json_member(json_member(comparison->live, "spec"), key);
	const cJSON *fresh = json_member(json_member(comparison->fresh, "spec"), key);
	const cJSON *container;

	cJSON_ArrayForEach (container, fresh) {
		const char *name = json_string(container, "name");
		const cJSON *old = find_like(live, container, "name");

		if (old)
			compare_container(comparison, name, old, container);
		else
			add_change(comparison, "container", name ? name : "?", key, "added");
	}
	cJSON_ArrayForEach (container, live) {
		const char *name = json_string(container, "name");

		if (!find_like(fresh, container, "name"))
			add_change(comparison, "container", name ? name : "?", key, "removed");
	}
}

static const char *recorded_hash(const cJSON *document)
{
	const cJSON *annotations = json_at(document, "metadata.annotations");

	return cJSON_GetStringValue(json_member(annotations, CRONJOB_TEMPLATE));
}

/* The rest, which the server fills with defaults of its own: judged by what was sent. */
static void compare_hash(struct comparison *comparison, const cJSON *live, const cJSON *fresh)
{
	const char *was = recorded_hash(live), *now = recorded_hash(fresh);

	if (comparison->lines->count > 0 || (was && now && !strcmp(was, now)))
		return;
	tell(comparison,
	     strdup(was ? "something else of the pod: limits, labels, command or the like"
	                : "it has no record of what it was made from"));
}

int cronjob_compare(const cJSON *live, const cJSON *fresh, struct strv *ret)
{
	struct comparison comparison = {
		.live = json_at(live, "spec.jobTemplate.spec.template"),
		.fresh = json_at(fresh, "spec.jobTemplate.spec.template"),
		.lines = ret,
	};

	compare_containers(&comparison, "initContainers");
	compare_containers(&comparison, "containers");
	compare_lists(&comparison, "volume", "the pod", "name",
	              json_at(comparison.live, "spec.volumes"),
	              json_at(comparison.fresh, "spec.volumes"));
	add_difference(&comparison, "service account",
	               json_at(comparison.live, "spec.serviceAccountName"),
	               json_at(comparison.fresh, "spec.serviceAccountName"));
	add_difference(&comparison, "node", json_at(comparison.live, "spec.nodeSelector"),
	               json_at(comparison.fresh, "spec.nodeSelector"));
	compare_hash(&comparison, live, fresh);
	return comparison.failed ? -1 : 0;
}
