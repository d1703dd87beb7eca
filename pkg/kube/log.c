/* SPDX-License-Identifier: Apache-2.0 */
/* The task's log, where attaching is not enough: what came before we were attached, what follows a broken connection, and
 * the output of a task that others started. Both of its streams are one there. */
#include "pkg/kube/kube.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/kube/channel.h"

/* Up to here a gated task's output is counted against its log. */
#define CHECKED_BYTES 65536

/* Begins to read the task's log; the head of a good answer is there. */
int kube_start_log(struct kube *kube, const char *more, struct http_request **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	_cleanup_free_ char *base =
		kube_path("", kube->config.name_space, "pods", kube->task.pod, "/log?container=");
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	struct http_request *request;

	strbuf_adds(&path, base ? base : "");
	strbuf_add_url(&path, kube->task.container);
	strbuf_adds(&path, more);
	if (!base || path.failed)
		return err_no_memory(err);
	if (kube_start(kube, strbuf_str(&path), &request, err) < 0)
		return -1;
	if (http_wait_head(request, kube->call_timeout_ms, err) < 0) {
		http_cancel(request);
		return -1;
	}
	if (http_status(request) == 200) {
		*ret = request;
		return 0;
	}
	while (!http_is_done(request))
		if (loop_wait(kube->loop, NULL, 0, 1000, err) < 0)
			break;
	if (http_finish(request, &reply, err) < 0)
		return -1;
	return kube_refusal(reply.status, strbuf_str(&reply.body), reply.body.length, err);
}

/* How many bytes the log has, at most `limit`. */
static int measure_log(struct kube *kube, uint64_t limit, uint64_t *ret)
{
	struct channel *log = NULL;
	struct http_request *request;
	int64_t until = clock_monotonic_ms() + kube->call_timeout_ms;
	struct err err = ERR_INIT;
	enum io_result result;
	struct chunk chunk;
	char more[64];

	snprintf(more, sizeof(more), "&limitBytes=%" PRIu64, limit);
	if (kube_start_log(kube, more, &request, &err) < 0 ||
	    kube_log_channel_open(request, 0, &log, &err) < 0)
		return -1;
	*ret = 0;
	while ((result = log->ops->read(log, &chunk)) == IO_OK || result == IO_AGAIN) {
		if (result == IO_OK)
			*ret += chunk.length;
		else if (clock_monotonic_ms() >= until ||
		         loop_wait(kube->loop, NULL, 0, 1000, &err) < 0)
			break;
	}
	log->ops->close(log);
	return result == IO_EOF ? 0 : -1;
}

/* Right after the attach: what is not in the log by now will come by the connection. */
bool kube_log_is_empty(struct kube *kube)
{
	uint64_t length;

	return measure_log(kube, 1, &length) == 0 && length == 0;
}

/* The log knows what was written before we were attached; behind a gate that is nothing, which is cheap to look at
 * where little came. When nothing came at all, the log speaks for it. */
const char *kube_missing_output(void *context, uint64_t received, struct channel **ret_rest)
{
	struct kube *kube = context;
	struct http_request *request;
	struct err err = ERR_INIT;
	uint64_t logged = 0;

	if (kube->task.gate && (received > CHECKED_BYTES || kube->task.gate_behind))
		return NULL;
	if (measure_log(kube, received + 1, &logged) < 0)
		return kube->task.gate ? NULL : "nobody can say whether its first output is there";
	if (logged <= received)
		return NULL;
	if (received || kube_start_log(kube, "", &request, &err) < 0 ||
	    kube_log_channel_open(request, 0, ret_rest, &err) < 0)
		return "its first output came before we were attached";
	report(&kube->reporter, REPORT_NOTE,
	       "the task's output came before we were attached: it is shown from its log, both "
	       "streams as one");
	return NULL;
}

/* Without a gate a task may be over before anybody could attach. Its log has all that it wrote; without a right to
 * the log its code is still known. */
int kube_attach_by_log(struct kube *kube, struct channel **ret, struct err *err)
{
	struct http_request *request = NULL;
	struct err own = ERR_INIT;

	if (kube_start_log(kube, "", &request, &own) < 0) {
		if (own.kind == ERR_INTERRUPTED) {
			*err = own;
			return -1;
		}
		report(&kube->reporter, REPORT_WARNING,
		       "the task ended before we could attach, and its log cannot be read: %s",
		       own.message);
		kube->task.flawed = true;
		request = NULL;
	} else {
		report(&kube->reporter, REPORT_NOTE,
		       "the task ended before we could attach: both of its streams come from its "
		       "log, as one");
	}
	kube->task.by_log = true;
	if (kube_log_channel_open(request, 0, &kube->channel, err) < 0)
		return -1;
	*ret = kube->channel;
	return 0;
}

/* Attaching again would only show what comes from then on. The log has all of it, though both streams as one, so what
 * follows is not lost but marked as flawed. */
int kube_reattach(struct backend *backend, const uint64_t received[CHUNK_STREAM_COUNT],
                  struct channel **ret, struct err *err)
{
	struct kube *kube = (struct kube *)backend;
	struct http_request *request;
	struct channel *channel = NULL;
	struct err own = ERR_INIT;
	char more[64];

	if (kube->task.tty && !kube->task.by_log)
		return err_set(err, ERR_OUTPUT_INCOMPLETE, "a terminal cannot be taken up again");
	/* What came is not what the log begins with: bytes would come twice. */
	if (!kube->task.by_log && (received[CHUNK_STDOUT] || received[CHUNK_STDERR]) &&
	    !kube->task.from_start) {
		const char *words = kube->channel->ops->error(kube->channel);

		return err_set(err, ERR_OUTPUT_INCOMPLETE,
		               "%s; without a gate its log cannot be joined to what came",
		               *words ? words : "the streams ended");
	}
	if (kube->task.log_cut)
		return err_set(err, ERR_OUTPUT_INCOMPLETE,
		               "what a log began with in the middle cannot be found again");
	snprintf(more, sizeof(more), "&follow=true%s", kube->task.log_query);
	if (kube_start_log(kube, more, &request, &own) < 0) {
		*err = own;
		if (own.http_status == 403 || own.http_status == 404)
			err->kind = ERR_OUTPUT_INCOMPLETE;
		return -1;
	}
	if (kube_log_channel_open(request, received[CHUNK_STDOUT] + received[CHUNK_STDERR],
	                          &channel, err) < 0)
		return -1;
	kube->channel->ops->close(kube->channel);
	kube->channel = *ret = channel;
	if (kube->task.by_log) /* the same bytes from the same place */
		return 0;
	report(&kube->reporter, REPORT_WARNING,
	       "from here on the task's output comes from its log, both streams as one");
	kube->task.by_log = kube->task.flawed = true;
	return 0;
}
