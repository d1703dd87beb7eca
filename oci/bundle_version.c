/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "oci/bundle_calls.h"

#define EVERY_RUNTIME "1.0.2"

/* What came after version 1.0 and would be missed: a runtime passes by what it does not know (config.md
 * "Extensibility"). Left out: what runtimes knew long before the version said so (errnoRet, unified). */
static const char *newer_element(const cJSON *document)
{
	static const char *const paths[] = {
		"domainname",
		"process.scheduler",
		"process.ioPriority",
		"linux.timeOffsets",
		"linux.memoryPolicy",
		"linux.resources.cpu.burst",
		"linux.resources.cpu.idle",
	};
	const cJSON *mount;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!json_is_unset(json_at(document, paths[i])))
			return paths[i];
	}
	if (bundle_namespace(json_at(document, "linux.namespaces"), "time"))
		return "a time namespace";
	cJSON_ArrayForEach (mount, json_member(document, "mounts")) {
		if (json_member(mount, "uidMappings") || json_member(mount, "gidMappings"))
			return "a mount with mappings";
	}
	return NULL;
}

/* crun 1.8.1 (Debian 12) refuses every version but 1.0 by its number, whatever the document holds. */
int bundle_version(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf why = STRBUF_INIT;
	const char *newer = newer_element(context->target);

	if (!strncmp(node->valuestring, "1.0.", 4))
		return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
	if (!newer)
		return rule_set(context, rule, node, cJSON_CreateString(EVERY_RUNTIME),
		                "nothing in it needs more, and some runtimes take no more", err);
	strbuf_addf(&why, "%s needs it", newer);
	if (why.failed)
		return err_no_memory(err);
	return rule_set(context, rule, node, cJSON_Duplicate(node, true), strbuf_str(&why), err);
}
