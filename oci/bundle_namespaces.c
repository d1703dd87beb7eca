/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "oci/bundle_calls.h"

static const char *const known_types[] = {"pid", "network", "mount",  "ipc",
                                          "uts", "user",    "cgroup", "time"};

struct decision {
	bool present;     /* the task's list names the type */
	const char *path; /* the namespace that it joins, or NULL: a new one */
	const char *why;
};

static bool is_known(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_types); i++) {
		if (!strcmp(known_types[i], type))
			return true;
	}
	return false;
}

/* What the source has, as the task can have it. `own_path` has room for "/proc/PID/ns/net". */
static struct decision source_network(const struct rule_context *context, const cJSON *entry,
                                      char own_path[64])
{
	const struct bundle_input *input = bundle_input(context);
	const char *path = json_string(entry, "path");

	if (bundle_sources(context)->from_image)
		return (struct decision){true, NULL, "an image has no network; only a loopback"};
	if (!entry)
		return (struct decision){false, NULL, "the machine's network, as the source"};
	if (input->network_path)
		return (struct decision){true, input->network_path, "joins the source's network"};
	if (path && path[0])
		return (struct decision){true, path, "the network that the source has joined"};
	if (input->source_pid > 0) {
		snprintf(own_path, 64, "/proc/%lld/ns/net", (long long)input->source_pid);
		return (struct decision){true, own_path, "joins the source's network"};
	}
	return (struct decision){
		true, NULL, "the source does not run, and its network is gone: only a loopback"};
}

static struct decision network(const struct rule_context *context, const cJSON *entry,
                               char own_path[64])
{
	switch (bundle_input(context)->network) {
	case BUNDLE_NETWORK_NONE:
		return (struct decision){true, NULL, "no network was asked for: only a loopback"};
	case BUNDLE_NETWORK_HOST:
		return (struct decision){false, NULL, "the machine's network was asked for"};
	case BUNDLE_NETWORK_SOURCE:
		break;
	}
	return source_network(context, entry, own_path);
}

static struct decision decide(const struct rule_context *context, const struct rule *rule,
                              const char *type, const cJSON *entry, char own_path[64])
{
	const char *path = json_string(entry, "path");

	if (!strcmp(type, "network"))
		return network(context, entry, own_path);
	if (!strcmp(type, "user") && bundle_input(context)->user_namespace)
		return (struct decision){false, NULL, "the task is started in it"};
	if (!strcmp(type, "user") && entry && bundle_input(context)->user_path)
		return (struct decision){true, bundle_input(context)->user_path,
		                         "joins the source's"};
	if (!entry)
		return (struct decision){false, NULL, rule->why};
	if (path && path[0])
		return (struct decision){true, path, "the one that the source has joined"};
	return (struct decision){true, NULL, rule->why};
}

static int add_entry(cJSON *list, const char *type, const char *path, struct err *err)
{
	_cleanup_(json_free) cJSON *entry = cJSON_CreateObject();

	if (!entry || json_set_string(entry, "type", type) < 0 ||
	    (path && json_set_string(entry, "path", path) < 0) ||
	    json_add_node(list, TAKE_PTR(entry)) < 0)
		return err_no_memory(err);
	return 0;
}

static int settle(struct rule_context *context, const struct rule *rule, const char *type,
                  const cJSON *entry, cJSON *list, struct err *err)
{
	char own_path[64];
	struct decision decision = decide(context, rule, type, entry, own_path);
	const cJSON *was = bundle_was(context, entry);
	const cJSON *now = NULL;

	if (decision.present) {
		if (add_entry(list, type, decision.path, err) < 0)
			return -1;
		now = bundle_namespace(list, type);
	}
	if (!was && !now)
		return 0;
	return rule_report(context, plan_difference(was, now), rule->path, type, was, now,
	                   decision.why, err);
}

/* The types that the task needs whatever the source has, after those of the source. */
static int settle_network(struct rule_context *context, const struct rule *rule,
                          const cJSON *source, cJSON *list, struct err *err)
{
	if (bundle_namespace(source, "network"))
		return 0;
	return settle(context, rule, "network", NULL, list, err);
}

int bundle_namespaces(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err)
{
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	const cJSON *entry;

	if (!list)
		return err_no_memory(err);
	cJSON_ArrayForEach (entry, node) {
		const char *type = json_string(entry, "type");

		if (!is_known(type))
			return err_set(err, ERR_REFUSED, "%s.%s: this version does not know it",
			               rule->path, type);
		if (bundle_namespace(node, type) != entry)
			return err_set(err, ERR_PROTOCOL, "%s has the type '%s' twice", rule->path,
			               type);
		if (settle(context, rule, type, entry, list, err) < 0)
			return -1;
	}
	if (settle_network(context, rule, node, list, err) < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}

/* ---- kernel settings -------------------------------------------------------------------------- */

static bool begins_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* The namespace that a setting belongs to, or NULL. Both spellings: "net.ipv4" and "net/ipv4". */
static const char *sysctl_namespace(const char *key)
{
	static const struct {
		const char *start;
		const char *type;
	} owners[] = {
		{"net.", "network"},          {"net/", "network"},
		{"kernel.shm", "ipc"},        {"kernel/shm", "ipc"},
		{"kernel.msg", "ipc"},        {"kernel/msg", "ipc"},
		{"kernel.sem", "ipc"},        {"kernel/sem", "ipc"},
		{"fs.mqueue.", "ipc"},        {"fs/mqueue/", "ipc"},
		{"kernel.hostname", "uts"},   {"kernel/hostname", "uts"},
		{"kernel.domainname", "uts"}, {"kernel/domainname", "uts"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		if (begins_with(key, owners[i].start))
			return owners[i].type;
	}
	return NULL;
}

static bool is_key(const char *key, const char *dotted, const char *slashed)
{
	return !strcmp(key, dotted) || !strcmp(key, slashed);
}

static const char *sysctl_drop_reason(const struct rule_context *context, const char *key)
{
	const char *type = sysctl_namespace(key);

	if (is_key(key, "kernel.hostname", "kernel/hostname"))
		return "a replica's own name; the one-off has its own";
	if (type && !bundle_namespace_is_new(context, type))
		return "belongs to a namespace that the task does not have for itself";
	/* Docker writes "0 2147483647"; the kernel refuses groups that are not mapped. */
	if (is_key(key, "net.ipv4.ping_group_range", "net/ipv4/ping_group_range") &&
	    bundle_input(context)->rootless)
		return "without root its groups may not exist";
	return NULL;
}

int bundle_sysctl(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	_cleanup_(json_free) cJSON *kept = NULL;
	const cJSON *setting;

	if (json_is_unset(node))
		return 0;
	kept = cJSON_CreateObject();
	if (!kept)
		return err_no_memory(err);
	cJSON_ArrayForEach (setting, node) {
		const char *why = sysctl_drop_reason(context, setting->string);

		if (!why && json_set_string(kept, setting->string, setting->valuestring) < 0)
			return err_no_memory(err);
		if (rule_report(context, why ? PLAN_DROPPED : PLAN_KEPT, rule->path,
		                setting->string, setting, why ? NULL : setting,
		                why ? why : rule->why, err) < 0)
			return -1;
	}
	return rule_put(context, rule->to, TAKE_PTR(kept), err);
}
