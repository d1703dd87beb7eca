/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/backend/command_text.h"
#include "pkg/kube/lock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "pkg/base/clock.h"
#include "pkg/kube/kube.h"
#include "pkg/kube/lock_holders.h"

#define LEASES        "coordination.k8s.io/v1"
#define LEASE_SECONDS INT64_C(15)
#define RENEW_MS      INT64_C(5000)
/* Clocks of two machines differ; by a renewal that was not seen coming, nobody's does. */
#define CLOCK_SKEW_SECONDS INT64_C(300)
#define MAX_TRIES          5
#define LEASE_TIMEOUT_MS   INT64_C(10000)

void kube_lock_release(struct kube_lock *lock)
{
	http_cancel(lock->renewal);
	lock->renewal = NULL;
	json_free(&lock->lease);
	free(lock->name);
	lock->name = NULL;
}

/* As a Lease has its times: microseconds, all six digits. */
static void format_now(char text[64])
{
	struct timespec now;
	struct tm parts;
	char seconds[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text, 64, "%s.%06ldZ", seconds, now.tv_nsec / 1000);
}

static char *lease_path(const struct kube *kube, bool named)
{
	char name[300];

	snprintf(name, sizeof(name), "oneoff-lock-%.200s", kube->lock.name);
	return kube_path(LEASES, kube->config.name_space, "leases", named ? name : NULL, NULL);
}

/* ---- the document ---- */

static int set_annotations(cJSON *metadata, const struct plan *plan,
                           const struct identity *identity)
{
	const cJSON *record = json_at(plan->document, "metadata.annotations");
	cJSON *annotations = json_object_for(metadata, "annotations");
	static const char *const keys[] = {"oneoff.dev/command", "oneoff.dev/user",
	                                   "oneoff.dev/source"};

	if (!annotations || json_set_string(annotations, "oneoff.dev/id", identity->id) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = cJSON_GetStringValue(json_member(record, keys[i]));

		cJSON_DeleteItemFromObjectCaseSensitive(annotations, keys[i]);
		if (value && json_set_string(annotations, keys[i], value) < 0)
			return -1;
	}
	return 0;
}

/* A Lease of ours: a new one, or another's over whose content ours is put. NULL: no memory. */
static cJSON *fill(const struct kube *kube, const cJSON *from, const struct plan *plan,
                   const struct identity *identity)
{
	_cleanup_(json_free) cJSON *lease =
		from ? cJSON_Duplicate(from, true) : cJSON_CreateObject();
	cJSON *metadata = lease ? json_object_for(lease, "metadata") : NULL;
	cJSON *spec = lease ? json_object_for(lease, "spec") : NULL;
	cJSON *labels = metadata ? json_object_for(metadata, "labels") : NULL;
	const char *user = kube->user ? kube->user : identity->user;
	char now[64], name[300], holder[300];
	int64_t transitions = 0;

	format_now(now);
	snprintf(name, sizeof(name), "oneoff-lock-%.200s", kube->lock.name);
	snprintf(holder, sizeof(holder), "%s %.250s", identity->id, user ? user : "");
	if (from && json_int64(from, "spec.leaseTransitions", &transitions) == 0)
		transitions++;
	if (!metadata || !spec || !labels || json_set_string(lease, "apiVersion", LEASES) < 0 ||
	    json_set_string(lease, "kind", "Lease") < 0 ||
	    json_set_string(metadata, "name", name) < 0 ||
	    json_set_string(labels, "app.kubernetes.io/managed-by", "oneoff") < 0 ||
	    json_set_string(labels, KUBE_LOCK_LABEL, kube->lock.name) < 0 ||
	    set_annotations(metadata, plan, identity) < 0 ||
	    json_set_string(spec, "holderIdentity", holder) < 0 ||
	    json_set_int64(spec, "leaseDurationSeconds", LEASE_SECONDS) < 0 ||
	    json_set_int64(spec, "leaseTransitions", transitions) < 0 ||
	    json_set_string(spec, "acquireTime", now) < 0 ||
	    json_set_string(spec, "renewTime", now) < 0)
		return NULL;
	/* The collector would take it away with the Job of the one before. */
	cJSON_DeleteItemFromObjectCaseSensitive(metadata, "ownerReferences");
	return TAKE_PTR(lease);
}

static int say_what_is_needed(struct err *err)
{
	if (err->http_status == 403)
		err_hint(err, "a lock needs the verbs get, create, update and delete on "
		              "leases.coordination.k8s.io: k8s-manifests/role.yaml");
	return -1;
}

/* POST or PUT; what the server answers becomes ours. */
static int put(struct kube *kube, const char *method, const cJSON *lease, struct err *err)
{
	_cleanup_free_ char *path = lease_path(kube, !strcmp(method, "PUT"));
	_cleanup_(json_free) cJSON *answer = NULL;

	if (!path || !lease)
		return err_no_memory(err);
	if (kube_call(kube, method, path, lease, &answer, err) < 0)
		return say_what_is_needed(err);
	json_free(&kube->lock.lease);
	kube->lock.lease = TAKE_PTR(answer);
	kube->lock.renew_at = clock_monotonic_ms() + RENEW_MS;
	return 0;
}

/* ---- another's Lease ---- */

static const char *holder_of(const cJSON *lease)
{
	const char *text = json_string(lease, "spec.holderIdentity");

	return text ? text : "";
}

static bool is_held_by(const cJSON *lease, const char *id)
{
	const char *holder = holder_of(lease);
	size_t length = strlen(id);

	return !strncmp(holder, id, length) && (holder[length] == ' ' || !holder[length]);
}

/* Not renewed for its whole time by our own clock; or, for whoever looks only once, long ago by anybody's. */
static bool is_expired(struct kube_lock *lock, const cJSON *lease)
{
	const char *renewed = json_string(lease, "spec.renewTime");
	int64_t now = clock_monotonic_ms(), duration = LEASE_SECONDS, seconds;
	char seen[sizeof(lock->seen)];

	if (json_int64(lease, "spec.leaseDurationSeconds", &duration) < 0 || duration < 1 ||
	    duration > 3600)
		duration = LEASE_SECONDS;
	snprintf(seen, sizeof(seen), "%.60s %.60s", holder_of(lease), renewed ? renewed : "");
	if (strcmp(seen, lock->seen) != 0) {
		memcpy(lock->seen, seen, sizeof(seen));
		lock->seen_at = now;
	}
	if (now - lock->seen_at > duration * 1000)
		return true;
	return renewed && clock_parse_rfc3339(renewed, &seconds) == 0 &&
	       seconds + duration + CLOCK_SKEW_SECONDS < clock_unix_seconds();
}

/* `more`: what else is in the way, or "". */
static int explain(const struct kube *kube, const cJSON *lease, const char *more, struct err *err)
{
	const cJSON *annotations = json_at(lease, "metadata.annotations");
	const char *holder = holder_of(lease), *user = strchr(holder, ' ');
	char id[32], since[CLOCK_RFC3339_SIZE] = "";
	const char *acquired = json_string(lease, "spec.acquireTime");
	int64_t seconds;

	snprintf(id, sizeof(id), "%.*s", (int)strcspn(holder, " "), holder);
	/* Without the fraction. */
	if (acquired && clock_parse_rfc3339(acquired, &seconds) == 0)
		clock_format_rfc3339(seconds, since);
	lock_is_held(kube->lock.name,
	             &(struct lock_holder_text){
			     .id = *id ? id : NULL,
			     .user = user ? user + 1 : NULL,
			     .since = *since ? since : NULL,
			     .command = cJSON_GetStringValue(
				     json_member(annotations, "oneoff.dev/command")),
		     },
	             err);
	return *more ? err_wrap(err, "%s", more) : -1;
}

/* Whether it is the holder's own object that is spoken of: its name ends in the id. */
static bool is_its_own(const cJSON *lease, const char *words)
{
	char id[32];

	snprintf(id, sizeof(id), "%.*s", (int)strcspn(holder_of(lease), " "), holder_of(lease));
	return *id && strstr(words, id) && !strstr(words, "ended");
}

/* 0 when the Lease may be taken over. */
static int judge(struct kube *kube, const cJSON *lease, struct err *err)
{
	bool expired = is_expired(&kube->lock, lease);
	struct kube_holders holders;

	if (kube_holders_look(kube, holder_of(lease), &holders, err) < 0)
		return -1;
	if (holders.running || holders.alive)
		return explain(kube, lease, is_its_own(lease, holders.words) ? "" : holders.words,
		               err);
	if (holders.holder_ended || expired)
		return 0;
	return explain(kube, lease, "", err);
}

/* ---- acquire ---- */

/* Nobody else's task runs on under a Lease that is gone. */
static int check_alone(struct kube *kube, struct err *err)
{
	struct kube_holders holders;

	if (kube_holders_look(kube, "", &holders, err) < 0)
		return -1;
	if (holders.running || holders.alive)
		return explain(kube, NULL, holders.words, err);
	return 0;
}

/* 1: ours, 0: somebody was faster, look again; -1. */
static int try_acquire(struct kube *kube, const struct plan *plan, const struct identity *identity,
                       struct err *err)
{
	_cleanup_(json_free) cJSON *lease = NULL, *ours = NULL;
	_cleanup_free_ char *path = lease_path(kube, true);
	bool there;

	if (!path)
		return err_no_memory(err);
	there = kube_call(kube, "GET", path, NULL, &lease, err) == 0;
	if (!there && err->http_status != 404) {
		say_what_is_needed(err);
		return err_wrap(err, "lock '%s'", kube->lock.name);
	}
	*err = (struct err)ERR_INIT;
	if (there && is_held_by(lease, identity->id)) {
		json_free(&kube->lock.lease);
		kube->lock.lease = TAKE_PTR(lease);
		return 1;
	}
	if (there && judge(kube, lease, err) < 0)
		return -1;
	ours = fill(kube, lease, plan, identity);
	if (put(kube, there ? "PUT" : "POST", ours, err) == 0)
		return 1;
	if (err->http_status == 409 || err->http_status == 404)
		return 0;
	return err_wrap(err, "lock '%s'", kube->lock.name);
}

int kube_lock_acquire(struct kube *kube, const struct plan *plan, const struct identity *identity,
                      struct err *err)
{
	int result = 0;

	http_cancel(kube->lock.renewal);
	kube->lock.renewal = NULL;
	json_free(&kube->lock.lease);
	free(kube->lock.name);
	kube->lock.name = strdup(identity->lock);
	if (!kube->lock.name)
		return err_no_memory(err);
	for (int try = 0; try < MAX_TRIES && result == 0; try++)
		result = try_acquire(kube, plan, identity, err);
	if (result < 0)
		return -1;
	if (result == 0)
		return explain(kube, NULL, "others were faster", err);
	if (check_alone(kube, err) == 0)
		return 0;
	kube_lock_give_back(kube);
	return -1;
}

/* A renewal under way may have made another version of it: then that one, if it is still ours. */
static int delete_own(struct kube *kube, const char *path, struct err *err)
{
	_cleanup_(json_free) cJSON *lease = NULL;

	if (kube_delete_as_seen(kube, path, kube->lock.lease, err) == 0)
		return 0;
	if (err->http_status != 409 || kube_call(kube, "GET", path, NULL, &lease, err) < 0 ||
	    strcmp(holder_of(lease), holder_of(kube->lock.lease)) != 0)
		return -1;
	return kube_delete_as_seen(kube, path, lease, err);
}

void kube_lock_give_back(struct kube *kube)
{
	_cleanup_free_ char *path = kube->lock.lease ? lease_path(kube, true) : NULL;
	struct err ignored = ERR_INIT;

	http_cancel(kube->lock.renewal);
	kube->lock.renewal = NULL;
	if (path && delete_own(kube, path, &ignored) < 0 && ignored.http_status != 404)
		report(&kube->reporter, REPORT_DETAIL, "lock: %s", ignored.message);
	json_free(&kube->lock.lease);
}

/* ---- confirm ---- */

/* The Lease is still ours, and from now on it goes with the Job. */
static int bind_to(struct kube *kube, const cJSON *object, struct err *err)
{
	_cleanup_(json_free) cJSON *lease = cJSON_Duplicate(kube->lock.lease, true);
	cJSON *metadata = json_member(lease, "metadata"), *spec = json_member(lease, "spec");
	cJSON *owners = cJSON_CreateArray();
	char now[64];

	format_now(now);
	if (!owners || json_add_node(owners, kube_owner_of(kube, object)) < 0) {
		json_free(&owners);
		return err_no_memory(err);
	}
	if (!metadata || !spec || json_set_node(metadata, "ownerReferences", owners) < 0 ||
	    json_set_string(spec, "renewTime", now) < 0)
		return err_no_memory(err);
	if (put(kube, "PUT", lease, err) == 0)
		return 0;
	if (err->http_status != 409 && err->http_status != 404)
		return err_wrap(err, "lock '%s'", kube->lock.name);
	json_free(&kube->lock.lease);
	return explain(kube, NULL, "another took it before the task began", err);
}

static int unsuspend(struct kube *kube, const cJSON *job, struct err *err)
{
	_cleanup_free_ char *path =
		kube_path("batch/v1", kube->config.name_space, "jobs", kube->task.name, NULL);
	_cleanup_(json_free) cJSON *patch = cJSON_CreateObject();
	cJSON *metadata = patch ? json_object_for(patch, "metadata") : NULL;
	cJSON *spec = patch ? json_object_for(patch, "spec") : NULL;

	/* The uid: not another Job of that name. */
	if (!path || !metadata || !spec ||
	    json_set_string(metadata, "uid", json_string(job, "metadata.uid")) < 0 ||
	    json_set_bool(spec, "suspend", false) < 0)
		return err_no_memory(err);
	/* Once more when the answer was lost: to do it twice is to do it once. */
	for (int try = 0; try < 2; try++) {
		*err = (struct err)ERR_INIT;
		if (kube_patch(kube, path, KUBE_MERGE_PATCH, patch, NULL, err) == 0)
			return 0;
		if (err->kind == ERR_INTERRUPTED || (err->http_status && err->http_status < 500))
			break;
	}
	if (err->http_status == 404 || err->http_status == 409)
		return explain(kube, NULL, "another took it before the task began", err);
	if (err->http_status == 403)
		err_hint(err, "a lock needs the verb patch on jobs: k8s-manifests/role.yaml");
	return err_wrap(err, "start job '%s'", kube->task.name);
}

int kube_lock_confirm(struct kube *kube, const cJSON *object, struct err *err)
{
	if (bind_to(kube, object, err) < 0 || kube_holders_fence(kube, err) < 0 ||
	    check_alone(kube, err) < 0)
		return -1;
	return kube->task.is_job ? unsuspend(kube, object, err) : 0;
}

/* ---- renew ---- */

static void end_renewal(struct kube_lock *lock)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(json_free) cJSON *answer = NULL;
	struct err ignored = ERR_INIT;
	int result = http_finish(lock->renewal, &reply, &ignored);

	lock->renewal = NULL;
	if (result < 0 || reply.status >= 500 || reply.status == 429 || reply.status == 401)
		return; /* the next one may pass */
	if (reply.status == 200 && json_parse(strbuf_str(&reply.body), reply.body.length,
	                                      JSON_MAX_BYTES, &answer, &ignored) == 0) {
		json_free(&lock->lease);
		lock->lease = TAKE_PTR(answer);
		return;
	}
	/* It went with its Job, or is another's: the task itself is what keeps others out. */
	json_free(&lock->lease);
}

void kube_lock_tick(struct kube *kube)
{
	struct kube_lock *lock = &kube->lock;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *path = NULL;
	struct http_message message = {.method = "PUT", .timeout_ms = LEASE_TIMEOUT_MS};
	struct err ignored = ERR_INIT;
	char now[64];

	if (lock->renewal && http_is_done(lock->renewal))
		end_renewal(lock);
	if (!lock->lease || lock->renewal || clock_monotonic_ms() < lock->renew_at)
		return;
	lock->renew_at = clock_monotonic_ms() + RENEW_MS;
	format_now(now);
	path = lease_path(kube, true);
	if (!path || json_set_string(json_member(lock->lease, "spec"), "renewTime", now) < 0)
		return;
	json_print(lock->lease, false, &text);
	if (text.failed)
		return;
	message.path = path;
	message.body = strbuf_str(&text);
	if (http_start(kube->http, &message, &lock->renewal, &ignored) < 0)
		lock->renewal = NULL;
}
