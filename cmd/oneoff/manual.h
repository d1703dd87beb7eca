/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual: oneoff(1) and a page for each command, made from the tables that the program itself
 * goes by (commands, options, exit codes, and the variables and files below). `oneoff help --man
 * [COMMAND]` prints one; the Makefile writes them all to build/man/.
 */
#ifndef ONEOFF_CMD_MANUAL_H
#define ONEOFF_CMD_MANUAL_H

#include "cmd/oneoff/command.h"

/* A variable or file that counts, besides the options' own. */
struct manual_row {
	const char *name, *meaning; /* a sentence without its full stop */
};

extern const struct manual_row manual_variables[];
extern const size_t manual_variable_count;
extern const struct manual_row manual_files[];
extern const size_t manual_file_count;

/* Each appends one man(7) page. A subcommand has no page of its own: it stands in its parent's. */
void manual_overview(struct strbuf *page);
void manual_command(const struct command *command, struct strbuf *page);

#endif
