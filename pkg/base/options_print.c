/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>
#include "pkg/base/options.h"

#define BILLION INT64_C(1000000000)

static const void *field(const struct option *option, const void *target)
{
	return (const char *)target + option->offset;
}

static int64_t number(const struct option *option, const void *target)
{
	return *(const int64_t *)field(option, target);
}

/* In the greatest unit that divides it. */
static void print_duration(int64_t milliseconds, struct strbuf *ret)
{
	static const struct {
		const char *unit;
		int64_t milliseconds;
	} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (milliseconds % units[i].milliseconds == 0) {
			strbuf_addf(ret, "%" PRId64 "%s", milliseconds / units[i].milliseconds,
			            units[i].unit);
			return;
		}
	}
}

static void print_cpus(int64_t billionths, struct strbuf *ret)
{
	strbuf_addf(ret, "%" PRId64 ".%09" PRId64, billionths / BILLION, billionths % BILLION);
	while (ret->length > 0 && ret->data[ret->length - 1] == '0')
		ret->data[--ret->length] = '\0';
	if (ret->length > 0 && ret->data[ret->length - 1] == '.')
		ret->data[--ret->length] = '\0';
}

/* "--name", and "value" unless it is NULL. */
static int add(const struct option *option, const char *value, struct strv *ret)
{
	if (strv_addf(ret, "--%s", option->long_name) < 0)
		return -1;
	return value ? strv_add(ret, value) : 0;
}

static int print_number(const struct option *option, int64_t value, struct strv *ret)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (option->kind == OPTION_DURATION)
		print_duration(value, &text);
	else if (option->kind == OPTION_CPUS)
		print_cpus(value, &text);
	else
		strbuf_addf(&text, "%" PRId64, value);
	return text.failed ? -1 : add(option, strbuf_str(&text), ret);
}

static int print_text(const struct option *option, const void *target, const void *defaults,
                      struct strv *ret)
{
	const char *text = *(char *const *)field(option, target);
	const char *usual = *(char *const *)field(option, defaults);

	if (!text || (usual && !strcmp(text, usual)))
		return 0;
	return add(option, text, ret);
}

static int print_list(const struct option *option, const void *target, struct strv *ret)
{
	const struct strv *list = field(option, target);

	for (size_t i = 0; i < list->count; i++)
		if (add(option, list->items[i], ret) < 0)
			return -1;
	return 0;
}

static int print_row(const struct option *option, const void *target, const void *defaults,
                     struct strv *ret)
{
	switch (option->kind) {
	case OPTION_STRING:
		return print_text(option, target, defaults, ret);
	case OPTION_LIST:
		return print_list(option, target, ret);
	case OPTION_TRUE:
	case OPTION_FALSE:
		if (*(const bool *)field(option, target) == *(const bool *)field(option, defaults))
			return 0;
		return add(option, NULL, ret);
	case OPTION_COUNT:
		for (int i = 0; i < *(const int *)field(option, target); i++)
			if (add(option, NULL, ret) < 0)
				return -1;
		return 0;
	case OPTION_CHOICE:
		if (*(const int *)field(option, target) == *(const int *)field(option, defaults))
			return 0;
		return add(option, option->choices[*(const int *)field(option, target)], ret);
	default:
		if (number(option, target) == number(option, defaults))
			return 0;
		return print_number(option, number(option, target), ret);
	}
}

int options_print(const struct option *options, size_t count, const void *target,
                  const void *defaults, bool (*wanted)(const struct option *option),
                  struct strv *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (!options[i].help || (wanted && !wanted(&options[i])))
			continue;
		if (print_row(&options[i], target, defaults, ret) < 0)
			return -1;
	}
	return 0;
}
