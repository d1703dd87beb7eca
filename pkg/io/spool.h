/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of output chunks in memory. It takes the last bytes of a task that ended while
 * our stdout was blocked: Docker drops what is not read within 2 s of the exit
 * (research/docker-oci.md 1.4).
 */
#ifndef ONEOFF_IO_SPOOL_H
#define ONEOFF_IO_SPOOL_H

#include "pkg/base/strbuf.h"
#include "pkg/io/channel.h"

#define SPOOL_MAX_BYTES ((size_t)16 << 20)

struct spool {
	struct strbuf data; /* records: stream (1 byte), length (size_t), bytes */
	size_t offset;      /* of the first record's header */
	size_t taken;       /* bytes of the first record already consumed */
};

#define SPOOL_INIT                                                                                 \
	{                                                                                          \
		.data = STRBUF_INIT_CAP(SPOOL_MAX_BYTES)                                           \
	}

/* Appends a copy. -1 when the bound or memory is reached; nothing was appended then. */
int spool_add(struct spool *spool, const struct chunk *chunk);
/* The front chunk; false when empty. Borrowed until the next change. */
bool spool_front(const struct spool *spool, struct chunk *ret);
/* Removes that many bytes of the front chunk. */
void spool_consume(struct spool *spool, size_t length);
void spool_release(struct spool *spool);

#endif
