/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/log_channel.h"

#include <stdio.h>
#include <string.h>

/* Longer than what an engine logs between two calls of ours. Shorter agreements are by chance. */
#define TAIL_SIZE     ((size_t)64 << 10)
#define LEAST_OVERLAP ((size_t)16)

struct joined {
	struct channel base;
	struct channel *log;  /* owned; NULL: it has ended */
	struct channel *live; /* owned */
	size_t tail_length;
	char tail[TAIL_SIZE]; /* the end of the log */
};

static void add_to_tail(struct joined *joined, const struct chunk *chunk)
{
	const char *bytes = chunk->bytes;
	size_t length = chunk->length, keep;

	if (length > TAIL_SIZE) {
		bytes += length - TAIL_SIZE;
		length = TAIL_SIZE;
	}
	keep = joined->tail_length + length > TAIL_SIZE ? TAIL_SIZE - length : joined->tail_length;
	memmove(joined->tail, joined->tail + joined->tail_length - keep, keep);
	memcpy(joined->tail + keep, bytes, length);
	joined->tail_length = keep + length;
}

/* How many bytes at the end of the log are also the beginning of what came live. */
static size_t overlap(const struct joined *joined, const struct chunk *chunk)
{
	size_t length = chunk->length < joined->tail_length ? chunk->length : joined->tail_length;

	for (; length >= LEAST_OVERLAP; length--)
		if (!memcmp(joined->tail + joined->tail_length - length, chunk->bytes, length))
			return length;
	return 0;
}

/* The log is over. What is there of the live stream now may stand in it. */
static enum io_result begin_live(struct joined *joined, struct chunk *ret)
{
	enum io_result result;
	size_t doubled;

	joined->log->ops->close(joined->log);
	joined->log = NULL;
	result = joined->live->ops->read(joined->live, ret);
	if (result != IO_OK)
		return result;
	doubled = overlap(joined, ret);
	ret->bytes += doubled;
	ret->length -= doubled;
	return ret->length ? IO_OK : joined->live->ops->read(joined->live, ret);
}

static enum io_result joined_read(struct channel *base, struct chunk *ret)
{
	struct joined *joined = (struct joined *)base;
	enum io_result result;

	if (!joined->log)
		return joined->live->ops->read(joined->live, ret);
	result = joined->log->ops->read(joined->log, ret);
	if (result == IO_OK)
		add_to_tail(joined, ret);
	return result == IO_EOF ? begin_live(joined, ret) : result;
}

static int joined_fd(const struct channel *base)
{
	const struct joined *joined = (const struct joined *)base;
	const struct channel *source = joined->log ? joined->log : joined->live;

	return source->ops->fd(source);
}

static int joined_write_fd(const struct channel *base)
{
	const struct joined *joined = (const struct joined *)base;

	return joined->live->ops->fd(joined->live);
}

static enum io_result joined_write(struct channel *base, const void *bytes, size_t length,
                                   size_t *ret_written)
{
	struct joined *joined = (struct joined *)base;

	return joined->live->ops->write(joined->live, bytes, length, ret_written);
}

static enum io_result joined_half_close(struct channel *base)
{
	struct joined *joined = (struct joined *)base;

	return joined->live->ops->half_close(joined->live);
}

static const char *joined_error(const struct channel *base)
{
	const struct joined *joined = (const struct joined *)base;
	const struct channel *source = joined->log ? joined->log : joined->live;

	return source->ops->error(source);
}

static void joined_close(struct channel *base)
{
	struct joined *joined = (struct joined *)base;

	if (joined->log)
		joined->log->ops->close(joined->log);
	joined->live->ops->close(joined->live);
	free(joined);
}

static const struct channel_ops joined_ops = {
	.fd = joined_fd,
	.write_fd = joined_write_fd,
	.read = joined_read,
	.write = joined_write,
	.half_close = joined_half_close,
	.error = joined_error,
	.close = joined_close,
};

int docker_join_open(struct channel *log, struct channel *live, struct channel **ret,
                     struct err *err)
{
	struct joined *joined;

	if (!log) {
		*ret = live;
		return 0;
	}
	joined = malloc(sizeof(*joined));
	if (!joined) {
		log->ops->close(log);
		live->ops->close(live);
		return err_no_memory(err);
	}
	joined->base.ops = &joined_ops;
	joined->log = log;
	joined->live = live;
	joined->tail_length = 0;
	*ret = &joined->base;
	return 0;
}

/* What was handed over of one stream: FNV-1a, so that it can be found again in the log. */
struct given {
	uint64_t length, hash;
};

#define GIVEN_INIT                                                                                 \
	{                                                                                          \
		.hash = UINT64_C(0xcbf29ce484222325)                                               \
	}

static void add_given(struct given *given, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		given->hash = (given->hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	given->length += length;
}

struct follow {
	struct channel base;
	struct docker *docker;
	struct output_request request;
	struct channel *log; /* owned */
	bool tty, whole;     /* whole: the log as it stands after the end */
	struct given given[CHUNK_STREAM_COUNT];
	struct given again[CHUNK_STREAM_COUNT]; /* the same, read again from the whole log */
	bool failed;
	char error[256];
};

static enum io_result fail(struct follow *follow, const char *words)
{
	snprintf(follow->error, sizeof(follow->error), "%s", words);
	follow->failed = true;
	return IO_ERROR;
}

/* As a rule nothing is lost yet: the follower drops lines only a quarter of a second after the end. */
static void read_whole(struct follow *follow)
{
	struct channel *log = NULL;
	struct err err = ERR_INIT;

	if (docker_log_open(follow->docker, &follow->request, follow->tty, &log, &err) < 0) {
		fail(follow, "the engine deleted the log before its end was read");
		return;
	}
	follow->log->ops->close(follow->log);
	follow->log = log;
	follow->whole = true;
}

/* Takes off what was handed over before; false when it was something else. */
static bool skip_given(struct follow *follow, struct chunk *chunk)
{
	const struct given *given = &follow->given[chunk->stream];
	struct given *again = &follow->again[chunk->stream];
	uint64_t left = given->length - again->length;
	size_t length = left < chunk->length ? (size_t)left : chunk->length;

	if (!left)
		return true;
	add_given(again, chunk->bytes, length);
	chunk->bytes += length;
	chunk->length -= length;
	return again->length < given->length || again->hash == given->hash;
}

static enum io_result read_rest(struct follow *follow, struct chunk *ret)
{
	for (;;) {
		enum io_result result = follow->log->ops->read(follow->log, ret);

		if (result != IO_OK)
			return result;
		if (!skip_given(follow, ret))
			return fail(follow, "Podman's log follower lost lines; all "
			                    "of them are in: oneoff logs");
		if (ret->length)
			return IO_OK;
	}
}

static enum io_result follow_read(struct channel *base, struct chunk *ret)
{
	struct follow *follow = (struct follow *)base;
	enum io_result result;

	if (follow->whole)
		return follow->failed ? IO_ERROR : read_rest(follow, ret);
	if (!follow->failed && docker_has_ended(follow->docker)) {
		read_whole(follow);
		if (follow->whole)
			return read_rest(follow, ret);
	}
	result = follow->log->ops->read(follow->log, ret);
	if (result == IO_OK)
		add_given(&follow->given[ret->stream], ret->bytes, ret->length);
	if (result != IO_EOF)
		return result;
	if (!follow->failed)
		read_whole(follow);
	return follow->whole ? read_rest(follow, ret) : IO_ERROR;
}

static int follow_fd(const struct channel *base)
{
	const struct follow *follow = (const struct follow *)base;

	return follow->log->ops->fd(follow->log);
}

static enum io_result follow_write(struct channel *base, const void *bytes, size_t length,
                                   size_t *ret_written)
{
	struct follow *follow = (struct follow *)base;

	return follow->log->ops->write(follow->log, bytes, length, ret_written);
}

static enum io_result follow_half_close(struct channel *base)
{
	struct follow *follow = (struct follow *)base;

	return follow->log->ops->half_close(follow->log);
}

static const char *follow_error(const struct channel *base)
{
	const struct follow *follow = (const struct follow *)base;

	return follow->failed ? follow->error : follow->log->ops->error(follow->log);
}

static void follow_close(struct channel *base)
{
	struct follow *follow = (struct follow *)base;

	follow->log->ops->close(follow->log);
	free(follow);
}

static const struct channel_ops follow_ops = {
	.fd = follow_fd,
	.read = follow_read,
	.write = follow_write,
	.half_close = follow_half_close,
	.error = follow_error,
	.close = follow_close,
};

int docker_follow_open(struct docker *docker, const struct output_request *request, bool tty,
                       struct channel *log, struct channel **ret, struct err *err)
{
	struct follow *follow = calloc(1, sizeof(*follow));

	if (!follow) {
		log->ops->close(log);
		return err_no_memory(err);
	}
	follow->base.ops = &follow_ops;
	follow->docker = docker;
	follow->request = *request;
	follow->request.follow = false;
	follow->tty = tty;
	follow->log = log;
	for (size_t i = 0; i < CHUNK_STREAM_COUNT; i++)
		follow->given[i] = follow->again[i] = (struct given)GIVEN_INIT;
	*ret = &follow->base;
	return 0;
}
