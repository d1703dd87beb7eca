/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/err.h"

Test(err, sets_kind_and_message_and_forgets_the_rest)
{
	struct err err = {.os_errno = 5, .http_status = 404, .message = "old", .hint = "old"};

	cr_assert_eq(err_set(&err, ERR_NOT_FOUND, "no '%s' among %d", "web", 3), -1);
	cr_assert_eq(err.kind, ERR_NOT_FOUND);
	cr_assert_eq(err.os_errno, 0);
	cr_assert_eq(err.http_status, 0);
	cr_assert_str_eq(err.message, "no 'web' among 3");
	cr_assert_str_empty(err.hint);
}

Test(err, keeps_errno_and_its_text)
{
	struct err err = ERR_INIT;
	char wanted[128];

	snprintf(wanted, sizeof(wanted), "open 'x': %s", strerror(ENOENT));
	errno = ENOENT;
	cr_assert_eq(err_errno(&err, "open '%s'", "x"), -1);
	cr_assert_eq(err.kind, ERR_SYSTEM);
	cr_assert_eq(err.os_errno, ENOENT);
	cr_assert_str_eq(err.message, wanted);
}

Test(err, wraps_from_the_inside_out)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_DENIED, "cause");
	err.http_status = 403;
	err_hint(&err, "ask %s", "root");
	cr_assert_eq(err_wrap(&err, "inner"), -1);
	cr_assert_eq(err_wrap(&err, "outer %d", 1), -1);
	cr_assert_str_eq(err.message, "outer 1: inner: cause");
	cr_assert_eq(err.kind, ERR_DENIED);
	cr_assert_eq(err.http_status, 403);
	cr_assert_str_eq(err.hint, "ask root");
}

Test(err, cuts_at_the_size)
{
	struct err err = ERR_INIT;
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_REFUSED, "%s", text);
	cr_assert_eq(strlen(err.message), sizeof(err.message) - 1);
	err_wrap(&err, "outer");
	cr_assert_eq(strlen(err.message), sizeof(err.message) - 1);
	cr_assert_eq(strncmp(err.message, "outer: xxx", 10), 0);
	err_wrap(&err, "%s", text);
	cr_assert_eq(strlen(err.message), sizeof(err.message) - 1);
	errno = EPERM;
	err_errno(&err, "%s", text);
	cr_assert_eq(strlen(err.message), sizeof(err.message) - 1);
	err_hint(&err, "%s", text);
	cr_assert_eq(strlen(err.hint), sizeof(err.hint) - 1);
}

Test(err, has_a_prepared_answer_to_no_memory)
{
	struct err err = ERR_INIT;

	cr_assert_eq(err_no_memory(&err), -1);
	cr_assert_eq(err.kind, ERR_NO_MEMORY);
	cr_assert_str_not_empty(err.message);
}

Test(err, every_kind_has_its_own_name)
{
	for (int kind = 0; kind < ERR_KIND_COUNT; kind++) {
		const char *name = err_kind_name((enum err_kind)kind);

		cr_assert_not_null(name, "kind %d", kind);
		cr_assert_eq(name[strspn(name, "abcdefghijklmnopqrstuvwxyz-")], '\0');
		for (int other = 0; other < kind; other++)
			cr_assert_str_neq(name, err_kind_name((enum err_kind)other));
	}
	cr_assert_str_eq(err_kind_name(ERR_NOT_FOUND), "not-found");
	cr_assert_str_eq(err_kind_name((enum err_kind)ERR_KIND_COUNT), "internal");
	cr_assert_str_eq(err_kind_name((enum err_kind) - 1), "internal");
}
