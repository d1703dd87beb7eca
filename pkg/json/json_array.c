/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/json/json_array.h"

#include <string.h>

void json_array_release(struct json_array *array)
{
	strbuf_release(&array->text);
	*array = (struct json_array)JSON_ARRAY_INIT;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The first byte from `at` on that is no blank; the length when there is none. */
static size_t skip_blanks(const struct json_array *array, size_t at)
{
	while (at < array->text.length && is_blank(array->text.data[at]))
		at++;
	return at;
}

static int refuse_length(struct err *err)
{
	return err_set(err, ERR_NO_MEMORY, "an item of the answer is too long");
}

static int refuse(struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "the answer is no JSON array");
}

static void look_at_string(struct json_array *array, char byte)
{
	if (array->escaped)
		array->escaped = false;
	else if (byte == '\\')
		array->escaped = true;
	else if (byte == '"')
		array->in_string = false;
}

/* True when the byte ends the item: a comma, or the array's own bracket. */
static bool look_at(struct json_array *array, char byte)
{
	if (array->in_string) {
		look_at_string(array, byte);
		return false;
	}
	switch (byte) {
	case '"':
		array->in_string = true;
		return false;
	case '[':
	case '{':
		array->depth++;
		return false;
	case ']':
		if (!array->depth)
			return true;
		array->depth--;
		return false;
	case '}': /* one too many is json_parse's to find */
		array->depth -= array->depth > 0;
		return false;
	default:
		return byte == ',' && !array->depth;
	}
}

/* Before the first item. 0: go on with it, 1: there is nothing (yet). */
static int begin(struct json_array *array, struct err *err)
{
	size_t at = skip_blanks(array, array->handed);

	if (at == array->text.length)
		return 1;
	if (array->place == JSON_ARRAY_BEFORE) {
		if (array->text.data[at] == 'n' && !array->handed)
			return 1; /* "null": json_array_finish looks at it */
		if (array->text.data[at] != '[')
			return refuse(err);
		array->place = JSON_ARRAY_FIRST;
		at = skip_blanks(array, at + 1);
		array->handed = array->scanned = at;
		if (at == array->text.length)
			return 1;
	}
	if (array->text.data[at] == ']') {
		array->place = JSON_ARRAY_AFTER;
		array->handed = array->scanned = at + 1;
		return 1;
	}
	array->place = JSON_ARRAY_ITEM;
	return 0;
}

/* Moves over the item; true with its end (the place of the comma or bracket), false when it is not whole. */
static bool find_end(struct json_array *array, size_t *ret_end)
{
	while (array->scanned < array->text.length) {
		size_t at = array->scanned++;

		if (!look_at(array, array->text.data[at]))
			continue;
		*ret_end = at;
		return true;
	}
	return false;
}

/* What was handed on goes once for all the items of a piece, not once an item. */
static void drop_handed(struct json_array *array)
{
	strbuf_consume(&array->text, array->handed);
	array->scanned -= array->handed;
	array->handed = 0;
}

int json_array_next(struct json_array *array, cJSON **ret_item, struct err *err)
{
	size_t end;

	if (array->text.failed)
		return refuse_length(err);
	if (array->place == JSON_ARRAY_BEFORE || array->place == JSON_ARRAY_FIRST) {
		int result = begin(array, err);

		if (result)
			return result < 0 ? -1 : 0;
	}
	if (array->place == JSON_ARRAY_AFTER)
		return skip_blanks(array, array->handed) < array->text.length ? refuse(err) : 0;
	if (!find_end(array, &end)) {
		drop_handed(array);
		return 0;
	}
	if (json_parse(array->text.data + array->handed, end - array->handed, JSON_ARRAY_MAX_BYTES,
	               ret_item, err) < 0)
		return -1;
	if (array->text.data[end] == ']')
		array->place = JSON_ARRAY_AFTER;
	array->handed = array->scanned;
	return 1;
}

int json_array_finish(struct json_array *array, struct err *err)
{
	_cleanup_(json_free) cJSON *null = NULL;

	if (array->text.failed)
		return refuse_length(err);
	if (array->place == JSON_ARRAY_AFTER &&
	    skip_blanks(array, array->handed) == array->text.length)
		return 0;
	if (array->place == JSON_ARRAY_BEFORE && array->text.length &&
	    json_parse(array->text.data, array->text.length, JSON_ARRAY_MAX_BYTES, &null, err) ==
	            0 &&
	    cJSON_IsNull(null))
		return 0;
	return err_set(err, ERR_PROTOCOL, "the answer is cut short");
}
