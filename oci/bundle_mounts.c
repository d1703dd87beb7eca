/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "oci/bundle_calls.h"

/* crun's and Docker's own; 64 MiB is every engine's default. */
static const char private_shm[] =
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":"
	"[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]}";

/* As `runc spec --rootless` writes it. */
static const char bound_sys[] =
	"{\"destination\":\"/sys\",\"type\":\"none\",\"source\":\"/sys\",\"options\":"
	"[\"rbind\",\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}";

static bool text_is(const cJSON *mount, const char *key, const char *wanted)
{
	const char *text = json_string(mount, key);

	return text && !strcmp(text, wanted);
}

static bool has_option(const cJSON *mount, const char *wanted)
{
	const cJSON *option;

	cJSON_ArrayForEach (option, json_member(mount, "options")) {
		if (cJSON_IsString(option) && !strcmp(option->valuestring, wanted))
			return true;
	}
	return false;
}

static bool is_bind(const cJSON *mount)
{
	return text_is(mount, "type", "bind") || has_option(mount, "bind") ||
	       has_option(mount, "rbind");
}

/* An engine's own memory folder for this container: ".../userdata/shm", never the machine's. */
static bool is_engine_shm(const cJSON *mount)
{
	const char *source = json_string(mount, "source");
	const char *slash = source ? strrchr(source, '/') : NULL;

	return text_is(mount, "destination", "/dev/shm") && is_bind(mount) && slash &&
	       !strcmp(slash, "/shm") && strcmp(source, "/dev/shm") != 0;
}

/* The kernel lets only the owner of the network namespace mount sysfs. */
static bool may_not_mount_sysfs(const struct rule_context *context)
{
	const cJSON *namespaces = json_at(context->target, "linux.namespaces");
	const struct bundle_input *input = bundle_input(context);

	return !bundle_namespace(namespaces, "network") &&
	       (input->rootless || input->user_namespace || bundle_namespace(namespaces, "user"));
}

/* Without root the group may not be mapped, and then the kernel refuses the mount; crun and runc
 * leave it out of their rootless specifications. NULL: no memory. */
static cJSON *without_group(const cJSON *mount)
{
	_cleanup_(json_free) cJSON *copy = cJSON_Duplicate(mount, true);
	cJSON *options = json_member(copy, "options");
	cJSON *option = options ? options->child : NULL;

	while (option) {
		cJSON *next = option->next;

		if (cJSON_IsString(option) && !strncmp(option->valuestring, "gid=", 4))
			cJSON_Delete(cJSON_DetachItemViaPointer(options, option));
		option = next;
	}
	return TAKE_PTR(copy);
}

/* What the task gets in the place of `mount`. NULL: no memory. */
static cJSON *replacement(const struct rule_context *context, const struct rule *rule,
                          const cJSON *mount, const char **ret_why)
{
	if (is_engine_shm(mount) && bundle_namespace_is_new(context, "ipc")) {
		*ret_why = "shared memory of its own, of the usual size";
		return bundle_constant(private_shm);
	}
	if (text_is(mount, "type", "sysfs") && text_is(mount, "destination", "/sys") &&
	    may_not_mount_sysfs(context)) {
		*ret_why = "only the owner of the machine's network may mount it anew";
		return bundle_constant(bound_sys);
	}
	if (text_is(mount, "type", "devpts") && bundle_input(context)->rootless) {
		*ret_why = "without root its group may not exist";
		return without_group(mount);
	}
	*ret_why = bundle_sources(context)->from_image && is_bind(mount)
	                   ? "names are resolved as on the machine"
	                   : rule->why;
	return cJSON_Duplicate(mount, true);
}

static int settle(struct rule_context *context, const struct rule *rule, const cJSON *mount,
                  cJSON *list, struct err *err)
{
	const char *why;
	cJSON *now = replacement(context, rule, mount, &why);
	enum plan_action action = PLAN_CHANGED;

	if (json_add_node(list, now) < 0)
		return err_no_memory(err);
	if (bundle_sources(context)->from_image)
		action = PLAN_ADDED;
	else if (json_equal(mount, now))
		action = PLAN_KEPT;
	return rule_report(context, action, rule->path, json_string(mount, "destination"),
	                   bundle_was(context, mount), now, action == PLAN_KEPT ? rule->why : why,
	                   err);
}

int bundle_mounts(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	_cleanup_(json_free) cJSON *list = NULL;
	const cJSON *mount;

	if (!node)
		return 0;
	list = cJSON_CreateArray();
	if (!list)
		return err_no_memory(err);
	cJSON_ArrayForEach (mount, node) {
		if (settle(context, rule, mount, list, err) < 0)
			return -1;
	}
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}
