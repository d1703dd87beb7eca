/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schedule as the Kubernetes API server takes it in a CronJob: what github.com/robfig/cron/v3 (ParseStandard) reads,
 * without a time zone inside. What the server refuses is refused here, what it takes is taken, and the times are those
 * at which its controller starts jobs, also around a change of clocks.
 *
 *	MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK
 *	0-59   0-23 1-31         1-12  0-6 (0: Sunday; no 7)
 *
 * A field is a list of ELEMENT[,ELEMENT…]; an element is *, ?, N, N-M, each with /STEP if wanted; N/STEP goes on to the
 * field's end. Months and days have names of three letters in any case. Instead of five fields: @yearly (@annually),
 * @monthly, @weekly, @daily (@midnight), @hourly, @every DURATION (Go's: 1h30m).
 *
 * Days: when one of day-of-month and day-of-week is a star (*, ?, a star with step 1, or a list that has one of them),
 * both must match; else one is enough. So "0 0 1 * 1" is every first of a month and every Monday.
 *
 *	struct schedule schedule;
 *	if (schedule_parse("30 3 * * mon-fri", &schedule, err) < 0)
 *		return -1;
 *	int64_t next = schedule_next(&schedule, zone, clock_unix_seconds());
 *
 * Stricter than the server in one thing only: letters and blanks beyond ASCII (but for the µ of @every) are refused.
 */
#ifndef ONEOFF_SCHEDULE_SCHEDULE_H
#define ONEOFF_SCHEDULE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/err.h"
#include "pkg/schedule/zone.h"

/* Longer texts are refused; an annotation or a line of a crontab could hardly hold more. */
#define SCHEDULE_MAX_BYTES 1024

enum schedule_field {
	SCHEDULE_MINUTE,
	SCHEDULE_HOUR,
	SCHEDULE_DAY,
	SCHEDULE_MONTH,
	SCHEDULE_WEEKDAY,
	SCHEDULE_FIELD_COUNT
};

struct schedule {
	uint64_t bits[SCHEDULE_FIELD_COUNT]; /* bit N: the value N is in the field */
	bool star
		[SCHEDULE_FIELD_COUNT]; /* the field has a star; matters for the two kinds of days */
	int64_t every_seconds;          /* @every: at least 1; 0: by the calendar */
};

/* The least and the greatest value of a field, and what people call it. */
struct schedule_bounds {
	int least, greatest;
	const char *name; /* "minute" */
};
extern const struct schedule_bounds schedule_bounds[SCHEDULE_FIELD_COUNT];

/* ERR_USAGE names the field and the character (counted from 1), the hint says how it is written instead. */
int schedule_parse(const char *text, struct schedule *ret, struct err *err) _must_check_;

/* Go's time.ParseDuration, in whole seconds, cut, at least 1: the DURATION of @every. 0, or -1 when it is none. */
int schedule_parse_every(const char *text, int64_t *ret_seconds) _must_check_;

#define SCHEDULE_NEVER INT64_MIN

/* The first time after `after` (unix seconds, of the years 1970 to 9000; so is the answer) at which a job starts, in a
 * zone (NULL: UTC). SCHEDULE_NEVER: not within five years, as for "0 0 31 2 *", which the server accepts. @every: counted
 * from `after`. */
int64_t schedule_next(const struct schedule *schedule, const struct zone *zone, int64_t after);

/* True when the date's days match, for weekday 0 (Sunday) to 6. */
bool schedule_day_matches(const struct schedule *schedule, int day, int weekday);

#endif
