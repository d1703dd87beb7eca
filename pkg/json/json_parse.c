/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cJSON builds the tree. What it would let through is refused by the scan before it; what it would
 * change, numbers, is hidden from it and put back as text; what only the unescaped tree shows,
 * duplicate keys, is looked for at the end.
 */
#include "pkg/json/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "pkg/json/json_internal.h"

/* A copy for cJSON, with a NUL at the end, which it wants. A carried number (two bytes at least)
 * becomes "-0" there: no other one is, so the tree shows where they belong, and cJSON's own limit
 * of 63 bytes and its use of the locale do not matter. */
static char *copy_without_numbers(const struct json_scan *scan)
{
	char *copy = malloc(scan->length + 1);

	if (!copy)
		return NULL;
	memcpy(copy, scan->text, scan->length);
	copy[scan->length] = '\0';
	for (size_t i = 0; i < scan->count; i++) {
		char *number = copy + scan->numbers[i].offset;

		memset(number, ' ', scan->numbers[i].length);
		memcpy(number, "-0", 2);
	}
	return copy;
}

/* Makes `node` carry the number verbatim. */
static int carry_number(cJSON *node, const char *text, size_t length)
{
	char *copy = cJSON_malloc(length + 1);

	if (!copy)
		return -1;
	memcpy(copy, text, length);
	copy[length] = '\0';
	node->type = cJSON_Raw;
	node->valuedouble = 0;
	node->valuestring = copy;
	return 0;
}

/* Puts the carried numbers back in document order; *next is the first one not used yet. */
static int restore_numbers(cJSON *node, const struct json_scan *scan, size_t *next)
{
	cJSON *child;

	if (cJSON_IsNumber(node) && signbit(node->valuedouble) && node->valuedouble == 0) {
		const struct json_span *number;

		if (*next == scan->count)
			return -1;
		number = &scan->numbers[(*next)++];
		return carry_number(node, scan->text + number->offset, number->length);
	}
	cJSON_ArrayForEach (child, node)
		if (restore_numbers(child, scan, next) < 0)
			return -1;
	return 0;
}

static int compare_keys(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static int check_keys(const cJSON *object, struct err *err)
{
	size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
	_cleanup_free_ char **keys = NULL;
	const cJSON *member;

	if (count < 2)
		return 0;
	keys = reallocarray(NULL, count, sizeof(*keys));
	if (!keys)
		return err_no_memory(err);
	cJSON_ArrayForEach (member, object)
		keys[i++] = member->string;
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (i = 1; i < count; i++)
		if (!strcmp(keys[i - 1], keys[i]))
			return err_set(
				err, ERR_PROTOCOL,
				"not acceptable JSON: the key '%.200s' stands twice in one object",
				keys[i]);
	return 0;
}

static int refuse_duplicates(const cJSON *node, struct err *err)
{
	const cJSON *child;

	if (cJSON_IsObject(node) && check_keys(node, err) < 0)
		return -1;
	cJSON_ArrayForEach (child, node)
		if (refuse_duplicates(child, err) < 0)
			return -1;
	return 0;
}

void json_mask_nul(char *text, size_t length)
{
	for (size_t i = 0; i + 6 <= length; i++) {
		if (text[i] != '\\')
			continue;
		if (!memcmp(text + i, "\\u0000", 6))
			memcpy(text + i, "\\ufffd", 6);
		i++; /* an escaped backslash begins no escape */
	}
}

int json_parse(const char *text, size_t length, size_t max_bytes, cJSON **ret_document,
               struct err *err)
{
	_cleanup_(json_scan_release) struct json_scan scan = {.text = text, .length = length};
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *copy = NULL;
	size_t next = 0;

	if (length > max_bytes)
		return err_set(err, ERR_NO_MEMORY,
		               "a JSON document of %zu bytes is larger than the %zu allowed",
		               length, max_bytes);
	if (json_scan(&scan, err) < 0)
		return -1;
	copy = copy_without_numbers(&scan);
	if (!copy)
		return err_no_memory(err);
	/* The scan has let it through, so only memory can be missing from here on. */
	document = cJSON_ParseWithLengthOpts(copy, length + 1, NULL, true);
	if (!document || restore_numbers(document, &scan, &next) < 0)
		return err_no_memory(err);
	if (refuse_duplicates(document, err) < 0)
		return -1;
	*ret_document = TAKE_PTR(document);
	return 0;
}
