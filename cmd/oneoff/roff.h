/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes man(7) pages that groff and mandoc both take without a warning. Text is plain; whatever
 * would mean something to roff is escaped here and nowhere else.
 *
 *	roff_section(&page, "EXIT STATUS");
 *	roff_text(&page, "The task's own code, 0-255.");
 *
 * Failure shows in the buffer. Single thread.
 */
#ifndef ONEOFF_CMD_ROFF_H
#define ONEOFF_CMD_ROFF_H

#include "pkg/base/strbuf.h"

/* .SH, .SS */
void roff_section(struct strbuf *page, const char *title);
void roff_subsection(struct strbuf *page, const char *title);

/* Running text, one paragraph: white space is only space between words, lines are wrapped. A word
 * that begins with a dash is an option and can be copied with its dashes. */
void roff_text(struct strbuf *page, const char *text);

/* Paragraphs with an empty line between; one that begins with a blank is shown as it is. */
void roff_paragraphs(struct strbuf *page, const char *text);

/* The start of a list item: what follows is indented below the tag. The tag is made by
 * roff_bold and its like, and ended by roff_line. */
void roff_item(struct strbuf *page);
void roff_line(struct strbuf *page);

/* Within a line, as it is, to be copied. */
void roff_bold(struct strbuf *page, const char *text);
void roff_italic(struct strbuf *page, const char *text);
void roff_literal(struct strbuf *page, const char *text);

/* A block of lines as they are, between begin and end. */
void roff_code_begin(struct strbuf *page);
void roff_code(struct strbuf *page, const char *line);
void roff_code_end(struct strbuf *page);

#endif
