/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/watch.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/kube/kube.h"

/* One object with its managed fields, far above etcd's own limit. */
#define MAX_LINE ((size_t)8 << 20)
/* The server ends a watch then; one that it does not end is dead. */
#define WATCH_SECONDS    240
#define DEAD_AFTER_MS    INT64_C(270000)
#define LOST_AFTER_MS    INT64_C(60000)
#define FIRST_PAUSE_MS   INT64_C(50)
#define LONGEST_PAUSE_MS INT64_C(2000)

struct watch {
	struct kube *kube;
	char *path, *selector;
	char version[64]; /* resourceVersion to go on from; "": from the beginning */
	struct http_request *request;
	struct strbuf text; /* received, not yet a whole line */
	size_t scanned;     /* of it, without a line's end */
	bool lost_place;
	int64_t started_at, broken_since, again_at, pause_ms; /* monotonic ms; 0: not */
};

void watch_event_release(struct watch_event *event)
{
	json_free(&event->object);
	event->deleted = false;
}

int watch_open(struct kube *kube, const char *path, const char *selector, struct watch **ret,
               struct err *err)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return err_no_memory(err);
	watch->kube = kube;
	watch->path = strdup(path);
	watch->selector = strdup(selector);
	watch->text.cap = MAX_LINE;
	if (!watch->path || !watch->selector) {
		watch_close(watch);
		return err_no_memory(err);
	}
	*ret = watch;
	return 0;
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	http_cancel(watch->request);
	strbuf_release(&watch->text);
	free(watch->path);
	free(watch->selector);
	free(watch);
}

static int begin(struct watch *watch, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s?watch=true&allowWatchBookmarks=true&timeoutSeconds=%d&%s",
	            watch->path, WATCH_SECONDS, watch->selector);
	if (*watch->version)
		strbuf_addf(&path, "&resourceVersion=%s", watch->version);
	if (path.failed)
		return err_no_memory(err);
	strbuf_reset(&watch->text);
	watch->scanned = 0;
	watch->started_at = clock_monotonic_ms();
	return kube_start(watch->kube, strbuf_str(&path), &watch->request, err);
}

static void forget(struct watch *watch)
{
	watch->version[0] = '\0';
}

/* The server has forgotten where we were. */
static void lose_place(struct watch *watch)
{
	forget(watch);
	watch->lost_place = true;
}

bool watch_lost_place(struct watch *watch)
{
	bool lost = watch && watch->lost_place;

	if (lost)
		watch->lost_place = false;
	return lost;
}

void watch_restart(struct watch *watch)
{
	if (!watch)
		return;
	http_cancel(watch->request);
	watch->request = NULL;
	watch->again_at = 0;
	forget(watch);
}

/* Later and later, until something is heard again. */
static int again(struct watch *watch, const struct err *cause, struct err *err)
{
	int64_t now = clock_monotonic_ms();

	http_cancel(watch->request);
	watch->request = NULL;
	if (!watch->broken_since)
		watch->broken_since = now;
	watch->pause_ms = watch->pause_ms ? watch->pause_ms * 2 : FIRST_PAUSE_MS;
	if (watch->pause_ms > LONGEST_PAUSE_MS)
		watch->pause_ms = LONGEST_PAUSE_MS;
	watch->again_at = now + watch->pause_ms;
	if (now - watch->broken_since < LOST_AFTER_MS)
		return 0;
	watch->broken_since = now;
	err_set(err, ERR_LOST, "%s", cause->message);
	return err_wrap(err, "the cluster was not heard of for a minute");
}

/* The request ended without having been taken for a watch. */
static int refused(struct watch *watch, const struct http_reply *reply, struct err *err)
{
	kube_refusal(reply->status, strbuf_str(&reply->body), reply->body.length, err);
	if (reply->status == 410) {
		lose_place(watch);
	} else if (reply->status == 401) {
		struct err denied = *err;

		if (kube_renew(watch->kube, true, err) <= 0) {
			*err = denied;
			return -1;
		}
	} else if (reply->status < 500 && reply->status != 429) {
		return -1;
	}
	return again(watch, err, err);
}

static int ended(struct watch *watch, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	struct err cause = ERR_INIT;
	int result = http_finish(watch->request, &reply, &cause);

	watch->request = NULL;
	if (result == 0 && reply.status != 200)
		return refused(watch, &reply, err);
	if (result == 0)
		err_set(&cause, ERR_LOST, "the server ended the watch");
	return again(watch, &cause, err);
}

int watch_read_line(const char *line, size_t length, struct watch_event *ret, char version[64],
                    struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	const char *type, *newest;
	int64_t code = 0;

	if (json_parse(line, length, MAX_LINE, &document, err) < 0)
		return err_wrap(err, "the server's watch");
	type = json_string(document, "type");
	if (!type)
		return err_set(err, ERR_PROTOCOL, "the server's watch has an event without a type");
	if (!strcmp(type, "ERROR")) {
		if (json_int64(document, "object.code", &code) < 0 || code < 0 || code > 999)
			code = 0;
		err_set(err, ERR_LOST, "the watch ended with %d", (int)code);
		err->http_status = (int)code;
		return -1;
	}
	newest = json_string(document, "object.metadata.resourceVersion");
	if (newest && *newest && strlen(newest) < 64 &&
	    strspn(newest, "0123456789") == strlen(newest))
		snprintf(version, 64, "%s", newest);
	if (!strcmp(type, "BOOKMARK"))
		return 0;
	watch_event_release(ret);
	ret->deleted = !strcmp(type, "DELETED");
	ret->object = cJSON_DetachItemFromObjectCaseSensitive(document, "object");
	if (cJSON_IsObject(ret->object))
		return 1;
	watch_event_release(ret);
	return err_set(err, ERR_PROTOCOL, "the server's watch has an empty event");
}

/* ERROR events carry a Status: 410 means that our place in the history is forgotten. */
static int take_line(struct watch *watch, const char *line, size_t length, struct watch_event *ret,
                     struct err *err)
{
	int result = watch_read_line(line, length, ret, watch->version, err);

	if (result < 0 && err->kind == ERR_LOST) {
		if (err->http_status == 410)
			lose_place(watch);
		return again(watch, err, err);
	}
	watch->broken_since = watch->pause_ms = 0;
	return result;
}

/* 1: an event, 0: no whole line is there, -1. */
static int next_line(struct watch *watch, struct watch_event *ret, struct err *err)
{
	for (;;) {
		const char *text = strbuf_str(&watch->text);
		const char *end =
			memchr(text + watch->scanned, '\n', watch->text.length - watch->scanned);
		size_t length;
		int result;

		watch->scanned = watch->text.length;
		if (!end)
			return 0;
		length = (size_t)(end - text);
		json_mask_nul(watch->text.data, length);
		result = length ? take_line(watch, text, length, ret, err) : 0;
		watch->scanned = 0;
		strbuf_consume(&watch->text, length + 1);
		if (result)
			return result;
		if (!watch->request)
			return 0;
	}
}

int watch_next(struct watch *watch, struct watch_event *ret, struct err *err)
{
	int result;

	if (!watch->request) {
		if (clock_monotonic_ms() < watch->again_at)
			return 0;
		if (begin(watch, err) < 0)
			return -1;
	}
	if (http_has_head(watch->request) && http_status(watch->request) == 200) {
		http_take(watch->request, &watch->text);
		if (watch->text.failed)
			return err_set(err, ERR_NO_MEMORY,
			               "the server's watch has an event that is "
			               "larger than it may be");
		result = next_line(watch, ret, err);
		if (result)
			return result;
	}
	if (watch->request && http_is_done(watch->request))
		return ended(watch, err);
	if (watch->request && clock_monotonic_ms() - watch->started_at > DEAD_AFTER_MS) {
		struct err cause = ERR_INIT;

		err_set(&cause, ERR_LOST, "the watch is silent");
		return again(watch, &cause, err);
	}
	return 0;
}
