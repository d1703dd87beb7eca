/* SPDX-License-Identifier: Apache-2.0 */
/* The next time, found as the server's library finds it: field by field from the greatest, and from the start
 * whenever a greater field has changed. Its order of steps decides what happens at a change of clocks, so it is kept:
 * a time that is left out does not run, one that comes twice runs twice. */
#include "pkg/schedule/schedule.h"

#include <time.h>

#define YEARS INT64_C(5)
/* Far more than five years take; a zone made up to lead in circles ends here. */
#define MAX_STEPS 100000

struct walk {
	const struct schedule *schedule;
	const struct zone *zone;
	int64_t now; /* unix seconds */
	struct tm local;
	bool cut; /* what is smaller than the field at hand was set to its beginning */
	int steps;
};

static void go_to(struct walk *walk, int64_t unix_seconds)
{
	time_t local = unix_seconds + zone_offset(walk->zone, unix_seconds);

	walk->now = unix_seconds;
	walk->steps++;
	gmtime_r(&local, &walk->local);
}

/* To a local time, whose fields may be out of range. One that comes twice, or never, is read with the offset
 * that Go's time.Date chooses. */
static void go_to_local(struct walk *walk, struct tm local)
{
	int64_t universal = timegm(&local);
	int64_t guess = universal - zone_offset(walk->zone, universal);

	go_to(walk, universal - zone_offset(walk->zone, guess));
}

static bool has(const struct walk *walk, enum schedule_field field, int value)
{
	return walk->steps > MAX_STEPS || (walk->schedule->bits[field] >> value & 1);
}

bool schedule_day_matches(const struct schedule *schedule, int day, int weekday)
{
	bool by_day = schedule->bits[SCHEDULE_DAY] >> day & 1;
	bool by_weekday = schedule->bits[SCHEDULE_WEEKDAY] >> weekday & 1;

	if (schedule->star[SCHEDULE_DAY] || schedule->star[SCHEDULE_WEEKDAY])
		return by_day && by_weekday;
	return by_day || by_weekday;
}

static bool has_day(const struct walk *walk)
{
	return walk->steps > MAX_STEPS ||
	       schedule_day_matches(walk->schedule, walk->local.tm_mday, walk->local.tm_wday);
}

/* An empty list, which the server accepts, matches nothing. */
static bool can_match(const struct schedule *schedule)
{
	return schedule->bits[SCHEDULE_MINUTE] && schedule->bits[SCHEDULE_HOUR] &&
	       schedule->bits[SCHEDULE_MONTH];
}

/* Each returns true when it is at a value that matches, false when a greater field has to be looked at again. */

static bool find_month(struct walk *walk)
{
	while (!has(walk, SCHEDULE_MONTH, walk->local.tm_mon + 1)) {
		struct tm date = walk->local;

		if (!walk->cut) {
			date = (struct tm){
				.tm_year = date.tm_year, .tm_mon = date.tm_mon, .tm_mday = 1};
			walk->cut = true;
			go_to_local(walk, date);
			date = walk->local;
		}
		date.tm_mon++;
		go_to_local(walk, date);
		if (walk->local.tm_mon == 0)
			return false;
	}
	return true;
}

/* Midnight is left out in some zones on some days; then the step ended beside it. */
static void back_to_midnight(struct walk *walk)
{
	int hour = walk->local.tm_hour;

	if (hour > 12)
		go_to(walk, walk->now + (24 - hour) * INT64_C(3600));
	else if (hour != 0)
		go_to(walk, walk->now - hour * INT64_C(3600));
}

static bool find_day(struct walk *walk)
{
	while (!has_day(walk)) {
		struct tm date = walk->local;

		if (!walk->cut) {
			date.tm_hour = date.tm_min = date.tm_sec = 0;
			walk->cut = true;
			go_to_local(walk, date);
			date = walk->local;
		}
		date.tm_mday++;
		go_to_local(walk, date);
		back_to_midnight(walk);
		if (walk->local.tm_mday == 1)
			return false;
	}
	return true;
}

static bool find_hour(struct walk *walk)
{
	while (!has(walk, SCHEDULE_HOUR, walk->local.tm_hour)) {
		if (!walk->cut) {
			struct tm date = walk->local;

			date.tm_min = date.tm_sec = 0;
			walk->cut = true;
			go_to_local(walk, date);
		}
		go_to(walk, walk->now + 3600);
		if (walk->local.tm_hour == 0)
			return false;
	}
	return true;
}

static bool find_minute(struct walk *walk)
{
	while (!has(walk, SCHEDULE_MINUTE, walk->local.tm_min)) {
		if (!walk->cut) {
			walk->cut = true;
			go_to(walk, walk->now - walk->now % 60);
		}
		go_to(walk, walk->now + 60);
		if (walk->local.tm_min == 0)
			return false;
	}
	return true;
}

static bool find_second(struct walk *walk)
{
	while (walk->local.tm_sec != 0) {
		walk->cut = true;
		go_to(walk, walk->now + 1);
		if (walk->local.tm_sec == 0)
			return false;
	}
	return true;
}

int64_t schedule_next(const struct schedule *schedule, const struct zone *zone, int64_t after)
{
	struct walk walk = {.schedule = schedule, .zone = zone};
	int64_t last_year;

	if (schedule->every_seconds > 0)
		return after + schedule->every_seconds;
	go_to(&walk, after + 1);
	last_year = walk.local.tm_year + YEARS;
	while (can_match(schedule) && walk.local.tm_year <= last_year && walk.steps <= MAX_STEPS) {
		if (find_month(&walk) && find_day(&walk) && find_hour(&walk) &&
		    find_minute(&walk) && find_second(&walk))
			return walk.steps > MAX_STEPS ? SCHEDULE_NEVER : walk.now;
	}
	return SCHEDULE_NEVER;
}
