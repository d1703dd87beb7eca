/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/schedule/schedule.h"

#include <string.h>

#define NANOSECONDS UINT64_C(1000000000)
#define MOST        (UINT64_C(1) << 63)

static const struct {
	const char *name;
	uint64_t nanoseconds;
} units[] = {
	{"ns", 1},           {"us", 1000},       {"\302\265s", 1000}, /* the micro sign */
	{"\316\274s", 1000},                                          /* the Greek letter */
	{"ms", 1000000},     {"s", NANOSECONDS}, {"m", 60 * NANOSECONDS}, {"h", 3600 * NANOSECONDS},
};

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* The unit at the beginning, which lasts until the next number; 0: there is none. */
static uint64_t read_unit(const char **text)
{
	size_t length = strcspn(*text, ".0123456789");
	const char *name = *text;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strlen(units[i].name) == length && !strncmp(units[i].name, name, length)) {
			*text += length;
			return units[i].nanoseconds;
		}
	}
	return 0;
}

/* "90", "1.5", ".5": digits before and behind the point, of which one part may be missing. What is behind is
 * scale-th parts; digits that no longer fit are left out. */
struct decimal {
	uint64_t whole, part;
	double scale;
};

static int read_decimal(const char **text, struct decimal *ret)
{
	const char *begin = *text;
	bool full = false;
	size_t digits;

	*ret = (struct decimal){.scale = 1};
	for (; is_digit(**text); ++*text) {
		if (ret->whole > MOST / 10)
			return -1;
		ret->whole = ret->whole * 10 + (uint64_t)(**text - '0');
		if (ret->whole > MOST)
			return -1;
	}
	digits = (size_t)(*text - begin);
	if (**text != '.')
		return digits > 0 ? 0 : -1;
	for (++*text; is_digit(**text); ++*text, digits++) {
		uint64_t digit = (uint64_t)(**text - '0');

		full = full || ret->part > (MOST - 1) / 10 || ret->part * 10 + digit > MOST;
		if (full)
			continue;
		ret->part = ret->part * 10 + digit;
		ret->scale *= 10;
	}
	return digits > 0 ? 0 : -1;
}

/* One "1.5h". */
static int read_piece(const char **text, uint64_t *sum)
{
	struct decimal number;
	uint64_t unit, value;

	if (read_decimal(text, &number) < 0)
		return -1;
	unit = read_unit(text);
	if (unit == 0 || number.whole > MOST / unit)
		return -1;
	value = number.whole * unit;
	if (number.part > 0)
		value += (uint64_t)((double)number.part * ((double)unit / number.scale));
	if (value > MOST || *sum > MOST - value)
		return -1;
	*sum += value;
	return 0;
}

int schedule_parse_every(const char *text, int64_t *ret_seconds)
{
	bool negative = *text == '-';
	uint64_t sum = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (!*text)
		return -1;
	if (strcmp(text, "0") != 0) {
		while (*text)
			if (read_piece(&text, &sum) < 0)
				return -1;
	}
	if (sum == MOST && !negative)
		return -1;
	*ret_seconds = negative || sum < NANOSECONDS ? 1 : (int64_t)(sum / NANOSECONDS);
	return 0;
}
