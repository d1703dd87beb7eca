/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output of a task that another client started. Without a terminal it is the engine's log, followed
 * from its beginning: every byte once, in order. A log holds whole lines, so with a terminal (a prompt is no line) the log
 * of the past is joined with the live stream, which is attached first.
 */
#include <string.h>
#include "pkg/docker/docker.h"
#include "pkg/docker/log_channel.h"
#include "pkg/net/upgrade.h"

#define LOG_TIMEOUT_MS INT64_C(10000)

/* What matters of the container here. */
struct shape {
	bool tty, runs, has_log, takes_input;
};

static int read_shape(struct docker *docker, struct shape *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *path = docker_path(docker->task_id, "/json");
	const char *driver;

	if (!path)
		return err_no_memory(err);
	if (docker_json(docker, "GET", path, NULL, &document, err) < 0)
		return -1;
	driver = json_string(document, "HostConfig.LogConfig.Type");
	ret->tty = json_true(document, "Config.Tty");
	ret->runs = json_true(document, "State.Running");
	ret->has_log = !driver || strcmp(driver, "none") != 0;
	/* Where the end of one client's input is the task's, it belongs to the client that began. */
	ret->takes_input = json_true(document, "Config.OpenStdin") &&
	                   (ret->tty || !json_true(document, "Config.StdinOnce"));
	return 0;
}

static void refuse(struct http_reply *refusal, struct err *err)
{
	if (!err->http_status)
		return;
	refusal->status = err->http_status;
	docker_refusal(refusal, err);
	err->kind = ERR_OUTPUT_INCOMPLETE;
}

int docker_log_open(struct docker *docker, const struct output_request *request, bool tty,
                    struct channel **ret, struct err *err)
{
	_cleanup_(http_reply_release) struct http_reply refusal = HTTP_REPLY_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	struct upgrade *upgrade = NULL;

	strbuf_addf(&path, "/v%d.%d/containers/%s/logs?stdout=1&stderr=1%s%s", DOCKER_API_MAJOR,
	            docker->api_minor, docker->task_id, request->follow ? "&follow=1" : "",
	            request->timestamps ? "&timestamps=1" : "");
	if (request->tail >= 0)
		strbuf_addf(&path, "&tail=%lld", (long long)request->tail);
	if (path.failed)
		return err_no_memory(err);
	if (upgrade_open_body(docker->http, strbuf_str(&path), LOG_TIMEOUT_MS, &upgrade,
	                      &refusal.body, err) < 0) {
		refuse(&refusal, err);
		return -1;
	}
	return docker_channel_open(upgrade, tty, true, ret, err);
}

static int no_log(struct err *err)
{
	err_set(err, ERR_OUTPUT_INCOMPLETE,
	        "the engine keeps no output of this task (log driver 'none')");
	return err_hint(err, "it logs as the app does; the app's containers keep none either");
}

/* Live first, so that nothing falls between the two. */
static int join_live(struct docker *docker, const struct output_request *request,
                     const struct shape *shape, struct channel **ret, struct err *err)
{
	struct output_request past = {.tail = request->tail, .timestamps = request->timestamps};
	struct channel *live = NULL, *log = NULL;

	if (docker_attach(&docker->base, shape->tty,
	                  request->join && request->stdin_open && shape->takes_input,
	                  request->detach_keys, &live, err) < 0)
		return -1;
	docker->channel = NULL; /* it belongs to the joined one */
	if (shape->has_log && docker_log_open(docker, &past, shape->tty, &log, err) < 0) {
		live->ops->close(live);
		return -1;
	}
	if (!shape->has_log) {
		docker->output_incomplete = true;
		report(&docker->reporter, REPORT_WARNING,
		       "the engine keeps no log of this task: what it wrote before is lost");
	}
	return docker_join_open(log, live, ret, err);
}

int docker_output(struct backend *backend, const struct output_request *request,
                  struct channel **ret, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	struct channel *channel = NULL, *log = NULL;
	struct shape shape = {.tty = false};

	if (read_shape(docker, &shape, err) < 0)
		return -1;
	docker->log_is_partial = request->tail >= 0 || request->timestamps;
	if (request->follow && shape.runs && ((request->join && shape.tty) || !shape.has_log)) {
		if (join_live(docker, request, &shape, &channel, err) < 0)
			return -1;
	} else {
		if (!shape.has_log)
			return no_log(err);
		if (docker_log_open(docker, request, shape.tty, &log, err) < 0)
			return -1;
		if (!docker->podman || !request->follow || request->tail >= 0)
			channel = log;
		else if (docker_follow_open(docker, request, shape.tty, log, &channel, err) < 0)
			return -1;
	}
	if (docker->channel)
		docker->channel->ops->close(docker->channel);
	docker->channel = channel;
	*ret = channel;
	return 0;
}
