/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "pkg/backend/command_text.h"
#include "pkg/base/clock.h"
#include "pkg/kube/clone_calls.h"

/* Long enough for a slow reader of ours to take what a dead container has still on its way. */
#define TTL_SECONDS      600
#define TTL_KEPT_SECONDS (7 * 24 * 3600)
#define START_SECONDS    60 /* on top of --start-timeout: for the Job's own delays */

/* What the document is made of. */
struct wrapping {
	struct kube_state *state;
	cJSON *pod_template; /* owned */
	struct plan *plan;
	struct err *err;
};

/* ---- the record --------------------------------------------------------------------------------- */

static int add_command(const struct kube_state *state, struct strbuf *text)
{
	const struct strv *argv = &state->input->request->argv;
	_cleanup_(json_free) cJSON *list =
		argv->count > 0 ? json_new_strings(argv) : cJSON_CreateArray();

	return list == NULL ? -1 : command_text_add(list, text);
}

static int set_record(const struct wrapping *wrapping, cJSON *annotations, const char *key,
                      const char *value)
{
	bool alone = wrapping->state->input->request->kubernetes.carrier == CARRIER_POD;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	if (value == NULL)
		return 0;
	strbuf_addf(&path, "%smetadata.annotations.%s", alone ? "" : "Job.", key);
	if (json_set_string(annotations, key, value) < 0 || path.failed ||
	    plan_add(wrapping->plan, PLAN_ADDED, strbuf_str(&path), NULL,
	             json_member(annotations, key), "oneoff's own record") < 0)
		return err_no_memory(wrapping->err);
	return 0;
}

static const cJSON *task_of(const struct wrapping *wrapping)
{
	return cJSON_GetArrayItem(json_at(wrapping->pod_template, "spec.containers"), 0);
}

static int64_t capped(int64_t seconds)
{
	return seconds > INT32_MAX ? INT32_MAX : seconds;
}

/* How long an ended Job stays when no client takes it away. */
static int64_t ttl_of(const struct request *request)
{
	int64_t kept = kube_seconds(request->keep_for_ms);

	if (request->keep == KEEP_NEVER)
		return TTL_SECONDS;
	return kept > 0 ? capped(kept) : TTL_KEPT_SECONDS;
}

/* Which workload, or which pod where there is none. */
static const char *source_id(const struct kube_clone_input *input)
{
	return json_string(input->workload ? input->workload : input->pod, "metadata.uid");
}

static const char *keep_word(enum keep_mode keep)
{
	if (keep == KEEP_ALWAYS)
		return "always";
	return keep == KEEP_FAILED ? "failed" : NULL;
}

static int add_record(const struct wrapping *wrapping, cJSON *annotations)
{
	const struct kube_clone_input *input = wrapping->state->input;
	const struct request *request = input->request;
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;
	char started[CLOCK_RFC3339_SIZE], deadline[CLOCK_RFC3339_SIZE], keep_for[32];
	int64_t running = kube_seconds(request->timeout_ms);
	bool kept = request->keep != KEEP_NEVER;
	const struct {
		const char *key, *value;
	} records[] = {
		{KUBE_PREFIX "source", input->source},
		{KUBE_PREFIX "source-id", source_id(input)},
		{KUBE_PREFIX "user", input->user},
		{KUBE_PREFIX "reason", input->request->reason},
		{KUBE_PREFIX "command", strbuf_str(&command)},
		{KUBE_PREFIX "started", started},
		{KUBE_PREFIX "deadline", running > 0 ? deadline : NULL},
		{KUBE_PREFIX "keep", keep_word(request->keep)},
		{KUBE_PREFIX "keep-for", kept ? keep_for : NULL},
		{KUBE_PREFIX "detached", request->detach ? "true" : NULL},
		{KUBE_PREFIX "lock", request->lock},
		{KUBE_PREFIX "image", json_string(task_of(wrapping), "image")},
	};

	clock_format_rfc3339(input->now_unix_seconds, started);
	clock_format_rfc3339(input->now_unix_seconds + (running > 0 ? running : 0), deadline);
	snprintf(keep_for, sizeof(keep_for), "%" PRId64, ttl_of(request));
	if (add_command(wrapping->state, &command) < 0)
		return err_no_memory(wrapping->err);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		bool is_command = strcmp(records[i].key, KUBE_PREFIX "command") == 0;

		if (set_record(wrapping, annotations, records[i].key,
		               is_command ? strbuf_str(&command) : records[i].value) < 0)
			return -1;
	}
	return 0;
}

/* ---- the pod ------------------------------------------------------------------------------------ */

/* {apiVersion, kind, metadata: {name, namespace}}. NULL: no memory. */
static cJSON *new_object(const struct kube_clone_input *input, const char *version,
                         const char *kind)
{
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	cJSON *metadata;

	if (object == NULL || json_set_string(object, "apiVersion", version) < 0 ||
	    json_set_string(object, "kind", kind) < 0)
		return NULL;
	metadata = json_object_for(object, "metadata");
	if (metadata == NULL || json_set_string(metadata, "name", input->name) < 0 ||
	    json_set_string(metadata, "namespace", input->name_space) < 0)
		return NULL;
	return TAKE_PTR(object);
}

/* The template as a Pod of its own. NULL: no memory. */
static cJSON *new_pod(const struct wrapping *wrapping)
{
	_cleanup_(json_free) cJSON *pod = new_object(wrapping->state->input, "v1", "Pod");
	const cJSON *member;

	if (pod == NULL)
		return NULL;
	cJSON_ArrayForEach (member, json_member(wrapping->pod_template, "metadata")) {
		if (json_set_node(json_member(pod, "metadata"), member->string,
		                  cJSON_Duplicate(member, true)) < 0)
			return NULL;
	}
	if (json_set_node(pod, "spec",
	                  cJSON_Duplicate(json_member(wrapping->pod_template, "spec"), true)) < 0)
		return NULL;
	return TAKE_PTR(pod);
}

/* ---- the Job ------------------------------------------------------------------------------------ */

/* Ours and the asked ones only: a tool that keeps the app by its labels would take the Job for its own. */
static int add_job_labels(const struct wrapping *wrapping, cJSON *job)
{
	const struct kube_state *state = wrapping->state;
	cJSON *labels = json_object_for(json_member(job, "metadata"), "labels");

	for (size_t i = state->source_label_count; i < state->label_count; i++) {
		if (labels == NULL ||
		    json_set_string(labels, state->labels[i].key, state->labels[i].value) < 0)
			return err_no_memory(wrapping->err);
	}
	return 0;
}

static int set_field(const struct wrapping *wrapping, cJSON *spec, const char *key, cJSON *value,
                     const char *why)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "Job.spec.%s", key);
	if (json_set_node(spec, key, value) < 0 || path.failed ||
	    plan_add(wrapping->plan, PLAN_ADDED, strbuf_str(&path), NULL, json_member(spec, key),
	             why) < 0)
		return err_no_memory(wrapping->err);
	return 0;
}

static int set_number(const struct wrapping *wrapping, cJSON *spec, const char *key, int64_t number,
                      const char *why)
{
	return set_field(wrapping, spec, key, json_new_int64(number), why);
}

static int add_deadline(const struct wrapping *wrapping, cJSON *spec)
{
	const struct request *request = wrapping->state->input->request;
	int64_t running = kube_seconds(request->timeout_ms);
	int64_t starting = kube_seconds(request->start_timeout_ms);

	/* Without a limit for either part there is none for the whole. */
	if (running <= 0 || starting <= 0)
		return 0;
	return set_number(wrapping, spec, "activeDeadlineSeconds",
	                  capped(running + starting + START_SECONDS),
	                  "also ends a pod that never starts");
}

static int fill_job(const struct wrapping *wrapping, cJSON *spec)
{
	const struct request *request = wrapping->state->input->request;

	if (set_number(wrapping, spec, "backoffLimit", 0, "never a second try") < 0 ||
	    set_number(wrapping, spec, "completions", 1, "one task") < 0 ||
	    set_number(wrapping, spec, "parallelism", 1, "one task") < 0 ||
	    set_field(wrapping, spec, "podReplacementPolicy", cJSON_CreateString("Failed"),
	              "never two at a time") < 0 ||
	    set_number(wrapping, spec, "ttlSecondsAfterFinished", ttl_of(request),
	               "the cluster removes it when no client does") < 0)
		return -1;
	return add_deadline(wrapping, spec);
}

static cJSON *new_job(const struct wrapping *wrapping)
{
	_cleanup_(json_free) cJSON *job = new_object(wrapping->state->input, "batch/v1", "Job");
	cJSON *annotations, *spec;

	if (job == NULL || add_job_labels(wrapping, job) < 0)
		return NULL;
	annotations = json_object_for(json_member(job, "metadata"), "annotations");
	spec = json_object_for(job, "spec");
	if (annotations == NULL || spec == NULL || add_record(wrapping, annotations) < 0 ||
	    fill_job(wrapping, spec) < 0)
		return NULL;
	if (json_set_node(spec, "template", cJSON_Duplicate(wrapping->pod_template, true)) < 0)
		return NULL;
	return TAKE_PTR(job);
}

static cJSON *new_carrier_pod(const struct wrapping *wrapping)
{
	_cleanup_(json_free) cJSON *pod = new_pod(wrapping);
	cJSON *annotations =
		pod != NULL ? json_object_for(json_member(pod, "metadata"), "annotations") : NULL;

	if (annotations == NULL || add_record(wrapping, annotations) < 0)
		return NULL;
	return TAKE_PTR(pod);
}

/* ---- extra -------------------------------------------------------------------------------------- */

/* What the running pod tells of the image that the task must have, too; another one was not asked for. */
static const char *source_image_id(const struct kube_state *state)
{
	const char *name = json_string(state->task, "name");
	const cJSON *status =
		json_named(json_at(state->input->pod, "status.containerStatuses"), name);
	const char *id = json_string(status, "imageID");

	if (state->input->request->image != NULL || id == NULL || id[0] == '\0')
		return NULL;
	return id;
}

static int add_extra(const struct wrapping *wrapping, cJSON *extra)
{
	const struct kube_state *state = wrapping->state;
	const char *id = source_image_id(state);

	if (json_set_string(extra, "container", json_string(state->task, "name")) < 0)
		return -1;
	if (state->gate != NULL && (json_set_string(extra, "gate", state->gate) < 0 ||
	                            json_set_string(extra, "configMap", state->input->name) < 0))
		return -1;
	if (id != NULL && json_set_string(extra, "imageID", id) < 0)
		return -1;
	if (json_set_bool(extra, "pinned", state->pinned) < 0)
		return -1;
	return json_set_node(extra, "pod", new_pod(wrapping));
}

int kube_wrap(struct kube_state *state, cJSON *pod_template, struct plan *plan, struct err *err)
{
	_cleanup_(json_free) cJSON *owned = pod_template;
	const struct wrapping wrapping = {state, owned, plan, err};
	bool alone = state->input->request->kubernetes.carrier == CARRIER_POD;

	plan->document = alone ? new_carrier_pod(&wrapping) : new_job(&wrapping);
	if (plan->document == NULL)
		return err->kind != ERR_NONE ? -1 : err_no_memory(err);
	plan->extra = cJSON_CreateObject();
	if (plan->extra == NULL || add_extra(&wrapping, plan->extra) < 0)
		return err_no_memory(err);
	return 0;
}
