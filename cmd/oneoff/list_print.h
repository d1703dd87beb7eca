/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-offs as a table for people or as JSON for programs, printed as they come: ten thousand take no
 * more memory than one. Therefore columns have fixed widths; what is longer pushes the rest of its line.
 */
#ifndef ONEOFF_CMD_LIST_PRINT_H
#define ONEOFF_CMD_LIST_PRINT_H

#include "pkg/backend/task_record.h"
#include "pkg/base/strbuf.h"

struct list_printer {
	int format;         /* enum list_format */
	int64_t now;        /* unix seconds */
	size_t count;       /* records so far */
	struct strbuf text; /* not yet written */
};

void list_print_begin(struct list_printer *printer, int format);
/* A table's header stands before the first one. Writes to stdout now and then. */
int list_print_record(struct list_printer *printer, const struct task_record *record,
                      struct err *err) _must_check_;
/* The rest; releases the printer. JSON without a record is []. */
int list_print_end(struct list_printer *printer, struct err *err) _must_check_;

#endif
