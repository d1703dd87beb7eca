/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/docker.h"

#include <stdio.h>
#include <string.h>

char *docker_path(const char *id, const char *suffix)
{
	struct strbuf path = STRBUF_INIT;
	char *text;

	strbuf_adds(&path, "/containers/");
	strbuf_add_url(&path, id);
	strbuf_adds(&path, suffix);
	text = strbuf_take(&path);
	strbuf_release(&path);
	return text;
}

/* libpod paths carry their own version; everything else gets the negotiated one. */
static void add_versioned(const struct docker *docker, const char *path, struct strbuf *out)
{
	if (strncmp(path, "/v4.", 4) && strcmp(path, "/_ping"))
		strbuf_addf(out, "/v%d.%d", DOCKER_API_MAJOR, docker->api_minor);
	strbuf_adds(out, path);
}

static int start(struct docker *docker, const char *path, struct http_message message,
                 struct http_request **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf full = STRBUF_INIT;

	add_versioned(docker, path, &full);
	if (full.failed)
		return err_no_memory(err);
	message.path = strbuf_str(&full);
	return http_start(docker->http, &message, ret, err);
}

int docker_start(struct docker *docker, const char *method, const char *path, int64_t timeout_ms,
                 struct http_request **ret, struct err *err)
{
	return start(docker, path,
	             (struct http_message){.method = method, .timeout_ms = timeout_ms}, ret, err);
}

int docker_start_window(struct docker *docker, const char *path, size_t window,
                        struct http_request **ret, struct err *err)
{
	return start(docker, path, (struct http_message){.method = "GET", .window = window}, ret,
	             err);
}

static enum err_kind kind_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	case 409:
		return ERR_CONFLICT;
	default:
		return ERR_REFUSED;
	}
}

int docker_refusal(const struct http_reply *reply, struct err *err)
{
	const char *text = strbuf_str(&reply->body);
	_cleanup_(json_free) cJSON *document = NULL;
	struct err ignored = ERR_INIT;
	const char *message = NULL;
	int length = (int)strcspn(text, "\r\n");

	if (*text == '{' &&
	    json_parse(text, reply->body.length, JSON_MAX_BYTES, &document, &ignored) == 0)
		message = json_string(document, "message");
	if (message)
		err_set(err, kind_of_status(reply->status), "%s", message);
	else if (length)
		err_set(err, kind_of_status(reply->status), "%.*s", length, text);
	else
		err_set(err, kind_of_status(reply->status), "status %ld", reply->status);
	err->http_status = (int)reply->status;
	return -1;
}

int docker_call(struct docker *docker, const char *method, const char *path, const char *body,
                struct http_reply *reply, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf full = STRBUF_INIT;
	struct http_message message = {
		.method = method,
		.body = body,
		.timeout_ms = docker->call_timeout_ms,
		.once = !strcmp(method,
	                        "POST"), /* a second create or start would be one too many */
	};

	add_versioned(docker, path, &full);
	if (full.failed)
		return err_no_memory(err);
	message.path = strbuf_str(&full);
	if (http_call(docker->http, &message, reply, err) < 0)
		return -1;
	/* A redirect is no answer of an engine's; taking it for one would call a DELETE done. */
	if (reply->status >= 300 && reply->status != 304)
		return docker_refusal(reply, err);
	return 0;
}

int docker_json(struct docker *docker, const char *method, const char *path, const char *body,
                cJSON **ret, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;

	if (docker_call(docker, method, path, body, &reply, err) < 0)
		return -1;
	return json_parse(strbuf_str(&reply.body), reply.body.length, JSON_MAX_BYTES, ret, err);
}

void docker_reap(struct docker *docker)
{
	for (size_t i = 0; i < DOCKER_MAX_SIDE; i++) {
		if (docker->side[i] && http_is_done(docker->side[i])) {
			http_cancel(docker->side[i]);
			docker->side[i] = NULL;
		}
	}
}

void docker_send(struct docker *docker, const char *method, const char *path)
{
	struct err ignored = ERR_INIT;
	size_t slot = 0;

	docker_reap(docker);
	while (slot < DOCKER_MAX_SIDE && docker->side[slot])
		slot++;
	if (slot == DOCKER_MAX_SIDE) {
		http_cancel(docker->side[0]);
		memmove(docker->side, docker->side + 1,
		        (DOCKER_MAX_SIDE - 1) * sizeof(docker->side[0]));
		slot = DOCKER_MAX_SIDE - 1;
	}
	docker->side[slot] = NULL;
	if (docker_start(docker, method, path, 10000, &docker->side[slot], &ignored) < 0)
		docker->side[slot] = NULL;
}
