/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "oci/bundle_calls.h"
#include "pkg/backend/backend.h"
#include "pkg/backend/command_text.h"
#include "pkg/base/clock.h"

static const char ours[] = "oneoff's own record";
static const char own_prefix[] = "dev.oneoff.";

struct annotations {
	struct rule_context *context;
	const struct rule *rule;
	const cJSON *source; /* the source's annotations, or NULL */
	cJSON *target;
	struct err *err;
};

static int set_annotation(const struct annotations *annotations, const char *key, const char *value,
                          const char *why)
{
	const cJSON *was = json_member(annotations->source, key);

	if (json_set_string(annotations->target, key, value) < 0)
		return err_no_memory(annotations->err);

	const cJSON *now = json_member(annotations->target, key);
	return rule_report(annotations->context, plan_difference(was, now), annotations->rule->path,
	                   key, was, now, why, annotations->err);
}

static bool is_own(const char *key)
{
	return strncmp(key, own_prefix, sizeof(own_prefix) - 1) == 0;
}

/* How the app wants to be ended; whoever stops the task reads it from here. */
static int add_stop_signal(const struct annotations *annotations)
{
	const cJSON *source = annotations->context->source;
	bool from_image = bundle_sources(annotations->context)->from_image;
	const cJSON *node = from_image ? json_at(source, "config.StopSignal")
	                               : json_member(annotations->source, BUNDLE_STOP_SIGNAL);

	if (json_is_unset(node) ||
	    strv_find_key(&bundle_input(annotations->context)->request->labels, BUNDLE_STOP_SIGNAL))
		return 0;
	return set_annotation(annotations, BUNDLE_STOP_SIGNAL, node->valuestring,
	                      "same stop signal");
}

static int add_asked(const struct annotations *annotations)
{
	const struct strv *asked = &bundle_input(annotations->context)->request->labels;

	for (size_t i = 0; i < asked->count; i++) {
		const char *equals = strchr(asked->items[i], '=');
		_cleanup_free_ char *key = strndup(asked->items[i], strcspn(asked->items[i], "="));

		if (!key)
			return err_no_memory(annotations->err);
		if (is_own(key))
			return err_set(annotations->err, ERR_USAGE,
			               "the label '%s' is oneoff's own", key);
		if (set_annotation(annotations, key, equals ? equals + 1 : "", "asked with -l") < 0)
			return -1;
	}
	return 0;
}

static int command_text(const struct annotations *annotations, struct strbuf *text)
{
	_cleanup_(json_free) cJSON *list = bundle_command(annotations->context);

	return !list || command_text_add(list, text) < 0 ? err_no_memory(annotations->err) : 0;
}

static int set_ours(const struct annotations *annotations, const char *key, const char *value)
{
	return !value ? 0 : set_annotation(annotations, key, value, ours);
}

static int set_time(const struct annotations *annotations, const char *key, int64_t unix_seconds)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(unix_seconds, text);
	return set_ours(annotations, key, text);
}

static int set_number(const struct annotations *annotations, const char *key, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return set_ours(annotations, key, text);
}

static int64_t seconds(int64_t milliseconds)
{
	return milliseconds / 1000 + (milliseconds % 1000 > 0);
}

static int add_times(const struct annotations *annotations)
{
	const struct bundle_input *input = bundle_input(annotations->context);
	const struct request *request = input->request;
	int64_t end = input->now_unix_seconds + seconds(request->timeout_ms);

	if (set_time(annotations, "dev.oneoff.started", input->now_unix_seconds) < 0)
		return -1;
	if (request->timeout_ms > 0 && set_time(annotations, "dev.oneoff.deadline", end) < 0)
		return -1;
	if (request->keep == KEEP_NEVER)
		return 0;
	if (set_ours(annotations, "dev.oneoff.keep",
	             request->keep == KEEP_FAILED ? "failed" : "always") < 0)
		return -1;
	return request->keep_for_ms > 0 ? set_number(annotations, "dev.oneoff.keep-for",
	                                             seconds(request->keep_for_ms))
	                                : 0;
}

static int add_ours(const struct annotations *annotations)
{
	const struct bundle_input *input = bundle_input(annotations->context);
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;

	if (command_text(annotations, &command) < 0)
		return -1;
	if (set_ours(annotations, "dev.oneoff.id", input->id) < 0 ||
	    set_ours(annotations, "dev.oneoff.source", input->source_name) < 0 ||
	    set_ours(annotations, "dev.oneoff.source-id", input->source_id) < 0 ||
	    set_ours(annotations, "dev.oneoff.user", input->user_name) < 0 ||
	    set_ours(annotations, "dev.oneoff.command", strbuf_str(&command)) < 0 ||
	    set_ours(annotations, "dev.oneoff.reason", input->request->reason) < 0 ||
	    set_ours(annotations, "dev.oneoff.lock", input->request->lock) < 0 ||
	    set_ours(annotations, "dev.oneoff.detached", input->request->detach ? "true" : NULL) <
	            0)
		return -1;
	return add_times(annotations);
}

static const char *why_dropped(const char *key)
{
	return release_is_declaration(key + sizeof(own_prefix) - 1) ? "tells oneoff about the app"
	                                                            : "describes another one-off";
}

/* Runtimes take orders from annotations, and managers know their containers by them. */
static int drop_rest(const struct annotations *annotations)
{
	const cJSON *annotation;

	cJSON_ArrayForEach (annotation, annotations->source) {
		const char *why = is_own(annotation->string) ? why_dropped(annotation->string)
		                                             : annotations->rule->why;

		if (!json_member(annotations->target, annotation->string) &&
		    rule_report(annotations->context, PLAN_DROPPED, annotations->rule->path,
		                annotation->string, annotation, NULL, why, annotations->err) < 0)
			return -1;
	}
	return 0;
}

int bundle_annotations(struct rule_context *context, const struct rule *rule, const cJSON *node,
                       struct err *err)
{
	_cleanup_(json_free) cJSON *target = cJSON_CreateObject();
	const struct annotations annotations = {
		.context = context,
		.rule = rule,
		.source = bundle_was(context, node),
		.target = target,
		.err = err,
	};

	if (!target)
		return err_no_memory(err);
	if (add_stop_signal(&annotations) < 0 || add_asked(&annotations) < 0 ||
	    add_ours(&annotations) < 0 || drop_rest(&annotations) < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(target), err);
}
