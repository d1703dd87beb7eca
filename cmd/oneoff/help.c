/* SPDX-License-Identifier: Apache-2.0 */
/* What --help and `oneoff help` say, from the tables. */
#include <string.h>
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/message.h"

#define NAME_WIDTH 11

static const char *const group_titles[COMMAND_GROUP_COUNT] = {
	[COMMAND_TASKS] = "run a task",
	[COMMAND_LIVE] = "look after tasks",
	[COMMAND_SCHEDULES] = "tasks at set times",
	[COMMAND_MORE] = "more",
};
static const enum command_group group_order[] = {COMMAND_TASKS, COMMAND_LIVE, COMMAND_SCHEDULES,
                                                 COMMAND_MORE};

static void add_group(enum command_group group, struct strbuf *out)
{
	bool begun = false;

	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = commands[i];

		if (command->hidden || command->group != group)
			continue;
		if (!begun)
			strbuf_addf(out, "%s:\n", group_titles[group]);
		begun = true;
		strbuf_addf(out, "  %-*s %s\n", NAME_WIDTH, command->name, command->summary);
	}
	if (begun)
		strbuf_addc(out, '\n');
}

void command_overview(struct strbuf *out)
{
	strbuf_adds(out,
	            "oneoff runs an admin task in a throwaway clone of a running app: same image,\n"
	            "same environment, same volumes and networks; gone when the task ends.\n\n"
	            "  oneoff run --like web -- python manage.py migrate\n"
	            "  pg_dump shop | oneoff run --like web -- psql\n"
	            "  oneoff console --like web\n"
	            "  oneoff plan --like web -- python manage.py migrate\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(group_order); i++)
		add_group(group_order[i], out);
	strbuf_adds(
		out,
		"`oneoff help COMMAND` tells more about one, `man oneoff` about all. Defaults for\n"
		"options: ~/.config/oneoff/config.yaml, .oneoff.yaml, variables ONEOFF_*.\n\n");
	exit_code_help(out);
}

static void add_examples(const struct command_example *example, struct strbuf *out)
{
	strbuf_adds(out, "\nexamples:\n");
	for (; example->line; example++) {
		if (example->meaning)
			strbuf_addf(out, "  # %s\n", example->meaning);
		strbuf_addf(out, "  %s\n", example->line);
	}
}

void command_help(const struct command *command, struct strbuf *out)
{
	strbuf_addf(out, "usage: oneoff %s%s%s%s%s\n\n%s\n", command->parent ? command->parent : "",
	            command->parent ? " " : "", command->name, *command->usage ? " " : "",
	            command->usage, command->summary);
	if (command->details)
		strbuf_addf(out, "\n%s\n", command->details);
	if (command->subcommands) {
		strbuf_adds(out, "\ncommands:\n");
		for (size_t i = 0; command->subcommands[i]; i++)
			strbuf_addf(out, "  %-*s %s\n", NAME_WIDTH, command->subcommands[i]->name,
			            command->subcommands[i]->summary);
	}
	if (command->examples)
		add_examples(command->examples, out);
	if (command->options) {
		strbuf_adds(out, "\noptions:\n");
		options_help(command->options, *command->option_count, out);
	}
}

int command_print_help(const struct command *command, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	command_help(command, &text);
	if (text.failed)
		return err_no_memory(err);
	return message_output(&text, err);
}
