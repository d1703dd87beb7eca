/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/task_options.h"

static int prepare(const struct task_options *options, struct join_settings *ret, struct err *err)
{
	(void)options;
	(void)err;
	ret->kind = JOIN_WAIT;
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	return task_command(command, argc, argv, prepare);
}

static const struct command_example examples[] = {
	{"oneoff wait \"$(oneoff run -d --like web -- rake report)\"",
         "start it now, wait for it later"},
	{NULL, NULL},
};

const struct command cmd_wait = {
	.name = "wait",
	.usage = "[options] ID",
	.summary = "wait for the end of a one-off and exit with its code",
	.details =
		"When a detached one failed, its last lines are shown on stderr. Ctrl-C leaves the\n"
		"task running.",
	.options = wait_option_table,
	.option_count = &wait_option_count,
	.run = run,
	.options_anywhere = true,
	.group = COMMAND_LIVE,
	.examples = examples,
	.operand = COMPLETE_ID,
};
