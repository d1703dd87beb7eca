/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/procfile.h"

#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* A piece of the text. */
struct piece {
	const char *start;
	size_t length;
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

static void skip(struct piece *piece, size_t count)
{
	piece->start += count;
	piece->length -= count;
}

static struct piece trim(struct piece piece)
{
	while (piece.length && is_blank(*piece.start))
		skip(&piece, 1);
	while (piece.length && is_blank(piece.start[piece.length - 1]))
		piece.length--;
	return piece;
}

/* Cuts the text's first line off, without its end. */
static struct piece take_line(struct piece *text)
{
	const char *end = memchr(text->start, '\n', text->length);
	struct piece line = {text->start, end ? (size_t)(end - text->start) : text->length};

	skip(text, end ? line.length + 1 : line.length);
	return line;
}

/* The command of a line with that name; empty when the line is another's, or has none. */
static struct piece command_of(struct piece line, const char *name)
{
	const char *colon = memchr(line.start, ':', line.length);
	struct piece before = {line.start, colon ? (size_t)(colon - line.start) : 0};
	struct piece none = {line.start, 0};

	/* argv cannot carry a NUL; what follows it must not vanish unseen. */
	if (!colon || memchr(line.start, '\0', line.length))
		return none;
	before = trim(before);
	if (before.length != strlen(name) || memcmp(before.start, name, before.length) != 0)
		return none;
	skip(&line, (size_t)(colon - line.start) + 1);
	return trim(line);
}

int procfile_find(const char *text, size_t length, const char *name, struct strbuf *ret_command)
{
	struct piece rest = {text, length};

	if (length >= strlen(BYTE_ORDER_MARK) &&
	    !memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)))
		skip(&rest, strlen(BYTE_ORDER_MARK));
	while (rest.length) {
		struct piece line = take_line(&rest);
		struct piece command = command_of(line, name);

		if (!command.length)
			continue;
		strbuf_add(ret_command, command.start, command.length);
		return ret_command->failed ? -1 : 1;
	}
	return 0;
}
