/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PIECE ((size_t)256 << 10)

struct layer_stream {
	const struct archive_library *library;
	struct byte_source *source;
	struct layer_usage *usage;
	struct sha256 *hash;
	struct archive *filter; /* NULL: the source is not compressed */
	struct err failure;     /* what the source said while libarchive read it */
	uint64_t taken;         /* bytes of the source */
	size_t ready;           /* bytes in `piece` that nobody was given yet */
	bool source_ended, ended;
	unsigned char piece[PIECE];
};

int layer_charge_bytes(struct layer_usage *usage, uint64_t stream, uint64_t content,
                       struct err *err)
{
	uint64_t most, more;

	if (__builtin_add_overflow(usage->stream, stream, &usage->stream) ||
	    __builtin_add_overflow(usage->content, content, &usage->content))
		return err_set(err, ERR_REFUSED, "more bytes than can be counted");
	most = usage->stream > usage->content ? usage->stream : usage->content;
	more = most - usage->charged;
	if (more > usage->budget->bytes)
		return err_set(err, ERR_REFUSED,
		               "the image is larger unpacked than it may be: %" PRIu64
		               " bytes and more in this layer",
		               most);
	usage->budget->bytes -= more;
	usage->charged = most;
	return 0;
}

int layer_charge_entry(struct layer_usage *usage, struct err *err)
{
	if (!usage->budget->entries)
		return err_set(err, ERR_REFUSED, "the image has more files than it may have");
	usage->budget->entries--;
	return 0;
}

static ssize_t read_source(struct layer_stream *stream, void *buffer, size_t size, struct err *err)
{
	ssize_t got;

	if (stream->source_ended)
		return 0;
	got = stream->source->read(stream->source, buffer, size, err);
	if (got > 0)
		stream->taken += (uint64_t)got;
	stream->source_ended = got <= 0;
	return got;
}

/* Fills `piece` as far as the magic numbers reach. */
static int read_head(struct layer_stream *stream, struct err *err)
{
	while (stream->ready < 4) {
		ssize_t got = read_source(stream, stream->piece + stream->ready,
		                          PIECE - stream->ready, err);

		if (got < 0)
			return -1;
		if (!got)
			break;
		stream->ready += (size_t)got;
	}
	return stream->ready ? 0 : err_set(err, ERR_PROTOCOL, "the layer has no bytes");
}

static la_ssize_t give_filter(struct archive *archive, void *context, const void **ret)
{
	struct layer_stream *stream = context;
	ssize_t got = (ssize_t)stream->ready;

	*ret = stream->piece;
	stream->ready = 0;
	if (!got)
		got = read_source(stream, stream->piece, PIECE, &stream->failure);
	if (got < 0)
		stream->library->archive_set_error(archive, EIO, "the source failed");
	return got;
}

static int filter_failed(struct layer_stream *stream, struct err *err)
{
	const char *words;

	if (stream->failure.kind != ERR_NONE) {
		*err = stream->failure;
		return -1;
	}
	words = stream->library->archive_error_string(stream->filter);
	return err_set(err, ERR_PROTOCOL, "cannot uncompress the layer: %s",
	               words ? words : "it is damaged");
}

/* ARCHIVE_WARN stands for "only with the help of a program that I would start". */
static int add_filter(struct layer_stream *stream, bool gzip, struct err *err)
{
	const struct archive_library *library = stream->library;
	int added = gzip ? library->archive_read_support_filter_gzip(stream->filter)
	                 : library->archive_read_support_filter_zstd(stream->filter);

	if (added == ARCHIVE_OK)
		return 0;
	err_set(err, ERR_SYSTEM, "this libarchive cannot uncompress %s by itself",
	        gzip ? "gzip" : "zstd");
	return err_hint(err, "install a libarchive that is built with zlib and libzstd");
}

static int open_filter(struct layer_stream *stream, bool gzip, struct err *err)
{
	const struct archive_library *library = stream->library;
	struct archive_entry *entry;

	stream->filter = library->archive_read_new();
	if (!stream->filter)
		return err_no_memory(err);
	if (add_filter(stream, gzip, err) < 0)
		return -1;
	if (library->archive_read_support_format_raw(stream->filter) != ARCHIVE_OK ||
	    library->archive_read_open2(stream->filter, stream, NULL, give_filter, NULL, NULL) !=
	            ARCHIVE_OK ||
	    library->archive_read_next_header(stream->filter, &entry) != ARCHIVE_OK)
		return filter_failed(stream, err);
	return 0;
}

int layer_stream_open(struct byte_source *source, const struct archive_library *library,
                      struct layer_usage *usage, struct layer_stream **ret, struct err *err)
{
	_cleanup_(layer_stream_free) struct layer_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return err_no_memory(err);
	stream->source = source;
	stream->library = library;
	stream->usage = usage;
	if (sha256_begin(&stream->hash, err) < 0 || read_head(stream, err) < 0)
		return -1;
	if (stream->ready >= 2 && !memcmp(stream->piece, "\x1f\x8b", 2)) {
		if (open_filter(stream, true, err) < 0)
			return -1;
	} else if (stream->ready >= 4 && !memcmp(stream->piece, "\x28\xb5\x2f\xfd", 4)) {
		if (open_filter(stream, false, err) < 0)
			return -1;
	}
	*ret = TAKE_PTR(stream);
	return 0;
}

static ssize_t read_filtered(struct layer_stream *stream, const void **ret, struct err *err)
{
	size_t length = 0;
	int64_t offset;
	int result = ARCHIVE_OK;

	while (result == ARCHIVE_OK && !length)
		result = stream->library->archive_read_data_block(stream->filter, ret, &length,
		                                                  &offset);
	if (result == ARCHIVE_EOF)
		return 0;
	return result == ARCHIVE_OK ? (ssize_t)length : filter_failed(stream, err);
}

static ssize_t read_plain(struct layer_stream *stream, const void **ret, struct err *err)
{
	ssize_t got = (ssize_t)stream->ready;

	*ret = stream->piece;
	stream->ready = 0;
	return got ? got : read_source(stream, stream->piece, PIECE, err);
}

/* A small file that unpacks to very much is a trap, whatever the budget. */
static int check_ratio(const struct layer_stream *stream, struct err *err)
{
	if (!stream->filter || stream->usage->stream <= LAYER_RATIO_FROM ||
	    stream->usage->stream / LAYER_RATIO_MAX <= stream->taken)
		return 0;
	return err_set(err, ERR_REFUSED,
	               "the layer grows to more than %d times its size when it is unpacked",
	               LAYER_RATIO_MAX);
}

ssize_t layer_stream_read(struct layer_stream *stream, const void **ret, struct err *err)
{
	ssize_t got;

	if (stream->ended)
		return 0;
	got = stream->filter ? read_filtered(stream, ret, err) : read_plain(stream, ret, err);
	stream->ended = got <= 0;
	if (got <= 0)
		return got;
	if (layer_charge_bytes(stream->usage, (uint64_t)got, 0, err) < 0 ||
	    check_ratio(stream, err) < 0 || sha256_update(stream->hash, *ret, (size_t)got, err) < 0)
		return -1;
	return got;
}

int layer_stream_finish(struct layer_stream *stream, char hex[SHA256_HEX_SIZE], struct err *err)
{
	const void *bytes;
	ssize_t got;

	do
		got = layer_stream_read(stream, &bytes, err);
	while (got > 0);
	/* What stands behind the compressed data means nothing, but the source checks it. */
	while (got == 0 && !stream->source_ended)
		if (read_source(stream, stream->piece, PIECE, err) < 0)
			return -1;
	return got < 0 ? -1 : sha256_end(stream->hash, hex, err);
}

void layer_stream_free(struct layer_stream **stream)
{
	if (!*stream)
		return;
	if ((*stream)->filter)
		(*stream)->library->archive_read_free((*stream)->filter);
	sha256_release(&(*stream)->hash);
	free(*stream);
	*stream = NULL;
}
