/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few forms of YAML that a JSON tree needs. Written here and not by libfyaml, since 0.7.12
 * cannot: its event emitter drops blanks at both ends of a quoted string, its document emitter
 * leaks memory on strings with many escapes, passes on characters that YAML 1.1 readers refuse, and
 * writes keys that are too long to be read.
 */
#include "pkg/json/json.h"

#include <string.h>
#include "pkg/base/utf8.h"
#include "pkg/json/json_internal.h"

/* Readers look for the ":" of a key no further than 1024 characters. */
#define KEY_LIMIT 1000

/* Where a value goes. */
enum place {
	BEHIND_KEY,  /* blocks begin on a new line */
	BEHIND_MARK, /* behind "- " or ": ", where blocks begin on the same line */
};

/* YAML 1.1's c-printable, less what readers break lines at or eat: NEL, LS, PS and the BOM. */
static bool is_printable(uint32_t code)
{
	if (code < 0xa0)
		return code >= 0x20 && code < 0x7f;
	if (code < 0x10000)
		return code < 0xfffe && code != 0x2028 && code != 0x2029 && code != 0xfeff;
	return true;
}

static int add_string(struct strbuf *yaml, const char *text)
{
	const char *end = text + strlen(text);

	strbuf_addc(yaml, '"');
	while (text < end) {
		uint32_t code;
		size_t size = utf8_decode(text, (size_t)(end - text), &code);

		if (!size)
			return -1;
		if (code == '"' || code == '\\')
			strbuf_addf(yaml, "\\%c", (char)code);
		else if (is_printable(code))
			strbuf_add(yaml, text, size);
		else if (code == '\n' || code == '\t')
			strbuf_adds(yaml, code == '\n' ? "\\n" : "\\t");
		else
			strbuf_addf(yaml, code < 0x100 ? "\\x%02X" : "\\u%04X", code);
		text += size;
	}
	strbuf_addc(yaml, '"');
	return 0;
}

/* To a YAML 1.1 reader an exponent without its sign, or without a dot before it, is a string. */
static void add_number(struct strbuf *yaml, const char *text)
{
	size_t mantissa = strcspn(text, "eE");
	const char *exponent = text + mantissa;

	strbuf_add(yaml, text, mantissa);
	if (!*exponent)
		return;
	if (!memchr(text, '.', mantissa))
		strbuf_adds(yaml, ".0");
	exponent++;
	strbuf_adds(yaml, *exponent == '-' ? "e-" : "e+");
	strbuf_adds(yaml, exponent + strspn(exponent, "+-"));
}

static int add_scalar(struct strbuf *yaml, const cJSON *node)
{
	char buffer[JSON_NUMBER_SIZE];
	const char *number = json_number_text(node, buffer);

	if (cJSON_IsString(node))
		return add_string(yaml, node->valuestring);
	if (number)
		add_number(yaml, number);
	else if (cJSON_IsArray(node) || cJSON_IsObject(node))
		strbuf_adds(yaml, cJSON_IsArray(node) ? "[]" : "{}");
	else if (cJSON_IsBool(node))
		strbuf_adds(yaml, cJSON_IsTrue(node) ? "true" : "false");
	else
		strbuf_adds(yaml, "null");
	return 0;
}

static int add_block(struct strbuf *yaml, const cJSON *node, int indent, enum place place);

static int add_value(struct strbuf *yaml, const cJSON *node, int indent, enum place place)
{
	bool is_block = (cJSON_IsArray(node) || cJSON_IsObject(node)) && node->child;
	int result;

	if (is_block && place == BEHIND_KEY) {
		strbuf_addc(yaml, '\n');
		/* "- " counts as indentation below a key, as kubectl has it. */
		return add_block(yaml, node, cJSON_IsArray(node) ? indent : indent + 2, place);
	}
	strbuf_addc(yaml, ' ');
	if (is_block)
		return add_block(yaml, node, indent + 2, place);
	result = add_scalar(yaml, node);
	strbuf_addc(yaml, '\n');
	return result;
}

static int add_member(struct strbuf *yaml, const cJSON *member, int indent)
{
	_cleanup_(strbuf_release) struct strbuf key = STRBUF_INIT;

	if (add_string(&key, member->string) < 0)
		return -1;
	if (key.length <= KEY_LIMIT) {
		strbuf_addf(yaml, "%s:", strbuf_str(&key));
		return add_value(yaml, member, indent, BEHIND_KEY);
	}
	yaml->failed |= key.failed;
	strbuf_adds(yaml, "? ");
	strbuf_add(yaml, key.data, key.length);
	strbuf_addf(yaml, "\n%*s:", indent, "");
	return add_value(yaml, member, indent, BEHIND_MARK);
}

/* The members or items of a container that has some; what follows a mark needs no indentation. */
static int add_block(struct strbuf *yaml, const cJSON *node, int indent, enum place place)
{
	const cJSON *child;

	cJSON_ArrayForEach (child, node) {
		int result;

		if (child != node->child || place == BEHIND_KEY)
			strbuf_addf(yaml, "%*s", indent, "");
		if (cJSON_IsArray(node)) {
			strbuf_addc(yaml, '-');
			result = add_value(yaml, child, indent, BEHIND_MARK);
		} else {
			result = add_member(yaml, child, indent);
		}
		if (result < 0)
			return -1;
	}
	return 0;
}

int json_print_yaml(const cJSON *document, struct strbuf *buffer, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf yaml = STRBUF_INIT;
	bool is_block = (cJSON_IsArray(document) || cJSON_IsObject(document)) && document->child;
	int result;

	if (is_block) {
		result = add_block(&yaml, document, 0, BEHIND_KEY);
	} else {
		result = add_scalar(&yaml, document);
		strbuf_addc(&yaml, '\n');
	}
	if (result < 0)
		return err_set(err, ERR_PROTOCOL,
		               "text that is not UTF-8 cannot be written as YAML");
	/* Not straight into the buffer: on failure it must be as it was. */
	if (!yaml.failed)
		strbuf_add(buffer, yaml.data, yaml.length);
	return yaml.failed || buffer->failed ? err_no_memory(err) : 0;
}
