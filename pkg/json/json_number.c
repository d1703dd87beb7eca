/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers by their digits: no double, no locale, so nothing is rounded. */
#include "pkg/json/json_internal.h"

/* The least exponent of more than JSON_EXPONENT_DIGITS digits. */
#define EXPONENT_LIMIT INT64_C(1000000000000)

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* The part from "e" to the end of the text; none is 0. */
static int read_exponent(const char *text, int64_t *ret)
{
	bool is_negative = false;
	int64_t value = 0;

	*ret = 0;
	if (!*text)
		return 0;
	if (*text != 'e' && *text != 'E')
		return -1;
	text++;
	if (*text == '+' || *text == '-')
		is_negative = *text++ == '-';
	if (!is_digit(*text))
		return -1;
	for (; is_digit(*text); text++) {
		value = value * 10 + (*text - '0');
		if (value >= EXPONENT_LIMIT)
			return -1;
	}
	if (*text)
		return -1;
	*ret = is_negative ? -value : value;
	return 0;
}

int json_decimal_read(const char *text, struct json_decimal *ret)
{
	struct json_decimal decimal = {.is_negative = *text == '-'};
	size_t seen = 0, significant = 0, fraction = 0;
	bool after_dot = false;
	int64_t exponent;

	text += decimal.is_negative;
	for (; is_digit(*text) || (*text == '.' && seen && !after_dot); text++) {
		if (*text == '.') {
			after_dot = true;
			continue;
		}
		seen++;
		fraction += after_dot;
		if (!decimal.digits && *text != '0')
			decimal.digits = text;
		if (decimal.digits)
			significant++;
		if (*text != '0')
			decimal.count = significant;
	}
	if (!seen || (after_dot && !fraction) || read_exponent(text, &exponent) < 0)
		return -1;
	if (decimal.count)
		decimal.exponent = exponent + (int64_t)significant - (int64_t)fraction;
	*ret = decimal;
	return 0;
}

/* The digit at *at, which moves on. */
static int next_digit(const char **at)
{
	if (**at == '.')
		(*at)++;
	return *(*at)++ - '0';
}

bool json_decimal_equal(const struct json_decimal *left, const struct json_decimal *right)
{
	const char *one = left->digits, *other = right->digits;

	if (left->count != right->count || left->exponent != right->exponent)
		return false;
	if (left->count && left->is_negative != right->is_negative)
		return false;
	for (size_t i = 0; i < left->count; i++)
		if (next_digit(&one) != next_digit(&other))
			return false;
	return true;
}

int json_decimal_int64(const struct json_decimal *decimal, int64_t *ret)
{
	const char *at = decimal->digits;
	int64_t value = 0;

	/* No int64 has more than 19 digits; a shorter exponent leaves digits behind the dot. */
	if (decimal->exponent > 19 || decimal->exponent < (int64_t)decimal->count)
		return -1;
	/* Downwards, since INT64_MIN has no positive twin. */
	for (size_t i = 0; i < (size_t)decimal->exponent; i++) {
		int digit = i < decimal->count ? next_digit(&at) : 0;

		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			return -1;
	}
	if (!decimal->is_negative && __builtin_sub_overflow(0, value, &value))
		return -1;
	*ret = value;
	return 0;
}

const char *json_number_text(const cJSON *node, char buffer[JSON_NUMBER_SIZE])
{
	if (cJSON_IsRaw(node))
		return node->valuestring;
	if (!cJSON_IsNumber(node) ||
	    !cJSON_PrintPreallocated((cJSON *)node, buffer, JSON_NUMBER_SIZE, false))
		return NULL;
	return buffer;
}
