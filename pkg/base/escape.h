/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes text from a server, a file name or a daemon safe to show on a terminal: printable UTF-8
 * stays, everything else (C0 and C1 controls, DEL, bidirectional controls, line separators,
 * invisible characters, invalid UTF-8) becomes \n, \t, \r or \xNN for each byte. A backslash stays
 * as it is, so the result is for people, not for reading back. Single thread.
 *
 *	escape_add(&line, err.message);
 *
 * When the buffer's cap does not hold all of it, nothing is appended and buffer->failed is set.
 */
#ifndef ONEOFF_BASE_ESCAPE_H
#define ONEOFF_BASE_ESCAPE_H

#include "pkg/base/strbuf.h"

/* Appends the escaped form of the C string. */
void escape_add(struct strbuf *buffer, const char *text);

/* Appends text as one POSIX shell word that can be pasted and gives the same bytes back: bare when
 * it is safe, else in single quotes, in $'...' (POSIX 2024) where it holds bytes escape_add
 * changes. */
void escape_add_shell(struct strbuf *buffer, const char *text);

#endif
