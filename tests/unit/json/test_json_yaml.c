/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "pkg/base/utf8.h"
#include "tests/unit/json/yaml_reader.h"

static cJSON *parse(const char *text, size_t length)
{
	struct err err = ERR_INIT;
	cJSON *document = NULL;

	cr_assert_eq(json_parse(text, length, JSON_MAX_BYTES, &document, &err), 0, "%s: %s", text,
	             err.message);
	return document;
}

static void print(const cJSON *document, struct strbuf *yaml)
{
	struct err err = ERR_INIT;

	cr_assert_eq(json_print_yaml(document, yaml, &err), 0, "%s", err.message);
}

static void expect_yaml(const char *json, const char *wanted)
{
	_cleanup_(json_free) cJSON *document = parse(json, strlen(json));
	_cleanup_(strbuf_release) struct strbuf yaml = STRBUF_INIT;

	print(document, &yaml);
	cr_expect_str_eq(strbuf_str(&yaml), wanted);
}

/* YAML 1.1's c-printable, and nothing that some reader takes for a line's end or eats. */
static void expect_printable(const struct strbuf *yaml)
{
	uint32_t code;

	for (size_t i = 0; i < yaml->length;) {
		size_t size = utf8_decode(yaml->data + i, yaml->length - i, &code);

		cr_assert_gt(size, 0);
		cr_assert(code == '\n' || (code >= 0x20 && code < 0x7f) || code >= 0xa0, "U+%04X",
		          code);
		cr_assert(code != 0x2028 && code != 0x2029 && code != 0xfeff && code != 0xfffe &&
		                  code != 0xffff,
		          "U+%04X", code);
		i += size;
	}
}

static void expect_round_trip(const cJSON *document, const char *name)
{
	_cleanup_(strbuf_release) struct strbuf yaml = STRBUF_INIT;
	_cleanup_(json_free) cJSON *old = NULL;
	_cleanup_(json_free) cJSON *new = NULL;

	print(document, &yaml);
	expect_printable(&yaml);
	old = yaml_read(yaml.data, yaml.length, FYPCF_DEFAULT_VERSION_1_1);
	new = yaml_read(yaml.data, yaml.length, FYPCF_DEFAULT_VERSION_1_2);
	cr_expect(json_equal(document, old), "%s (YAML 1.1): %s", name, strbuf_str(&yaml));
	cr_expect(json_equal(document, new), "%s (YAML 1.2): %s", name, strbuf_str(&yaml));
}

Test(json_yaml, lays_out_blocks)
{
	expect_yaml("{\"a\":\"x\",\"b\":{\"c\":[\"y\",{\"d\":1,\"e\":[true]},[[null]],[],{}]}}",
	            "\"a\": \"x\"\n"
	            "\"b\":\n"
	            "  \"c\":\n"
	            "  - \"y\"\n"
	            "  - \"d\": 1\n"
	            "    \"e\":\n"
	            "    - true\n"
	            "  - - - null\n"
	            "  - []\n"
	            "  - {}\n");
	expect_yaml("[]", "[]\n");
	expect_yaml("{}", "{}\n");
	expect_yaml("\"\"", "\"\"\n");
	expect_yaml("false", "false\n");
	expect_yaml("{\"a\":{\"b\":{}},\"c\":[]}", "\"a\":\n  \"b\": {}\n\"c\": []\n");
}

Test(json_yaml, quotes_every_string)
{
	expect_yaml(
		"[\"on\",\"0123\",\"1e3\",\"~\",\"null\",\"12:30:45\",\"2026-01-01\",\"<<\",\"=\"]",
		"- \"on\"\n- \"0123\"\n- \"1e3\"\n- \"~\"\n- \"null\"\n- \"12:30:45\"\n"
		"- \"2026-01-01\"\n- \"<<\"\n- \"=\"\n");
	expect_yaml("{\"on\":\"a\\nb\\n\",\"\":\" x\\t\",\"q\\\"\":\"\\\\\"}",
	            "\"on\": \"a\\nb\\n\"\n\"\": \" x\\t\"\n\"q\\\"\": \"\\\\\"\n");
	expect_yaml(
		"\"caf\xc3\xa9 \xf0\x9f\x98\x80 \\u0001\\u001b\x7f\\u0085\\u2028\\ufeff\\uffff\"",
		"\"caf\xc3\xa9 \xf0\x9f\x98\x80 \\x01\\x1B\\x7F\\x85\\u2028\\uFEFF\\uFFFF\"\n");
}

Test(json_yaml, writes_numbers_both_versions_read)
{
	expect_yaml(
		"[9223372036854775807,18446744073709551615,9007199254740993,-0,0]",
		"- 9223372036854775807\n- 18446744073709551615\n- 9007199254740993\n- -0\n- 0\n");
	expect_yaml("[1e400,1E-3,1.50e3,-2.5e+7,0.1]",
	            "- 1.0e+400\n- 1.0e-3\n- 1.50e+3\n- -2.5e+7\n- 0.1\n");
}

Test(json_yaml, writes_nodes_that_were_not_parsed)
{
	_cleanup_(strbuf_release) struct strbuf yaml = STRBUF_INIT;
	_cleanup_(json_free) cJSON *array = cJSON_CreateArray();

	cr_assert_eq(json_add_node(array, cJSON_CreateNumber(1e300)), 0);
	cr_assert_eq(json_add_node(array, cJSON_CreateNumber(0.5)), 0);
	cr_assert_eq(json_add_node(array, json_new_int64(INT64_MIN)), 0);
	print(array, &yaml);
	cr_expect_str_eq(strbuf_str(&yaml), "- 1.0e+300\n- 0.5\n- -9223372036854775808\n");
}

Test(json_yaml, appends)
{
	_cleanup_(strbuf_release) struct strbuf yaml = STRBUF_INIT;
	_cleanup_(json_free) cJSON *node = cJSON_CreateTrue();

	strbuf_adds(&yaml, "---\n");
	print(node, &yaml);
	cr_expect_str_eq(strbuf_str(&yaml), "---\ntrue\n");
}

Test(json_yaml, refuses_what_is_not_utf8)
{
	_cleanup_(strbuf_release) struct strbuf yaml = STRBUF_INIT;
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	_cleanup_(json_free) cJSON *key = cJSON_CreateObject();
	struct err err = ERR_INIT;

	strbuf_adds(&yaml, "kept");
	cr_assert_eq(json_set_string(object, "a", "\xff"), 0);
	cr_expect_eq(json_print_yaml(object, &yaml, &err), -1);
	cr_expect_eq(err.kind, ERR_PROTOCOL);
	cr_assert_eq(json_set_string(key, "\xc3", "a"), 0);
	cr_expect_eq(json_print_yaml(key, &yaml, &err), -1);
	cr_expect_str_eq(strbuf_str(&yaml), "kept");
}

static const char *const awkward[] = {
	"",
	" ",
	"  lead",
	"trail  ",
	"\t",
	"\n",
	"\n\n",
	"a\nb",
	"a\nb\n",
	"a\n b\n\n",
	" a\nb",
	"a \n b",
	"\r",
	"a\r\nb",
	"on",
	"Off",
	"YES",
	"y",
	"~",
	"null",
	"true",
	"0123",
	"0x1f",
	"0o17",
	"1_000",
	"1e3",
	".5",
	".inf",
	".nan",
	"190:20:30",
	"---",
	"...",
	"--- a",
	"%YAML 1.1",
	"# c",
	"a # b",
	"a: b",
	"a:",
	"- a",
	"? a",
	": a",
	"[a",
	"{a",
	"a]",
	"a, b",
	"*a",
	"&a",
	"!a",
	"!!str a",
	"|",
	">",
	"@a",
	"`a",
	"'a'",
	"\"a\"",
	"\\",
	"\\n",
	"\\u0041",
	"/",
	"\x01\x02\x1b[0m\x1f",
	"\x7f",
	"\xc2\x80",
	"\xc2\x85",
	"\xc2\xa0",
	"\xe2\x80\xa8",
	"\xe2\x80\xa9",
	"\xef\xbb\xbf",
	"\xef\xbf\xbd",
	"\xef\xbf\xbe",
	"\xf0\x9f\x98\x80",
	"\xf4\x8f\xbf\xbf",
	"<<",
};

Test(json_yaml, brings_awkward_strings_back)
{
	_cleanup_(json_free) cJSON *values = cJSON_CreateArray();
	_cleanup_(json_free) cJSON *keys = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(awkward); i++) {
		_cleanup_(json_free) cJSON *alone = cJSON_CreateString(awkward[i]);
		_cleanup_(json_free) cJSON *member = cJSON_CreateObject();

		cr_assert_eq(json_set_string(member, "k", awkward[i]), 0);
		cr_assert_eq(json_add_string(values, awkward[i]), 0);
		cr_assert_eq(json_set_string(keys, awkward[i], awkward[i]), 0);
		expect_round_trip(alone, awkward[i]);
		expect_round_trip(member, awkward[i]);
	}
	expect_round_trip(values, "values");
	expect_round_trip(keys, "keys");
}

/* Behind a long key the value begins in another way; 1024 is where readers stop to look. */
Test(json_yaml, brings_long_strings_and_keys_back)
{
	for (size_t length = 990; length < 1040; length++) {
		_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
		char key[1100] = "";

		memset(key, 'k', length);
		cr_assert_eq(json_set_string(object, key, key), 0);
		key[0] = '2';
		cr_assert_eq(json_set_node(object, key, cJSON_Duplicate(object, true)), 0);
		key[0] = '3';
		cr_assert_eq(
			json_set_node(object, key, cJSON_Parse("[[{\"a\":1,\"b\":[2]},3],{}]")), 0);
		expect_round_trip(object, "long keys");
	}
}

/* libfyaml reads on, others do not. */
Test(json_yaml, marks_long_keys)
{
	_cleanup_(strbuf_release) struct strbuf yaml = STRBUF_INIT;
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	char key[1024] = "";

	memset(key, 'k', sizeof(key) - 1);
	cr_assert_eq(json_set_node(object, key, cJSON_Parse("{\"a\":[1],\"b\":2}")), 0);
	print(object, &yaml);
	cr_expect_eq(strncmp(strbuf_str(&yaml), "? \"k", 4), 0);
	cr_expect_str_eq(strbuf_str(&yaml) + 3 + strlen(key), "\"\n: \"a\":\n  - 1\n  \"b\": 2\n");
}

Test(json_yaml, brings_deep_documents_back)
{
	_cleanup_(json_free) cJSON *tree = cJSON_CreateNull();

	for (int i = 0; i < JSON_MAX_DEPTH; i++) {
		cJSON *outer = i % 3 ? cJSON_CreateArray() : cJSON_CreateObject();

		if (i % 3)
			cr_assert_eq(json_add_node(outer, TAKE_PTR(tree)), 0);
		else
			cr_assert_eq(json_set_node(outer, "k", TAKE_PTR(tree)), 0);
		tree = outer;
	}
	expect_round_trip(tree, "deep");
}

static void check_recording(const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	FILE *file = fopen(path, "re");
	char bytes[4096];
	size_t length;

	cr_assert_not_null(file, "%s", path);
	while ((length = fread(bytes, 1, sizeof(bytes), file)) > 0)
		strbuf_add(&text, bytes, length);
	fclose(file);
	document = parse(text.data, text.length);
	expect_round_trip(document, path);
}

Test(json_yaml, brings_every_recording_back)
{
	glob_t found;

	cr_assert_eq(glob("tests/fixtures/docker/*.json", 0, NULL, &found), 0);
	cr_assert_eq(glob("tests/fixtures/podman/*.json", GLOB_APPEND, NULL, &found), 0);
	cr_assert_geq(found.gl_pathc, 60);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_recording(found.gl_pathv[i]);
	globfree(&found);
}
