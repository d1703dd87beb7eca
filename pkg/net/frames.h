/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Docker's multiplexed stream (Engine API, "Attach to a container", stream format): an 8-byte
 * header [type][0][0][0][length, big-endian], then that many bytes. A state machine without I/O:
 * feed it bytes cut anywhere, it hands out pieces of payload as they come and never buffers a frame.
 *
 *	struct frames frames = FRAMES_INIT;
 *	while (offset < length) {
 *		used = frames_next(&frames, bytes + offset, length - offset, &piece);
 *		...
 */
#ifndef ONEOFF_NET_FRAMES_H
#define ONEOFF_NET_FRAMES_H

#include <stdint.h>
#include <sys/types.h>
#include "pkg/io/channel.h"

struct frames {
	unsigned char header[8];
	unsigned header_used;
	uint32_t payload_left;
	char daemon_error[256]; /* the text of type 3 frames, cut at the size */
};

#define FRAMES_INIT                                                                                \
	{                                                                                          \
		.header_used = 0                                                                   \
	}

/* Takes bytes from the front and says how many; -1 when they cannot be this protocol. ret->length
 * is 0 when the step yielded no output. Frames of type 0 (stdin echo) count as stdout, as in
 * docker's own client; type 3 is an error text of the daemon and goes to daemon_error. */
ssize_t frames_next(struct frames *frames, const char *bytes, size_t length, struct chunk *ret);

/* True at the end of a stream that was cut inside a frame. */
bool frames_in_frame(const struct frames *frames);

#endif
