/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/procfile.h"

#include <string.h>

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The command when this line is the one that is wanted. */
static bool match(const char *line, size_t length, const char *name, struct strbuf *ret_command)
{
	size_t name_length = strlen(name);
	size_t start;

	if (memchr(line, '\0', length) || length <= name_length || memcmp(line, name, name_length))
		return false;
	start = name_length;
	while (start < length && is_blank(line[start]))
		start++;
	if (start >= length || line[start] != ':')
		return false;
	start++;
	while (start < length && is_blank(line[start]))
		start++;
	while (length > start && is_blank(line[length - 1]))
		length--;
	strbuf_add(ret_command, line + start, length - start);
	return length > start;
}

bool procfile_find(const char *text, size_t length, const char *name, struct strbuf *ret_command)
{
	while (length) {
		const char *end = memchr(text, '\n', length);
		size_t line = end ? (size_t)(end - text) : length;
		size_t indent = 0;

		while (indent < line && is_blank(text[indent]))
			indent++;
		if (match(text + indent, line - indent, name, ret_command))
			return true;
		text += line + (end ? 1 : 0);
		length -= line + (end ? 1 : 0);
	}
	return false;
}
