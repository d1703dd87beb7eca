/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/backend/command_text.h"

static void expect_shown(const char *label, const char *line)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	command_text_show(label, &text);
	cr_expect_str_eq(strbuf_str(&text), line, "%s", strbuf_str(&text));
}

Test(command_text, is_shown_as_it_would_be_typed)
{
	expect_shown("[\"rake\",\"db:migrate\"]", "rake db:migrate");
	expect_shown("[\"sh\",\"-c\",\"a b\"]", "sh -c 'a b'");
	expect_shown("[\"\",\"x\"]", "'' x");
	expect_shown("[]", "");
	expect_shown(NULL, "");
}

Test(command_text, what_is_no_list_of_words_is_shown_as_it_stands_without_control_bytes)
{
	expect_shown("[\"sh\",\"-c\",\"aaa…", "[\"sh\",\"-c\",\"aaa…");
	expect_shown("{\"a\":1}", "{\"a\":1}");
	expect_shown("[1]", "[1]");
	expect_shown("a\033[2J", "a\\x1b[2J");
}

Test(command_text, goes_there_and_back)
{
	_cleanup_(strbuf_release) struct strbuf label = STRBUF_INIT;
	_cleanup_(json_free) cJSON *argv = cJSON_CreateArray();

	cr_assert_eq(json_add_string(argv, "it's"), 0);
	cr_assert_eq(json_add_string(argv, "ä"), 0);
	cr_assert_eq(command_text_add(argv, &label), 0);
	expect_shown(strbuf_str(&label), "'it'\\''s' 'ä'");
}

static void expect_held(struct lock_holder_text holder, const char *message, const char *hint)
{
	struct err err = ERR_INIT;

	cr_expect_eq(lock_is_held("one", &holder, &err), -1);
	cr_expect_eq(err.kind, ERR_LOCKED);
	cr_expect_str_eq(err.message, message, "%s", err.message);
	cr_expect_not_null(strstr(err.hint, hint), "%s", err.hint);
}

Test(lock_is_held, says_who_since_when_and_doing_what_as_far_as_it_is_known)
{
	expect_held((struct lock_holder_text){"abcdefgh", "ana@laptop", "2026-11-21T12:00:00Z",
	                                      "[\"rake\",\"a\"]"},
	            "lock 'one' is held by ana@laptop since 2026-11-21T12:00:00Z: rake a",
	            "oneoff attach abcdefgh");
	expect_held((struct lock_holder_text){NULL, NULL, NULL, NULL},
	            "lock 'one' is held by another task", "--lock-wait");
}

Test(lock_is_held, a_long_command_is_cut_between_characters)
{
	char command[400] = "[\"";
	struct err err = ERR_INIT;

	for (int i = 0; i < 100; i++)
		memcpy(command + 2 + 3 * i, "€", 3);
	memcpy(command + 302, "\"]", 3);
	cr_expect_eq(lock_is_held("one", &(struct lock_holder_text){.command = command}, &err), -1);
	cr_expect_str_eq(err.message + strlen(err.message) - 6, "€…", "%s", err.message);
	cr_expect_leq(strlen(err.message), 170);
}
