/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "oci/bundle_calls.h"

/* What Docker and Podman give to every container: the 14 capabilities, mounts and paths of Docker
 * 28 (recorded), devices as Podman has them; runtimes allow /dev/null and its like themselves. */
#define CAPABILITIES                                                                               \
	"[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FSETID\",\"CAP_FOWNER\",\"CAP_MKNOD\","         \
	"\"CAP_NET_RAW\",\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETFCAP\",\"CAP_SETPCAP\","           \
	"\"CAP_NET_BIND_SERVICE\",\"CAP_SYS_CHROOT\",\"CAP_KILL\",\"CAP_AUDIT_WRITE\"]"

static const struct {
	const char *path;
	unsigned unless; /* bits of bundle_flags with which it is left out */
	const char *json;
} defaults[] = {
	{"ociVersion", 0, "\"1.0.2\""},
	{"process.noNewPrivileges", 0, "false"},
	{"process.capabilities", 0,
         "{\"bounding\":" CAPABILITIES ",\"effective\":" CAPABILITIES ",\"permitted\":" CAPABILITIES
         "}"},
	{"linux.maskedPaths", 0,
         "[\"/proc/asound\",\"/proc/acpi\",\"/proc/interrupts\",\"/proc/kcore\",\"/proc/keys\","
         "\"/proc/latency_stats\",\"/proc/timer_list\",\"/proc/timer_stats\",\"/proc/sched_debug\","
         "\"/proc/scsi\",\"/sys/firmware\",\"/sys/devices/virtual/powercap\"]"},
	{"linux.readonlyPaths", 0,
         "[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]"},
	{"linux.resources.devices", BUNDLE_ROOTLESS, "[{\"allow\":false,\"access\":\"rwm\"}]"},
};

static const char default_mounts[] =
	"[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	"\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
	"\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\","
	"\"gid=5\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
	"{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\","
	"\"options\":[\"ro\",\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]}]";

/* With the machine's network its names are resolved as on the machine. */
static const char host_names[] =
	"[{\"destination\":\"/etc/resolv.conf\",\"type\":\"bind\",\"source\":\"/etc/resolv.conf\","
	"\"options\":[\"rbind\",\"ro\"]},"
	"{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/etc/hosts\","
	"\"options\":[\"rbind\",\"ro\"]}]";

int bundle_default(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	(void)node; /* an image's config holds nothing of config.json */
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (strcmp(defaults[i].path, rule->to) != 0)
			continue;
		if ((defaults[i].unless & context->flags) != 0)
			return 0;
		return rule_set(context, rule, NULL, bundle_constant(defaults[i].json), rule->why,
		                err);
	}
	return err_set(err, ERR_INTERNAL, "no default for '%s'", rule->to);
}

int bundle_image_os(struct rule_context *context, const struct rule *rule, const cJSON *node,
                    struct err *err)
{
	(void)context;
	if (json_is_unset(node) || !strcmp(node->valuestring, "linux"))
		return 0;
	return err_set(err, ERR_REFUSED, "%s: the image is for %s, not for linux", rule->path,
	               node->valuestring);
}

int bundle_image_namespaces(struct rule_context *context, const struct rule *rule,
                            const cJSON *node, struct err *err)
{
	bool cgroup2 = (context->flags & BUNDLE_CGROUP2) != 0;
	_cleanup_(json_free) cJSON *list =
		bundle_constant(cgroup2 ? "[{\"type\":\"mount\"},{\"type\":\"uts\"},"
	                                  "{\"type\":\"pid\"},{\"type\":\"ipc\"},"
	                                  "{\"type\":\"cgroup\"}]"
	                                : "[{\"type\":\"mount\"},{\"type\":\"uts\"},"
	                                  "{\"type\":\"pid\"},{\"type\":\"ipc\"}]");

	(void)node;
	if (!list)
		return err_no_memory(err);
	return bundle_namespaces(context, rule, list, err);
}

int bundle_image_mounts(struct rule_context *context, const struct rule *rule, const cJSON *node,
                        struct err *err)
{
	_cleanup_(json_free) cJSON *list = bundle_constant(default_mounts);
	_cleanup_(json_free) cJSON *names = bundle_constant(host_names);

	(void)node;
	if (!list || !names)
		return err_no_memory(err);
	while (bundle_input(context)->network == BUNDLE_NETWORK_HOST && names->child) {
		if (json_add_node(list, cJSON_DetachItemFromArray(names, 0)) < 0)
			return err_no_memory(err);
	}
	return bundle_mounts(context, rule, list, err);
}

int bundle_image_cwd(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	const char *asked = bundle_input(context)->request->workdir;
	const char *folder = json_is_unset(node) ? "/" : node->valuestring;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	/* Engines take a relative one from the root. */
	strbuf_addf(&path, "%s%s", !asked && folder[0] != '/' ? "/" : "", asked ? asked : folder);
	if (path.failed)
		return err_no_memory(err);
	return rule_set(context, rule, node, cJSON_CreateString(strbuf_str(&path)),
	                asked ? "asked with -w" : rule->why, err);
}

/* ---- the command: ENTRYPOINT, then CMD or what was asked for ---------------------------------- */

/* Both rows write process.args: this one begins it. */
int bundle_image_entrypoint(struct rule_context *context, const struct rule *rule,
                            const cJSON *node, struct err *err)
{
	const struct request *request = bundle_input(context)->request;
	bool keep = request->entrypoint_mode == ENTRYPOINT_KEEP;
	_cleanup_(json_free) cJSON *list = NULL;

	list = keep && !json_is_unset(node) ? cJSON_Duplicate(node, true) : cJSON_CreateArray();
	if (!list || (request->entrypoint_mode == ENTRYPOINT_REPLACE &&
	              (!request->entrypoint || json_add_string(list, request->entrypoint) < 0)))
		return err_no_memory(err);
	if (rule_changed(context, rule->path, node, list->child ? list : NULL,
	                 keep ? rule->why : "asked with --entrypoint", err) < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}

/* An own entrypoint without arguments runs bare, as docker run --entrypoint has it. */
static cJSON *image_command(const struct request *request, const cJSON *node, const char **ret_why)
{
	if (request->argv.count > 0)
		return json_new_strings(&request->argv);
	if (request->entrypoint_mode == ENTRYPOINT_REPLACE) {
		*ret_why = "asked with --entrypoint";
		return cJSON_CreateArray();
	}
	*ret_why = "no other command was asked for";
	return json_is_unset(node) ? cJSON_CreateArray() : cJSON_Duplicate(node, true);
}

int bundle_image_command(struct rule_context *context, const struct rule *rule, const cJSON *node,
                         struct err *err)
{
	cJSON *args = json_at(context->target, rule->to);
	const char *why = rule->why;
	_cleanup_(json_free) cJSON *command =
		image_command(bundle_input(context)->request, node, &why);
	const cJSON *word;

	if (!command)
		return err_no_memory(err);
	cJSON_ArrayForEach (word, command) {
		if (json_add_string(args, word->valuestring) < 0)
			return err_no_memory(err);
	}
	if (cJSON_GetArraySize(args) == 0)
		return err_set(err, ERR_USAGE, "the image names no command: say which");
	return rule_changed(context, rule->path, node, command->child ? command : NULL, why, err);
}
