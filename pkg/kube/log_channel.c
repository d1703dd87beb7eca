/* SPDX-License-Identifier: Apache-2.0 */
/* The log of an ended container as a channel: for a task that was over before anybody could attach. Both of its
 * streams are one there, and it takes no input. */
#include "pkg/kube/channel.h"

#include <fcntl.h>

#define PIECE ((size_t)32 << 10)

struct log_channel {
	struct channel base;
	struct strbuf text; /* owned */
	size_t offset;
	int fd; /* owned; always readable, since all of it is here */
};

static int log_fd(const struct channel *base)
{
	return ((const struct log_channel *)base)->fd;
}

static enum io_result log_read(struct channel *base, struct chunk *ret)
{
	struct log_channel *channel = (struct log_channel *)base;
	size_t left = channel->text.length - channel->offset;

	if (!left)
		return IO_EOF;
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
	(void)base;
	return "";
}

static void log_close(struct channel *base)
{
	struct log_channel *channel = (struct log_channel *)base;

	strbuf_release(&channel->text);
	close(channel->fd);
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

int kube_log_channel_open(struct strbuf *text, struct channel **ret, struct err *err)
{
	struct log_channel *channel = calloc(1, sizeof(*channel));

	if (!channel)
		return err_no_memory(err);
	channel->base.ops = &ops;
	channel->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (channel->fd < 0) {
		free(channel);
		return err_errno(err, "/dev/null");
	}
	channel->text = *text;
	*text = (struct strbuf)STRBUF_INIT;
	*ret = &channel->base;
	return 0;
}
