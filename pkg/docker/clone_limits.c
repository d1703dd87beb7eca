/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "pkg/docker/clone_calls.h"

int clone_cpu(struct rule_context *context, const struct rule *rule, const cJSON *node,
              struct err *err)
{
	return rule_set(context, rule, node,
	                json_new_int64(clone_input(context)->request->cpu_nano), rule->why, err);
}

/* Memory and MemorySwap alike: the same number for both means no swap on top. */
int clone_memory(struct rule_context *context, const struct rule *rule, const cJSON *node,
                 struct err *err)
{
	return rule_set(context, rule, node,
	                json_new_int64(clone_input(context)->request->memory_bytes), rule->why,
	                err);
}

/* Engines refuse a reservation above the limit. */
int clone_reservation(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err)
{
	int64_t limit = clone_input(context)->request->memory_bytes;
	int64_t reservation;

	if (json_int64(node, "", &reservation) < 0)
		return 0;
	if (limit > 0 && reservation > limit)
		return rule_changed(context, rule->path, node, NULL, "more than --memory allows",
		                    err);
	return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
}

int clone_swappiness(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	int64_t value;

	/* -1 is "not set"; Podman shows 0 for it, which would be taken at its word. */
	if (json_int64(node, "", &value) < 0 || value < 0)
		return 0;
	if (value == 0 && clone_input(context)->podman)
		return 0;
	return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
}

int clone_keep_if_set(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err)
{
	if (json_is_unset(node))
		return 0;
	return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
}

/* Words that Podman shows for "nothing special" and does not take back in create. What is not sent
 * comes out the same again, so it is kept. */
int clone_engine_default(struct rule_context *context, const struct rule *rule, const cJSON *node,
                         struct err *err)
{
	static const char *const defaults[] = {"", "oci", "private", "shareable"};

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (cJSON_IsString(node) && strcmp(node->valuestring, defaults[i]) == 0)
			return rule_changed(context, rule->path, node, node,
			                    "Podman's default, which is not sent", err);
	}
	return clone_keep_if_set(context, rule, node, err);
}

int clone_devices(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	_cleanup_(json_free) cJSON *devices = NULL;
	cJSON *device;

	if (node == NULL)
		return 0;
	devices = cJSON_Duplicate(node, true);
	if (devices == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (device, devices) {
		if (cJSON_IsObject(device) &&
		    json_is_unset(json_member(device, "CgroupPermissions")) &&
		    json_set_string(device, "CgroupPermissions", "rwm") < 0)
			return err_no_memory(err);
	}

	const char *why = json_equal(node, devices)
	                          ? rule->why
	                          : "Podman hides the permissions and refuses empty ones";
	return rule_set(context, rule, node, TAKE_PTR(devices), why, err);
}

/* "RLIMIT_NOFILE" → "nofile", the spelling that create takes. */
static int rename_ulimit(cJSON *ulimit)
{
	static const char prefix[] = "RLIMIT_";
	const char *name = json_string(ulimit, "Name");

	if (name == NULL || strncasecmp(name, prefix, sizeof(prefix) - 1) != 0)
		return 0;

	_cleanup_free_ char *short_name = strdup(name + sizeof(prefix) - 1);
	if (short_name == NULL)
		return -1;
	for (char *letter = short_name; *letter != '\0'; letter++)
		*letter = (char)tolower((unsigned char)*letter);
	return json_set_string(ulimit, "Name", short_name);
}

int clone_ulimits(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	_cleanup_(json_free) cJSON *ulimits = NULL;
	cJSON *ulimit;

	if (node == NULL)
		return 0;
	ulimits = cJSON_Duplicate(node, true);
	if (ulimits == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (ulimit, ulimits) {
		if (rename_ulimit(ulimit) < 0)
			return err_no_memory(err);
	}

	const char *why =
		json_equal(node, ulimits) ? rule->why : "the same limits in the names of create";
	return rule_set(context, rule, node, TAKE_PTR(ulimits), why, err);
}

/* The level of an SELinux label user:role:type:level, or NULL. The level holds colons itself. */
static const char *selinux_level(const char *label)
{
	for (int i = 0; i < 3 && label != NULL; i++) {
		label = strchr(label, ':');
		label += label != NULL;
	}
	return label != NULL && label[0] != '\0' ? label : NULL;
}

/* True when the options settle the label: switched off, or with a level of their own. */
static bool label_is_settled(const cJSON *options)
{
	static const char *const settled[] = {"label=disable", "label:disable",
	                                      "label=level:", "label:level:"};
	const cJSON *option;

	cJSON_ArrayForEach (option, options) {
		for (size_t i = 0; i < ARRAY_SIZE(settled); i++) {
			if (cJSON_IsString(option) &&
			    strncmp(option->valuestring, settled[i], strlen(settled[i])) == 0)
				return true;
		}
	}
	return false;
}

int clone_security(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	const char *label = json_string(context->source, "ProcessLabel");
	const char *level = label != NULL ? selinux_level(label) : NULL;
	_cleanup_(json_free) cJSON *options = NULL;
	_cleanup_(strbuf_release) struct strbuf option = STRBUF_INIT;

	if (level == NULL || label_is_settled(node) ||
	    (!cJSON_IsArray(node) && !json_is_unset(node)))
		return node == NULL ? 0
		                    : rule_set(context, rule, node, cJSON_Duplicate(node, true),
		                               rule->why, err);
	options = cJSON_IsArray(node) ? cJSON_Duplicate(node, true) : cJSON_CreateArray();
	strbuf_addf(&option, "label=level:%s", level);
	if (options == NULL || option.failed || json_add_string(options, strbuf_str(&option)) < 0)
		return err_no_memory(err);
	return rule_set(context, rule, node, TAKE_PTR(options),
	                "at the source's SELinux level, which its private volumes demand", err);
}

/* A namespace of its own is all that Podman says; its API would take no mapping, and refuses "private". */
int clone_user_namespace(struct rule_context *context, const struct rule *rule, const cJSON *node,
                         struct err *err)
{
	const char *mode = cJSON_GetStringValue(node);
	_cleanup_(strbuf_release) struct strbuf joined = STRBUF_INIT;

	if (mode == NULL || strcmp(mode, "private") != 0)
		return node == NULL ? 0
		                    : rule_set(context, rule, node, cJSON_Duplicate(node, true),
		                               rule->why, err);
	strbuf_addf(&joined, "container:%s", json_string(context->source, "Id"));
	if (joined.failed)
		return err_no_memory(err);
	return rule_set(context, rule, node, cJSON_CreateString(strbuf_str(&joined)),
	                "the app's own, whose mapping Podman does not tell", err);
}

int clone_log(struct rule_context *context, const struct rule *rule, const cJSON *node,
              struct err *err)
{
	bool none = clone_input(context)->request->no_log;
	_cleanup_(json_free) cJSON *log = NULL;

	log = none || !cJSON_IsObject(node) ? cJSON_CreateObject() : cJSON_Duplicate(node, true);
	if (log == NULL || json_set_string(log, "Type", none ? "none" : "k8s-file") < 0)
		return err_no_memory(err);
	return rule_set(context, rule, node, TAKE_PTR(log), rule->why, err);
}
