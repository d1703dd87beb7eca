/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file out of the tar that `GET /containers/ID/archive?path=P` answers (Engine API, "Get an
 * archive of a filesystem resource"). libarchive reads it, its tar reader only, loaded on first use
 * because it brings a dozen libraries that a run does not need.
 */
#ifndef ONEOFF_DOCKER_ARCHIVE_H
#define ONEOFF_DOCKER_ARCHIVE_H

#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"

/* Appends the content of the first entry, which must be a regular file of at most `cap` bytes.
 * ERR_NOT_FOUND when it is something else (a folder, a link), ERR_NO_MEMORY when it is larger,
 * ERR_PROTOCOL when this is no whole tar. On failure *ret is as it was. */
int archive_read_file(const void *tar, size_t length, size_t cap, struct strbuf *ret,
                      struct err *err) _must_check_;

#endif
