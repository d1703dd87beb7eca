/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "pkg/base/strbuf.h"

Test(strbuf, reads_as_empty_before_anything_is_added)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT;

	cr_assert_str_eq(strbuf_str(&buffer), "");
	strbuf_consume(&buffer, 3);
	strbuf_reset(&buffer);
	cr_assert_str_eq(strbuf_str(&buffer), "");
}

Test(strbuf, appends_in_every_way)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT;

	strbuf_adds(&buffer, "a");
	strbuf_addc(&buffer, 'b');
	strbuf_add(&buffer, "cde", 2);
	strbuf_addf(&buffer, "-%s-%d", "x", 7);
	strbuf_adds(&buffer, "");
	strbuf_add(&buffer, NULL, 0);
	cr_assert_str_eq(strbuf_str(&buffer), "abcd-x-7");
	cr_assert_eq(buffer.length, 8);
	cr_assert_not(buffer.failed);
}

Test(strbuf, holds_nul_bytes)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT;

	strbuf_add(&buffer, "a\0b", 3);
	strbuf_addc(&buffer, '\0');
	cr_assert_eq(buffer.length, 4);
	cr_assert_arr_eq(buffer.data, "a\0b\0", 5);
}

Test(strbuf, grows_and_stays_terminated)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT;

	for (int i = 0; i < 100000; i++) {
		strbuf_addc(&buffer, (char)('a' + i % 26));
		cr_assert_eq(buffer.data[buffer.length], '\0');
	}
	cr_assert_eq(strlen(strbuf_str(&buffer)), 100000);
	for (int i = 0; i < 100000; i++)
		cr_assert_eq(buffer.data[i], 'a' + i % 26);
}

Test(strbuf, fails_at_the_cap_and_stays_failed)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT_CAP(4);

	strbuf_adds(&buffer, "abcd");
	cr_assert_not(buffer.failed);
	strbuf_addc(&buffer, 'e');
	cr_assert(buffer.failed);
	strbuf_consume(&buffer, 4);
	strbuf_adds(&buffer, "x");
	cr_assert_str_eq(strbuf_str(&buffer), "");
	cr_assert_null(strbuf_take(&buffer));
	strbuf_reset(&buffer);
	strbuf_adds(&buffer, "x");
	cr_assert_str_eq(strbuf_str(&buffer), "x");
}

Test(strbuf, keeps_its_content_when_an_append_fails)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT_CAP(6);

	strbuf_adds(&buffer, "abc");
	strbuf_addf(&buffer, "%d", 12345);
	cr_assert(buffer.failed);
	cr_assert_str_eq(strbuf_str(&buffer), "abc");
	cr_assert_eq(buffer.length, 3);
	strbuf_release(&buffer);
	cr_assert_eq(buffer.cap, 6);
	strbuf_add(&buffer, "x", SIZE_MAX);
	cr_assert(buffer.failed);
}

Test(strbuf, has_a_default_cap)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT;

	strbuf_add(&buffer, "x", STRBUF_DEFAULT_CAP + 1);
	cr_assert(buffer.failed);
	cr_assert_str_eq(strbuf_str(&buffer), "");
}

Test(strbuf, encodes_for_urls)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT;

	strbuf_add_url(&buffer, "aZ09-._~");
	cr_assert_str_eq(strbuf_str(&buffer), "aZ09-._~");
	strbuf_reset(&buffer);
	strbuf_add_url(&buffer, "a/b c+d?e=f&g%h#\xc3\xbc");
	cr_assert_str_eq(strbuf_str(&buffer), "a%2Fb%20c%2Bd%3Fe%3Df%26g%25h%23%C3%BC");
}

Test(strbuf, consumes_from_the_front)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT;

	strbuf_adds(&buffer, "abcdef");
	strbuf_consume(&buffer, 2);
	cr_assert_str_eq(strbuf_str(&buffer), "cdef");
	strbuf_consume(&buffer, 0);
	cr_assert_eq(buffer.length, 4);
	strbuf_consume(&buffer, 99);
	cr_assert_eq(buffer.length, 0);
	cr_assert_str_eq(strbuf_str(&buffer), "");
}

Test(strbuf, hands_its_content_over)
{
	_cleanup_(strbuf_release) struct strbuf buffer = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *empty = NULL;

	strbuf_adds(&buffer, "mine");
	text = strbuf_take(&buffer);
	cr_assert_str_eq(text, "mine");
	cr_assert_eq(buffer.length, 0);
	empty = strbuf_take(&buffer);
	cr_assert_not_null(empty);
	cr_assert_str_empty(empty);
	strbuf_adds(&buffer, "again");
	cr_assert_str_eq(strbuf_str(&buffer), "again");
	cr_assert_str_eq(text, "mine");
}
