/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an image on disk, whether it is a folder or a tar: found by name, read by offset, checked
 * against size and digest while they are read.
 */
#ifndef ONEOFF_OCI_IMAGE_FILES_H
#define ONEOFF_OCI_IMAGE_FILES_H

#include "oci/byte_source.h"
#include "oci/tar_index.h"
#include "pkg/json/json.h"

/* Greatest manifest, index or config; image-spec manifest.md suggests 4 MiB. */
#define IMAGE_MAX_DOCUMENT ((size_t)4 << 20)

struct image_files {
	int folder_fd; /* owned; the layout's folder, or -1 for a tar */
	int tar_fd;    /* owned, or -1 */
	struct tar_index index;
};

#define IMAGE_FILES_INIT                                                                           \
	{                                                                                          \
		.folder_fd = -1, .tar_fd = -1                                                      \
	}

void image_files_release(struct image_files *files);

/* Opens a folder or a tar. ERR_NOT_FOUND when nothing is at `path`. */
int image_files_open(const char *path, struct image_files *ret, struct err *err) _must_check_;

/* Whether a regular file of that name is there. */
bool image_files_have(const struct image_files *files, const char *name);

/* The bytes of a file. With `digest` (valid, or NULL) they are checked: size first (-1: any), then the hash,
 * before the end is told. Owned by the caller. ERR_NOT_FOUND, ERR_PROTOCOL for a wrong size. */
int image_files_read(const struct image_files *files, const char *name, const char *digest,
                     int64_t size, struct byte_source **ret, struct err *err) _must_check_;

/* A whole JSON document, at most IMAGE_MAX_DOCUMENT bytes, parsed only when the digest is right. *ret is
 * owned by the caller; ret_digest, if not NULL, gets "sha256:HEX" of it (DIGEST_SIZE bytes). */
int image_files_json(const struct image_files *files, const char *name, const char *digest,
                     int64_t size, char *ret_digest, cJSON **ret, struct err *err) _must_check_;

#endif
