/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

/* ---- small things that all files here need ------------------------------------------------------ */

int64_t kube_seconds(int64_t milliseconds)
{
	return milliseconds / 1000 + (milliseconds % 1000 > 0);
}

const char *kube_node(const struct kube_state *state)
{
	const char *node = json_string(state->input->pod, "spec.nodeName");

	return node != NULL && node[0] != '\0' ? node : NULL;
}

/* ---- one container ------------------------------------------------------------------------------ */

/* Hands the rows over, each path behind "spec.LIST.NAME.". */
static int move_rows(struct plan *from, struct plan *to, const char *list, const char *name)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct plan_row *row = &from->rows[i];
		_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

		strbuf_addf(&path, "spec.%s.%s.%s", list, name, row->path);
		if (path.failed || plan_add(to, row->action, strbuf_str(&path), row->was, row->now,
		                            row->reason) < 0)
			return -1;
	}
	return 0;
}

/* An object that the rules have emptied is not sent. */
static void prune(cJSON *object, const char *key)
{
	const cJSON *member = json_member(object, key);

	if (cJSON_IsObject(member) && member->child == NULL)
		cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

int kube_run_container(struct rule_context *context, enum kube_table table, const char *list,
                       const cJSON *container, cJSON **ret_container, struct err *err)
{
	struct kube_state *state = kube_state(context);
	_cleanup_(json_free) cJSON *target = cJSON_CreateObject();
	_cleanup_(plan_release) struct plan plan;
	struct rule_context inner = {
		.source = container,
		.target = target,
		.plan = &plan,
		.flags = state->flags,
		.extra = context->extra,
		.fired = state->fired != NULL ? state->fired[table] : NULL,
	};

	plan_init(&plan);
	if (target == NULL)
		return err_no_memory(err);
	if (rules_apply(kube_rules[table].rows, kube_rules[table].count, RULE_UNMATCHED_KEEP,
	                &inner, err) < 0)
		return -1;
	prune(target, "lifecycle");
	if (move_rows(&plan, context->plan, list, json_string(container, "name")) < 0)
		return err_no_memory(err);
	*ret_container = TAKE_PTR(target);
	return 0;
}

/* ---- which container ---------------------------------------------------------------------------- */

static const cJSON *no_such_container(const cJSON *containers, const char *wanted, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf names = STRBUF_INIT;
	const cJSON *container;

	cJSON_ArrayForEach (container, containers) {
		const char *name = json_string(container, "name");

		if (name != NULL)
			strbuf_addf(&names, "%s%s", names.length > 0 ? ", " : "", name);
	}
	(void)err_set(err, ERR_USAGE, "the pod has no container '%s'", wanted);
	(void)err_hint(err, "it has: %s", strbuf_str(&names));
	return NULL;
}

const cJSON *kube_clone_container(const cJSON *pod_template, const char *wanted, struct err *err)
{
	const cJSON *containers = json_at(pod_template, "spec.containers");
	const cJSON *annotations = json_at(pod_template, "metadata.annotations");
	const cJSON *annotation = json_member(annotations, KUBE_DEFAULT_KEY);
	const cJSON *container = NULL;

	if (wanted != NULL) {
		container = json_named(containers, wanted);
		return container != NULL ? container : no_such_container(containers, wanted, err);
	}
	if (cJSON_IsString(annotation))
		container = json_named(containers, annotation->valuestring);
	if (container != NULL)
		return container;
	/* A mesh may have put its proxy in front. */
	cJSON_ArrayForEach (container, containers) {
		const char *name = json_string(container, "name");

		if (name != NULL && kube_injected_container(name) == NULL)
			return container;
	}
	if (!cJSON_IsArray(containers) || containers->child == NULL) {
		(void)err_set(err, ERR_PROTOCOL, "the pod has no containers");
		return NULL;
	}
	return containers->child;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static void state_release(struct kube_state *state)
{
	json_free(&state->source);
	json_free(&state->command);
	json_free(&state->args);
	json_free(&state->asked);
	free(state->labels);
	free(state->selectors);
	free(state->policies);
	strv_release(&state->dropped_volumes);
	strv_release(&state->dropped_claims);
}

static unsigned flags_of(const struct kube_clone_input *input)
{
	const struct request *request = input->request;
	unsigned flags = 0;

	if (input->pod_template == NULL)
		flags |= KUBE_BARE;
	if (request->cpu_nano != REQUEST_AS_SOURCE || request->memory_bytes != REQUEST_AS_SOURCE)
		flags |= KUBE_LIMITS_ASKED;
	if (request->image != NULL)
		flags |= KUBE_IMAGE_ASKED;
	return flags;
}

/* {"metadata", "spec"} of the template, or of the pod that stands alone. Owned. */
static cJSON *make_source(const struct kube_clone_input *input)
{
	static const char *const keys[] = {"metadata", "spec"};
	const cJSON *from = input->pod_template != NULL ? input->pod_template : input->pod;
	_cleanup_(json_free) cJSON *source = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const cJSON *part = json_member(from, keys[i]);

		if (source == NULL ||
		    (part != NULL &&
		     json_set_node(source, keys[i], cJSON_Duplicate(part, true)) < 0))
			return NULL;
	}
	return TAKE_PTR(source);
}

static int prepare(struct kube_state *state, struct err *err)
{
	const struct kube_clone_input *input = state->input;

	state->source = make_source(input);
	if (state->source == NULL)
		return err_no_memory(err);
	if (kube_check(input, state->source, err) < 0)
		return -1;
	state->flags = flags_of(input);
	state->task =
		kube_clone_container(state->source, input->request->kubernetes.container, err);
	if (state->task == NULL)
		return -1;
	state->mesh = kube_find_mesh(input, state->source);
	if (kube_plan_command(state, err) < 0)
		return -1;
	if (state->gate != NULL)
		state->flags |= KUBE_GATED;
	return kube_plan_labels(state, err);
}

/* Runs the pod's table; *ret_template is {"metadata", "spec"}, owned by the caller. */
static int make_template(struct kube_state *state, struct plan *plan, cJSON **ret_template,
                         struct err *err)
{
	const struct kube_rules *table = &kube_rules[KUBE_TABLE_POD];
	_cleanup_(json_free) cJSON *target = cJSON_CreateObject();
	struct rule_context context = {
		.source = state->source,
		.target = target,
		.plan = plan,
		.flags = state->flags,
		.extra = &state,
		.fired = state->fired != NULL ? state->fired[KUBE_TABLE_POD] : NULL,
	};

	if (target == NULL || json_object_for(target, "metadata") == NULL ||
	    json_object_for(target, "spec") == NULL)
		return err_no_memory(err);
	if (rules_apply(table->rows, table->count, RULE_UNMATCHED_KEEP, &context, err) < 0)
		return -1;
	prune(json_member(target, "spec"), "affinity");
	if (kube_pin_node(&context, err) < 0 || kube_report_selectors(&context, err) < 0)
		return -1;
	*ret_template = TAKE_PTR(target);
	return 0;
}

int kube_clone_traced(const struct kube_clone_input *input, bool *const fired[KUBE_TABLE_COUNT],
                      struct plan *ret_plan, struct err *err)
{
	_cleanup_(state_release) struct kube_state state = {.input = input, .fired = fired};
	_cleanup_(plan_release) struct plan plan;
	_cleanup_(json_free) cJSON *pod_template = NULL;

	plan_init(&plan);
	if (prepare(&state, err) < 0 || make_template(&state, &plan, &pod_template, err) < 0 ||
	    kube_wrap(&state, TAKE_PTR(pod_template), &plan, err) < 0)
		return -1;
	*ret_plan = plan;
	plan_init(&plan);
	return 0;
}

int kube_clone(const struct kube_clone_input *input, struct plan *ret_plan, struct err *err)
{
	return kube_clone_traced(input, NULL, ret_plan, err);
}
