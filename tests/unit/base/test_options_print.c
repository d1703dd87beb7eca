/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/base/options.h"

struct target {
	bool tty;
	int verbose;
	char *user;
	struct strv env;
	int64_t timeout, memory, cpu;
	int keep;
};

static const char *const keeps[] = {"never", "failed", NULL};

#define AT(field) offsetof(struct target, field)

static const struct option options[] = {
	{'t', "tty", OPTION_TRUE, AT(tty), NULL, NULL, NULL, "a terminal"},
	{'v', "verbose", OPTION_COUNT, AT(verbose), NULL, NULL, NULL, "say more"},
	{'u', "user", OPTION_STRING, AT(user), "USER", NULL, NULL, "run as this user"},
	{0, "alias", OPTION_STRING, AT(user), "USER", NULL, NULL, NULL},
	{'e', "env", OPTION_LIST, AT(env), "K[=V]", NULL, NULL, "add to the environment"},
	{0, "timeout", OPTION_DURATION, AT(timeout), "DUR", NULL, NULL, "running time"},
	{'m', "memory", OPTION_SIZE, AT(memory), "SIZE", NULL, NULL, "another limit"},
	{0, "cpu", OPTION_CPUS, AT(cpu), "N", NULL, NULL, "another limit"},
	{0, "keep", OPTION_CHOICE, AT(keep), NULL, keeps, NULL, "what to leave behind"},
};

static void target_release(struct target *target)
{
	free(target->user);
	strv_release(&target->env);
}

static const struct target defaults = {.timeout = 86400000, .memory = -1, .cpu = -1};

static void expect_words(const struct target *target, bool (*wanted)(const struct option *option),
                         const char *words)
{
	_cleanup_(strv_release) struct strv list = STRV_INIT;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	cr_assert_eq(options_print(options, ARRAY_SIZE(options), target, &defaults, wanted, &list),
	             0);
	for (size_t i = 0; i < list.count; i++)
		strbuf_addf(&text, "%s|", list.items[i]);
	cr_expect_str_eq(strbuf_str(&text), words);
}

static void read_back(const struct target *from, struct target *to)
{
	_cleanup_(strv_release) struct strv list = STRV_INIT;
	struct err err = ERR_INIT;
	int operands;
	bool dashes;

	cr_assert_eq(options_print(options, ARRAY_SIZE(options), from, &defaults, NULL, &list), 0);
	cr_assert_eq(options_parse(options, ARRAY_SIZE(options), (int)list.count, list.items, to,
	                           &operands, &dashes, &err),
	             0, "%s", err.message);
}

Test(options_print, what_is_as_usual_is_not_said)
{
	expect_words(&defaults, NULL, "");
}

Test(options_print, what_differs_is_said_in_the_order_of_the_table)
{
	_cleanup_(target_release) struct target target = {.tty = true,
	                                                  .verbose = 2,
	                                                  .timeout = 5400000,
	                                                  .memory = 1 << 20,
	                                                  .cpu = 1500000000,
	                                                  .keep = 1};

	target.user = strdup("-x");
	cr_assert_eq(strv_add(&target.env, "A=1"), 0);
	cr_assert_eq(strv_add(&target.env, "B"), 0);
	expect_words(&target, NULL,
	             "--tty|--verbose|--verbose|--user|-x|--env|A=1|--env|B|--timeout|90m|--memory|"
	             "1048576|--cpu|1.5|--keep|failed|");
}

static bool not_env(const struct option *option)
{
	return strcmp(option->long_name, "env") != 0;
}

Test(options_print, unwanted_rows_are_left_out)
{
	_cleanup_(target_release) struct target target = defaults;

	cr_assert_eq(strv_add(&target.env, "A=1"), 0);
	target.timeout = 0;
	expect_words(&target, not_env, "--timeout|0d|");
}

Test(options_print, the_parser_makes_the_same_of_it)
{
	static const int64_t numbers[] = {0, 1, 999, 1000, 59999, 60000, 90000000, 123456789};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		_cleanup_(target_release) struct target target = defaults, again = defaults;

		target.timeout = numbers[i];
		target.cpu = numbers[i] * 1000 + 1;
		read_back(&target, &again);
		cr_expect_eq(again.timeout, target.timeout, "%lld", (long long)numbers[i]);
		cr_expect_eq(again.cpu, target.cpu, "%lld", (long long)numbers[i]);
	}
}
