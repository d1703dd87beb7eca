/* SPDX-License-Identifier: Apache-2.0 */
/* A one-off that exists already becomes this backend's task: its output, its end, and the way to stop it. */
#include "pkg/kube/kube.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/kube/channel.h"
#include "pkg/kube/record.h"

#define LABEL_ID      "oneoff.dev/id"
#define CONTAINER_KEY "kubectl.kubernetes.io/default-container"
#define ASK_PAUSE_MS  INT64_C(3000)
#define TURN_MS       100

static char *object_path(const struct kube *kube, const char *suffix)
{
	const struct kube_task *task = &kube->task;

	return kube_path(task->is_job ? "batch/v1" : "", kube->config.name_space,
	                 task->is_job ? "jobs" : "pods", task->name, suffix);
}

static char *pods_of_task(const struct kube *kube, struct strbuf *selector)
{
	strbuf_adds(selector, kube->task.is_job ? "labelSelector=job-name%3D"
	                                        : "fieldSelector=metadata.name%3D");
	strbuf_add_url(selector, kube->task.name);
	return selector->failed ? NULL : kube_path("", kube->config.name_space, "pods", NULL, NULL);
}

/* ---- adopt ---- */

static int set_place(struct kube *kube, const struct task_record *record, struct err *err)
{
	const char *name = strchr(record->handle, '/');
	char *place;

	if (!name)
		return err_set(err, ERR_INTERNAL, "'%s' is no handle of ours", record->handle);
	if (record->place) {
		place = strdup(record->place);
		if (!place)
			return err_no_memory(err);
		free(kube->config.name_space);
		kube->config.name_space = place;
	}
	kube_task_release(&kube->task);
	kube->task.is_job = !strncmp(record->handle, "jobs/", 5);
	kube->task.name = strdup(name + 1);
	snprintf(kube->task.id, sizeof(kube->task.id), "%s", record->id);
	return kube->task.name ? 0 : err_no_memory(err);
}

/* The container that is the task, and how it takes its input. */
static int read_container(struct kube_task *task, const cJSON *object, struct err *err)
{
	const cJSON *pod = task->is_job ? json_at(object, "spec.template") : object;
	const cJSON *annotations = json_at(pod, "metadata.annotations");
	const cJSON *containers = json_at(pod, "spec.containers");
	const char *name = cJSON_GetStringValue(json_member(annotations, CONTAINER_KEY));
	const cJSON *found = name ? json_named(containers, name) : NULL;

	if (!found)
		found = cJSON_GetArrayItem(containers, 0);
	if (!json_string(found, "name"))
		return err_set(err, ERR_PROTOCOL, "'%s' has no container", task->name);
	task->container = strdup(json_string(found, "name"));
	task->tty = json_true(found, "tty");
	task->stdin_open = json_true(found, "stdin");
	return task->container ? 0 : err_no_memory(err);
}

static int get_own(struct kube *kube, cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *object = NULL;
	_cleanup_free_ char *path = object_path(kube, NULL);
	const char *label;

	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "GET", path, NULL, &object, err) < 0)
		return -1;
	label = cJSON_GetStringValue(json_member(json_at(object, "metadata.labels"), LABEL_ID));
	if (!label || strcmp(label, kube->task.id)) {
		err_set(err, ERR_NOT_FOUND, "'%s' is another one now", kube->task.name);
		err->http_status = 404;
		return -1;
	}
	*ret = TAKE_PTR(object);
	return 0;
}

/* How far it is now; the watch goes on from there. A Job may have no pod, or none any more. */
static int take_pods(struct kube *kube, const char *path, const char *selector, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf full = STRBUF_INIT;
	_cleanup_(json_free) cJSON *pods = NULL;
	struct exit_status ignored;
	const cJSON *pod;

	strbuf_addf(&full, "%s?%s", path, selector);
	if (full.failed)
		return err_no_memory(err);
	if (kube_list(kube, strbuf_str(&full), &pods, err) < 0)
		return -1;
	cJSON_ArrayForEach (pod, pods)
		if (kube_take_pod(kube, pod, false, err) < 0)
			return -1;
	return kube->task.seen || kube_job_end(kube, &ignored, err) >= 0 ? 0 : -1;
}

int kube_adopt(struct backend *backend, const struct task_record *record, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	_cleanup_(strbuf_release) struct strbuf selector = STRBUF_INIT;
	_cleanup_(json_free) cJSON *object = NULL;
	_cleanup_free_ char *path = NULL;

	watch_close(kube->watch);
	kube->watch = NULL;
	if (set_place(kube, record, err) < 0 || get_own(kube, &object, err) < 0 ||
	    read_container(&kube->task, object, err) < 0 ||
	    kube_load_output(&kube->task, object, err) < 0)
		return -1;
	kube->task.adopted = kube->task.created = kube->task.released = true;
	if (!kube->task.is_job) {
		kube->task.pod = strdup(kube->task.name);
		if (!kube->task.pod)
			return err_no_memory(err);
	}
	kube->task.kept = record->keep != KEEP_NEVER;
	path = pods_of_task(kube, &selector);
	if (!path)
		return err_no_memory(err);
	if (take_pods(kube, path, strbuf_str(&selector), err) < 0)
		return -1;
	return watch_open(kube, path, strbuf_str(&selector), &kube->watch, err);
}

/* ---- the end without a pod ---- */

static void note_over(struct kube_task *task, const cJSON *job, const char *reason)
{
	task->over = true;
	task->last = (struct exit_status){.known = !reason};
	task->last.known |= kube_job_code(job, &task->last.code);
	task->last.timed_out = reason && !strcmp(reason, "DeadlineExceeded");
	if (!task->last.known)
		snprintf(task->last.message, sizeof(task->last.message),
		         "its pod is gone, the Job says: %.200s", reason);
}

int kube_job_end(struct kube *kube, struct exit_status *ret, struct err *err)
{
	struct kube_task *task = &kube->task;
	_cleanup_(json_free) cJSON *job = NULL;
	int64_t now = clock_monotonic_ms();
	const char *reason = NULL;
	struct err own = ERR_INIT;

	if (!task->over && task->asked_at && now - task->asked_at < ASK_PAUSE_MS)
		return 0;
	if (!task->over) {
		task->asked_at = now;
		watch_restart(kube->watch);
		if (get_own(kube, &job, &own) == 0) {
			if (task->is_job && kube_job_is_over(job, NULL, &reason))
				note_over(task, job, reason);
		} else if (own.http_status == 404) {
			note_over(task, NULL, "NotFound");
		} else {
			*err = own;
			return -1;
		}
	}
	if (task->over)
		*ret = task->last;
	return task->over;
}

/* ---- output ---- */

static bool has_started(const struct kube_task *task)
{
	return task->status.stage == POD_RUNNING ||
	       (task->status.stage == POD_ENDED && !task->status.never_ran);
}

/* 1: its container runs or ran, 0: it never will, or not now and nobody wants to wait; -1. */
static int await_start(struct kube *kube, bool follow, struct err *err)
{
	struct kube_task *task = &kube->task;
	struct exit_status ignored;

	if (kube_turn(kube, err) < 0)
		return -1;
	while (!has_started(task)) {
		if (!follow || task->over || task->gone || task->status.stage == POD_ENDED)
			return 0;
		if (loop_wait_answer(kube->loop, TURN_MS, err) < 0 || kube_turn(kube, err) < 0)
			return -1;
		if (!task->seen && kube_job_end(kube, &ignored, err) < 0)
			return -1;
	}
	return 1;
}

static int open_log(struct kube *kube, const struct output_request *request, struct channel **ret,
                    struct err *err)
{
	struct kube_task *task = &kube->task;
	struct http_request *log;
	char more[96];

	task->by_log = true;
	task->log_cut = request->tail >= 0;
	snprintf(task->log_query, sizeof(task->log_query), "%s",
	         request->timestamps ? "&timestamps=true" : "");
	snprintf(more, sizeof(more), "%s%s", request->follow ? "&follow=true" : "",
	         task->log_query);
	if (request->tail >= 0)
		snprintf(more + strlen(more), sizeof(more) - strlen(more), "&tailLines=%" PRId64,
		         request->tail);
	if (kube_start_log(kube, more, &log, err) < 0) {
		if (err->http_status == 403)
			err_hint(err, "to read output, your role needs the verb get on pods/log: "
			              "k8s-manifests/role.yaml");
		return -1;
	}
	if (kube_log_channel_open(log, 0, &kube->channel, err) < 0)
		return -1;
	if (!task->tty)
		report(&kube->reporter, REPORT_NOTE,
		       "both of its streams come from its log, as one");
	*ret = kube->channel;
	return 0;
}

/* A task that did not start has no log, one whose pod is gone has lost it. */
static int open_rest(struct kube *kube, const struct output_request *request, struct err *err)
{
	struct kube_task *task = &kube->task;
	struct strbuf nothing = STRBUF_INIT;

	task->by_log = true;
	if (task->last_output.length)
		return kube_show_saved(kube, request->tail, &kube->channel, err);
	if (task->over || task->gone)
		return kube_text_channel_open(&nothing, "its pod is gone, and its log with it",
		                              &kube->channel, err);
	return kube_log_channel_open(NULL, 0, &kube->channel, err);
}

/* An attach begins with what comes then. What was before is in the log, which is read behind the attach: what is written in
 * that moment may come twice, but nothing is missing. */
static void show_before(struct kube *kube)
{
	struct http_request *log;
	struct channel *front;
	struct err err = ERR_INIT;

	if (kube_start_log(kube, "", &log, &err) < 0 ||
	    kube_log_channel_open(log, 0, &front, &err) < 0)
		report(&kube->reporter, REPORT_NOTE,
		       "what it wrote before cannot be shown (%s); Enter brings a prompt",
		       err.message);
	else
		kube_channel_set_front(kube->channel, front);
}

int kube_output(struct backend *backend, const struct output_request *request, struct channel **ret,
                struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	struct kube_task *task = &kube->task;
	int result;

	if (request->join && task->tty && request->detach_keys) {
		err_set(err, ERR_USAGE, "--detach-keys: a cluster has none");
		return err_hint(
			err,
			"to leave: close the terminal, or send this process a HUP; the task runs on");
	}
	result = await_start(kube, request->follow, err);

	if (kube->channel)
		kube->channel->ops->close(kube->channel);
	kube->channel = NULL;
	if (result < 0)
		return -1;
	if (result == 0) {
		if (open_rest(kube, request, err) < 0)
			return -1;
		*ret = kube->channel;
		return 0;
	}
	if (!request->join || !task->tty || task->status.stage != POD_RUNNING)
		return open_log(kube, request, ret, err);
	task->stdin_open &= request->stdin_open;
	result = kube_attach_running(kube, ret, err);
	if (result == 0) /* it ended on the way */
		return open_log(kube, request, ret, err);
	if (result > 0)
		show_before(kube);
	return result < 0 ? -1 : 0;
}

/* ---- stop ---- */

/* {"metadata":{"annotations":{"oneoff.dev/stopped":NOW}},"spec":{"activeDeadlineSeconds":1}} */
static cJSON *stop_patch(void)
{
	_cleanup_(json_free) cJSON *patch = cJSON_CreateObject();
	cJSON *metadata = patch ? json_object_for(patch, "metadata") : NULL;
	cJSON *annotations = metadata ? json_object_for(metadata, "annotations") : NULL;
	cJSON *spec = patch ? json_object_for(patch, "spec") : NULL;
	char now[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(clock_unix_seconds(), now);
	if (!annotations || !spec || json_set_string(annotations, "oneoff.dev/stopped", now) < 0 ||
	    json_set_int64(spec, "activeDeadlineSeconds", 1) < 0)
		return NULL;
	return TAKE_PTR(patch);
}

/* A pod's deadline is one of the few fields that may be changed while it runs, and only to an earlier one. The kubelet
 * then ends it as a deletion would (TERM, its grace period, KILL), but the pod stays, with its log and its code. */
static int move_deadline(struct kube *kube, struct err *err)
{
	_cleanup_free_ char *path =
		kube_path("", kube->config.name_space, "pods", kube->task.pod, NULL);
	_cleanup_(json_free) cJSON *patch = stop_patch();

	if (!path || !patch)
		return err_no_memory(err);
	return kube_patch(kube, path, KUBE_MERGE_PATCH, patch, NULL, err);
}

void kube_note_code(struct kube *kube, int code)
{
	_cleanup_free_ char *path = object_path(kube, NULL);
	_cleanup_(json_free) cJSON *patch = cJSON_CreateObject();
	cJSON *metadata = patch ? json_object_for(patch, "metadata") : NULL;
	cJSON *annotations = metadata ? json_object_for(metadata, "annotations") : NULL;
	struct err err = ERR_INIT;
	char text[16];

	snprintf(text, sizeof(text), "%d", code);
	kube->task.killed = false; /* once */
	if (!path || !annotations || json_set_string(annotations, KUBE_CODE_ANNOTATION, text) < 0)
		return;
	if (kube_patch(kube, path, KUBE_MERGE_PATCH, patch, NULL, &err) < 0)
		report(&kube->reporter, REPORT_NOTE, "how it ended cannot be written down: %s",
		       err.message);
}

/* Nothing shortens the grace period but this; the pod goes with it, and its log. What is to be kept of it is written
 * down at the Job: the end of the log before, the code after. */
static int delete_pod(struct kube *kube, bool force, struct err *err)
{
	_cleanup_free_ char *path = kube_path("", kube->config.name_space, "pods", kube->task.pod,
	                                      force ? "?gracePeriodSeconds=1" : NULL);

	if (kube->task.kept && !kube->task.killed)
		kube_save_output(kube);
	if (!path)
		return err_no_memory(err);
	if (kube_call(kube, "DELETE", path, NULL, NULL, err) < 0)
		return -1;
	kube->task.killed = kube->task.kept;
	return 0;
}

int kube_stop_adopted(struct kube *kube, int signal_number, struct err *err)
{
	const struct kube_task *task = &kube->task;
	bool force = signal_number == SIGKILL;
	_cleanup_free_ char *path = NULL;
	struct err own = ERR_INIT;

	if (task->pod && !force && move_deadline(kube, &own) == 0)
		return 0;
	if (own.kind == ERR_NO_MEMORY || own.kind == ERR_INTERRUPTED) {
		*err = own;
		return -1;
	}
	if (own.http_status)
		report(&kube->reporter, REPORT_DETAIL,
		       "it cannot be ended by its deadline, so its pod is deleted: %s",
		       own.message);
	own = (struct err)ERR_INIT;
	if (task->pod && (force || task->kept) && delete_pod(kube, force, &own) == 0 && task->kept)
		return 0;
	if (task->kept && own.kind != ERR_NONE)
		report(&kube->reporter, REPORT_WARNING,
		       "it is deleted, its log and its code are lost: %s", own.message);
	path = object_path(kube, "?propagationPolicy=Background");
	if (!path)
		return err_no_memory(err);
	kube_send(kube, "DELETE", path, NULL);
	return 0;
}
