/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Procfile: lines "name: command", a comment line begins with '#'. Lines end with \n or \r\n, a
 * byte order mark at the start is skipped, white space around name and command does not count.
 * Pure; single thread.
 *
 *	if (procfile_find(text, length, "console", &command) > 0)
 *		run(strbuf_str(&command));
 */
#ifndef ONEOFF_SPEC_PROCFILE_H
#define ONEOFF_SPEC_PROCFILE_H

#include "pkg/base/strbuf.h"

/* One line "name: command"; both are pieces of the text, without white space at their ends and never empty. */
struct procfile_line {
	const char *name, *command;
	size_t name_length, command_length;
};

/* What is left of the text; borrowed. */
struct procfile_reader {
	const char *rest;
	size_t length;
};

/* A reader at the start of the text, behind a byte order mark. */
struct procfile_reader procfile_begin(const char *text, size_t length);

/* The next line that names a command: 1 and *ret, or 0 at the end. What is no such line (comments, blank lines, no
 * command, a NUL) is passed over. */
int procfile_next(struct procfile_reader *reader, struct procfile_line *ret);

/* Appends the command of that name and returns 1; the first line that has one counts. 0 when there
 * is none, -1 when memory ran out or *ret_command has no room for it; *ret_command's content is
 * then as it was. `text` may hold any bytes: a line with a NUL is passed over. */
int procfile_find(const char *text, size_t length, const char *name,
                  struct strbuf *ret_command) _must_check_;

#endif
