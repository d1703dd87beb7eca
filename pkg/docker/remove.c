/* SPDX-License-Identifier: Apache-2.0 */
/* Gone, whatever happens: removal by the client, and what the guardian does after the client's
 * death. */
#include "pkg/docker/docker.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"

#define REMOVE_TIMEOUT_MS INT64_C(10000)

/* A create or start that was under way when the client died may still take effect. */
#define SETTLE_MS INT64_C(2000)

/* An engine that restarts is waited for; one that answers with errors for longer is left to the sweep. */
#define BURY_LIMIT_MS  INT64_C(60000)
#define WATCH_ROUND_MS INT64_C(60000)

enum presence {
	PRESENCE_GONE,
	PRESENCE_CREATED, /* never started */
	PRESENCE_RUNNING,
	PRESENCE_ENDED,
	PRESENCE_UNKNOWN,
};

/* `name` may be a name or an id. What does not bear our one-off's id is not ours, whoever took the
 * name: we leave it alone. */
static enum presence look(struct docker *docker, const char *name, bool *ret_kept, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *path = docker_path(name, "/json");
	const cJSON *label;
	const char *status;

	if (!path) {
		err_no_memory(err);
		return PRESENCE_UNKNOWN;
	}
	if (docker_json(docker, "GET", path, NULL, &document, err) < 0)
		return err->http_status == 404 ? PRESENCE_GONE : PRESENCE_UNKNOWN;
	status = json_string(document, "State.Status");
	if (!status || !json_string(document, "Id"))
		return PRESENCE_UNKNOWN;
	label = json_member(json_at(document, "Config.Labels"), "dev.oneoff.id");
	if (!cJSON_IsString(label) || strcmp(label->valuestring, docker->oneoff_id))
		return PRESENCE_GONE;
	*ret_kept = json_member(json_at(document, "Config.Labels"), "dev.oneoff.keep") != NULL;
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

/* No single call may use up more than what is left of the time. */
static void limit_calls(struct docker *docker, int64_t limit)
{
	int64_t left = limit - clock_monotonic_ms();

	docker->call_timeout_ms = left > 100 ? left : 100;
}

/* Deletes and waits for the 404. Another remover (AutoRemove, a second client) is no error. */
static int delete_and_confirm(struct docker *docker, const char *name, struct err *err)
{
	int64_t limit = clock_monotonic_ms() + REMOVE_TIMEOUT_MS;
	struct err refusal = ERR_INIT;
	int pause_ms = 5;

	limit_calls(docker, limit);
	if (delete_container(docker, name, true, &refusal) == 0 || refusal.http_status == 404)
		return 0;
	while (clock_monotonic_ms() < limit) {
		struct err ignored = ERR_INIT;
		bool kept;

		limit_calls(docker, limit);
		if (look(docker, name, &kept, &ignored) == PRESENCE_GONE)
			return 0;
		poll(NULL, 0, pause_ms);
		if (pause_ms < 200)
			pause_ms *= 2;
		/* Podman refuses with 500 while its own clean-up runs, and a restarting engine
		 * loses the request; ask again. */
		if ((refusal.http_status >= 500 || !refusal.http_status) && pause_ms >= 100 &&
		    (delete_container(docker, name, true, &refusal) == 0 ||
		     refusal.http_status == 404))
			return 0;
	}
	err_set(err, ERR_NOT_REMOVED, "container '%s' is still there: %s", name,
	        refusal.message[0] ? refusal.message : "the engine does not remove it");
	return err_hint(err, "remove it with: %s rm -f %s", docker->podman ? "podman" : "docker",
	                name);
}

/* A create whose answer we never got, or that a signal cut short, may still take effect. */
static enum presence look_for_lost(struct docker *docker)
{
	int64_t settled = clock_monotonic_ms() + (docker->create_lost ? SETTLE_MS : 0);
	enum presence presence;

	for (;;) {
		struct err ignored = ERR_INIT;
		bool kept;

		presence = look(docker, docker->task_name, &kept, &ignored);
		if (presence != PRESENCE_GONE || clock_monotonic_ms() >= settled)
			return presence;
		poll(NULL, 0, 100);
	}
}

int docker_remove(struct backend *backend, struct err *err)
{
	struct docker *docker = (struct docker *)backend;

	if (docker->removed || !docker->task_name)
		return 0;
	/* By name when a lost reply left us without the id. */
	if (!docker->task_id && look_for_lost(docker) == PRESENCE_GONE)
		return 0;
	if (delete_and_confirm(docker, docker->task_id ? docker->task_id : docker->task_name, err) <
	    0)
		return -1;
	docker->removed = true;
	return 0;
}

/* Waits until the container ended, the deadline passed (unix seconds; 0: none), or a minute is over: the
 * caller looks again. Podman's compatible wait would hang on a container that ended a moment ago. */
static void watch(struct docker *docker, const char *name, int64_t deadline)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	struct http_request *request = NULL;
	struct err ignored = ERR_INIT;
	int64_t left_ms = deadline ? (deadline - clock_unix_seconds()) * 1000 : WATCH_ROUND_MS;

	if (left_ms <= 0)
		return;
	if (left_ms > WATCH_ROUND_MS)
		left_ms = WATCH_ROUND_MS;
	strbuf_adds(&path, docker->podman ? "/v4.0.0/libpod/containers/" : "/containers/");
	strbuf_add_url(&path, name);
	strbuf_adds(&path, docker->podman ? "/wait?condition=exited&condition=stopped&interval=50ms"
	                                  : "/wait?condition=removed");
	if (path.failed ||
	    docker_start(docker, "POST", strbuf_str(&path), left_ms, &request, &ignored) < 0)
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

int docker_bury(struct backend *backend, const struct burial *burial, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	int64_t settled = clock_monotonic_ms() + SETTLE_MS;
	int64_t given_up = settled + BURY_LIMIT_MS;
	int64_t deadline = burial->deadline;
	const char *name = burial->name;
	bool seen = false;

	snprintf(docker->oneoff_id, sizeof(docker->oneoff_id), "%s", burial->id);
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
			if (burial->stop)
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
			if (clock_monotonic_ms() > given_up)
				return -1;
			break;
		}
		poll(NULL, 0, 100);
	}
}
