/* SPDX-License-Identifier: Apache-2.0 */
/* A Procfile: lines "name: command"; '#' begins a comment line; the first line of a name counts. */
#ifndef ONEOFF_SPEC_PROCFILE_H
#define ONEOFF_SPEC_PROCFILE_H

#include <stdbool.h>
#include <stddef.h>
#include "pkg/base/strbuf.h"

/* Appends the command of that name; false when there is none (or an empty one). `text` may hold any
 * bytes; a line with a NUL is passed over. */
bool procfile_find(const char *text, size_t length, const char *name, struct strbuf *ret_command);

#endif
