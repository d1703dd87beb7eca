/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attached streams of a task, whatever carries them (a hijacked Docker connection, a WebSocket,
 * a pseudo-terminal): a struct of functions that never block. The pump (pkg/io/pump.h) moves bytes
 * between a channel and our own descriptors.
 */
#ifndef ONEOFF_IO_CHANNEL_H
#define ONEOFF_IO_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

enum io_result {
	IO_OK,
	IO_AGAIN, /* nothing now: poll */
	IO_EOF,   /* orderly end */
	IO_ERROR, /* broken; channel_ops.error says how */
};

enum chunk_stream { CHUNK_STDOUT, CHUNK_STDERR, CHUNK_STREAM_COUNT };

/* One piece of output, borrowed from the channel until its next read. */
struct chunk {
	enum chunk_stream stream;
	const char *bytes;
	size_t length;
};

struct channel;

struct channel_ops {
	/* The descriptor to poll; -1: nothing to wait for now. */
	int (*fd)(const struct channel *channel);
	/* The descriptor to poll before writing, where it is another one; NULL: the same. */
	int (*write_fd)(const struct channel *channel);
	/* The next piece of output. IO_OK with a chunk of at least one byte: read again before
	 * polling. */
	enum io_result (*read)(struct channel *channel, struct chunk *ret);
	/* Sends input; *ret_written may be less than length. IO_EOF: the task takes no more, for
	 * good. */
	enum io_result (*write)(struct channel *channel, const void *bytes, size_t length,
	                        size_t *ret_written);
	/* Tells the task that its input ended. IO_AGAIN: call again when writable. */
	enum io_result (*half_close)(struct channel *channel);
	/* Words for IO_ERROR, unescaped. Borrowed. */
	const char *(*error)(const struct channel *channel);
	/* Frees the channel. */
	void (*close)(struct channel *channel);
};

/* Begins every implementation's struct. */
struct channel {
	const struct channel_ops *ops;
};

#endif
