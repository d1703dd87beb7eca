/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that prints. Our lines go to stderr, each begins "oneoff: ", everything that came
 * from outside is escaped; stdout belongs to the task or to what a command was asked to print.
 */
#ifndef ONEOFF_CMD_MESSAGE_H
#define ONEOFF_CMD_MESSAGE_H

#include "pkg/base/err.h"
#include "pkg/base/report.h"
#include "pkg/base/strbuf.h"

struct verbosity {
	bool quiet;  /* -q: warnings and errors only */
	int verbose; /* -v: details too */
};

/* A reporter that prints as `verbosity` says (borrowed). */
struct reporter message_reporter(struct verbosity *verbosity);
/* One line. */
void message(const char *format, ...) _printf_(1, 2);
/* An error: its message, and its hint on a line of its own. */
void message_error(const struct err *err);
/* Writes to stdout, whole. 0, or -1 with the error. */
int message_output(const struct strbuf *text, struct err *err) _must_check_;

#endif
