/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a detached task writes, kept in its folder by its monitor. One log for both streams, so that what was
 * written first stands first; each piece is a frame: a header of 16 bytes in the machine's own byte order
 * (when, how long, which stream) and the bytes. Files output.1, output.2… : when one has reached its size the
 * next begins and the last but one is deleted, so that a task that writes for ever fills no disk. The end of an
 * output says more about a failure than its beginning; a reader is told when something is gone.
 *
 *	struct output_log log = OUTPUT_LOG_INIT;	the monitor
 *	output_log_append(&log, folder_fd, CHUNK_STDOUT, bytes, length);
 *
 *	struct output_reader reader = OUTPUT_READER_INIT;	a client, at the same time
 *	output_reader_start(&reader, folder_fd, &options);
 *	while (output_reader_next(&reader, &chunk) == 1)
 *		…
 */
#ifndef ONEOFF_OCI_OUTPUT_LOG_H
#define ONEOFF_OCI_OUTPUT_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/compat.h"
#include "pkg/io/channel.h"

#define OUTPUT_FRAME_HEADER  ((size_t)16)
#define OUTPUT_FRAME_MAX     ((size_t)64 << 10) /* bytes behind one header */
#define OUTPUT_SEGMENT_BYTES ((uint64_t)32 << 20)

struct output_log {
	int fd;           /* owned; the file being written, or -1 */
	unsigned segment; /* its number; 0: none yet */
	uint64_t size;    /* bytes in it: whole frames */
	uint64_t limit;   /* of one file */
	bool lost;        /* something could not be written: the disk was full */
};

#define OUTPUT_LOG_INIT                                                                            \
	{                                                                                          \
		.fd = -1, .limit = OUTPUT_SEGMENT_BYTES                                            \
	}

/* Appends at most OUTPUT_FRAME_MAX bytes. What cannot be written is dropped whole, and `lost` says so: the
 * task must not stand still because of it. */
void output_log_append(struct output_log *log, int folder_fd, enum chunk_stream stream,
                       const void *bytes, size_t length);
void output_log_close(struct output_log *log);

struct output_options {
	int64_t tail;    /* only the last so many lines, of both streams together; -1: all */
	bool timestamps; /* each line behind its time, as RFC 3339 with nanoseconds and a blank */
};

struct output_reader {
	int folder_fd; /* borrowed */
	int fd;        /* owned; the file being read, or -1 */
	unsigned segment;
	uint64_t offset;       /* of the buffer's first byte in the file */
	size_t used, position; /* bytes in the buffer, and those taken */
	size_t left;           /* bytes of the current frame that are not handed out */
	uint64_t frame_time;   /* nanoseconds since 1970 */
	enum chunk_stream stream;
	int64_t skip;                         /* lines to pass over yet */
	bool inside_line[CHUNK_STREAM_COUNT]; /* its time has been told */
	bool timestamps;
	bool incomplete; /* part of the output is not there any more */
	bool corrupt;    /* a frame that cannot be */
	char stamp[48];
	char buffer[OUTPUT_FRAME_HEADER + OUTPUT_FRAME_MAX];
};

#define OUTPUT_READER_INIT                                                                         \
	{                                                                                          \
		.folder_fd = -1, .fd = -1                                                          \
	}

/* Counts lines when there is a tail, so it reads everything once. */
void output_reader_start(struct output_reader *reader, int folder_fd,
                         const struct output_options *options);
/* 1 and the next piece, borrowed until the next call; 0 when there is no more (now). */
int output_reader_next(struct output_reader *reader, struct chunk *ret);
void output_reader_close(struct output_reader *reader);

#endif
