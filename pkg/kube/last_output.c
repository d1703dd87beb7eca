/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a task's log, written down at its Job before its pod is deleted: nothing but a deletion shortens the grace
 * period of a pod, and the log goes with it. An annotation needs no right that a stop does not need anyway. */
#include "pkg/kube/kube.h"

#include <string.h>
#include "pkg/base/base64.h"
#include "pkg/base/clock.h"
#include "pkg/kube/channel.h"
#include "pkg/kube/record.h"

/* All annotations of an object may have 256 KiB, and lists of Jobs carry them. */
#define KEPT_BYTES ((size_t)32 << 10)
#define KEPT_LINES "10000"
/* Who uses force waits for nothing. */
#define READ_MS INT64_C(3000)

/* Its last bytes, in the memory of a few pieces. */
static int read_end(struct kube *kube, struct strbuf *text, struct err *err)
{
	int64_t until = clock_monotonic_ms() + READ_MS, usual = kube->call_timeout_ms;
	enum io_result result = IO_OK;
	struct http_request *request;
	struct channel *log = NULL;
	struct chunk chunk;
	int started;

	kube->call_timeout_ms = READ_MS; /* a node that is lost does not answer */
	started = kube_start_log(kube, "&tailLines=" KEPT_LINES, &request, err);
	kube->call_timeout_ms = usual;
	if (started < 0 || kube_log_channel_open(request, 0, &log, err) < 0)
		return -1;
	while ((result = log->ops->read(log, &chunk)) == IO_OK || result == IO_AGAIN) {
		if (result == IO_OK) {
			strbuf_add(text, chunk.bytes, chunk.length);
			if (text->length > 8 * KEPT_BYTES)
				strbuf_consume(text, text->length - KEPT_BYTES);
		} else if (clock_monotonic_ms() >= until ||
		           loop_wait(kube->loop, NULL, 0, 100, err) < 0) {
			break;
		}
	}
	if (result != IO_EOF)
		err_set(err, ERR_LOST, "%s",
		        result == IO_ERROR ? log->ops->error(log) : "it takes too long");
	log->ops->close(log);
	if (text->failed)
		return err_no_memory(err);
	return result == IO_EOF ? 0 : -1;
}

/* From the beginning of a line, where there is one. */
static void cut_front(struct strbuf *text)
{
	const char *line;
	size_t too_many;

	if (text->length <= KEPT_BYTES)
		return;
	too_many = text->length - KEPT_BYTES;
	line = memchr(text->data + too_many - 1, '\n', KEPT_BYTES);
	strbuf_consume(text, line ? (size_t)(line - text->data) + 1 : too_many);
}

static int write_down(struct kube *kube, const struct strbuf *text, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf encoded = STRBUF_INIT;
	_cleanup_free_ char *path =
		kube_path("batch/v1", kube->config.name_space, "jobs", kube->task.name, NULL);
	_cleanup_(json_free) cJSON *patch = cJSON_CreateObject();
	cJSON *metadata = patch ? json_object_for(patch, "metadata") : NULL;
	cJSON *annotations = metadata ? json_object_for(metadata, "annotations") : NULL;

	base64_encode(strbuf_str(text), text->length, &encoded);
	if (!path || !annotations || encoded.failed ||
	    json_set_string(annotations, KUBE_OUTPUT_ANNOTATION, strbuf_str(&encoded)) < 0)
		return err_no_memory(err);
	return kube_patch(kube, path, KUBE_MERGE_PATCH, patch, NULL, err);
}

void kube_save_output(struct kube *kube)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;

	if (!kube->task.is_job) {
		report(&kube->reporter, REPORT_NOTE,
		       "its log and its code go with its pod, which no Job owns");
		return;
	}
	if (read_end(kube, &text, &err) == 0) {
		cut_front(&text);
		if (!text.length || write_down(kube, &text, &err) == 0)
			return;
	}
	/* What never began has none. */
	if (err.http_status != 400 && err.http_status != 404)
		report(&kube->reporter, REPORT_WARNING, "its log is lost with its pod: %s",
		       err.message);
}

int kube_load_output(struct kube_task *task, const cJSON *job, struct err *err)
{
	const cJSON *annotations = json_at(job, "metadata.annotations");
	const char *text = cJSON_GetStringValue(json_member(annotations, KUBE_OUTPUT_ANNOTATION));

	strbuf_release(&task->last_output);
	/* Anybody may have written it: what is no base64 counts as nothing. */
	if (text && base64_decode(text, true, &task->last_output) < 0) {
		bool no_memory = task->last_output.failed;

		strbuf_release(&task->last_output);
		return no_memory ? err_no_memory(err) : 0;
	}
	return 0;
}

/* Where its last `lines` lines begin; -1: all of them. */
static size_t tail_start(const struct strbuf *text, int64_t lines)
{
	size_t start = text->length;

	if (lines <= 0)
		return lines < 0 ? 0 : start;
	if (start && text->data[start - 1] == '\n')
		start--; /* ends the last one and begins none */
	while (start && (text->data[start - 1] != '\n' || --lines > 0))
		start--;
	return start;
}

int kube_show_saved(struct kube *kube, int64_t tail, struct channel **ret, struct err *err)
{
	struct strbuf *text = &kube->task.last_output;

	strbuf_consume(text, tail_start(text, tail));
	return kube_text_channel_open(
		text, "a stop deleted its pod: this was the end of its log, at most 32 KiB", ret,
		err);
}
