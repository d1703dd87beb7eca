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
	bool is_log; /* takes no input; its engine ends a log whose reader closes one direction */
	struct frames frames;
	uint64_t skip[CHUNK_STREAM_COUNT];    /* bytes of a log that were received before */
	bool is_text_log;                     /* json-file: bytes that are no UTF-8 were replaced */
	unsigned matched[CHUNK_STREAM_COUNT]; /* bytes of U+FFFD seen in a row */
	bool inexact;
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
	if (channel->inexact)
		return fail(channel, "the engine's log does not hold the exact bytes");
	return IO_EOF;
}

/* A log that replaced bytes shows U+FFFD for them: then neither what is skipped nor what follows
 * can be trusted to be the task's own. */
static void look_for_replacement(struct docker_channel *channel, const struct chunk *chunk)
{
	static const unsigned char replacement[] = {0xef, 0xbf, 0xbd};
	unsigned *matched = &channel->matched[chunk->stream];

	for (size_t i = 0; i < chunk->length; i++) {
		unsigned char byte = (unsigned char)chunk->bytes[i];

		*matched = byte == replacement[*matched] ? *matched + 1 : byte == replacement[0];
		if (*matched == sizeof(replacement)) {
			channel->inexact = true;
			*matched = 0;
		}
	}
}

/* Drops what was received before the connection broke. */
static void skip_received(struct docker_channel *channel, struct chunk *chunk)
{
	uint64_t *skip = &channel->skip[chunk->stream];
	size_t drop = *skip < chunk->length ? (size_t)*skip : chunk->length;

	if (channel->is_text_log)
		look_for_replacement(channel, chunk);
	*skip -= drop;
	chunk->bytes += drop;
	chunk->length -= drop;
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
			skip_received(channel, ret);
			if (ret->length)
				return IO_OK;
			continue;
		}
		used = frames_next(&channel->frames, channel->bytes + channel->offset,
		                   channel->used - channel->offset, ret);
		if (used < 0)
			return fail(channel, "the stream is not what the engine's API promises");
		channel->offset += (size_t)used;
		if (ret->length)
			skip_received(channel, ret);
		if (ret->length)
			return IO_OK;
	}
}

static enum io_result channel_write(struct channel *base, const void *bytes, size_t length,
                                    size_t *ret_written)
{
	struct docker_channel *channel = (struct docker_channel *)base;

	*ret_written = 0;
	return channel->is_log ? IO_EOF
	                       : upgrade_write(channel->upgrade, bytes, length, ret_written);
}

static enum io_result channel_half_close(struct channel *base)
{
	struct docker_channel *channel = (struct docker_channel *)base;

	return channel->is_log ? IO_OK : upgrade_half_close(channel->upgrade);
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

int docker_channel_open(struct upgrade *upgrade, bool tty, bool is_log, struct channel **ret,
                        struct err *err)
{
	struct docker_channel *channel = malloc(sizeof(*channel));

	if (!channel) {
		upgrade_close(upgrade);
		return err_no_memory(err);
	}
	channel->base.ops = &docker_channel_ops;
	channel->upgrade = upgrade;
	channel->tty = tty;
	channel->is_log = is_log;
	channel->frames = (struct frames)FRAMES_INIT;
	channel->used = channel->offset = 0;
	channel->error[0] = '\0';
	channel->skip[CHUNK_STDOUT] = channel->skip[CHUNK_STDERR] = 0;
	channel->matched[CHUNK_STDOUT] = channel->matched[CHUNK_STDERR] = 0;
	channel->is_text_log = channel->inexact = false;
	*ret = &channel->base;
	return 0;
}

void docker_channel_skip(struct channel *base, const uint64_t received[CHUNK_STREAM_COUNT],
                         bool is_text_log)
{
	struct docker_channel *channel = (struct docker_channel *)base;

	channel->skip[CHUNK_STDOUT] = received[CHUNK_STDOUT];
	channel->skip[CHUNK_STDERR] = received[CHUNK_STDERR];
	channel->is_text_log = is_text_log;
}
