/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has the task ended while our stdout is blocked? Docker gives an attached client 2 s after the
 * exit and then drops what is unread (moby/moby#45689), so the answer must come from elsewhere than
 * the stream: a pidfd when the engine is on this machine, else the inspect call, which stalls
 * during those 2 s because the daemon holds the container's lock (research/docker-oci.md 1.4).
 */
#include "pkg/docker/docker.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include "pkg/base/clock.h"

#define ASK_EVERY_MS INT64_C(500)
#define STALL_MS     INT64_C(400)

/* The pid is the engine's word: it is ours to watch only if its cgroup names the container. */
static bool pid_is_task(const struct docker *docker, int64_t pid)
{
	char path[64], line[1024];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%lld/cgroup", (long long)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, docker->task_id) != NULL;
	fclose(file);
	return found;
}

static bool read_answer(struct docker *docker)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	struct http_request *request = docker->probe.inspect;
	struct err ignored = ERR_INIT;
	int64_t pid = 0;

	docker->probe.inspect = NULL;
	if (http_finish(request, &reply, &ignored) < 0)
		return false;
	if (reply.status == 404)
		return true;
	if (json_parse(strbuf_str(&reply.body), reply.body.length, JSON_MAX_BYTES, &document,
	               &ignored) < 0)
		return false;
	if (!json_true(document, "State.Running"))
		return true;
	if (docker->probe.is_local && json_int64(document, "State.Pid", &pid) == 0 && pid > 0) {
		int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);

		/* Checked after it was opened: a pid that was used again would fail here. */
		if (fd >= 0 && pid_is_task(docker, pid))
			docker->probe.pidfd = fd;
		else if (fd >= 0)
			close(fd);
		docker->probe.is_local = docker->probe.pidfd >= 0;
	}
	return false;
}

bool docker_may_have_ended(struct backend *backend)
{
	struct docker *docker = (struct docker *)backend;
	struct exit_probe *probe = &docker->probe;
	int64_t now = clock_monotonic_ms();
	_cleanup_free_ char *path = NULL;
	struct err ignored = ERR_INIT;

	if (probe->pidfd >= 0) {
		struct pollfd polled = {.fd = probe->pidfd, .events = POLLIN};

		return poll(&polled, 1, 0) > 0;
	}
	if (probe->inspect && http_is_done(probe->inspect))
		return read_answer(docker);
	if (probe->inspect)
		return now - probe->asked > STALL_MS;
	if (probe->asked && now - probe->asked < ASK_EVERY_MS)
		return false;
	path = docker_path(docker->task_id, "/json");
	probe->asked = now;
	if (path && docker_start(docker, "GET", path, 10000, &probe->inspect, &ignored) < 0)
		probe->inspect = NULL;
	return false;
}

void docker_probe_release(struct docker *docker)
{
	http_cancel(docker->probe.inspect);
	docker->probe.inspect = NULL;
	if (docker->probe.pidfd >= 0)
		close(docker->probe.pidfd);
	docker->probe.pidfd = -1;
}
