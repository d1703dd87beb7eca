/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>
#include "pkg/base/escape.h"
#include "pkg/base/utf8.h"
#include "pkg/spec/plan.h"

#define WIDTH_VALUE 44 /* columns for one value; the rest is cut */
#define WIDTH_PATH  48 /* longer paths push their line to the right */

static int mask_tree(cJSON *node);

static int mask(cJSON *node)
{
	if (!cJSON_IsString(node) || node->valuestring[0] == '\0')
		return 0;
	return cJSON_SetValuestring(node, "***") != NULL ? 0 : -1;
}

/* One entry of an environment: "NAME=VALUE", or {"name": …, "value": …}. */
static int mask_entry(cJSON *entry)
{
	const char *name = json_string(entry, "name");

	if (cJSON_IsObject(entry)) {
		if (name != NULL && !plan_is_secret_variable(name))
			return 0;
		return mask(json_member(entry, "value"));
	}

	const char *equals = cJSON_IsString(entry) ? strchr(entry->valuestring, '=') : NULL;
	if (equals == NULL || equals[1] == '\0')
		return 0;

	_cleanup_free_ char *variable =
		strndup(entry->valuestring, (size_t)(equals - entry->valuestring));
	if (variable == NULL)
		return -1;
	if (!plan_is_secret_variable(variable))
		return 0;

	_cleanup_(strbuf_release) struct strbuf masked = STRBUF_INIT;
	strbuf_addf(&masked, "%s=***", variable);
	if (masked.failed || cJSON_SetValuestring(entry, strbuf_str(&masked)) == NULL)
		return -1;
	return 0;
}

static int mask_entries(cJSON *array)
{
	cJSON *entry;

	cJSON_ArrayForEach (entry, array) {
		if (mask_entry(entry) < 0)
			return -1;
	}
	return 0;
}

static int mask_member(cJSON *member)
{
	if (member->string != NULL) {
		if (strcasecmp(member->string, "env") == 0 && cJSON_IsArray(member))
			return mask_entries(member);
		if (cJSON_IsString(member) && plan_is_secret_option(member->string))
			return mask(member);
	}
	return mask_tree(member);
}

/* Documents are at most JSON_MAX_DEPTH deep, and so is the recursion. */
static int mask_tree(cJSON *node)
{
	cJSON *member;

	if (!cJSON_IsObject(node) && !cJSON_IsArray(node))
		return 0;
	cJSON_ArrayForEach (member, node) {
		if (mask_member(member) < 0)
			return -1;
	}
	return 0;
}

/* The variable that a row's path ends in ("Config.Env.NAME"), "" when the whole environment is
 * meant, NULL when the row is about something else. */
static const char *path_variable(const char *path)
{
	for (const char *part = path; part != NULL; part = strchr(part, '.')) {
		part += *part == '.';
		if (strncasecmp(part, "env", 3) != 0)
			continue;
		if (part[3] == '.')
			return part + 4;
		if (part[3] == '\0')
			return part + 3;
	}
	return NULL;
}

/* A copy of one of the row's values, made fit to be shown. NULL: no memory. */
static cJSON *shown_value(const struct plan_row *row, const cJSON *value, bool show_secrets)
{
	_cleanup_(json_free) cJSON *copy = cJSON_Duplicate(value, true);
	const char *variable = path_variable(row->path);
	int result;

	if (copy == NULL || show_secrets)
		return TAKE_PTR(copy);
	if (cJSON_IsString(copy)) {
		bool secret = variable != NULL ? plan_is_secret_variable(variable)
		                               : plan_is_secret_option(row->path);
		result = secret ? mask(copy) : 0;
	} else if (variable != NULL && cJSON_IsArray(copy)) {
		result = mask_entries(copy);
	} else {
		result = mask_tree(copy);
	}
	return result < 0 ? NULL : TAKE_PTR(copy);
}

static int add_value(cJSON *object, const char *key, const struct plan_row *row, const cJSON *value,
                     bool show_secrets)
{
	if (value == NULL)
		return 0;
	return json_set_node(object, key, shown_value(row, value, show_secrets));
}

static cJSON *row_to_json(const struct plan_row *row, bool show_secrets)
{
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();

	if (object == NULL ||
	    json_set_string(object, "action", plan_action_name(row->action)) < 0 ||
	    json_set_string(object, "path", row->path) < 0 ||
	    add_value(object, "was", row, row->was, show_secrets) < 0 ||
	    add_value(object, "now", row, row->now, show_secrets) < 0 ||
	    json_set_string(object, "reason", row->reason) < 0)
		return NULL;
	return TAKE_PTR(object);
}

static int add_document(cJSON *object, const char *key, const cJSON *document, bool show_secrets)
{
	_cleanup_(json_free) cJSON *copy = NULL;

	if (document == NULL)
		return 0;
	copy = cJSON_Duplicate(document, true);
	if (copy == NULL || (!show_secrets && mask_tree(copy) < 0))
		return -1;
	return json_set_node(object, key, TAKE_PTR(copy));
}

cJSON *plan_to_json(const struct plan *plan, bool show_secrets)
{
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	_cleanup_(json_free) cJSON *differences = cJSON_CreateArray();

	if (object == NULL || differences == NULL ||
	    add_document(object, "document", plan->document, show_secrets) < 0 ||
	    add_document(object, "extra", plan->extra, show_secrets) < 0)
		return NULL;
	for (size_t i = 0; i < plan->count; i++) {
		if (json_add_node(differences, row_to_json(&plan->rows[i], show_secrets)) < 0)
			return NULL;
	}
	if (json_set_node(object, "differences", TAKE_PTR(differences)) < 0)
		return NULL;
	return TAKE_PTR(object);
}

/* Appends one escaped value of at most WIDTH_VALUE columns. */
static void add_cell(struct strbuf *out, const cJSON *value)
{
	_cleanup_(strbuf_release) struct strbuf raw = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf escaped = STRBUF_INIT;

	json_print(value, false, &raw);
	escape_add(&escaped, strbuf_str(&raw));
	if (raw.failed || escaped.failed) {
		out->failed = true;
		return;
	}

	const char *text = strbuf_str(&escaped);
	if (utf8_width(text) <= WIDTH_VALUE) {
		strbuf_adds(out, text);
		return;
	}

	size_t columns = 0, length = 0;
	while (columns < WIDTH_VALUE) {
		length++;
		while (((unsigned char)text[length] & 0xc0) == 0x80)
			length++;
		columns++;
	}
	strbuf_add(out, text, length);
	strbuf_adds(out, "…");
}

static void print_value(const struct plan_row *row, const cJSON *value, bool show_secrets,
                        struct strbuf *out)
{
	_cleanup_(json_free) cJSON *shown = shown_value(row, value, show_secrets);

	if (shown == NULL)
		out->failed = true;
	else
		add_cell(out, shown);
}

static void print_row(const struct plan_row *row, size_t path_width, bool show_secrets,
                      struct strbuf *out)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	bool both = row->action == PLAN_CHANGED && row->was != NULL && row->now != NULL;

	escape_add(&path, row->path);
	if (path.failed)
		out->failed = true;

	size_t width = utf8_width(strbuf_str(&path));
	strbuf_addf(out, "%-8s %s%*s  ", plan_action_name(row->action), strbuf_str(&path),
	            width < path_width ? (int)(path_width - width) : 0, "");
	if (row->was != NULL && (both || row->now == NULL || row->action == PLAN_KEPT))
		print_value(row, row->was, show_secrets, out);
	if (both)
		strbuf_adds(out, " → ");
	if (row->now != NULL && (both || row->action != PLAN_KEPT))
		print_value(row, row->now, show_secrets, out);
	strbuf_adds(out, "  (");
	escape_add(out, row->reason);
	strbuf_adds(out, ")\n");
}

void plan_print_table(const struct plan *plan, bool show_secrets, bool all, struct strbuf *out)
{
	size_t path_width = 0, kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		size_t width = utf8_width(plan->rows[i].path);

		if (!all && plan->rows[i].action == PLAN_KEPT)
			continue;
		if (width > path_width && width <= WIDTH_PATH)
			path_width = width;
	}
	for (size_t i = 0; i < plan->count; i++) {
		kept += plan->rows[i].action == PLAN_KEPT;
		if (all || plan->rows[i].action != PLAN_KEPT)
			print_row(&plan->rows[i], path_width, show_secrets, out);
	}
	strbuf_addf(out, "%zu kept as they are\n", kept);
}
