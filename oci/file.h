/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files of other programs: state files, /proc, files of an image. Always bounded, never
 * blocking on a fifo. Single thread.
 *
 *	if (file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &text, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_OCI_FILE_H
#define ONEOFF_OCI_FILE_H

#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"

/* Appends the whole regular file `path`, relative to folder_fd, at most `cap` bytes. ERR_NOT_FOUND
 * when it is not there or is no regular file, ERR_NO_MEMORY "larger than", ERR_DENIED, ERR_SYSTEM. */
int file_read(int folder_fd, const char *path, size_t cap, struct strbuf *ret,
              struct err *err) _must_check_;

/* The same for a path inside a root folder: links and ".." stay inside (openat2, RESOLVE_IN_ROOT). */
int file_read_in_root(int root_fd, const char *path, size_t cap, struct strbuf *ret,
                      struct err *err) _must_check_;

/* Writes a new file (mode 0600); it must not exist. 0 or -1. */
int file_write_new(int folder_fd, const char *path, const void *bytes, size_t length,
                   struct err *err) _must_check_;

#endif
