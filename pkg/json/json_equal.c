/* SPDX-License-Identifier: Apache-2.0 */
/* Equality of trees: numbers by value, objects by key. */
#include "pkg/json/json.h"

#include <string.h>
#include "pkg/json/json_internal.h"

static bool numbers_equal(const cJSON *left, const cJSON *right)
{
	struct json_decimal left_decimal, right_decimal;
	char left_buffer[JSON_NUMBER_SIZE], right_buffer[JSON_NUMBER_SIZE];
	const char *left_text = json_number_text(left, left_buffer);
	const char *right_text = json_number_text(right, right_buffer);

	if (!left_text || !right_text)
		return false;
	if (json_decimal_read(left_text, &left_decimal) == 0 &&
	    json_decimal_read(right_text, &right_decimal) == 0)
		return json_decimal_equal(&left_decimal, &right_decimal);
	return !strcmp(left_text, right_text);
}

static bool arrays_equal(const cJSON *left, const cJSON *right)
{
	const cJSON *one = left->child, *other = right->child;

	for (; one && other; one = one->next, other = other->next)
		if (!json_equal(one, other))
			return false;
	return !one && !other;
}

static bool objects_equal(const cJSON *left, const cJSON *right)
{
	const cJSON *expected = right->child, *child;

	if (cJSON_GetArraySize(left) != cJSON_GetArraySize(right))
		return false;
	cJSON_ArrayForEach (child, left) {
		/* Mostly the order is the same: then there is nothing to search. */
		if (!expected || strcmp(expected->string, child->string) != 0)
			expected = json_member(right, child->string);
		if (!json_equal(child, expected))
			return false;
		expected = expected->next;
	}
	return true;
}

bool json_equal(const cJSON *left, const cJSON *right)
{
	if (!left || !right)
		return left == right;
	if ((cJSON_IsNumber(left) || cJSON_IsRaw(left)) &&
	    (cJSON_IsNumber(right) || cJSON_IsRaw(right)))
		return numbers_equal(left, right);
	/* The upper bits say who owns the strings. */
	if ((left->type & 0xff) != (right->type & 0xff))
		return false;
	if (cJSON_IsString(left))
		return !strcmp(left->valuestring, right->valuestring);
	if (cJSON_IsArray(left))
		return arrays_equal(left, right);
	if (cJSON_IsObject(left))
		return objects_equal(left, right);
	return true;
}
