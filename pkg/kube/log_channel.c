/* SPDX-License-Identifier: Apache-2.0 */
/* A container's log as a channel: for a task that was over before anybody could attach, and for what comes after a
 * connection broke. Both of its streams are one there, and it takes no input. */
#include "pkg/kube/channel.h"

#include <stdio.h>
#include <string.h>

#define PIECE ((size_t)32 << 10)

struct log_channel {
	struct channel base;
	struct http_request *request; /* owned; NULL once it ended */
	struct strbuf text;           /* received, not yet handed on */
	size_t offset;
	uint64_t skip; /* bytes that the reader has already */
	char error[256];
};

/* Moved on by the loop's driver, so there is nothing to poll. */
static int log_fd(const struct channel *base)
{
	(void)base;
	return -1;
}

static enum io_result finish(struct log_channel *channel)
{
	_cleanup_(http_reply_release) struct http_reply reply = HTTP_REPLY_INIT;
	struct err err = ERR_INIT;
	int result = http_finish(channel->request, &reply, &err);

	channel->request = NULL;
	if (result < 0) {
		snprintf(channel->error, sizeof(channel->error), "%.250s", err.message);
		return IO_ERROR;
	}
	strbuf_add(&channel->text, strbuf_str(&reply.body), reply.body.length);
	return channel->text.length ? IO_OK : IO_EOF;
}

/* IO_OK: there is text behind the offset. */
static enum io_result fill(struct log_channel *channel)
{
	enum io_result result = IO_OK;

	while (channel->offset == channel->text.length) {
		strbuf_reset(&channel->text);
		channel->offset = 0;
		if (!channel->request)
			return *channel->error ? IO_ERROR : IO_EOF;
		http_take(channel->request, &channel->text);
		if (!channel->text.length && !http_is_done(channel->request))
			return IO_AGAIN;
		if (!channel->text.length)
			result = finish(channel);
		if (result != IO_OK)
			return result;
		if (channel->skip) {
			size_t left = channel->text.length;

			channel->offset = channel->skip < left ? (size_t)channel->skip : left;
			channel->skip -= channel->offset;
		}
	}
	return IO_OK;
}

static enum io_result log_read(struct channel *base, struct chunk *ret)
{
	struct log_channel *channel = (struct log_channel *)base;
	enum io_result result = fill(channel);
	size_t left = channel->text.length - channel->offset;

	if (result != IO_OK)
		return result;
	*ret = (struct chunk){
		.stream = CHUNK_STDOUT,
		.bytes = channel->text.data + channel->offset,
		.length = left < PIECE ? left : PIECE,
	};
	channel->offset += ret->length;
	return IO_OK;
}

static enum io_result log_write(struct channel *base, const void *bytes, size_t length,
                                size_t *ret_written)
{
	(void)base;
	(void)bytes;
	(void)length;
	(void)ret_written;
	return IO_EOF;
}

static enum io_result log_half_close(struct channel *base)
{
	(void)base;
	return IO_OK;
}

static const char *log_error(const struct channel *base)
{
	return ((const struct log_channel *)base)->error;
}

static void log_close(struct channel *base)
{
	struct log_channel *channel = (struct log_channel *)base;

	http_cancel(channel->request);
	strbuf_release(&channel->text);
	free(channel);
}

static const struct channel_ops ops = {
	.fd = log_fd,
	.read = log_read,
	.write = log_write,
	.half_close = log_half_close,
	.error = log_error,
	.close = log_close,
};

int kube_log_channel_open(struct http_request *request, uint64_t skip, struct channel **ret,
                          struct err *err)
{
	struct log_channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		http_cancel(request);
		return err_no_memory(err);
	}
	channel->base.ops = &ops;
	channel->request = request;
	channel->skip = skip;
	*ret = &channel->base;
	return 0;
}

int kube_text_channel_open(struct strbuf *text, const char *words, struct channel **ret,
                           struct err *err)
{
	struct log_channel *channel;

	if (kube_log_channel_open(NULL, 0, ret, err) < 0)
		return -1;
	channel = (struct log_channel *)*ret;
	channel->text = *text;
	*text = (struct strbuf)STRBUF_INIT;
	snprintf(channel->error, sizeof(channel->error), "%s", words);
	return 0;
}
