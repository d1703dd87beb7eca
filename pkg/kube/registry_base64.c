/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/registry_internal.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void registry_base64_encode(const void *bytes, size_t length, struct strbuf *out)
{
	const unsigned char *from = bytes;

	for (size_t i = 0; i < length; i += 3) {
		unsigned group = (unsigned)from[i] << 16;

		if (i + 1 < length)
			group |= (unsigned)from[i + 1] << 8;
		if (i + 2 < length)
			group |= from[i + 2];
		strbuf_addc(out, digits[group >> 18]);
		strbuf_addc(out, digits[group >> 12 & 63]);
		strbuf_addc(out, i + 1 < length ? digits[group >> 6 & 63] : '=');
		strbuf_addc(out, i + 2 < length ? digits[group & 63] : '=');
	}
}

int registry_base64_decode(const char *text, struct strbuf *out)
{
	size_t length = strcspn(text, "="), padding = strlen(text) - length;
	unsigned group = 0, bits = 0;

	if (length % 4 == 1 || strspn(text + length, "=") != padding ||
	    (padding > 0 && (padding > 2 || (length + padding) % 4)))
		return -1;
	for (size_t i = 0; i < length; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit)
			return -1;
		group = group << 6 | (unsigned)(digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			strbuf_addc(out, (char)(unsigned char)(group >> bits & 0xff));
		}
	}
	return out->failed ? -1 : 0;
}
