/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain HTTP/1.1 requests to one server over a unix socket, TCP or TLS, by libcurl. Requests run
 * side by side in one thread and move on while anybody waits in the loop:
 *
 *	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
 *	if (http_call(client, &(struct http_message){.method = "GET", .path = "/_ping"}, &reply,
 * err) < 0) return -1;
 *
 * or http_start … http_is_done … http_finish for one that stays open (a wait, a watch). Bounded:
 * heads 64 KiB, bodies max_bytes, time timeout_ms. Redirects are never followed, proxies never used
 * for unix sockets. A status ≥ 400 is a reply, not an error; ERR_UNREACHABLE, ERR_LOST and
 * ERR_START_TIMEOUT are about the transport.
 */
#ifndef ONEOFF_NET_HTTP_H
#define ONEOFF_NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/strbuf.h"
#include "pkg/base/strv.h"
#include "pkg/io/loop.h"
#include "pkg/net/curl_library.h"

#define HTTP_MAX_BODY ((size_t)32 << 20)

/* Where to connect; borrowed strings that outlive the client. */
struct http_target {
	const char *socket_path; /* unix socket, or NULL */
	const char *base_url; /* "http://localhost", "https://10.0.0.1:2376"; no slash at the end */
	bool tls_verify;
	const char *ca_file, *cert_file, *key_file; /* PEM, or NULL */
	const char *ca_data, *cert_data, *key_data; /* PEM text instead of files, or NULL */
	const char *
		tls_server_name; /* for SNI and the name check instead of the URL's host; or NULL */
	const char *proxy;       /* http, https or socks5 URL; "" : none; NULL: as the
	                                environment says */
	long max_connections; /* requests side by side; 0: no limit. Each connection costs a handshake */
	const struct strv *headers; /* "Name: value", sent with every request; or NULL */
	const char *name;           /* for messages: "unix:///var/run/docker.sock" */
};

struct http_message {
	const char *method;
	const char *path;   /* absolute path and query, already encoded */
	const char *body;   /* JSON text, or NULL */
	const char *type;   /* its Content-Type; NULL: application/json */
	const char *header; /* one more header line, or NULL */
	int64_t timeout_ms; /* whole request; 0: no limit (a wait) */
	size_t max_bytes;   /* of the reply's body; 0: HTTP_MAX_BODY */
	size_t window; /* of the body, not taken by http_take: beyond it the server has to wait; 0: none */
	bool once; /* never sent again by libcurl when a kept connection turns out dead */
};

struct http_reply {
	long status;
	struct strbuf head; /* raw header lines of the last reply */
	struct strbuf body;
};

#define HTTP_REPLY_INIT                                                                            \
	{                                                                                          \
		.status = 0                                                                        \
	}

struct http_client;
struct http_request;

/* Loads libcurl and prepares a client; connects to nothing. It becomes the loop's driver until
 * closed. */
int http_client_open(const struct http_target *target, struct loop *loop, struct http_client **ret,
                     struct err *err) _must_check_;
/* Cancels what is under way. NULL is fine. */
void http_client_close(struct http_client *client);

/* What upgraded connections share with the client. Borrowed. */
const struct curl_library *http_client_library(const struct http_client *client);
const struct http_target *http_client_target(const struct http_client *client);
/* A new easy handle that connects to the target as every request does; owned by the caller. */
CURL *http_client_handle(struct http_client *client, const char *path, struct err *err);

/* Begins a request. Owned by the caller until http_finish or http_cancel. */
int http_start(struct http_client *client, const struct http_message *message,
               struct http_request **ret, struct err *err) _must_check_;
/* True once the reply's head has arrived / the whole request ended, well or not. */
bool http_has_head(const struct http_request *request);
bool http_is_done(const struct http_request *request);
/* Moves what has arrived of the body so far to the end of *ret: for a reply that goes on for hours (a
 * watch), or is too long for memory. max_bytes then bounds what is not yet taken. With a window, that lets the
 * server go on. */
void http_take(struct http_request *request, struct strbuf *ret);
/* True when the window is full (by at most CURL_MAX_WRITE_SIZE more): nothing more comes before http_take. */
bool http_is_full(const struct http_request *request);
/* The reply's status once its head is there. */
long http_status(const struct http_request *request);
/* Ends a request that is done: fills *ret (its old content is released), frees the request. */
int http_finish(struct http_request *request, struct http_reply *ret, struct err *err) _must_check_;
/* Drops a request. NULL is fine. */
void http_cancel(struct http_request *request);
/* Turns the loop until the head is there or the request ended, at most timeout_ms. 0, or -1. */
int http_wait_head(struct http_request *request, int64_t timeout_ms, struct err *err) _must_check_;

/* Start, wait, finish. */
int http_call(struct http_client *client, const struct http_message *message,
              struct http_reply *ret, struct err *err) _must_check_;

/* A header's value in a reply, copied to `value` (cut at size); false when it is absent. */
bool http_header(const struct http_reply *reply, const char *name, char *value, size_t size);

void http_reply_release(struct http_reply *reply);

#endif
