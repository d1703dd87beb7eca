/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines that people write into labels and Procfiles, split as sh splits them as long as
 * that is simple: blanks separate; '…', "…" and \ quote. What only a shell understands is not
 * imitated but told. Bytes beyond ASCII are plain, whatever the locale. Pure; single thread.
 *
 *	_cleanup_(strv_release) struct strv argv = STRV_INIT;
 *	bool needs_shell = false;
 *
 *	if (words_split(line, &argv, &needs_shell, err) < 0)
 *		return -1;
 *	if (needs_shell)
 *		return run_by_shell(line);
 */
#ifndef ONEOFF_SPEC_WORDS_H
#define ONEOFF_SPEC_WORDS_H

#include <stdbool.h>
#include "pkg/base/err.h"
#include "pkg/base/strv.h"

/* Sets *ret_needs_shell; when that is false, also *ret to the line's words (at least one, owned by
 * the caller; *ret must be empty before).
 *
 * A line needs a shell when it holds, unquoted, one of $ ` | & ; < > ( ) * ? [ ~, a line break, a
 * backslash before one or at the end, or a # that begins a word; in double quotes $ or ` ; or when
 * it begins with NAME= or with a word that is the shell's own (exec, cd, !, {…). White space at
 * both ends never counts.
 *
 * ERR_USAGE: no word at all, or a quote without an end. */
int words_split(const char *line, struct strv *ret, bool *ret_needs_shell,
                struct err *err) _must_check_;

/* The line as argv: its words, or `sh -c LINE` when it needs a shell. What such a line means everywhere: consoles,
 * Procfiles, named tasks. Appends to *ret, which must be empty before; on failure it is so afterwards. ERR_USAGE as
 * above. */
int words_command(const char *line, struct strv *ret, struct err *err) _must_check_;

#endif
