/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/table.h"

#include "pkg/base/escape.h"
#include "pkg/base/utf8.h"

size_t table_width(const char *text)
{
	_cleanup_(strbuf_release) struct strbuf escaped = STRBUF_INIT;

	escape_add(&escaped, text);
	return utf8_width(strbuf_str(&escaped));
}

void table_add(struct strbuf *out, const char *text, size_t width, size_t gap)
{
	size_t used = table_width(text);

	escape_add(out, text);
	for (width = (used > width ? used : width) + gap; used < width; used++)
		strbuf_addc(out, ' ');
}
