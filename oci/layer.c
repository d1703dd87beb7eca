/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer.h"

#include <inttypes.h>
#include <locale.h>
#include <string.h>
#include "oci/layer_internal.h"

#define DIGEST_PREFIX "sha256:"

static int apply_entry(struct layer_unpacker *unpacker, struct archive_entry *from, struct err *err)
{
	if (layer_charge_entry(&unpacker->usage, err) < 0 ||
	    layer_entry_read(&unpacker->library, from, &unpacker->entry, err) < 0)
		return -1;
	return unpacker->entry.whiteout == LAYER_NO_WHITEOUT ? layer_write(unpacker, err)
	                                                     : layer_whiteout(unpacker, err);
}

static int apply_entries(struct layer_unpacker *unpacker, struct err *err)
{
	struct archive_entry *entry;
	int result;

	while ((result = layer_reader_next(&unpacker->reader, &entry, err)) > 0) {
		const char *name = unpacker->library.archive_entry_pathname(entry);

		if (apply_entry(unpacker, entry, err) < 0)
			return err_wrap(err, "entry '%.300s'", name ? name : "");
	}
	return result;
}

static int check_digest(struct layer_unpacker *unpacker, struct err *err)
{
	const char *expected = unpacker->options->diff_id;
	char hex[SHA256_HEX_SIZE];

	if (layer_stream_finish(unpacker->stream, hex, err) < 0)
		return -1;
	if (!expected)
		return 0;
	if (strncmp(expected, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) != 0)
		return err_set(err, ERR_PROTOCOL, "the diff_id '%.200s' is no sha256", expected);
	if (strcmp(expected + strlen(DIGEST_PREFIX), hex) != 0)
		return err_set(err, ERR_PROTOCOL,
		               "its content is " DIGEST_PREFIX "%s, the image says %.200s", hex,
		               expected);
	return 0;
}

static void report_left_out(const struct layer_unpacker *unpacker)
{
	const struct reporter *reporter = &unpacker->options->reporter;

	if (unpacker->devices_left_out)
		report(reporter, REPORT_NOTE,
		       "%" PRIu64 " device files of the image were left out: making them takes "
		       "privileges",
		       unpacker->devices_left_out);
	if (unpacker->attributes_left_out)
		report(reporter, REPORT_NOTE,
		       "%" PRIu64 " extended attributes of the image were left out: they cannot "
		       "be set here",
		       unpacker->attributes_left_out);
}

static int unpack(struct layer_unpacker *unpacker, struct byte_source *source, struct err *err)
{
	if (archive_library_load(&unpacker->library, err) < 0 ||
	    layer_root_open(&unpacker->root, unpacker->options, &unpacker->usage, err) < 0 ||
	    layer_stream_open(source, &unpacker->library, &unpacker->usage, &unpacker->stream,
	                      err) < 0)
		return -1;
	unpacker->reader.stream = unpacker->stream;
	unpacker->reader.library = &unpacker->library;
	if (layer_reader_open(&unpacker->reader, err) < 0 || apply_entries(unpacker, err) < 0 ||
	    check_digest(unpacker, err) < 0 || layer_root_finish(&unpacker->root, err) < 0)
		return -1;
	report_left_out(unpacker);
	return 0;
}

static void release(struct layer_unpacker *unpacker)
{
	layer_reader_close(&unpacker->reader);
	layer_stream_free(&unpacker->stream);
	layer_root_close(&unpacker->root);
	strbuf_release(&unpacker->entry.path.text);
}

/* In a UTF-8 locale libarchive composes the names of PAX headers (NFC): two files would become one. In
 * "C" it leaves them as they are. */
int layer_apply(struct byte_source *source, const struct layer_options *options, struct err *err)
{
	_cleanup_(release) struct layer_unpacker unpacker = {
		.options = options,
		.usage = {.budget = options->budget},
		.root = {.fd = -1, .last = LAYER_PLACE_INIT},
	};
	locale_t plain = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
	locale_t before;
	int result;

	if (!plain)
		return err_no_memory(err);
	before = uselocale(plain);
	result = unpack(&unpacker, source, err);
	uselocale(before);
	freelocale(plain);
	return result;
}
