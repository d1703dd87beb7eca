/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/options.h"

struct target {
	bool tty;
	bool quiet;
	int verbose;
	char *user;
	char *name;
	struct strv env;
	int64_t timeout;
	int64_t memory;
	int64_t cpu;
	int keep;
};

static const char *const keeps[] = {"never", "failed", "always", NULL};

#define AT(field) offsetof(struct target, field)

static const struct option options[] = {
	{'t', "tty", OPTION_TRUE, AT(tty), NULL, NULL, "X_TTY", "a terminal"},
	{'T', "no-tty", OPTION_FALSE, AT(tty), NULL, NULL, "X_NO_TTY", "no terminal"},
	{'q', "quiet", OPTION_TRUE, AT(quiet), NULL, NULL, NULL, "say less"},
	{'v', "verbose", OPTION_COUNT, AT(verbose), NULL, NULL, "X_VERBOSE", "say more"},
	{'u', "user", OPTION_STRING, AT(user), "USER", NULL, "X_USER", "run as this user"},
	{0, "as-user", OPTION_STRING, AT(user), "USER", NULL, NULL, NULL},
	{0, "name", OPTION_STRING, AT(name), "NAME", NULL, NULL, "a name of your own"},
	{'e', "env", OPTION_LIST, AT(env), "K[=V]", NULL, "X_ENV", "add to the environment"},
	{0, "timeout", OPTION_DURATION, AT(timeout), "DUR", NULL, "X_TIMEOUT", "running time"},
	{'m', "memory", OPTION_SIZE, AT(memory), "SIZE", NULL, NULL, "another limit"},
	{0, "cpu", OPTION_CPUS, AT(cpu), "N", NULL, NULL, "another limit"},
	{0, "keep", OPTION_CHOICE, AT(keep), NULL, keeps, "X_KEEP", "what to leave behind"},
};

static void target_release(struct target *target)
{
	free(target->user);
	free(target->name);
	strv_release(&target->env);
}

#define TARGET _cleanup_(target_release) struct target target = {.timeout = -1, .keep = -1}

/* One call of the parser on words that end with NULL. */
struct outcome {
	int status;
	int argc;
	int operands;
	bool dashes;
	struct err err;
};

static struct outcome parse(struct target *target, const char *first, ...)
{
	struct outcome outcome = {.operands = -7};
	char *argv[32] = {NULL};
	va_list args;

	va_start(args, first);
	for (const char *word = first; word; word = va_arg(args, const char *))
		argv[outcome.argc++] = (char *)word;
	va_end(args);
	outcome.status = options_parse(options, ARRAY_SIZE(options), outcome.argc, argv, target,
	                               &outcome.operands, &outcome.dashes, &outcome.err);
	return outcome;
}

static void expect_good(struct outcome outcome, int operands, bool dashes)
{
	cr_assert_eq(outcome.status, 0, "%s", outcome.err.message);
	cr_assert_eq(outcome.operands, operands);
	cr_assert_eq(outcome.dashes, dashes);
}

static void expect_bad(struct outcome outcome, const char *message, const char *hint)
{
	cr_assert_eq(outcome.status, -1);
	cr_assert_eq(outcome.err.kind, ERR_USAGE);
	cr_assert_str_eq(outcome.err.message, message);
	cr_assert_str_eq(outcome.err.hint, hint);
	cr_assert_eq(outcome.operands, -7, "an output was touched");
	cr_assert_not(outcome.dashes);
}

Test(options, takes_no_arguments_at_all)
{
	TARGET;

	expect_good(parse(&target, NULL), 0, false);
	cr_assert_eq(target.keep, -1);
}

Test(options, reads_every_kind)
{
	TARGET;

	expect_good(parse(&target, "--tty", "--verbose", "--verbose", "--user", "me", "--env",
	                  "A=1", "--env=B==", "--timeout=1h30m", "--memory", "512m", "--cpu=500m",
	                  "--keep", "failed", NULL),
	            14, false);
	cr_assert(target.tty);
	cr_assert_eq(target.verbose, 2);
	cr_assert_str_eq(target.user, "me");
	cr_assert_eq(target.env.count, 2);
	cr_assert_str_eq(target.env.items[0], "A=1");
	cr_assert_str_eq(target.env.items[1], "B==");
	cr_assert_eq(target.timeout, 5400000);
	cr_assert_eq(target.memory, 512 << 20);
	cr_assert_eq(target.cpu, 500000000);
	cr_assert_eq(target.keep, 1);
}

Test(options, short_forms_mean_the_same)
{
	TARGET;

	expect_good(parse(&target, "-tqvv", "-ume", "-e", "A=1", "-vm1g", "-vT", NULL), 6, false);
	cr_assert_not(target.tty);
	cr_assert(target.quiet);
	cr_assert_eq(target.verbose, 4);
	cr_assert_str_eq(target.user, "me");
	cr_assert_str_eq(target.env.items[0], "A=1");
	cr_assert_eq(target.memory, 1 << 30);
}

Test(options, last_string_counts)
{
	TARGET;

	expect_good(parse(&target, "-ua", "--user=b", "--as-user", "c", NULL), 4, false);
	cr_assert_str_eq(target.user, "c");
	expect_good(parse(&target, "--user=", NULL), 1, false);
	cr_assert_str_eq(target.user, "");
}

Test(options, last_flag_counts)
{
	TARGET;

	expect_good(parse(&target, "-t", "-T", NULL), 2, false);
	cr_assert_not(target.tty);
	expect_good(parse(&target, "-T", "-t", NULL), 2, false);
	cr_assert(target.tty);
}

Test(options, ends_at_the_first_operand)
{
	TARGET;

	expect_good(parse(&target, "-t", "ls", "-q", "--", "--nonsense", NULL), 1, false);
	cr_assert_not(target.quiet);
	expect_good(parse(&target, "-", "-q", NULL), 0, false);
	expect_good(parse(&target, "", "-q", NULL), 0, false);
	cr_assert_not(target.quiet);
}

Test(options, ends_at_two_dashes)
{
	TARGET;

	expect_good(parse(&target, "-t", "--", "-q", "--", NULL), 2, true);
	cr_assert_not(target.quiet);
	expect_good(parse(&target, "--", NULL), 1, true);
}

Test(options, a_value_may_look_like_anything)
{
	TARGET;

	expect_good(parse(&target, "--user", "--", "-e", "-q", "-e--", "-u=x", "cmd", NULL), 6,
	            false);
	cr_assert_str_eq(target.user, "=x");
	cr_assert_str_eq(target.env.items[0], "-q");
	cr_assert_str_eq(target.env.items[1], "--");
	cr_assert_not(target.quiet);
}

Test(options, long_names_may_be_cut)
{
	TARGET;

	expect_good(parse(&target, "--verb", "--us=x", "--ti", "5s", "--no", NULL), 5, false);
	cr_assert_eq(target.verbose, 1);
	cr_assert_str_eq(target.user, "x");
	cr_assert_eq(target.timeout, 5000);
}

Test(options, an_ambiguous_cut_lists_the_choices)
{
	TARGET;

	expect_bad(parse(&target, "--t", NULL), "option '--t' can be --tty, --timeout", "");
	expect_bad(parse(&target, "--n=x", NULL), "option '--n' can be --no-tty, --name", "");
}

Test(options, a_whole_name_beats_longer_ones)
{
	static const struct option table[] = {
		{0, "env-file", OPTION_STRING, AT(name), "F", NULL, NULL, "file"},
		{0, "env", OPTION_STRING, AT(user), "E", NULL, NULL, "entry"},
		{0, "env-from", OPTION_STRING, AT(name), "F", NULL, NULL, NULL},
	};
	TARGET;
	char *argv[] = {(char *)"--env", (char *)"A", (char *)"--env-f", (char *)"file"};
	struct err err;
	bool dashes;
	int operands;

	cr_assert_eq(options_parse(table, 3, 2, argv, &target, &operands, &dashes, &err), 0);
	cr_assert_str_eq(target.user, "A");
	/* --env-f may be either name, but both are the same thing */
	cr_assert_eq(options_parse(table, 3, 4, argv, &target, &operands, &dashes, &err), 0);
	cr_assert_str_eq(target.name, "file");
}

Test(options, names_the_unknown_and_its_neighbour)
{
	TARGET;

	expect_bad(parse(&target, "--usre", "x", NULL), "unknown option '--usre'",
	           "did you mean '--user'?");
	expect_bad(parse(&target, "--tymeout=5s", NULL), "unknown option '--tymeout'",
	           "did you mean '--timeout'?");
	expect_bad(parse(&target, "--xyz", NULL), "unknown option '--xyz'", "");
	expect_bad(parse(&target, "--=x", NULL), "unknown option '--'", "");
	expect_bad(parse(&target, "---", NULL), "unknown option '---'", "");
	expect_bad(parse(&target, "-x", NULL), "unknown option '-x'", "");
	expect_bad(parse(&target, "-tx", NULL), "unknown option '-x' in '-tx'", "");
	expect_bad(parse(&target, "-name", NULL), "unknown option '-n' in '-name'",
	           "did you mean '--name'?");
	expect_bad(parse(&target, "-t=1", NULL), "unknown option '-=' in '-t=1'", "");
	expect_bad(parse(&target, "-t\xc3\xbc", NULL), "unknown option in '-t\xc3\xbc'", "");
}

Test(options, misses_values)
{
	TARGET;

	expect_bad(parse(&target, "--user", NULL), "option '--user' needs a value: USER", "");
	expect_bad(parse(&target, "-tu", NULL), "option '-u' needs a value: USER", "");
	expect_bad(parse(&target, "--keep", NULL), "option '--keep' needs a value", "");
	expect_bad(parse(&target, "--tty=maybe", NULL),
	           "option '--tty': 'maybe' is neither true nor false", "");
	expect_bad(parse(&target, "--verb=", NULL),
	           "option '--verbose': '' is not a number from 0 to 100", "");
}

Test(options, a_flag_can_be_undone)
{
	TARGET;

	expect_good(parse(&target, "-t", "--tty=no", "-vvv", "--verbose=1", NULL), 4, false);
	cr_expect_not(target.tty);
	cr_expect_eq(target.verbose, 1);
	expect_good(parse(&target, "--no-tty=off", NULL), 1, false);
	cr_expect(target.tty);
}

Test(options, refuses_bad_values)
{
	TARGET;

	expect_bad(parse(&target, "--timeout", "1.5x", NULL),
	           "option '--timeout': '1.5x' is not a duration",
	           "write it like 90s, 5m, 1h30m or 2d");
	expect_bad(parse(&target, "-m-1", NULL), "option '-m': '-1' is not a size",
	           "write it like 512m, 1g or 64k");
	expect_bad(parse(&target, "--cpu=", NULL),
	           "option '--cpu': '' is not a number of processors",
	           "write it like 2, 0.5 or 500m");
	expect_bad(parse(&target, "--keep=faild", NULL),
	           "option '--keep': 'faild' is not one of never, failed, always",
	           "did you mean 'failed'?");
	expect_bad(parse(&target, "--keep=", NULL),
	           "option '--keep': '' is not one of never, failed, always", "");
	cr_assert_eq(target.timeout, -1);
	cr_assert_eq(target.keep, -1);
}

/* An environment of name and value in turn, ended by NULL. */
static const char *lookup(void *context, const char *name)
{
	for (const char **pair = context; *pair; pair += 2) {
		if (!strcmp(*pair, name))
			return pair[1];
	}
	return NULL;
}

static int from_environment(struct target *target, const char **pairs, struct err *err)
{
	return options_from_environment(options, ARRAY_SIZE(options), lookup, pairs, target, err);
}

Test(options_environment, sets_every_kind)
{
	const char *pairs[] = {"X_TTY",  "on",     "X_VERBOSE", "3",         "X_USER",
	                       "me",     "X_ENV",  "A=1 2",     "X_TIMEOUT", "90",
	                       "X_KEEP", "always", "user",      "not me",    NULL};
	struct err err;
	TARGET;

	cr_assert_eq(from_environment(&target, pairs, &err), 0);
	cr_assert(target.tty);
	cr_assert_eq(target.verbose, 3);
	cr_assert_str_eq(target.user, "me");
	cr_assert_eq(target.env.count, 1);
	cr_assert_str_eq(target.env.items[0], "A=1 2");
	cr_assert_eq(target.timeout, 90000);
	cr_assert_eq(target.keep, 2);
	expect_good(parse(&target, "--user=you", NULL), 1, false);
	cr_assert_str_eq(target.user, "you");
}

Test(options_environment, reads_flags_both_ways)
{
	static const struct {
		const char *name, *value;
		bool wanted;
	} cases[] = {
		{"X_TTY", "1", true},    {"X_TTY", "TRUE", true}, {"X_TTY", "yes", true},
		{"X_TTY", "On", true},   {"X_TTY", "0", false},   {"X_TTY", "false", false},
		{"X_TTY", "No", false},  {"X_TTY", "off", false}, {"X_NO_TTY", "1", false},
		{"X_NO_TTY", "0", true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *pairs[] = {cases[i].name, cases[i].value, NULL};
		struct err err;
		TARGET;

		target.tty = !cases[i].wanted;
		cr_assert_eq(from_environment(&target, pairs, &err), 0);
		cr_assert_eq(target.tty, cases[i].wanted, "case %zu", i);
	}
}

Test(options_environment, leaves_alone_what_is_empty)
{
	const char *pairs[] = {"X_TTY", "", "X_TIMEOUT", "", "X_USER", "", NULL};
	struct err err;
	TARGET;

	target.tty = true;
	cr_assert_eq(from_environment(&target, pairs, &err), 0);
	cr_assert(target.tty);
	cr_assert_eq(target.timeout, -1);
	cr_assert_null(target.user);
}

Test(options_environment, names_the_variable)
{
	static const struct {
		const char *name, *value, *message;
	} cases[] = {
		{"X_TTY", "maybe", "X_TTY: 'maybe' is neither true nor false"},
		{"X_VERBOSE", "101", "X_VERBOSE: '101' is not a number from 0 to 100"},
		{"X_VERBOSE", "-1", "X_VERBOSE: '-1' is not a number from 0 to 100"},
		{"X_TIMEOUT", "-1s", "X_TIMEOUT: '-1s' is not a duration"},
		{"X_KEEP", "x", "X_KEEP: 'x' is not one of never, failed, always"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *pairs[] = {cases[i].name, cases[i].value, NULL};
		struct err err;
		TARGET;

		cr_assert_eq(from_environment(&target, pairs, &err), -1);
		cr_assert_eq(err.kind, ERR_USAGE);
		cr_assert_str_eq(err.message, cases[i].message);
	}
}

static const char *permuted(const char *line)
{
	static char text[256];
	char copy[256], *rest = copy, *words[16], *word;
	int count = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")))
		words[count++] = word;
	options_permute(options, ARRAY_SIZE(options), count, words);
	text[0] = '\0';
	for (int i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
		         words[i]);
	return text;
}

Test(options, may_stand_behind_names_where_a_command_says_so)
{
	cr_expect_str_eq(permuted("id -q"), "-q id");
	cr_expect_str_eq(permuted("a --user b c -qu d e"), "--user b -qu d a c e");
	cr_expect_str_eq(permuted("a --user=b -ub c"), "--user=b -ub a c");
	cr_expect_str_eq(permuted("-t a"), "-t a");
	cr_expect_str_eq(permuted("a - -t"), "-t a -");
}

Test(options, stay_operands_behind_two_dashes)
{
	cr_expect_str_eq(permuted("a -q -- b -t"), "-q a -- b -t");
	cr_expect_str_eq(permuted("-- a -t"), "-- a -t");
	/* a value may be two dashes */
	cr_expect_str_eq(permuted("a -u -- -t"), "-u -- -t a");
}

Test(options, are_moved_even_when_nobody_knows_them_or_their_value_is_missing)
{
	cr_expect_str_eq(permuted("a -x b --nothing c"), "-x --nothing a b c");
	cr_expect_str_eq(permuted("a -u"), "-u a");
}
