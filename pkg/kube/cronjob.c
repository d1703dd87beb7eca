/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/cronjob.h"

#include <inttypes.h>
#include <string.h>
#include "pkg/base/escape.h"
#include "pkg/base/sha256.h"
#include "pkg/kube/clone_calls.h"

/* For the Job's own delays, as in clone_job.c. */
#define START_SECONDS 60
/* Between tries the Job controller waits 10 s, 20 s, 40 s… at most 10 minutes. */
#define FIRST_BACKOFF   INT64_C(10)
#define LONGEST_BACKOFF INT64_C(600)
#define MAX_RETRIES     1000
/* The controller looks every ten seconds. */
#define LEAST_STARTING_DEADLINE 10
#define ID_VARIABLE             "ONEOFF_ID"

/* ---- checks ------------------------------------------------------------------------------------ */

static bool is_alphanumeric(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

/* A DNS name in lower case: parts of letters, digits and inner hyphens, between dots. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++) {
		bool edge = i == 0 || i + 1 == length || name[i - 1] == '.' || name[i + 1] == '.';

		if (!is_alphanumeric(name[i]) && (edge || (name[i] != '-' && name[i] != '.')))
			return false;
	}
	return length > 0;
}

static int check_number(const char *option, int64_t value, int64_t least, int64_t greatest,
                        struct err *err)
{
	if (value >= least && value <= greatest)
		return 0;
	return err_set(err, ERR_USAGE, "%s: %" PRId64 " is not %" PRId64 " to %" PRId64, option,
	               value, least, greatest);
}

int cronjob_check(const struct cronjob_settings *settings, struct err *err)
{
	const char *name = settings->name;

	if (!is_name(name)) {
		err_set(err, ERR_USAGE, "--name: '%s' is no name for a CronJob", name);
		return err_hint(
			err,
			"lower-case letters, digits and hyphens, a letter or digit at both ends");
	}
	if (strlen(name) > CRONJOB_MAX_NAME) {
		err_set(err, ERR_USAGE,
		        "--name: '%s' has %zu characters; a CronJob's has at most %d", name,
		        strlen(name), CRONJOB_MAX_NAME);
		return err_hint(err, "the cluster appends 11 for each Job");
	}
	if (settings->starting_deadline != CRONJOB_UNSET &&
	    settings->starting_deadline < LEAST_STARTING_DEADLINE) {
		err_set(err, ERR_USAGE,
		        "--starting-deadline: less than %d seconds would leave out runs",
		        LEAST_STARTING_DEADLINE);
		return err_hint(err, "the cluster looks only every ten seconds for what is due");
	}
	if (check_number("--starting-deadline", settings->starting_deadline, CRONJOB_UNSET,
	                 INT32_MAX, err) < 0 ||
	    check_number("--retries", settings->retries, 0, MAX_RETRIES, err) < 0 ||
	    check_number("--history", settings->history_succeeded, 0, INT32_MAX, err) < 0 ||
	    check_number("--history", settings->history_failed, 0, INT32_MAX, err) < 0 ||
	    check_number("--keep-for", settings->keep, 0, INT32_MAX, err) < 0)
		return -1;
	return check_number("--timeout", settings->timeout, 0, INT32_MAX, err);
}

/* ---- what both forms share --------------------------------------------------------------------- */

/* The time for all tries, with the pauses between them; 0: no limit. */
static int64_t whole_deadline(const struct cronjob_settings *settings, int64_t running)
{
	int64_t pause = FIRST_BACKOFF, sum;

	if (running <= 0 || settings->start_timeout <= 0)
		return 0;
	sum = running + settings->start_timeout + START_SECONDS;
	sum *= settings->retries + 1;
	for (int64_t i = 0; i < settings->retries; i++) {
		sum += pause;
		pause = pause * 2 < LONGEST_BACKOFF ? pause * 2 : LONGEST_BACKOFF;
	}
	return sum < INT32_MAX ? sum : INT32_MAX;
}

static int set_labels(const struct cronjob_settings *settings, cJSON *metadata)
{
	cJSON *labels = metadata ? json_object_for(metadata, "labels") : NULL;

	if (!labels)
		return -1;
	cJSON_DeleteItemFromObjectCaseSensitive(labels, KUBE_LABEL_ID);
	if (json_set_string(labels, KUBE_LABEL_MANAGED, "oneoff") < 0)
		return -1;
	return json_set_string(labels, CRONJOB_LABEL, settings->name);
}

static int set_list(cJSON *annotations, const char *key, const struct strv *list)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *array = json_new_strings(list);

	if (!array)
		return -1;
	json_print(array, false, &text);
	return text.failed ? -1 : json_set_string(annotations, key, strbuf_str(&text));
}

/* What tells a Job of it from others: where it comes from and what it runs. */
static int set_record(const struct cronjob_settings *settings, const char *image, cJSON *metadata)
{
	cJSON *annotations = json_object_for(metadata, "annotations");

	if (!annotations || json_set_string(annotations, CRONJOB_SOURCE, settings->source) < 0 ||
	    set_list(annotations, CRONJOB_COMMAND, settings->argv) < 0 ||
	    (image && json_set_string(annotations, CRONJOB_IMAGE, image) < 0))
		return -1;
	return settings->reason ? json_set_string(annotations, CRONJOB_REASON, settings->reason)
	                        : 0;
}

static int set_job_spec(const struct cronjob_settings *settings, cJSON *spec, int64_t running)
{
	int64_t deadline = whole_deadline(settings, running);

	if (!spec || json_set_int64(spec, "backoffLimit", settings->retries) < 0 ||
	    json_set_int64(spec, "completions", 1) < 0 ||
	    json_set_int64(spec, "parallelism", 1) < 0 ||
	    json_set_string(spec, "podReplacementPolicy", "Failed") < 0)
		return -1;
	if (settings->keep > 0 &&
	    json_set_int64(spec, "ttlSecondsAfterFinished", settings->keep) < 0)
		return -1;
	return deadline > 0 ? json_set_int64(spec, "activeDeadlineSeconds", deadline) : 0;
}

static int set_spec(const struct cronjob_settings *settings, cJSON *spec)
{
	static const char *const policies[] = {"Forbid", "Allow", "Replace"};

	if (!spec || json_set_string(spec, "schedule", settings->schedule) < 0 ||
	    (settings->time_zone && json_set_string(spec, "timeZone", settings->time_zone) < 0) ||
	    json_set_string(spec, "concurrencyPolicy", policies[settings->concurrency]) < 0)
		return -1;
	if (settings->starting_deadline != CRONJOB_UNSET &&
	    json_set_int64(spec, "startingDeadlineSeconds", settings->starting_deadline) < 0)
		return -1;
	if (json_set_int64(spec, "successfulJobsHistoryLimit", settings->history_succeeded) < 0 ||
	    json_set_int64(spec, "failedJobsHistoryLimit", settings->history_failed) < 0)
		return -1;
	return json_set_bool(spec, "suspend", settings->suspend);
}

static int set_template_hash(cJSON *annotations, const cJSON *pod_template, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char hex[SHA256_HEX_SIZE];

	json_print(pod_template, false, &text);
	if (text.failed)
		return err_no_memory(err);
	if (sha256_hex(strbuf_str(&text), text.length, hex, err) < 0)
		return -1;
	return json_set_string(annotations, CRONJOB_TEMPLATE, hex) < 0 ? err_no_memory(err) : 0;
}

static int set_head(const struct cronjob_settings *settings, cJSON *document)
{
	cJSON *metadata;

	if (json_set_string(document, "apiVersion", "batch/v1") < 0 ||
	    json_set_string(document, "kind", "CronJob") < 0)
		return -1;
	metadata = json_object_for(document, "metadata");
	if (!metadata || json_set_string(metadata, "name", settings->name) < 0 ||
	    json_set_string(metadata, "namespace", settings->name_space) < 0)
		return -1;
	return set_labels(settings, metadata);
}

/* Puts a CronJob around the pod template (taken). `image`: of the task, or NULL; `running`: seconds of one try. */
static int wrap(const struct cronjob_settings *settings, cJSON *pod_template, const char *mode,
                const char *image, int64_t running, cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *owned = pod_template, *document = cJSON_CreateObject();
	cJSON *metadata, *annotations, *spec, *job, *job_metadata, *job_spec;

	if (!document || !owned || set_head(settings, document) < 0)
		return err_no_memory(err);
	metadata = json_member(document, "metadata");
	if (set_record(settings, image, metadata) < 0)
		return err_no_memory(err);
	annotations = json_member(metadata, "annotations");
	if (json_set_string(annotations, CRONJOB_MODE, mode) < 0 ||
	    set_list(annotations, CRONJOB_GENERATE, settings->generate) < 0)
		return err_no_memory(err);
	if (set_template_hash(annotations, owned, err) < 0)
		return -1;
	spec = json_object_for(document, "spec");
	if (!spec || set_spec(settings, spec) < 0)
		return err_no_memory(err);
	job = json_object_for(spec, "jobTemplate");
	job_metadata = job ? json_object_for(job, "metadata") : NULL;
	if (!job_metadata || set_labels(settings, job_metadata) < 0 ||
	    set_record(settings, image, job_metadata) < 0)
		return err_no_memory(err);
	job_spec = json_object_for(job, "spec");
	if (set_job_spec(settings, job_spec, running) < 0 ||
	    json_set_node(job_spec, "template", TAKE_PTR(owned)) < 0)
		return err_no_memory(err);
	*ret = TAKE_PTR(document);
	return 0;
}

/* ---- pinned ------------------------------------------------------------------------------------ */

/* Each run has an id of its own: its pod's name. */
static int set_id(cJSON *container)
{
	_cleanup_(json_free) cJSON *entry = cJSON_CreateObject();
	cJSON *from, *field, *list = json_member(container, "env");
	cJSON *old = json_named(list, ID_VARIABLE);

	if (!entry || json_set_string(entry, "name", ID_VARIABLE) < 0)
		return -1;
	from = json_object_for(entry, "valueFrom");
	field = from ? json_object_for(from, "fieldRef") : NULL;
	if (!field || json_set_string(field, "apiVersion", "v1") < 0 ||
	    json_set_string(field, "fieldPath", "metadata.name") < 0)
		return -1;
	if (!old)
		return 0; /* -e took it out */
	return cJSON_ReplaceItemViaPointer(list, old, TAKE_PTR(entry)) ? 0 : -1;
}

int cronjob_pin(const struct cronjob_settings *settings, const cJSON *job, const char *container,
                cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *pod_template =
		cJSON_Duplicate(json_at(job, "spec.template"), true);
	cJSON *task = json_named(json_at(pod_template, "spec.containers"), container);

	if (!task)
		return err_set(err, ERR_INTERNAL, "the Job has no container '%s'", container);
	if (cronjob_check(settings, err) < 0)
		return -1;
	if (!json_true(task, "stdin"))
		cJSON_DeleteItemFromObjectCaseSensitive(task, "stdin");
	if (set_labels(settings, json_object_for(pod_template, "metadata")) < 0 || set_id(task) < 0)
		return err_no_memory(err);
	return wrap(settings, TAKE_PTR(pod_template), "pin", json_string(task, "image"),
	            settings->timeout, ret, err);
}

/* ---- following --------------------------------------------------------------------------------- */

/* The least that Pod Security asks for, and what a program of a few megabytes needs. */
static const char container_text[] =
	"{\"resources\":{\"requests\":{\"cpu\":\"10m\",\"memory\":\"16Mi\"},"
	"\"limits\":{\"memory\":\"128Mi\"}},\"securityContext\":{\"allowPrivilegeEscalation\":false,"
	"\"capabilities\":{\"drop\":[\"ALL\"]},\"readOnlyRootFilesystem\":true}}";
static const char pod_text[] =
	"{\"restartPolicy\":\"Never\",\"securityContext\":{\"runAsNonRoot\":true,\"runAsUser\":65532,"
	"\"seccompProfile\":{\"type\":\"RuntimeDefault\"}}}";

/* `oneoff WORDS…`; the kubelet would expand $(NAME). */
static cJSON *new_arguments(const struct strv *words)
{
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; list && i < words->count; i++) {
		_cleanup_free_ char *escaped = kube_escape(words->items[i]);

		if (!escaped || json_add_string(list, escaped) < 0)
			return NULL;
	}
	return TAKE_PTR(list);
}

static cJSON *new_container(const char *image, const struct strv *words)
{
	_cleanup_(json_free) cJSON *container = cJSON_CreateObject(), *rest = NULL;
	struct err ignored = ERR_INIT;
	cJSON *item;

	if (!container || json_set_string(container, "name", "oneoff") < 0 ||
	    json_set_string(container, "image", image) < 0 ||
	    json_set_node(container, "args", new_arguments(words)) < 0 ||
	    json_parse(container_text, strlen(container_text), sizeof(container_text), &rest,
	               &ignored) < 0)
		return NULL;
	while ((item = cJSON_DetachItemFromArray(rest, 0))) {
		_cleanup_free_ char *key = strdup(item->string);

		if (!key || json_set_node(container, key, item) < 0)
			return NULL;
	}
	return TAKE_PTR(container);
}

static cJSON *new_follower(const struct cronjob_settings *settings, const char *image,
                           const char *service_account, const struct strv *words, int64_t running)
{
	_cleanup_(json_free) cJSON *pod_template = cJSON_CreateObject(), *spec = NULL, *list = NULL;
	struct err ignored = ERR_INIT;

	if (!pod_template ||
	    json_parse(pod_text, strlen(pod_text), sizeof(pod_text), &spec, &ignored) < 0)
		return NULL;
	list = cJSON_CreateArray();
	if (!list || json_add_node(list, new_container(image, words)) < 0 ||
	    json_set_node(spec, "containers", TAKE_PTR(list)) < 0 ||
	    json_set_string(spec, "serviceAccountName", service_account) < 0 ||
	    (running > 0 && json_set_int64(spec, "activeDeadlineSeconds", running) < 0) ||
	    set_labels(settings, json_object_for(pod_template, "metadata")) < 0 ||
	    json_set_node(pod_template, "spec", TAKE_PTR(spec)) < 0)
		return NULL;
	return TAKE_PTR(pod_template);
}

int cronjob_follow(const struct cronjob_settings *settings, const char *image,
                   const char *service_account, const struct strv *words, cJSON **ret,
                   struct err *err)
{
	int64_t running = 0;
	cJSON *pod_template;

	if (cronjob_check(settings, err) < 0)
		return -1;
	/* oneoff ends its task itself, by the same limit; it must live to tell of it. */
	if (settings->timeout > 0 && settings->start_timeout > 0)
		running = settings->timeout + settings->start_timeout + START_SECONDS;
	if (running > INT32_MAX)
		running = INT32_MAX;
	pod_template = new_follower(settings, image, service_account, words, running);
	if (!pod_template)
		return err_no_memory(err);
	return wrap(settings, pod_template, "follow", NULL, running, ret, err);
}

int cronjob_print(const cJSON *document, const struct strv *head, struct strbuf *ret,
                  struct err *err)
{
	for (size_t i = 0; i < head->count; i++) {
		strbuf_adds(ret, "# ");
		escape_add(ret, head->items[i]);
		strbuf_addc(ret, '\n');
	}
	return json_print_yaml(document, ret, err);
}
