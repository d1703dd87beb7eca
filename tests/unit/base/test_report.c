/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/report.h"

struct heard {
	int count;
	enum report_level level;
	char line[4096];
};

static void hear(void *context, enum report_level level, const char *line)
{
	struct heard *heard = context;

	heard->count++;
	heard->level = level;
	snprintf(heard->line, sizeof(heard->line), "%s", line);
}

Test(report, hands_over_one_formatted_line)
{
	struct heard heard = {0};
	struct reporter reporter = {hear, &heard};

	report(&reporter, REPORT_WARNING, "lost %d of '%s'", 3, "web");
	cr_assert_eq(heard.count, 1);
	cr_assert_eq(heard.level, REPORT_WARNING);
	cr_assert_str_eq(heard.line, "lost 3 of 'web'");
	report(&reporter, REPORT_DETAIL, "%s", "");
	cr_assert_eq(heard.count, 2);
	cr_assert_eq(heard.level, REPORT_DETAIL);
	cr_assert_str_empty(heard.line);
}

Test(report, cuts_long_lines)
{
	struct heard heard = {0};
	struct reporter reporter = {hear, &heard};
	char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	report(&reporter, REPORT_NOTE, "%s", text);
	cr_assert_gt(strlen(heard.line), 1400);
	cr_assert_leq(strlen(heard.line), 1500);
}

Test(report, is_swallowed_without_a_listener)
{
	struct reporter silent = {0};

	report(&silent, REPORT_NOTE, "%s", "nobody hears this");
	report(NULL, REPORT_NOTE, "%s", "nor this");
}
