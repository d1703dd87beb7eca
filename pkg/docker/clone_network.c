/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/docker/clone_calls.h"

bool clone_network_is_joined(const char *mode)
{
	return mode != NULL && strncmp(mode, "container:", 10) == 0;
}

static bool is_default(const char *mode)
{
	return mode[0] == '\0' || strcmp(mode, "default") == 0 || strcmp(mode, "bridge") == 0;
}

/* Modes that are no network to connect to. */
static bool is_special(const char *mode)
{
	static const char *const modes[] = {"host", "none"};
	static const char *const prefixes[] = {"container:", "ns:", "slirp4netns", "pasta",
	                                       "private"};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (strcmp(mode, modes[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (strncmp(mode, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

static const cJSON *networks_of(const struct rule_context *context)
{
	return json_at(context->source, "NetworkSettings.Networks");
}

static const char *source_mode(const struct rule_context *context)
{
	const char *mode = json_string(context->source, "HostConfig.NetworkMode");

	return mode != NULL ? mode : "";
}

/*
 * The network that stands in NetworkMode: the source's, by the name under which it is connected.
 * The source may have been moved to other networks since; and Podman says "bridge" for all of them.
 */
static const char *primary_network(const struct rule_context *context)
{
	const char *mode = source_mode(context);
	const cJSON *networks = networks_of(context);
	const cJSON *network;

	if (is_special(mode) || (is_default(mode) && !clone_input(context)->podman))
		return mode;
	if (json_member(networks, mode) != NULL || !cJSON_IsObject(networks) ||
	    networks->child == NULL)
		return mode;
	cJSON_ArrayForEach (network, networks) {
		const char *id = json_string(network, "NetworkID");

		if (id != NULL && mode[0] != '\0' && strncmp(id, mode, strlen(mode)) == 0)
			return network->string;
	}
	return networks->child->string;
}

int clone_network_mode(struct rule_context *context, const struct rule *rule, const cJSON *node,
                       struct err *err)
{
	const char *primary = primary_network(context);
	const char *why = rule->why;

	if (node == NULL)
		return 0;
	if (!cJSON_IsString(node))
		return err_set(err, ERR_PROTOCOL, "%s is no text", rule->path);
	if (clone_network_is_joined(primary))
		why = "same network: that of another container, which must be running";
	if (strcmp(primary, node->valuestring) != 0)
		why = "the network that the source is connected to";
	return rule_set(context, rule, node, cJSON_CreateString(primary), why, err);
}

/* Members of an endpoint. What is not listed is reported as unknown. */
enum endpoint_action {
	ENDPOINT_KEEP,
	ENDPOINT_STATE,
	ENDPOINT_DROP,
};

static const struct {
	const char *key;
	enum endpoint_action action;
	const char *why;
} endpoint_members[] = {
	{"Links", ENDPOINT_KEEP, "same links"},
	{"DriverOpts", ENDPOINT_KEEP, "same options"},
	{"GwPriority", ENDPOINT_KEEP, "same gateway"},
	{"Aliases", ENDPOINT_DROP, "the service's name must not lead to a one-off"},
	{"IPAMConfig", ENDPOINT_DROP, "an address belongs to one container"},
	{"NetworkID", ENDPOINT_STATE, NULL},
	{"EndpointID", ENDPOINT_STATE, NULL},
	{"Gateway", ENDPOINT_STATE, NULL},
	{"IPAddress", ENDPOINT_STATE, NULL},
	{"IPPrefixLen", ENDPOINT_STATE, NULL},
	{"IPv6Gateway", ENDPOINT_STATE, NULL},
	{"GlobalIPv6Address", ENDPOINT_STATE, NULL},
	{"GlobalIPv6PrefixLen", ENDPOINT_STATE, NULL},
	{"MacAddress", ENDPOINT_STATE, NULL},
	{"DNSNames", ENDPOINT_STATE, NULL},
};

/* Engines add the short id as an alias by themselves: alone it is nothing that anyone asked for. */
static bool only_short_id(const cJSON *source, const cJSON *aliases)
{
	const char *id = json_string(source, "Id");
	const cJSON *alias;

	cJSON_ArrayForEach (alias, aliases) {
		if (!cJSON_IsString(alias) || strlen(alias->valuestring) != 12 || id == NULL ||
		    strncmp(alias->valuestring, id, 12) != 0)
			return false;
	}
	return true;
}

static int take_member(struct rule_context *context, const char *network, const cJSON *member,
                       cJSON *endpoint, struct err *err)
{
	enum plan_action action = PLAN_UNKNOWN;
	const char *why = "this version does not know the field";
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	if (json_is_unset(member))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(endpoint_members); i++) {
		if (strcmp(endpoint_members[i].key, member->string) != 0)
			continue;
		if (endpoint_members[i].action == ENDPOINT_STATE)
			return 0;
		why = endpoint_members[i].why;
		action = endpoint_members[i].action == ENDPOINT_KEEP ? PLAN_KEPT : PLAN_DROPPED;
		break;
	}
	if (strcmp(member->string, "Aliases") == 0 && only_short_id(context->source, member))
		return 0;
	strbuf_addf(&path, "NetworkSettings.Networks.%s.%s", network, member->string);
	if (path.failed)
		return err_no_memory(err);
	if (action == PLAN_KEPT &&
	    json_set_node(endpoint, member->string, cJSON_Duplicate(member, true)) < 0)
		return err_no_memory(err);
	if (plan_add(context->plan, action, strbuf_str(&path), member,
	             action == PLAN_KEPT ? member : NULL, why) < 0)
		return err_no_memory(err);
	return 0;
}

/* Into the list of networks to connect between create and start. */
static int add_extra(struct rule_context *context, const char *network, cJSON *endpoint,
                     struct err *err)
{
	_cleanup_(json_free) cJSON *owned = endpoint;
	_cleanup_(json_free) cJSON *step = cJSON_CreateObject();

	if (context->plan->extra == NULL)
		context->plan->extra = cJSON_CreateArray();
	if (context->plan->extra == NULL || step == NULL ||
	    json_set_string(step, "network", network) < 0)
		return err_no_memory(err);

	cJSON *body = json_object_for(step, "body");
	if (body == NULL || json_set_node(body, "EndpointConfig", TAKE_PTR(owned)) < 0 ||
	    json_add_node(context->plan->extra, TAKE_PTR(step)) < 0)
		return err_no_memory(err);
	return 0;
}

static int add_to_create(struct rule_context *context, const char *network, cJSON *endpoint,
                         struct err *err)
{
	_cleanup_(json_free) cJSON *owned = endpoint;
	cJSON *config = json_object_for(context->target, "NetworkingConfig");
	cJSON *endpoints = config != NULL ? json_object_for(config, "EndpointsConfig") : NULL;

	if (endpoints == NULL || json_set_node(endpoints, network, TAKE_PTR(owned)) < 0)
		return err_no_memory(err);
	return 0;
}

/* Create takes all networks since API 1.44, and always on Podman; before, only that of NetworkMode.
 * On Docker's default bridge it takes no endpoint at all. */
static bool fits_in_create(const struct rule_context *context, const char *network)
{
	const struct docker_clone_input *input = clone_input(context);

	if (input->podman)
		return true;
	if (is_default(source_mode(context)))
		return false;
	if (input->api_major > 1 || input->api_minor >= 44)
		return true;
	return strcmp(network, primary_network(context)) == 0;
}

static int take_network(struct rule_context *context, const struct rule *rule, const cJSON *network,
                        struct err *err)
{
	_cleanup_(json_free) cJSON *endpoint = cJSON_CreateObject();
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	const cJSON *member;

	strbuf_addf(&path, "%s.%s", rule->path, network->string);
	if (endpoint == NULL || path.failed)
		return err_no_memory(err);
	cJSON_ArrayForEach (member, network) {
		if (member->string != NULL &&
		    take_member(context, network->string, member, endpoint, err) < 0)
			return -1;
	}
	if (!clone_input(context)->podman && is_default(source_mode(context)) &&
	    strcmp(network->string, "bridge") == 0)
		return 0;
	if (plan_add(context->plan, PLAN_KEPT, strbuf_str(&path), endpoint, endpoint, rule->why) <
	    0)
		return err_no_memory(err);
	if (fits_in_create(context, network->string))
		return add_to_create(context, network->string, TAKE_PTR(endpoint), err);
	return add_extra(context, network->string, TAKE_PTR(endpoint), err);
}

int clone_networks(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	const cJSON *network;

	if (is_special(source_mode(context)))
		return 0;
	if (!json_is_unset(node) && !cJSON_IsObject(node))
		return err_set(err, ERR_PROTOCOL, "%s is no object", rule->path);
	cJSON_ArrayForEach (network, node) {
		if (take_network(context, rule, network, err) < 0)
			return -1;
	}
	return 0;
}
