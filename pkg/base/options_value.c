/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/options_value.h"

#include <string.h>
#include "pkg/base/number.h"

static int store_string(char **field, const char *value, struct err *err)
{
	char *copy = strdup(value);

	if (!copy)
		return err_no_memory(err);
	free(*field);
	*field = copy;
	return 0;
}

static size_t count_names(const char *const *names)
{
	size_t count = 0;

	while (names[count])
		count++;
	return count;
}

static int refuse_choice(const struct option *row, const char *shown, const char *value,
                         struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;
	const char *near = nearest_name(value, row->choices, count_names(row->choices));

	for (size_t i = 0; row->choices[i]; i++)
		strbuf_addf(&list, "%s%s", i ? ", " : "", row->choices[i]);
	if (list.failed)
		return err_no_memory(err);
	err_set(err, ERR_USAGE, "%s: '%s' is not one of %s", shown, value, strbuf_str(&list));
	return near ? err_hint(err, "did you mean '%s'?", near) : -1;
}

static int store_choice(const struct option *row, const char *shown, const char *value, int *field,
                        struct err *err)
{
	for (int i = 0; row->choices[i]; i++) {
		if (!strcmp(row->choices[i], value)) {
			*field = i;
			return 0;
		}
	}
	return refuse_choice(row, shown, value, err);
}

static int refuse_number(const char *shown, const char *value, const char *what,
                         const char *examples, struct err *err)
{
	err_set(err, ERR_USAGE, "%s: '%s' is not a %s", shown, value, what);
	return err_hint(err, "write it like %s", examples);
}

int option_store(const struct option *row, const char *shown, const char *value, void *target,
                 struct err *err)
{
	void *field = (char *)target + row->offset;

	switch (row->kind) {
	case OPTION_TRUE:
	case OPTION_FALSE:
		*(bool *)field = row->kind == OPTION_TRUE;
		return 0;
	case OPTION_COUNT:
		++*(int *)field;
		return 0;
	case OPTION_STRING:
		return store_string(field, value, err);
	case OPTION_LIST:
		return strv_add(field, value) < 0 ? err_no_memory(err) : 0;
	case OPTION_DURATION:
		if (parse_duration(value, field) == 0)
			return 0;
		return refuse_number(shown, value, "duration", "90s, 5m, 1h30m or 2d", err);
	case OPTION_SIZE:
		if (parse_size(value, field) == 0)
			return 0;
		return refuse_number(shown, value, "size", "512m, 1g or 64k", err);
	case OPTION_CPUS:
		if (parse_cpus(value, field) == 0)
			return 0;
		return refuse_number(shown, value, "number of processors", "2, 0.5 or 500m", err);
	case OPTION_CHOICE:
		return store_choice(row, shown, value, field, err);
	}
	return err_set(err, ERR_INTERNAL, "%s has no kind", shown);
}

/* Reads a flag's word; -1 when it is none. */
static int read_flag(const char *value)
{
	static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcasecmp(value, words[i]))
			return i % 2;
	}
	return -1;
}

int option_from_text(const struct option *row, const char *shown, const char *text, void *target,
                     struct err *err)
{
	void *field = (char *)target + row->offset;
	int flag = read_flag(text);
	int64_t times;

	switch (row->kind) {
	case OPTION_TRUE:
	case OPTION_FALSE:
		if (flag < 0)
			return err_set(err, ERR_USAGE, "%s: '%s' is neither true nor false", shown,
			               text);
		*(bool *)field = (row->kind == OPTION_TRUE) == (flag == 1);
		return 0;
	case OPTION_COUNT:
		if (parse_int64(text, 0, 100, &times) < 0)
			return err_set(err, ERR_USAGE, "%s: '%s' is not a number from 0 to 100",
			               shown, text);
		*(int *)field = (int)times;
		return 0;
	default:
		return option_store(row, shown, text, target, err);
	}
}

int options_from_environment(const struct option *options, size_t count,
                             const char *(*get)(void *context, const char *name), void *context,
                             void *target, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct option *row = &options[i];
		const char *value = row->environment ? get(context, row->environment) : NULL;

		if (!value || !*value)
			continue;
		if (option_from_text(row, row->environment, value, target, err) < 0)
			return -1;
	}
	return 0;
}
