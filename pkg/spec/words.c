/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/words.h"

#include <string.h>
#include "pkg/base/strbuf.h"

#define BLANKS        "\t "
#define WHITE_SPACE   "\t\n\r "
#define METACHARACTER "$`|&;<>()*?[~\n"

/* Not letters of a locale: sh's names are ASCII. */
#define NAME_START "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define NAME_BYTES NAME_START "0123456789"

/* Words that sh takes itself and that no PATH has, or that mean something else there. */
static const char *const shell_words[] = {
	"!",    "{",      ".",     ":",      "alias", "cd",    "case", "command",
	"eval", "exec",   "exit",  "export", "for",   "if",    "set",  "source",
	"trap", "ulimit", "umask", "unset",  "until", "while",
};

enum taken {
	TAKEN,
	TAKEN_NEEDS_SHELL,
	TAKEN_NO_END, /* a quote stays open */
};

static bool is_one_of(char byte, const char *set)
{
	return byte != '\0' && strchr(set, byte) != NULL;
}

static bool is_assignment(const char *line)
{
	return is_one_of(*line, NAME_START) && line[strspn(line, NAME_BYTES)] == '=';
}

static bool is_shell_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(shell_words); i++)
		if (!strcmp(word, shell_words[i]))
			return true;
	return false;
}

/* From the opening quote at *at to behind the closing one. */
static enum taken take_quoted(const char **at, struct strbuf *word)
{
	char quote = *(*at)++;

	for (; **at && **at != quote; (*at)++) {
		bool is_escape = quote == '"' && **at == '\\';

		if (quote == '"' && is_one_of(**at, "$`"))
			return TAKEN_NEEDS_SHELL;
		if (is_escape && (*at)[1] == '\n')
			return TAKEN_NEEDS_SHELL;
		if (is_escape && is_one_of((*at)[1], "\"\\$`"))
			(*at)++;
		strbuf_addc(word, **at);
	}
	if (!**at)
		return TAKEN_NO_END;
	(*at)++;
	return TAKEN;
}

/* One word that begins at *at, which moves behind it. */
static enum taken take_word(const char **at, struct strbuf *word)
{
	if (**at == '#')
		return TAKEN_NEEDS_SHELL;
	while (**at && !is_one_of(**at, BLANKS)) {
		if (is_one_of(**at, "'\"")) {
			enum taken taken = take_quoted(at, word);

			if (taken != TAKEN)
				return taken;
			continue;
		}
		if (is_one_of(**at, METACHARACTER))
			return TAKEN_NEEDS_SHELL;
		if (**at == '\\') {
			(*at)++;
			if (**at == '\0' || **at == '\n')
				return TAKEN_NEEDS_SHELL;
		}
		strbuf_addc(word, **at);
		(*at)++;
	}
	return TAKEN;
}

/* The line without white space at its ends, except for one that a backslash may quote. */
static char *trim(const char *line)
{
	size_t length;

	line += strspn(line, WHITE_SPACE);
	length = strlen(line);
	while (length && is_one_of(line[length - 1], WHITE_SPACE))
		length--;
	if (length && line[length - 1] == '\\' && is_one_of(line[length], BLANKS))
		length++;
	return strndup(line, length);
}

static int split(const char *line, struct strv *words, bool *needs_shell, struct err *err)
{
	const char *at = line;

	while (*at) {
		_cleanup_(strbuf_release) struct strbuf word = STRBUF_INIT;
		enum taken taken = take_word(&at, &word);

		if (taken == TAKEN_NO_END)
			return err_set(err, ERR_USAGE, "a quote has no end in: %s", line);
		if (taken == TAKEN_NEEDS_SHELL) {
			*needs_shell = true;
			return 0;
		}
		if (strv_take(words, strbuf_take(&word)) < 0)
			return err_no_memory(err);
		at += strspn(at, BLANKS);
	}
	*needs_shell = is_assignment(line) || is_shell_word(words->items[0]);
	return 0;
}

int words_split(const char *line, struct strv *ret, bool *ret_needs_shell, struct err *err)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	_cleanup_free_ char *trimmed = trim(line);
	bool needs_shell = false;

	if (!trimmed)
		return err_no_memory(err);
	if (!*trimmed)
		return err_set(err, ERR_USAGE, "the command is empty");
	if (split(trimmed, &words, &needs_shell, err) < 0)
		return -1;
	*ret_needs_shell = needs_shell;
	if (!needs_shell) {
		*ret = words;
		words = (struct strv)STRV_INIT;
	}
	return 0;
}

int words_command(const char *line, struct strv *ret, struct err *err)
{
	bool needs_shell = false;

	if (words_split(line, ret, &needs_shell, err) < 0)
		return -1;
	if (!needs_shell ||
	    (strv_add(ret, "sh") == 0 && strv_add(ret, "-c") == 0 && strv_add(ret, line) == 0))
		return 0;
	strv_release(ret);
	return err_no_memory(err);
}
