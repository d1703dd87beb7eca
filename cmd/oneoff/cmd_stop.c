/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/task_options.h"

static int prepare(const struct task_options *options, struct join_settings *ret, struct err *err)
{
	(void)err;
	ret->kind = JOIN_STOP;
	ret->grace_ms = options->force ? 0 : options->grace;
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	return task_command(command, argc, argv, prepare);
}

static const struct command_example examples[] = {
	{"oneoff stop --grace 1m x7k2pabc", NULL},
	{NULL, NULL},
};

const struct command cmd_stop = {
	.name = "stop",
	.usage = "[options] ID",
	.summary = "end a one-off: TERM, then KILL after a grace",
	.details =
		"Returns when the task has ended. What was started with -d or --keep stays for those\n"
		"who want to know how it ended: oneoff logs, oneoff wait.",
	.options = stop_option_table,
	.option_count = &stop_option_count,
	.run = run,
	.options_anywhere = true,
	.group = COMMAND_LIVE,
	.examples = examples,
	.operand = COMPLETE_ID,
};
