/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/net/frames.h"

#include <string.h>

enum frame_type {
	FRAME_STDIN,
	FRAME_STDOUT,
	FRAME_STDERR,
	FRAME_DAEMON_ERROR,
};

static void keep_daemon_error(struct frames *frames, const char *bytes, size_t length)
{
	size_t used = strlen(frames->daemon_error);
	size_t room = sizeof(frames->daemon_error) - 1 - used;

	/* Without NUL bytes: what follows one would depend on how the text was cut. */
	for (size_t i = 0; i < length && room; i++) {
		if (!bytes[i])
			continue;
		frames->daemon_error[used++] = bytes[i];
		room--;
	}
	frames->daemon_error[used] = '\0';
}

/* Collects header bytes; true when the header is complete and valid, -1 in *result when it is not.
 */
static ssize_t take_header(struct frames *frames, const char *bytes, size_t length)
{
	const unsigned char *header = frames->header;
	size_t take = sizeof(frames->header) - frames->header_used;

	if (take > length)
		take = length;
	memcpy(frames->header + frames->header_used, bytes, take);
	frames->header_used += (unsigned)take;
	if (frames->header_used == sizeof(frames->header)) {
		if (header[0] > FRAME_DAEMON_ERROR || header[1] || header[2] || header[3])
			return -1;
		frames->payload_left = (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 |
		                       (uint32_t)header[6] << 8 | header[7];
		if (!frames->payload_left)
			frames->header_used = 0;
	}
	return (ssize_t)take;
}

ssize_t frames_next(struct frames *frames, const char *bytes, size_t length, struct chunk *ret)
{
	size_t take = length;

	*ret = (struct chunk){.length = 0};
	if (frames->header_used < sizeof(frames->header))
		return take_header(frames, bytes, length);
	if (take > frames->payload_left)
		take = frames->payload_left;
	frames->payload_left -= (uint32_t)take;
	if (!frames->payload_left)
		frames->header_used = 0;
	if (frames->header[0] == FRAME_DAEMON_ERROR) {
		keep_daemon_error(frames, bytes, take);
		return (ssize_t)take;
	}
	ret->stream = frames->header[0] == FRAME_STDERR ? CHUNK_STDERR : CHUNK_STDOUT;
	ret->bytes = bytes;
	ret->length = take;
	return (ssize_t)take;
}

bool frames_in_frame(const struct frames *frames)
{
	return frames->header_used > 0;
}
