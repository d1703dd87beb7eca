/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "cmd/oneoff/command.h"

Test(commands, each_is_found_by_its_name_and_has_help)
{
	for (size_t i = 0; i < command_count; i++) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

		cr_expect_eq(command_find(commands[i]->name), commands[i]);
		cr_expect_not_null(commands[i]->usage);
		cr_assert_not_null(commands[i]->summary);
		cr_expect(commands[i]->summary[strlen(commands[i]->summary) - 1] != '.');
		command_help(commands[i], &text);
		cr_expect_not(text.failed);
		cr_expect_eq(strncmp(text.data, "usage: oneoff ", 14), 0);
		cr_expect_not_null(strstr(text.data, commands[i]->summary));
		for (size_t j = 0; commands[i]->examples && commands[i]->examples[j].line; j++)
			cr_expect_not_null(strstr(text.data, commands[i]->examples[j].line));
	}
	cr_expect_null((void *)command_find("rnu"));
	cr_expect_null((void *)command_find(""));
}

Test(commands, overview_names_each_once)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	command_overview(&text);
	for (size_t i = 0; i < command_count; i++) {
		char line[64];
		const char *found;

		snprintf(line, sizeof(line), "\n  %-11s ", commands[i]->name);
		found = strstr(strbuf_str(&text), line);
		cr_expect_eq(!found, commands[i]->hidden, "%s", commands[i]->name);
		cr_expect(!found || !strstr(found + 1, line), "%s", commands[i]->name);
	}
}

Test(commands, an_unknown_one_has_a_hint)
{
	static const struct {
		const char *word, *message, *hint;
	} cases[] = {
		{"rnu", "no command 'rnu'", "did you mean 'oneoff run'?"},
		{"xyz", "no command 'xyz'", "see what there is with: oneoff help"},
		{"--like", "unknown option '--like'",
	         "options follow the command: oneoff run --like"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct command *command = NULL;
		struct err err = ERR_INIT;
		char *words[] = {(char *)cases[i].word};

		cr_expect_eq(command_resolve(1, words, &command, &err), -1);
		cr_expect_str_eq(err.message, cases[i].message);
		cr_expect_str_eq(err.hint, cases[i].hint);
	}
}

static int count_arguments(const struct command *command, int argc, char **argv)
{
	return command->parent && !strcmp(argv[0], "outer") ? argc : 99;
}

Test(commands, a_subcommand_gets_what_follows_it)
{
	static const struct command inner = {.name = "inner",
	                                     .usage = "",
	                                     .summary = "x",
	                                     .run = count_arguments,
	                                     .parent = "outer"};
	static const struct command *const list[] = {&inner, NULL};
	static const struct command outer = {
		.name = "outer", .usage = "COMMAND", .summary = "y", .subcommands = list};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char *argv[] = {(char *)"outer", (char *)"inner", (char *)"a", (char *)"b", NULL};
	char *bad[] = {(char *)"outer", (char *)"inne", NULL};

	cr_expect_eq(command_run(&outer, 4, argv), 3);
	cr_expect_eq(command_run(&outer, 2, bad), 125);
	command_help(&inner, &text);
	cr_expect_not_null(strstr(strbuf_str(&text), "usage: oneoff outer inner\n"));
	strbuf_reset(&text);
	command_help(&outer, &text);
	cr_expect_not_null(strstr(strbuf_str(&text), "  inner       x\n"));
}

/* A variable's name can be guessed from the option's. */
Test(commands, option_tables_are_sound)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = commands[i];
		size_t count = command->options ? *command->option_count : 0;
		struct err err = ERR_INIT;

		cr_expect_eq(options_check(command->options, count, &err), 0, "%s: %s",
		             command->name, err.message);
		for (size_t j = 0; j < count; j++) {
			const struct option *row = &command->options[j];

			if (row->environment)
				cr_expect_eq(strncmp(row->environment, "ONEOFF_", 7), 0, "%s --%s",
				             command->name, row->long_name);
			if (row->environment)
				cr_expect_eq(strlen(row->environment), strlen(row->long_name) + 7,
				             "%s --%s", command->name, row->long_name);
		}
	}
}

static bool agree(const struct option *one, const struct option *other)
{
	if (!one->environment || !other->environment)
		return one->environment == other->environment;
	return !strcmp(one->environment, other->environment) && one->kind == other->kind &&
	       one->completion == other->completion && one->project == other->project;
}

/* By name, the first row of all commands before this one. */
static void compare_rows(const struct command *command, const struct option *known[], size_t *used)
{
	size_t count = command->options ? *command->option_count : 0;

	for (size_t i = 0; i < count; i++) {
		const struct option *row = &command->options[i];
		size_t at = 0;

		while (at < *used && strcmp(known[at]->long_name, row->long_name) != 0)
			at++;
		if (at == *used)
			known[(*used)++] = row;
		cr_expect(agree(known[at], row), "%s --%s", command->name, row->long_name);
		cr_assert_lt(*used, 200);
	}
}

/* ONEOFF_VERBOSE is for all commands that have -v, or for none. */
Test(commands, an_option_has_the_same_variable_in_every_command)
{
	const struct option *known[200];
	size_t used = 0;

	for (size_t i = 0; i < command_count; i++) {
		const struct command *const *inner = commands[i]->subcommands;

		compare_rows(commands[i], known, &used);
		for (; inner && *inner; inner++)
			compare_rows(*inner, known, &used);
	}
	cr_expect_gt(used, 50);
}

/* What a project's file may set is a decision about trust: the list stands here once more, so that a new row
 * is not on it by accident. */
Test(commands, a_project_chooses_neither_programs_nor_hosts_nor_identities)
{
	static const char *const never[] = {
		"host",  "context", "kubeconfig", "as",    "as-group", "oci-runtime", "oci-root",
		"store", "env",     "env-file",   "user",  "image",    "entrypoint",  "label",
		"name",  "network", "result",     "quiet", "help",     "show-secrets"};

	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = commands[i];

		for (size_t j = 0; command->options && j < ARRAY_SIZE(never); j++) {
			const struct option *row = option_find_long(
				command->options, *command->option_count, never[j]);

			/* not by a prefix: "name" is none of namespace */
			cr_expect(!row || strcmp(row->long_name, never[j]) || !row->project,
			          "%s --%s", command->name, never[j]);
		}
	}
}

Test(commands, engines_have_every_slot)
{
	for (size_t i = 0; i < engine_count; i++) {
		const struct backend_ops *ops = engines[i];

		cr_expect(ops->name && ops->open && ops->find && ops->plan && ops->create &&
		                  ops->attach && ops->arm && ops->start && ops->exited &&
		                  ops->recover && ops->reattach && ops->may_have_ended &&
		                  ops->signal && ops->resize && ops->remove && ops->sweep &&
		                  ops->read_file && ops->bury && ops->close,
		          "%s", ops->name);
	}
}
