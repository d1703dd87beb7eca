/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/backend/command_text.h"

#include <string.h>
#include "pkg/base/escape.h"
#include "pkg/base/utf8.h"

#define SHOWN_BYTES 120

static const char ellipsis[] = "…";

/* At most `limit`, and no half of a character. */
static size_t cut(const char *text, size_t length, size_t limit)
{
	if (length <= limit)
		return length;
	while (limit > 0 && !utf8_valid(text, limit))
		limit--;
	return limit;
}

int command_text_add(const cJSON *argv, struct strbuf *text)
{
	_cleanup_(strbuf_release) struct strbuf all = STRBUF_INIT;
	size_t length;

	json_print(argv, false, &all);
	length = all.length;
	if (length > COMMAND_TEXT_BYTES)
		length = cut(strbuf_str(&all), length, COMMAND_TEXT_BYTES - (sizeof(ellipsis) - 1));
	strbuf_add(text, strbuf_str(&all), length);
	if (length < all.length)
		strbuf_adds(text, ellipsis);
	return all.failed || text->failed ? -1 : 0;
}

static bool is_list_of_strings(const cJSON *list)
{
	const cJSON *word;

	if (!cJSON_IsArray(list))
		return false;
	cJSON_ArrayForEach (word, list)
		if (!cJSON_IsString(word))
			return false;
	return true;
}

void command_text_show(const char *label, struct strbuf *line)
{
	_cleanup_(json_free) cJSON *list = NULL;
	struct err ignored = ERR_INIT;
	const cJSON *word;

	if (!label)
		return;
	if (json_parse(label, strlen(label), JSON_MAX_BYTES, &list, &ignored) < 0 ||
	    !is_list_of_strings(list)) {
		escape_add(line, label);
		return;
	}
	cJSON_ArrayForEach (word, list) {
		if (word != list->child)
			strbuf_addc(line, ' ');
		escape_add_shell(line, word->valuestring);
	}
}

int lock_is_held(const char *name, const struct lock_holder_text *holder, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;
	size_t length;

	command_text_show(holder->command, &command);
	length = cut(strbuf_str(&command), command.length, SHOWN_BYTES);
	err_set(err, ERR_LOCKED, "lock '%s' is held by %s%s%s%s%.*s%s", name,
	        holder->user ? holder->user : "another task", holder->since ? " since " : "",
	        holder->since ? holder->since : "", length ? ": " : "", (int)length,
	        strbuf_str(&command), length < command.length ? ellipsis : "");
	if (!holder->id)
		return err_hint(err, "wait for it with --lock-wait TIME");
	return err_hint(err,
	                "wait for it with --lock-wait TIME, or see what it does: oneoff attach %s",
	                holder->id);
}
