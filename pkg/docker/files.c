/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/docker.h"

#include "pkg/docker/archive.h"

/* Tar pads to blocks and adds headers; a PAX header may come first. */
#define TAR_OVERHEAD ((size_t)64 << 10)

int docker_read_file(struct backend *backend, const struct release *release, const char *path,
                     size_t cap, struct strbuf *ret, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf full = STRBUF_INIT;
	struct http_message message = {
		.method = cap ? "GET" : "HEAD",
		.timeout_ms = DOCKER_CALL_TIMEOUT_MS,
		.max_bytes = cap + TAR_OVERHEAD,
	};

	strbuf_addf(&full, "/v%d.%d/containers/", DOCKER_API_MAJOR, docker->api_minor);
	strbuf_add_url(&full, release->id);
	strbuf_adds(&full, "/archive?path=");
	strbuf_add_url(&full, path);
	if (full.failed)
		return err_no_memory(err);
	message.path = strbuf_str(&full);
	if (http_call(docker->http, &message, &reply, err) < 0)
		return -1;
	if (reply.status >= 400)
		return docker_refusal(&reply, err);
	if (!cap)
		return 0;
	return archive_read_file(strbuf_str(&reply.body), reply.body.length, cap, ret, err);
}
