/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_internal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char upgraded[] = "HTTP/1.1 101 UPGRADED\r\nContent-Type: "
			       "application/vnd.docker.raw-stream\r\nConnection: "
			       "Upgrade\r\nUpgrade: tcp\r\n\r\n";

bool fake_send(int fd, const char *bytes, size_t length, bool bytewise)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, bytewise ? 1 : length, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		length -= (size_t)sent;
	}
	return true;
}

size_t fake_frame(char *bytes, size_t length, int stream, const char *text)
{
	size_t size = strlen(text);
	const char header[8] = {
		(char)stream,      0,         0, 0, (char)(size >> 24), (char)(size >> 16),
		(char)(size >> 8), (char)size};

	memcpy(bytes + length, header, sizeof(header));
	memcpy(bytes + length + sizeof(header), text, size);
	return length + sizeof(header) + size;
}

/* The head, then as much body as it announces; false at the end of the connection. */
static bool read_request(int fd, struct strbuf *early, struct fake_request *request)
{
	const char *end, *length, *path;
	char bytes[4096], target[2048];
	size_t wanted;

	while (!(end = strstr(strbuf_str(early), "\r\n\r\n"))) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

		if (got <= 0)
			return false;
		strbuf_add(early, bytes, (size_t)got);
	}
	if (sscanf(early->data, "%15s %2047s", request->method, target) != 2)
		return false;
	path = target;
	if (!strncmp(path, "/v1.", 4))
		path = strchr(path + 1, '/');
	snprintf(request->path, sizeof(request->path), "%s", path);
	length = strcasestr(early->data, "\r\ncontent-length:");
	wanted = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	strbuf_consume(early, (size_t)(end - early->data) + 4);
	while (early->length < wanted) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

		if (got <= 0)
			return false;
		strbuf_add(early, bytes, (size_t)got);
	}
	strbuf_reset(&request->body);
	strbuf_add(&request->body, strbuf_str(early), wanted);
	strbuf_consume(early, wanted);
	return true;
}

/* Writes the request down and picks the rule for it. */
static const struct fake_rule *note(struct fake_engine *engine, const struct fake_request *request)
{
	const struct fake_rule *found = NULL;
	char line[2100];

	snprintf(line, sizeof(line), "%s %s", request->method, request->path);
	pthread_mutex_lock(&engine->mutex);
	if (engine->log_count < FAKE_MAX_LOG)
		engine->log[engine->log_count++] = strdup(line);
	for (size_t i = 0; i < engine->rule_count && !found; i++) {
		const struct fake_rule *rule = &engine->rules[i];
		bool hit = *rule->path == '^'
		                   ? !strncmp(request->path, rule->path + 1, strlen(rule->path + 1))
		                   : strstr(request->path, rule->path) != NULL;

		if (!hit || strcmp(rule->method, request->method) ||
		    (rule->times && engine->fired[i] >= rule->times))
			continue;
		engine->fired[i]++;
		found = rule;
	}
	pthread_mutex_unlock(&engine->mutex);
	return found;
}

static void add_reply(const struct fake_engine *engine, int status, const char *body,
                      struct strbuf *out)
{
	strbuf_addf(out, "HTTP/1.1 %d Status\r\nApi-Version: 1.41\r\n", status);
	if (engine->task->podman)
		strbuf_adds(out, "Libpod-Api-Version: 4.3.1\r\n");
	if (status >= 300 && status < 400)
		strbuf_adds(out, "Location: http://localhost:1/elsewhere\r\n");
	if (status == 204 || status == 304)
		strbuf_adds(out, "\r\n");
	else
		strbuf_addf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		            strlen(body), body);
}

static void flood(int fd, const char *head, const char *piece)
{
	if (!fake_send(fd, head, strlen(head), false))
		return;
	while (fake_send(fd, piece, strlen(piece), false))
		;
}

/* True when the connection is over. */
static bool misbehave(struct fake_engine *engine, const struct fake_rule *rule,
                      struct fake_connection *connection)
{
	struct strbuf *text = &connection->text;
	int fd = connection->fd;

	switch (rule->action) {
	case FAKE_REPLY:
		strbuf_reset(text);
		add_reply(engine, rule->status, rule->body ? rule->body : "", text);
		return !fake_send(fd, text->data, text->length, false);
	case FAKE_FREEZE:
		pthread_mutex_lock(&engine->mutex);
		while (!engine->stopping)
			pthread_cond_wait(&engine->changed, &engine->mutex);
		pthread_mutex_unlock(&engine->mutex);
		return true;
	case FAKE_FLOOD_HEAD:
		flood(fd, "HTTP/1.1 200 OK\r\n", "X-More: and more and more and more and more\r\n");
		return true;
	case FAKE_FLOOD_BODY:
		flood(fd, "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n\r\n[", "\"0123456789abcdef\",");
		return true;
	default:
		return true; /* FAKE_DROP */
	}
}

static void wait_for_end(struct fake_engine *engine, struct fake_container *container,
                         const struct fake_rule *rule, int fd)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	char body[128], text[512];
	int code, length;

	/* Podman says nothing before the end. */
	if (!engine->task->podman && !fake_send(fd, head, strlen(head), false))
		return;
	if (rule && rule->action == FAKE_DROP_AFTER)
		fake_wait_start(engine, container);
	else if (!fake_wait(engine, container, &code))
		return;
	if (rule && rule->action == FAKE_DROP_AFTER)
		return;
	if (engine->task->podman) {
		length = snprintf(text, sizeof(text),
		                  "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%d\n",
		                  snprintf(body, sizeof(body), "%d\n", code), code);
	} else {
		snprintf(body, sizeof(body), "{\"Error\":null,\"StatusCode\":%d}\n", code);
		if (rule && rule->action == FAKE_REPLY_AFTER)
			snprintf(body, sizeof(body), "%s", rule->body);
		length = snprintf(text, sizeof(text), "%zx\r\n%s\r\n0\r\n\r\n", strlen(body), body);
	}
	if (rule && rule->action == FAKE_CUT && rule->number < (size_t)length)
		length = (int)rule->number;
	fake_send(fd, text, (size_t)length, rule && rule->action == FAKE_BYTEWISE);
}

/* Attach, wait and logs live as long as the task. False: it is none of these. */
static bool serve_long(struct fake_engine *engine, const struct fake_request *request,
                       const struct fake_rule *rule, int fd)
{
	struct fake_container *container;
	int code;

	pthread_mutex_lock(&engine->mutex);
	container = fake_find(engine, request->path);
	pthread_mutex_unlock(&engine->mutex);
	if (!container)
		return false;
	if (strstr(request->path, "/attach?")) {
		if (fake_send(fd, upgraded, strlen(upgraded),
		              rule && rule->action == FAKE_BYTEWISE))
			fake_play(engine, container, fd);
	} else if (strstr(request->path, "/wait?")) {
		wait_for_end(engine, container, rule, fd);
	} else if (strstr(request->path, "/logs?")) {
		fake_send(fd, "HTTP/1.0 200 OK\r\n\r\n", 19, false);
		fake_send(fd, engine->task->stream, engine->task->stream_length, false);
		fake_wait(engine, container, &code);
	} else {
		return false;
	}
	return true;
}

/* Returns true when the connection can serve another request. */
static bool serve(struct fake_engine *engine, struct fake_connection *connection)
{
	const struct fake_request *request = &connection->request;
	const struct fake_rule *rule = note(engine, request);
	struct fake_reply *reply = &connection->reply;
	struct strbuf *text = &connection->text;
	bool bytewise = rule && rule->action == FAKE_BYTEWISE;
	bool whole = true;
	int fd = connection->fd;

	if (rule && rule->action != FAKE_REPLY_AFTER && rule->action != FAKE_DROP_AFTER &&
	    rule->action != FAKE_CUT && !bytewise)
		return !misbehave(engine, rule, connection);
	if (serve_long(engine, request, rule, fd))
		return false;
	strbuf_reset(text);
	strbuf_reset(&reply->body);
	fake_act(engine, request, reply);
	if (rule && rule->action == FAKE_REPLY_AFTER)
		add_reply(engine, rule->status, rule->body ? rule->body : "", text);
	else
		add_reply(engine, reply->status, strbuf_str(&reply->body), text);
	if (rule && rule->action == FAKE_DROP_AFTER)
		return false;
	if (rule && rule->action == FAKE_CUT && rule->number < text->length) {
		text->length = rule->number;
		whole = false;
	}
	return fake_send(fd, strbuf_str(text), text->length, bytewise) && whole;
}

static void *run_connection(void *context)
{
	struct fake_connection *connection = context;
	struct fake_engine *engine = connection->engine;
	int fd = connection->fd;

	while (read_request(fd, &connection->early, &connection->request) &&
	       serve(engine, connection))
		;
	pthread_mutex_lock(&engine->mutex);
	close(fd);
	connection->fd = -1;
	pthread_mutex_unlock(&engine->mutex);
	return NULL;
}

static void *run_acceptor(void *context)
{
	struct fake_engine *engine = context;

	for (;;) {
		int fd = accept4(engine->listener, NULL, NULL, SOCK_CLOEXEC);
		struct fake_connection *connection;

		if (fd < 0)
			return NULL;
		pthread_mutex_lock(&engine->mutex);
		if (engine->stopping || engine->connection_count == FAKE_MAX_CONNECTIONS) {
			pthread_mutex_unlock(&engine->mutex);
			close(fd);
			continue;
		}
		connection = &engine->connections[engine->connection_count++];
		*connection = (struct fake_connection){.engine = engine, .fd = fd};
		if (pthread_create(&connection->thread, NULL, run_connection, connection) != 0)
			abort();
		pthread_mutex_unlock(&engine->mutex);
	}
}

static char *read_fixture(const char *path)
{
	struct strbuf text = STRBUF_INIT;
	FILE *file = fopen(path, "rb");
	char bytes[4096];

	if (!file)
		abort();
	for (size_t got; (got = fread(bytes, 1, sizeof(bytes), file)) > 0;)
		strbuf_add(&text, bytes, got);
	fclose(file);
	return strbuf_take(&text);
}

static void listen_at(struct fake_engine *engine)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char url[128];

	snprintf(engine->folder, sizeof(engine->folder), "/tmp/oneoff-fake-XXXXXX");
	if (!mkdtemp(engine->folder))
		abort();
	snprintf(engine->path, sizeof(engine->path), "%s/docker.sock", engine->folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", engine->path);
	engine->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(engine->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(engine->listener, 64) < 0)
		abort();
	snprintf(url, sizeof(url), "unix://%s", engine->path);
	setenv("DOCKER_HOST", url, 1);
	setenv("CONTAINER_HOST", url, 1);
	setenv("DOCKER_CONFIG", engine->folder, 1);
	unsetenv("DOCKER_CONTEXT");
	unsetenv("DOCKER_API_VERSION");
	unsetenv("COMPOSE_PROJECT_NAME");
}

struct fake_engine *fake_engine_start(const struct fake_task *task, const struct fake_rule *rules,
                                      size_t rule_count)
{
	struct fake_engine *engine = calloc(1, sizeof(*engine));
	pthread_condattr_t monotonic;
	sigset_t all, before;

	if (!engine || rule_count > FAKE_MAX_RULES)
		abort();
	engine->task = task;
	if (rule_count)
		memcpy(engine->rules, rules, rule_count * sizeof(*rules));
	engine->rule_count = rule_count;
	engine->source = read_fixture("tests/fixtures/docker/inspect-plain.d20.json");
	engine->image = read_fixture("tests/fixtures/docker/image-web.d20.json");
	pthread_mutex_init(&engine->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&engine->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	listen_at(engine);
	/* The test's signals are for its own thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (pthread_create(&engine->acceptor, NULL, run_acceptor, engine) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return engine;
}

void fake_engine_stop(struct fake_engine *engine)
{
	pthread_mutex_lock(&engine->mutex);
	engine->stopping = true;
	pthread_cond_broadcast(&engine->changed);
	for (size_t i = 0; i < engine->connection_count; i++)
		if (engine->connections[i].fd >= 0)
			shutdown(engine->connections[i].fd, SHUT_RDWR);
	pthread_mutex_unlock(&engine->mutex);
	shutdown(engine->listener, SHUT_RDWR);
	pthread_join(engine->acceptor, NULL);
	for (size_t i = 0; i < engine->connection_count; i++) {
		pthread_join(engine->connections[i].thread, NULL);
		strbuf_release(&engine->connections[i].early);
		strbuf_release(&engine->connections[i].text);
		strbuf_release(&engine->connections[i].request.body);
		strbuf_release(&engine->connections[i].reply.body);
	}
	close(engine->listener);
	unlink(engine->path);
	rmdir(engine->folder);
	for (size_t i = 0; i < engine->container_count; i++) {
		free(engine->containers[i].name);
		free(engine->containers[i].config);
		free(engine->containers[i].state_json);
	}
	for (size_t i = 0; i < engine->log_count; i++)
		free(engine->log[i]);
	free(engine->create_body);
	free(engine->source);
	free(engine->image);
	pthread_mutex_destroy(&engine->mutex);
	pthread_cond_destroy(&engine->changed);
	free(engine);
}
