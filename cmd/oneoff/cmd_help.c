/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/manual.h"
#include "cmd/oneoff/message.h"

struct help_options {
	bool help, man, names;
};

/* clang-format off */
static const struct option help_options[] = {
	{'h', "help", OPTION_TRUE, offsetof(struct help_options, help), NULL, NULL, NULL,
	 "show this help"},
	/* for the Makefile */
	{0, "man", OPTION_TRUE, offsetof(struct help_options, man), NULL, NULL, NULL, NULL},
	{0, "names", OPTION_TRUE, offsetof(struct help_options, names), NULL, NULL, NULL, NULL},
};
static const size_t help_option_count = ARRAY_SIZE(help_options);
/* clang-format on */

static void add_names(struct strbuf *out)
{
	for (size_t i = 0; i < command_count; i++)
		if (!commands[i]->hidden)
			strbuf_addf(out, "%s\n", commands[i]->name);
}

static int print(const struct help_options *options, int count, char *const *words, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct command *wanted = &cmd_help;

	if (count > 0 && command_resolve(count, words, &wanted, err) < 0)
		return -1;
	if (options->names)
		add_names(&text);
	else if (options->man && count > 0)
		manual_command(wanted, &text);
	else if (options->man)
		manual_overview(&text);
	else if (count > 0 || options->help)
		command_help(wanted, &text);
	else
		command_overview(&text);
	if (text.failed)
		return err_no_memory(err);
	return message_output(&text, err);
}

static int run(const struct command *command, int argc, char **argv)
{
	struct help_options options = {.help = false};
	struct err err = ERR_INIT;
	bool dashes;
	int first;

	if (options_parse(command->options, *command->option_count, argc - 1, argv + 1, &options,
	                  &first, &dashes, &err) == 0 &&
	    print(&options, argc - 1 - first, argv + 1 + first, &err) == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

const struct command cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "tell about oneoff, or about one command",
	.options = help_options,
	.option_count = &help_option_count,
	.run = run,
	.operand = COMPLETE_COMMAND,
};
