/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the members of a tar are: name, offset and size of every regular file, targets of links. The tar is
 * not unpacked; what is needed is read in place later. POSIX ustar and pax (IEEE 1003.1 "pax"), and GNU's
 * long names. libarchive does not tell where a member's data begins, hence our own reader of headers; it
 * trusts nothing: checksums, sizes and the number of members are checked, reads never leave the file.
 */
#ifndef ONEOFF_OCI_TAR_INDEX_H
#define ONEOFF_OCI_TAR_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/err.h"

#define TAR_MAX_MEMBERS 100000

struct tar_member {
	char *name; /* owned; without leading "./" */
	char *link; /* owned; a link's target as it stands there, or NULL */
	uint64_t offset, size;
};

struct tar_index {
	struct tar_member *members; /* owned */
	size_t count, allocated;
};

void tar_index_release(struct tar_index *index);

/* Reads all headers of the file `fd` of `length` bytes. ERR_PROTOCOL when it is no tar, is packed (the
 * hint says so) or ends too early; ERR_REFUSED beyond the caps. */
int tar_index_read(int fd, uint64_t length, struct tar_index *ret, struct err *err) _must_check_;

/* The regular file of that name; links are followed inside the tar, at most 8. NULL when there is none. The
 * last of several members with one name counts, as it does for tar. */
const struct tar_member *tar_index_find(const struct tar_index *index, const char *name);

#endif
