/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "oci/bundle_calls.h"

#define NOTIFY     "SCMP_ACT_NOTIFY"
#define ENOSYS_NOW 38 /* the number on all machines that run seccomp profiles of engines */

/* The source's agent answers the calls of the source alone. */
static int drop_listener(struct rule_context *context, const struct rule *rule, cJSON *profile,
                         struct err *err)
{
	static const char *const keys[] = {"listenerPath", "listenerMetadata"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_(json_free) cJSON *was =
			cJSON_DetachItemFromObjectCaseSensitive(profile, keys[i]);

		if (was && rule_report(context, PLAN_DROPPED, rule->path, keys[i], was, NULL,
		                       "it listens for the source", err) < 0)
			return -1;
	}
	return 0;
}

static bool asks_listener(const cJSON *call)
{
	const char *action = json_string(call, "action");

	return action && !strcmp(action, NOTIFY);
}

/* A call that an agent would have answered fails instead, as on a kernel without it. */
static int refuse_call(struct rule_context *context, const struct rule *rule, cJSON *call,
                       struct err *err)
{
	_cleanup_(json_free) cJSON *was = cJSON_Duplicate(call, true);

	if (!was || json_set_string(call, "action", "SCMP_ACT_ERRNO") < 0 ||
	    json_set_int64(call, "errnoRet", ENOSYS_NOW) < 0)
		return err_no_memory(err);
	return rule_report(context, PLAN_CHANGED, rule->path, "syscalls", was, call,
	                   "nobody answers for the task, so the call fails", err);
}

int bundle_seccomp(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	_cleanup_(json_free) cJSON *profile = NULL;
	const char *fallback = json_string(node, "defaultAction");
	cJSON *call;

	if (json_is_unset(node))
		return 0;
	if (fallback && !strcmp(fallback, NOTIFY))
		return err_set(err, ERR_REFUSED,
		               "%s.defaultAction: an agent answers for every system call of the "
		               "source, and none would for the task",
		               rule->path);
	profile = cJSON_Duplicate(node, true);
	if (!profile)
		return err_no_memory(err);
	if (drop_listener(context, rule, profile, err) < 0)
		return -1;
	cJSON_ArrayForEach (call, json_member(profile, "syscalls")) {
		if (asks_listener(call) && refuse_call(context, rule, call, err) < 0)
			return -1;
	}
	/* What was changed has rows of its own. */
	if (plan_add(context->plan, PLAN_KEPT, rule->path, profile, profile, rule->why) < 0)
		return err_no_memory(err);
	return rule_put(context, rule->to, TAKE_PTR(profile), err);
}
