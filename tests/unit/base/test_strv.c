/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/strv.h"

Test(strv, is_null_while_empty)
{
	_cleanup_(strv_release) struct strv list = STRV_INIT;

	cr_assert_null(list.items);
	cr_assert_null(strv_find_key(&list, "A"));
	strv_release(&list);
}

Test(strv, copies_what_is_added_and_ends_with_null)
{
	_cleanup_(strv_release) struct strv list = STRV_INIT;
	char text[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "item %d", i);
		cr_assert_eq(strv_add(&list, text), 0);
		cr_assert_eq(list.count, (size_t)i + 1);
		cr_assert_null(list.items[list.count]);
	}
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "item %d", i);
		cr_assert_str_eq(list.items[i], text);
	}
}

Test(strv, formats_and_takes)
{
	_cleanup_(strv_release) struct strv list = STRV_INIT;
	char *mine = strdup("mine");

	cr_assert_eq(strv_addf(&list, "%s=%d", "K", 7), 0);
	cr_assert_eq(strv_take(&list, mine), 0);
	cr_assert_eq(strv_take(&list, NULL), -1);
	cr_assert_eq(list.count, 2);
	cr_assert_str_eq(list.items[0], "K=7");
	cr_assert_eq(list.items[1], mine);
}

Test(strv, can_be_used_again_after_release)
{
	_cleanup_(strv_release) struct strv list = STRV_INIT;

	cr_assert_eq(strv_add(&list, "a"), 0);
	strv_release(&list);
	cr_assert_null(list.items);
	cr_assert_eq(list.count, 0);
	cr_assert_eq(strv_add(&list, "b"), 0);
	cr_assert_str_eq(list.items[0], "b");
}

Test(strv, finds_whole_keys_only)
{
	_cleanup_(strv_release) struct strv list = STRV_INIT;

	cr_assert_eq(strv_add(&list, "PATHS=1"), 0);
	cr_assert_eq(strv_add(&list, "PATH=2"), 0);
	cr_assert_eq(strv_add(&list, "BARE"), 0);
	cr_assert_eq(strv_add(&list, "EMPTY="), 0);
	cr_assert_str_eq(strv_find_key(&list, "PATH"), "PATH=2");
	cr_assert_str_eq(strv_find_key(&list, "BARE"), "BARE");
	cr_assert_str_eq(strv_find_key(&list, "EMPTY"), "EMPTY=");
	cr_assert_null(strv_find_key(&list, "PAT"));
	cr_assert_null(strv_find_key(&list, "path"));
	cr_assert_null(strv_find_key(&list, "BAREST"));
}
