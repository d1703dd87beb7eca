/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "cmd/oneoff/manual.h"
#include "cmd/oneoff/roff.h"

static void expect_text(const char *text, const char *expected)
{
	_cleanup_(strbuf_release) struct strbuf page = STRBUF_INIT;

	roff_text(&page, text);
	cr_expect_str_eq(strbuf_str(&page), expected);
}

Test(roff, nothing_in_a_text_is_a_request)
{
	expect_text(".oneoff.yaml is\n a file", "\\&.oneoff.yaml is a file\n");
	expect_text("'x' \\fBy", "\\(aqx\\(aq \\efBy\n");
	expect_text("a `b` ~/c ^d \"e\"", "a \\(gab\\(ga \\(ti/c \\(had \\(dqe\\(dq\n");
	expect_text("", "\n");
}

Test(roff, dashes_of_options_can_be_copied)
{
	expect_text("one-off --like-this (--that) -v a-b",
	            "one-off \\-\\-like\\-this (\\-\\-that) \\-v a-b\n");
}

Test(roff, a_blank_begins_what_is_shown_as_it_is)
{
	_cleanup_(strbuf_release) struct strbuf page = STRBUF_INIT;

	roff_paragraphs(&page, "a\nb\n\n  x: 1\n  .y\n\nc");
	cr_expect_str_eq(strbuf_str(&page),
	                 "a b\n.PP\n.RS 4\n.EX\n  x: 1\n  .y\n.EE\n.RE\n.PP\nc\n");
}

Test(roff, lines_are_short_and_begin_with_no_dot)
{
	_cleanup_(strbuf_release) struct strbuf page = STRBUF_INIT;
	char text[] =
		"wwwwwwwwwwwwwww .oneoff.yaml wwwwwwwwwwwwwww wwwwwwwwwwwwwwwwwwwwww wwwwwwwwwwwww "
		".oneoff.yaml wwwwwwwwwww wwwwwwwwwwwwwwww .x .y .z wwwwwwwwwwwwwwwwwwwwww .oneoff";
	char *rest, *line;

	roff_text(&page, text);
	rest = page.data;
	while ((line = strsep(&rest, "\n"))) {
		cr_expect_leq(strlen(line), 80, "%s", line);
		cr_expect_neq(line[0], '.');
	}
}

Test(manual, names_every_command_option_and_variable)
{
	_cleanup_(strbuf_release) struct strbuf overview = STRBUF_INIT;

	manual_overview(&overview);
	cr_expect_not(overview.failed);
	for (size_t i = 0; i < command_count; i++) {
		_cleanup_(strbuf_release) struct strbuf page = STRBUF_INIT, name = STRBUF_INIT;
		const struct command *command = commands[i];

		strbuf_addf(&name, "\\fBoneoff\\-%s\\fR(1)", command->name);
		cr_expect_eq(!strstr(strbuf_str(&overview), strbuf_str(&name)), command->hidden);
		manual_command(command, &page);
		for (size_t j = 0; command->options && j < *command->option_count; j++) {
			const struct option *row = &command->options[j];

			strbuf_reset(&name);
			strbuf_adds(&name, "\\fB\\-\\-");
			roff_literal(&name, row->long_name);
			strbuf_adds(&name, "\\fR");
			cr_expect_eq(!strstr(strbuf_str(&page), strbuf_str(&name)), !row->help,
			             "%s --%s", command->name, row->long_name);
			cr_expect(!row->environment || strstr(strbuf_str(&page), row->environment));
		}
	}
}
