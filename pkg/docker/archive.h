/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file out of the tar that `GET /containers/ID/archive?path=P` answers (Engine API, "Get an
 * archive of a filesystem resource"). libarchive reads it, its tar reader only, loaded on first use
 * because it brings a dozen libraries that a run does not need. Single thread.
 *
 *	if (archive_read_file(body->data, body->length, 65536, &text, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_DOCKER_ARCHIVE_H
#define ONEOFF_DOCKER_ARCHIVE_H

#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"

/* Appends the content of the first entry, which must be a regular file of at most `cap` bytes; what
 * follows it is not looked at. ERR_NOT_FOUND when there is none or it is something else (a folder,
 * a link), ERR_NO_MEMORY "larger than" when it has more bytes, ERR_PROTOCOL when this is no tar, a
 * packed one, or one that ends too early; ERR_SYSTEM without libarchive. On failure *ret's content
 * is as it was. */
int archive_read_file(const void *tar, size_t length, size_t cap, struct strbuf *ret,
                      struct err *err) _must_check_;

#endif
