/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command is a constant struct; cmd/oneoff/commands.c holds the one list of them. Adding a
 * command is adding a cmd_VERB.c and a line there.
 */
#ifndef ONEOFF_CMD_COMMAND_H
#define ONEOFF_CMD_COMMAND_H

#include "pkg/backend/backend.h"
#include "pkg/base/options.h"

struct command {
	const char *name;
	const char
		*usage; /* what follows the name: "--like SOURCE [options] [--] COMMAND [ARG...]" */
	const char *summary;          /* one line, lower case, no full stop */
	const char *details;          /* paragraphs for its help, or NULL */
	const struct option *options; /* NULL: it takes none */
	const size_t *option_count;
	/* argv[0] is the command's own name. Returns the process's exit code. */
	int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command *const commands[];
extern const size_t command_count;

extern const struct backend_ops *const engines[];
extern const size_t engine_count;

extern const struct command cmd_run, cmd_console, cmd_plan, cmd_gc, cmd_version, cmd_help;
extern const struct command cmd_cron;

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);
/* Appends "usage: oneoff …", the details and the options. */
void command_help(const struct command *command, struct strbuf *out);
/* Prints it to stdout. */
int command_print_help(const struct command *command, struct err *err) _must_check_;

#endif
