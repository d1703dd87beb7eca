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
/* The longest grace that the guardian waits for in one call. */
#define STOP_LIMIT_MS INT64_C(600000)

enum presence {
	PRESENCE_GONE,
	PRESENCE_CREATED, /* never started */
	PRESENCE_RUNNING,
	PRESENCE_ENDED,
	PRESENCE_UNKNOWN,
};

/* What stands under a name now. Whatever is done next is done by its id: the name may be another's by then
 * (a lock's name passes from task to task). */
struct sight {
	enum presence presence;
	bool kept; /* it is to stay when it has ended */
	char id[80];
};

#define SIGHT_INIT                                                                                 \
	{                                                                                          \
		.presence = PRESENCE_UNKNOWN                                                       \
	}

/* `name` may be a name or an id. What does not bear our one-off's id is not ours, whoever took the
 * name: we leave it alone. */
static enum presence look(struct docker *docker, const char *name, struct sight *ret,
                          struct err *err)
{
	static const enum presence presences[] = {
		[TASK_CREATED] = PRESENCE_CREATED,
		[TASK_RUNNING] = PRESENCE_RUNNING,
		[TASK_ENDED] = PRESENCE_ENDED,
		[TASK_UNKNOWN] = PRESENCE_UNKNOWN,
	};
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	int found = docker_look(docker, name, NULL, &record, err);

	*ret = (struct sight)SIGHT_INIT;
	if (found < 0) {
		ret->presence = err->http_status == 404 ? PRESENCE_GONE : PRESENCE_UNKNOWN;
	} else if (found == 0 || strcmp(record.id, docker->oneoff_id)) {
		ret->presence = PRESENCE_GONE;
	} else {
		ret->presence = presences[record.state];
		ret->kept = docker_is_kept(&record);
		snprintf(ret->id, sizeof(ret->id), "%s", record.handle);
	}
	return ret->presence;
}

static int delete_container(struct docker *docker, const char *id, bool force, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_free_ char *container = docker_path(id, force ? "?force=1&v=1" : "?v=1");

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
static int delete_and_confirm(struct docker *docker, const char *id, const char *name,
                              struct err *err)
{
	int64_t limit = clock_monotonic_ms() + REMOVE_TIMEOUT_MS;
	struct err refusal = ERR_INIT;
	int pause_ms = 5;

	limit_calls(docker, limit);
	if (delete_container(docker, id, true, &refusal) == 0 || refusal.http_status == 404)
		return 0;
	while (clock_monotonic_ms() < limit) {
		struct err ignored = ERR_INIT;
		struct sight sight;

		limit_calls(docker, limit);
		if (look(docker, id, &sight, &ignored) == PRESENCE_GONE)
			return 0;
		poll(NULL, 0, pause_ms);
		if (pause_ms < 200)
			pause_ms *= 2;
		/* Podman refuses with 500 while its own clean-up runs, and a restarting engine
		 * loses the request; ask again. */
		if ((refusal.http_status >= 500 || !refusal.http_status) && pause_ms >= 100 &&
		    (delete_container(docker, id, true, &refusal) == 0 ||
		     refusal.http_status == 404))
			return 0;
	}
	err_set(err, ERR_NOT_REMOVED, "container '%s' is still there: %s", name,
	        refusal.message[0] ? refusal.message : "the engine does not remove it");
	return err_hint(err, "remove it with: %s rm -f %s", docker->podman ? "podman" : "docker",
	                name);
}

/* A create whose answer we never got, or that a signal cut short, may still take effect. */
static void look_for_lost(struct docker *docker, struct sight *ret)
{
	int64_t settled = clock_monotonic_ms() + (docker->create_lost ? SETTLE_MS : 0);

	for (;;) {
		struct err ignored = ERR_INIT;

		if (look(docker, docker->task_name, ret, &ignored) != PRESENCE_GONE ||
		    clock_monotonic_ms() >= settled)
			return;
		poll(NULL, 0, 100);
	}
}

int docker_remove(struct backend *backend, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	struct sight sight = SIGHT_INIT;
	const char *id = docker->task_id;

	if (docker->removed || !docker->task_name)
		return 0;
	/* By name when a lost reply left us without the id. */
	if (!id) {
		look_for_lost(docker, &sight);
		if (sight.presence == PRESENCE_GONE)
			return 0;
		id = sight.id;
	}
	if (!*id) {
		err_set(err, ERR_NOT_REMOVED, "nobody can say whether container '%s' is there",
		        docker->task_name);
		return err_hint(err, "look for it with: %s ps -a --filter label=dev.oneoff.id=%s",
		                docker->base.ops->name, docker->oneoff_id);
	}
	if (delete_and_confirm(docker, id, docker->task_name, err) < 0)
		return -1;
	docker->removed = true;
	return 0;
}

/* Waits until the container ended, the deadline passed (unix seconds; 0: none), or a minute is over: the
 * caller looks again. Podman's compatible wait would hang on a container that ended a moment ago. */
static void watch(struct docker *docker, const struct sight *sight, int64_t deadline)
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
	strbuf_add_url(&path, sight->id);
	if (docker->podman)
		strbuf_adds(&path, "/wait?condition=exited&condition=stopped&interval=50ms");
	else
		strbuf_addf(&path, "/wait?condition=%s", sight->kept ? "not-running" : "removed");
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

/* At the deadline of a task that is kept: its end, and why, is to be read later. The engine sends the app's
 * own stop signal, waits for its grace, kills. */
static void stop_kept(struct docker *docker, const char *id)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_free_ char *stop = docker_path(id, "/stop"), *end = docker_path(id, "/kill");
	int64_t usual = docker->call_timeout_ms;
	struct err ignored = ERR_INIT;

	if (!stop || !end)
		return;
	docker->call_timeout_ms = STOP_LIMIT_MS;
	if (docker_call(docker, "POST", stop, NULL, &reply, &ignored) < 0) {
		http_reply_release(&reply);
		if (docker_call(docker, "POST", end, NULL, &reply, &ignored) < 0)
			poll(NULL, 0, 1000); /* asked again: the caller looks first */
	}
	docker->call_timeout_ms = usual;
}

/* 1: it is over, 0: look again, -1. */
static int bury_running(struct docker *docker, const struct burial *burial,
                        const struct sight *sight, struct err *err)
{
	/* What was given away has no client whose death could matter. */
	bool stop = burial->stop && !(burial->detached && burial->started);

	if (!stop)
		watch(docker, sight, burial->deadline);
	if (!stop && (!burial->deadline || clock_unix_seconds() < burial->deadline))
		return 0;
	if (stop || !sight->kept)
		return delete_and_confirm(docker, sight->id, burial->name, err) < 0 ? -1 : 1;
	stop_kept(docker, sight->id);
	return 0;
}

int docker_bury(struct backend *backend, const struct burial *burial, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	int64_t settled = clock_monotonic_ms() + SETTLE_MS;
	int64_t given_up = settled + BURY_LIMIT_MS;
	char id[sizeof(((struct sight *)NULL)->id)] = "";
	struct sight sight;
	int result;

	snprintf(docker->oneoff_id, sizeof(docker->oneoff_id), "%s", burial->id);
	for (;;) {
		bool settling = clock_monotonic_ms() < settled;

		/* By name only until it was seen: then the id, which stays when the name goes on. */
		switch (look(docker, *id ? id : burial->name, &sight, err)) {
		case PRESENCE_GONE:
			if (*id || !settling)
				return 0;
			break;
		case PRESENCE_CREATED:
			/* Without force: if the start takes effect now, the engine refuses. */
			if (!settling && delete_container(docker, sight.id, false, err) == 0)
				return 0;
			break;
		case PRESENCE_RUNNING:
			result = bury_running(docker, burial, &sight, err);
			if (result != 0)
				return result < 0 ? -1 : 0;
			break;
		case PRESENCE_ENDED:
			return sight.kept ? 0
			                  : delete_and_confirm(docker, sight.id, burial->name, err);
		case PRESENCE_UNKNOWN:
			if (clock_monotonic_ms() > given_up)
				return -1;
			break;
		}
		if (*sight.id) {
			snprintf(id, sizeof(id), "%s", sight.id);
			given_up = clock_monotonic_ms() + BURY_LIMIT_MS;
		}
		poll(NULL, 0, 100);
	}
}
