/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/schedule/schedule.h"

static int64_t moment(const char *text)
{
	int64_t seconds;

	cr_assert_eq(clock_parse_rfc3339(text, &seconds), 0, "%s", text);
	return seconds;
}

static void refused(const char *text, const char *part, const char *hint)
{
	struct schedule schedule;
	struct err err = ERR_INIT;

	cr_assert_eq(schedule_parse(text, &schedule, &err), -1, "'%s' was taken", text);
	cr_expect_eq(err.kind, ERR_USAGE);
	cr_expect_not_null(strstr(err.message, part), "%s: %s", text, err.message);
	if (hint)
		cr_expect_not_null(strstr(err.hint, hint), "%s: %s", text, err.hint);
}

static struct schedule parsed(const char *text)
{
	struct schedule schedule;
	struct err err = ERR_INIT;

	cr_assert_eq(schedule_parse(text, &schedule, &err), 0, "%s", err.message);
	return schedule;
}

/* The times after `after` are those in `times`, separated by blanks. */
static void runs(const char *text, const char *name, const char *after, const char *times)
{
	struct schedule schedule = parsed(text);
	_cleanup_(zone_release) struct zone *zone = NULL;
	struct err err = ERR_INIT;
	int64_t now = moment(after);
	char one[64];
	int used;

	cr_assert_eq(zone_open(name, &zone, &err), 0, "%s", err.message);
	for (; sscanf(times, "%63s%n", one, &used) == 1; times += used) {
		char is[CLOCK_RFC3339_SIZE];

		now = schedule_next(&schedule, zone, now);
		clock_format_rfc3339(now, is);
		cr_expect_eq(now, moment(one), "%s: %s, not %s", text, is, one);
	}
}

Test(schedule, the_server_takes_what_it_takes)
{
	static const char *const texts[] = {
		"* * * * *",      "0 3 * * *",       "*/5 0-6,22-23 * JAN-mar mon-FRI",
		"5/15 * ? * ?",   "1,,2 * * * *",    "+5 * * * *",
		"05 * * * *",     "*-9 * * * *",     " 0\t0 1 1 0 ",
		"*/1000 * * * *", "0 0 31 2 *",      ", * * * *",
		"@daily",         "@every 1h30m",    "@every 0",
		"@every 1.5h",    "@every -5m",      "@midnight",
		"59 23 31 12 6",  "0 0 1-31/40 * *",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		parsed(texts[i]);
}

Test(schedule, a_refusal_names_field_character_and_remedy)
{
	refused("60 * * * *", "minute, character 1: '60' is out of range", "a minute is 0 to 59");
	refused("0 24 * * *", "hour, character 3", "0 to 23");
	refused("0 0 * * 7", "day of week, character 9: '7'", "Sunday is 0");
	refused("0 0 0 * *", "day of month", "1 to 31");
	refused("0 0 * foo *", "month, character 7: 'foo' is no number", NULL);
	refused("0 0 L * *", "day of month, character 5: 'L'", "other programs");
	refused("H 0 * * *", "minute, character 1: 'H'", "other programs");
	refused("*/0 * * * *", "a step of 0", NULL);
	refused("5-1 * * * *", "ends before it begins", "two ranges");
	refused("1-2-3 * * * *", "'1-2-3' has too many hyphens", NULL);
	refused("1/2/3 * * * *", "too many slashes", NULL);
	refused("1/-5 * * * *", "'-5' is no number", NULL);
	refused("0 3 * * mon-", "'' is no number", NULL);
	refused("99999999999999999999 * * * *", "too great", NULL);
	refused("0 0\302\240* * *", "fields", NULL);
}

Test(schedule, a_refusal_of_the_whole_says_why)
{
	refused("", "0 fields", "MINUTE HOUR");
	refused("0 0 * *", "4 fields", "mon-fri");
	refused("0 0 3 * * *", "6 fields", "seconds");
	refused("TZ=UTC 0 0 * * *", "time zone", "--time-zone");
	refused("CRON_TZ=UTC 0 0 * * *", "time zone", "--time-zone");
	refused("@Daily", "no word", "lower case");
	refused(" @daily", "1 fields", NULL);
	refused("@reboot", "no word", "no reboot");
	refused("@every", "no word", NULL);
	refused("@every 5", "no duration", NULL);
	refused("@every 1d", "no duration", NULL);
	refused("@every  1h", "no duration", NULL);
	refused("@every 9999999999h", "no duration", NULL);
}

Test(schedule, a_long_text_is_refused)
{
	char text[SCHEDULE_MAX_BYTES + 2];

	memset(text, '*', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refused(text, "more than", NULL);
}

Test(schedule, a_day_of_month_or_of_week_is_enough)
{
	runs("0 0 1 * 1", "UTC", "2026-11-21T00:00:00Z",
	     "2026-11-23T00:00:00Z 2026-11-30T00:00:00Z 2026-12-01T00:00:00Z");
	runs("0 0 */2 * 1", "UTC", "2026-11-21T00:00:00Z",
	     "2026-11-23T00:00:00Z 2026-11-25T00:00:00Z");
}

Test(schedule, a_star_leaves_the_days_to_the_other_field)
{
	runs("0 0 * * 1", "UTC", "2026-11-21T00:00:00Z",
	     "2026-11-23T00:00:00Z 2026-11-30T00:00:00Z");
	runs("0 0 1 * ?", "UTC", "2026-11-21T00:00:00Z",
	     "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z");
	runs("0 0 13 * */1", "UTC", "2026-11-21T00:00:00Z", "2026-12-13T00:00:00Z");
}

Test(schedule, a_time_that_is_left_out_does_not_run)
{
	runs("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00+01:00",
	     "2026-03-28T02:30:00+01:00 2026-03-30T02:30:00+02:00");
}

Test(schedule, a_time_that_comes_twice_runs_twice)
{
	runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00",
	     "2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+01:00 2026-10-26T02:30:00+01:00");
}

Test(schedule, what_never_comes_within_five_years_is_never)
{
	struct schedule february = parsed("0 0 31 2 *"), leap = parsed("0 0 29 2 *"),
			empty = parsed(", * * * *");

	cr_expect_eq(schedule_next(&february, NULL, moment("2026-11-21T00:00:00Z")),
	             SCHEDULE_NEVER);
	cr_expect_eq(schedule_next(&empty, NULL, moment("2026-11-21T00:00:00Z")), SCHEDULE_NEVER);
	cr_expect_eq(schedule_next(&leap, NULL, moment("2096-03-01T00:00:00Z")), SCHEDULE_NEVER);
	runs("0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z",
	     "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z");
}

Test(schedule, every_counts_whole_seconds)
{
	int64_t seconds;

	cr_assert_eq(schedule_parse_every("1h1.5m250ms", &seconds), 0);
	cr_expect_eq(seconds, 3690);
	cr_assert_eq(schedule_parse_every("10ns", &seconds), 0);
	cr_expect_eq(seconds, 1);
	cr_assert_eq(schedule_parse_every("2000000\302\265s", &seconds), 0);
	cr_expect_eq(seconds, 2);
	cr_expect_eq(schedule_parse_every(".", &seconds), -1);
	cr_expect_eq(schedule_parse_every("1.5", &seconds), -1);
	cr_expect_eq(schedule_parse_every("", &seconds), -1);
}
