/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the streams broke: the engine's own log, followed from its beginning, has every byte of
 * both streams. What we have received is skipped by count. That is exact for the drivers that keep
 * bytes (local) and for text in json-file; where it is not, the run ends with 120 instead of a
 * guess.
 */
#include "pkg/docker/docker.h"

#include <string.h>
#include "pkg/docker/log_channel.h"

enum log_kind {
	LOG_NONE, /* nothing can be read back */
	LOG_TEXT, /* bytes that are no UTF-8 are replaced */
	LOG_EXACT,
};

static const struct {
	const char *driver;
	enum log_kind kind;
} log_drivers[] = {
	{"local", LOG_EXACT},
	{"k8s-file", LOG_EXACT},
	{"json-file", LOG_TEXT},
	{"journald", LOG_TEXT},
};

static int look_at_task(struct docker *docker, enum log_kind *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *path = docker_path(docker->task_id, "/json");
	const char *driver;

	if (!path)
		return err_no_memory(err);
	if (docker_json(docker, "GET", path, NULL, &document, err) < 0) {
		if (err->http_status == 404)
			err->kind = ERR_OUTPUT_INCOMPLETE;
		return -1;
	}
	*ret = LOG_NONE;
	driver = json_string(document, "HostConfig.LogConfig.Type");
	for (size_t i = 0; driver && i < ARRAY_SIZE(log_drivers); i++)
		if (!strcmp(driver, log_drivers[i].driver))
			*ret = log_drivers[i].kind;
	if (json_true(document, "Config.Tty"))
		return err_set(err, ERR_OUTPUT_INCOMPLETE, "a terminal cannot be taken up again");
	return 0;
}

int docker_reattach(struct backend *backend, const uint64_t received[CHUNK_STREAM_COUNT],
                    struct channel **ret, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	const struct output_request all = {.follow = true, .tail = -1};
	struct channel *channel;
	enum log_kind kind = LOG_NONE;

	if (look_at_task(docker, &kind, err) < 0)
		return -1;
	if (kind == LOG_NONE)
		return err_set(err, ERR_OUTPUT_INCOMPLETE, "the engine keeps no log of this task");
	if (docker->log_is_partial)
		return err_set(err, ERR_OUTPUT_INCOMPLETE, "only a part of the log was asked for");
	if (docker_log_open(docker, &all, false, &channel, err) < 0)
		return -1;
	docker_channel_skip(channel, received, kind == LOG_TEXT);
	if (docker->channel)
		docker->channel->ops->close(docker->channel);
	docker->channel = channel;
	*ret = channel;
	return 0;
}
