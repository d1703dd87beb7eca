/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

static const char asked_why[] = "asked with -e";

struct environment {
	struct rule_context *context;
	cJSON *list;     /* what is sent so far */
	bool from_whole; /* envFrom: variables may come that we cannot see */
	struct err *err;
};

/* The entry that counts: of a name that stands twice the last one. */
static cJSON *find_entry(const cJSON *list, const char *name)
{
	cJSON *entry, *found = NULL;

	cJSON_ArrayForEach (entry, list) {
		const char *text = json_string(entry, "name");

		if (text != NULL && strcmp(text, name) == 0)
			found = entry;
	}
	return found;
}

/* What a row shows of an entry: its value, or where it comes from. */
static const cJSON *shown(const cJSON *entry, const cJSON *empty)
{
	const cJSON *value = json_member(entry, "value");

	if (value == NULL)
		value = json_member(entry, "valueFrom");
	if (value == NULL && entry != NULL)
		return empty;
	return value;
}

static int report(struct environment *environment, const char *name, const cJSON *was,
                  const cJSON *now, const char *why)
{
	_cleanup_(json_free) cJSON *empty = cJSON_CreateString("");

	if (empty == NULL)
		return err_no_memory(environment->err);
	return rule_report(environment->context, plan_difference(was, now), "env", name,
	                   shown(was, empty), shown(now, empty), why, environment->err);
}

static cJSON *new_entry(const char *name, const char *value)
{
	_cleanup_(json_free) cJSON *entry = cJSON_CreateObject();

	if (entry == NULL || value == NULL || json_set_string(entry, "name", name) < 0 ||
	    json_set_string(entry, "value", value) < 0)
		return NULL;
	return TAKE_PTR(entry);
}

/* In its old place where it has one, since later variables may refer to it. The kubelet expands
 * values: what is typed is escaped. */
static int set_variable(struct environment *environment, const char *name, const char *value,
                        const char *why)
{
	_cleanup_free_ char *escaped = kube_escape(value);
	cJSON *entry = new_entry(name, escaped);
	cJSON *old = find_entry(environment->list, name);
	int result;

	if (entry == NULL)
		return err_no_memory(environment->err);
	result = report(environment, name, old, entry, why);
	if (old != NULL) {
		if (!cJSON_ReplaceItemViaPointer(environment->list, old, entry)) {
			json_free(&entry);
			return err_no_memory(environment->err);
		}
	} else if (json_add_node(environment->list, entry) < 0) {
		return err_no_memory(environment->err);
	}
	return result;
}

static int remove_variable(struct environment *environment, const char *name)
{
	const char *why =
		environment->from_whole
			? "asked with -e; what is read whole by envFrom may still bring it"
			: asked_why;
	cJSON *entry = find_entry(environment->list, name);

	if (entry == NULL && environment->from_whole)
		return rule_report(environment->context, PLAN_DROPPED, "env", name, NULL, NULL, why,
		                   environment->err);
	if (entry != NULL && report(environment, name, entry, NULL, why) < 0)
		return -1;
	for (; entry != NULL; entry = find_entry(environment->list, name))
		cJSON_Delete(cJSON_DetachItemViaPointer(environment->list, entry));
	return 0;
}

static int add_asked(struct environment *environment, const struct strv *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *equals = strchr(list->items[i], '=');
		_cleanup_free_ char *name = strndup(list->items[i], strcspn(list->items[i], "="));
		int result;

		if (name == NULL)
			return err_no_memory(environment->err);
		if (request_env_is_overruled(list, i))
			continue;
		result = equals != NULL ? set_variable(environment, name, equals + 1, asked_why)
		                        : remove_variable(environment, name);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int add_ours(struct environment *environment)
{
	const struct kube_clone_input *input = kube_state(environment->context)->input;
	const struct request *request = input->request;

	if (set_variable(environment, "ONEOFF", "1", "tells the task that it is a one-off") < 0 ||
	    set_variable(environment, "ONEOFF_ID", input->id, "tells the task its id") < 0)
		return -1;
	if (!request->tty || request->term == NULL || find_entry(environment->list, "TERM") != NULL)
		return 0;
	return set_variable(environment, "TERM", request->term, "the kind of your terminal");
}

/* One row for all that stays; what -e or we replace has rows of its own. */
static int report_kept(struct environment *environment, const struct rule *rule, const cJSON *node)
{
	const struct request *request = kube_state(environment->context)->input->request;
	_cleanup_(json_free) cJSON *kept = cJSON_CreateArray();
	const cJSON *entry;

	if (kept == NULL)
		return err_no_memory(environment->err);
	cJSON_ArrayForEach (entry, node) {
		const char *name = json_string(entry, "name");

		if (strcmp(name, "ONEOFF") == 0 || strcmp(name, "ONEOFF_ID") == 0 ||
		    strv_find_key(&request->env, name) != NULL)
			continue;
		if (json_add_node(kept, cJSON_Duplicate(entry, true)) < 0)
			return err_no_memory(environment->err);
	}
	return rule_changed(environment->context, rule->path, kept, kept, rule->why,
	                    environment->err);
}

int kube_env(struct rule_context *context, const struct rule *rule, const cJSON *node,
             struct err *err)
{
	_cleanup_(json_free) cJSON *list =
		cJSON_IsArray(node) ? cJSON_Duplicate(node, true) : cJSON_CreateArray();
	struct environment environment = {
		.context = context,
		.list = list,
		.from_whole = !json_is_unset(json_member(context->source, "envFrom")),
		.err = err,
	};

	if (list == NULL)
		return err_no_memory(err);
	if (report_kept(&environment, rule, node) < 0 || add_ours(&environment) < 0 ||
	    add_asked(&environment, &kube_state(context)->input->request->env) < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}
