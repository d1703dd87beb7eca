/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "pkg/base/options.h"

static const char *const keeps[] = {"never", "failed", "always", NULL};
static const char *const none[] = {NULL};

Test(options_help, lines_up)
{
	static const struct option options[] = {
		{'t', "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "a terminal"},
		{'u', "user", OPTION_STRING, 0, "USER", NULL, "ONEOFF_USER", "run as this user"},
		{0, "from", OPTION_STRING, 0, "SOURCE", NULL, NULL, NULL},
		{0, "cpu", OPTION_CPUS, 0, "N", NULL, NULL, "another limit"},
	};
	_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT;

	strbuf_adds(&out, "Options:\n");
	options_help(options, ARRAY_SIZE(options), &out);
	cr_assert_not(out.failed);
	cr_assert_str_eq(strbuf_str(&out), "Options:\n"
	                                   "  -t, --tty        a terminal\n"
	                                   "  -u, --user USER  run as this user [$ONEOFF_USER]\n"
	                                   "      --cpu N      another limit\n");
}

Test(options_help, gives_a_long_name_its_own_line)
{
	static const struct option options[] = {
		{'a', "all", OPTION_TRUE, 0, NULL, NULL, NULL, "everything"},
		{0, "what-is-left-behind", OPTION_CHOICE, 0, NULL, keeps, NULL, "what to leave"},
	};
	_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT;

	options_help(options, ARRAY_SIZE(options), &out);
	cr_assert_str_eq(strbuf_str(&out), "  -a, --all  everything\n"
	                                   "      --what-is-left-behind never|failed|always\n"
	                                   "             what to leave\n");
}

Test(options_help, wraps_at_80_columns_between_words)
{
	static const struct option options[] = {
		{'x', "example", OPTION_STRING, 0, "TEXT", NULL, NULL,
	         "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
	         "fifteen sixteen seventeen eighteen nineteen twenty "
	         "a-word-that-is-longer-than-any-line-could-be-in-a-terminal-of-eighty-columns "
	         "end"},
	};
	_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf words = STRBUF_INIT;
	char *rest, *line;
	size_t longest = 0;

	options_help(options, 1, &out);
	cr_assert_eq(out.data[out.length - 1], '\n');
	rest = out.data;
	for (int number = 0; (line = strsep(&rest, "\n")) && *line; number++) {
		size_t length = strlen(line);

		cr_assert_neq(line[length - 1], ' ');
		if (number)
			cr_assert_eq(strspn(line, " "), 22, "line %d", number);
		if (!strchr(line, '-') || !number)
			longest = length > longest ? length : longest;
		strbuf_addf(&words, "%s%s", number ? " " : "", line + 22);
	}
	cr_assert_leq(longest, 80);
	cr_assert_gt(longest, 72);
	cr_assert_str_eq(strbuf_str(&words), options[0].help);
}

Test(options_help, fails_with_its_buffer)
{
	static const struct option options[] = {
		{'t', "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "a terminal"},
	};
	_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT_CAP(10);

	options_help(options, 1, &out);
	cr_assert(out.failed);
}

static void expect_fault(const struct option *options, size_t count, const char *part)
{
	struct err err = ERR_INIT;

	cr_assert_eq(options_check(options, count, &err), -1, "%s", part);
	cr_assert_eq(err.kind, ERR_INTERNAL);
	cr_assert_not_null(strstr(err.message, part), "'%s' is not about '%s'", err.message, part);
}

Test(options_check, accepts_a_good_table)
{
	static const struct option options[] = {
		{'t', "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "a terminal"},
		{0, "user", OPTION_STRING, 0, "USER", NULL, "X_USER", "run as this user"},
		{0, "as-user", OPTION_STRING, 0, "USER", NULL, NULL, NULL},
		{0, "keep", OPTION_CHOICE, 0, NULL, keeps, NULL, "what to leave"},
		{'k', "keep2", OPTION_CHOICE, 0, "WHAT", keeps, NULL, "what to leave"},
	};
	struct err err;

	cr_assert_eq(options_check(options, ARRAY_SIZE(options), &err), 0, "%s", err.message);
	cr_assert_eq(options_check(NULL, 0, &err), 0);
}

Test(options_check, finds_every_fault)
{
	static const struct {
		struct option row;
		const char *part;
	} cases[] = {
		{{0, NULL, OPTION_TRUE, 0, NULL, NULL, NULL, "x"}, "row 0 has no long name"},
		{{0, "", OPTION_TRUE, 0, NULL, NULL, NULL, "x"}, "long name nobody"},
		{{0, "x", OPTION_TRUE, 0, NULL, NULL, NULL, "x"}, "long name nobody"},
		{{0, "-tty", OPTION_TRUE, 0, NULL, NULL, NULL, "x"}, "long name nobody"},
		{{0, "a=b", OPTION_TRUE, 0, NULL, NULL, NULL, "x"}, "long name nobody"},
		{{'-', "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "x"}, "short name nobody"},
		{{0, "tty", OPTION_TRUE, 0, "X", NULL, NULL, "x"}, "flag with an argument"},
		{{0, "tty", OPTION_COUNT, 0, "X", NULL, NULL, "x"}, "flag with an argument"},
		{{0, "user", OPTION_STRING, 0, NULL, NULL, NULL, "x"}, "no name for its argument"},
		{{0, "env", OPTION_LIST, 0, NULL, NULL, NULL, "x"}, "no name for its argument"},
		{{0, "keep", OPTION_CHOICE, 0, "X", NULL, NULL, "x"}, "choices"},
		{{0, "keep", OPTION_CHOICE, 0, "X", none, NULL, "x"}, "choices"},
		{{0, "user", OPTION_STRING, 0, "X", keeps, NULL, "x"}, "choices"},
		{{0, "tty", OPTION_TRUE, 0, NULL, NULL, NULL, ""}, "empty help"},
		{{0, "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "Stop."}, "full stop"},
		{{0, "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "two\nlines"}, "no line"},
		{{0, "tty", OPTION_TRUE, 0, NULL, NULL, "X_TTI", "x"}, "not called after it"},
		{{0, "tty", OPTION_TRUE, 0, NULL, NULL, "TTY", "x"}, "not called after it"},
		{{0, "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "x", COMPLETE_FILE}, "completion"},
		{{0, "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "x", .project = true}, "project"},
		{{0, "tty", (enum option_kind)99, 0, NULL, NULL, NULL, "x"}, "no known kind"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_fault(&cases[i].row, 1, cases[i].part);
}

Test(options_check, finds_names_given_twice)
{
	static const struct option long_twice[] = {
		{'t', "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "x"},
		{'u', "user", OPTION_TRUE, 0, NULL, NULL, NULL, "x"},
		{'v', "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "x"},
	};
	static const struct option short_twice[] = {
		{'t', "tty", OPTION_TRUE, 0, NULL, NULL, NULL, "x"},
		{0, "user", OPTION_TRUE, 0, NULL, NULL, NULL, "x"},
		{0, "name", OPTION_TRUE, 0, NULL, NULL, NULL, "x"},
		{'t', "time", OPTION_TRUE, 0, NULL, NULL, NULL, "x"},
	};

	expect_fault(long_twice, 3, "row 2 (--tty) has a long name that is taken");
	expect_fault(short_twice, 4, "row 3 (--time) has a short name that is taken");
}
