/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor that `oneoff run` is measured against: the same calls to the same engine, with sockets
 * and nothing else. It knows neither errors nor terminals; what surprises it ends it.
 *
 *	raw_api run   [-i] [-p] SOCKET PLAN	create, attach, wait, start, drain; prints
 * milliseconds raw_api drain [-i] [-p] SOCKET PLAN	the same; prints bytes and MiB/s of the
 * streams
 *
 * PLAN is a file with the output of `oneoff plan --show-secrets -o json`: its "document" is sent as
 * it is, so that both make the same container. -i sends our stdin, else its end is told at once. -p
 * talks to Podman: the libpod wait, and a DELETE that confirms. Exits with the task's code.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define API        "/v1.41"
#define REPLY_SIZE 65536
#define PIECE      262144 /* larger ones were not faster */

struct reply {
	char text[REPLY_SIZE]; /* head and body, chunks and all; ended by NUL */
	size_t length;
	size_t head; /* length of the head with its empty line; 0: not there yet */
	int status;
};

struct times {
	double create, attach, wait, start, run, exit;
};

struct call {
	const char *socket_path;
	const char *document;
	bool podman, send_stdin;
	char id[80];
	int control, stream, waiter; /* connections */
	uint64_t received, sent;
	double stream_seconds;
	struct times at;
};

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "raw_api: ");
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "\n");
	va_end(arguments);
	exit(125);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		fail("%s: too long", path);
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

static void send_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t sent = write(fd, data, length);

		if (sent < 0)
			fail("write: %s", strerror(errno));
		data += sent;
		length -= (size_t)sent;
	}
}

static void ask(int fd, const char *body, const char *extra, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Sends one request; `format` makes "METHOD PATH". */
static void ask(int fd, const char *body, const char *extra, const char *format, ...)
{
	char line[1024], head[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	int length = snprintf(head, sizeof(head),
	                      "%s HTTP/1.1\r\nHost: engine\r\n%sContent-Type: application/json\r\n"
	                      "Content-Length: %zu\r\n\r\n",
	                      line, extra, body ? strlen(body) : 0);
	send_all(fd, head, (size_t)length);
	if (body)
		send_all(fd, body, strlen(body));
}

static void read_more(int fd, struct reply *reply)
{
	size_t space = sizeof(reply->text) - 1 - reply->length;
	ssize_t got = space > 0 ? read(fd, reply->text + reply->length, space) : -1;

	if (got <= 0)
		fail("the answer was cut: %.200s", reply->text);
	reply->length += (size_t)got;
	reply->text[reply->length] = '\0';
}

static void read_head(int fd, struct reply *reply)
{
	char *end;

	reply->length = 0;
	reply->text[0] = '\0';
	while (!(end = strstr(reply->text, "\r\n\r\n")))
		read_more(fd, reply);
	reply->head = (size_t)(end - reply->text) + 4;
	if (sscanf(reply->text, "HTTP/1.%*d %d", &reply->status) != 1)
		fail("no HTTP: %.200s", reply->text);
}

/* The body by its length or to its last chunk. */
static void read_body(int fd, struct reply *reply)
{
	const char *header = strcasestr(reply->text, "\r\ncontent-length:");
	size_t length = 0;

	if (reply->status == 204)
		return;
	if (header && header < reply->text + reply->head) {
		length = strtoul(header + strlen("\r\ncontent-length:"), NULL, 10);
		while (reply->length < reply->head + length)
			read_more(fd, reply);
		return;
	}
	while (reply->length < reply->head + 5 ||
	       strcmp(reply->text + reply->length - 5, "0\r\n\r\n") != 0)
		read_more(fd, reply);
}

static void expect(const struct reply *reply, int status, const char *what)
{
	if (reply->status != status)
		fail("%s: %.400s", what, reply->text);
}

static void create(struct call *call, struct reply *reply)
{
	const char *id;

	ask(call->control, call->document, "", "POST " API "/containers/create");
	read_head(call->control, reply);
	read_body(call->control, reply);
	expect(reply, 201, "create");
	id = strstr(reply->text, "\"Id\":\"");
	if (!id || sscanf(id, "\"Id\":\"%79[0-9a-f]", call->id) != 1)
		fail("create: no id: %.400s", reply->text);
}

static void attach(struct call *call, struct reply *reply)
{
	ask(call->stream, NULL, "Connection: Upgrade\r\nUpgrade: tcp\r\n",
	    "POST " API "/containers/%s/attach?stream=1&stdin=1&stdout=1&stderr=1", call->id);
	read_head(call->stream, reply);
	if (reply->status != 200)
		expect(reply, 101, "attach");
	call->received += reply->length - reply->head;
}

static void arm(struct call *call, struct reply *reply)
{
	const char *condition =
		strstr(call->document, "\"AutoRemove\":true") ? "removed" : "next-exit";

	if (call->podman) {
		ask(call->waiter, NULL, "",
		    "POST /v4.0.0/libpod/containers/%s/wait?condition=exited&condition=stopped&interval=5ms",
		    call->id);
		return;
	}
	ask(call->waiter, NULL, "", "POST " API "/containers/%s/wait?condition=%s", call->id,
	    condition);
	read_head(call->waiter, reply);
	expect(reply, 200, "wait");
}

static void start(struct call *call, struct reply *reply)
{
	ask(call->control, NULL, "", "POST " API "/containers/%s/start", call->id);
	read_head(call->control, reply);
	read_body(call->control, reply);
	expect(reply, 204, "start");
}

/* Reads our stdin into `buffer` and hands it on; false at its end. The socket does not block. */
static bool feed(struct call *call, char *buffer, size_t *fill, size_t *done)
{
	if (*done == *fill) {
		ssize_t got = read(STDIN_FILENO, buffer, PIECE);

		if (got <= 0)
			return false;
		*fill = (size_t)got;
		*done = 0;
	}

	ssize_t sent = write(call->stream, buffer + *done, *fill - *done);
	if (sent < 0 && errno != EAGAIN)
		return false;
	if (sent > 0) {
		*done += (size_t)sent;
		call->sent += (size_t)sent;
	}
	return true;
}

/* Until the end of the stream; what comes is counted and thrown away. */
static void drain(struct call *call)
{
	static char in[PIECE], out[PIECE];
	size_t fill = 0, done = 0;
	double began = now_ms();
	bool feeding = call->send_stdin;

	fcntl(call->stream, F_SETFL, O_NONBLOCK);
	if (!feeding)
		shutdown(call->stream, SHUT_WR);
	for (;;) {
		struct pollfd ready = {.fd = call->stream,
		                       .events = (short)(POLLIN | (feeding ? POLLOUT : 0))};

		if (poll(&ready, 1, -1) < 0)
			fail("poll: %s", strerror(errno));
		if (ready.revents & (POLLIN | POLLHUP | POLLERR)) {
			ssize_t got = read(call->stream, in, sizeof(in));

			if (got == 0 || (got < 0 && errno != EAGAIN))
				break;
			if (got > 0)
				call->received += (size_t)got;
		}
		if ((ready.revents & POLLOUT) && feeding && !feed(call, out, &fill, &done)) {
			feeding = false;
			shutdown(call->stream, SHUT_WR);
		}
	}
	call->stream_seconds = (now_ms() - began) / 1e3;
}

static int verdict(struct call *call, struct reply *reply)
{
	const char *body, *code;

	if (call->podman)
		read_head(call->waiter, reply);
	read_body(call->waiter, reply);
	expect(reply, 200, "wait");
	body = reply->text + reply->head;
	code = strstr(body, "\"StatusCode\":");
	if (code)
		return (int)strtol(code + strlen("\"StatusCode\":"), NULL, 10);
	/* libpod says the number alone, perhaps as a chunk behind its length */
	code = strstr(body, "\r\n");
	return (int)strtol(code && code[2] != '\0' && strstr(reply->text, "chunked") ? code + 2
	                                                                             : body,
	                   NULL, 10);
}

/* Gone is what counts: where the engine's own clean-up is at it already, ask until there is a 404.
 */
static void remove_container(struct call *call, struct reply *reply)
{
	double limit = now_ms() + 10000;

	ask(call->control, NULL, "", "DELETE " API "/containers/%s?force=1&v=1", call->id);
	read_head(call->control, reply);
	read_body(call->control, reply);
	while (reply->status != 204 && reply->status != 404) {
		if (now_ms() > limit)
			fail("delete: %.400s", reply->text);
		poll(NULL, 0, 5);
		ask(call->control, NULL, "", "GET " API "/containers/%s/json", call->id);
		read_head(call->control, reply);
		read_body(call->control, reply);
	}
}

static int run(struct call *call)
{
	static struct reply reply, waited; /* the answer to the wait comes in two parts */
	double now = now_ms(), last = now;
	int code;

	call->control = connect_to(call->socket_path);
	create(call, &reply);
	call->at.create = (now = now_ms()) - last, last = now;
	call->stream = connect_to(call->socket_path);
	attach(call, &reply);
	call->at.attach = (now = now_ms()) - last, last = now;
	call->waiter = connect_to(call->socket_path);
	arm(call, &waited);
	call->at.wait = (now = now_ms()) - last, last = now;
	start(call, &reply);
	call->at.start = (now = now_ms()) - last, last = now;
	drain(call);
	call->at.run = (now = now_ms()) - last, last = now;
	code = verdict(call, &waited);
	if (call->podman || !strstr(call->document, "\"AutoRemove\":true"))
		remove_container(call, &reply);
	call->at.exit = now_ms() - last;
	return code;
}

/* The object behind `"document":`, cut out of the plan; blanks outside strings go, so that it can
 * be searched. */
static char *read_document(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t size = 0, length = 0;
	char *text = NULL, *from;
	bool quoted = false;
	int depth = 0;

	if (!file || getdelim(&text, &size, '\0', file) < 0)
		fail("%s: %s", path, strerror(errno));
	fclose(file);
	from = strstr(text, "\"document\":");
	if (!from)
		fail("%s: no \"document\"", path);
	for (from = strchr(from, ':') + 1; *from != '\0'; from++) {
		if (!quoted && strchr(" \t\r\n", *from))
			continue;
		text[length++] = *from;
		if (quoted && *from == '\\')
			text[length++] = *++from;
		else if (*from == '"')
			quoted = !quoted;
		else if (!quoted && (*from == '{' || *from == '['))
			depth++;
		else if (!quoted && (*from == '}' || *from == ']') && --depth == 0)
			break;
	}
	if (depth != 0 || length == 0)
		fail("%s: the document has no end", path);
	text[length] = '\0';
	return text;
}

int main(int argc, char **argv)
{
	struct call call = {.send_stdin = false};
	int option, code;

	if (argc < 2)
		fail("usage: raw_api run|drain [-i] [-p] SOCKET PLAN");
	const char *mode = argv[1];
	argc--, argv++;
	while ((option = getopt(argc, argv, "ip")) != -1) {
		if (option == '?')
			fail("usage: raw_api run|drain [-i] [-p] SOCKET PLAN");
		call.send_stdin |= option == 'i';
		call.podman |= option == 'p';
	}
	if (argc - optind != 2)
		fail("usage: raw_api run|drain [-i] [-p] SOCKET PLAN");
	call.socket_path = argv[optind];
	call.document = read_document(argv[optind + 1]);
	signal(SIGPIPE, SIG_IGN);
	code = run(&call);

	if (strcmp(mode, "drain") == 0)
		printf("in %llu out %llu bytes, %.1f MiB/s\n", (unsigned long long)call.sent,
		       (unsigned long long)call.received,
		       (double)(call.sent + call.received) / 1048576 / call.stream_seconds);
	else
		printf("create %.1f attach %.1f wait %.1f start %.1f run %.1f exit %.1f\n",
		       call.at.create, call.at.attach, call.at.wait, call.at.start, call.at.run,
		       call.at.exit);
	return code;
}
