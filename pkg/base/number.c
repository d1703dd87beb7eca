/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/number.h"

#include <stdbool.h>
#include <string.h>

#define SECOND       INT64_C(1000)
#define MINUTE       (60 * SECOND)
#define HOUR         (60 * MINUTE)
#define DAY          (24 * HOUR)
#define DURATION_MAX (10 * 365 * DAY)

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

int parse_int64(const char *text, int64_t minimum, int64_t maximum, int64_t *ret)
{
	bool negative = *text == '-' && minimum < 0;
	int64_t value = 0;

	if (negative)
		text++;
	if (!*text)
		return -1;
	for (; *text; text++) {
		int digit = *text - '0';

		if (!is_digit(*text) || __builtin_mul_overflow(value, 10, &value))
			return -1;
		if (__builtin_add_overflow(value, negative ? -digit : digit, &value))
			return -1;
	}
	if (value < minimum || value > maximum)
		return -1;
	*ret = value;
	return 0;
}

/* "WHOLE" or "WHOLE.FRACTION", no sign. The fraction stays text: binary floating point would turn
 * "0.3" of something into one less than it is. */
struct decimal {
	int64_t whole;
	const char *fraction; /* its digits, borrowed */
	size_t places;        /* how many */
};

/* Reads the decimal at *text and moves *text behind it. */
static int read_decimal(const char **text, struct decimal *ret)
{
	struct decimal decimal = {0};
	const char *at = *text;

	if (!is_digit(*at))
		return -1;
	for (; is_digit(*at); at++) {
		if (__builtin_mul_overflow(decimal.whole, 10, &decimal.whole) ||
		    __builtin_add_overflow(decimal.whole, *at - '0', &decimal.whole))
			return -1;
	}
	if (*at == '.') {
		decimal.fraction = ++at;
		while (is_digit(*at))
			at++;
		decimal.places = (size_t)(at - decimal.fraction);
		if (!decimal.places)
			return -1;
	}
	*text = at;
	*ret = decimal;
	return 0;
}

/* The decimal times unit (at most INT64_MAX / 10), cut to an integer; *ret_exact says whether
 * nothing was lost. The fraction is multiplied from its last digit on, as on paper, so nothing
 * overflows. */
static int scale(const struct decimal *decimal, int64_t unit, int64_t *ret, bool *ret_exact)
{
	int64_t value, part = 0;
	bool exact = true;

	for (size_t i = decimal->places; i > 0; i--) {
		part += (decimal->fraction[i - 1] - '0') * unit;
		exact = exact && part % 10 == 0;
		part /= 10;
	}
	if (__builtin_mul_overflow(decimal->whole, unit, &value) ||
	    __builtin_add_overflow(value, part, &value))
		return -1;
	*ret = value;
	*ret_exact = exact;
	return 0;
}

static const struct {
	const char *name;
	int64_t milliseconds;
} duration_units[] = {
	{"d", DAY}, {"h", HOUR}, {"m", MINUTE}, {"s", SECOND}, {"ms", 1},
};

/* The index of the unit that the letters at *text name, or -1; *text moves behind them. */
static int read_duration_unit(const char **text)
{
	size_t length = strspn(*text, "dhms");

	for (size_t i = 0; i < ARRAY_SIZE(duration_units); i++) {
		const char *name = duration_units[i].name;

		if (strlen(name) == length && !strncmp(*text, name, length)) {
			*text += length;
			return (int)i;
		}
	}
	return -1;
}

int parse_duration(const char *text, int64_t *ret_milliseconds)
{
	int64_t seconds, total = 0;
	int last_unit = -1;

	if (parse_int64(text, 0, DURATION_MAX / SECOND, &seconds) == 0) {
		*ret_milliseconds = seconds * SECOND;
		return 0;
	}
	do {
		struct decimal decimal;
		int64_t part;
		bool exact;
		int unit;

		if (read_decimal(&text, &decimal) < 0)
			return -1;
		unit = read_duration_unit(&text);
		if (unit <= last_unit)
			return -1;
		last_unit = unit;
		if (scale(&decimal, duration_units[unit].milliseconds, &part, &exact) < 0)
			return -1;
		if (!exact || part > DURATION_MAX - total)
			return -1;
		total += part;
	} while (*text);
	*ret_milliseconds = total;
	return 0;
}

/* What a size may end in: nothing, "b", or a letter of kmgtp with nothing, "b", "i" or "ib" behind.
 */
static int read_size_unit(const char *text, int64_t *ret_unit)
{
	static const char letters[] = "bkmgtp";
	static const char *const endings[] = {"", "b", "i", "ib"};
	const char *found;

	if (!*text) {
		*ret_unit = 1;
		return 0;
	}
	found = strchr(letters, *text | 0x20);
	if (!found)
		return -1;
	*ret_unit = INT64_C(1) << (10 * (found - letters));
	if (found == letters)
		return text[1] ? -1 : 0;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		if (!strcasecmp(text + 1, endings[i]))
			return 0;
	}
	return -1;
}

int parse_size(const char *text, int64_t *ret_bytes)
{
	struct decimal decimal;
	int64_t unit, value;
	bool exact;

	if (read_decimal(&text, &decimal) < 0 || read_size_unit(text, &unit) < 0)
		return -1;
	if (unit == 1 && decimal.places)
		return -1;
	/* Nothing but 0 is 0: to an engine that means "no limit". */
	if (scale(&decimal, unit, &value, &exact) < 0 || (!value && !exact))
		return -1;
	*ret_bytes = value;
	return 0;
}

int parse_cpus(const char *text, int64_t *ret_nano)
{
	struct decimal decimal;
	bool milli, exact;
	int64_t value;

	if (read_decimal(&text, &decimal) < 0)
		return -1;
	milli = !strcmp(text, "m");
	if ((*text && !milli) || (milli && decimal.places))
		return -1;
	if (scale(&decimal, milli ? 1000000 : 1000000000, &value, &exact) < 0 || !exact)
		return -1;
	*ret_nano = value;
	return 0;
}
