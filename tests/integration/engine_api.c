/* SPDX-License-Identifier: Apache-2.0 */
/* Docker and Podman by their API. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/integration/engine_ops.h"
#include "tests/integration/harness.h"

#define ONE_OFFS "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22dev.oneoff.id%22%5D%7D"
#define DANGLING "/volumes?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D"

static int connect_engine(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};
	const char *path = getenv("ONEOFF_TEST_SOCKET");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!path || strlen(path) >= sizeof(address.sun_path) || fd < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static char *read_all(int fd)
{
	size_t length = 0, room = 65536;
	char *text = malloc(room), *more;
	ssize_t n;

	while (text && (n = read(fd, text + length, room - length - 1)) > 0) {
		length += (size_t)n;
		if (room - length > 4096)
			continue;
		room *= 2;
		more = realloc(text, room);
		if (!more)
			free(text);
		text = more;
	}
	if (text)
		text[length] = '\0';
	return text;
}

int engine_send(const char *method, const char *path, const char *type, const char *content,
                char **ret_body)
{
	char *answer, *body;
	int fd = connect_engine(), status = -1;

	if (fd < 0)
		return -1;
	dprintf(fd,
	        "%s %s HTTP/1.0\r\nHost: engine\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
	        method, path, type, strlen(content), content);
	answer = read_all(fd);
	close(fd);
	if (!answer)
		return -1;
	body = strstr(answer, "\r\n\r\n");
	if (!body || sscanf(answer, "HTTP/1.%*d %d", &status) != 1)
		status = -1;
	if (ret_body)
		*ret_body = body ? strdup(body + 4) : NULL;
	free(answer);
	return status;
}

int engine_request(const char *method, const char *path, char **ret_body)
{
	return engine_send(method, path, "application/json", "", ret_body);
}

cJSON *engine_get(const char *path)
{
	cJSON *document = NULL;
	char *body = NULL;

	if (engine_request("GET", path, &body) == 200 && body)
		document = cJSON_Parse(body);
	free(body);
	return document;
}

static cJSON *inspect(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "/containers/%s/json", name);
	return engine_get(path);
}

static int count_one_offs(void)
{
	cJSON *list = engine_get(ONE_OFFS);
	int n = list ? cJSON_GetArraySize(list) : -1;

	cJSON_Delete(list);
	return n;
}

static cJSON *first_one_off(void)
{
	cJSON *list = engine_get(ONE_OFFS), *first = cJSON_GetArrayItem(list, 0);
	cJSON *clone = first ? inspect(text_of(first, "Id")) : NULL;

	cJSON_Delete(list);
	return clone;
}

static bool kill_container(const char *id)
{
	char path[512];

	snprintf(path, sizeof(path), "/containers/%s/kill?signal=KILL", id);
	return engine_request("POST", path, NULL) == 204;
}

static void remove_one_offs(void)
{
	cJSON *list = engine_get(ONE_OFFS), *item;
	char path[512];

	cJSON_ArrayForEach (item, list) {
		/* Podman's DELETE would be gentle first, and wait */
		kill_container(text_of(item, "Id"));
		snprintf(path, sizeof(path), "/containers/%s?force=1&v=1", text_of(item, "Id"));
		engine_request("DELETE", path, NULL);
	}
	cJSON_Delete(list);
}

static int count_unused_volumes(char *text, size_t size)
{
	cJSON *answer = engine_get(DANGLING);
	int n = answer ? cJSON_GetArraySize(member(answer, "Volumes")) : -1;

	cJSON_Delete(answer);
	snprintf(text, size, "%d volumes", n);
	return n;
}

#define API_OPS                                                                                    \
	.count_one_offs = count_one_offs, .inspect = inspect, .first_one_off = first_one_off,      \
	.kill = kill_container, .remove_one_offs = remove_one_offs,                                \
	.leftovers = count_unused_volumes

const struct engine_ops engine_docker = {
	.traits = {.nowhere = "DOCKER_HOST=unix:///nonexistent/a.sock",
                   .plan_shows = "PortBindings",
                   .image_known = true,
                   .keeps = true,
                   .knows_memory = true},
	API_OPS,
};

/* Podman 4.3.1 with cgroup v1 says OOMKilled false. */
const struct engine_ops engine_podman = {
	.traits = {.nowhere = "CONTAINER_HOST=unix:///nonexistent/a.sock",
                   .plan_shows = "PortBindings",
                   .image_known = true,
                   .keeps = true},
	API_OPS,
};
