/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/report.h"

#include <stdarg.h>
#include <stdio.h>

void report(const struct reporter *reporter, enum report_level level, const char *format, ...)
{
	char line[1500];
	va_list args;

	if (!reporter || !reporter->say)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	reporter->say(reporter->context, level, line);
}
