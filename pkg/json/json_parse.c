/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cJSON parses; what it would let through or change is found here: a scan before it (depth,
 * numbers, NUL, UTF-8, control bytes) and a walk after it (duplicate keys, numbers that a double
 * cannot hold).
 */
#include "pkg/json/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/utf8.h"

/* A number of this many characters or fewer, without exponent, is the same after a double. */
#define EXACT_LENGTH 15

/* A number to keep as text, by its place among all numbers of the document. */
struct big_number {
	size_t ordinal;
	size_t offset, length;
};

struct scan {
	const char *text;
	size_t length, offset;
	unsigned depth;
	size_t numbers;
	struct big_number *big; /* owned */
	size_t big_count, big_allocated;
};

static int fault(const struct scan *scan, struct err *err, const char *what)
{
	return err_set(err, ERR_PROTOCOL, "not acceptable JSON: %s at byte %zu", what,
	               scan->offset);
}

static size_t count_digits(const struct scan *scan)
{
	size_t count = 0;

	while (scan->offset + count < scan->length && scan->text[scan->offset + count] >= '0' &&
	       scan->text[scan->offset + count] <= '9')
		count++;
	return count;
}

static bool accept_byte(struct scan *scan, const char *bytes)
{
	if (scan->offset >= scan->length || !scan->text[scan->offset] ||
	    !strchr(bytes, scan->text[scan->offset]))
		return false;
	scan->offset++;
	return true;
}

static int keep_big(struct scan *scan, size_t start, struct err *err)
{
	if (scan->big_count == scan->big_allocated) {
		size_t size = scan->big_allocated ? scan->big_allocated * 2 : 16;
		struct big_number *grown = reallocarray(scan->big, size, sizeof(*grown));

		if (!grown)
			return err_no_memory(err);
		scan->big = grown;
		scan->big_allocated = size;
	}
	scan->big[scan->big_count++] =
		(struct big_number){scan->numbers, start, scan->offset - start};
	return 0;
}

/* RFC 8259 section 6; cJSON takes more. */
static int scan_number(struct scan *scan, struct err *err)
{
	size_t start = scan->offset;
	bool is_plain = true;
	size_t digits;

	accept_byte(scan, "-");
	digits = count_digits(scan);
	if (!digits || (digits > 1 && scan->text[scan->offset] == '0'))
		return fault(scan, err, "a malformed number");
	scan->offset += digits;
	if (accept_byte(scan, ".")) {
		digits = count_digits(scan);
		if (!digits)
			return fault(scan, err, "a malformed number");
		scan->offset += digits;
	}
	if (accept_byte(scan, "eE")) {
		is_plain = false;
		accept_byte(scan, "+-");
		digits = count_digits(scan);
		if (!digits)
			return fault(scan, err, "a malformed number");
		scan->offset += digits;
	}
	if ((!is_plain || scan->offset - start > EXACT_LENGTH ||
	     memchr(scan->text + start, '.', scan->offset - start)) &&
	    keep_big(scan, start, err) < 0)
		return -1;
	scan->numbers++;
	return 0;
}

static int scan_string(struct scan *scan, struct err *err)
{
	size_t start = ++scan->offset;

	for (; scan->offset < scan->length; scan->offset++) {
		unsigned char byte = (unsigned char)scan->text[scan->offset];

		if (byte < 0x20)
			return fault(scan, err, "a control byte in a string");
		if (byte == '"') {
			if (!utf8_valid(scan->text + start, scan->offset - start))
				return fault(scan, err, "invalid UTF-8 in the string that ends");
			scan->offset++;
			return 0;
		}
		if (byte != '\\')
			continue;
		if (scan->length - scan->offset >= 6 &&
		    !memcmp(scan->text + scan->offset, "\\u0000", 6))
			return fault(scan, err, "\\u0000");
		scan->offset++;
	}
	return fault(scan, err, "a string without an end");
}

static int scan_document(struct scan *scan, struct err *err)
{
	while (scan->offset < scan->length) {
		char byte = scan->text[scan->offset];
		int result = 0;

		if (byte == '"') {
			result = scan_string(scan, err);
		} else if (byte == '-' || (byte >= '0' && byte <= '9')) {
			result = scan_number(scan, err);
		} else {
			if ((byte == '{' || byte == '[') && ++scan->depth > JSON_MAX_DEPTH)
				return fault(scan, err, "deeper nesting than allowed");
			if ((byte == '}' || byte == ']') && scan->depth-- == 0)
				return fault(scan, err, "a bracket too many");
			if (!byte || !strchr(" \t\r\n{}[]:,truefalsn", byte))
				return fault(scan, err, "an odd byte");
			scan->offset++;
		}
		if (result < 0)
			return -1;
	}
	return 0;
}

/* Puts the text of big numbers back, in document order. */
static int restore_numbers(cJSON *node, const struct scan *scan, size_t *ordinal, size_t *next,
                           struct err *err)
{
	cJSON *child;

	if (cJSON_IsNumber(node)) {
		const struct big_number *big = scan->big + *next;

		if (*next < scan->big_count && big->ordinal == *ordinal) {
			char *text = strndup(scan->text + big->offset, big->length);

			if (!text)
				return err_no_memory(err);
			node->type = cJSON_Raw;
			node->valuestring = text;
			(*next)++;
		}
		(*ordinal)++;
	}
	for (child = node->child; child; child = child->next)
		if (restore_numbers(child, scan, ordinal, next, err) < 0)
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
			return err_set(err, ERR_PROTOCOL,
			               "not acceptable JSON: the key '%.100s' stands twice",
			               keys[i]);
	return 0;
}

static int refuse_duplicates(const cJSON *node, struct err *err)
{
	const cJSON *child;

	if (cJSON_IsObject(node) && check_keys(node, err) < 0)
		return -1;
	for (child = node->child; child; child = child->next)
		if (refuse_duplicates(child, err) < 0)
			return -1;
	return 0;
}

int json_parse(const char *text, size_t length, size_t max_bytes, cJSON **ret_document,
               struct err *err)
{
	struct scan scan = {.text = text, .length = length};
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *copy = NULL;
	size_t ordinal = 0, next = 0;
	const char *end = NULL;

	if (length > max_bytes)
		return err_set(err, ERR_NO_MEMORY, "a JSON document of %zu bytes is too large",
		               length);
	if (scan_document(&scan, err) < 0) {
		free(scan.big);
		return -1;
	}
	/* cJSON's check for the end reads one byte more: give it a NUL. */
	copy = strndup(text, length);
	if (copy)
		document = cJSON_ParseWithLengthOpts(copy, length + 1, &end, true);
	if (!document) {
		scan.offset = copy && end ? (size_t)(end - copy) : 0;
		free(scan.big);
		return copy ? fault(&scan, err, "a syntax error") : err_no_memory(err);
	}
	if (restore_numbers(document, &scan, &ordinal, &next, err) < 0 ||
	    refuse_duplicates(document, err) < 0) {
		free(scan.big);
		return -1;
	}
	free(scan.big);
	*ret_document = TAKE_PTR(document);
	return 0;
}
