/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/bundle_calls.h"

#include <string.h>

const cJSON *bundle_namespace(const cJSON *namespaces, const char *type)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, namespaces) {
		const char *text = json_string(entry, "type");

		if (text && !strcmp(text, type))
			return entry;
	}
	return NULL;
}

static bool is_new(const cJSON *document, const char *type)
{
	const cJSON *entry = bundle_namespace(json_at(document, "linux.namespaces"), type);

	return entry && json_is_unset(json_member(entry, "path"));
}

bool bundle_namespace_is_new(const struct rule_context *context, const char *type)
{
	return is_new(context->target, type);
}

unsigned bundle_flags(const cJSON *config, const struct bundle_input *input)
{
	const cJSON *user = bundle_namespace(json_at(config, "linux.namespaces"), "user");
	unsigned flags = 0;

	if (input->rootless)
		flags |= BUNDLE_ROOTLESS;
	if (!input->cgroups_path)
		flags |= BUNDLE_NO_CGROUP;
	if (input->cgroup2)
		flags |= BUNDLE_CGROUP2;
	if (config && !is_new(config, "uts"))
		flags |= BUNDLE_SHARED_UTS;
	if (input->user_namespace || (user && input->user_path) ||
	    !json_is_unset(json_member(user, "path")))
		flags |= BUNDLE_MAPPED;
	if (input->request->cpu_nano != REQUEST_AS_SOURCE)
		flags |= BUNDLE_CPU_ASKED;
	if (input->request->memory_bytes != REQUEST_AS_SOURCE)
		flags |= BUNDLE_MEMORY_ASKED;
	return flags;
}

cJSON *bundle_constant(const char *json)
{
	struct err ignored = ERR_INIT;
	cJSON *document = NULL;

	if (json_parse(json, strlen(json), JSON_MAX_BYTES, &document, &ignored) < 0)
		return NULL;
	return document;
}

/* ---- what the source must have ---------------------------------------------------------------- */

static bool is_text(const cJSON *node)
{
	return cJSON_IsString(node) && node->valuestring[0];
}

static bool is_word(const cJSON *node)
{
	return cJSON_IsString(node);
}

static bool is_mount(const cJSON *node)
{
	return is_text(json_member(node, "destination"));
}

static bool is_namespace(const cJSON *node)
{
	const cJSON *path = json_member(node, "path");

	return is_text(json_member(node, "type")) && (!path || cJSON_IsString(path));
}

static bool is_rlimit(const cJSON *node)
{
	return is_text(json_member(node, "type"));
}

static bool is_object(const cJSON *node)
{
	return cJSON_IsObject(node);
}

static bool is_list_of(const cJSON *list, bool (*is_item)(const cJSON *node))
{
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		if (!is_item(item))
			return false;
	}
	return true;
}

struct shape {
	const char *path;
	bool required;
	cJSON_bool (*is_type)(const cJSON *node); /* cJSON_Is… */
	bool (*is_item)(const cJSON *node);       /* of a list or an object, or NULL */
};

static const struct shape config_shapes[] = {
	{"", true, cJSON_IsObject, NULL},
	{"ociVersion", true, cJSON_IsString, NULL},
	{"process", true, cJSON_IsObject, NULL},
	{"process.cwd", true, cJSON_IsString, NULL},
	{"process.user", false, cJSON_IsObject, NULL},
	{"process.args", false, cJSON_IsArray, is_word},
	{"process.env", false, cJSON_IsArray, is_word},
	{"process.rlimits", false, cJSON_IsArray, is_rlimit},
	{"root", true, cJSON_IsObject, NULL},
	{"root.path", true, cJSON_IsString, NULL},
	{"mounts", false, cJSON_IsArray, is_mount},
	{"hooks", false, cJSON_IsObject, NULL},
	{"hooks.prestart", false, cJSON_IsArray, is_object},
	{"hooks.createRuntime", false, cJSON_IsArray, is_object},
	{"hooks.createContainer", false, cJSON_IsArray, is_object},
	{"hooks.startContainer", false, cJSON_IsArray, is_object},
	{"annotations", false, cJSON_IsObject, is_word},
	{"linux", false, cJSON_IsObject, NULL},
	{"linux.namespaces", false, cJSON_IsArray, is_namespace},
	{"linux.sysctl", false, cJSON_IsObject, is_word},
	{"linux.seccomp", false, cJSON_IsObject, NULL},
	{"linux.resources", false, cJSON_IsObject, NULL},
	{"linux.resources.memory", false, cJSON_IsObject, NULL},
	{"linux.resources.cpu", false, cJSON_IsObject, NULL},
	{"linux.resources.unified", false, cJSON_IsObject, NULL},
};

static const struct shape image_shapes[] = {
	{"", true, cJSON_IsObject, NULL},
	{"os", false, cJSON_IsString, NULL},
	{"config", false, cJSON_IsObject, NULL},
	{"config.Env", false, cJSON_IsArray, is_word},
	{"config.Entrypoint", false, cJSON_IsArray, is_word},
	{"config.Cmd", false, cJSON_IsArray, is_word},
	{"config.WorkingDir", false, cJSON_IsString, NULL},
	{"config.User", false, cJSON_IsString, NULL},
	{"config.StopSignal", false, cJSON_IsString, NULL},
};

static int check_shapes(const char *what, const cJSON *document, const struct shape *shapes,
                        size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const cJSON *node = json_at(document, shapes[i].path);
		const char *path = shapes[i].path[0] ? shapes[i].path : "the document";

		if (!shapes[i].required && (!node || cJSON_IsNull(node)))
			continue;
		if (!node)
			return err_set(err, ERR_PROTOCOL, "%s has no %s", what, path);
		if (!shapes[i].is_type(node) ||
		    (shapes[i].is_item && !is_list_of(node, shapes[i].is_item)))
			return err_set(err, ERR_PROTOCOL, "%s: %s is of the wrong type", what,
			               path);
	}
	return 0;
}

static int check_config(const cJSON *config, struct err *err)
{
	const char *version;

	if (check_shapes("config.json", config, config_shapes, ARRAY_SIZE(config_shapes), err) < 0)
		return -1;
	version = json_string(config, "ociVersion");
	if (strncmp(version, "1.", 2) != 0)
		return err_set(err, ERR_REFUSED,
		               "ociVersion %s: only version 1 of the specification is known",
		               version);
	return 0;
}

/* ---- what was asked for ----------------------------------------------------------------------- */

static int check_limits(const struct bundle_input *input, struct err *err)
{
	const struct request *request = input->request;
	bool cpu = request->cpu_nano != REQUEST_AS_SOURCE;

	if (input->cgroups_path || (!cpu && request->memory_bytes == REQUEST_AS_SOURCE))
		return 0;
	err_set(err, ERR_USAGE, "%s needs a control group, and there is none for the task",
	        cpu ? "--cpu" : "--memory");
	return err_hint(err, "run it as root, or in a session whose control group is delegated to "
	                     "you (systemd-run --user --scope -p Delegate=yes)");
}

static int check_request(const struct bundle_input *input, struct err *err)
{
	const struct request *request = input->request;

	if (request_check_text(request, "config.json", err) < 0)
		return -1;
	if (request->image) {
		err_set(err, ERR_USAGE, "--image does not go with the oci runtime");
		return err_hint(err,
		                "an image on disk is a source itself: --like oci-layout:./IMAGE");
	}
	if (request->workdir && request->workdir[0] != '/')
		return err_set(err, ERR_USAGE, "the working folder '%s' is no absolute path",
		               request->workdir);
	return check_limits(input, err);
}

/* ---- the two tables --------------------------------------------------------------------------- */

static int apply(const struct rule *rules, size_t count, enum rule_policy policy,
                 const cJSON *source, const struct bundle_sources *sources, struct plan *ret,
                 struct err *err)
{
	_cleanup_(plan_release) struct plan plan;

	plan_init(&plan);
	plan.document = cJSON_CreateObject();
	if (!plan.document)
		return err_no_memory(err);

	struct rule_context context = {
		.source = source,
		.target = plan.document,
		.plan = &plan,
		.flags = bundle_flags(sources->from_image ? NULL : source, sources->input),
		.extra = sources,
	};
	if (rules_apply(rules, count, policy, &context, err) < 0)
		return -1;
	*ret = plan;
	plan_init(&plan);
	return 0;
}

int bundle_from_container(const cJSON *config, const cJSON *image_config,
                          const struct bundle_input *input, struct plan *ret, struct err *err)
{
	const struct bundle_sources sources = {.input = input, .image = image_config};

	if (check_config(config, err) < 0 || check_request(input, err) < 0)
		return -1;
	if (image_config && check_shapes("the image's config", image_config, image_shapes,
	                                 ARRAY_SIZE(image_shapes), err) < 0)
		return -1;
	return apply(bundle_rules, bundle_rules_count, RULE_UNMATCHED_REFUSE, config, &sources, ret,
	             err);
}

int bundle_from_image(const cJSON *image_config, const struct bundle_input *input, struct plan *ret,
                      struct err *err)
{
	const struct bundle_sources sources = {
		.input = input,
		.image = image_config,
		.from_image = true,
	};

	if (check_shapes("the image's config", image_config, image_shapes, ARRAY_SIZE(image_shapes),
	                 err) < 0 ||
	    check_request(input, err) < 0)
		return -1;
	return apply(bundle_image_rules, bundle_image_rules_count, RULE_UNMATCHED_DROP,
	             image_config, &sources, ret, err);
}
