/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/json/json.h"

static cJSON *parse(const char *text, size_t length, struct err *err)
{
	/* Exactly as large as the document, so that the sanitizer sees a read behind it. */
	char *copy = malloc(length ? length : 1);
	cJSON *document = NULL;
	int result;

	cr_assert_not_null(copy);
	memcpy(copy, text, length);
	*err = (struct err)ERR_INIT;
	result = json_parse(copy, length, JSON_MAX_BYTES, &document, err);
	cr_assert_eq(result, document ? 0 : -1, "%s", err->message);
	free(copy);
	return document;
}

static void expect_same(const char *text)
{
	_cleanup_(strbuf_release) struct strbuf printed = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_(json_free) cJSON *copy = NULL;
	struct err err;

	document = parse(text, strlen(text), &err);
	cr_assert_not_null(document, "%s: %s", text, err.message);
	copy = cJSON_Duplicate(document, true);
	json_print(copy, false, &printed);
	cr_expect_str_eq(strbuf_str(&printed), text);
}

static void expect_fault_of(const char *text, size_t length, const char *what)
{
	struct err err;
	_cleanup_(json_free) cJSON *document = parse(text, length, &err);

	cr_expect_null(document, "'%s' was taken", text);
	cr_expect_eq(err.kind, ERR_PROTOCOL);
	cr_expect(strstr(err.message, what), "'%s': '%s' lacks '%s'", text, err.message, what);
}

static void expect_fault(const char *text, const char *what)
{
	expect_fault_of(text, strlen(text), what);
}

Test(json_parse, keeps_every_digit)
{
	expect_same("9223372036854775807");
	expect_same("-9223372036854775808");
	expect_same("18446744073709551615");
	expect_same("9007199254740993");
	expect_same("[999999999999999,-999999999999999,1000000000000000,-1000000000000000]");
	expect_same("{\"a\":[1e400,-1E-400,1.0,0.1,-0,-0.0,1e0,0.30000000000000004,0]}");
	expect_same("[1.7976931348623157e308,1e999999999999,100000000000000000000.000]");
}

/* cJSON stops in the middle of numbers of more than 63 bytes. */
Test(json_parse, keeps_long_numbers)
{
	char text[1003];

	memset(text, '7', sizeof(text));
	text[0] = '[';
	text[500] = ',';
	text[1001] = ']';
	text[1002] = '\0';
	expect_same(text);
}

Test(json_parse, keeps_strings)
{
	expect_same("\"\"");
	expect_same("\"\\\\u0000\"");
	expect_same("\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f/\x7f caf\xc3\xa9 \xf0\x9f\x98\x80\"");
	expect_same("{\"\":{\"a b\":[[],{},true,false,null]}}");
}

Test(json_parse, unescapes)
{
	struct err err;
	const char *text = " [ \"\\u00e9\\uD83d\\ude00\\/\\u0041\" ]\r\n\t";
	_cleanup_(json_free) cJSON *document = parse(text, strlen(text), &err);

	cr_assert_not_null(document, "%s", err.message);
	cr_expect_str_eq(json_string(document, "[0]"), "\xc3\xa9\xf0\x9f\x98\x80/A");
}

Test(json_parse, refuses_a_nul)
{
	expect_fault("\"\\u0000\"", "\\u0000");
	expect_fault("{\"a\\u0000b\":1}", "\\u0000");
	expect_fault_of("\"a\0b\"", 5, "control byte in a string at byte 2");
	expect_fault_of("1\0", 2, "behind the document at byte 1");
	expect_fault_of("\0", 1, "at byte 0");
	expect_fault_of("", 0, "at byte 0");
}

Test(json_parse, refuses_duplicate_keys)
{
	expect_fault("{\"key\":1,\"b\":2,\"key\":1}", "'key' stands twice");
	expect_fault("[{\"x\":{\"a\":1,\"\\u0061\":2}}]", "'a' stands twice");
	expect_fault("{\"\":1,\"\":2}", "'' stands twice");
	expect_fault("{\"/\":1,\"\\/\":2}", "'/' stands twice");
	expect_same("{\"key\":1,\"Key\":2,\"kez\":{\"key\":3}}");
	expect_same("[{\"a\":1},{\"a\":1}]");
}

/* 100,000 keys, and each new one the least so far: no pairwise comparison ends within the time. */
Test(json_parse, finds_duplicates_among_many, .timeout = 10)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	struct err err;

	strbuf_adds(&text, "{\"first\":0");
	for (int i = 100000; i > 0; i--)
		strbuf_addf(&text, ",\"a-rather-long-common-prefix-%06d\":%d", i, i);
	strbuf_addc(&text, '}');
	document = parse(text.data, text.length, &err);
	cr_assert_not_null(document, "%s", err.message);
	cr_expect_eq(cJSON_GetArraySize(document), 100001);
	strbuf_reset(&text);
	json_print(document, false, &text);
	text.data[text.length - 1] = ',';
	strbuf_adds(&text, "\"\\u0061-rather-long-common-prefix-050000\":1}");
	expect_fault_of(text.data, text.length,
	                "'a-rather-long-common-prefix-050000' stands twice");
}

static void nested(struct strbuf *text, int depth, const char *open, const char *close)
{
	strbuf_reset(text);
	for (int i = 0; i < depth; i++)
		strbuf_adds(text, open);
	strbuf_adds(text, "1");
	for (int i = 0; i < depth; i++)
		strbuf_adds(text, close);
}

Test(json_parse, limits_the_depth)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	nested(&text, JSON_MAX_DEPTH, "[", "]");
	expect_same(strbuf_str(&text));
	nested(&text, JSON_MAX_DEPTH + 1, "[", "]");
	expect_fault(strbuf_str(&text), "deeper nesting than allowed at byte 64");
	nested(&text, JSON_MAX_DEPTH, "{\"k\":", "}");
	expect_same(strbuf_str(&text));
	nested(&text, JSON_MAX_DEPTH + 1, "{\"k\":", "}");
	expect_fault(strbuf_str(&text), "deeper nesting than allowed at byte 320");
	nested(&text, 1000000, "[", "");
	expect_fault(strbuf_str(&text), "deeper nesting than allowed at byte 64");
	expect_same("[[[[]]],[[[]]],[[[]]],[[[]]],[[[]]],[[[]]],[[[]]],[[[]]],[[[]]],[[[]]]]");
}

Test(json_parse, limits_the_size)
{
	cJSON *document = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(json_parse("[12]", 4, 4, &document, &err), 0);
	json_free(&document);
	cr_expect_eq(json_parse("[123]", 5, 4, &document, &err), -1);
	cr_expect_eq(err.kind, ERR_NO_MEMORY);
	cr_expect_null(document);
}

struct bad {
	const char *text, *what;
};

static const struct bad bad_texts[] = {
	{"01", "number"},
	{"-01", "number"},
	{"00", "number"},
	{"-", "number"},
	{"- 1", "number"},
	{"+1", "value"},
	{".5", "value"},
	{"1.", "behind the dot"},
	{"1.e3", "behind the dot"},
	{"1e", "exponent"},
	{"1e+", "exponent"},
	{"1e1000000000000", "exponent out of all bounds"},
	{"1-2", "behind the document"},
	{"0x10", "behind the document"},
	{"NaN", "value"},
	{"Infinity", "value"},
	{"nul", "word"},
	{"True", "value"},
	{"truefalse", "behind the document"},
	{"[1,]", "value"},
	{"[,1]", "value"},
	{"[1 2]", "neither ',' nor ']' at byte 3"},
	{"[1}", "neither"},
	{"{\"a\":1,}", "key"},
	{"{\"a\" 1}", "no ':' behind a key at byte 5"},
	{"{a:1}", "key"},
	{"{1:1}", "key"},
	{"{\"a\":}", "value"},
	{"]", "value"},
	{"{} {}", "behind the document at byte 3"},
	{"{}x", "behind the document"},
	{"/* */ 1", "value"},
	{"'a'", "value"},
	{"\xef\xbb\xbf{}", "value"},
	{"\v1", "value"},
	{"[1\f]", "neither"},
	{"\"\\x41\"", "unknown escape at byte 2"},
	{"\"\\u00zz\"", "malformed \\u escape"},
	{"\"\\u12\"", "malformed \\u escape"},
	{"\"\\ud800\"", "surrogate"},
	{"\"\\udc00\"", "surrogate"},
	{"\"\\ud800\\u0041\"", "surrogate"},
	{"\"\\ud800\\ud800\"", "surrogate"},
	{"\"a\nb\"", "control byte in a string at byte 2"},
	{"\"a\tb\"", "control byte"},
	{"\"\x80\"", "UTF-8 at byte 1"},
	{"\"a\xc3\"", "UTF-8 at byte 2"},
	{"\"\xc0\x80\"", "UTF-8"},
	{"\"\xed\xa0\x80\"", "UTF-8"},
	{"\"\xf4\x90\x80\x80\"", "UTF-8"},
	{"{\"\xff\":1}", "UTF-8"},
};

Test(json_parse, refuses_what_is_no_json)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_texts); i++)
		expect_fault(bad_texts[i].text, bad_texts[i].what);
}

/* Every beginning of a document, and every one with a byte changed, ends without harm. */
Test(json_parse, survives_cut_and_broken_documents)
{
	static const char whole[] =
		"{\"a\":[1,-2.5e+10,true,false,null,\"\\u00e9\\ud83d\\ude00\xc3\xa9\\n\"],\"b\":{}}";
	size_t length = sizeof(whole) - 1;
	char broken[sizeof(whole)];
	struct err err;

	for (size_t cut = 0; cut < length; cut++)
		expect_fault_of(whole, cut, "at byte");
	for (size_t i = 0; i < length * 256; i++) {
		cJSON *document;

		memcpy(broken, whole, sizeof(broken));
		broken[i / 256] = (char)(i % 256);
		document = parse(broken, length, &err);
		json_free(&document);
	}
}

static void read_file(const char *path, struct strbuf *text)
{
	FILE *file = fopen(path, "re");
	char bytes[4096];
	size_t length;

	cr_assert_not_null(file, "%s", path);
	while ((length = fread(bytes, 1, sizeof(bytes), file)) > 0)
		strbuf_add(text, bytes, length);
	fclose(file);
}

/* The text without the blanks between its tokens: what the compact form has to be. */
static void squeeze(const struct strbuf *text, struct strbuf *out)
{
	bool is_string = false;

	for (size_t i = 0; i < text->length; i++) {
		char byte = text->data[i];

		if (byte == '"' && (i == 0 || text->data[i - 1] != '\\'))
			is_string = !is_string;
		if (is_string || !strchr(" \t\r\n", byte))
			strbuf_addc(out, byte);
	}
}

static void check_recording(const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf squeezed = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf compact = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf pretty = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_(json_free) cJSON *again = NULL;
	struct err err;

	read_file(path, &text);
	document = parse(text.data, text.length, &err);
	cr_assert_not_null(document, "%s: %s", path, err.message);
	json_print(document, false, &compact);
	json_print(document, true, &pretty);
	again = parse(pretty.data, pretty.length, &err);
	cr_expect(json_equal(document, again), "%s", path);
	cr_expect(!strchr(strbuf_str(&pretty), '\t'), "%s", path);
	squeeze(&text, &squeezed);
	/* Go escapes these three; cJSON has no need to. */
	if (!strstr(strbuf_str(&text), "\\u00"))
		cr_expect_str_eq(strbuf_str(&compact), strbuf_str(&squeezed), "%s", path);
}

Test(json_parse, every_recording_survives)
{
	glob_t found;

	cr_assert_eq(glob("tests/fixtures/docker/*.json", 0, NULL, &found), 0);
	cr_assert_eq(glob("tests/fixtures/podman/*.json", GLOB_APPEND, NULL, &found), 0);
	cr_assert_geq(found.gl_pathc, 60);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_recording(found.gl_pathv[i]);
	globfree(&found);
}
