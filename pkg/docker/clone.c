/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/docker/clone_calls.h"

/* The engine makes a hostname of the first 12 digits of the id. */
static bool hostname_is_derived(const cJSON *container)
{
	const char *id = json_string(container, "Id");
	const char *hostname = json_string(container, "Config.Hostname");

	return id != NULL && hostname != NULL && strlen(id) >= 12 && strlen(hostname) == 12 &&
	       strncmp(id, hostname, 12) == 0;
}

static bool string_is(const cJSON *node, const char *path, const char *wanted)
{
	const char *text = json_string(node, path);

	return text != NULL && strcmp(text, wanted) == 0;
}

unsigned clone_flags(const struct docker_clone_input *input)
{
	const cJSON *container = input->container;
	const struct request *request = input->request;
	int64_t nano_cpus;
	unsigned flags = input->podman ? CLONE_PODMAN : CLONE_DOCKER;

	if (clone_network_is_joined(json_string(container, "HostConfig.NetworkMode")))
		flags |= CLONE_JOINED;
	if (string_is(container, "HostConfig.NetworkMode", "host") ||
	    string_is(container, "HostConfig.UTSMode", "host"))
		flags |= CLONE_HOST_NAMED;
	if (hostname_is_derived(container))
		flags |= CLONE_NAME_DERIVED;
	if (input->podman && string_is(container, "HostConfig.LogConfig.Type", "json-file"))
		flags |= CLONE_LOG_RENAMED;
	if (request->no_log)
		flags |= CLONE_NO_LOG;
	if (request->cpu_nano != REQUEST_AS_SOURCE)
		flags |= CLONE_CPU_ASKED;
	if (request->memory_bytes != REQUEST_AS_SOURCE)
		flags |= CLONE_MEMORY_ASKED;
	if (json_int64(container, "HostConfig.NanoCpus", &nano_cpus) == 0 && nano_cpus > 0)
		flags |= CLONE_NANO_CPUS;
	if (request->fresh_volumes)
		flags |= CLONE_FRESH_VOLUMES;
	return flags;
}

bool clone_from_old_image(const struct rule_context *context, const char *key, const cJSON *node)
{
	const struct docker_clone_input *input = clone_input(context);

	if (input->request->image == NULL || input->image == NULL || node == NULL)
		return false;
	return json_equal(json_member(json_member(input->image, "Config"), key), node);
}

static int check_source(const cJSON *container, struct err *err)
{
	static const struct {
		const char *key;
		bool object;
	} needed[] = {{"Id", false}, {"Image", false}, {"Config", true}, {"HostConfig", true}};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		const cJSON *node = json_member(container, needed[i].key);
		bool good = needed[i].object ? cJSON_IsObject(node)
		                             : cJSON_IsString(node) && node->valuestring[0] != '\0';

		if (!good)
			return err_set(err, ERR_PROTOCOL,
			               "the container's description has no usable '%s'",
			               needed[i].key);
	}
	return 0;
}

int docker_clone(const struct docker_clone_input *input, struct plan *ret_plan, struct err *err)
{
	_cleanup_(plan_release) struct plan plan;

	plan_init(&plan);
	if (check_source(input->container, err) < 0 ||
	    request_check_text(input->request, "the engine", err) < 0)
		return -1;
	plan.document = cJSON_CreateObject();
	if (plan.document == NULL)
		return err_no_memory(err);

	struct rule_context context = {
		.source = input->container,
		.target = plan.document,
		.plan = &plan,
		.flags = clone_flags(input),
		.extra = input,
	};
	if (rules_apply(clone_rules, clone_rules_count, RULE_UNMATCHED_DROP, &context, err) < 0)
		return -1;
	*ret_plan = plan;
	plan_init(&plan);
	return 0;
}
