/* SPDX-License-Identifier: Apache-2.0 */
#define CURL_DISABLE_TYPECHECK
#include "pkg/net/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "pkg/base/clock.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo

#define MAX_HEAD       ((size_t)64 << 10)
#define MAX_ERROR_BODY ((size_t)64 << 10)

struct upgrade {
	const struct curl_library *curl;
	CURL *easy;
	int fd;
	bool tls, is_unix;
	bool adopted;        /* fd is ours, not libcurl's */
	struct strbuf early; /* stream bytes that came with the head */
	char error[256];
};

static enum io_result failed(struct upgrade *upgrade, const char *words)
{
	snprintf(upgrade->error, sizeof(upgrade->error), "%s", words);
	return IO_ERROR;
}

/* A reset on a unix socket means that the peer closed while input of ours lay unread, as Podman
 * does when the task ends; all its data comes first (unix(7)). On TCP it may have cost data. */
static enum io_result raw_read(struct upgrade *upgrade, void *bytes, size_t size,
                               size_t *ret_length)
{
	ssize_t got;

	do
		got = recv(upgrade->fd, bytes, size, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		*ret_length = (size_t)got;
		return IO_OK;
	}
	if (got == 0)
		return IO_EOF;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return IO_AGAIN;
	if (errno == ECONNRESET && upgrade->is_unix)
		return IO_EOF;
	return failed(upgrade, strerror(errno));
}

enum io_result upgrade_read(struct upgrade *upgrade, void *bytes, size_t size, size_t *ret_length)
{
	size_t got = 0;
	CURLcode code;

	if (upgrade->early.length) {
		got = upgrade->early.length < size ? upgrade->early.length : size;
		memcpy(bytes, upgrade->early.data, got);
		strbuf_consume(&upgrade->early, got);
		*ret_length = got;
		return IO_OK;
	}
	if (!upgrade->tls)
		return raw_read(upgrade, bytes, size, ret_length);
	code = upgrade->curl->curl_easy_recv(upgrade->easy, bytes, size, &got);
	if (code == CURLE_AGAIN)
		return IO_AGAIN;
	if (code != CURLE_OK)
		return failed(upgrade, upgrade->curl->curl_easy_strerror(code));
	if (got == 0)
		return IO_EOF;
	*ret_length = got;
	return IO_OK;
}

enum io_result upgrade_write(struct upgrade *upgrade, const void *bytes, size_t length,
                             size_t *ret_written)
{
	size_t sent = 0;
	ssize_t written;
	CURLcode code;

	if (upgrade->tls) {
		code = upgrade->curl->curl_easy_send(upgrade->easy, bytes, length, &sent);
		if (code == CURLE_AGAIN)
			return IO_AGAIN;
		if (code != CURLE_OK)
			return IO_EOF;
		*ret_written = sent;
		return IO_OK;
	}
	do
		written = send(upgrade->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (written < 0 && errno == EINTR);
	if (written >= 0) {
		*ret_written = (size_t)written;
		return IO_OK;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return IO_AGAIN;
	/* The task takes no more input; what it still says is for the reader to find out. */
	return IO_EOF;
}

enum io_result upgrade_half_close(struct upgrade *upgrade)
{
	if (shutdown(upgrade->fd, SHUT_WR) < 0 && errno != ENOTCONN)
		return failed(upgrade, strerror(errno));
	return IO_OK;
}

int upgrade_fd(const struct upgrade *upgrade)
{
	return upgrade->fd;
}

const char *upgrade_error(const struct upgrade *upgrade)
{
	return upgrade->error;
}

void upgrade_close(struct upgrade *upgrade)
{
	if (!upgrade)
		return;
	if (upgrade->easy)
		upgrade->curl->curl_easy_cleanup(upgrade->easy);
	if (upgrade->adopted)
		close(upgrade->fd);
	strbuf_release(&upgrade->early);
	free(upgrade);
}

/* Waits until the stream can be read or written, within the limit. */
static int wait_ready(struct upgrade *upgrade, short events, int64_t limit, struct err *err)
{
	struct pollfd polled = {.fd = upgrade->fd, .events = events};
	int64_t left = limit - clock_monotonic_ms();
	int got = left > 0 ? poll(&polled, 1, (int)left) : 0;

	if (got < 0 && errno != EINTR)
		return err_errno(err, "poll");
	if (got == 0)
		return err_set(err, ERR_START_TIMEOUT, "no answer to the attach request");
	return 0;
}

/* What is asked for: Docker's hijack, a raw body, or what the headers say. */
struct asking {
	const char *method, *version; /* "POST", "HTTP/1.1" */
	const char *lines;            /* further header lines, each with its CR LF */
	bool only_101;
};

static void add_head(const struct http_target *target, const char *path,
                     const struct asking *asking, struct strbuf *head)
{
	const char *host = strstr(target->base_url, "://");
	const char *prefix = host ? strchr(host + 3, '/') : NULL;
	int length = host ? (int)strcspn(host + 3, "/") : 0;

	strbuf_addf(head, "%s %s%s %s\r\n", asking->method, prefix ? prefix : "", path,
	            asking->version);
	strbuf_addf(head, "Host: %.*s\r\nUser-Agent: oneoff\r\n", host ? length : 9,
	            host ? host + 3 : "localhost");
	for (size_t i = 0; target->headers && i < target->headers->count; i++)
		strbuf_addf(head, "%s\r\n", target->headers->items[i]);
	strbuf_addf(head, "%s\r\n", asking->lines);
}

static int send_head(struct http_client *client, struct upgrade *upgrade, const char *path,
                     const struct asking *asking, int64_t limit, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf head = STRBUF_INIT;

	add_head(http_client_target(client), path, asking, &head);
	if (head.failed)
		return err_no_memory(err);
	while (head.length) {
		size_t written = 0;

		switch (upgrade_write(upgrade, head.data, head.length, &written)) {
		case IO_OK:
			strbuf_consume(&head, written);
			break;
		case IO_AGAIN:
			if (wait_ready(upgrade, POLLOUT, limit, err) < 0)
				return -1;
			break;
		default:
			return err_set(err, ERR_LOST, "the connection closed before the request");
		}
	}
	return 0;
}

/* Reads until the blank line; what follows stays in upgrade->early. */
static int read_head(struct upgrade *upgrade, struct strbuf *head, int64_t limit, struct err *err)
{
	struct strbuf text = STRBUF_INIT_CAP(MAX_HEAD * 2);
	char bytes[4096];

	for (;;) {
		size_t got = 0;
		const char *end;

		switch (upgrade_read(upgrade, bytes, sizeof(bytes), &got)) {
		case IO_OK:
			break;
		case IO_AGAIN:
			if (wait_ready(upgrade, POLLIN, limit, err) < 0)
				goto fail;
			continue;
		default:
			err_set(err, ERR_LOST, "the connection closed before the answer");
			goto fail;
		}
		strbuf_add(&text, bytes, got);
		if (text.failed || (text.length > MAX_HEAD)) {
			err_set(err, ERR_PROTOCOL, "the answer's head is too large");
			goto fail;
		}
		end = memmem(text.data, text.length, "\r\n\r\n", 4);
		if (end) {
			size_t used = (size_t)(end - text.data) + 4;

			strbuf_add(head, text.data, used);
			strbuf_add(&upgrade->early, text.data + used, text.length - used);
			strbuf_release(&text);
			return head->failed || upgrade->early.failed ? err_no_memory(err) : 0;
		}
	}
fail:
	strbuf_release(&text);
	return -1;
}

/* The rest of a refusal: to the declared length, else until the server closes or falls silent. */
static void read_refusal(struct upgrade *upgrade, const struct strbuf *head, struct strbuf *body)
{
	const char *header = strcasestr(strbuf_str(head), "\r\ncontent-length:");
	size_t wanted = header ? strtoul(header + 17, NULL, 10) : MAX_ERROR_BODY;
	int64_t limit = clock_monotonic_ms() + 1000;
	size_t before = body->length;
	char bytes[4096];

	while (body->length - before < wanted && body->length - before < MAX_ERROR_BODY) {
		struct err ignored;
		size_t got = 0;
		enum io_result result = upgrade_read(upgrade, bytes, sizeof(bytes), &got);

		if (result == IO_OK)
			strbuf_add(body, bytes, got);
		else if (result != IO_AGAIN || wait_ready(upgrade, POLLIN, limit, &ignored) < 0)
			return;
	}
}

static int connect_only(struct http_client *client, struct upgrade *upgrade, const char *path,
                        struct err *err)
{
	const struct http_target *target = http_client_target(client);
	curl_socket_t fd = CURL_SOCKET_BAD;
	char words[CURL_ERROR_SIZE] = "";
	CURLcode code;

	upgrade->curl = http_client_library(client);
	upgrade->is_unix = target->socket_path != NULL;
	upgrade->tls = !strncmp(target->base_url, "https:", 6);
	upgrade->easy = http_client_handle(client, path, err);
	if (!upgrade->easy)
		return -1;
	upgrade->curl->curl_easy_setopt(upgrade->easy, CURLOPT_CONNECT_ONLY, 1L);
	upgrade->curl->curl_easy_setopt(upgrade->easy, CURLOPT_ERRORBUFFER, words);
	code = upgrade->curl->curl_easy_perform(upgrade->easy);
	upgrade->curl->curl_easy_setopt(upgrade->easy, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK)
		return err_set(err, ERR_UNREACHABLE, "%s: %s", target->name,
		               *words ? words : upgrade->curl->curl_easy_strerror(code));
	upgrade->curl->curl_easy_getinfo(upgrade->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD)
		return err_set(err, ERR_INTERNAL, "libcurl gave no socket");
	upgrade->fd = fd;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		return err_errno(err, "socket");
	return 0;
}

static int open_stream(struct http_client *client, const char *path, const struct asking *asking,
                       int64_t limit, struct upgrade **ret, struct strbuf *ret_head,
                       struct strbuf *ret_body, struct err *err)
{
	struct upgrade *upgrade = calloc(1, sizeof(*upgrade));
	int status = 0;

	if (!upgrade)
		return err_no_memory(err);
	upgrade->fd = -1;
	if (connect_only(client, upgrade, path, err) < 0 ||
	    send_head(client, upgrade, path, asking, limit, err) < 0 ||
	    read_head(upgrade, ret_head, limit, err) < 0)
		goto fail;
	if (sscanf(strbuf_str(ret_head), "HTTP/1.%*1[01] %3d", &status) != 1) {
		err_set(err, ERR_PROTOCOL, "the answer is not HTTP");
		goto fail;
	}
	if (status == 101 || (status == 200 && !asking->only_101)) {
		*ret = upgrade;
		return 0;
	}
	read_refusal(upgrade, ret_head, ret_body);
	err_set(err, status == 404 ? ERR_NOT_FOUND : ERR_REFUSED, "status %d", status);
	err->http_status = status;
fail:
	upgrade_close(upgrade);
	return -1;
}

int upgrade_adopt(int fd, struct upgrade **ret, struct err *err)
{
	struct upgrade *upgrade = calloc(1, sizeof(*upgrade));

	if (!upgrade)
		return err_no_memory(err);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0) {
		free(upgrade);
		return err_errno(err, "socket");
	}
	upgrade->fd = fd;
	upgrade->adopted = true;
	*ret = upgrade;
	return 0;
}

int upgrade_open(struct http_client *client, const char *path, int64_t timeout_ms,
                 struct upgrade **ret, struct strbuf *ret_body, struct err *err)
{
	const struct asking asking = {
		"POST", "HTTP/1.1", "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n",
		false};
	_cleanup_(strbuf_release) struct strbuf head = STRBUF_INIT;

	return open_stream(client, path, &asking, clock_monotonic_ms() + timeout_ms, ret, &head,
	                   ret_body, err);
}

int upgrade_open_body(struct http_client *client, const char *path, int64_t timeout_ms,
                      struct upgrade **ret, struct strbuf *ret_body, struct err *err)
{
	const struct asking asking = {"GET", "HTTP/1.0", "", false};
	_cleanup_(strbuf_release) struct strbuf head = STRBUF_INIT;

	return open_stream(client, path, &asking, clock_monotonic_ms() + timeout_ms, ret, &head,
	                   ret_body, err);
}

int upgrade_open_get(struct http_client *client, const char *path, const char *lines,
                     int64_t timeout_ms, struct upgrade **ret, struct strbuf *ret_head,
                     struct strbuf *ret_body, struct err *err)
{
	const struct asking asking = {"GET", "HTTP/1.1", lines, true};

	return open_stream(client, path, &asking, clock_monotonic_ms() + timeout_ms, ret, ret_head,
	                   ret_body, err);
}
