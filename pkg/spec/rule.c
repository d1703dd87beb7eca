/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/spec/rule.h"

static const char unknown_field[] = "this version does not know the field";

/* The part of a wildcard row's path before "*" ("Config."), or -1 when the row is none. */
static int wildcard_stem(const char *path)
{
	size_t length = strlen(path);

	if (length == 0 || path[length - 1] != '*')
		return -1;
	if (length == 1)
		return 0;
	return path[length - 2] == '.' ? (int)length - 1 : -1;
}

/* Whether the row claims the member `key` of the object at `parent` ("" for the document), itself
 * or with everything below one of its ancestors. A key with a dot is nobody's but a wildcard's. */
static bool row_claims(const struct rule *row, const char *parent, const char *key)
{
	size_t parent_length = strlen(parent);
	size_t start = parent_length > 0 ? parent_length + 1 : 0;
	int stem = wildcard_stem(row->path);

	if (stem >= 0)
		return (size_t)stem == start && strncmp(row->path, parent, parent_length) == 0;
	if (strncmp(row->path, parent, parent_length) != 0)
		return false;
	if (parent_length > 0 && row->path[parent_length] != '.')
		return false;
	return strchr(key, '.') == NULL && strcmp(row->path + start, key) == 0;
}

static bool row_applies(const struct rule *row, unsigned flags)
{
	return (row->when & flags) == row->when;
}

static bool claimed(const struct rule *rules, size_t count, unsigned flags, const char *parent,
                    const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (row_applies(&rules[i], flags) && row_claims(&rules[i], parent, key))
			return true;
	}
	return false;
}

/* Splits "Config.User" into "Config" and "User"; *ret_key points into the path. NULL: no memory. */
static char *split_parent(const char *path, const char **ret_key)
{
	const char *dot = strrchr(path, '.');

	*ret_key = dot != NULL ? dot + 1 : path;
	return strndup(path, dot != NULL ? (size_t)(dot - path) : 0);
}

int rule_put(struct rule_context *context, const char *path, cJSON *value, struct err *err)
{
	_cleanup_(json_free) cJSON *owned = value;
	cJSON *object = context->target;

	if (owned == NULL)
		return err_no_memory(err);
	for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(path, '.')) {
		_cleanup_free_ char *key = strndup(path, (size_t)(dot - path));

		if (key == NULL)
			return err_no_memory(err);
		object = json_object_for(object, key);
		if (object == NULL)
			return err_set(err, ERR_INTERNAL, "'%s' is no object in the document", key);
		path = dot + 1;
	}
	if (json_set_node(object, path, TAKE_PTR(owned)) < 0)
		return err_no_memory(err);
	return 0;
}

int rule_changed(struct rule_context *context, const char *path, const cJSON *was, const cJSON *now,
                 const char *why, struct err *err)
{
	if (json_is_unset(was) && json_is_unset(now))
		return 0;
	if (json_is_unset(was))
		was = NULL;
	if (plan_add(context->plan, plan_difference(was, now), path, was, now, why) < 0)
		return err_no_memory(err);
	return 0;
}

int rule_set(struct rule_context *context, const struct rule *rule, const cJSON *was, cJSON *now,
             const char *why, struct err *err)
{
	_cleanup_(json_free) cJSON *owned = now;

	if (owned == NULL)
		return err_no_memory(err);
	if (rule_changed(context, rule->path, was, owned, why, err) < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(owned), err);
}

int rule_report(struct rule_context *context, enum plan_action action, const char *path,
                const char *key, const cJSON *was, const cJSON *now, const char *why,
                struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf full = STRBUF_INIT;

	strbuf_addf(&full, "%s.%s", path, key);
	if (full.failed || plan_add(context->plan, action, strbuf_str(&full), was, now, why) < 0)
		return err_no_memory(err);
	return 0;
}

/* Members are put by key, not by path: a wildcard's keys may hold dots. */
static int keep_member(struct rule_context *context, const char *to, const cJSON *node,
                       struct err *err)
{
	int stem = wildcard_stem(to);

	if (stem < 0)
		return rule_put(context, to, cJSON_Duplicate(node, true), err);

	cJSON *object = context->target;
	if (stem > 0) {
		_cleanup_free_ char *parent = strndup(to, (size_t)stem - 1);
		if (parent == NULL)
			return err_no_memory(err);
		object = json_at(context->target, parent);
		if (object == NULL) {
			object = cJSON_CreateObject();
			if (rule_put(context, parent, object, err) < 0)
				return -1;
		}
	}
	if (json_set_node(object, node->string, cJSON_Duplicate(node, true)) < 0)
		return err_no_memory(err);
	return 0;
}

/* Runs one row on one node (NULL: missing), known to people as `path`. */
static int run_row(struct rule_context *context, const struct rule *row, const char *path,
                   const cJSON *node, bool *fired, struct err *err)
{
	bool set = !json_is_unset(node);
	int result = 0;

	if (set || row->op == RULE_CALL)
		*fired = true;
	switch (row->op) {
	case RULE_STATE:
		return 0;
	case RULE_CALL:
		return row->call(context, row, node, err);
	case RULE_KEEP:
		if (node != NULL && keep_member(context, row->to, node, err) < 0)
			return -1;
		if (set)
			result = plan_add(context->plan, PLAN_KEPT, path, node, node, row->why);
		break;
	case RULE_DROP:
		if (set)
			result = plan_add(context->plan, PLAN_DROPPED, path, node, NULL, row->why);
		break;
	}
	return result < 0 ? err_no_memory(err) : 0;
}

static int run_wildcard(const struct rule *rules, size_t index, struct rule_context *context,
                        bool *fired, struct err *err)
{
	const struct rule *row = &rules[index];
	const char *key;
	_cleanup_free_ char *parent = split_parent(row->path, &key);

	if (parent == NULL)
		return err_no_memory(err);

	const cJSON *object = json_at(context->source, parent);
	const cJSON *member;
	if (!cJSON_IsObject(object))
		return 0;
	cJSON_ArrayForEach (member, object) {
		_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

		if (claimed(rules, index, context->flags, parent, member->string))
			continue;
		strbuf_addf(&path, "%s%s%s", parent, parent[0] != '\0' ? "." : "", member->string);
		if (path.failed)
			return err_no_memory(err);
		if (run_row(context, row, strbuf_str(&path), member, fired, err) < 0)
			return -1;
	}
	return 0;
}

/* True when an earlier row that applies has taken this row's node, or an object around it. */
static bool taken_before(const struct rule *rules, size_t index, unsigned flags)
{
	const char *path = rules[index].path;

	for (size_t i = 0; i < index; i++) {
		size_t length = strlen(rules[i].path);
		int stem = wildcard_stem(rules[i].path);

		if (!row_applies(&rules[i], flags))
			continue;
		if (stem >= 0 && strncmp(rules[i].path, path, (size_t)stem) == 0)
			return true;
		if (strncmp(rules[i].path, path, length) == 0 &&
		    (path[length] == '\0' || path[length] == '.'))
			return true;
	}
	return false;
}

static int apply_rows(const struct rule *rules, size_t count, struct rule_context *context,
                      struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		bool fired = false;
		int result;

		if (!row_applies(&rules[i], context->flags))
			continue;
		if (wildcard_stem(rules[i].path) >= 0)
			result = run_wildcard(rules, i, context, &fired, err);
		else if (taken_before(rules, i, context->flags))
			continue;
		else
			result = run_row(context, &rules[i], rules[i].path,
			                 json_at(context->source, rules[i].path), &fired, err);
		if (result < 0)
			return err->message[0] != '\0' ? -1 : err_no_memory(err);
		if (context->fired != NULL && fired)
			context->fired[i] = true;
	}
	return 0;
}

struct walk {
	const struct rule *rules;
	size_t count;
	enum rule_policy policy;
	struct rule_context *context;
	struct err *err;
};

/* True when a row speaks of something inside the object at `path`. */
static bool known_inside(const struct walk *walk, const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < walk->count; i++) {
		const char *row = walk->rules[i].path;

		if (strncmp(row, path, length) == 0 && row[length] == '.')
			return true;
	}
	return false;
}

static int unmatched(const struct walk *walk, cJSON *target, const char *path, const cJSON *node)
{
	if (walk->policy == RULE_UNMATCHED_KEEP &&
	    json_set_node(target, node->string, cJSON_Duplicate(node, true)) < 0)
		return err_no_memory(walk->err);
	if (json_is_unset(node))
		return 0;
	if (walk->policy == RULE_UNMATCHED_REFUSE)
		return err_set(walk->err, ERR_REFUSED, "%s: %s", path, unknown_field);
	if (plan_add(walk->context->plan, PLAN_UNKNOWN, path, node,
	             walk->policy == RULE_UNMATCHED_KEEP ? node : NULL, unknown_field) < 0)
		return err_no_memory(walk->err);
	return 0;
}

/* Visits what no row claimed. The recursion is as deep as the paths in the table, not as the
 * document. */
static int walk_object(const struct walk *walk, const char *parent, const cJSON *object,
                       cJSON *target)
{
	const cJSON *member;

	cJSON_ArrayForEach (member, object) {
		_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
		int result;

		if (claimed(walk->rules, walk->count, walk->context->flags, parent, member->string))
			continue;
		strbuf_addf(&path, "%s%s%s", parent, parent[0] != '\0' ? "." : "", member->string);
		if (path.failed)
			return err_no_memory(walk->err);
		if (cJSON_IsObject(member) && strchr(member->string, '.') == NULL &&
		    known_inside(walk, strbuf_str(&path))) {
			cJSON *inner = NULL;

			if (walk->policy == RULE_UNMATCHED_KEEP) {
				inner = json_object_for(target, member->string);
				if (inner == NULL)
					return err_no_memory(walk->err);
			}
			result = walk_object(walk, strbuf_str(&path), member, inner);
		} else {
			result = unmatched(walk, target, strbuf_str(&path), member);
		}
		if (result < 0)
			return -1;
	}
	return 0;
}

int rules_apply(const struct rule *rules, size_t count, enum rule_policy policy,
                struct rule_context *context, struct err *err)
{
	const struct walk walk = {rules, count, policy, context, err};

	if (apply_rows(rules, count, context, err) < 0)
		return -1;
	return walk_object(&walk, "", context->source, context->target);
}

static const char *row_fault(const struct rule *rules, size_t index)
{
	const struct rule *row = &rules[index];

	if (row->path == NULL || row->path[0] == '\0')
		return "no path";
	if (strchr(row->path, '*') != NULL && wildcard_stem(row->path) < 0)
		return "a wildcard must be the last part";
	if (row->why == NULL || row->why[0] == '\0')
		return "no reason";
	if ((row->op == RULE_CALL) != (row->call != NULL))
		return "a call where none belongs, or none where one does";
	if ((row->op == RULE_STATE || row->op == RULE_DROP) && row->to != NULL)
		return "a target that is never written";
	if (row->op == RULE_KEEP && row->to == NULL)
		return "no target";
	if (row->op == RULE_KEEP &&
	    (wildcard_stem(row->path) >= 0) != (wildcard_stem(row->to) >= 0))
		return "a wildcard on one side only";
	for (size_t i = 0; i < index; i++) {
		if (strcmp(rules[i].path, row->path) == 0 && rules[i].when == row->when)
			return "the row is there twice";
	}
	/* Earlier rows that hold whenever this one does leave nothing for it. */
	return taken_before(rules, index, row->when) ? "an earlier row takes everything" : NULL;
}

int rules_check(const struct rule *rules, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const char *fault = row_fault(rules, i);

		if (fault != NULL)
			return err_set(err, ERR_INTERNAL, "row %zu (%s): %s", i,
			               rules[i].path != NULL ? rules[i].path : "", fault);
	}
	return 0;
}
