/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "pkg/json/json.h"

static const char *const state_names[] = {"created", "running", "exited", "removing"};

struct fake_container *fake_find(struct fake_engine *engine, const char *path)
{
	const char *name = strstr(path, "/containers/");
	size_t length;

	if (!name)
		return NULL;
	name += strlen("/containers/");
	length = strcspn(name, "/?");
	for (size_t i = 0; i < engine->container_count; i++) {
		struct fake_container *container = &engine->containers[i];

		if (container->state != FAKE_GONE &&
		    ((strlen(container->name) == length &&
		      !strncmp(container->name, name, length)) ||
		     (length >= 12 && !strncmp(container->id, name, length))))
			return container;
	}
	return NULL;
}

struct fake_container *fake_new(struct fake_engine *engine, const char *name, const char *config)
{
	struct fake_container *container = &engine->containers[engine->container_count];

	if (engine->container_count == FAKE_MAX_CONTAINERS)
		abort();
	snprintf(container->id, sizeof(container->id), "%056x%08zx", 0xfacade,
	         0xab000000 + engine->container_count);
	container->name = strdup(name);
	container->config = strdup(config);
	container->auto_remove = strstr(config, "\"AutoRemove\":true") != NULL;
	container->looks = engine->task->removal_looks;
	engine->container_count++;
	return container;
}

static void create(struct fake_engine *engine, const struct fake_request *request,
                   struct fake_reply *reply)
{
	const char *name = strstr(request->path, "name=") + strlen("name=");
	char probe[512];
	struct fake_container *container;

	snprintf(probe, sizeof(probe), "/containers/%s/", name);
	if (fake_find(engine, probe)) {
		reply->status = 409;
		strbuf_addf(&reply->body,
		            "{\"message\":\"Conflict. The container name \\\"/%s\\\" is already in "
		            "use by container\"}\n",
		            name);
		return;
	}
	container = fake_new(engine, name, strbuf_str(&request->body));
	container->by_request = true;
	free(engine->create_body);
	engine->create_body = strdup(strbuf_str(&request->body));
	reply->status = 201;
	strbuf_addf(&reply->body, "{\"Id\":\"%s\",\"Warnings\":[]}\n", container->id);
}

static void inspect(struct fake_container *container, struct fake_reply *reply)
{
	if (container->state == FAKE_REMOVING && container->looks > 0 && --container->looks == 0)
		container->state = FAKE_GONE;
	strbuf_addf(&reply->body, "{\"Id\":\"%s\",\"Name\":\"/%s\",\"Config\":%s,", container->id,
	            container->name, container->config);
	strbuf_adds(&reply->body, "\"HostConfig\":{\"LogConfig\":{\"Type\":\"json-file\"}},");
	if (container->state_json) {
		strbuf_addf(&reply->body, "\"State\":%s}", container->state_json);
		return;
	}
	strbuf_addf(&reply->body,
	            "\"State\":{\"Status\":\"%s\",\"Running\":%s,\"ExitCode\":%d,\"Pid\":0,"
	            "\"FinishedAt\":\"2026-11-21T03:10:27Z\"}}",
	            container->state == FAKE_GONE ? "removing" : state_names[container->state],
	            container->state == FAKE_RUNNING ? "true" : "false", container->code);
}

static void end(struct fake_engine *engine, struct fake_container *container, int code)
{
	if (container->state != FAKE_RUNNING)
		return;
	container->code = code;
	container->state = !container->auto_remove ? FAKE_EXITED
	                   : container->looks      ? FAKE_REMOVING
	                                           : FAKE_GONE;
	pthread_cond_broadcast(&engine->changed);
}

static void delete (struct fake_engine *engine, struct fake_container *container,
                    const struct fake_request *request, struct fake_reply *reply)
{
	if (container->state == FAKE_REMOVING) {
		reply->status = 409;
		strbuf_addf(&reply->body,
		            "{\"message\":\"removal of container %s is already in progress\"}",
		            container->id);
	} else if (container->state == FAKE_RUNNING && !strstr(request->path, "force=1")) {
		reply->status = 409;
		strbuf_adds(&reply->body, "{\"message\":\"cannot remove a running container\"}");
	} else {
		end(engine, container, 137);
		container->state = FAKE_GONE;
		reply->status = 204;
		pthread_cond_broadcast(&engine->changed);
	}
}

static void list(struct fake_engine *engine, const struct fake_request *request,
                 struct fake_reply *reply)
{
	const char *comma = "";

	strbuf_addc(&reply->body, '[');
	if (!strstr(request->path, "filters=")) {
		strbuf_adds(&reply->body, "{\"Id\":\"f05ad24f4e46\",\"Names\":[\"/web\"],"
		                          "\"State\":\"running\",\"Labels\":{}}");
		comma = ",";
	}
	for (size_t i = 0; i < engine->container_count; i++) {
		const struct fake_container *container = &engine->containers[i];
		struct err ignored = ERR_INIT;

		if (container->state == FAKE_GONE ||
		    json_parse(container->config, strlen(container->config), JSON_MAX_BYTES,
		               &engine->listed, &ignored) < 0)
			continue;
		strbuf_addf(&reply->body,
		            "%s{\"Id\":\"%s\",\"Names\":[\"/%s\"],\"State\":\"%s\",\"Labels\":",
		            comma, container->id, container->name, state_names[container->state]);
		json_print(json_member(engine->listed, "Labels"), false, &reply->body);
		strbuf_addc(&reply->body, '}');
		json_free(&engine->listed);
		comma = ",";
	}
	strbuf_addc(&reply->body, ']');
}

static void kill_container(struct fake_engine *engine, struct fake_container *container,
                           const char *path)
{
	const char *signal = strstr(path, "signal=");
	int number = signal ? (int)strtol(signal + strlen("signal="), NULL, 10) : 9;

	if (number == 9 || !engine->task->ignores_term)
		end(engine, container, 128 + number);
}

static void rename_container(struct fake_engine *engine, struct fake_container *container,
                             const char *path, struct fake_reply *reply)
{
	const char *name = strstr(path, "name=") + strlen("name=");
	char probe[512];

	snprintf(probe, sizeof(probe), "/containers/%s/", name);
	if (fake_find(engine, probe)) {
		reply->status = !strcmp(container->name, name) ? 400 : 409;
		strbuf_adds(&reply->body, "{\"message\":\"the name is taken\"}\n");
		return;
	}
	reply->status = 204;
	free(container->name);
	container->name = strdup(name);
}

static void act_on_container(struct fake_engine *engine, const struct fake_request *request,
                             struct fake_reply *reply)
{
	struct fake_container *container = fake_find(engine, request->path);

	if (!container && !strncmp(request->path, "/containers/web/", 16)) {
		strbuf_adds(&reply->body, engine->source);
	} else if (!container) {
		reply->status = 404;
		strbuf_adds(&reply->body, "{\"message\":\"No such container: it\"}\n");
	} else if (!strcmp(request->method, "DELETE")) {
		delete (engine, container, request, reply);
	} else if (strstr(request->path, "/start")) {
		reply->status = 204;
		container->state = FAKE_RUNNING;
		pthread_cond_broadcast(&engine->changed);
	} else if (strstr(request->path, "/rename?")) {
		rename_container(engine, container, request->path, reply);
	} else if (strstr(request->path, "/stop")) {
		reply->status = 204;
		end(engine, container, 143);
	} else if (strstr(request->path, "/kill")) {
		reply->status = 204;
		kill_container(engine, container, request->path);
	} else if (strstr(request->path, "/json")) {
		inspect(container, reply);
	}
}

void fake_act(struct fake_engine *engine, const struct fake_request *request,
              struct fake_reply *reply)
{
	pthread_mutex_lock(&engine->mutex);
	reply->status = 200;
	if (!strncmp(request->path, "/containers/create", 18))
		create(engine, request, reply);
	else if (!strncmp(request->path, "/containers/json", 16))
		list(engine, request, reply);
	else if (!strncmp(request->path, "/images/", 8))
		strbuf_adds(&reply->body, engine->image);
	else if (!strncmp(request->path, "/_ping", 6))
		strbuf_adds(&reply->body, "OK");
	else if (strstr(request->path, "/containers/"))
		act_on_container(engine, request, reply);
	pthread_mutex_unlock(&engine->mutex);
}

void fake_pause(struct fake_engine *engine, int milliseconds)
{
	struct timespec limit;

	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += milliseconds / 1000;
	limit.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (limit.tv_nsec >= 1000000000) {
		limit.tv_nsec -= 1000000000;
		limit.tv_sec++;
	}
	while (!engine->stopping)
		if (pthread_cond_timedwait(&engine->changed, &engine->mutex, &limit) != 0)
			return;
}

/* `cat`: every piece of input comes back as a frame (as it is with a terminal). */
static void echo(int fd)
{
	char bytes[4096 + 8] = {1};
	ssize_t got;

	while ((got = recv(fd, bytes + 8, sizeof(bytes) - 8, 0)) > 0) {
		bytes[6] = (char)(got >> 8);
		bytes[7] = (char)got;
		if (!fake_send(fd, bytes, (size_t)got + 8, false))
			return;
	}
}

void fake_play(struct fake_engine *engine, struct fake_container *container, int fd)
{
	const struct fake_task *task = engine->task;

	fake_wait_start(engine, container);
	pthread_mutex_lock(&engine->mutex);
	if (task->verdict_first) {
		end(engine, container, task->code);
		fake_pause(engine, 100);
	}
	pthread_mutex_unlock(&engine->mutex);
	fake_send(fd, task->stream, task->stream_length, task->bytewise);
	if (task->echo)
		echo(fd);
	if (task->stream_ends)
		shutdown(fd, SHUT_RDWR);
	pthread_mutex_lock(&engine->mutex);
	if (task->end_after_ms)
		fake_pause(engine, task->end_after_ms);
	while (task->for_ever && container->state == FAKE_RUNNING && !engine->stopping)
		pthread_cond_wait(&engine->changed, &engine->mutex);
	end(engine, container, task->code);
	while (task->stream_stays && !engine->stopping)
		pthread_cond_wait(&engine->changed, &engine->mutex);
	pthread_mutex_unlock(&engine->mutex);
}

void fake_wait_start(struct fake_engine *engine, struct fake_container *container)
{
	pthread_mutex_lock(&engine->mutex);
	while (container->state == FAKE_CREATED && !engine->stopping)
		pthread_cond_wait(&engine->changed, &engine->mutex);
	pthread_mutex_unlock(&engine->mutex);
}

bool fake_wait(struct fake_engine *engine, struct fake_container *container, int *ret_code)
{
	pthread_mutex_lock(&engine->mutex);
	while (container->state < FAKE_EXITED && !engine->stopping)
		pthread_cond_wait(&engine->changed, &engine->mutex);
	*ret_code = container->code;
	pthread_mutex_unlock(&engine->mutex);
	return !engine->stopping;
}
