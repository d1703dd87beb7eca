/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule at the end of a TZif file, for times after its last change: POSIX's TZ string ("CET-1CEST,M3.5.0,M10.5.0/3")
 * with the extensions of RFC 8536 section 3.3.1 (hours to 167, also negative). Private to pkg/schedule/zone*.c.
 */
#ifndef ONEOFF_SCHEDULE_ZONE_RULE_H
#define ONEOFF_SCHEDULE_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/compat.h"

/* A day of the year and a time on it. */
struct zone_change {
	enum {
		ZONE_DAY_JULIAN,  /* Jn: 1 to 365, 29 February is never counted */
		ZONE_DAY_OF_YEAR, /* n: 0 to 365 */
		ZONE_DAY_MONTH,   /* Mm.w.d: the w-th (5: last) weekday d of month m */
	} kind;
	int day, month, week;
	int64_t seconds; /* of local time, from midnight */
};

struct zone_rule {
	int64_t standard, summer; /* seconds east of Greenwich */
	bool changes;             /* false: standard all year */
	struct zone_change to_summer, to_standard;
};

/* Reads the string. 0, or -1 when it is none. */
int zone_rule_parse(const char *text, struct zone_rule *ret) _must_check_;

/* Seconds east of Greenwich at a time (unix seconds). */
int64_t zone_rule_offset(const struct zone_rule *rule, int64_t unix_seconds);

#endif
