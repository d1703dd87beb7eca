/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/channel.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "pkg/base/clock.h"
#include "pkg/json/json.h"

/* Servers cut what is longer into pieces of their own (research/kubernetes.md 1.2). */
#define MAX_STDIN_MESSAGE ((size_t)32 << 10)
#define MAX_VERDICT       ((size_t)64 << 10)
#define PING_MS           INT64_C(15000)
#define DEAD_MS           INT64_C(75000)
/* The server closes what was silent for 4 hours; only data counts, even if it is none. */
#define KEEP_ALIVE_MS INT64_C(1800000)

enum {
	STREAM_STDIN,
	STREAM_STDOUT,
	STREAM_STDERR,
	STREAM_VERDICT,
	STREAM_RESIZE,
	STREAM_CLOSE = 255,
};

struct kube_channel {
	struct channel base;
	struct websocket *socket;
	bool half_close;
	bool input_since_heard; /* pings stand behind stdin that the task does not read */
	int64_t heard_of_input; /* last_heard when input was sent */
	unsigned char stream;   /* of the message that is being read */
	struct strbuf verdict;  /* text of channel 3 */
	uint64_t received;
	int64_t pinged_at, kept_at;
	struct kube_channel_check check;
	bool checked;
	struct channel *front; /* owned; the log of what was before, or NULL */
	struct strbuf line;    /* of it, as a terminal needs it */
	struct channel *rest;  /* owned; the log, when nothing came by the connection */
	char error[256];
};

static enum io_result failed(struct kube_channel *channel, const char *words)
{
	snprintf(channel->error, sizeof(channel->error), "%s", words);
	return IO_ERROR;
}

static int channel_fd(const struct channel *base)
{
	const struct kube_channel *channel = (const struct kube_channel *)base;

	if (channel->front)
		return channel->front->ops->fd(channel->front);
	return channel->rest ? channel->rest->ops->fd(channel->rest)
	                     : websocket_fd(channel->socket);
}

/* The connection's end is in good order only if the server said so twice: by a verdict and by a close frame. */
static enum io_result end(struct kube_channel *channel)
{
	_cleanup_(json_free) cJSON *verdict = NULL;
	struct err ignored = ERR_INIT;
	const char *status, *message;

	if (*channel->error)
		return IO_ERROR;
	if (!channel->verdict.length)
		return failed(channel, "the server ended the streams without a word");
	if (json_parse(strbuf_str(&channel->verdict), channel->verdict.length, MAX_VERDICT,
	               &verdict, &ignored) < 0)
		return failed(channel, "the server's last word cannot be read");
	status = json_string(verdict, "status");
	message = json_string(verdict, "message");
	if (!status || strcmp(status, "Success"))
		return failed(channel, message && *message ? message : "the server gave up");
	if (channel->check.missing && !channel->checked) {
		const char *words = channel->check.missing(channel->check.context,
		                                           channel->received, &channel->rest);

		channel->checked = true;
		if (words)
			return failed(channel, words);
	}
	return IO_EOF;
}

/* True when the piece is output for *ret. */
static bool take(struct kube_channel *channel, struct websocket_piece piece, struct chunk *ret)
{
	if (piece.begins) {
		if (!piece.length)
			return false;
		channel->stream = (unsigned char)*piece.bytes++;
		piece.length--;
	}
	if (channel->stream == STREAM_VERDICT &&
	    channel->verdict.length + piece.length <= MAX_VERDICT)
		strbuf_add(&channel->verdict, piece.bytes, piece.length);
	if (!piece.length || (channel->stream != STREAM_STDOUT && channel->stream != STREAM_STDERR))
		return false;
	*ret = (struct chunk){
		.stream = channel->stream == STREAM_STDOUT ? CHUNK_STDOUT : CHUNK_STDERR,
		.bytes = piece.bytes,
		.length = piece.length,
	};
	channel->received += piece.length;
	return true;
}

/* Logs have "\n" where the terminal wrote "\r\n". A log that breaks off is no reason to give up what is live. */
static enum io_result read_front(struct kube_channel *channel, struct chunk *ret)
{
	struct chunk chunk;
	enum io_result result = channel->front->ops->read(channel->front, &chunk);

	if (result == IO_AGAIN)
		return IO_AGAIN;
	if (result != IO_OK) {
		channel->front->ops->close(channel->front);
		channel->front = NULL;
		return IO_EOF;
	}
	strbuf_reset(&channel->line);
	for (size_t i = 0; i < chunk.length; i++) {
		if (chunk.bytes[i] == '\n' && (i == 0 || chunk.bytes[i - 1] != '\r'))
			strbuf_addc(&channel->line, '\r');
		strbuf_addc(&channel->line, chunk.bytes[i]);
	}
	if (channel->line.failed)
		return failed(channel, "no memory for the log");
	*ret = (struct chunk){CHUNK_STDOUT, channel->line.data, channel->line.length};
	return IO_OK;
}

static enum io_result channel_read(struct channel *base, struct chunk *ret)
{
	struct kube_channel *channel = (struct kube_channel *)base;
	struct websocket_piece piece;

	if (channel->front) {
		enum io_result result = read_front(channel, ret);

		if (result != IO_EOF)
			return result;
	}
	if (channel->rest)
		return channel->rest->ops->read(channel->rest, ret);
	for (;;) {
		switch (websocket_read(channel->socket, &piece)) {
		case IO_OK:
			if (take(channel, piece, ret))
				return IO_OK;
			break;
		case IO_AGAIN:
			(void)websocket_flush(channel->socket);
			return IO_AGAIN;
		case IO_EOF: {
			enum io_result result = end(channel);

			return channel->rest ? channel->rest->ops->read(channel->rest, ret)
			                     : result;
		}
		default:
			return failed(channel, websocket_error(channel->socket));
		}
	}
}

static enum io_result channel_write(struct channel *base, const void *bytes, size_t length,
                                    size_t *ret_written)
{
	struct kube_channel *channel = (struct kube_channel *)base;
	static const char head = STREAM_STDIN;
	enum io_result result;

	if (length > MAX_STDIN_MESSAGE)
		length = MAX_STDIN_MESSAGE;
	result = websocket_write(channel->socket, &head, 1, bytes, length);
	if (result == IO_OK) {
		*ret_written = length;
		channel->input_since_heard = true;
		channel->heard_of_input = websocket_last_heard(channel->socket);
	}
	return result == IO_ERROR ? IO_EOF : result;
}

static enum io_result channel_half_close(struct channel *base)
{
	struct kube_channel *channel = (struct kube_channel *)base;
	static const char message[2] = {(char)STREAM_CLOSE, STREAM_STDIN};

	if (!channel->half_close)
		return IO_OK;
	return websocket_write(channel->socket, message, sizeof(message), NULL, 0);
}

static const char *channel_error(const struct channel *base)
{
	const struct kube_channel *channel = (const struct kube_channel *)base;

	return channel->error;
}

static void channel_close(struct channel *base)
{
	struct kube_channel *channel = (struct kube_channel *)base;

	if (channel->front)
		channel->front->ops->close(channel->front);
	strbuf_release(&channel->line);
	if (channel->rest)
		channel->rest->ops->close(channel->rest);
	websocket_close(channel->socket);
	strbuf_release(&channel->verdict);
	free(channel);
}

static const struct channel_ops ops = {
	.fd = channel_fd,
	.read = channel_read,
	.write = channel_write,
	.half_close = channel_half_close,
	.error = channel_error,
	.close = channel_close,
};

int kube_channel_open(struct websocket *socket, bool half_close, struct channel **ret,
                      struct err *err)
{
	struct kube_channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		websocket_close(socket);
		return err_no_memory(err);
	}
	channel->base.ops = &ops;
	channel->socket = socket;
	channel->half_close = half_close;
	channel->pinged_at = channel->kept_at = clock_monotonic_ms();
	*ret = &channel->base;
	return 0;
}

void kube_channel_set_check(struct channel *base, struct kube_channel_check check)
{
	((struct kube_channel *)base)->check = check;
}

void kube_channel_set_front(struct channel *base, struct channel *front)
{
	((struct kube_channel *)base)->front = front;
}

bool kube_channel_post(struct channel *base, const void *message, size_t length)
{
	return websocket_post(((struct kube_channel *)base)->socket, message, length);
}

bool kube_channel_resize(struct channel *base, int rows, int columns)
{
	char message[64];
	int length = snprintf(message, sizeof(message), "%c{\"Width\":%d,\"Height\":%d}",
	                      STREAM_RESIZE, columns, rows);

	return kube_channel_post(base, message, (size_t)length);
}

/* Pongs stand behind stdin that the task has not read, so silence then proves nothing. */
static bool is_dead(const struct kube_channel *channel, int64_t now)
{
	int64_t heard = websocket_last_heard(channel->socket);
	bool input_waits = channel->input_since_heard && channel->heard_of_input >= heard;

	return !input_waits && now - heard > DEAD_MS;
}

void kube_channel_tick(struct channel *base, int64_t now_ms)
{
	struct kube_channel *channel = (struct kube_channel *)base;

	(void)websocket_flush(channel->socket);
	if (now_ms - channel->kept_at >= KEEP_ALIVE_MS) {
		channel->kept_at = now_ms;
		(void)websocket_post(channel->socket, "", 0);
	}
	if (now_ms - channel->pinged_at < PING_MS)
		return;
	channel->pinged_at = now_ms;
	/* Whoever waits for the descriptor then finds the end. */
	if (is_dead(channel, now_ms))
		(void)shutdown(websocket_fd(channel->socket), SHUT_RDWR);
	else
		(void)websocket_ping(channel->socket);
}
