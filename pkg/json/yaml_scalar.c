/* SPDX-License-Identifier: Apache-2.0 */
/* Which words are no strings: the tables of go-yaml v2 (resolve.go), which kubectl reads by. */
#include "pkg/json/yaml_internal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const struct {
	const char *word;
	enum yaml_kind kind;
	const char *json;
} words[] = {
	{"", YAML_NULL, "null"},       {"~", YAML_NULL, "null"},      {"null", YAML_NULL, "null"},
	{"Null", YAML_NULL, "null"},   {"NULL", YAML_NULL, "null"},   {"y", YAML_BOOL, "true"},
	{"Y", YAML_BOOL, "true"},      {"yes", YAML_BOOL, "true"},    {"Yes", YAML_BOOL, "true"},
	{"YES", YAML_BOOL, "true"},    {"true", YAML_BOOL, "true"},   {"True", YAML_BOOL, "true"},
	{"TRUE", YAML_BOOL, "true"},   {"on", YAML_BOOL, "true"},     {"On", YAML_BOOL, "true"},
	{"ON", YAML_BOOL, "true"},     {"n", YAML_BOOL, "false"},     {"N", YAML_BOOL, "false"},
	{"no", YAML_BOOL, "false"},    {"No", YAML_BOOL, "false"},    {"NO", YAML_BOOL, "false"},
	{"false", YAML_BOOL, "false"}, {"False", YAML_BOOL, "false"}, {"FALSE", YAML_BOOL, "false"},
	{"off", YAML_BOOL, "false"},   {"Off", YAML_BOOL, "false"},   {"OFF", YAML_BOOL, "false"},
	{".nan", YAML_NO_JSON, NULL},  {".NaN", YAML_NO_JSON, NULL},  {".NAN", YAML_NO_JSON, NULL},
	{".inf", YAML_NO_JSON, NULL},  {".Inf", YAML_NO_JSON, NULL},  {".INF", YAML_NO_JSON, NULL},
	{"+.inf", YAML_NO_JSON, NULL}, {"+.Inf", YAML_NO_JSON, NULL}, {"+.INF", YAML_NO_JSON, NULL},
	{"-.inf", YAML_NO_JSON, NULL}, {"-.Inf", YAML_NO_JSON, NULL}, {"-.INF", YAML_NO_JSON, NULL},
};

static size_t digits_at(const char *text)
{
	return strspn(text, "0123456789");
}

/* The digits behind 0x, 0b, 0o or 0; *ret_base is what they are of. NULL when there is no such mark. */
static const char *find_based_digits(const char *text, int *ret_base)
{
	static const struct {
		char letter;
		int base;
		const char *digits;
	} marks[] = {
		{'x', 16, "0123456789abcdefABCDEF"},
		{'b', 2, "01"},
		{'o', 8, "01234567"},
		{'\0', 8, "01234567"},
	};

	if (*text++ != '0')
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (marks[i].letter && tolower((unsigned char)*text) != marks[i].letter)
			continue;
		text += marks[i].letter != '\0';
		*ret_base = marks[i].base;
		/* All of them here: strtoull(3) would take a sign or a second mark. */
		return *text && !text[strspn(text, marks[i].digits)] ? text : NULL;
	}
	return NULL;
}

/* What Go's ParseInt takes with base 0, but for plain decimals. */
static bool is_based_integer(const char *text, struct strbuf *json)
{
	bool is_negative = *text == '-';
	unsigned long long value;
	int base;

	text = find_based_digits(text + (*text == '-' || *text == '+'), &base);
	if (!text)
		return false;
	errno = 0;
	value = strtoull(text, NULL, base);
	if (errno)
		return false;
	strbuf_addf(json, "%s%llu", is_negative && value ? "-" : "", value);
	return true;
}

/* [+-]? ( digits [ . digits? ] | . digits ) ( [eE] [+-]? digits )?, said as JSON wants it. */
static enum yaml_kind resolve_decimal(const char *text, struct strbuf *json)
{
	bool is_negative = *text == '-';
	size_t whole, fraction = 0, exponent = 0;
	const char *at, *tail;

	text += *text == '-' || *text == '+';
	whole = digits_at(text);
	at = text + whole;
	if (*at == '.')
		fraction = digits_at(++at);
	if (!whole && !fraction)
		return YAML_STRING;
	tail = at + fraction;
	if (*tail == 'e' || *tail == 'E') {
		size_t sign = tail[1] == '-' || tail[1] == '+' ? 2 : 1;

		exponent = digits_at(tail + sign);
		if (!exponent)
			return YAML_STRING;
		exponent += sign;
	}
	if (tail[exponent])
		return YAML_STRING;
	while (whole > 1 && *text == '0') {
		text++;
		whole--;
	}
	/* Go has no integer -0, and JSON no need of it. */
	if (is_negative && !(whole == 1 && *text == '0' && !fraction))
		strbuf_addc(json, '-');
	if (!whole)
		strbuf_addc(json, '0');
	strbuf_add(json, text, whole);
	if (fraction) {
		strbuf_addc(json, '.');
		strbuf_add(json, at, fraction);
	}
	strbuf_add(json, tail, exponent);
	return fraction || exponent ? YAML_FLOAT : YAML_INTEGER;
}

static enum yaml_kind resolve_number(const char *text, size_t length, struct strbuf *json)
{
	_cleanup_(strbuf_release) struct strbuf plain = STRBUF_INIT;

	if (!strchr("+-.0123456789", *text) || memchr(text, '\0', length))
		return YAML_STRING;
	for (size_t i = 0; i < length; i++) {
		/* Go's float has no underscores where it begins with a dot. */
		if (text[i] != '_' || *text == '.')
			strbuf_addc(&plain, text[i]);
	}
	json->failed |= plain.failed;
	if (is_based_integer(strbuf_str(&plain), json))
		return YAML_INTEGER;
	return resolve_decimal(strbuf_str(&plain), json);
}

enum yaml_kind yaml_resolve(const char *text, size_t length, struct strbuf *json)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) != length || memcmp(words[i].word, text, length) != 0)
			continue;
		if (words[i].json)
			strbuf_adds(json, words[i].json);
		return words[i].kind;
	}
	return resolve_number(text, length, json);
}
