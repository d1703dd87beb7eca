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

static bool names_command(struct piece line, struct procfile_line *ret)
{
	const char *colon = memchr(line.start, ':', line.length);
	struct piece name = {line.start, colon ? (size_t)(colon - line.start) : 0};

	/* argv cannot carry a NUL; what follows it must not vanish unseen. */
	if (!colon || memchr(line.start, '\0', line.length))
		return false;
	name = trim(name);
	skip(&line, (size_t)(colon - line.start) + 1);
	line = trim(line);
	*ret = (struct procfile_line){name.start, line.start, name.length, line.length};
	return name.length > 0 && *name.start != '#' && line.length > 0;
}

struct procfile_reader procfile_begin(const char *text, size_t length)
{
	struct piece rest = {text, length};

	if (length >= strlen(BYTE_ORDER_MARK) &&
	    !memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)))
		skip(&rest, strlen(BYTE_ORDER_MARK));
	return (struct procfile_reader){rest.start, rest.length};
}

int procfile_next(struct procfile_reader *reader, struct procfile_line *ret)
{
	struct piece rest = {reader->rest, reader->length};
	struct procfile_line line;
	bool found = false;

	while (!found && rest.length)
		found = names_command(take_line(&rest), &line);
	*reader = (struct procfile_reader){rest.start, rest.length};
	if (found)
		*ret = line;
	return found;
}

int procfile_find(const char *text, size_t length, const char *name, struct strbuf *ret_command)
{
	struct procfile_reader reader = procfile_begin(text, length);
	struct procfile_line line;

	while (procfile_next(&reader, &line)) {
		if (line.name_length != strlen(name) ||
		    memcmp(line.name, name, line.name_length) != 0)
			continue;
		strbuf_add(ret_command, line.command, line.command_length);
		return ret_command->failed ? -1 : 1;
	}
	return 0;
}
