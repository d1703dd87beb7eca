/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>
#include "pkg/spec/plan.h"

static const char *const action_names[] = {
	[PLAN_KEPT] = "kept",       [PLAN_CHANGED] = "changed", [PLAN_ADDED] = "added",
	[PLAN_DROPPED] = "dropped", [PLAN_UNKNOWN] = "unknown",
};

/* Variables that every image sets and that carry no secrets. */
static const char *const harmless_variables[] = {
	"PATH", "HOME", "HOSTNAME", "LANG", "LANGUAGE",  "LC_ALL", "LC_CTYPE",  "TERM",
	"TZ",   "PWD",  "SHELL",    "USER", "container", "ONEOFF", "ONEOFF_ID", "DEBIAN_FRONTEND",
};

void plan_init(struct plan *plan)
{
	*plan = (struct plan){.document = NULL};
}

void plan_release(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		free(plan->rows[i].path);
		free(plan->rows[i].reason);
		json_free(&plan->rows[i].was);
		json_free(&plan->rows[i].now);
	}
	free(plan->rows);
	json_free(&plan->document);
	json_free(&plan->extra);
	plan_init(plan);
}

static int plan_grow(struct plan *plan)
{
	size_t wanted = plan->allocated > 0 ? plan->allocated * 2 : 32;

	if (plan->count < plan->allocated)
		return 0;

	struct plan_row *rows = reallocarray(plan->rows, wanted, sizeof(*rows));
	if (rows == NULL)
		return -1;
	plan->rows = rows;
	plan->allocated = wanted;
	return 0;
}

enum plan_action plan_difference(const cJSON *was, const cJSON *now)
{
	if (was == NULL)
		return now == NULL ? PLAN_KEPT : PLAN_ADDED;
	if (now == NULL)
		return PLAN_DROPPED;
	return json_equal(was, now) ? PLAN_KEPT : PLAN_CHANGED;
}

int plan_add(struct plan *plan, enum plan_action action, const char *path, const cJSON *was,
             const cJSON *now, const char *reason)
{
	_cleanup_free_ char *own_path = strdup(path);
	_cleanup_free_ char *own_reason = strdup(reason);
	_cleanup_(json_free) cJSON *own_was = was != NULL ? cJSON_Duplicate(was, true) : NULL;
	_cleanup_(json_free) cJSON *own_now = now != NULL ? cJSON_Duplicate(now, true) : NULL;

	if (own_path == NULL || own_reason == NULL || (was != NULL && own_was == NULL) ||
	    (now != NULL && own_now == NULL) || plan_grow(plan) < 0)
		return -1;
	plan->rows[plan->count++] = (struct plan_row){
		.action = action,
		.path = TAKE_PTR(own_path),
		.was = TAKE_PTR(own_was),
		.now = TAKE_PTR(own_now),
		.reason = TAKE_PTR(own_reason),
	};
	return 0;
}

const char *plan_action_name(enum plan_action action)
{
	if ((size_t)action >= ARRAY_SIZE(action_names))
		return "unknown";
	return action_names[action];
}

bool plan_is_secret_variable(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless_variables); i++) {
		if (strcmp(name, harmless_variables[i]) == 0)
			return false;
	}
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length > end_length && strcasecmp(text + length - end_length, end) == 0;
}

bool plan_is_secret_option(const char *name)
{
	static const char *const words[] = {"password", "passwd", "secret", "token", "apikey"};

	/* "secretName" names a secret without telling it; a bare "key" is a selector's. */
	if (ends_with(name, "name"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasestr(name, words[i]) != NULL)
			return true;
	}
	return ends_with(name, "key");
}
