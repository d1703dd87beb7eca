/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people: cells in columns, each escaped, because much of it is a server's. */
#ifndef ONEOFF_CMD_TABLE_H
#define ONEOFF_CMD_TABLE_H

#include "pkg/base/strbuf.h"

/* Columns on a screen that the text takes when it is escaped. */
size_t table_width(const char *text);

/* Appends the text, escaped, `gap` blanks, and as many more as fill the column up to `width`. What is longer pushes
 * the rest of its line. */
void table_add(struct strbuf *out, const char *text, size_t width, size_t gap);

#endif
