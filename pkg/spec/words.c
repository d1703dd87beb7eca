/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/words.h"

#include <stdbool.h>
#include <string.h>
#include "pkg/base/strbuf.h"

#define BLANKS "\t\n\r "

/* Characters that are plain text only inside single quotes. */
static bool needs_shell(const char *line)
{
	const char *first = line + strspn(line, BLANKS);
	size_t name = strcspn(first, "= \t'\"\\");
	char quote = '\0';

	if (name && first[name] == '=')
		return true;
	for (const char *at = line; *at; at++) {
		if (*at == '\\' && quote != '\'' && at[1]) {
			at++;
		} else if (quote ? *at == quote : (*at == '\'' || *at == '"')) {
			quote = quote ? '\0' : *at;
		} else if (quote == '"' ? strchr("$`", *at) != NULL
		                        : !quote && strchr("$`|&;<>()*?[~#\n", *at) != NULL) {
			return true;
		}
	}
	return false;
}

/* One word from *line, which moves behind it. 0, or -1 for a quote without end. */
static int take_word(const char **line, struct strbuf *word)
{
	const char *at = *line;
	char quote = '\0';

	for (; *at && (quote || !strchr(BLANKS, *at)); at++) {
		if (quote && *at == quote) {
			quote = '\0';
		} else if (!quote && (*at == '\'' || *at == '"')) {
			quote = *at;
		} else if (*at == '\\' && at[1] && quote != '\'' &&
		           (!quote || strchr("\"\\$`", at[1]))) {
			at++;
			strbuf_addc(word, *at);
		} else {
			strbuf_addc(word, *at);
		}
	}
	*line = at;
	return quote ? -1 : 0;
}

int words_to_argv(const char *line, struct strv *ret, struct err *err)
{
	const char *at = line + strspn(line, BLANKS);

	if (!*at)
		return err_set(err, ERR_USAGE, "the command is empty");
	if (needs_shell(line)) {
		if (strv_add(ret, "sh") < 0 || strv_add(ret, "-c") < 0 || strv_add(ret, at) < 0)
			return err_no_memory(err);
		return 0;
	}
	while (*at) {
		struct strbuf word = STRBUF_INIT;

		if (take_word(&at, &word) < 0) {
			strbuf_release(&word);
			return err_set(err, ERR_USAGE, "a quote without an end in: %s", line);
		}
		if (strv_take(ret, strbuf_take(&word)) < 0)
			return err_no_memory(err);
		at += strspn(at, BLANKS);
	}
	return 0;
}
