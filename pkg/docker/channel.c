/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/docker.h"

#include <stdio.h>
#include "pkg/net/frames.h"
#include "pkg/net/upgrade.h"

/* Docker sends frames of at most 32 KiB; a read takes several. */
#define READ_SIZE ((size_t)128 << 10)

struct docker_channel {
	struct channel base;
	struct upgrade *upgrade;
	bool tty;
	struct frames frames;
	size_t used, offset;
	char error[512];
	char bytes[READ_SIZE];
};

static int channel_fd(const struct channel *channel)
{
	return upgrade_fd(((const struct docker_channel *)channel)->upgrade);
}

static enum io_result fail(struct docker_channel *channel, const char *words)
{
	snprintf(channel->error, sizeof(channel->error), "%s", words);
	return IO_ERROR;
}

/* The stream may end between frames only, and not with an error of the daemon's own. */
static enum io_result ended(struct docker_channel *channel)
{
	if (channel->frames.daemon_error[0])
		return fail(channel, channel->frames.daemon_error);
	if (!channel->tty && frames_in_frame(&channel->frames))
		return fail(channel, "the stream was cut inside a frame");
	return IO_EOF;
}

static enum io_result channel_read(struct channel *base, struct chunk *ret)
{
	struct docker_channel *channel = (struct docker_channel *)base;

	for (;;) {
		ssize_t used;

		if (channel->offset == channel->used) {
			enum io_result result;

			channel->offset = channel->used = 0;
			result = upgrade_read(channel->upgrade, channel->bytes, READ_SIZE,
			                      &channel->used);
			if (result == IO_EOF)
				return ended(channel);
			if (result == IO_ERROR)
				return fail(channel, upgrade_error(channel->upgrade));
			if (result != IO_OK)
				return result;
		}
		if (channel->tty) {
			ret->stream = CHUNK_STDOUT;
			ret->bytes = channel->bytes;
			ret->length = channel->used;
			channel->offset = channel->used;
			return IO_OK;
		}
		used = frames_next(&channel->frames, channel->bytes + channel->offset,
		                   channel->used - channel->offset, ret);
		if (used < 0)
			return fail(channel, "the stream is not what the engine's API promises");
		channel->offset += (size_t)used;
		if (ret->length)
			return IO_OK;
	}
}

static enum io_result channel_write(struct channel *base, const void *bytes, size_t length,
                                    size_t *ret_written)
{
	struct docker_channel *channel = (struct docker_channel *)base;

	return upgrade_write(channel->upgrade, bytes, length, ret_written);
}

static enum io_result channel_half_close(struct channel *base)
{
	return upgrade_half_close(((struct docker_channel *)base)->upgrade);
}

static const char *channel_error(const struct channel *base)
{
	return ((const struct docker_channel *)base)->error;
}

static void channel_close(struct channel *base)
{
	struct docker_channel *channel = (struct docker_channel *)base;

	upgrade_close(channel->upgrade);
	free(channel);
}

static const struct channel_ops docker_channel_ops = {
	.fd = channel_fd,
	.read = channel_read,
	.write = channel_write,
	.half_close = channel_half_close,
	.error = channel_error,
	.close = channel_close,
};

int docker_channel_open(struct upgrade *upgrade, bool tty, struct channel **ret, struct err *err)
{
	struct docker_channel *channel = malloc(sizeof(*channel));

	if (!channel) {
		upgrade_close(upgrade);
		return err_no_memory(err);
	}
	channel->base.ops = &docker_channel_ops;
	channel->upgrade = upgrade;
	channel->tty = tty;
	channel->frames = (struct frames)FRAMES_INIT;
	channel->used = channel->offset = 0;
	channel->error[0] = '\0';
	*ret = &channel->base;
	return 0;
}
