/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/net/websocket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <wslay/wslay.h>
#include "pkg/base/base64.h"
#include "pkg/base/clock.h"
#include "pkg/base/sha256.h"
#include "pkg/net/upgrade.h"

/* RFC 6455 section 1.3. */
#define HANDSHAKE_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
/* What may wait besides one message of the caller's. */
#define MAX_WAITING (WEBSOCKET_MAX_MESSAGE * 2 + 4096)
#define MAX_CONTROL 125

struct websocket {
	struct upgrade *upgrade;
	wslay_frame_context_ptr frames;
	struct strbuf out;   /* encoded, not yet sent */
	size_t unfinished;   /* length of the caller's message that `out` still holds, 0: none */
	uint64_t frame_left; /* payload of the present frame still to come */
	bool in_frame, in_message, piece_begins;
	unsigned char opcode;
	char control[MAX_CONTROL];
	size_t control_length;
	bool mute;  /* the server takes nothing any more; what it still says counts */
	bool ended; /* the connection's end came */
	int close_code;
	int64_t last_heard;
	char error[160];
};

static enum io_result failed(struct websocket *socket, const char *words)
{
	if (!*socket->error)
		snprintf(socket->error, sizeof(socket->error), "%s", words);
	return IO_ERROR;
}

/* ---- libwslay's callbacks ---- */

static ssize_t on_receive(uint8_t *bytes, size_t size, int flags, void *context)
{
	struct websocket *socket = context;
	size_t got = 0;

	(void)flags;
	switch (upgrade_read(socket->upgrade, bytes, size, &got)) {
	case IO_OK:
		socket->last_heard = clock_monotonic_ms();
		return (ssize_t)got;
	case IO_AGAIN:
		errno = EAGAIN;
		return -1;
	case IO_EOF:
		socket->ended = true;
		return -1;
	default:
		failed(socket, upgrade_error(socket->upgrade));
		return -1;
	}
}

static ssize_t on_send(const uint8_t *bytes, size_t length, int flags, void *context)
{
	struct websocket *socket = context;

	(void)flags;
	strbuf_add(&socket->out, bytes, length);
	return socket->out.failed ? -1 : (ssize_t)length;
}

static int on_mask(uint8_t *bytes, size_t length, void *context)
{
	(void)context;
	return getrandom(bytes, length, 0) == (ssize_t)length ? 0 : -1;
}

/* ---- the handshake ---- */

static int expected_accept(const char *key, struct strbuf *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	unsigned char digest[20];

	strbuf_addf(&text, "%s" HANDSHAKE_GUID, key);
	if (text.failed)
		return err_no_memory(err);
	if (sha1_digest(strbuf_str(&text), text.length, digest, err) < 0)
		return -1;
	base64_encode(digest, sizeof(digest), ret);
	return ret->failed ? err_no_memory(err) : 0;
}

static int make_key(struct strbuf *ret, struct err *err)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return err_errno(err, "getrandom");
	base64_encode(bytes, sizeof(bytes), ret);
	return ret->failed ? err_no_memory(err) : 0;
}

static int check_answer(const struct http_reply *answer, const char *key, char ret_protocol[64],
                        struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf accept = STRBUF_INIT;
	char value[64] = "";

	if (expected_accept(key, &accept, err) < 0)
		return -1;
	if (!http_header(answer, "Sec-WebSocket-Accept", value, sizeof(value)) ||
	    strcmp(value, strbuf_str(&accept)))
		return err_set(err, ERR_PROTOCOL, "the server's answer is no WebSocket handshake");
	if (!http_header(answer, "Sec-WebSocket-Protocol", ret_protocol, 64))
		ret_protocol[0] = '\0';
	return 0;
}

int websocket_adopt(struct upgrade *upgrade, struct websocket **ret, struct err *err)
{
	static const struct wslay_frame_callbacks callbacks = {
		.send_callback = on_send,
		.recv_callback = on_receive,
		.genmask_callback = on_mask,
	};
	struct websocket *socket = calloc(1, sizeof(*socket));

	if (!socket) {
		upgrade_close(upgrade);
		return err_no_memory(err);
	}
	socket->upgrade = upgrade;
	socket->out.cap = MAX_WAITING;
	if (wslay_frame_context_init(&socket->frames, &callbacks, socket) != 0) {
		websocket_close(socket);
		return err_no_memory(err);
	}
	socket->last_heard = clock_monotonic_ms();
	*ret = socket;
	return 0;
}

int websocket_open(struct http_client *client, const char *path, const char *protocols,
                   int64_t timeout_ms, struct websocket **ret, char ret_protocol[64],
                   struct http_reply *ret_refusal, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf key = STRBUF_INIT, lines = STRBUF_INIT;
	_cleanup_(http_reply_release) struct http_reply answer = HTTP_REPLY_INIT;
	struct upgrade *upgrade = NULL;

	if (make_key(&key, err) < 0)
		return -1;
	strbuf_addf(&lines,
	            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	            "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: %s\r\n",
	            strbuf_str(&key), protocols);
	if (lines.failed)
		return err_no_memory(err);
	if (upgrade_open_get(client, path, strbuf_str(&lines), timeout_ms, &upgrade, &answer.head,
	                     &answer.body, err) < 0) {
		answer.status = err->http_status;
		http_reply_release(ret_refusal);
		*ret_refusal = answer;
		answer = (struct http_reply)HTTP_REPLY_INIT;
		return -1;
	}
	if (check_answer(&answer, strbuf_str(&key), ret_protocol, err) < 0) {
		upgrade_close(upgrade);
		return -1;
	}
	return websocket_adopt(upgrade, ret, err);
}

/* ---- sending ---- */

bool websocket_flush(struct websocket *socket)
{
	while (socket->out.length) {
		size_t written = 0;

		switch (upgrade_write(socket->upgrade, socket->out.data, socket->out.length,
		                      &written)) {
		case IO_OK:
			strbuf_consume(&socket->out, written);
			break;
		case IO_AGAIN:
			return false;
		default:
			strbuf_reset(&socket->out);
			socket->mute = true;
			return false;
		}
	}
	return true;
}

static bool encode(struct websocket *socket, unsigned char opcode, const void *bytes, size_t length)
{
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.opcode = opcode,
		.payload_length = length,
		.mask = 1,
		.data = bytes,
		.data_length = length,
	};

	return wslay_frame_send(socket->frames, &frame) == (ssize_t)length;
}

enum io_result websocket_write(struct websocket *socket, const void *head, size_t head_length,
                               const void *bytes, size_t length)
{
	char message[WEBSOCKET_MAX_MESSAGE];

	if (*socket->error || socket->mute || socket->ended || socket->close_code)
		return IO_EOF;
	if (!socket->unfinished) {
		if (!websocket_flush(socket))
			return socket->mute ? IO_EOF : IO_AGAIN;
		if (head_length + length > sizeof(message))
			return failed(socket, "the message is too long");
		memcpy(message, head, head_length);
		if (length)
			memcpy(message + head_length, bytes, length);
		if (!encode(socket, WSLAY_BINARY_FRAME, message, head_length + length))
			return failed(socket, "the message could not be made");
		socket->unfinished = head_length + length;
	}
	if (!websocket_flush(socket))
		return socket->mute ? IO_EOF : IO_AGAIN;
	socket->unfinished = 0;
	return IO_OK;
}

/* Control frames and small messages are put behind what waits: frames never mix. */
static bool post(struct websocket *socket, unsigned char opcode, const void *bytes, size_t length)
{
	if (*socket->error || socket->mute || socket->ended || socket->close_code ||
	    socket->out.length + length + 16 > MAX_WAITING)
		return false;
	if (!encode(socket, opcode, bytes, length))
		return false;
	(void)websocket_flush(socket);
	return true;
}

bool websocket_post(struct websocket *socket, const void *bytes, size_t length)
{
	return post(socket, WSLAY_BINARY_FRAME, bytes, length);
}

bool websocket_ping(struct websocket *socket)
{
	return post(socket, WSLAY_PING, "oneoff", 6);
}

/* ---- receiving ---- */

static enum io_result end_control(struct websocket *socket)
{
	socket->in_frame = false;
	if (socket->opcode == WSLAY_PING) {
		(void)post(socket, WSLAY_PONG, socket->control, socket->control_length);
		return IO_OK;
	}
	if (socket->opcode != WSLAY_CONNECTION_CLOSE)
		return IO_OK;
	socket->close_code = 1005;
	if (socket->control_length >= 2)
		socket->close_code =
			(unsigned char)socket->control[0] << 8 | (unsigned char)socket->control[1];
	return IO_EOF;
}

static enum io_result take_control(struct websocket *socket, const struct wslay_frame_iocb *frame)
{
	if (socket->control_length + frame->data_length > sizeof(socket->control))
		return failed(socket, "a control frame is too long");
	if (frame->data_length)
		memcpy(socket->control + socket->control_length, frame->data, frame->data_length);
	socket->control_length += frame->data_length;
	return socket->frame_left ? IO_OK : end_control(socket);
}

static enum io_result take_data(struct websocket *socket, const struct wslay_frame_iocb *frame,
                                struct websocket_piece *ret)
{
	bool ends = !socket->frame_left && frame->fin;

	*ret = (struct websocket_piece){
		.begins = socket->piece_begins,
		.ends = ends,
		.bytes = (const char *)frame->data,
		.length = frame->data_length,
	};
	socket->piece_begins = false;
	socket->in_message = !ends;
	socket->in_frame = socket->frame_left > 0;
	return IO_OK;
}

static enum io_result begin_frame(struct websocket *socket, const struct wslay_frame_iocb *frame)
{
	socket->in_frame = true;
	socket->opcode = frame->opcode;
	socket->frame_left = frame->payload_length;
	socket->control_length = 0;
	if (wslay_is_ctrl_frame(frame->opcode))
		return IO_OK;
	if ((frame->opcode == WSLAY_CONTINUATION_FRAME) != socket->in_message)
		return failed(socket, "the server mixed its messages up");
	if (frame->opcode > WSLAY_BINARY_FRAME)
		return failed(socket, "the server sent an unknown frame");
	socket->piece_begins = frame->opcode != WSLAY_CONTINUATION_FRAME;
	return IO_OK;
}

static enum io_result explain_end(struct websocket *socket, ssize_t code)
{
	/* libwslay calls all three of our failures the same. */
	if (*socket->error)
		return IO_ERROR;
	if (socket->ended)
		return IO_EOF;
	if (code == WSLAY_ERR_WANT_READ)
		return IO_AGAIN;
	return failed(socket, "the server broke the WebSocket protocol");
}

enum io_result websocket_read(struct websocket *socket, struct websocket_piece *ret)
{
	if (socket->close_code || socket->ended)
		return IO_EOF;
	while (!*socket->error) {
		struct wslay_frame_iocb frame = {.fin = 0};
		ssize_t got = wslay_frame_recv(socket->frames, &frame);

		if (got < 0)
			return explain_end(socket, got);
		if (!socket->in_frame && begin_frame(socket, &frame) != IO_OK)
			break;
		if (frame.mask || frame.rsv || frame.data_length > socket->frame_left)
			return failed(socket, "the server broke the WebSocket protocol");
		socket->frame_left -= frame.data_length;
		if (!wslay_is_ctrl_frame(socket->opcode))
			return take_data(socket, &frame, ret);
		if (take_control(socket, &frame) == IO_EOF)
			return IO_EOF;
	}
	return IO_ERROR;
}

/* ---- the rest ---- */

int64_t websocket_last_heard(const struct websocket *socket)
{
	return socket->last_heard;
}

int websocket_fd(const struct websocket *socket)
{
	return upgrade_fd(socket->upgrade);
}

int websocket_close_code(const struct websocket *socket)
{
	return socket->close_code;
}

const char *websocket_error(const struct websocket *socket)
{
	return socket->error;
}

void websocket_close(struct websocket *socket)
{
	if (!socket)
		return;
	if (socket->frames)
		wslay_frame_context_free(socket->frames);
	upgrade_close(socket->upgrade);
	strbuf_release(&socket->out);
	free(socket);
}
