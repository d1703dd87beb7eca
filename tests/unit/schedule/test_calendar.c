/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/schedule/calendar.h"

/* The systemd lines, each behind a '|', and the crontab's fields. */
static void becomes(const char *text, const char *zone, const char *systemd, const char *crontab)
{
	_cleanup_(strbuf_release) struct strbuf all = STRBUF_INIT, fields = STRBUF_INIT;
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	struct schedule schedule;
	struct err err = ERR_INIT;

	cr_assert_eq(schedule_parse(text, &schedule, &err), 0, "%s", err.message);
	cr_assert_eq(calendar_systemd(&schedule, zone, &lines, &err), 0, "%s", err.message);
	cr_assert_eq(calendar_crontab(&schedule, &fields, &err), 0, "%s", err.message);
	for (size_t i = 0; i < lines.count; i++)
		strbuf_addf(&all, "|%s", lines.items[i]);
	cr_expect_str_eq(strbuf_str(&all), systemd);
	cr_expect_str_eq(strbuf_str(&fields), crontab);
}

Test(calendar, a_schedule_has_its_lines)
{
	becomes("* * * * *", NULL, "|*-*-* *:*:00", "* * * * *");
	becomes("30 3 * * mon-fri", "Europe/Berlin", "|Mon..Fri *-*-* 03:30:00 Europe/Berlin",
	        "30 3 * * 1-5");
	becomes("*/20 0-2 * * ?", NULL, "|*-*-* 00..02:00,20,40:00", "0,20,40 0-2 * * *");
	becomes("0 0 1 jan *", "UTC", "|*-01-01 00:00:00 UTC", "0 0 1 1 *");
}

Test(calendar, the_week_of_systemd_begins_with_monday)
{
	becomes("0 0 * * 0-2", NULL, "|Mon,Tue,Sun *-*-* 00:00:00", "0 0 * * 0-2");
	becomes("0 0 * * 0,4-6", NULL, "|Thu..Sun *-*-* 00:00:00", "0 0 * * 0,4-6");
}

Test(calendar, either_kind_of_days_makes_two_lines)
{
	becomes("0 0 1 * 1", NULL, "|*-*-01 00:00:00|Mon *-*-* 00:00:00", "0 0 1 * 1");
	becomes("0 0 1-31 * 1", NULL, "|*-*-* 00:00:00", "0 0 1-31 * 1");
}

Test(calendar, a_step_is_no_star_for_cron)
{
	becomes("0 0 */10 * 1", NULL, "|*-*-01,11,21,31 00:00:00|Mon *-*-* 00:00:00",
	        "0 0 1,11,21,31 * 1");
	becomes("0 0 5,* * 1", NULL, "|Mon *-*-* 00:00:00", "0 0 * * 1");
}

Test(calendar, what_is_no_calendar_is_refused)
{
	static const char *const texts[] = {"@every 1h", ", * * * *", "0 0 * , *", "0 0 , * *",
	                                    "0 0 , * ,"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(strbuf_release) struct strbuf fields = STRBUF_INIT;
		_cleanup_(strv_release) struct strv lines = STRV_INIT;
		struct schedule schedule;
		struct err err = ERR_INIT;

		cr_assert_eq(schedule_parse(texts[i], &schedule, &err), 0);
		cr_expect_eq(calendar_systemd(&schedule, NULL, &lines, &err), -1, "%s", texts[i]);
		cr_expect_eq(calendar_crontab(&schedule, &fields, &err), -1, "%s", texts[i]);
	}
}

static void word(const char *text, const char *crontab, const char *systemd)
{
	_cleanup_(strbuf_release) struct strbuf is = STRBUF_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(calendar_crontab_word(text, &is, &err), 0);
	cr_expect_str_eq(strbuf_str(&is), crontab);
	strbuf_reset(&is);
	calendar_systemd_word(text, &is);
	cr_expect_str_eq(strbuf_str(&is), systemd);
}

Test(calendar, words_come_back_as_they_were)
{
	word("migrate", "migrate", "migrate");
	word("", "''", "\"\"");
	word("it's", "'it'\\''s'", "\"it's\"");
	word("+%Y", "'+\\%Y'", "\"+%%Y\"");
	word("$HOME", "'$HOME'", "\"$$HOME\"");
	word("a\\\\b", "'a\\''\\b'", "\"a\\\\\\\\b\"");
	word("\\%", "'\\''\\%'", "\"\\\\%%\"");
	word("say \"x\"", "'say \"x\"'", "\"say \\\"x\\\"\"");
}

Test(calendar, a_line_break_has_no_place_in_a_crontab)
{
	_cleanup_(strbuf_release) struct strbuf is = STRBUF_INIT;
	struct err err = ERR_INIT;

	cr_expect_eq(calendar_crontab_word("a\nb", &is, &err), -1);
	calendar_systemd_word("a\nb", &is);
	cr_expect_str_eq(strbuf_str(&is), "\"a\\x0ab\"");
}
