/* SPDX-License-Identifier: Apache-2.0 */
#define CURL_DISABLE_TYPECHECK
#include "pkg/net/http_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "pkg/base/clock.h"

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define MAX_HEAD ((size_t)64 << 10)

struct http_request {
	struct http_client *client;
	struct http_request *next;
	CURL *easy;
	struct curl_slist *headers;
	struct http_reply reply;
	char failure[CURL_ERROR_SIZE];
	CURLcode result;
	size_t window;
	bool is_full; /* curl holds it back */
	bool has_head;
	bool done;
};

void http_reply_release(struct http_reply *reply)
{
	strbuf_release(&reply->head);
	strbuf_release(&reply->body);
	reply->status = 0;
}

/* Takes from libcurl what has ended. */
static void collect(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = client->curl.curl_multi_info_read(client->multi, &left))) {
		struct http_request *request;

		if (message->msg != CURLMSG_DONE)
			continue;
		for (request = client->first; request; request = request->next)
			if (request->easy == message->easy_handle)
				break;
		if (request) {
			request->result = message->data.result;
			request->done = true;
		}
	}
}

/* loop_driver.wait: the extra descriptors ride along in curl_multi_poll. It reports hang-up as
 * readable and has no bit for errors, so an ended descriptor shows as ready and the read tells. */
static int drive(void *context, struct loop_item *items, size_t count, int timeout_ms,
                 struct err *err)
{
	struct http_client *client = context;
	struct curl_waitfd waited[LOOP_MAX_ITEMS];
	size_t index[LOOP_MAX_ITEMS];
	unsigned used = 0;
	CURLMcode code;
	int running;

	if (!client->first)
		return loop_poll(items, count, timeout_ms, err);
	if (count > LOOP_MAX_ITEMS)
		return err_set(err, ERR_INTERNAL, "too many descriptors to wait for");
	for (size_t i = 0; i < count; i++) {
		items[i].ready = 0;
		if (items[i].fd < 0 || !items[i].want)
			continue;
		waited[used] = (struct curl_waitfd){.fd = items[i].fd};
		waited[used].events = (short)((items[i].want & LOOP_READ ? CURL_WAIT_POLLIN : 0) |
		                              (items[i].want & LOOP_WRITE ? CURL_WAIT_POLLOUT : 0));
		index[used++] = i;
	}
	code = client->curl.curl_multi_poll(client->multi, waited, used,
	                                    timeout_ms < 0 ? 60000 : timeout_ms, NULL);
	if (code == CURLM_OK)
		code = client->curl.curl_multi_perform(client->multi, &running);
	if (code != CURLM_OK)
		return err_set(err, ERR_SYSTEM, "waiting: %s",
		               client->curl.curl_multi_strerror(code));
	for (unsigned i = 0; i < used; i++) {
		if (waited[i].revents & CURL_WAIT_POLLIN)
			items[index[i]].ready |= LOOP_READ;
		if (waited[i].revents & CURL_WAIT_POLLOUT)
			items[index[i]].ready |= LOOP_WRITE;
	}
	collect(client);
	return 0;
}

int http_client_open(const struct http_target *target, struct loop *loop, struct http_client **ret,
                     struct err *err)
{
	struct http_client *client = calloc(1, sizeof(*client));

	if (!client)
		return err_no_memory(err);
	if (curl_library_load(&client->curl, err) < 0) {
		free(client);
		return -1;
	}
	client->target = *target;
	client->multi = client->curl.curl_multi_init();
	if (!client->multi) {
		free(client);
		return err_no_memory(err);
	}
	if (target->max_connections)
		client->curl.curl_multi_setopt(client->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
		                               target->max_connections);
	client->loop = loop;
	loop->driver = (struct loop_driver){drive, client};
	*ret = client;
	return 0;
}

void http_client_close(struct http_client *client)
{
	if (!client)
		return;
	while (client->first)
		http_cancel(client->first);
	client->curl.curl_multi_cleanup(client->multi);
	client->curl.curl_slist_free_all(client->connect_to);
	if (client->loop->driver.context == client)
		client->loop->driver = (struct loop_driver){NULL, NULL};
	free(client);
}

const struct curl_library *http_client_library(const struct http_client *client)
{
	return &client->curl;
}

const struct http_target *http_client_target(const struct http_client *client)
{
	return &client->target;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_request *request = context;
	size_t length = size * count;

	/* A new status line (after a 100) begins a new head. */
	if (length > 5 && !memcmp(bytes, "HTTP/", 5))
		strbuf_reset(&request->reply.head);
	if (request->reply.head.length + length > MAX_HEAD)
		return 0;
	strbuf_add(&request->reply.head, bytes, length);
	if (length <= 2) {
		long status = 0;

		request->client->curl.curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE,
		                                        &status);
		request->has_head = status >= 200;
	}
	return request->reply.head.failed ? 0 : length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_request *request = context;

	if (request->window && request->reply.body.length >= request->window) {
		request->is_full = true;
		return CURL_WRITEFUNC_PAUSE; /* it comes again */
	}
	strbuf_add(&request->reply.body, bytes, size * count);
	return request->reply.body.failed ? 0 : size * count;
}

static int add_header(struct http_request *request, const char *line, struct err *err)
{
	struct curl_slist *grown;

	grown = request->client->curl.curl_slist_append(request->headers, line);
	if (!grown)
		return err_no_memory(err);
	request->headers = grown;
	return 0;
}

static int add_content_type(struct http_request *request, const struct http_message *message,
                            struct err *err)
{
	char line[128];

	snprintf(line, sizeof(line), "Content-Type: %s",
	         message->type ? message->type : "application/json");
	return add_header(request, line, err);
}

static int set_up(struct http_request *request, const struct http_message *message, struct err *err)
{
	const struct curl_library *curl = &request->client->curl;
	const struct strv *headers = request->client->target.headers;
	CURL *easy = request->easy;

	for (size_t i = 0; headers && i < headers->count; i++)
		if (add_header(request, headers->items[i], err) < 0)
			return -1;
	if (add_header(request, "Expect:", err) < 0 ||
	    (message->header && add_header(request, message->header, err) < 0))
		return -1;
	if (!strcmp(message->method, "HEAD")) {
		curl->curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	} else if (message->body || !strcmp(message->method, "POST")) {
		const char *body = message->body ? message->body : "";

		if (message->body && add_content_type(request, message, err) < 0)
			return -1;
		curl->curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl->curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		curl->curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
	}
	if (strcmp(message->method, "HEAD") && strcmp(message->method, "GET"))
		curl->curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, message->method);
	curl->curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	/* libcurl repeats a request whose kept connection closed without an answer, POST included.
	 */
	curl->curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, message->once ? 1L : 0L);
	curl->curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)message->timeout_ms);
	curl->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->failure);
	curl->curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl->curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	curl->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl->curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	return 0;
}

int http_start(struct http_client *client, const struct http_message *message,
               struct http_request **ret, struct err *err)
{
	struct http_request *request = calloc(1, sizeof(*request));
	int running;

	if (!request)
		return err_no_memory(err);
	request->client = client;
	request->next = client->first;
	client->first = request;
	request->reply.head.cap = MAX_HEAD + 1;
	request->window = message->window;
	request->reply.body.cap = message->max_bytes ? message->max_bytes : HTTP_MAX_BODY;
	request->easy = http_client_handle(client, message->path, err);
	if (!request->easy || set_up(request, message, err) < 0) {
		http_cancel(request);
		return -1;
	}
	if (client->curl.curl_multi_add_handle(client->multi, request->easy) != CURLM_OK ||
	    client->curl.curl_multi_perform(client->multi, &running) != CURLM_OK) {
		http_cancel(request);
		return err_set(err, ERR_INTERNAL, "libcurl refused the request");
	}
	collect(client);
	*ret = request;
	return 0;
}

bool http_has_head(const struct http_request *request)
{
	return request->has_head;
}

void http_take(struct http_request *request, struct strbuf *ret)
{
	strbuf_add(ret, strbuf_str(&request->reply.body), request->reply.body.length);
	strbuf_reset(&request->reply.body);
	if (!request->is_full || request->done)
		return;
	request->is_full = false;
	/* Hands over at once what was held back. */
	request->result = request->client->curl.curl_easy_pause(request->easy, CURLPAUSE_CONT);
	request->done = request->result != CURLE_OK;
}

bool http_is_full(const struct http_request *request)
{
	return request->is_full;
}

long http_status(const struct http_request *request)
{
	long status = 0;

	request->client->curl.curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

bool http_is_done(const struct http_request *request)
{
	return request->done;
}

void http_cancel(struct http_request *request)
{
	struct http_client *client;
	struct http_request **link;

	if (!request)
		return;
	client = request->client;
	for (link = &client->first; *link; link = &(*link)->next)
		if (*link == request) {
			*link = request->next;
			break;
		}
	if (request->easy) {
		client->curl.curl_multi_remove_handle(client->multi, request->easy);
		client->curl.curl_easy_cleanup(request->easy);
	}
	client->curl.curl_slist_free_all(request->headers);
	http_reply_release(&request->reply);
	free(request);
}

static enum err_kind kind_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return ERR_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_START_TIMEOUT;
	case CURLE_OUT_OF_MEMORY:
		return ERR_NO_MEMORY;
	default:
		return ERR_LOST;
	}
}

int http_finish(struct http_request *request, struct http_reply *ret, struct err *err)
{
	const struct http_client *client = request->client;
	const char *words = request->failure;
	int result = 0;

	client->curl.curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE,
	                               &request->reply.status);
	if (request->result != CURLE_OK) {
		if (!*words)
			words = client->curl.curl_easy_strerror(request->result);
		if (request->reply.body.failed)
			result = err_set(err, ERR_NO_MEMORY,
			                 "%s: the reply is larger than it may be",
			                 client->target.name);
		else
			result = err_set(err, kind_of(request->result), "%s: %s",
			                 client->target.name, words);
	} else if (!request->has_head) {
		/* libcurl is content with a head that ends with the connection. */
		result =
			err_set(err, ERR_LOST, "%s: the reply's head was cut", client->target.name);
	} else {
		http_reply_release(ret);
		*ret = request->reply;
		request->reply = (struct http_reply)HTTP_REPLY_INIT;
	}
	http_cancel(request);
	return result;
}

int http_wait_head(struct http_request *request, int64_t timeout_ms, struct err *err)
{
	struct http_client *client = request->client;
	int64_t limit = clock_monotonic_ms() + timeout_ms;

	while (!request->has_head && !request->done) {
		int64_t left = limit - clock_monotonic_ms();

		if (left <= 0)
			return err_set(err, ERR_START_TIMEOUT, "%s does not answer",
			               client->target.name);
		if (loop_wait_answer(client->loop, (int)left, err) < 0)
			return -1;
	}
	return 0;
}

int http_call(struct http_client *client, const struct http_message *message,
              struct http_reply *ret, struct err *err)
{
	struct http_request *request;

	if (http_start(client, message, &request, err) < 0)
		return -1;
	while (!request->done) {
		if (loop_wait_answer(client->loop, 1000, err) < 0) {
			http_cancel(request);
			return -1;
		}
	}
	return http_finish(request, ret, err);
}

bool http_header(const struct http_reply *reply, const char *name, char *value, size_t size)
{
	const char *line = strbuf_str(&reply->head);
	size_t length = strlen(name);

	while (line && *line) {
		if (!strncasecmp(line, name, length) && line[length] == ':') {
			const char *start = line + length + 1;
			size_t used;

			start += strspn(start, " \t");
			used = strcspn(start, "\r\n");
			if (used >= size)
				used = size - 1;
			memcpy(value, start, used);
			value[used] = '\0';
			return true;
		}
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return false;
}
