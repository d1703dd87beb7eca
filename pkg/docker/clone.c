/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/base/utf8.h"
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

int clone_put(struct rule_context *context, const struct rule *rule, const cJSON *was, cJSON *now,
              const char *why, struct err *err)
{
	_cleanup_(json_free) cJSON *owned = now;

	if (owned == NULL)
		return err_no_memory(err);
	if (rule_changed(context, rule->path, was, owned, why, err) < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(owned), err);
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

/* JSON carries text only: other bytes would arrive as something else, silently. */
static int check_text(const char *what, const char *text, struct err *err)
{
	if (text == NULL || utf8_valid(text, strlen(text)))
		return 0;
	return err_set(err, ERR_USAGE, "%s is not valid UTF-8, and the engine takes nothing else",
	               what);
}

static int check_list(const char *what, const struct strv *list, bool pairs, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		_cleanup_(strbuf_release) struct strbuf which = STRBUF_INIT;

		strbuf_addf(&which, "%s %zu", what, i + 1);
		if (which.failed)
			return err_no_memory(err);
		if (check_text(strbuf_str(&which), list->items[i], err) < 0)
			return -1;
		if (pairs && (list->items[i][0] == '\0' || list->items[i][0] == '='))
			return err_set(err, ERR_USAGE, "%s has no name", strbuf_str(&which));
	}
	return 0;
}

static int check_request(const struct request *request, struct err *err)
{
	if (check_list("argument", &request->argv, false, err) < 0 ||
	    check_list("variable", &request->env, true, err) < 0 ||
	    check_list("label", &request->labels, true, err) < 0)
		return -1;
	if (check_text("the image", request->image, err) < 0 ||
	    check_text("the user", request->user, err) < 0 ||
	    check_text("the working folder", request->workdir, err) < 0 ||
	    check_text("the entrypoint", request->entrypoint, err) < 0 ||
	    check_text("the reason", request->reason, err) < 0)
		return -1;
	return 0;
}

int docker_clone(const struct docker_clone_input *input, struct plan *ret_plan, struct err *err)
{
	_cleanup_(plan_release) struct plan plan;

	plan_init(&plan);
	if (check_source(input->container, err) < 0 || check_request(input->request, err) < 0)
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
