/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the task ended, from the engine. Docker: wait?condition=removed (next-exit when the container
 * is kept); its head arrives once the waiter stands, so it is the barrier before the start. Podman:
 * the libpod wait, since the compatible one answers 0 after an AutoRemove
 * (containers/podman#18889); it has no early head, but answers right whether armed before or asked
 * after the exit.
 */
#include "pkg/docker/docker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "pkg/base/clock.h"
#include "pkg/base/number.h"

/* Connecting and sending each take libcurl a turn; a turn takes at most a millisecond. */
#define SEND_TURNS        2
#define ARM_TIMEOUT_MS    INT64_C(30000)
#define LATE_ANSWER_MS    INT64_C(1000)
#define REASON_TIMEOUT_MS INT64_C(3000)
#define CODE_OF_KILL      137

static int start_wait(struct docker *docker, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	if (docker->podman)
		strbuf_addf(&path,
		            "/v4.0.0/libpod/containers/%s/wait?condition=exited&condition=stopped"
		            "&interval=5ms",
		            docker->task_id);
	else
		strbuf_addf(&path, "/containers/%s/wait?condition=%s", docker->task_id,
		            docker->auto_remove ? "removed"
		            : docker->started   ? "not-running"
		                                : "next-exit");
	if (path.failed)
		return err_no_memory(err);
	return docker_start(docker, "POST", strbuf_str(&path), 0, &docker->wait, err);
}

int docker_arm(struct backend *backend, struct err *err)
{
	struct docker *docker = (struct docker *)backend;

	if (docker->ended)
		return 0;
	if (start_wait(docker, err) < 0)
		return err_wrap(err, "wait");
	/* Without an early head there is no barrier; but the question must at least be on its way before the start. */
	if (docker->podman) {
		for (int turn = 0; turn < SEND_TURNS; turn++)
			if (loop_wait_answer(docker->loop, 1, err) < 0)
				return err_wrap(err, "wait");
		return 0;
	}
	if (http_wait_head(docker->wait, ARM_TIMEOUT_MS, err) < 0)
		return err_wrap(err, "wait");
	/* Nothing runs yet, so a wait that is over already can only have failed; but another client's task may
	 * end any moment. */
	if (http_is_done(docker->wait) && !docker->adopted) {
		_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
		int result = http_finish(docker->wait, &reply, err);

		docker->wait = NULL;
		if (result == 0 && reply.status >= 300)
			docker_refusal(&reply, err);
		else if (result == 0)
			err_set(err, ERR_PROTOCOL, "the engine did not wait");
		return err_wrap(err, "wait");
	}
	return 0;
}

/* After the fact: Docker keeps its last 256 events, so one short question tells. */
static bool docker_was_out_of_memory(struct docker *docker)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf filters = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	struct err ignored = ERR_INIT;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	strbuf_addf(&filters, "{\"container\":[\"%s\"],\"event\":[\"oom\"]}", docker->task_id);
	strbuf_addf(&path, "/events?since=%lld&until=%lld.%09ld&filters=",
	            (long long)docker->start_seconds - 1, (long long)now.tv_sec, now.tv_nsec);
	strbuf_add_url(&path, strbuf_str(&filters));
	if (path.failed || filters.failed)
		return false;
	if (docker_call(docker, "GET", strbuf_str(&path), NULL, &reply, &ignored) < 0)
		return false;
	return strstr(strbuf_str(&reply.body), "\"oom\"") != NULL;
}

/* The engine's record of the end: of a kept task, and of Podman's for the moment that its clean-up needs. */
static bool read_end(struct docker *docker, struct exit_status *ret)
{
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	struct err ignored = ERR_INIT;

	if (docker_look(docker, docker->task_id, NULL, &record, &ignored) <= 0)
		return false;
	ret->out_of_memory = record.status.out_of_memory;
	ret->timed_out = record.status.timed_out;
	return record.state == TASK_ENDED;
}

static void set_code(struct docker *docker, int64_t code, struct exit_status *ret)
{
	int64_t usual = docker->call_timeout_ms;

	ret->known = code >= 0 && code <= 255;
	ret->code = ret->known ? (int)code : 0;
	ret->output_incomplete = docker->output_incomplete;
	if (!ret->known || (code != CODE_OF_KILL && !docker->adopted))
		return;
	/* The code is known; its reason is worth a moment, not a long wait. */
	docker->call_timeout_ms = REASON_TIMEOUT_MS;
	if ((docker->auto_remove && !docker->podman) || !read_end(docker, ret))
		ret->out_of_memory =
			code == CODE_OF_KILL && !docker->podman && docker_was_out_of_memory(docker);
	docker->call_timeout_ms = usual;
}

/* {"StatusCode":7,"Error":{"Message":…}}: the code counts; an error is about the removal. */
static int read_docker_wait(struct docker *docker, const struct http_reply *reply,
                            struct exit_status *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	const char *message;
	int64_t code;

	if (json_parse(strbuf_str(&reply->body), reply->body.length, JSON_MAX_BYTES, &document,
	               err) < 0 ||
	    json_int64(document, "StatusCode", &code) < 0)
		return err_set(err, ERR_LOST, "the engine's answer to the wait was cut");
	set_code(docker, code, ret);
	message = json_string(document, "Error.Message");
	if (message && *message)
		snprintf(ret->message, sizeof(ret->message), "%s", message);
	else
		docker->removed = docker->auto_remove;
	return 1;
}

static int read_podman_wait(struct docker *docker, const struct http_reply *reply,
                            struct exit_status *ret, struct err *err)
{
	char text[32];
	int64_t code;

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(strbuf_str(&reply->body), "\r\n"),
	         strbuf_str(&reply->body));
	if (parse_int64(text, -1, 255, &code) < 0 || code < 0)
		return err_set(err, ERR_LOST, "the engine's answer to the wait was cut");
	set_code(docker, code, ret);
	return 1;
}

int docker_exited(struct backend *backend, struct exit_status *ret, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	struct exit_status status = {.known = false};
	int result;

	docker_reap(docker);
	docker_sweep_turn(docker);
	if (docker->ended) {
		*ret = docker->ended_status;
		ret->output_incomplete = docker->output_incomplete;
		return 1;
	}
	if (!docker->wait)
		return err_set(err, ERR_LOST, "the wait was lost");
	if (!http_is_done(docker->wait))
		return 0;
	result = http_finish(docker->wait, &reply, err);
	docker->wait = NULL;
	if (result < 0)
		return -1;
	if (reply.status >= 300)
		return docker_refusal(&reply, err);
	result = docker->podman ? read_podman_wait(docker, &reply, &status, err)
	                        : read_docker_wait(docker, &reply, &status, err);
	if (result > 0) {
		docker->verdict = true;
		*ret = status;
	}
	return result;
}

bool docker_has_ended(const struct docker *docker)
{
	return docker->ended || docker->verdict || (docker->wait && http_is_done(docker->wait));
}

/* What the wait says, if it still stands: 1 and *ret, else 0. */
static int ask_wait(struct docker *docker, int64_t limit_ms, struct exit_status *ret)
{
	int64_t limit = clock_monotonic_ms() + limit_ms;
	struct err ignored = ERR_INIT;

	while (docker->wait && !http_is_done(docker->wait) && clock_monotonic_ms() < limit)
		if (loop_wait_answer(docker->loop, 100, &ignored) < 0)
			break;
	return docker->wait && docker_exited(&docker->base, ret, &ignored) > 0;
}

/* A wait that still stands is kept when only the streams broke: another one might come too late. */
int docker_recover(struct backend *backend, struct exit_status *ret, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	struct exit_status status = {.known = false};
	int found;

	if (ask_wait(docker, 0, ret))
		return 1;
	found = docker_look(docker, docker->task_id, NULL, &record, err);
	if (found < 0) {
		if (err->http_status != 404)
			return -1;
		/* Removed a moment ago: the code may be on its way. */
		if (ask_wait(docker, LATE_ANSWER_MS, ret))
			return 1;
		docker->removed = true;
		*ret = status;
		return 1;
	}
	if (found == 0 || strcmp(record.handle, docker->task_id))
		return err_set(err, ERR_PROTOCOL, "the engine answered for another container");
	if (record.state == TASK_ENDED) {
		if (record.status.known)
			set_code(docker, record.status.code, &status);
		status.out_of_memory |= record.status.out_of_memory;
		status.timed_out |= record.status.timed_out;
		*ret = status;
		return 1;
	}
	return docker->wait ? 0 : start_wait(docker, err);
}
