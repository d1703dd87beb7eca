/* SPDX-License-Identifier: Apache-2.0 */
/* What the word that is being written is: the grammar of pkg/base/options.h, on a line that is not finished. */
#include "cmd/oneoff/completion.h"

#include <string.h>

/* Where the reader stands in the words behind the command's name. */
struct reading {
	const struct option *options;
	size_t count;
	const struct option *pending; /* an option that waits for its value, or NULL */
	bool ended;                   /* options are over */
};

void completion_release(struct completion *line)
{
	free(line->kept);
	strv_release(&line->given);
	memset(line, 0, sizeof(*line));
}

const char *completion_given(const struct completion *line, const char *long_name)
{
	const struct option *row;
	size_t length = strlen(long_name);
	const char *value;

	for (size_t i = line->given.count; i > 0; i--) {
		const char *item = line->given.items[i - 1];

		if (!strncmp(item, long_name, length) && item[length] == '=')
			return item + length + 1;
	}
	if (!line->command || !line->command->options)
		return NULL;
	row = option_find_long(line->command->options, *line->command->option_count, long_name);
	value = row && row->environment ? getenv(row->environment) : NULL;
	return value && *value ? value : NULL;
}

static int note(struct completion *line, const struct option *row, const char *value)
{
	return strv_addf(&line->given, "%s=%s", row->long_name, value);
}

/* The row of "--name" or "--name=value"; *ret_value is what stands behind the '=', or NULL. */
static const struct option *long_row(const struct reading *reading, const char *word,
                                     const char **ret_value)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	_cleanup_free_ char *name = strndup(word + 2, length - 2);

	*ret_value = equals ? equals + 1 : NULL;
	return name ? option_find_long(reading->options, reading->count, name) : NULL;
}

/* The row in "-qnVALUE" that takes a value, or the last one; *ret_value is what stands behind its letter. */
static const struct option *short_row(const struct reading *reading, const char *word,
                                      const char **ret_value)
{
	const struct option *row = NULL;

	*ret_value = NULL;
	for (const char *at = word + 1; *at; at++) {
		row = option_find_short(reading->options, reading->count, *at);
		if (row && option_takes_value(row)) {
			*ret_value = at[1] ? at + 1 : NULL;
			return row;
		}
	}
	return row;
}

/* A word that is finished: words[0]. */
static int read_word(struct reading *reading, char *const *words, struct completion *line)
{
	const struct option *row;
	const char *word = words[0], *value;

	if (reading->pending) {
		row = reading->pending;
		reading->pending = NULL;
		return note(line, row, word);
	}
	if (!reading->ended && !strcmp(word, "--")) {
		reading->ended = true;
		return 0;
	}
	if (reading->ended || word[0] != '-' || !word[1]) {
		reading->ended |= !line->command->options_anywhere;
		if (!line->operand_count++)
			line->operand_words = words;
		return 0;
	}
	row = word[1] == '-' ? long_row(reading, word, &value) : short_row(reading, word, &value);
	if (row && !value && option_takes_value(row)) {
		reading->pending = row;
		return 0;
	}
	return row ? note(line, row, value ? value : "") : 0;
}

static int set_value(struct completion *line, const struct option *row, const char *word,
                     const char *value)
{
	line->row = row;
	line->kind = row->completion;
	line->kept = strndup(word, (size_t)(value - word));
	line->word = value;
	return line->kept ? 0 : -1;
}

/* The word that is being written. */
static int read_last(const struct reading *reading, const char *word, struct completion *line)
{
	const struct option *row = NULL;
	const char *value = NULL;

	if (reading->pending)
		return set_value(line, reading->pending, word, word);
	if (!reading->ended && word[0] == '-' && word[1] == '-' && strchr(word, '='))
		row = long_row(reading, word, &value);
	else if (!reading->ended && word[0] == '-' && word[1] && word[1] != '-')
		row = short_row(reading, word, &value);
	if (row && value)
		return set_value(line, row, word, value);
	line->options = !reading->ended && (!*word || *word == '-');
	line->operands = reading->ended || *word != '-';
	line->kind = line->command->operand;
	line->word = word;
	line->kept = strdup("");
	return line->kept ? 0 : -1;
}

static int read_command(int count, char *const *words, struct completion *line)
{
	struct reading reading = {
		.options = line->command->options,
		.count = line->command->options ? *line->command->option_count : 0,
	};

	for (int i = 0; i < count - 1; i++)
		if (read_word(&reading, words + i, line) < 0)
			return -1;
	return read_last(&reading, words[count - 1], line);
}

static int read_name(struct completion *line, const struct command *parent, const char *word)
{
	line->parent = parent;
	line->word = word;
	line->kept = strdup("");
	return line->kept ? 0 : -1;
}

int completion_read(int count, char *const *words, struct completion *ret, struct err *err)
{
	struct completion line = {.word = ""};
	const struct command *command = count > 1 ? command_find(words[0]) : NULL, *inner;
	int used = 1, status;

	if (command && command->subcommands && count > 2) {
		inner = command_find_sub(command, words[1]);
		used = inner ? 2 : used;
		command = inner ? inner : command->run ? command : NULL;
	}
	if (count == 1) {
		status = read_name(&line, NULL, words[0]);
	} else if (command && command->subcommands && count == 2 && words[1][0] != '-') {
		status = read_name(&line, command, words[1]);
	} else if (command) {
		line.command = command;
		status = read_command(count - used, words + used, &line);
	} else {
		completion_release(&line);
		return err_set(err, ERR_USAGE, "no such command");
	}
	if (status < 0) {
		completion_release(&line);
		return err_no_memory(err);
	}
	*ret = line;
	return 0;
}
