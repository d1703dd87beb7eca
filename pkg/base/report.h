/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the engine tells a person something without printing: it hands a line to the reporter that
 * cmd/oneoff made. Lines carry no "oneoff: " and no newline; whoever prints them escapes them.
 */
#ifndef ONEOFF_BASE_REPORT_H
#define ONEOFF_BASE_REPORT_H

#include "pkg/base/compat.h"

enum report_level {
	REPORT_DETAIL,  /* shown with -v: what was chosen, and why */
	REPORT_NOTE,    /* worth a line unless -q: something differs from what one may expect */
	REPORT_WARNING, /* shown even with -q */
};

struct reporter {
	void (*say)(void *context, enum report_level level, const char *line);
	void *context; /* borrowed */
};

/* Formats and hands over one line (cut at 1,500 bytes). A reporter without say swallows it. */
void report(const struct reporter *reporter, enum report_level level, const char *format, ...)
	_printf_(3, 4);

#endif
