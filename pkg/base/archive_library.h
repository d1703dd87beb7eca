/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive, loaded with dlopen on first use because it brings a dozen libraries that most commands
 * do not need. Its functions are called through a table with their own names and types:
 *
 *	struct archive_library library;
 *	if (archive_library_load(&library, err) < 0)
 *		return -1;
 *	struct archive *archive = library.archive_read_new();
 *
 * Only what reads is in the table: writing below a root folder is ours (oci/layer.h), and of formats
 * and filters only those that neither start programs nor read other files.
 */
#ifndef ONEOFF_BASE_ARCHIVE_LIBRARY_H
#define ONEOFF_BASE_ARCHIVE_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>
#include "pkg/base/err.h"

#define ARCHIVE_LIBRARY_FUNCTIONS(X)                                                               \
	X(archive_read_new)                                                                        \
	X(archive_read_free)                                                                       \
	X(archive_read_support_format_tar)                                                         \
	X(archive_read_support_format_raw)                                                         \
	X(archive_read_support_filter_gzip)                                                        \
	X(archive_read_support_filter_zstd)                                                        \
	X(archive_read_open_memory)                                                                \
	X(archive_read_open2)                                                                      \
	X(archive_read_open_fd)                                                                    \
	X(archive_read_set_seek_callback)                                                          \
	X(archive_read_set_options)                                                                \
	X(archive_read_next_header)                                                                \
	X(archive_read_data)                                                                       \
	X(archive_read_data_block)                                                                 \
	X(archive_read_data_skip)                                                                  \
	X(archive_read_header_position)                                                            \
	X(archive_error_string)                                                                    \
	X(archive_errno)                                                                           \
	X(archive_set_error)                                                                       \
	X(archive_entry_filetype)                                                                  \
	X(archive_entry_pathname)                                                                  \
	X(archive_entry_hardlink)                                                                  \
	X(archive_entry_symlink)                                                                   \
	X(archive_entry_size)                                                                      \
	X(archive_entry_size_is_set)                                                               \
	X(archive_entry_perm)                                                                      \
	X(archive_entry_uid)                                                                       \
	X(archive_entry_gid)                                                                       \
	X(archive_entry_rdevmajor)                                                                 \
	X(archive_entry_rdevminor)                                                                 \
	X(archive_entry_mtime)                                                                     \
	X(archive_entry_mtime_nsec)                                                                \
	X(archive_entry_mtime_is_set)                                                              \
	X(archive_entry_atime)                                                                     \
	X(archive_entry_atime_nsec)                                                                \
	X(archive_entry_atime_is_set)                                                              \
	X(archive_entry_xattr_reset)                                                               \
	X(archive_entry_xattr_next)                                                                \
	X(archive_entry_sparse_reset)                                                              \
	X(archive_entry_sparse_next)

struct archive_library {
#define ARCHIVE_LIBRARY_MEMBER(name) __typeof__(&(name)) name;
	ARCHIVE_LIBRARY_FUNCTIONS(ARCHIVE_LIBRARY_MEMBER)
#undef ARCHIVE_LIBRARY_MEMBER
};

/* Fills the table. ERR_SYSTEM with the package to install when libarchive.so.13 is not there. It is
 * never unloaded; loading it again is cheap. */
int archive_library_load(struct archive_library *ret, struct err *err) _must_check_;

#endif
