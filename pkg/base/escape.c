/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/escape.h"

#include <stdint.h>
#include <string.h>
#include "pkg/base/utf8.h"

/* What well-formed UTF-8 may hold and a terminal should not get. U+200C and U+200D stay: several
 * scripts and most emoji are written with them. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{0x00, 0x1f},       /* C0 */
	{0x7f, 0x9f},       /* DEL, C1 */
	{0xad, 0xad},       /* soft hyphen */
	{0x61c, 0x61c},     /* Arabic letter mark */
	{0x180e, 0x180e},   /* Mongolian vowel separator */
	{0x200b, 0x200b},   /* zero width space */
	{0x200e, 0x200f},   /* left-to-right and right-to-left mark */
	{0x2028, 0x202e},   /* line and paragraph separator, embeddings and overrides */
	{0x2060, 0x206f},   /* word joiner, invisible operators, isolates */
	{0xfeff, 0xfeff},   /* byte order mark */
	{0xfff9, 0xfffb},   /* interlinear annotation */
	{0xfffe, 0xffff},   /* no characters */
	{0xe0000, 0xe0fff}, /* tags and variation selectors: text that nobody sees */
};

/* Bytes of the printable character at text, or 0 when its first byte has to be escaped. */
static size_t printable_size(const char *text, size_t length)
{
	uint32_t code;
	size_t size = utf8_decode(text, length, &code);

	for (size_t i = 0; size && i < ARRAY_SIZE(hidden); i++) {
		if (code >= hidden[i].first && code <= hidden[i].last)
			return 0;
	}
	return size;
}

/* Bytes at text up to the next printable character: all of a hidden one, one of a malformed one. */
static size_t hidden_size(const char *text, size_t length)
{
	uint32_t code;
	size_t size = utf8_decode(text, length, &code);

	return size ? size : 1;
}

static void add_byte(struct strbuf *buffer, unsigned char byte, bool for_shell)
{
	if (byte == '\n')
		strbuf_adds(buffer, "\\n");
	else if (byte == '\t')
		strbuf_adds(buffer, "\\t");
	else if (byte == '\r')
		strbuf_adds(buffer, "\\r");
	else if (for_shell)
		strbuf_addf(buffer, "\\%03o", (unsigned)byte);
	else
		strbuf_addf(buffer, "\\x%02x", (unsigned)byte);
}

/* Appends text with everything hidden escaped: byte by byte in hexadecimal for people, in octal for
 * a shell, where a hexadecimal escape has no fixed length everywhere. */
static void add_escaped(struct strbuf *buffer, const char *text, bool for_shell)
{
	size_t length = strlen(text);

	while (length) {
		size_t size = printable_size(text, length);
		bool printable = size > 0;

		if (!printable)
			size = hidden_size(text, length);
		if (printable && for_shell && strchr("\\'", *text))
			strbuf_addc(buffer, '\\');
		if (printable)
			strbuf_add(buffer, text, size);
		for (size_t i = 0; !printable && i < size; i++)
			add_byte(buffer, (unsigned char)text[i], for_shell);
		text += size;
		length -= size;
	}
}

/* Takes back what was added since the length was `before`, if not all of it found room. */
static void undo_if_failed(struct strbuf *buffer, size_t before)
{
	if (!buffer->failed || buffer->length == before)
		return;
	buffer->length = before;
	buffer->data[before] = '\0';
}

void escape_add(struct strbuf *buffer, const char *text)
{
	size_t before = buffer->length;

	add_escaped(buffer, text, false);
	undo_if_failed(buffer, before);
}

/* An '=' is safe only behind a dash: at the start of a pasted line "A=1" would be an assignment. */
static bool is_bare_word(const char *text)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				   "_@%+:,./-=";

	return *text && !text[strspn(text, safe)] && (*text == '-' || !strchr(text, '='));
}

static bool is_all_printable(const char *text)
{
	size_t length = strlen(text);

	while (length) {
		size_t size = printable_size(text, length);

		if (!size)
			return false;
		text += size;
		length -= size;
	}
	return true;
}

/* Nothing is special between single quotes but the quote itself, which has to stand outside. */
static void add_quoted(struct strbuf *buffer, const char *text)
{
	strbuf_addc(buffer, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_adds(buffer, "'\\''");
		else
			strbuf_addc(buffer, *text);
	}
	strbuf_addc(buffer, '\'');
}

void escape_add_shell(struct strbuf *buffer, const char *text)
{
	size_t before = buffer->length;

	if (is_bare_word(text)) {
		strbuf_adds(buffer, text);
	} else if (is_all_printable(text)) {
		add_quoted(buffer, text);
	} else {
		strbuf_adds(buffer, "$'");
		add_escaped(buffer, text, true);
		strbuf_addc(buffer, '\'');
	}
	undo_if_failed(buffer, before);
}
