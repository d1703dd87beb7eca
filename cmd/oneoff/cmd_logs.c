/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/task_options.h"

static int prepare(const struct task_options *options, struct join_settings *ret, struct err *err)
{
	ret->kind = JOIN_LOGS;
	ret->output.follow = options->follow;
	ret->output.timestamps = options->timestamps;
	return task_options_tail(options, &ret->output.tail, err);
}

static int run(const struct command *command, int argc, char **argv)
{
	return task_command(command, argc, argv, prepare);
}

static const struct command_example examples[] = {
	{"oneoff logs -f x7k2pabc", "until the task ends"},
	{"oneoff logs --tail 50 x7k", "the beginning of an id is enough"},
	{NULL, NULL},
};

const struct command cmd_logs = {
	.name = "logs",
	.usage = "[options] ID",
	.summary = "show what a one-off has written",
	.details =
		"stdout and stderr come apart again where the platform kept them apart. ID is the\n"
		"id that run -d printed, the beginning of one, or the container's name.",
	.options = logs_option_table,
	.option_count = &logs_option_count,
	.run = run,
	.options_anywhere = true,
	.group = COMMAND_LIVE,
	.examples = examples,
	.operand = COMPLETE_ID,
};
