/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of a WebSocket (RFC 6455) over an upgraded connection; frames by libwslay. It never blocks
 * after websocket_open. Messages are sent as one frame each, masked, and read in pieces, so that memory stays
 * the same however long they are.
 *
 *	if (websocket_open(client, path, "v5.channel.k8s.io", 10000, &socket, protocol, &refusal, err) < 0)
 *		return -1;
 *	while (websocket_read(socket, &piece) == IO_OK)
 *		…
 *
 * Pings are answered by websocket_read. One thread.
 */
#ifndef ONEOFF_NET_WEBSOCKET_H
#define ONEOFF_NET_WEBSOCKET_H

#include "pkg/io/channel.h"
#include "pkg/net/http.h"

/* The greatest message that is sent, in bytes. */
#define WEBSOCKET_MAX_MESSAGE ((size_t)64 << 10)

struct websocket;

/* GET `path` with the upgrade headers; `protocols` is the list of subprotocols. *ret_protocol receives the one
 * that the server chose, "" for none. A status other than 101: ERR_REFUSED (ERR_NOT_FOUND for 404) with
 * err->http_status, and *ret_refusal holds head and body. ERR_PROTOCOL when the server cannot have understood the
 * request (a wrong Sec-WebSocket-Accept). */
int websocket_open(struct http_client *client, const char *path, const char *protocols,
                   int64_t timeout_ms, struct websocket **ret, char ret_protocol[64],
                   struct http_reply *ret_refusal, struct err *err) _must_check_;

/* The same over a connection whose handshake is done; `upgrade` is taken, on failure too. */
struct upgrade;
int websocket_adopt(struct upgrade *upgrade, struct websocket **ret, struct err *err) _must_check_;

/* A piece of a data message, borrowed until the next read. An empty message is one empty piece. */
struct websocket_piece {
	bool begins, ends; /* the first, the last piece of its message */
	const char *bytes;
	size_t length;
};

/* The next piece. IO_EOF after a close frame or an end of the connection (websocket_close_code tells which),
 * IO_ERROR when the connection broke or the server broke the protocol. */
enum io_result websocket_read(struct websocket *socket, struct websocket_piece *ret);

/* Sends a binary message of `head` and `bytes` together, at most WEBSOCKET_MAX_MESSAGE. IO_OK: all of it is on its
 * way. IO_AGAIN: call again with the same bytes when the descriptor is writable; it is not sent twice. IO_EOF: the
 * connection takes nothing any more. */
enum io_result websocket_write(struct websocket *socket, const void *head, size_t head_length,
                               const void *bytes, size_t length);

/* The same for small messages that may wait until there is room: never IO_AGAIN. False when too many wait. */
bool websocket_post(struct websocket *socket, const void *bytes, size_t length);
/* Asks for a pong. False when too much waits. */
bool websocket_ping(struct websocket *socket);
/* Sends what waits, as far as possible. True when nothing waits any more. */
bool websocket_flush(struct websocket *socket);
/* Monotonic milliseconds when something came last. */
int64_t websocket_last_heard(const struct websocket *socket);

/* The descriptor to poll. */
int websocket_fd(const struct websocket *socket);
/* The code of the server's close frame (RFC 6455 section 7.4), 1005 when it named none, 0 before one came. */
int websocket_close_code(const struct websocket *socket);
/* Words for IO_ERROR. Borrowed. */
const char *websocket_error(const struct websocket *socket);
/* NULL is fine. */
void websocket_close(struct websocket *socket);

#endif
