/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/schedule/zone_rule.h"

#include <string.h>
#include <time.h>

#define DAY_SECONDS   INT64_C(86400)
#define MAX_HOURS     167
#define DEFAULT_TIME  (2 * 3600)
#define LEAST_LETTERS 3

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* "CET" or "<+03>". */
static int skip_name(const char **text)
{
	const char *end = *text;

	if (*end == '<') {
		end = strchr(end, '>');
		if (!end)
			return -1;
		*text = end + 1;
		return 0;
	}
	while (is_letter(*end))
		end++;
	if (end - *text < LEAST_LETTERS)
		return -1;
	*text = end;
	return 0;
}

static int read_number(const char **text, int greatest, int *ret)
{
	int number = 0;

	if (!is_digit(**text))
		return -1;
	for (; is_digit(**text); ++*text) {
		number = number * 10 + (**text - '0');
		if (number > greatest)
			return -1;
	}
	*ret = number;
	return 0;
}

/* [+|-]hh[:mm[:ss]] in seconds. */
static int read_time(const char **text, int64_t *ret)
{
	int sign = **text == '-' ? -1 : 1, part;
	int64_t seconds;

	if (**text == '-' || **text == '+')
		++*text;
	if (read_number(text, MAX_HOURS, &part) < 0)
		return -1;
	seconds = part * INT64_C(3600);
	for (int unit = 60; unit >= 1 && **text == ':'; unit /= 60) {
		++*text;
		if (read_number(text, 59, &part) < 0)
			return -1;
		seconds += (int64_t)part * unit;
	}
	*ret = sign * seconds;
	return 0;
}

static int read_month_day(const char **text, struct zone_change *ret)
{
	ret->kind = ZONE_DAY_MONTH;
	if (read_number(text, 12, &ret->month) < 0 || ret->month < 1 || *(*text)++ != '.' ||
	    read_number(text, 5, &ret->week) < 0 || ret->week < 1 || *(*text)++ != '.')
		return -1;
	return read_number(text, 6, &ret->day);
}

/* ",M3.5.0/2" */
static int read_change(const char **text, struct zone_change *ret)
{
	int result;

	if (**text != ',')
		return -1;
	++*text;
	if (**text == 'M') {
		++*text;
		result = read_month_day(text, ret);
	} else if (**text == 'J') {
		++*text;
		ret->kind = ZONE_DAY_JULIAN;
		result = read_number(text, 365, &ret->day) < 0 || ret->day < 1 ? -1 : 0;
	} else {
		ret->kind = ZONE_DAY_OF_YEAR;
		result = read_number(text, 365, &ret->day);
	}
	if (result < 0)
		return -1;
	ret->seconds = DEFAULT_TIME;
	if (**text != '/')
		return 0;
	++*text;
	return read_time(text, &ret->seconds);
}

int zone_rule_parse(const char *text, struct zone_rule *ret)
{
	struct zone_rule rule = {.changes = false};

	if (skip_name(&text) < 0 || read_time(&text, &rule.standard) < 0)
		return -1;
	rule.standard = -rule.standard; /* POSIX counts to the west */
	rule.summer = rule.standard + 3600;
	if (*text) {
		rule.changes = true;
		if (skip_name(&text) < 0)
			return -1;
		if (*text && *text != ',') {
			if (read_time(&text, &rule.summer) < 0)
				return -1;
			rule.summer = -rule.summer;
		}
		if (read_change(&text, &rule.to_summer) < 0 ||
		    read_change(&text, &rule.to_standard) < 0)
			return -1;
	}
	if (*text)
		return -1;
	*ret = rule;
	return 0;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Midnight of a date in UTC; days beyond the month's end count on. */
static int64_t midnight(int year, int month, int day)
{
	struct tm date = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};

	return timegm(&date);
}

/* When it happens, as local time. */
static int64_t change_at(const struct zone_change *change, int year)
{
	struct tm first = {.tm_year = year - 1900, .tm_mon = change->month - 1, .tm_mday = 1};
	int64_t date;
	int day;

	if (change->kind == ZONE_DAY_JULIAN) {
		day = change->day - 1 + (is_leap(year) && change->day >= 60);
		return midnight(year, 1, 1 + day) + change->seconds;
	}
	if (change->kind == ZONE_DAY_OF_YEAR)
		return midnight(year, 1, 1 + change->day) + change->seconds;
	date = timegm(&first);
	date += (change->day - first.tm_wday + 7) % 7 * DAY_SECONDS +
	        (change->week - 1) * 7 * DAY_SECONDS;
	if (date >= midnight(year, change->month + 1, 1))
		date -= 7 * DAY_SECONDS; /* the fifth is the last one */
	return date + change->seconds;
}

int64_t zone_rule_offset(const struct zone_rule *rule, int64_t unix_seconds)
{
	time_t now = unix_seconds;
	struct tm date;
	int64_t begin, end;
	bool is_summer;

	if (!rule->changes || !gmtime_r(&now, &date))
		return rule->standard;
	begin = change_at(&rule->to_summer, date.tm_year + 1900) - rule->standard;
	end = change_at(&rule->to_standard, date.tm_year + 1900) - rule->summer;
	is_summer = begin < end ? now >= begin && now < end : now < end || now >= begin;
	return is_summer ? rule->summer : rule->standard;
}
