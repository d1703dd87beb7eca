/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <string.h>
#include "pkg/docker/clone_calls.h"

static const char asked[] = "asked with -e";

/*
 * Variables that are an order to a proxy or a registry to send traffic here. SERVICE_NAME alone is
 * not in the list: apps use it for themselves, and registrator passes by what publishes no port.
 */
static const struct {
	const char *pattern; /* fnmatch */
	const char *why;
} dropped_variables[] = {
	{"VIRTUAL_HOST", "nginx-proxy would send traffic to the one-off"},
	{"VIRTUAL_PORT", "nginx-proxy would send traffic to the one-off"},
	{"VIRTUAL_PROTO", "nginx-proxy would send traffic to the one-off"},
	{"LETSENCRYPT_HOST", "the proxy would ask for certificates for the one-off"},
	{"SERVICE_TAGS", "registrator would announce the one-off as a service"},
	{"SERVICE_[0-9]*_NAME", "registrator would announce the one-off as a service"},
	{"SERVICE_[0-9]*_TAGS", "registrator would announce the one-off as a service"},
};

struct environment {
	struct rule_context *context;
	cJSON *list; /* what is sent so far */
	struct err *err;
};

/* The entry of `name` in a list of "NAME=VALUE" and bare "NAME", or NULL. */
static cJSON *find_entry(const cJSON *list, const char *name)
{
	size_t length = strlen(name);
	cJSON *entry;

	cJSON_ArrayForEach (entry, list) {
		const char *text = cJSON_IsString(entry) ? entry->valuestring : "";

		if (strncmp(text, name, length) == 0 &&
		    (text[length] == '=' || text[length] == '\0'))
			return entry;
	}
	return NULL;
}

static const char *entry_value(const cJSON *entry)
{
	const char *equals = entry != NULL ? strchr(entry->valuestring, '=') : NULL;

	return equals != NULL ? equals + 1 : "";
}

static char *entry_name(const char *text)
{
	return strndup(text, strcspn(text, "="));
}

static const cJSON *image_environment(const struct docker_clone_input *input)
{
	return json_at(input->image, "Config.Env");
}

/* Values stand in the row, which masks them; the reason never holds one. */
static int report_variable(struct environment *environment, enum plan_action action,
                           const char *name, const cJSON *was, const cJSON *now, const char *why)
{
	_cleanup_(json_free) cJSON *was_value = cJSON_CreateString(entry_value(was));
	_cleanup_(json_free) cJSON *now_value = cJSON_CreateString(entry_value(now));

	if (was_value == NULL || now_value == NULL)
		return err_no_memory(environment->err);
	return rule_report(environment->context, action, "Config.Env", name,
	                   was != NULL ? was_value : NULL, now != NULL ? now_value : NULL, why,
	                   environment->err);
}

/* Makes sure that the variable does not come back from the image, whose environment the engine
 * merges in: Docker takes a bare name for "unset", Podman can only be given an empty value. */
static int unset_in_image(struct environment *environment, const char *name)
{
	const struct docker_clone_input *input = clone_input(environment->context);
	bool in_image = find_entry(image_environment(input), name) != NULL;
	_cleanup_(strbuf_release) struct strbuf entry = STRBUF_INIT;

	if (!in_image && (input->podman || (input->image != NULL && input->request->image == NULL)))
		return 0;
	strbuf_addf(&entry, "%s%s", name, input->podman ? "=" : "");
	if (entry.failed || json_add_string(environment->list, strbuf_str(&entry)) < 0)
		return err_no_memory(environment->err);
	return 0;
}

static int set_variable(struct environment *environment, const char *text, const char *why)
{
	_cleanup_free_ char *name = entry_name(text);
	_cleanup_(json_free) cJSON *was = NULL;
	_cleanup_(json_free) cJSON *now = cJSON_CreateString(text);
	enum plan_action action = PLAN_ADDED;

	if (name == NULL || now == NULL)
		return err_no_memory(environment->err);

	cJSON *entry = find_entry(environment->list, name);
	if (entry != NULL) {
		was = cJSON_Duplicate(entry, true);
		if (was == NULL || cJSON_SetValuestring(entry, text) == NULL)
			return err_no_memory(environment->err);
		action = json_equal(was, now) ? PLAN_KEPT : PLAN_CHANGED;
	} else if (json_add_string(environment->list, text) < 0) {
		return err_no_memory(environment->err);
	}
	return report_variable(environment, action, name, was, now, why);
}

static int remove_variable(struct environment *environment, const char *name)
{
	cJSON *entry = find_entry(environment->list, name);

	if (entry != NULL) {
		_cleanup_(json_free) cJSON *was =
			cJSON_DetachItemViaPointer(environment->list, entry);

		if (report_variable(environment, PLAN_DROPPED, name, was, NULL, asked) < 0)
			return -1;
	}
	return unset_in_image(environment, name);
}

/* What Podman adds to every container and shows as if it had been asked for. It does so again; when
 * the image says it too, it is the image's and stays. */
static const char *podman_reason(const struct docker_clone_input *input, const char *name,
                                 const char *value)
{
	static const char derived[] = "Podman sets it for each container";
	const char *hostname = json_string(input->container, "Config.Hostname");

	if (strcmp(name, "HOSTNAME") == 0)
		return hostname != NULL && strcmp(value, hostname) == 0 ? derived : NULL;
	if (find_entry(image_environment(input), name) != NULL)
		return NULL;
	if (strcmp(name, "container") == 0)
		return strcmp(value, "podman") == 0 || strcmp(value, "oci") == 0 ? derived : NULL;
	if (strcmp(name, "TERM") == 0)
		return strcmp(value, "xterm") == 0 ? derived : NULL;
	if (strcmp(name, "HOME") == 0 && input->request->user != NULL)
		return "the home of another user";
	return NULL;
}

static const char *drop_reason(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(dropped_variables); i++) {
		if (fnmatch(dropped_variables[i].pattern, name, 0) == 0)
			return dropped_variables[i].why;
	}
	return NULL;
}

/* True when the entry is just what the old image said, and another image was asked for. */
static bool from_old_image(const struct docker_clone_input *input, const char *name,
                           const cJSON *entry)
{
	const cJSON *old = find_entry(image_environment(input), name);

	return input->request->image != NULL && old != NULL && json_equal(old, entry);
}

/* One entry of the source: on to the list, or dropped with a reason. */
static int take_entry(struct environment *environment, const cJSON *entry)
{
	const struct docker_clone_input *input = clone_input(environment->context);
	_cleanup_free_ char *name = NULL;

	if (!cJSON_IsString(entry))
		return err_set(environment->err, ERR_PROTOCOL,
		               "the container's environment holds something that is no text");
	name = entry_name(entry->valuestring);
	if (name == NULL)
		return err_no_memory(environment->err);
	if (from_old_image(input, name, entry))
		return report_variable(environment, PLAN_DROPPED, name, entry, NULL,
		                       "came with the old image; the new one brings its own");

	const char *derived = input->podman ? podman_reason(input, name, entry_value(entry)) : NULL;
	if (derived != NULL)
		return report_variable(environment, PLAN_DROPPED, name, entry, NULL, derived);

	const char *why = drop_reason(name);
	if (why == NULL)
		return json_add_string(environment->list, entry->valuestring) < 0
		               ? err_no_memory(environment->err)
		               : 0;
	if (report_variable(environment, PLAN_DROPPED, name, entry, NULL, why) < 0)
		return -1;
	return unset_in_image(environment, name);
}

/* One row for everything that stays; what -e or we replace has rows of its own. */
static int report_kept(struct environment *environment, const struct rule *rule, const cJSON *node)
{
	const struct request *request = clone_input(environment->context)->request;
	_cleanup_(json_free) cJSON *kept = cJSON_CreateArray();
	const cJSON *entry;

	if (kept == NULL)
		return err_no_memory(environment->err);
	cJSON_ArrayForEach (entry, node) {
		_cleanup_free_ char *name = entry_name(entry->valuestring);

		if (name == NULL)
			return err_no_memory(environment->err);
		if (strcmp(name, "ONEOFF") == 0 || strcmp(name, "ONEOFF_ID") == 0 ||
		    strv_find_key(&request->env, name) != NULL ||
		    !json_equal(find_entry(environment->list, name), entry))
			continue;
		if (json_add_string(kept, entry->valuestring) < 0)
			return err_no_memory(environment->err);
	}
	return rule_changed(environment->context, rule->path, kept, kept, rule->why,
	                    environment->err);
}

static int add_ours(struct environment *environment)
{
	const struct docker_clone_input *input = clone_input(environment->context);
	const struct request *request = input->request;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "ONEOFF_ID=%s", input->id);
	if (text.failed)
		return err_no_memory(environment->err);
	if (set_variable(environment, "ONEOFF=1", "tells the task that it is a one-off") < 0 ||
	    set_variable(environment, strbuf_str(&text), "tells the task its id") < 0)
		return -1;
	if (!request->tty || request->term == NULL || find_entry(environment->list, "TERM") != NULL)
		return 0;
	strbuf_reset(&text);
	strbuf_addf(&text, "TERM=%s", request->term);
	if (text.failed)
		return err_no_memory(environment->err);
	return set_variable(environment, strbuf_str(&text), "the kind of your terminal");
}

static int add_asked(struct environment *environment)
{
	const struct strv *list = &clone_input(environment->context)->request->env;

	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->items[i];
		int result;

		if (request_env_is_overruled(list, i))
			continue;
		result = strchr(text, '=') != NULL ? set_variable(environment, text, asked)
		                                   : remove_variable(environment, text);
		if (result < 0)
			return -1;
	}
	return 0;
}

int clone_env(struct rule_context *context, const struct rule *rule, const cJSON *node,
              struct err *err)
{
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	struct environment environment = {context, list, err};
	const cJSON *entry;

	if (list == NULL)
		return err_no_memory(err);
	if (!json_is_unset(node) && !cJSON_IsArray(node))
		return err_set(err, ERR_PROTOCOL, "the container's environment is no list");
	cJSON_ArrayForEach (entry, node) {
		if (take_entry(&environment, entry) < 0)
			return -1;
	}
	if (report_kept(&environment, rule, node) < 0 || add_ours(&environment) < 0 ||
	    add_asked(&environment) < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}
