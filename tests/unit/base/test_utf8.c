/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "pkg/base/compat.h"
#include "pkg/base/utf8.h"

/* Encodes without a check, so that every code point can be tried, and overlong forms too. */
static size_t encode(uint32_t code, size_t size, char out[4])
{
	static const unsigned char leads[] = {0, 0x00, 0xc0, 0xe0, 0xf0};

	for (size_t i = size; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(leads[size] | code);
	return size;
}

static size_t shortest(uint32_t code)
{
	if (code < 0x80)
		return 1;
	if (code < 0x800)
		return 2;
	return code < 0x10000 ? 3 : 4;
}

Test(utf8, decodes_every_code_point_but_surrogates)
{
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		char bytes[4];
		uint32_t seen = 0x55555555;
		size_t size = encode(code, shortest(code), bytes);
		bool surrogate = code >= 0xd800 && code <= 0xdfff;
		size_t got = utf8_decode(bytes, sizeof(bytes), &seen);

		cr_assert_eq(got, surrogate ? 0 : size, "U+%04X", code);
		cr_assert_eq(seen, surrogate ? 0x55555555 : code, "U+%04X", code);
	}
}

Test(utf8, refuses_every_overlong_form)
{
	for (uint32_t code = 0; code < 0x10000; code++) {
		for (size_t size = shortest(code) + 1; size <= 4; size++) {
			char bytes[4];
			uint32_t seen;

			encode(code, size, bytes);
			cr_assert_eq(utf8_decode(bytes, size, &seen), 0, "U+%04X in %zu", code,
			             size);
		}
	}
}

Test(utf8, refuses_what_is_cut)
{
	const char *euro = "\xe2\x82\xac";
	const char *face = "\xf0\x9f\x98\x80";
	uint32_t code;

	for (size_t length = 0; length < 3; length++)
		cr_assert_eq(utf8_decode(euro, length, &code), 0);
	for (size_t length = 0; length < 4; length++)
		cr_assert_eq(utf8_decode(face, length, &code), 0);
	cr_assert_eq(utf8_decode(euro, 3, &code), 3);
	cr_assert_eq(utf8_decode(face, 4, &code), 4);
}

Test(utf8, refuses_wrong_bytes)
{
	static const char *const wrong[] = {"\x80",
	                                    "\xbf",
	                                    "\xfe",
	                                    "\xff",
	                                    "\xc3(",
	                                    "\xe2(\xac",
	                                    "\xe2\x82(",
	                                    "\xf0\x9f\x98(",
	                                    "\xf4\x90\x80\x80",
	                                    "\xf5\x80\x80\x80"};
	uint32_t code;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		cr_assert_eq(utf8_decode(wrong[i], strlen(wrong[i]), &code), 0, "case %zu", i);
}

Test(utf8, validates_whole_texts)
{
	cr_assert(utf8_valid("", 0));
	cr_assert(utf8_valid("a\0b", 3));
	cr_assert(utf8_valid("gr\xc3\xbc\xc3\x9f", 6));
	cr_assert_not(utf8_valid("gr\xc3\xbc\xc3\x9f", 5));
	cr_assert_not(utf8_valid("a\xff", 2));
}
