/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Header blocks are kept in memory, a sparse file's map in several times its size: a cap of our own,
 * for libarchive has none on all of them together. */
static la_ssize_t give_tar(struct archive *archive, void *context, const void **ret)
{
	struct layer_reader *reader = context;
	ssize_t got = layer_stream_read(reader->stream, ret, &reader->failure);

	if (got > 0 && reader->in_header) {
		reader->header_bytes += (uint64_t)got;
		if (reader->header_bytes > LAYER_HEADER_MAX)
			got = err_set(&reader->failure, ERR_REFUSED,
			              "the header of an entry has more than %" PRIu64 " bytes",
			              LAYER_HEADER_MAX);
	}
	if (got < 0)
		reader->library->archive_set_error(archive, EIO, "the stream failed");
	return got;
}

static int failed(struct layer_reader *reader, struct err *err)
{
	const char *words;

	if (reader->failure.kind != ERR_NONE) {
		*err = reader->failure;
		return -1;
	}
	words = reader->library->archive_error_string(reader->archive);
	return err_set(err, ERR_PROTOCOL, "the layer cannot be read as a tar: %s",
	               words ? words : "it is damaged");
}

int layer_reader_open(struct layer_reader *reader, struct err *err)
{
	const struct archive_library *library = reader->library;

	reader->failure = (struct err)ERR_INIT;
	reader->archive = library->archive_read_new();
	if (!reader->archive)
		return err_no_memory(err);
	if (library->archive_read_support_format_tar(reader->archive) != ARCHIVE_OK ||
	    library->archive_read_open2(reader->archive, reader, NULL, give_tar, NULL, NULL) !=
	            ARCHIVE_OK)
		return failed(reader, err);
	return 0;
}

void layer_reader_close(struct layer_reader *reader)
{
	if (reader->archive)
		reader->library->archive_read_free(reader->archive);
	reader->archive = NULL;
}

/* In the locale "C", which layer_apply sets, a PAX name beyond ASCII "can't be converted": a warning,
 * and the name is what stands in the tar. Every other warning is about a header that is damaged. */
static bool is_about_locale(const struct layer_reader *reader)
{
	const char *words = reader->library->archive_error_string(reader->archive);

	return words && strstr(words, "can't be converted");
}

int layer_reader_next(struct layer_reader *reader, struct archive_entry **ret, struct err *err)
{
	const struct archive_library *library = reader->library;
	int result;

	/* First the content that nobody wanted, so that only headers count as header. */
	if (reader->has_entry && library->archive_read_data_skip(reader->archive) != ARCHIVE_OK)
		return failed(reader, err);
	reader->header_bytes = 0;
	reader->in_header = true;
	result = library->archive_read_next_header(reader->archive, ret);
	reader->in_header = false;
	if (result == ARCHIVE_EOF)
		return 0;
	reader->has_entry = true;
	if (result == ARCHIVE_OK || (result == ARCHIVE_WARN && is_about_locale(reader)))
		return 1;
	return failed(reader, err);
}

int layer_reader_data(struct layer_reader *reader, const void **ret, size_t *ret_length,
                      int64_t *ret_offset, struct err *err)
{
	int result = reader->library->archive_read_data_block(reader->archive, ret, ret_length,
	                                                      ret_offset);

	if (result == ARCHIVE_EOF)
		return 0;
	return result == ARCHIVE_OK ? 1 : failed(reader, err);
}
