/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a Procfile: a command is a piece of one line, without white space at its ends; split
 * into words it gives at least one, and quoted again the same words. */
#include <string.h>

#include "pkg/spec/procfile.h"
#include "pkg/spec/words.h"
#include "tests/fuzz/fuzz.h"

static void check_command(const struct strbuf *command, const uint8_t *data, size_t size)
{
	const char *text = command->data;

	CHECK(command->length > 0 && strlen(text) == command->length);
	CHECK(!strchr(text, '\n'));
	CHECK(!strchr(" \t\r", text[0]) && !strchr(" \t\r", text[command->length - 1]));
	CHECK(memmem(data, size, text, command->length));
	CHECK(memmem(data, size, "console", strlen("console")));
}

static void quote(const struct strv *words, struct strbuf *line)
{
	for (size_t i = 0; i < words->count; i++) {
		strbuf_addc(line, '\'');
		for (const char *at = words->items[i]; *at; at++) {
			if (*at == '\'')
				strbuf_adds(line, "'\\''");
			else
				strbuf_addc(line, *at);
		}
		strbuf_adds(line, "' ");
	}
	CHECK(!line->failed);
}

static void check_words(const char *line)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	_cleanup_(strv_release) struct strv again = STRV_INIT;
	_cleanup_(strbuf_release) struct strbuf quoted = STRBUF_INIT;
	bool needs_shell = false;
	struct err err = ERR_INIT;

	if (words_split(line, &words, &needs_shell, &err) < 0) {
		CHECK(err.kind == ERR_USAGE && !words.items);
		return;
	}
	CHECK(needs_shell ? !words.items : words.count > 0 && !words.items[words.count]);
	/* A path and plain characters are no matter for a shell. */
	CHECK(!needs_shell || *line != '/' || strpbrk(line, "$`|&;<>()*?[~#\\\n"));
	if (needs_shell)
		return;
	quote(&words, &quoted);
	CHECK(words_split(strbuf_str(&quoted), &again, &needs_shell, &err) == 0);
	CHECK(!needs_shell && again.count == words.count);
	for (size_t i = 0; i < words.count; i++)
		CHECK(!strcmp(again.items[i], words.items[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;
	char *line = strndup((const char *)data, size);
	int found = procfile_find((const char *)data, size, "console", &command);

	CHECK(line && found >= 0);
	CHECK(found == (command.length > 0));
	if (found)
		check_command(&command, data, size);
	/* Labels may hold what no line of a Procfile can. */
	check_words(found ? strbuf_str(&command) : line);
	free(line);
	return 0;
}
