/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/io/spool.h"

static int add(struct spool *spool, enum chunk_stream stream, const char *text)
{
	struct chunk chunk = {stream, text, strlen(text)};

	return spool_add(spool, &chunk);
}

Test(spool, gives_back_in_order)
{
	struct spool spool = SPOOL_INIT;
	struct chunk front;

	cr_expect_not(spool_front(&spool, &front));
	cr_assert_eq(add(&spool, CHUNK_STDOUT, "one"), 0);
	cr_assert_eq(add(&spool, CHUNK_STDERR, "two!"), 0);
	cr_assert(spool_front(&spool, &front));
	cr_expect_eq(front.stream, CHUNK_STDOUT);
	cr_expect_eq(front.length, 3);
	cr_expect_eq(memcmp(front.bytes, "one", 3), 0);
	spool_consume(&spool, 3);
	cr_assert(spool_front(&spool, &front));
	cr_expect_eq(front.stream, CHUNK_STDERR);
	cr_expect_eq(front.length, 4);
	spool_consume(&spool, 4);
	cr_expect_not(spool_front(&spool, &front));
	spool_release(&spool);
}

Test(spool, takes_a_front_in_parts)
{
	struct spool spool = SPOOL_INIT;
	struct chunk front;

	cr_assert_eq(add(&spool, CHUNK_STDOUT, "abc"), 0);
	spool_consume(&spool, 1);
	cr_assert_eq(add(&spool, CHUNK_STDOUT, "def"), 0);
	cr_assert(spool_front(&spool, &front));
	cr_expect_eq(front.length, 2);
	cr_expect_eq(memcmp(front.bytes, "bc", 2), 0);
	spool_consume(&spool, 2);
	cr_assert(spool_front(&spool, &front));
	cr_expect_eq(memcmp(front.bytes, "def", 3), 0);
	spool_consume(&spool, 3);
	cr_expect_not(spool_front(&spool, &front));
	spool_consume(&spool, 3);
	spool_release(&spool);
}

Test(spool, is_bounded_and_whole_at_the_bound)
{
	struct spool spool = SPOOL_INIT;
	static char block[1 << 20];
	struct chunk chunk = {CHUNK_STDOUT, block, sizeof(block)}, front;
	size_t added = 0, got = 0;

	memset(block, 'x', sizeof(block));
	while (spool_add(&spool, &chunk) == 0)
		added++;
	cr_expect_eq(added, SPOOL_MAX_BYTES / sizeof(block) - 1);
	cr_expect_eq(spool_add(&spool, &chunk), -1);
	while (spool_front(&spool, &front)) {
		got += front.length;
		spool_consume(&spool, front.length);
	}
	cr_expect_eq(got, added * sizeof(block));
	/* Empty again, it takes again. */
	cr_expect_eq(spool_add(&spool, &chunk), 0);
	spool_release(&spool);
}
