/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/utf8.h"

#include "pkg/base/compat.h"

struct lead {
	unsigned char mask, value; /* the first byte of a sequence of this length */
	uint32_t least;            /* anything smaller has a shorter form */
};

static const struct lead leads[] = {
	{0x80, 0x00, 0},
	{0xe0, 0xc0, 0x80},
	{0xf0, 0xe0, 0x800},
	{0xf8, 0xf0, 0x10000},
};

size_t utf8_decode(const char *bytes, size_t length, uint32_t *ret_code)
{
	unsigned char first;
	uint32_t code;
	size_t size = 0;

	if (!length)
		return 0;
	first = (unsigned char)bytes[0];
	while (size < ARRAY_SIZE(leads) && (first & leads[size].mask) != leads[size].value)
		size++;
	if (size == ARRAY_SIZE(leads) || size >= length)
		return 0;
	code = first & (unsigned char)~leads[size].mask;
	for (size_t i = 1; i <= size; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if ((byte & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (byte & 0x3f);
	}
	if (code < leads[size].least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return size + 1;
}

bool utf8_valid(const char *bytes, size_t length)
{
	uint32_t code;

	while (length) {
		size_t size = utf8_decode(bytes, length, &code);

		if (!size)
			return false;
		bytes += size;
		length -= size;
	}
	return true;
}

size_t utf8_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}
