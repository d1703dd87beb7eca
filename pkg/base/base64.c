/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t length, struct strbuf *out)
{
	const unsigned char *from = bytes;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		unsigned group = (unsigned)from[i] << 16;

		if (left > 1)
			group |= (unsigned)from[i + 1] << 8;
		if (left > 2)
			group |= from[i + 2];
		strbuf_addc(out, digits[group >> 18]);
		strbuf_addc(out, digits[group >> 12 & 63]);
		strbuf_addc(out, left > 1 ? digits[group >> 6 & 63] : '=');
		strbuf_addc(out, left > 2 ? digits[group & 63] : '=');
	}
}

int base64_decode(const char *text, bool padded, struct strbuf *out)
{
	size_t count = 0, padding = 0;
	unsigned group = 0, bits = 0;

	for (; *text; text++) {
		const char *digit = strchr(digits, *text);

		if (*text == '\r' || *text == '\n')
			continue;
		padding += *text == '=';
		if (*text == '=')
			continue;
		if (!digit || padding)
			return -1;
		count++;
		group = group << 6 | (unsigned)(digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			strbuf_addc(out, (char)(unsigned char)(group >> bits & 0xff));
		}
	}
	if (count % 4 == 1 || padding > 2 || ((padding || padded) && (count + padding) % 4))
		return -1;
	return out->failed ? -1 : 0;
}
