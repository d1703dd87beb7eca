/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "oci/digest.h"
#include "pkg/base/compat.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(digest, takes_sha256_with_64_small_digits)
{
	cr_assert(digest_is_valid("sha256:" HEX));
	cr_assert_str_eq(digest_hex("sha256:" HEX), HEX);
	cr_assert_eq(sizeof("sha256:" HEX), DIGEST_SIZE);
}

Test(digest, refuses_everything_else)
{
	static const char *const bad[] = {
		"",
		"sha256:",
		"sha256",
		HEX,
		"sha256:" HEX "0",
		"SHA256:" HEX,
		"sha256-" HEX,
		"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"sha256:../../../../../../../../../../../../../../../../../../../etc/pass",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg",
		"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/",
		"sha512:" HEX HEX,
		"sha256:" HEX " ",
		" sha256:" HEX,
		"sha256:" HEX "\n",
	};

	cr_assert_not(digest_is_valid(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_not(digest_is_valid(bad[i]), "'%s'", bad[i]);
}
