/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/archive.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include "pkg/base/archive_library.h"

static int broken(const struct archive_library *library, struct archive *archive, struct err *err)
{
	const char *words = library->archive_error_string(archive);

	return err_set(err, ERR_PROTOCOL, "the engine's archive cannot be read: %s",
	               words ? words : "it is cut");
}

static int too_large(size_t cap, struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "the file is larger than %zu bytes", cap);
}

/* Reads to the end of the entry: its size field is only a claim. */
static int read_content(const struct archive_library *library, struct archive *archive, size_t cap,
                        struct strbuf *content, struct err *err)
{
	char bytes[16384];
	ssize_t got;

	while ((got = library->archive_read_data(archive, bytes, sizeof(bytes))) > 0) {
		if ((size_t)got > cap - content->length)
			return too_large(cap, err);
		strbuf_add(content, bytes, (size_t)got);
		if (content->failed)
			return err_no_memory(err);
	}
	return got < 0 ? broken(library, archive, err) : 0;
}

static int read_first(const struct archive_library *library, struct archive *archive, size_t cap,
                      struct strbuf *content, struct err *err)
{
	struct archive_entry *entry;
	int result = library->archive_read_next_header(archive, &entry);
	int64_t size;

	if (result == ARCHIVE_EOF)
		return err_set(err, ERR_NOT_FOUND, "the archive is empty");
	/* ARCHIVE_WARN: a name that the locale cannot show; we do not look at names. */
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
		return broken(library, archive, err);
	if (library->archive_entry_filetype(entry) != S_IFREG ||
	    library->archive_entry_hardlink(entry))
		return err_set(err, ERR_NOT_FOUND, "it is no regular file");
	size = library->archive_entry_size(entry);
	if (size > 0 && (uint64_t)size > cap)
		return too_large(cap, err);
	if (read_content(library, archive, cap, content, err) < 0)
		return -1;
	if (size < 0 || content->length != (uint64_t)size)
		return err_set(err, ERR_PROTOCOL,
		               "the engine's archive has %zu bytes of a file of %" PRId64,
		               content->length, size);
	return 0;
}

int archive_read_file(const void *tar, size_t length, size_t cap, struct strbuf *ret,
                      struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf content = STRBUF_INIT;
	struct archive_library library;
	struct archive *archive;
	int result;

	/* libarchive calls nothing at all an empty archive. */
	if (!length)
		return err_set(err, ERR_PROTOCOL, "the engine's archive has no bytes");
	if (archive_library_load(&library, err) < 0)
		return -1;
	archive = library.archive_read_new();
	if (!archive)
		return err_no_memory(err);
	/* No filter but none: a hostile one would start programs or expand without bound. */
	if (library.archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    library.archive_read_open_memory(archive, tar, length) != ARCHIVE_OK)
		result = broken(&library, archive, err);
	else
		result = read_first(&library, archive, cap, &content, err);
	library.archive_read_free(archive);
	if (result < 0)
		return -1;
	strbuf_add(ret, strbuf_str(&content), content.length);
	return ret->failed ? err_no_memory(err) : 0;
}
