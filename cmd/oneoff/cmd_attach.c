/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/task_options.h"

static int prepare(const struct task_options *options, struct join_settings *ret, struct err *err)
{
	ret->kind = JOIN_ATTACH;
	ret->output.stdin_open = !options->no_stdin;
	ret->output.detach_keys = options->detach_keys;
	return task_options_tail(options, &ret->output.tail, err);
}

static int run(const struct command *command, int argc, char **argv)
{
	return task_command(command, argc, argv, prepare);
}

static const struct command_example examples[] = {
	{"oneoff attach x7k2pabc", NULL},
	{NULL, NULL},
};

const struct command cmd_attach = {
	.name = "attach",
	.usage = "[options] ID",
	.summary = "take part in a one-off that runs, from any machine",
	.details =
		"First comes what it has written so far, as far as the platform has it, then what it\n"
		"writes now. The exit code is the task's. To leave is not to end it: Ctrl-C without a\n"
		"terminal, a closed window or a lost connection leave the task running.",
	.options = attach_option_table,
	.option_count = &attach_option_count,
	.run = run,
	.options_anywhere = true,
	.group = COMMAND_LIVE,
	.examples = examples,
	.operand = COMPLETE_ID,
};
