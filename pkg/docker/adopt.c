/* SPDX-License-Identifier: Apache-2.0 */
/* Another client's task becomes ours to watch, or is deleted for good. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/docker/docker.h"

#define DISCARD_TIMEOUT_MS INT64_C(10000)

static int not_there(const struct task_record *record, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "the one-off %s is gone", record->id);
}

int docker_adopt(struct backend *backend, const struct task_record *record, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(task_record_release) struct task_record now = TASK_RECORD_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	int found = docker_look(docker, record->handle, &document, &now, err);

	if (found < 0 && err->http_status != 404)
		return -1;
	if (found <= 0 || strcmp(now.id, record->id))
		return not_there(record, err);
	free(docker->task_id);
	free(docker->task_name);
	docker->task_id = TAKE_PTR(now.handle);
	docker->task_name = TAKE_PTR(now.name);
	snprintf(docker->oneoff_id, sizeof(docker->oneoff_id), "%s", now.id);
	docker->adopted = true;
	docker->removed = false;
	docker->auto_remove = json_true(document, "HostConfig.AutoRemove");
	/* Asked of one that is only created, "not-running" would answer at once. */
	docker->started = now.state != TASK_CREATED;
	docker->start_seconds = now.started ? now.started : now.created;
	docker->ended = now.state == TASK_ENDED;
	docker->ended_status = now.status;
	return 0;
}

static int delete_it(struct docker *docker, const struct task_record *record, bool force,
                     struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_free_ char *path = docker_path(record->handle, force ? "?force=1&v=1" : "?v=1");

	if (!path)
		return err_no_memory(err);
	return docker_call(docker, "DELETE", path, NULL, &reply, err);
}

/* Podman's forced DELETE is gentle first, and waits. */
static void kill_it(struct docker *docker, const struct task_record *record)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_free_ char *path = docker_path(record->handle, "/kill?signal=9");
	struct err ignored = ERR_INIT;

	if (path && docker_call(docker, "POST", path, NULL, &reply, &ignored) < 0)
		return;
}

/* Refused: because it runs, because another deletes it, or for a reason of the engine's own. */
static bool may_try_again(struct docker *docker, const struct task_record *record, bool force)
{
	_cleanup_(task_record_release) struct task_record now = TASK_RECORD_INIT;
	struct err unseen = ERR_INIT;
	int found = docker_look(docker, record->handle, NULL, &now, &unseen);

	if (found < 0)
		return unseen.http_status != 404;
	return found > 0 && (now.state != TASK_RUNNING || force);
}

int docker_discard(struct backend *backend, const struct task_record *record, bool force,
                   struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(task_record_release) struct task_record now = TASK_RECORD_INIT;
	int64_t limit = clock_monotonic_ms() + DISCARD_TIMEOUT_MS;
	int found = docker_look(docker, record->handle, NULL, &now, err);

	if (found < 0)
		return err->http_status == 404 ? 0 : -1;
	/* A handle that means something else by now is not what was judged. */
	if (found == 0 || strcmp(now.id, record->id) || strcmp(now.handle, record->handle) ||
	    (now.state == TASK_RUNNING && !force))
		return 0;
	if (now.state == TASK_RUNNING)
		kill_it(docker, record);
	for (;;) {
		if (delete_it(docker, record, force, err) == 0)
			return 1;
		if (err->http_status == 404 || !may_try_again(docker, record, force))
			return 0;
		if (clock_monotonic_ms() >= limit)
			break;
		poll(NULL, 0, 50);
	}
	err->kind = ERR_NOT_REMOVED;
	err_wrap(err, "container '%s' is still there", record->name);
	return err_hint(err, "remove it with: %s rm -f %s", docker->podman ? "podman" : "docker",
	                record->handle);
}
