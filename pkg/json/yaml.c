/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From libyaml's events to JSON text, which json_parse then judges: so there is one place that refuses duplicate
 * keys, NULs and depth. An anchor is a piece of the text written so far, an alias a copy of it; the cap of the text
 * is what stops a bomb.
 *
 * libyaml, since go-yaml is a port of it: both take and refuse the same texts. libfyaml 0.7.12 frees a block twice when
 * a tab follows the ":" of some keys.
 */
#include "pkg/json/yaml.h"

#include <string.h>
#include <yaml.h>
#include "pkg/base/utf8.h"
#include "pkg/json/yaml_internal.h"

/* Each is looked for one by one. */
#define ANCHORS_MAX 1000

struct anchor {
	char *name; /* owned */
	size_t offset, length;
	bool open; /* its node has not ended */
};

struct level {
	bool is_mapping;
	bool is_empty;
	bool at_value;         /* of a mapping: the key is written */
	struct anchor *anchor; /* to close at its end, or NULL */
};

struct reader {
	struct strbuf json;
	struct level levels[JSON_MAX_DEPTH];
	size_t depth;
	struct anchor anchors[ANCHORS_MAX];
	size_t anchor_count;
	bool merges; /* there is a "<<" */
	bool ended;
};

static void reader_free(struct reader **reader)
{
	if (!*reader)
		return;
	for (size_t i = 0; i < (*reader)->anchor_count; i++)
		free((*reader)->anchors[i].name);
	strbuf_release(&(*reader)->json);
	free(*reader);
}

static int refuse(const yaml_event_t *event, const char *what, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "not acceptable YAML: line %zu: %s",
	               event->start_mark.line + 1, what);
}

static void add_json_string(struct strbuf *json, const char *text, size_t length)
{
	strbuf_addc(json, '"');
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x20)
			strbuf_addf(json, "\\u%04x", (unsigned)text[i]);
		else if (text[i] == '"' || text[i] == '\\')
			strbuf_addf(json, "\\%c", text[i]);
		else
			strbuf_addc(json, text[i]);
	}
	strbuf_addc(json, '"');
}

static bool is_key_place(const struct reader *reader)
{
	const struct level *level = reader->depth ? &reader->levels[reader->depth - 1] : NULL;

	return level && level->is_mapping && !level->at_value;
}

/* What stands between the nodes. */
static void begin_node(struct reader *reader)
{
	struct level *level = reader->depth ? &reader->levels[reader->depth - 1] : NULL;

	if (!level)
		return;
	if (level->is_mapping && level->at_value)
		strbuf_addc(&reader->json, ':');
	else if (!level->is_empty)
		strbuf_addc(&reader->json, ',');
	level->is_empty = false;
	level->at_value = level->is_mapping && !level->at_value;
}

static struct anchor *find_anchor(struct reader *reader, const char *name)
{
	for (size_t i = reader->anchor_count; i-- > 0;) {
		if (strcmp(reader->anchors[i].name, name) == 0)
			return &reader->anchors[i];
	}
	return NULL;
}

/* *ret stays NULL when the node has none. A name that is used again means the later node. */
static int begin_anchor(struct reader *reader, const yaml_event_t *event, const yaml_char_t *name,
                        struct anchor **ret, struct err *err)
{
	struct anchor *anchor = &reader->anchors[reader->anchor_count];

	if (!name)
		return 0;
	if (reader->anchor_count == ANCHORS_MAX)
		return refuse(event, "too many anchors", err);
	*anchor = (struct anchor){.offset = reader->json.length, .open = true};
	anchor->name = strdup((const char *)name);
	if (!anchor->name)
		return err_no_memory(err);
	reader->anchor_count++;
	*ret = anchor;
	return 0;
}

static void end_anchor(const struct reader *reader, struct anchor *anchor)
{
	if (!anchor)
		return;
	anchor->open = false;
	anchor->length = reader->json.length - anchor->offset;
}

/* "tag:yaml.org,2002:str" is "str" here; "!" is the same as !!str. NULL: no tag. */
static const char *tag_name(const yaml_char_t *full)
{
	static const char core[] = "tag:yaml.org,2002:";
	const char *tag = (const char *)full;

	if (!tag)
		return NULL;
	if (strcmp(tag, "!") == 0)
		return "str";
	return strncmp(tag, core, strlen(core)) == 0 ? tag + strlen(core) : "?";
}

static bool tag_fits(const char *tag, enum yaml_kind kind)
{
	static const struct {
		const char *tag;
		enum yaml_kind kind;
	} known[] = {
		{"null", YAML_NULL},    {"bool", YAML_BOOL},     {"int", YAML_INTEGER},
		{"float", YAML_FLOAT},  {"float", YAML_INTEGER}, {"timestamp", YAML_STRING},
		{"merge", YAML_STRING},
	};

	for (size_t i = 0; tag && i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].tag, tag) == 0 && known[i].kind == kind)
			return true;
	}
	return !tag;
}

static int add_scalar(struct reader *reader, const yaml_event_t *event, bool is_key,
                      struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf word = STRBUF_INIT;
	const char *tag = tag_name(event->data.scalar.tag);
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	enum yaml_kind kind = YAML_STRING;

	if (!tag || strcmp(tag, "str") != 0) {
		bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

		if (is_plain || tag)
			kind = yaml_resolve(text, length, &word);
		if (!tag_fits(tag, kind))
			return refuse(event, "a tag that does not fit its value", err);
		if (is_plain && is_key && length == 2 && memcmp(text, "<<", 2) == 0)
			reader->merges = true;
	}
	if (kind == YAML_NO_JSON)
		return refuse(event, "a number that is none", err);
	if (kind == YAML_NULL && is_key)
		return refuse(event, "a key is missing", err);
	reader->json.failed |= word.failed;
	if (kind == YAML_STRING)
		add_json_string(&reader->json, text, length);
	else if (is_key)
		add_json_string(&reader->json, word.data, word.length);
	else
		strbuf_add(&reader->json, word.data, word.length);
	return 0;
}

static int read_scalar(struct reader *reader, const yaml_event_t *event, struct err *err)
{
	bool is_key = is_key_place(reader);
	struct anchor *anchor = NULL;

	begin_node(reader);
	if (begin_anchor(reader, event, event->data.scalar.anchor, &anchor, err) < 0 ||
	    add_scalar(reader, event, is_key, err) < 0)
		return -1;
	end_anchor(reader, anchor);
	return 0;
}

static int read_alias(struct reader *reader, const yaml_event_t *event, struct err *err)
{
	bool is_key = is_key_place(reader);
	struct anchor *anchor = find_anchor(reader, (const char *)event->data.alias.anchor);
	_cleanup_free_ char *copy = NULL;

	if (!anchor || anchor->open)
		return refuse(event, "an alias without an anchor before it", err);
	begin_node(reader);
	if (reader->json.failed)
		return 0;
	/* Not straight from the buffer, which may move as it grows. */
	copy = strndup(reader->json.data + anchor->offset, anchor->length);
	if (!copy)
		return err_no_memory(err);
	if (is_key && *copy != '"')
		return refuse(event, "a key that is not a string", err);
	strbuf_add(&reader->json, copy, anchor->length);
	return 0;
}

static int read_start(struct reader *reader, const yaml_event_t *event, struct err *err)
{
	bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
	const char *tag = tag_name(is_mapping ? event->data.mapping_start.tag
	                                      : event->data.sequence_start.tag);
	const yaml_char_t *name =
		is_mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	struct anchor *anchor = NULL;

	if (is_key_place(reader))
		return refuse(event, "a key that is not a string", err);
	if (reader->depth == JSON_MAX_DEPTH)
		return refuse(event, "nested too deeply", err);
	if (tag && strcmp(tag, is_mapping ? "map" : "seq") != 0)
		return refuse(event, "a tag that does not fit its value", err);
	begin_node(reader);
	if (begin_anchor(reader, event, name, &anchor, err) < 0)
		return -1;
	strbuf_addc(&reader->json, is_mapping ? '{' : '[');
	reader->levels[reader->depth++] = (struct level){
		.is_mapping = is_mapping,
		.is_empty = true,
		.anchor = anchor,
	};
	return 0;
}

static void read_end(struct reader *reader)
{
	struct level *level = &reader->levels[--reader->depth];

	strbuf_addc(&reader->json, level->is_mapping ? '}' : ']');
	end_anchor(reader, level->anchor);
}

/* 1 when the first document has ended, 0 to go on. Where no "..." ends it, one more event shows that the rest is a
 * second document and not a piece of the first that nobody would read. */
static int read_event(struct reader *reader, const yaml_event_t *event, struct err *err)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(reader, event, err);
	case YAML_ALIAS_EVENT:
		return read_alias(reader, event, err);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return read_start(reader, event, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		read_end(reader);
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		reader->ended = true;
		return event->data.document_end.implicit ? 0 : 1;
	case YAML_DOCUMENT_START_EVENT:
		return reader->ended ? 1 : 0;
	case YAML_STREAM_END_EVENT:
		return 1;
	default:
		return 0;
	}
}

/* libyaml's own words do not quote the text, but they help nobody either. */
static int refuse_syntax(const yaml_parser_t *parser, struct err *err)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return err_no_memory(err);
	return err_set(err, ERR_PROTOCOL, "not acceptable YAML: line %zu, column %zu",
	               parser->problem_mark.line + 1, parser->problem_mark.column + 1);
}

static int read_events(struct reader *reader, yaml_parser_t *parser, struct err *err)
{
	int result = 0;

	while (result == 0) {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return refuse_syntax(parser, err);
		result = read_event(reader, &event, err);
		yaml_event_delete(&event);
		if (reader->json.failed)
			return err_set(err, ERR_NO_MEMORY,
			               "a YAML document stands for more than the %zu bytes allowed",
			               reader->json.cap);
	}
	return result < 0 ? -1 : 0;
}

static int read_text(struct reader *reader, const char *text, size_t length, struct err *err)
{
	yaml_parser_t parser;
	int result;

	if (!yaml_parser_initialize(&parser))
		return err_no_memory(err);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	result = read_events(reader, &parser, err);
	yaml_parser_delete(&parser);
	return result;
}

/* The usual way to JSON: YAML readers trip over its tabs. */
static int read_as_json(const char *text, size_t length, size_t max_bytes, cJSON **ret_document)
{
	struct err err = ERR_INIT;
	size_t blank = 0;

	while (blank < length && strchr(" \t\r\n", text[blank]) && text[blank])
		blank++;
	if (blank == length || (text[blank] != '{' && text[blank] != '['))
		return -1;
	return json_parse(text, length, max_bytes, ret_document, &err);
}

int yaml_parse(const char *text, size_t length, size_t max_bytes, cJSON **ret_document,
               struct err *err)
{
	_cleanup_(reader_free) struct reader *reader = NULL;
	_cleanup_(json_free) cJSON *document = NULL;

	if (length > max_bytes)
		return err_set(err, ERR_NO_MEMORY,
		               "a YAML document of %zu bytes is larger than the %zu allowed",
		               length, max_bytes);
	if (read_as_json(text, length, max_bytes, ret_document) == 0)
		return 0;
	if (!utf8_valid(text, length) || memchr(text, '\0', length))
		return err_set(err, ERR_PROTOCOL, "not acceptable YAML: it is not UTF-8 text");
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return err_no_memory(err);
	reader->json.cap = max_bytes;
	if (read_text(reader, text, length, err) < 0)
		return -1;
	if (!reader->json.length)
		strbuf_adds(&reader->json, "null");
	if (json_parse(strbuf_str(&reader->json), reader->json.length, SIZE_MAX, &document, err) <
	            0 ||
	    (reader->merges && yaml_merge(document, err) < 0))
		return -1;
	*ret_document = TAKE_PTR(document);
	return 0;
}
