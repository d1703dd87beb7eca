/* SPDX-License-Identifier: Apache-2.0 */
/* Gone, whatever happens: removal by the client, and what the guardian does after the client's
 * death. */
#include "pkg/docker/docker.h"

#include <poll.h>
#include <string.h>
#include "pkg/base/clock.h"

#define REMOVE_TIMEOUT_MS INT64_C(10000)

/* A create or start that was under way when the client died may still take effect. */
#define SETTLE_MS INT64_C(2000)

enum presence {
	PRESENCE_GONE,
	PRESENCE_CREATED, /* never started */
	PRESENCE_RUNNING,
	PRESENCE_ENDED,
	PRESENCE_UNKNOWN,
};

static enum presence look(struct docker *docker, const char *name, bool *ret_kept, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *path = docker_path(name, "/json");
	const char *status;

	if (!path) {
		err_no_memory(err);
		return PRESENCE_UNKNOWN;
	}
	if (docker_json(docker, "GET", path, NULL, &document, err) < 0)
		return err->http_status == 404 ? PRESENCE_GONE : PRESENCE_UNKNOWN;
	if (!json_member(json_at(document, "Config.Labels"), "dev.oneoff.id"))
		return PRESENCE_GONE; /* not ours: whoever took the name, we leave it alone */
	*ret_kept = json_member(json_at(document, "Config.Labels"), "dev.oneoff.keep") != NULL;
	status = json_string(document, "State.Status");
	if (!status)
		return PRESENCE_UNKNOWN;
	if (!strcmp(status, "created") || !strcmp(status, "initialized") ||
	    !strcmp(status, "configured"))
		return PRESENCE_CREATED;
	if (json_true(document, "State.Running") || !strcmp(status, "running") ||
	    !strcmp(status, "paused"))
		return PRESENCE_RUNNING;
	return PRESENCE_ENDED;
}

static int delete_container(struct docker *docker, const char *name, bool force, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_free_ char *container = docker_path(name, force ? "?force=1&v=1" : "?v=1");

	if (!container)
		return err_no_memory(err);
	return docker_call(docker, "DELETE", container, NULL, &reply, err);
}

/* Deletes and waits for the 404. Another remover (AutoRemove, a second client) is no error. */
static int delete_and_confirm(struct docker *docker, const char *name, struct err *err)
{
	int64_t limit = clock_monotonic_ms() + REMOVE_TIMEOUT_MS;
	struct err refusal = ERR_INIT;
	int pause_ms = 5;

	if (delete_container(docker, name, true, &refusal) == 0 || refusal.http_status == 404)
		return 0;
	while (clock_monotonic_ms() < limit) {
		struct err ignored = ERR_INIT;
		bool kept;

		if (look(docker, name, &kept, &ignored) == PRESENCE_GONE)
			return 0;
		poll(NULL, 0, pause_ms);
		if (pause_ms < 200)
			pause_ms *= 2;
		/* Podman refuses with 500 while its own clean-up runs; ask again. */
		if (refusal.http_status >= 500 && pause_ms >= 100 &&
		    (delete_container(docker, name, true, &refusal) == 0 ||
		     refusal.http_status == 404))
			return 0;
	}
	err_set(err, ERR_NOT_REMOVED, "container '%s' is still there: %s", name,
	        refusal.message[0] ? refusal.message : "the engine does not remove it");
	return err_hint(err, "remove it with: %s rm -f %s", docker->podman ? "podman" : "docker",
	                name);
}

int docker_remove(struct backend *backend, struct err *err)
{
	struct docker *docker = (struct docker *)backend;

	if (docker->removed || !docker->task_name)
		return 0;
	/* By name when a lost reply left us without the id: the name is ours alone, or create
	 * failed on a conflict and nothing is there to remove. */
	if (!docker->task_id) {
		struct err ignored = ERR_INIT;
		bool kept;

		if (look(docker, docker->task_name, &kept, &ignored) == PRESENCE_GONE)
			return 0;
	}
	if (delete_and_confirm(docker, docker->task_id ? docker->task_id : docker->task_name, err) <
	    0)
		return -1;
	docker->removed = true;
	return 0;
}

/* Waits until the container ended or the deadline passed (unix seconds; 0: none). */
static void watch(struct docker *docker, const char *name, int64_t deadline)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_free_ char *path = NULL;
	struct http_request *request = NULL;
	struct err ignored = ERR_INIT;
	int64_t left_ms = deadline ? (deadline - clock_unix_seconds()) * 1000 : 0;

	if (deadline && left_ms <= 0)
		return;
	path = docker_path(name, docker->podman ? "/wait?condition=next-exit"
	                                        : "/wait?condition=removed");
	if (!path || docker_start(docker, "POST", path, left_ms, &request, &ignored) < 0)
		return;
	while (!http_is_done(request))
		if (loop_wait(docker->loop, NULL, 0, 60000, &ignored) < 0)
			break;
	if (http_is_done(request)) {
		if (http_finish(request, &reply, &ignored) < 0)
			return;
	} else {
		http_cancel(request);
	}
}

int docker_bury(struct backend *backend, const char *name, bool stop, int64_t deadline,
                struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	int64_t settled = clock_monotonic_ms() + SETTLE_MS;
	bool seen = false;

	for (;;) {
		bool settling = clock_monotonic_ms() < settled;
		bool kept = false;

		switch (look(docker, name, &kept, err)) {
		case PRESENCE_GONE:
			if (seen || !settling)
				return 0;
			break;
		case PRESENCE_CREATED:
			seen = true;
			/* Without force: if the start takes effect now, the engine refuses. */
			if (!settling && delete_container(docker, name, false, err) == 0)
				return 0;
			break;
		case PRESENCE_RUNNING:
			seen = true;
			if (stop)
				return delete_and_confirm(docker, name, err);
			watch(docker, name, deadline);
			if (deadline && clock_unix_seconds() >= deadline)
				return delete_and_confirm(docker, name, err);
			break;
		case PRESENCE_ENDED:
			seen = true;
			if (kept)
				return 0;
			return delete_and_confirm(docker, name, err);
		case PRESENCE_UNKNOWN:
			if (!settling && err->kind == ERR_UNREACHABLE)
				return -1;
			break;
		}
		poll(NULL, 0, 100);
	}
}
