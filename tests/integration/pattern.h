/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the suite outside and the helper inside the container must agree on: the same bytes from the
 * same seed, and the same hash of a stream. No libc beyond string.h.
 *
 *	struct pattern pattern = {.state = seed};
 *	pattern_fill(&pattern, buffer, sizeof(buffer));
 *	hash = fnv_add(FNV_START, buffer, sizeof(buffer));
 */
#ifndef ONEOFF_TESTS_PATTERN_H
#define ONEOFF_TESTS_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* FNV-1a, 64 bits. */
static inline uint64_t fnv_add(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t i;

	for (i = 0; i < length; i++)
		hash = (hash ^ p[i]) * FNV_PRIME;
	return hash;
}

/* A stream of bytes with every value in it, NUL and newline included. */
struct pattern {
	uint64_t state; /* the seed; 0 is taken as 1 */
	uint64_t word;
	unsigned left; /* bytes of `word` not given yet */
};

static inline unsigned char pattern_next(struct pattern *pattern)
{
	unsigned char byte;

	if (pattern->left == 0) {
		if (pattern->state == 0)
			pattern->state = 1;
		pattern->state ^= pattern->state << 13;
		pattern->state ^= pattern->state >> 7;
		pattern->state ^= pattern->state << 17;
		pattern->word = pattern->state * UINT64_C(0x2545f4914f6cdd1d);
		pattern->left = 8;
	}
	byte = (unsigned char)pattern->word;
	pattern->word >>= 8;
	pattern->left--;
	return byte;
}

static inline void pattern_fill(struct pattern *pattern, void *bytes, size_t length)
{
	unsigned char *p = (unsigned char *)bytes;
	size_t i;

	for (i = 0; i < length; i++)
		p[i] = pattern_next(pattern);
}

#endif
