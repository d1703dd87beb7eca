/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/message.h"

static void add_overview(struct strbuf *out)
{
	strbuf_adds(out,
	            "oneoff runs an admin task in a throwaway clone of a running app: same image,\n"
	            "same environment, same volumes and networks; gone when the task ends.\n\n"
	            "  oneoff run --like web -- python manage.py migrate\n"
	            "  pg_dump shop | oneoff run --like web -- psql\n"
	            "  oneoff console --like web\n"
	            "  oneoff plan --like web -- python manage.py migrate\n\n"
	            "commands:\n");
	for (size_t i = 0; i < command_count; i++)
		strbuf_addf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	strbuf_adds(out, "\n`oneoff help COMMAND` tells more about one.\n\n");
	exit_code_help(out);
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct command *wanted = NULL;
	struct err err = ERR_INIT;

	(void)command;
	if (argc > 1) {
		wanted = command_find(argv[1]);
		if (!wanted)
			err_set(&err, ERR_USAGE, "no command '%s'", argv[1]);
		else
			command_help(wanted, &text);
	} else {
		add_overview(&text);
	}
	if (err.kind == ERR_NONE && message_output(&text, &err) == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

const struct command cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "tell about oneoff, or about one command",
	.run = run,
};
