/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/options.h"

#include <stdio.h>
#include <string.h>
#include "pkg/base/options_value.h"

#define SHOWN_MAX 80 /* bytes of an option's name in a message */

/* Where the parser stands. */
struct reading {
	const struct option *options;
	size_t count;
	int argc;
	char *const *argv;
	int next; /* the argument to look at next */
	void *target;
};

bool option_takes_value(const struct option *row)
{
	return row->kind != OPTION_TRUE && row->kind != OPTION_FALSE && row->kind != OPTION_COUNT;
}

/* Puts the nearest long name into the hint, if there is one; the error is set already. */
static int hint_nearest(const struct reading *reading, const char *name, struct err *err)
{
	_cleanup_free_ const char **names = calloc(reading->count + 1, sizeof(*names));
	const char *near;

	if (!names)
		return -1;
	for (size_t i = 0; i < reading->count; i++)
		names[i] = reading->options[i].long_name;
	near = nearest_name(name, names, reading->count);
	return near ? err_hint(err, "did you mean '--%s'?", near) : -1;
}

static int refuse_ambiguous(const struct reading *reading, const char *name, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < reading->count; i++) {
		const char *candidate = reading->options[i].long_name;

		if (!strncmp(candidate, name, strlen(name)))
			strbuf_addf(&list, "%s--%s", list.length ? ", " : "", candidate);
	}
	if (list.failed)
		return err_no_memory(err);
	return err_set(err, ERR_USAGE, "option '--%s' can be %s", name, strbuf_str(&list));
}

/* Two names of one thing (an alias) are no ambiguity. */
static const struct option *look_up(const struct option *options, size_t count, const char *name,
                                    bool *ret_ambiguous)
{
	const struct option *found = NULL;
	size_t length = strlen(name);

	*ret_ambiguous = false;
	for (size_t i = 0; length && i < count; i++) {
		const struct option *row = &options[i];

		if (strncmp(row->long_name, name, length))
			continue;
		if (!row->long_name[length]) {
			*ret_ambiguous = false;
			return row;
		}
		if (!found)
			found = row;
		else if (found->offset != row->offset || found->kind != row->kind)
			*ret_ambiguous = true;
	}
	return found;
}

const struct option *option_find_long(const struct option *options, size_t count, const char *name)
{
	bool ambiguous;
	const struct option *found = look_up(options, count, name, &ambiguous);

	return ambiguous ? NULL : found;
}

/* The row that a long name or its unique prefix means, or NULL with *err set. */
static const struct option *find_long(const struct reading *reading, const char *name,
                                      struct err *err)
{
	bool ambiguous;
	const struct option *found = look_up(reading->options, reading->count, name, &ambiguous);

	if (ambiguous) {
		refuse_ambiguous(reading, name, err);
		return NULL;
	}
	if (!found) {
		err_set(err, ERR_USAGE, "unknown option '--%s'", name);
		hint_nearest(reading, name, err);
	}
	return found;
}

/* The value of an option that stands alone: the next argument. */
static int next_value(struct reading *reading, const struct option *row, const char *shown,
                      const char **ret_value, struct err *err)
{
	if (reading->next >= reading->argc)
		return err_set(err, ERR_USAGE, "%s needs a value%s%s", shown,
		               row->argument ? ": " : "", row->argument ? row->argument : "");
	*ret_value = reading->argv[reading->next++];
	return 0;
}

static int read_long(struct reading *reading, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	_cleanup_free_ char *name = strndup(text, equals ? (size_t)(equals - text) : strlen(text));
	const char *value = equals ? equals + 1 : NULL;
	const struct option *row;
	char shown[SHOWN_MAX];

	if (!name)
		return err_no_memory(err);
	row = find_long(reading, name, err);
	if (!row)
		return -1;
	snprintf(shown, sizeof(shown), "option '--%s'", row->long_name);
	if (value && !option_takes_value(row))
		return option_from_text(row, shown, value, reading->target, err);
	if (!value && option_takes_value(row) && next_value(reading, row, shown, &value, err) < 0)
		return -1;
	return option_store(row, shown, value, reading->target, err);
}

const struct option *option_find_short(const struct option *options, size_t count, char letter)
{
	for (size_t i = 0; letter && i < count; i++) {
		if (options[i].short_name == letter)
			return &options[i];
	}
	return NULL;
}

/* A single dash before a long name is the likeliest error, so the hint looks at the whole word. */
static int refuse_short(const struct reading *reading, const char *word, char name, struct err *err)
{
	if (!word[2])
		return err_set(err, ERR_USAGE, "unknown option '%s'", word);
	if ((unsigned char)name < 0x80)
		err_set(err, ERR_USAGE, "unknown option '-%c' in '%s'", name, word);
	else
		err_set(err, ERR_USAGE, "unknown option in '%s'", word);
	return hint_nearest(reading, word + 1, err);
}

/* Reads "-abc": flags, until one takes the rest, or the next argument, as its value. */
static int read_short(struct reading *reading, const char *word, struct err *err)
{
	for (const char *at = word + 1; *at; at++) {
		const struct option *row = option_find_short(reading->options, reading->count, *at);
		const char *value = at[1] ? at + 1 : NULL;
		char shown[SHOWN_MAX];

		if (!row)
			return refuse_short(reading, word, *at, err);
		snprintf(shown, sizeof(shown), "option '-%c'", *at);
		if (!option_takes_value(row)) {
			if (option_store(row, shown, NULL, reading->target, err) < 0)
				return -1;
			continue;
		}
		if (!value && next_value(reading, row, shown, &value, err) < 0)
			return -1;
		return option_store(row, shown, value, reading->target, err);
	}
	return 0;
}

int options_parse(const struct option *options, size_t count, int argc, char *const *argv,
                  void *target, int *ret_operands, bool *ret_dashes, struct err *err)
{
	struct reading reading = {options, count, argc, argv, 0, target};
	bool dashes = false;

	while (!dashes && reading.next < argc) {
		const char *word = argv[reading.next];
		int status = 0;

		if (word[0] != '-' || !word[1])
			break;
		reading.next++;
		if (word[1] != '-')
			status = read_short(&reading, word, err);
		else if (word[2])
			status = read_long(&reading, word + 2, err);
		else
			dashes = true;
		if (status < 0)
			return -1;
	}
	*ret_operands = reading.next;
	*ret_dashes = dashes;
	return 0;
}

/* Whether the word's value is the word behind it. */
static bool wants_next(const struct option *options, size_t count, const char *word)
{
	const struct option *row = NULL;

	if (word[1] == '-') {
		row = strchr(word, '=') ? NULL : option_find_long(options, count, word + 2);
		return row && option_takes_value(row);
	}
	while (*++word) {
		row = option_find_short(options, count, *word);
		if (!row || option_takes_value(row))
			break;
	}
	return *word && row && !word[1];
}

void options_permute(const struct option *options, size_t count, int argc, char **argv)
{
	int front = 0; /* where the next option belongs */

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		int words = 1;

		if (argv[i][0] != '-' || !argv[i][1])
			continue;
		if (i + 1 < argc && wants_next(options, count, argv[i]))
			words++;
		for (int k = 0; k < words; k++, front++) {
			char *word = argv[i + k];

			memmove(argv + front + 1, argv + front,
			        (size_t)(i + k - front) * sizeof(*argv));
			argv[front] = word;
		}
		i += words - 1;
	}
}
