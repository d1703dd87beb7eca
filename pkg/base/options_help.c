/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/options.h"

#include <string.h>

#define HELP_WIDTH 80
#define COLUMN_MAX                                                                                 \
	30 /* where help begins at the latest; a longer left side gets a line of its own */
#define COLUMN_GAP   2
#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* "  -u, --user USER" */
static void add_left(const struct option *row, struct strbuf *out)
{
	if (row->short_name)
		strbuf_addf(out, "  -%c, --%s", row->short_name, row->long_name);
	else
		strbuf_addf(out, "      --%s", row->long_name);
	if (row->argument) {
		strbuf_addf(out, " %s", row->argument);
	} else if (row->kind == OPTION_CHOICE) {
		for (size_t i = 0; row->choices[i]; i++)
			strbuf_addf(out, "%c%s", i ? '|' : ' ', row->choices[i]);
	}
}

static size_t help_column(const struct option *options, size_t count, struct strbuf *scratch)
{
	size_t column = 0;

	for (size_t i = 0; i < count; i++) {
		if (!options[i].help)
			continue;
		strbuf_reset(scratch);
		add_left(&options[i], scratch);
		if (scratch->length + COLUMN_GAP > column &&
		    scratch->length + COLUMN_GAP <= COLUMN_MAX)
			column = scratch->length + COLUMN_GAP;
	}
	return column ? column : COLUMN_MAX;
}

static void add_spaces(struct strbuf *out, size_t count)
{
	while (count--)
		strbuf_addc(out, ' ');
}

/* Appends the words of text, which stand at `column` of the line, and the newline. A word that is
 * longer than a line stays whole: names are there to be copied. */
static void add_wrapped(struct strbuf *out, const char *text, size_t column)
{
	size_t at = column;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (at > column && at + 1 + length > HELP_WIDTH) {
			strbuf_addc(out, '\n');
			add_spaces(out, column);
			at = column;
		} else if (at > column) {
			strbuf_addc(out, ' ');
			at++;
		}
		strbuf_add(out, text, length);
		at += length;
		text += length;
		text += strspn(text, " ");
	}
	strbuf_addc(out, '\n');
}

void options_help(const struct option *options, size_t count, struct strbuf *out)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	size_t column = help_column(options, count, &text);

	for (size_t i = 0; i < count; i++) {
		if (!options[i].help)
			continue;
		strbuf_reset(&text);
		add_left(&options[i], &text);
		strbuf_add(out, strbuf_str(&text), text.length);
		if (text.length + COLUMN_GAP > column) {
			strbuf_addc(out, '\n');
			add_spaces(out, column);
		} else {
			add_spaces(out, column - text.length);
		}
		strbuf_reset(&text);
		strbuf_adds(&text, options[i].help);
		if (options[i].environment)
			strbuf_addf(&text, " [$%s]", options[i].environment);
		out->failed = out->failed || text.failed;
		add_wrapped(out, strbuf_str(&text), column);
	}
}

/* A variable is called after its option: ONEOFF_START_TIMEOUT for start-timeout. */
static bool is_called_after(const char *variable, const char *name)
{
	size_t length = strlen(name), whole = strlen(variable);

	if (whole < length + 2 || variable[whole - length - 1] != '_')
		return false;
	for (size_t i = 0; i < length; i++) {
		char letter = name[i] == '-' ? '_' : name[i];

		if (letter >= 'a' && letter <= 'z')
			letter = (char)(letter - 'a' + 'A');
		if (variable[whole - length + i] != letter)
			return false;
	}
	return true;
}

/* What is wrong with a row by itself, or NULL. */
static const char *row_fault(const struct option *row)
{
	bool flag =
		row->kind == OPTION_TRUE || row->kind == OPTION_FALSE || row->kind == OPTION_COUNT;
	size_t length;

	if ((unsigned)row->kind > OPTION_CHOICE)
		return "has no known kind";
	length = strlen(row->long_name);
	if (length < 2 || strspn(row->long_name, ALPHANUMERIC "-") != length ||
	    row->long_name[0] == '-')
		return "has a long name nobody can type";
	if (row->short_name && !strchr(ALPHANUMERIC, row->short_name))
		return "has a short name nobody can type";
	if (flag && row->argument)
		return "is a flag with an argument";
	if (!flag && row->kind != OPTION_CHOICE && !row->argument)
		return "has no name for its argument";
	if ((row->kind == OPTION_CHOICE) != (row->choices && row->choices[0]))
		return "has choices and is no choice, or the other way round";
	if (row->environment && !is_called_after(row->environment, row->long_name))
		return "has a variable that is not called after it";
	if (row->project && !row->environment)
		return "is no default, and a project sets it";
	if ((unsigned)row->completion >= COMPLETE_KIND_COUNT || (flag && row->completion))
		return "has no known completion";
	length = row->help ? strlen(row->help) : 0;
	if (row->help && !length)
		return "has an empty help";
	if (length && (row->help[length - 1] == '.' || strpbrk(row->help, "\n\t")))
		return "has a help that ends in a full stop or is no line";
	return NULL;
}

int options_check(const struct option *options, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *row = &options[i];
		const char *fault;

		if (!row->long_name)
			return err_set(err, ERR_INTERNAL, "option row %zu has no long name", i);
		fault = row_fault(row);
		for (size_t j = 0; j < i && !fault; j++) {
			if (!strcmp(row->long_name, options[j].long_name))
				fault = "has a long name that is taken";
			else if (row->short_name && row->short_name == options[j].short_name)
				fault = "has a short name that is taken";
		}
		if (fault)
			return err_set(err, ERR_INTERNAL, "option row %zu (--%s) %s", i,
			               row->long_name, fault);
	}
	return 0;
}
