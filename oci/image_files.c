/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/image_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "oci/digest.h"
#include "pkg/base/sha256.h"

void image_files_release(struct image_files *files)
{
	if (files->folder_fd >= 0)
		close(files->folder_fd);
	if (files->tar_fd >= 0)
		close(files->tar_fd);
	tar_index_release(&files->index);
	*files = (struct image_files)IMAGE_FILES_INIT;
}

int image_files_open(const char *path, struct image_files *ret, struct err *err)
{
	_cleanup_(image_files_release) struct image_files files = IMAGE_FILES_INIT;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0) {
		int fault = errno;

		err_errno(err, "cannot open the image '%s'", path);
		if (fault == ENOENT || fault == ENOTDIR)
			err->kind = ERR_NOT_FOUND;
		else if (fault == EACCES || fault == EPERM)
			err->kind = ERR_DENIED;
		return -1;
	}
	if (S_ISDIR(info.st_mode)) {
		files.folder_fd = TAKE_FD(fd);
	} else if (S_ISREG(info.st_mode)) {
		files.tar_fd = TAKE_FD(fd);
		if (tar_index_read(files.tar_fd, (uint64_t)info.st_size, &files.index, err) < 0)
			return err_wrap(err, "%s", path);
	} else {
		return err_set(err, ERR_PROTOCOL, "'%s' is neither a folder nor a tar", path);
	}
	*ret = files;
	files = (struct image_files)IMAGE_FILES_INIT;
	return 0;
}

/* A piece of a file. */
struct extent {
	int fd; /* owned */
	uint64_t offset, size;
};

static int cannot_open(const char *name, struct err *err)
{
	int fault = errno;

	if (fault == ENOENT || fault == ENOTDIR || fault == ELOOP || fault == ENXIO)
		return err_set(err, ERR_NOT_FOUND, "the image has no file '%.300s'", name);
	err_errno(err, "cannot open the image's file '%.300s'", name);
	if (fault == EACCES || fault == EPERM)
		err->kind = ERR_DENIED;
	return -1;
}

/* Folder by folder: names come from the image, and must lead neither out of it nor over a link. */
static int open_below(int folder_fd, const char *name)
{
	_cleanup_fd_ int owned = -1;
	int at = folder_fd;

	for (;;) {
		size_t length = strcspn(name, "/");
		char part[NAME_MAX + 1];
		int next;

		if (!length || length > NAME_MAX ||
		    (length == 2 && name[0] == '.' && name[1] == '.')) {
			errno = ENOENT;
			return -1;
		}
		memcpy(part, name, length);
		part[length] = '\0';
		if (!name[length])
			return openat(at, part,
			              O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
		next = openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -1;
		cleanup_fd(&owned);
		owned = at = next;
		name += length + 1;
	}
}

static int open_in_folder(const struct image_files *files, const char *name, struct extent *ret,
                          struct err *err)
{
	_cleanup_fd_ int fd = open_below(files->folder_fd, name);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) < 0)
		return cannot_open(name, err);
	if (!S_ISREG(info.st_mode))
		return err_set(err, ERR_NOT_FOUND, "the image has no file '%.300s'", name);
	*ret = (struct extent){TAKE_FD(fd), 0, (uint64_t)info.st_size};
	return 0;
}

static int open_extent(const struct image_files *files, const char *name, struct extent *ret,
                       struct err *err)
{
	const struct tar_member *member;
	int fd;

	if (files->folder_fd >= 0)
		return open_in_folder(files, name, ret, err);
	member = tar_index_find(&files->index, name);
	if (!member)
		return err_set(err, ERR_NOT_FOUND, "the image has no file '%s'", name);
	fd = fcntl(files->tar_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_errno(err, "dup");
	*ret = (struct extent){fd, member->offset, member->size};
	return 0;
}

bool image_files_have(const struct image_files *files, const char *name)
{
	struct extent extent;
	struct err ignored = ERR_INIT;

	if (open_extent(files, name, &extent, &ignored) < 0)
		return false;
	close(extent.fd);
	return true;
}

struct verified_source {
	struct byte_source base;
	struct extent extent;
	uint64_t left;
	struct sha256 *hash; /* owned; NULL: not to be checked, or done */
	char digest[DIGEST_SIZE];
	char name[256];
	bool failed;
};

static int check_digest(struct verified_source *source, struct err *err)
{
	char hex[SHA256_HEX_SIZE];
	int result = sha256_end(source->hash, hex, err);

	sha256_release(&source->hash);
	if (result < 0)
		return -1;
	if (strcmp(hex, digest_hex(source->digest)) != 0)
		return err_set(err, ERR_PROTOCOL,
		               "'%s' is not what its digest says (it is sha256:%s)", source->name,
		               hex);
	return 0;
}

static ssize_t read_piece(struct verified_source *source, void *buffer, size_t size,
                          struct err *err)
{
	ssize_t got;

	if (!source->left)
		return source->hash && check_digest(source, err) < 0 ? -1 : 0;
	if (size > source->left)
		size = (size_t)source->left;
	do
		got = pread(source->extent.fd, buffer, size,
		            (off_t)(source->extent.offset + source->extent.size - source->left));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(err, "cannot read '%s'", source->name);
	if (got == 0)
		return err_set(err, ERR_PROTOCOL, "'%s' became shorter while it was read",
		               source->name);
	if (source->hash && sha256_update(source->hash, buffer, (size_t)got, err) < 0)
		return -1;
	source->left -= (uint64_t)got;
	return got;
}

/* Nobody may take the 0 of a second call for a good end. */
static ssize_t source_read(struct byte_source *base, void *buffer, size_t size, struct err *err)
{
	struct verified_source *source = (struct verified_source *)base;
	ssize_t got;

	if (source->failed)
		return err_set(err, ERR_PROTOCOL, "'%s' could not be read before", source->name);
	got = read_piece(source, buffer, size, err);
	source->failed = got < 0;
	return got;
}

static void source_close(struct byte_source *base)
{
	struct verified_source *source = (struct verified_source *)base;

	close(source->extent.fd);
	sha256_release(&source->hash);
	free(source);
}

int image_files_read(const struct image_files *files, const char *name, const char *digest,
                     int64_t size, struct byte_source **ret, struct err *err)
{
	struct verified_source *source = calloc(1, sizeof(*source));

	if (!source)
		return err_no_memory(err);
	source->base = (struct byte_source){source_read, source_close};
	snprintf(source->name, sizeof(source->name), "%s", name);
	if (open_extent(files, name, &source->extent, err) < 0) {
		free(source);
		return -1;
	}
	source->left = source->extent.size;
	if (size >= 0 && source->left != (uint64_t)size) {
		err_set(err, ERR_PROTOCOL,
		        "'%s' has %" PRIu64 " bytes, its descriptor says %" PRId64, name,
		        source->left, size);
		source_close(&source->base);
		return -1;
	}
	if (digest && sha256_begin(&source->hash, err) < 0) {
		source_close(&source->base);
		return -1;
	}
	if (digest)
		snprintf(source->digest, sizeof(source->digest), "%s", digest);
	*ret = &source->base;
	return 0;
}

static int read_whole(struct byte_source *source, const char *name, struct strbuf *text,
                      struct err *err)
{
	char bytes[16384];
	ssize_t got;

	while ((got = source->read(source, bytes, sizeof(bytes), err)) > 0) {
		if (text->length + (size_t)got > IMAGE_MAX_DOCUMENT)
			return err_set(err, ERR_REFUSED, "'%s' is larger than %zu bytes", name,
			               IMAGE_MAX_DOCUMENT);
		strbuf_add(text, bytes, (size_t)got);
	}
	return got < 0 ? -1 : text->failed ? err_no_memory(err) : 0;
}

int image_files_json(const struct image_files *files, const char *name, const char *digest,
                     int64_t size, char *ret_digest, cJSON **ret, struct err *err)
{
	_cleanup_(byte_source_close) struct byte_source *source = NULL;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char hex[SHA256_HEX_SIZE];

	if (image_files_read(files, name, digest, size, &source, err) < 0 ||
	    read_whole(source, name, &text, err) < 0)
		return -1;
	if (ret_digest) {
		if (sha256_hex(strbuf_str(&text), text.length, hex, err) < 0)
			return -1;
		snprintf(ret_digest, DIGEST_SIZE, "sha256:%s", hex);
	}
	if (json_parse(strbuf_str(&text), text.length, IMAGE_MAX_DOCUMENT, ret, err) < 0)
		return err_wrap(err, "'%s'", name);
	return 0;
}
