/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/roff.h"

#include <string.h>

#define LINE_MAX_BYTES 72 /* of source; mandoc minds more than 80 */

/* One byte of text. A dash is a hyphen unless `copied`: then it must stay what a shell takes. */
static void add_byte(struct strbuf *page, char byte, bool copied)
{
	switch (byte) {
	case '\\':
		strbuf_adds(page, "\\e");
		break;
	case '-':
		strbuf_adds(page, copied ? "\\-" : "-");
		break;
	case '\'':
		strbuf_adds(page, "\\(aq");
		break;
	case '`':
		strbuf_adds(page, "\\(ga");
		break;
	case '^':
		strbuf_adds(page, "\\(ha");
		break;
	case '~':
		strbuf_adds(page, "\\(ti");
		break;
	case '"':
		strbuf_adds(page, "\\(dq");
		break;
	default:
		strbuf_addc(page, byte);
	}
}

static void add_bytes(struct strbuf *page, const char *text, size_t length, bool copied)
{
	for (size_t i = 0; i < length; i++)
		add_byte(page, text[i], copied);
}

/* A line that begins with a dot or a quote would be a request. */
static void guard(struct strbuf *page, char first)
{
	if (first == '.')
		strbuf_adds(page, "\\&");
}

void roff_section(struct strbuf *page, const char *title)
{
	strbuf_addf(page, ".SH \"%s\"\n", title);
}

void roff_subsection(struct strbuf *page, const char *title)
{
	strbuf_adds(page, ".SS \"");
	roff_literal(page, title);
	strbuf_adds(page, "\"\n");
}

static void add_words(struct strbuf *page, const char *text, size_t length)
{
	const char *end = text + length;
	size_t column = 0;

	while (text < end) {
		size_t word = strcspn(text, " \n"), before = page->length;

		word = word > (size_t)(end - text) ? (size_t)(end - text) : word;
		if (word && column > 0) {
			bool full = column + word >= LINE_MAX_BYTES;

			strbuf_addc(page, full ? '\n' : ' ');
			column = full ? 0 : column;
		}
		if (word && column == 0)
			guard(page, *text);
		add_bytes(page, text, word, *text == '-' || !strncmp(text + (word > 0), "--", 2));
		column += page->length - before;
		text += word;
		text += text < end;
	}
	strbuf_addc(page, '\n');
}

void roff_text(struct strbuf *page, const char *text)
{
	add_words(page, text, strlen(text));
}

static void add_block(struct strbuf *page, const char *text, size_t length)
{
	const char *end = text + length;

	roff_code_begin(page);
	while (text < end) {
		size_t line = strcspn(text, "\n");

		guard(page, *text);
		add_bytes(page, text, line, true);
		roff_line(page);
		text += line;
		text += text < end;
	}
	roff_code_end(page);
}

void roff_paragraphs(struct strbuf *page, const char *text)
{
	for (bool first = true; *text; first = false) {
		const char *gap = strstr(text, "\n\n");
		size_t length = gap ? (size_t)(gap - text) : strlen(text);

		if (!first)
			strbuf_adds(page, ".PP\n");
		if (*text == ' ')
			add_block(page, text, length);
		else
			add_words(page, text, length);
		text += length;
		text += strspn(text, "\n");
	}
}

void roff_item(struct strbuf *page)
{
	strbuf_adds(page, ".TP\n");
}

void roff_line(struct strbuf *page)
{
	strbuf_addc(page, '\n');
}

void roff_literal(struct strbuf *page, const char *text)
{
	add_bytes(page, text, strlen(text), true);
}

void roff_bold(struct strbuf *page, const char *text)
{
	strbuf_adds(page, "\\fB");
	roff_literal(page, text);
	strbuf_adds(page, "\\fR");
}

void roff_italic(struct strbuf *page, const char *text)
{
	strbuf_adds(page, "\\fI");
	roff_literal(page, text);
	strbuf_adds(page, "\\fR");
}

void roff_code_begin(struct strbuf *page)
{
	strbuf_adds(page, ".RS 4\n.EX\n");
}

void roff_code(struct strbuf *page, const char *line)
{
	guard(page, *line);
	roff_literal(page, line);
	roff_line(page);
}

void roff_code_end(struct strbuf *page)
{
	strbuf_adds(page, ".EE\n.RE\n");
}
