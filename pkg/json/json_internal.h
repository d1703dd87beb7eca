/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of pkg/json share: the scan that goes before cJSON's parser, and numbers as exact
 * decimals. Private to pkg/json.
 */
#ifndef ONEOFF_JSON_JSON_INTERNAL_H
#define ONEOFF_JSON_JSON_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cjson/cJSON.h>
#include "pkg/base/err.h"

/* A piece of the scanned text. */
struct json_span {
	size_t offset, length;
};

/* One pass over a document. `numbers` are those to carry as text, in document order: fractions,
 * exponents, more than JSON_EXACT_DIGITS digits, and "-0". */
struct json_scan {
	const char *text; /* borrowed */
	size_t length, offset;
	struct json_span *numbers; /* owned */
	size_t count, allocated;
};

/* An integer of that many digits comes out of a double, and of cJSON's printer, as it went in. */
#define JSON_EXACT_DIGITS 15

/* Longer exponents are refused; so sums of an exponent and a length stay in range. */
#define JSON_EXPONENT_DIGITS 12

/* Frees what the scan found. */
void json_scan_release(struct json_scan *scan);

/* The whole of RFC 8259 and json.h's further conditions, except for duplicate keys: what passes is
 * a document that cJSON takes. ERR_PROTOCOL says what is wrong, and at which byte. */
int json_scan(struct json_scan *scan, struct err *err) _must_check_;

/* |value| = 0.d1d2d3... times 10 to the exponent; d1 and the last digit are not 0. Zero has none.
 */
struct json_decimal {
	bool is_negative;
	const char *digits; /* d1, borrowed; a dot may stand between them */
	size_t count;
	int64_t exponent;
};

/* Takes a number apart. -1 when the text is none, or its exponent is longer than
 * JSON_EXPONENT_DIGITS. */
int json_decimal_read(const char *text, struct json_decimal *ret) _must_check_;

/* The same value, however it is written. */
bool json_decimal_equal(const struct json_decimal *left, const struct json_decimal *right);

/* The value as an integer. -1 when it is none, or out of range. */
int json_decimal_int64(const struct json_decimal *decimal, int64_t *ret) _must_check_;

/* What cJSON needs to print a number: 26 bytes, and some to spare. */
#define JSON_NUMBER_SIZE 64

/* The digits of a number, carried or not: borrowed from the node or from `buffer`. NULL when the
 * node is no number. */
const char *json_number_text(const cJSON *node, char buffer[JSON_NUMBER_SIZE]);

#endif
