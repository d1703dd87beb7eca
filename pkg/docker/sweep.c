/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deletes what earlier clients left behind, while the task runs and without waiting for anything:
 * list (one request), then look at each candidate, then delete. Only containers with our labels;
 * never one that runs within its deadline, never a kept one before its time, never one that ended
 * or was created a moment ago and may have a client of its own.
 */
#include "pkg/docker/docker.h"

#include <string.h>
#include "pkg/base/clock.h"

#define SWEEP_TIMEOUT_MS INT64_C(10000)
#define SWEEP_CANDIDATES 8
#define RECENT_SECONDS   INT64_C(300)
#define DEADLINE_SLACK   INT64_C(60)
#define SWEEP_LIST_FILTER                                                                          \
	"/containers/json?all=1&limit=100&filters=%7B%22label%22%3A%5B%22dev.oneoff.id%22%5D%7D"

struct sweep {
	struct http_request *list;
	struct http_request *looks[SWEEP_CANDIDATES];
};

void docker_sweep(struct backend *backend)
{
	struct docker *docker = (struct docker *)backend;
	struct err ignored = ERR_INIT;

	if (docker->sweep)
		return;
	docker->sweep = calloc(1, sizeof(*docker->sweep));
	if (docker->sweep && docker_start(docker, "GET", SWEEP_LIST_FILTER, SWEEP_TIMEOUT_MS,
	                                  &docker->sweep->list, &ignored) < 0)
		docker->sweep->list = NULL;
}

static cJSON *parse_reply(struct http_request **request)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	struct err ignored = ERR_INIT;
	cJSON *document = NULL;
	int result = http_finish(*request, &reply, &ignored);

	*request = NULL;
	if (result < 0 || reply.status != 200 ||
	    json_parse(strbuf_str(&reply.body), reply.body.length, JSON_MAX_BYTES, &document,
	               &ignored) < 0)
		return NULL;
	return document;
}

static const char *label(const cJSON *labels, const char *key)
{
	const cJSON *value = json_member(labels, key);

	return cJSON_IsString(value) ? value->valuestring : NULL;
}

/* Seconds since the time a field or label states; a large negative number when it states none. */
static int64_t age_of(const char *time)
{
	int64_t then;

	if (!time || clock_parse_rfc3339(time, &then) < 0)
		return INT64_MIN;
	return clock_unix_seconds() - then;
}

static void look_at_candidates(struct docker *docker, const cJSON *list)
{
	size_t used = 0;
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		const char *id = json_string(item, "Id");
		_cleanup_free_ char *path = NULL;
		struct err ignored = ERR_INIT;

		if (used == SWEEP_CANDIDATES)
			return;
		if (!id || !strcmp(id, docker->task_id))
			continue;
		path = docker_path(id, "/json");
		if (path && docker_start(docker, "GET", path, SWEEP_TIMEOUT_MS,
		                         &docker->sweep->looks[used], &ignored) == 0)
			used++;
	}
}

/* True when nobody can want it any more. */
static bool is_left_over(const cJSON *container)
{
	const cJSON *labels = json_at(container, "Config.Labels");
	const char *status = json_string(container, "State.Status");

	if (!label(labels, "dev.oneoff.id") || !status)
		return false;
	if (json_true(container, "State.Running"))
		return age_of(label(labels, "dev.oneoff.deadline")) > DEADLINE_SLACK;
	if (!strcmp(status, "created") || !strcmp(status, "initialized"))
		return age_of(json_string(container, "Created")) > RECENT_SECONDS;
	if (label(labels, "dev.oneoff.keep"))
		return age_of(label(labels, "dev.oneoff.keep-until")) > 0;
	return age_of(json_string(container, "State.FinishedAt")) > RECENT_SECONDS;
}

void docker_sweep_turn(struct docker *docker)
{
	struct sweep *sweep = docker->sweep;

	if (!sweep)
		return;
	if (sweep->list && http_is_done(sweep->list)) {
		_cleanup_(json_free) cJSON *list = parse_reply(&sweep->list);

		if (list)
			look_at_candidates(docker, list);
	}
	for (size_t i = 0; i < SWEEP_CANDIDATES; i++) {
		_cleanup_(json_free) cJSON *container = NULL;
		const char *id;

		if (!sweep->looks[i] || !http_is_done(sweep->looks[i]))
			continue;
		container = parse_reply(&sweep->looks[i]);
		id = json_string(container, "Id");
		if (container && id && is_left_over(container)) {
			_cleanup_free_ char *path = docker_path(id, "?force=1&v=1");

			if (path)
				docker_send(docker, "DELETE", path);
		}
	}
}

void docker_sweep_release(struct docker *docker)
{
	if (!docker->sweep)
		return;
	http_cancel(docker->sweep->list);
	for (size_t i = 0; i < SWEEP_CANDIDATES; i++)
		http_cancel(docker->sweep->looks[i]);
	free(docker->sweep);
	docker->sweep = NULL;
}
