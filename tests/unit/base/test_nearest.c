/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "pkg/base/options.h"

static const char *const names[] = {"user", "memory", "timeout", "start-timeout", "env", "tty"};

static const char *nearest(const char *word)
{
	return nearest_name(word, names, ARRAY_SIZE(names));
}

Test(nearest, finds_each_kind_of_slip)
{
	cr_assert_str_eq(nearest("user"), "user");
	cr_assert_str_eq(nearest("usr"), "user");                    /* one missing */
	cr_assert_str_eq(nearest("userr"), "user");                  /* one too many */
	cr_assert_str_eq(nearest("uber"), "user");                   /* one other */
	cr_assert_str_eq(nearest("memroy"), "memory");               /* two swapped */
	cr_assert_str_eq(nearest("start-tiemuot"), "start-timeout"); /* two slips */
}

Test(nearest, has_a_limit_that_grows_with_the_word)
{
	cr_assert_null(nearest("xyz"));
	cr_assert_null(nearest("evx"));            /* 2 off, 3 long: 1 allowed */
	cr_assert_str_eq(nearest("usxx"), "user"); /* 2 off, 4 long: 2 allowed */
	cr_assert_null(nearest("uxxx"));           /* 3 off */
	cr_assert_null(nearest("verbose"));
}

Test(nearest, nothing_is_near_without_a_common_letter)
{
	static const char *const letters[] = {"a", "b"};

	cr_assert_null(nearest_name("c", letters, 2));
	cr_assert_str_eq(nearest_name("b", letters, 2), "b");
}

Test(nearest, takes_the_best_then_the_first)
{
	static const char *const close[] = {"webb1", "web2", "web3"};

	cr_assert_str_eq(nearest_name("web1", close, 3), "webb1");
	cr_assert_str_eq(nearest_name("web9", close, 3), "web2");
	cr_assert_str_eq(nearest_name("web3", close, 3), "web3");
}

Test(nearest, survives_odd_input)
{
	static const char *const odd[] = {NULL, "", "web"};
	char word[4096];

	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	cr_assert_null(nearest_name("", odd, 3));
	cr_assert_null(nearest_name("web", NULL, 0));
	cr_assert_null(nearest_name(word, odd, 3));
	cr_assert_str_eq(nearest_name("wbe", odd, 3), "web");
	for (size_t length = 126; length < 131; length++) {
		const char *self[] = {word + sizeof(word) - 1 - length};

		cr_assert_eq(nearest_name(self[0], self, 1), length <= 128 ? self[0] : NULL);
	}
}
