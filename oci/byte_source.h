/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that come one after another, wherever they come from (a file, a piece of a tar, a buffer):
 * what an image hands to the unpacker. A struct of functions, single thread.
 */
#ifndef ONEOFF_OCI_BYTE_SOURCE_H
#define ONEOFF_OCI_BYTE_SOURCE_H

#include <sys/types.h>
#include "pkg/base/err.h"

struct byte_source {
	/* Reads at most `size` bytes: how many, 0 at the end, -1 with *err. A verifying source
	 * reports a wrong digest or size here, never later than in the call that would return 0. */
	ssize_t (*read)(struct byte_source *source, void *buffer, size_t size, struct err *err);
	/* Frees the source. */
	void (*close)(struct byte_source *source);
};

/* For _cleanup_: closes; NULL is fine. */
static inline void byte_source_close(struct byte_source **source)
{
	if (*source)
		(*source)->close(*source);
	*source = NULL;
}

#endif
