/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

#define ONE_OFFS "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22dev.oneoff.id%22%5D%7D"
#define DANGLING "/volumes?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D"

bool engine_is_podman(void)
{
	const char *engine = getenv("ONEOFF_TEST_ENGINE");

	return engine && strcmp(engine, "podman") == 0;
}

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

int engine_request(const char *method, const char *path, char **ret_body)
{
	char *answer, *body;
	int fd = connect_engine(), status = -1;

	if (fd < 0)
		return -1;
	dprintf(fd, "%s %s HTTP/1.0\r\nHost: engine\r\nContent-Length: 0\r\n\r\n", method, path);
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

cJSON *engine_get(const char *path)
{
	cJSON *document = NULL;
	char *body = NULL;

	if (engine_request("GET", path, &body) == 200 && body)
		document = cJSON_Parse(body);
	free(body);
	return document;
}

cJSON *engine_inspect(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "/containers/%s/json", name);
	return engine_get(path);
}

int engine_count_one_offs(void)
{
	cJSON *list = engine_get(ONE_OFFS);
	int n = list ? cJSON_GetArraySize(list) : -1;

	cJSON_Delete(list);
	return n;
}

cJSON *engine_wait_one_off(void)
{
	int64_t until = now_ms() + 10000;
	cJSON *list, *first, *clone;

	while (now_ms() < until) {
		list = engine_get(ONE_OFFS);
		first = cJSON_GetArrayItem(list, 0);
		clone = first ? engine_inspect(text_of(first, "Id")) : NULL;
		cJSON_Delete(list);
		if (clone && strcmp(text_of(clone, "State.Status"), "running") == 0)
			return clone;
		cJSON_Delete(clone);
		pause_ms(20);
	}
	return NULL;
}

void engine_remove_one_offs(void)
{
	cJSON *list = engine_get(ONE_OFFS), *item;
	char path[512];

	cJSON_ArrayForEach (item, list) {
		/* Podman's DELETE would be gentle first, and wait */
		snprintf(path, sizeof(path), "/containers/%s/kill?signal=KILL",
		         text_of(item, "Id"));
		engine_request("POST", path, NULL);
		snprintf(path, sizeof(path), "/containers/%s?force=1&v=1", text_of(item, "Id"));
		engine_request("DELETE", path, NULL);
	}
	cJSON_Delete(list);
}

static int count_unused_volumes(void)
{
	cJSON *answer = engine_get(DANGLING);
	int n = answer ? cJSON_GetArraySize(member(answer, "Volumes")) : -1;

	cJSON_Delete(answer);
	return n;
}

static bool is_program(const char *exe, const char *path)
{
	char *wanted = path ? realpath(path, NULL) : NULL;
	bool same = wanted && strcmp(exe, wanted) == 0;

	free(wanted);
	return same;
}

/* Processes that run our binary, zombies not counted. */
static int count_processes(void)
{
	char link[300], exe[4096];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int count = 0;
	ssize_t n;

	while (proc && (entry = readdir(proc))) {
		snprintf(link, sizeof(link), "/proc/%s/exe", entry->d_name);
		n = readlink(link, exe, sizeof(exe) - 1);
		if (n <= 0)
			continue;
		exe[n] = '\0';
		count += is_program(exe, oneoff_path()) || is_program(exe, getenv("ONEOFF_HOOKS"));
	}
	if (proc)
		closedir(proc);
	return count;
}

void expect_clean(void)
{
	int64_t until = now_ms() + 5000;
	int containers, volumes, processes;

	for (;;) {
		containers = engine_count_one_offs();
		volumes = count_unused_volumes();
		processes = count_processes();
		if ((containers == 0 && volumes == 0 && processes == 0) || now_ms() >= until)
			break;
		pause_ms(50);
	}
	if (containers > 0)
		engine_remove_one_offs();
	cr_assert(containers == 0 && volumes == 0 && processes == 0,
	          "left after 5 s: %d containers, %d volumes, %d processes of ours", containers,
	          volumes, processes);
}

const cJSON *member(const cJSON *object, const char *path)
{
	char key[256];
	size_t length;

	while (object && *path) {
		length = strcspn(path, ".");
		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		object = cJSON_GetObjectItemCaseSensitive(object, key);
		path += length;
		path += *path == '.';
	}
	return object;
}

const char *text_of(const cJSON *object, const char *path)
{
	const char *text = cJSON_GetStringValue(member(object, path));

	return text ? text : "";
}
