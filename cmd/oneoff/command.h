/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command is a constant struct; cmd/oneoff/commands.c holds the one list of them. Adding a
 * command is adding a cmd_VERB.c and a line there: help, manual and completion follow.
 */
#ifndef ONEOFF_CMD_COMMAND_H
#define ONEOFF_CMD_COMMAND_H

#include "pkg/backend/backend.h"
#include "pkg/base/options.h"

/* Where a command stands in the overview. */
enum command_group {
	COMMAND_MORE,      /* about oneoff itself; what says nothing stands here */
	COMMAND_TASKS,     /* runs one, or would */
	COMMAND_LIVE,      /* looks after those there are */
	COMMAND_SCHEDULES, /* tasks that run at set times */
	COMMAND_GROUP_COUNT
};

/* For help and manual. A list of them ends with {NULL, NULL}. */
struct command_example {
	const char *line;    /* a whole command line, ready to paste */
	const char *meaning; /* lower case, no full stop, or NULL when the line says it all */
};

struct command {
	const char *name;
	const char
		*usage; /* what follows the name: "--like SOURCE [options] [--] COMMAND [ARG...]" */
	const char *summary;          /* one line, lower case, no full stop */
	const char *details;          /* paragraphs for its help, an empty line between; or NULL */
	const struct option *options; /* NULL: it takes none */
	const size_t *option_count;
	/* argv[0] is the command's own name (of a subcommand, that of its parent, whose section of
	 * a config file it shares). Returns the process's exit code. NULL: it only has subcommands. */
	int (*run)(const struct command *command, int argc, char **argv);
	enum command_group group;
	bool hidden;                              /* not for people: in no list */
	const struct command_example *examples;   /* or NULL */
	enum completion_kind operand;             /* what its operands are */
	const struct command *const *subcommands; /* ended by NULL; or NULL: none */
	bool options_anywhere; /* its operands are names: options may stand behind them, too */
	const char *parent;    /* of a subcommand: the name of the command that it belongs to */
};

extern const struct command *const commands[];
extern const size_t command_count;

extern const struct backend_ops *const engines[];
extern const size_t engine_count;

extern const struct command cmd_run, cmd_console, cmd_plan, cmd_list, cmd_logs, cmd_attach,
	cmd_wait, cmd_stop, cmd_gc, cmd_version, cmd_help;
extern const struct command cmd_tasks, cmd_doctor;
extern const struct command cmd_completion, cmd_complete;
extern const struct command cmd_cron;

/* The command of that name, or NULL. */
const struct command *command_find(const char *name);
/* Its subcommand of that name, or NULL. */
const struct command *command_find_sub(const struct command *command, const char *name);
/* The command that words[0..count) name ("run", or "cron generate"); count ≥ 1. ERR_USAGE with the nearest name in
 * the hint. */
int command_resolve(int count, char *const *words, const struct command **ret,
                    struct err *err) _must_check_;
/* Runs the command, or its subcommand, or prints its help when that is asked for or nothing else can be done.
 * Returns the process's exit code. */
int command_run(const struct command *command, int argc, char **argv);

/* Appends the overview of all commands. */
void command_overview(struct strbuf *out);
/* Appends "usage: oneoff …", the details and the options. */
void command_help(const struct command *command, struct strbuf *out);
/* Prints it to stdout. */
int command_print_help(const struct command *command, struct err *err) _must_check_;

#endif
