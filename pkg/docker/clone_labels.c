/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "pkg/backend/backend.h"
#include "pkg/backend/command_text.h"
#include "pkg/base/clock.h"
#include "pkg/docker/clone_calls.h"

enum label_action {
	LABEL_KEEP,
	LABEL_DROP,
};

static const char routes[] = "a proxy would send traffic to the one-off";
static const char schedules[] = "a scheduler would run its jobs in the one-off";
static const char updates[] = "an updater or healer would restart the one-off";
static const char scrapes[] = "a collector would take the one-off for a replica";
static const char manages[] = "a manager would take the one-off for a replica";
static const char composes[] = "docker compose finds the one-off by it";
static const char ours[] = "oneoff's own record";

/* First match decides; a '*' at the end stands for anything; what matches nothing is kept. */
static const struct {
	const char *pattern;
	enum label_action action;
	const char *why;
} label_rules[] = {
	{"traefik.*", LABEL_DROP, routes},
	{"caddy*", LABEL_DROP, routes},
	{"dev.orbstack.*", LABEL_DROP, routes},
	{"com.github.jrcs.*", LABEL_DROP, routes},
	{"nginx-proxy.*", LABEL_DROP, routes},
	{"haproxy.*", LABEL_DROP, routes},
	{"sablier.*", LABEL_DROP, routes},
	{"ofelia.*", LABEL_DROP, schedules},
	{"deck-chores.*", LABEL_DROP, schedules},
	{"chadburn.*", LABEL_DROP, schedules},
	{"swarm.cronjob.*", LABEL_DROP, schedules},
	{"com.centurylinklabs.watchtower*", LABEL_DROP, updates},
	{"diun.*", LABEL_DROP, updates},
	{"autoheal*", LABEL_DROP, updates},
	{"PODMAN_SYSTEMD_UNIT", LABEL_DROP, "an update would restart the source's unit"},
	{"io.containers.autoupdate*", LABEL_DROP, "an update would restart the source's unit"},
	{"prometheus.io/*", LABEL_DROP, scrapes},
	{"co.elastic.*", LABEL_DROP, scrapes},
	{"com.docker.swarm.*", LABEL_DROP, manages},
	{"com.docker.stack.*", LABEL_DROP, manages},
	{"io.podman.compose.*", LABEL_DROP, manages},
	{"com.docker.compose.project", LABEL_KEEP, composes},
	{"com.docker.compose.service", LABEL_KEEP, composes},
	{"com.docker.compose.config-hash", LABEL_KEEP, composes},
	{"com.docker.compose.version", LABEL_KEEP, composes},
	{"com.docker.compose.project.working_dir", LABEL_KEEP, composes},
	{"com.docker.compose.project.config_files", LABEL_KEEP, composes},
	{"com.docker.compose.project.environment_file", LABEL_KEEP, composes},
	{"com.docker.compose.image", LABEL_KEEP, composes},
	{"com.docker.compose.*", LABEL_DROP, "describes the service's own container"},
};

static const char compose_project[] = "com.docker.compose.project";
static const char compose_oneoff[] = "com.docker.compose.oneoff";
static const char compose_slug[] = "com.docker.compose.slug";
static const char own_prefix[] = "dev.oneoff.";
static const char traefik_enable[] = "traefik.enable";

struct labels {
	struct rule_context *context;
	const struct rule *rule;
	const cJSON *source; /* the source's labels, or NULL */
	const cJSON *image;  /* its image's, or NULL */
	cJSON *target;       /* what is sent */
	struct err *err;
};

static bool pattern_matches(const char *pattern, const char *key)
{
	size_t length = strlen(pattern);

	if (length > 0 && pattern[length - 1] == '*')
		return strncmp(pattern, key, length - 1) == 0;
	return strcmp(pattern, key) == 0;
}

static enum label_action label_action(const char *key, const char **ret_why)
{
	for (size_t i = 0; i < ARRAY_SIZE(label_rules); i++) {
		if (pattern_matches(label_rules[i].pattern, key)) {
			*ret_why = label_rules[i].why;
			return label_rules[i].action;
		}
	}
	return LABEL_KEEP;
}

static int report_label(const struct labels *labels, enum plan_action action, const char *key,
                        const cJSON *was, const cJSON *now, const char *why)
{
	return rule_report(labels->context, action, labels->rule->path, key, was, now, why,
	                   labels->err);
}

/* Sets a label of the clone and reports it against the source's. */
static int set_label(const struct labels *labels, const char *key, const char *value,
                     const char *why)
{
	const cJSON *was = json_member(labels->source, key);

	if (json_set_string(labels->target, key, value) < 0)
		return err_no_memory(labels->err);

	const cJSON *now = json_member(labels->target, key);
	return report_label(labels, plan_difference(was, now), key, was, now, why);
}

/* The engine merges the image's labels in again whatever is sent; they can only be made empty. */
static int drop_label(const struct labels *labels, const cJSON *label, const char *why)
{
	if (json_member(labels->image, label->string) != NULL)
		return set_label(labels, label->string, "", why);
	return report_label(labels, PLAN_DROPPED, label->string, label, NULL, why);
}

static bool is_own(const char *key)
{
	return strncmp(key, own_prefix, sizeof(own_prefix) - 1) == 0;
}

/* True when we set this label ourselves later, so that it has one row only. */
static bool is_set_later(const struct labels *labels, const char *key)
{
	const struct request *request = clone_input(labels->context)->request;

	if (strv_find_key(&request->labels, key) != NULL || strcmp(key, traefik_enable) == 0 ||
	    is_own(key))
		return true;
	if (json_member(labels->source, compose_project) == NULL)
		return false;
	return strcmp(key, compose_oneoff) == 0 || strcmp(key, compose_slug) == 0;
}

static int take_label(const struct labels *labels, const cJSON *label)
{
	const struct request *request = clone_input(labels->context)->request;
	const cJSON *in_image = json_member(labels->image, label->string);
	const char *why = labels->rule->why;

	if (is_set_later(labels, label->string))
		return 0;
	if (!cJSON_IsString(label))
		return err_set(labels->err, ERR_PROTOCOL, "the label '%s' is no text",
		               label->string);
	if (label_action(label->string, &why) == LABEL_DROP)
		return drop_label(labels, label, why);
	if (in_image != NULL && json_equal(in_image, label)) {
		if (request->image != NULL)
			return report_label(labels, PLAN_DROPPED, label->string, label, NULL,
			                    "came with the old image; the new one brings its own");
		return report_label(labels, PLAN_KEPT, label->string, label, label,
		                    "comes with the image");
	}
	return set_label(labels, label->string, label->valuestring, why);
}

static int add_asked(const struct labels *labels)
{
	const struct strv *asked = &clone_input(labels->context)->request->labels;

	for (size_t i = 0; i < asked->count; i++) {
		const char *equals = strchr(asked->items[i], '=');
		_cleanup_free_ char *key = strndup(asked->items[i], strcspn(asked->items[i], "="));

		if (key == NULL)
			return err_no_memory(labels->err);
		if (is_own(key))
			return err_set(labels->err, ERR_USAGE, "the label '%s' is oneoff's own",
			               key);
		if (set_label(labels, key, equals != NULL ? equals + 1 : "", "asked with -l") < 0)
			return -1;
	}
	return 0;
}

/* 64 hexadecimal digits out of the id (FNV-1a, spread by splitmix64): an identifier, no secret. */
static void make_slug(const char *id, char slug[65])
{
	uint64_t state = UINT64_C(0xcbf29ce484222325);

	for (; *id != '\0'; id++)
		state = (state ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	for (int i = 0; i < 4; i++) {
		uint64_t word;

		state += UINT64_C(0x9e3779b97f4a7c15);
		word = (state ^ (state >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
		snprintf(slug + 16 * i, 17, "%016llx", (unsigned long long)(word ^ (word >> 31)));
	}
}

/* Without oneoff=True `up` would count the clone as a replica and recreate it. */
static int add_compose(const struct labels *labels)
{
	char slug[65];

	if (json_member(labels->source, compose_project) == NULL)
		return 0;
	make_slug(clone_input(labels->context)->id, slug);
	if (set_label(labels, compose_oneoff, "True",
	              "docker compose takes it for a run, not a replica") < 0)
		return -1;
	return set_label(labels, compose_slug, slug, "as docker compose run does");
}

/* Traefik may route to every container unless told not to, and names a router by the compose
 * labels. */
static int add_traefik(const struct labels *labels)
{
	const struct strv *asked = &clone_input(labels->context)->request->labels;
	const cJSON *label;

	if (strv_find_key(asked, traefik_enable) != NULL)
		return 0;
	cJSON_ArrayForEach (label, labels->source) {
		if (strncmp(label->string, "traefik.", 8) == 0)
			return set_label(labels, traefik_enable, "false",
			                 "or Traefik may route to it by default");
	}
	return 0;
}

static int command_text(const struct labels *labels, struct strbuf *text)
{
	const struct strv *argv = &clone_input(labels->context)->request->argv;
	_cleanup_(json_free) cJSON *list = NULL;

	list = argv->count > 0
	               ? json_new_strings(argv)
	               : cJSON_Duplicate(json_at(labels->context->source, "Config.Cmd"), true);
	if (list == NULL && argv->count == 0)
		list = cJSON_CreateArray();
	return list == NULL || command_text_add(list, text) < 0 ? err_no_memory(labels->err) : 0;
}

static int set_ours(const struct labels *labels, const char *key, const char *value)
{
	return value == NULL ? 0 : set_label(labels, key, value, ours);
}

static int set_time(const struct labels *labels, const char *key, int64_t unix_seconds)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(unix_seconds, text);
	return set_ours(labels, key, text);
}

static int64_t seconds(int64_t milliseconds)
{
	return milliseconds / 1000 + (milliseconds % 1000 > 0);
}

static int add_times(const struct labels *labels)
{
	const struct docker_clone_input *input = clone_input(labels->context);
	const struct request *request = input->request;
	int64_t end = input->now_unix_seconds + seconds(request->timeout_ms);
	char text[32];

	if (set_time(labels, "dev.oneoff.started", input->now_unix_seconds) < 0)
		return -1;
	if (request->timeout_ms > 0 && set_time(labels, "dev.oneoff.deadline", end) < 0)
		return -1;
	if (request->keep == KEEP_NEVER)
		return 0;
	if (set_ours(labels, "dev.oneoff.keep",
	             request->keep == KEEP_FAILED ? "failed" : "always") < 0)
		return -1;
	if (request->keep_for_ms <= 0)
		return 0;
	snprintf(text, sizeof(text), "%lld", (long long)seconds(request->keep_for_ms));
	return set_ours(labels, "dev.oneoff.keep-for", text);
}

static int add_ours(const struct labels *labels)
{
	const struct docker_clone_input *input = clone_input(labels->context);
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;

	if (command_text(labels, &command) < 0)
		return -1;
	if (set_ours(labels, "dev.oneoff.id", input->id) < 0 ||
	    set_ours(labels, "dev.oneoff.source", input->source_name) < 0 ||
	    set_ours(labels, "dev.oneoff.source-id", json_string(input->container, "Id")) < 0 ||
	    set_ours(labels, "dev.oneoff.user", input->user) < 0 ||
	    set_ours(labels, "dev.oneoff.command", strbuf_str(&command)) < 0 ||
	    set_ours(labels, "dev.oneoff.reason", input->request->reason) < 0 ||
	    set_ours(labels, "dev.oneoff.lock", input->request->lock) < 0 ||
	    set_ours(labels, "dev.oneoff.detached", input->request->detach ? "true" : NULL) < 0)
		return -1;
	return add_times(labels);
}

/* The clone is made by the image's id: who reads the record later wants its name, too. */
static int add_image(const struct labels *labels)
{
	const struct docker_clone_input *input = clone_input(labels->context);
	const char *own = json_string(input->container, "Config.Image");

	return set_ours(labels, "dev.oneoff.image",
	                input->request->image ? input->request->image : own);
}

static const char *why_dropped(const char *key)
{
	return release_is_declaration(key + sizeof(own_prefix) - 1) ? "tells oneoff about the app"
	                                                            : "describes another one-off";
}

/* A one-off may be the source: what it says of itself, and we do not say anew, must not stay. */
static int drop_stale(const struct labels *labels)
{
	const cJSON *label;

	cJSON_ArrayForEach (label, labels->source) {
		if (is_own(label->string) && json_member(labels->target, label->string) == NULL &&
		    drop_label(labels, label, why_dropped(label->string)) < 0)
			return -1;
	}
	return 0;
}

int clone_labels(struct rule_context *context, const struct rule *rule, const cJSON *node,
                 struct err *err)
{
	_cleanup_(json_free) cJSON *target = cJSON_CreateObject();
	const struct labels labels = {
		.context = context,
		.rule = rule,
		.source = node,
		.image = json_at(clone_input(context)->image, "Config.Labels"),
		.target = target,
		.err = err,
	};
	const cJSON *label;

	if (target == NULL)
		return err_no_memory(err);
	if (!json_is_unset(node) && !cJSON_IsObject(node))
		return err_set(err, ERR_PROTOCOL, "%s is no object", rule->path);
	cJSON_ArrayForEach (label, node) {
		if (take_label(&labels, label) < 0)
			return -1;
	}
	if (add_traefik(&labels) < 0 || add_compose(&labels) < 0 || add_asked(&labels) < 0 ||
	    add_ours(&labels) < 0 || add_image(&labels) < 0 || drop_stale(&labels) < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(target), err);
}
