/* SPDX-License-Identifier: Apache-2.0 */
/* A schedule of any bytes: what is taken has values in range, next times that rise and match, and can be written as
 * calendar lines whose crontab form is read back as the same schedule. */
#include <string.h>
#include <time.h>

#include "pkg/schedule/calendar.h"
#include "tests/fuzz/fuzz.h"

static void check_time(const struct schedule *schedule, int64_t next)
{
	time_t moment = next;
	struct tm date;

	gmtime_r(&moment, &date);
	CHECK(date.tm_sec == 0);
	CHECK(schedule->bits[SCHEDULE_MINUTE] >> date.tm_min & 1);
	CHECK(schedule->bits[SCHEDULE_HOUR] >> date.tm_hour & 1);
	CHECK(schedule->bits[SCHEDULE_MONTH] >> (date.tm_mon + 1) & 1);
	CHECK(schedule_day_matches(schedule, date.tm_mday, date.tm_wday));
}

static void check_times(const struct schedule *schedule)
{
	int64_t now = INT64_C(1795236843);

	for (int i = 0; i < 3; i++) {
		int64_t next = schedule_next(schedule, NULL, now);

		if (next == SCHEDULE_NEVER)
			return;
		CHECK(next > now);
		if (!schedule->every_seconds)
			check_time(schedule, next);
		else if (next - now > 1000000000)
			return;
		now = next;
	}
}

static void check_calendar(const struct schedule *schedule)
{
	_cleanup_(strbuf_release) struct strbuf fields = STRBUF_INIT;
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	struct schedule again;
	struct err err = ERR_INIT;

	if (calendar_crontab(schedule, &fields, &err) < 0) {
		CHECK(calendar_systemd(schedule, NULL, &lines, &err) < 0);
		return;
	}
	CHECK(calendar_systemd(schedule, NULL, &lines, &err) == 0 && lines.count >= 1);
	CHECK(schedule_parse(strbuf_str(&fields), &again, &err) == 0);
	for (int month = 1; month <= 12; month++)
		CHECK((schedule->bits[SCHEDULE_MONTH] >> month & 1) ==
		      (again.bits[SCHEDULE_MONTH] >> month & 1));
	for (int day = 1; day <= 31; day++)
		for (int weekday = 0; weekday < 7; weekday++)
			CHECK(schedule_day_matches(schedule, day, weekday) ==
			      schedule_day_matches(&again, day, weekday));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	struct schedule schedule;
	struct err err = ERR_INIT;

	if (!text)
		return 0;
	if (schedule_parse(text, &schedule, &err) < 0) {
		CHECK(err.kind == ERR_USAGE && err.message[0]);
		return 0;
	}
	for (int field = 0; field < SCHEDULE_FIELD_COUNT && !schedule.every_seconds; field++)
		CHECK(schedule.bits[field] >> (schedule_bounds[field].greatest + 1) == 0);
	check_times(&schedule);
	check_calendar(&schedule);
	return 0;
}
