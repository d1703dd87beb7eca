/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream fed whole and fed in pieces must give the same bytes for each stream and the same end.
 * The first byte of the input says where the cuts are.
 */
#include <string.h>
#include "pkg/base/strbuf.h"
#include "pkg/net/frames.h"
#include "tests/fuzz/fuzz.h"

struct outcome {
	struct frames frames;
	struct strbuf streams[CHUNK_STREAM_COUNT];
	bool refused;
};

static void feed(struct outcome *outcome, const char *bytes, size_t length)
{
	size_t offset = 0;

	while (!outcome->refused && offset < length) {
		struct chunk piece;
		ssize_t used =
			frames_next(&outcome->frames, bytes + offset, length - offset, &piece);

		if (used < 0) {
			outcome->refused = true;
			return;
		}
		if (used == 0 || (size_t)used > length - offset || piece.length > (size_t)used)
			abort();
		if (piece.length &&
		    (piece.bytes < bytes + offset || piece.bytes + piece.length > bytes + length))
			abort();
		if (piece.length)
			strbuf_add(&outcome->streams[piece.stream], piece.bytes, piece.length);
		offset += (size_t)used;
	}
}

static bool same(const struct strbuf *left, const struct strbuf *right)
{
	return left->length == right->length &&
	       (!left->length || !memcmp(left->data, right->data, left->length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = {.refused = false}, cut = {.refused = false};
	const char *bytes = (const char *)data + 1;
	size_t step;

	if (size < 1)
		return 0;
	size--;
	step = (size_t)data[0] + 1;
	feed(&whole, bytes, size);
	for (size_t at = 0; at < size; at += step)
		feed(&cut, bytes + at, size - at < step ? size - at : step);
	if (whole.refused != cut.refused || !same(&whole.streams[0], &cut.streams[0]) ||
	    !same(&whole.streams[1], &cut.streams[1]) ||
	    frames_in_frame(&whole.frames) != frames_in_frame(&cut.frames) ||
	    strcmp(whole.frames.daemon_error, cut.frames.daemon_error))
		abort();
	for (int i = 0; i < CHUNK_STREAM_COUNT; i++) {
		strbuf_release(&whole.streams[i]);
		strbuf_release(&cut.streams[i]);
	}
	return 0;
}
