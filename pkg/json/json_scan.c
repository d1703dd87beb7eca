/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of RFC 8259 that builds nothing. cJSON alone would let through bad numbers,
 * "\u00zz" (as a NUL), control bytes, any white space up to 0x20 and invalid UTF-8, would stop in
 * the middle of numbers of more than 63 bytes, and could not tell bad input from lack of memory.
 */
#include "pkg/json/json_internal.h"

#include <stdlib.h>
#include <string.h>
#include "pkg/base/utf8.h"
#include "pkg/json/json.h"

#define END (-1)

static int scan_value(struct json_scan *scan, unsigned depth, struct err *err);

void json_scan_release(struct json_scan *scan)
{
	free(scan->numbers);
	scan->numbers = NULL;
	scan->count = scan->allocated = 0;
}

static int fault(const struct json_scan *scan, struct err *err, const char *what)
{
	return err_set(err, ERR_PROTOCOL, "not acceptable JSON: %s at byte %zu", what,
	               scan->offset);
}

static int peek(const struct json_scan *scan)
{
	return scan->offset < scan->length ? (unsigned char)scan->text[scan->offset] : END;
}

static bool take(struct json_scan *scan, char byte)
{
	if (peek(scan) != (unsigned char)byte)
		return false;
	scan->offset++;
	return true;
}

static void skip_blanks(struct json_scan *scan)
{
	while (take(scan, ' ') || take(scan, '\n') || take(scan, '\t') || take(scan, '\r'))
		;
}

/* Four hexadecimal digits. */
static int scan_hex(struct json_scan *scan, uint32_t *ret_code, struct err *err)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++) {
		int byte = peek(scan);

		if (byte >= '0' && byte <= '9')
			code = code << 4 | (uint32_t)(byte - '0');
		else if ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f')
			code = code << 4 | (uint32_t)((byte | 0x20) - 'a' + 10);
		else
			return fault(scan, err, "a malformed \\u escape");
		scan->offset++;
	}
	*ret_code = code;
	return 0;
}

static int scan_escape(struct json_scan *scan, struct err *err)
{
	uint32_t code, second;
	int byte;

	scan->offset++;
	byte = peek(scan);
	if (byte <= 0 || !strchr("\"\\/bfnrtu", byte))
		return fault(scan, err, "an unknown escape");
	scan->offset++;
	if (byte != 'u')
		return 0;
	if (scan_hex(scan, &code, err) < 0)
		return -1;
	/* It would cut the C string that cJSON makes. */
	if (!code)
		return fault(scan, err, "\\u0000 before the byte that follows");
	if (code < 0xd800 || code > 0xdfff)
		return 0;
	if (code > 0xdbff || !take(scan, '\\') || !take(scan, 'u'))
		return fault(scan, err, "half a surrogate pair");
	if (scan_hex(scan, &second, err) < 0)
		return -1;
	return second < 0xdc00 || second > 0xdfff ? fault(scan, err, "half a surrogate pair") : 0;
}

static int scan_string(struct json_scan *scan, struct err *err)
{
	uint32_t code;

	if (!take(scan, '"'))
		return fault(scan, err, "no '\"' where a key must begin");
	while (!take(scan, '"')) {
		int byte = peek(scan);
		size_t size = 1;

		if (byte == '\\') {
			if (scan_escape(scan, err) < 0)
				return -1;
			continue;
		}
		if (byte == END)
			return fault(scan, err, "a string without an end");
		if (byte < 0x20)
			return fault(scan, err, "a control byte in a string");
		if (byte >= 0x80)
			size = utf8_decode(scan->text + scan->offset, scan->length - scan->offset,
			                   &code);
		if (!size)
			return fault(scan, err, "invalid UTF-8");
		scan->offset += size;
	}
	return 0;
}

static size_t take_digits(struct json_scan *scan)
{
	size_t start = scan->offset;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->offset++;
	return scan->offset - start;
}

static int carry(struct json_scan *scan, size_t start, struct err *err)
{
	if (scan->count == scan->allocated) {
		size_t size = scan->allocated ? scan->allocated * 2 : 16;
		struct json_span *grown = reallocarray(scan->numbers, size, sizeof(*grown));

		if (!grown)
			return err_no_memory(err);
		scan->numbers = grown;
		scan->allocated = size;
	}
	scan->numbers[scan->count++] = (struct json_span){start, scan->offset - start};
	return 0;
}

static int scan_exponent(struct json_scan *scan, struct err *err)
{
	size_t start;

	if (!take(scan, '+'))
		(void)take(scan, '-');
	start = scan->offset;
	while (take(scan, '0'))
		;
	if (take_digits(scan) > JSON_EXPONENT_DIGITS)
		return fault(scan, err, "an exponent out of all bounds before what stands");
	return scan->offset > start ? 0 : fault(scan, err, "no digit in the exponent");
}

static int scan_number(struct json_scan *scan, struct err *err)
{
	size_t start = scan->offset;
	bool is_negative = take(scan, '-');
	bool is_zero = peek(scan) == '0';
	size_t digits = take_digits(scan);
	bool is_exact = digits <= JSON_EXACT_DIGITS && !(is_negative && is_zero);

	if (!digits || (is_zero && digits > 1))
		return fault(scan, err, "a malformed number before what stands");
	if (take(scan, '.')) {
		is_exact = false;
		if (!take_digits(scan))
			return fault(scan, err, "no digit behind the dot");
	}
	if (take(scan, 'e') || take(scan, 'E')) {
		is_exact = false;
		if (scan_exponent(scan, err) < 0)
			return -1;
	}
	return is_exact ? 0 : carry(scan, start, err);
}

static int scan_word(struct json_scan *scan, const char *word, struct err *err)
{
	size_t length = strlen(word);

	if (scan->length - scan->offset < length ||
	    memcmp(scan->text + scan->offset, word, length) != 0)
		return fault(scan, err, "an unknown word");
	scan->offset += length;
	return 0;
}

static int scan_key(struct json_scan *scan, struct err *err)
{
	if (scan_string(scan, err) < 0)
		return -1;
	skip_blanks(scan);
	if (!take(scan, ':'))
		return fault(scan, err, "no ':' behind a key");
	skip_blanks(scan);
	return 0;
}

static int scan_container(struct json_scan *scan, unsigned depth, struct err *err)
{
	bool is_object = peek(scan) == '{';
	char last = is_object ? '}' : ']';

	if (depth == JSON_MAX_DEPTH)
		return fault(scan, err, "deeper nesting than allowed");
	scan->offset++;
	skip_blanks(scan);
	if (take(scan, last))
		return 0;
	do {
		skip_blanks(scan);
		if (is_object && scan_key(scan, err) < 0)
			return -1;
		if (scan_value(scan, depth + 1, err) < 0)
			return -1;
		skip_blanks(scan);
	} while (take(scan, ','));
	if (!take(scan, last))
		return fault(scan, err, is_object ? "neither ',' nor '}'" : "neither ',' nor ']'");
	return 0;
}

static int scan_value(struct json_scan *scan, unsigned depth, struct err *err)
{
	switch (peek(scan)) {
	case '{':
	case '[':
		return scan_container(scan, depth, err);
	case '"':
		return scan_string(scan, err);
	case 't':
		return scan_word(scan, "true", err);
	case 'f':
		return scan_word(scan, "false", err);
	case 'n':
		return scan_word(scan, "null", err);
	case '-':
	case '0' ... '9':
		return scan_number(scan, err);
	case END:
		return fault(scan, err, "the end where a value must begin");
	default:
		return fault(scan, err, "no value where one must begin");
	}
}

int json_scan(struct json_scan *scan, struct err *err)
{
	skip_blanks(scan);
	if (scan_value(scan, 0, err) < 0)
		return -1;
	skip_blanks(scan);
	return peek(scan) == END ? 0 : fault(scan, err, "text behind the document");
}
