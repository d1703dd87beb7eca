/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YEAR_0_START  INT64_C(-62167219200)
#define YEAR_9999_END INT64_C(253402300799)

int64_t clock_monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_unix_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

void clock_format_rfc3339(int64_t unix_seconds, char text[CLOCK_RFC3339_SIZE])
{
	struct tm parts = {0};
	time_t seconds;

	if (unix_seconds < YEAR_0_START)
		unix_seconds = YEAR_0_START;
	if (unix_seconds > YEAR_9999_END)
		unix_seconds = YEAR_9999_END;
	seconds = (time_t)unix_seconds;
	gmtime_r(&seconds, &parts);
	/* strftime's own %Y does not pad to four digits everywhere. */
	snprintf(text, CLOCK_RFC3339_SIZE, "%04u-", (unsigned)(parts.tm_year + 1900) % 10000);
	strftime(text + 5, CLOCK_RFC3339_SIZE - 5, "%m-%dT%H:%M:%SZ", &parts);
}

/* Reads exactly `digits` digits at *text and then the byte `end` ('\0': any), and moves *text
 * behind. */
static bool read_field(const char **text, int digits, char end, int *ret)
{
	const char *at = *text;
	int value = 0;

	for (; digits > 0; digits--, at++) {
		if (*at < '0' || *at > '9')
			return false;
		value = value * 10 + (*at - '0');
	}
	if (end && *at++ != end)
		return false;
	*text = at;
	*ret = value;
	return true;
}

static bool read_date(const char **text, struct tm *parts)
{
	if (!read_field(text, 4, '-', &parts->tm_year) ||
	    !read_field(text, 2, '-', &parts->tm_mon) || !read_field(text, 2, 'T', &parts->tm_mday))
		return false;
	parts->tm_year -= 1900;
	parts->tm_mon -= 1;
	return true;
}

static bool read_time(const char **text, struct tm *parts)
{
	if (!read_field(text, 2, ':', &parts->tm_hour) ||
	    !read_field(text, 2, ':', &parts->tm_min) || !read_field(text, 2, '\0', &parts->tm_sec))
		return false;
	if (**text == '.') {
		size_t places = strspn(*text + 1, "0123456789");

		*text += 1 + places;
		return places > 0;
	}
	return true;
}

/* Reads "Z", "+hh:mm" or "-hh:mm" up to the end of the text. */
static bool read_offset(const char *text, int *ret_seconds)
{
	int sign = *text == '-' ? -1 : 1;
	int hours, minutes;

	if (!strcmp(text, "Z")) {
		*ret_seconds = 0;
		return true;
	}
	if (*text != '+' && *text != '-')
		return false;
	text++;
	if (!read_field(&text, 2, ':', &hours) || !read_field(&text, 2, '\0', &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return !*text && hours <= 23 && minutes <= 59;
}

int clock_parse_rfc3339(const char *text, int64_t *ret_unix_seconds)
{
	struct tm parts = {0}, normal;
	int64_t seconds;
	int offset;

	if (!read_date(&text, &parts) || !read_time(&text, &parts) || !read_offset(text, &offset))
		return -1;
	normal = parts;
	seconds = timegm(&normal);
	/* timegm turns the 31st of June into the 1st of July; a time that is one stays as it is. */
	if (normal.tm_mon != parts.tm_mon || normal.tm_mday != parts.tm_mday ||
	    normal.tm_hour != parts.tm_hour || normal.tm_min != parts.tm_min ||
	    normal.tm_sec != parts.tm_sec)
		return -1;
	*ret_unix_seconds = seconds - offset;
	return 0;
}
