/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that may be longer than memory: an engine gives all in one answer, ten thousand containers are 30 MB. */
#include "pkg/base/clock.h"
#include "pkg/docker/docker.h"
#include "pkg/json/json_array.h"

/* Of the answer, held at a time. A short list is whole before its first item is told, so that its connection is free
 * for what is asked about the items: another one costs a process where the way is ssh. */
#define WINDOW ((size_t)128 << 10)

struct reading {
	struct docker *docker;
	struct http_request *request; /* owned */
	struct json_array array;
};

static void reading_release(struct reading *reading)
{
	http_cancel(reading->request);
	json_array_release(&reading->array);
}

static int await_piece(const struct reading *reading, struct err *err)
{
	int64_t limit = reading->docker->call_timeout_ms, begun = clock_monotonic_ms();

	while (!http_is_done(reading->request) && !http_is_full(reading->request)) {
		int64_t left = begun + limit - clock_monotonic_ms();

		if (limit && left <= 0)
			return err_set(err, ERR_START_TIMEOUT, "the engine's list does not come");
		if (loop_wait_answer(reading->docker->loop, limit ? (int)left : -1, err) < 0)
			return -1;
	}
	return 0;
}

/* 1: more is to come; 0: that was all; -1. */
static int next_piece(struct reading *reading, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;

	if (await_piece(reading, err) < 0)
		return -1;
	if (!http_is_done(reading->request)) {
		http_take(reading->request, &reading->array.text);
		return 1;
	}
	if (http_finish(TAKE_PTR(reading->request), &reply, err) < 0)
		return -1;
	if (reply.status >= 300)
		return docker_refusal(&reply, err);
	strbuf_add(&reading->array.text, strbuf_str(&reply.body), reply.body.length);
	return 0;
}

int docker_each(struct docker *docker, const char *path, docker_item *take, void *context,
                struct err *err)
{
	_cleanup_(reading_release) struct reading reading = {
		.docker = docker,
		.array = JSON_ARRAY_INIT,
	};
	int more, result = 0;

	/* Each piece has its limit of time; the whole may wait for those that the items are told to. */
	if (docker_start_window(docker, path, WINDOW, &reading.request, err) < 0)
		return -1;
	do {
		_cleanup_(json_free) cJSON *item = NULL;

		more = next_piece(&reading, err);
		while (more >= 0 && (result = json_array_next(&reading.array, &item, err)) > 0) {
			if (take(context, item, err) < 0)
				return -1;
			json_free(&item);
		}
	} while (more > 0 && result == 0);
	return more < 0 || result < 0 ? -1 : json_array_finish(&reading.array, err);
}
