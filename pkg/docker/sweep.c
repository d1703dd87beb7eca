/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deletes what earlier clients left behind, while the task runs and without waiting for anything:
 * list (one request), then look at each of which the list does not rule it out, then delete what task_record_is_leftover() gives
 * free: the same judgement as gc's.
 */
#include "pkg/docker/docker.h"

#include <string.h>
#include "pkg/base/clock.h"

#define SWEEP_TIMEOUT_MS INT64_C(10000)
#define SWEEP_CANDIDATES 8
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

static void look_at_candidates(struct docker *docker, const cJSON *list)
{
	int64_t now = clock_unix_seconds();
	size_t used = 0;
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		_cleanup_(task_record_release) struct task_record brief = TASK_RECORD_INIT;
		_cleanup_free_ char *path = NULL;
		struct err ignored = ERR_INIT;

		if (used == SWEEP_CANDIDATES)
			return;
		if (docker_brief(docker, item, &brief, &ignored) <= 0 ||
		    !strcmp(brief.handle, docker->task_id) ||
		    !task_record_may_be_leftover(&brief, now))
			continue;
		path = docker_path(brief.handle, "/json");
		if (path && docker_start(docker, "GET", path, SWEEP_TIMEOUT_MS,
		                         &docker->sweep->looks[used], &ignored) == 0)
			used++;
	}
}

/* Only one that is to be ended takes force: one that was never started may start just now. */
static void delete_leftover(struct docker *docker, const cJSON *container)
{
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	_cleanup_free_ char *path = NULL;
	struct err ignored = ERR_INIT;

	if (docker_record(docker, container, &record, &ignored) <= 0 ||
	    !task_record_is_leftover(&record, clock_unix_seconds()))
		return;
	path = docker_path(record.handle, record.state == TASK_RUNNING ? "?force=1&v=1" : "?v=1");
	if (path)
		docker_send(docker, "DELETE", path);
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

		if (!sweep->looks[i] || !http_is_done(sweep->looks[i]))
			continue;
		container = parse_reply(&sweep->looks[i]);
		if (container)
			delete_leftover(docker, container);
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
