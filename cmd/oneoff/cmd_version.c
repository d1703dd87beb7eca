/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/message.h"
#include "cmd/oneoff/version.h"

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;

	(void)command;
	if (argc > 1)
		err_set(&err, ERR_USAGE, "version takes no arguments: '%s'", argv[1]);
	strbuf_adds(&text, "oneoff " ONEOFF_VERSION "\n");
	if (err.kind == ERR_NONE && message_output(&text, &err) == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

const struct command cmd_version = {
	.name = "version",
	.usage = "",
	.summary = "print the version",
	.run = run,
};
