/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/io/spool.h"

#include <string.h>

#define HEADER_SIZE (1 + sizeof(size_t))

int spool_add(struct spool *spool, const struct chunk *chunk)
{
	char header[HEADER_SIZE];

	if (chunk->length + HEADER_SIZE > SPOOL_MAX_BYTES - spool->data.length)
		return -1;
	header[0] = (char)chunk->stream;
	memcpy(header + 1, &chunk->length, sizeof(chunk->length));
	strbuf_add(&spool->data, header, sizeof(header));
	strbuf_add(&spool->data, chunk->bytes, chunk->length);
	return spool->data.failed ? -1 : 0;
}

bool spool_front(const struct spool *spool, struct chunk *ret)
{
	const char *record = spool->data.data + spool->offset;
	size_t length;

	if (spool->offset >= spool->data.length)
		return false;
	memcpy(&length, record + 1, sizeof(length));
	ret->stream = (enum chunk_stream)record[0];
	ret->bytes = record + HEADER_SIZE + spool->taken;
	ret->length = length - spool->taken;
	return true;
}

void spool_consume(struct spool *spool, size_t length)
{
	struct chunk front;

	if (!spool_front(spool, &front))
		return;
	spool->taken += length;
	if (length >= front.length) {
		spool->offset += HEADER_SIZE + spool->taken;
		spool->taken = 0;
	}
	if (spool->offset >= spool->data.length) {
		strbuf_reset(&spool->data);
		spool->offset = 0;
	}
}

void spool_release(struct spool *spool)
{
	strbuf_release(&spool->data);
	spool->offset = spool->taken = 0;
}
