/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/base/sha256.h"

static const char digest_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

Test(sha256, gives_the_published_digests)
{
	/* FIPS 180-4 examples: text, then digest. */
	static const char *const known[] = {
		"",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"abc",
		digest_abc,
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i += 2) {
		struct err err = ERR_INIT;
		char hex[SHA256_HEX_SIZE];

		cr_assert_eq(sha256_hex(known[i], strlen(known[i]), hex, &err), 0);
		cr_assert_str_eq(hex, known[i + 1]);
	}
}

Test(sha256, takes_bytes_in_any_pieces)
{
	static const char million_a[] =
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
	char piece[1000];

	memset(piece, 'a', sizeof(piece));
	for (size_t size = 1; size <= sizeof(piece); size *= 10) {
		_cleanup_(sha256_release) struct sha256 *hash = NULL;
		struct err err = ERR_INIT;
		char hex[SHA256_HEX_SIZE];

		cr_assert_eq(sha256_begin(&hash, &err), 0);
		for (size_t sent = 0; sent < 1000000; sent += size)
			cr_assert_eq(sha256_update(hash, piece, size, &err), 0);
		cr_assert_eq(sha256_end(hash, hex, &err), 0);
		cr_assert_str_eq(hex, million_a);
	}
}

Test(sha256, keeps_two_hashes_apart)
{
	_cleanup_(sha256_release) struct sha256 *one = NULL;
	_cleanup_(sha256_release) struct sha256 *two = NULL;
	struct err err = ERR_INIT;
	char hex_one[SHA256_HEX_SIZE], hex_two[SHA256_HEX_SIZE];

	cr_assert_eq(sha256_begin(&one, &err), 0);
	cr_assert_eq(sha256_begin(&two, &err), 0);
	cr_assert_eq(sha256_update(one, "ab", 2, &err), 0);
	cr_assert_eq(sha256_update(two, "abd", 3, &err), 0);
	cr_assert_eq(sha256_update(one, NULL, 0, &err), 0);
	cr_assert_eq(sha256_update(one, "c", 1, &err), 0);
	cr_assert_eq(sha256_end(two, hex_two, &err), 0);
	cr_assert_eq(sha256_end(one, hex_one, &err), 0);
	cr_assert_str_eq(hex_one, digest_abc);
	cr_assert_str_neq(hex_two, digest_abc);
}
