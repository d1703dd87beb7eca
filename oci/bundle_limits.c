/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "oci/bundle_calls.h"

#define CPU_PERIOD_US     INT64_C(100000)
#define CPU_QUOTA_LEAST   INT64_C(1000)  /* microseconds; the kernel takes no less */
#define CPU_NANO_PER_UNIT INT64_C(10000) /* billionths of a processor in a microsecond of quota */

static const char only_version_1[] = "version 2 of control groups has no such limit";

/* ---- resource limits -------------------------------------------------------------------------- */

/* Limits are 64 bits without a sign: "unlimited" has a bit more than json_int64 takes. */
static int read_uint64(const cJSON *node, uint64_t *ret)
{
	int64_t value;
	char *end;

	if (json_int64(node, "", &value) == 0) {
		if (value < 0)
			return -1;
		*ret = (uint64_t)value;
		return 0;
	}
	if (!cJSON_IsRaw(node) || node->valuestring[strspn(node->valuestring, "0123456789")])
		return -1;
	errno = 0;
	*ret = strtoull(node->valuestring, &end, 10);
	return errno == 0 && !*end ? 0 : -1;
}

static int set_uint64(cJSON *object, const char *key, uint64_t value)
{
	char text[32];

	if (value <= INT64_MAX)
		return json_set_int64(object, key, (int64_t)value);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_set_node(object, key, cJSON_CreateRaw(text));
}

static const struct bundle_rlimit *greatest(const struct bundle_input *input, const char *type)
{
	for (size_t i = 0; i < input->rlimit_count; i++) {
		if (!strcmp(input->rlimits[i].type, type))
			return &input->rlimits[i];
	}
	return NULL;
}

/* Clamps one limit of the copy in place. */
static int clamp(const struct bundle_input *input, cJSON *limit, size_t index, struct err *err)
{
	static const char *const keys[] = {"hard", "soft"};
	const struct bundle_rlimit *most = greatest(input, json_string(limit, "type"));

	for (size_t i = 0; most && i < ARRAY_SIZE(keys); i++) {
		uint64_t value;

		if (read_uint64(json_member(limit, keys[i]), &value) < 0)
			return err_set(err, ERR_PROTOCOL, "process.rlimits[%zu] has no usable '%s'",
			               index, keys[i]);
		if (value > most->hard && set_uint64(limit, keys[i], most->hard) < 0)
			return err_no_memory(err);
	}
	return 0;
}

int bundle_rlimits(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	_cleanup_(json_free) cJSON *limits = NULL;
	cJSON *limit;
	size_t i = 0;

	if (!node)
		return 0;
	limits = cJSON_Duplicate(node, true);
	if (!limits)
		return err_no_memory(err);
	cJSON_ArrayForEach (limit, limits) {
		if (clamp(bundle_input(context), limit, i++, err) < 0)
			return -1;
	}

	const char *why = json_equal(node, limits)
	                          ? rule->why
	                          : "lowered to what you may set: more needs CAP_SYS_RESOURCE";
	return rule_set(context, rule, node, TAKE_PTR(limits), why, err);
}

int bundle_oom_score(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	int64_t floor = bundle_input(context)->oom_score_adj_floor;
	int64_t score;

	if (!node)
		return 0;
	if (json_int64(node, "", &score) < 0 || score >= floor)
		return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
	return rule_set(context, rule, node, json_new_int64(floor),
	                "raised to what you may set: less needs CAP_SYS_RESOURCE", err);
}

/* ---- control groups --------------------------------------------------------------------------- */

int bundle_cgroup(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	const char *path = bundle_input(context)->cgroups_path;
	const cJSON *was = bundle_was(context, node);

	if (!path)
		return rule_changed(context, rule->path, was, NULL,
		                    "there is no control group that the task may have", err);
	return rule_set(context, rule, was, cJSON_CreateString(path), rule->why, err);
}

/* The limits of one kind while they are being changed: each change has a row of its own. */
struct limits {
	struct rule_context *context;
	const struct rule *rule;
	const cJSON *was; /* the source's, or NULL */
	cJSON *now;
	struct err *err;
};

static int drop_limit(const struct limits *limits, const char *key, const char *why)
{
	const cJSON *was = json_member(limits->was, key);

	if (!json_member(limits->now, key))
		return 0;
	cJSON_DeleteItemFromObjectCaseSensitive(limits->now, key);
	if (json_is_unset(was))
		return 0;
	return rule_report(limits->context, PLAN_DROPPED, limits->rule->path, key, was, NULL, why,
	                   limits->err);
}

static int set_limit(const struct limits *limits, const char *key, int64_t value, const char *why)
{
	const cJSON *was = json_member(limits->was, key), *now;

	if (json_set_int64(limits->now, key, value) < 0)
		return err_no_memory(limits->err);
	now = json_member(limits->now, key);
	if (json_is_unset(was))
		was = NULL;
	return rule_report(limits->context, plan_difference(was, now), limits->rule->path, key, was,
	                   now, why, limits->err);
}

static bool asked(const struct limits *limits, enum bundle_flag flag)
{
	return (limits->context->flags & flag) != 0;
}

static int drop_version_1(const struct limits *limits, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count && asked(limits, BUNDLE_CGROUP2); i++) {
		if (drop_limit(limits, keys[i], only_version_1) < 0)
			return -1;
	}
	return 0;
}

/* Swap is counted together with memory: it cannot stay below the limit, and stays unlimited (-1). */
static int ask_memory(const struct limits *limits)
{
	int64_t bytes = bundle_input(limits->context)->request->memory_bytes;
	int64_t reservation, swap;

	if (set_limit(limits, "limit", bytes, "asked with --memory") < 0)
		return -1;
	if (json_int64(limits->now, "swap", &swap) == 0 && swap > 0 &&
	    set_limit(limits, "swap", bytes, "follows --memory: no swap beyond it") < 0)
		return -1;
	if (json_int64(limits->now, "reservation", &reservation) == 0 && reservation > bytes)
		return drop_limit(limits, "reservation", "more than --memory allows");
	return 0;
}

static int ask_cpu(const struct limits *limits)
{
	int64_t quota = bundle_input(limits->context)->request->cpu_nano / CPU_NANO_PER_UNIT;

	if (quota < CPU_QUOTA_LEAST)
		return err_set(limits->err, ERR_USAGE,
		               "--cpu: the kernel gives at least 0.01 of a processor");
	if (drop_limit(limits, "burst", "--cpu replaces it") < 0 ||
	    set_limit(limits, "quota", quota, "asked with --cpu") < 0)
		return -1;
	return set_limit(limits, "period", CPU_PERIOD_US, "asked with --cpu");
}

/* The rest of the limits, which nothing changed, in one row; then all of them go to their place. */
static int finish(const struct limits *limits, cJSON *now)
{
	_cleanup_(json_free) cJSON *owned = now;
	_cleanup_(json_free) cJSON *same = cJSON_CreateObject();
	const cJSON *member;

	if (!same)
		return err_no_memory(limits->err);
	cJSON_ArrayForEach (member, limits->was) {
		const cJSON *after = json_member(owned, member->string);

		if (after && json_equal(member, after) &&
		    json_set_node(same, member->string, cJSON_Duplicate(member, true)) < 0)
			return err_no_memory(limits->err);
	}
	if (rule_changed(limits->context, limits->rule->path, same, same, limits->rule->why,
	                 limits->err) < 0)
		return -1;
	return rule_put(limits->context, limits->rule->to, TAKE_PTR(owned), limits->err);
}

static int begin(struct limits *limits, bool is_asked)
{
	if (!limits->was && !is_asked)
		return 1;
	limits->now = limits->was ? cJSON_Duplicate(limits->was, true) : cJSON_CreateObject();
	return limits->now ? 0 : err_no_memory(limits->err);
}

int bundle_memory(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	static const char *const version_1[] = {"kernel", "kernelTCP", "swappiness",
	                                        "disableOOMKiller", "useHierarchy"};
	struct limits limits = {context, rule, bundle_was(context, node), NULL, err};
	bool is_asked = asked(&limits, BUNDLE_MEMORY_ASKED);
	int result = begin(&limits, is_asked);
	_cleanup_(json_free) cJSON *now = limits.now;

	if (result != 0)
		return result > 0 ? 0 : -1;
	if (drop_version_1(&limits, version_1, ARRAY_SIZE(version_1)) < 0 ||
	    (is_asked && ask_memory(&limits) < 0))
		return -1;
	return finish(&limits, TAKE_PTR(now));
}

int bundle_cpu(struct rule_context *context, const struct rule *rule, const cJSON *node,
               struct err *err)
{
	static const char *const version_1[] = {"realtimeRuntime", "realtimePeriod"};
	struct limits limits = {context, rule, bundle_was(context, node), NULL, err};
	bool is_asked = asked(&limits, BUNDLE_CPU_ASKED);
	int result = begin(&limits, is_asked);
	_cleanup_(json_free) cJSON *now = limits.now;

	if (result != 0)
		return result > 0 ? 0 : -1;
	if (drop_version_1(&limits, version_1, ARRAY_SIZE(version_1)) < 0 ||
	    (is_asked && ask_cpu(&limits) < 0))
		return -1;
	return finish(&limits, TAKE_PTR(now));
}

/* Files of version 2, written after everything else: they would undo what was asked for. */
int bundle_unified(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	struct limits limits = {context, rule, node, NULL, err};
	int result = begin(&limits, false);
	_cleanup_(json_free) cJSON *now = limits.now;

	if (result != 0)
		return result > 0 ? 0 : -1;
	if (asked(&limits, BUNDLE_MEMORY_ASKED) &&
	    (drop_limit(&limits, "memory.max", "--memory replaces it") < 0 ||
	     drop_limit(&limits, "memory.swap.max", "--memory replaces it") < 0))
		return -1;
	if (asked(&limits, BUNDLE_CPU_ASKED) &&
	    (drop_limit(&limits, "cpu.max", "--cpu replaces it") < 0 ||
	     drop_limit(&limits, "cpu.max.burst", "--cpu replaces it") < 0))
		return -1;
	return finish(&limits, TAKE_PTR(now));
}
