/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/json/yaml.h"

/* The YAML as compact JSON; owned by the caller. */
static char *read_yaml(const char *yaml)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(yaml_parse(yaml, strlen(yaml), 1 << 20, &document, &err), 0, "%s: %s", yaml,
	             err.message);
	json_print(document, false, &text);
	return strdup(strbuf_str(&text));
}

static void expect(const char *yaml, const char *json)
{
	_cleanup_free_ char *found = read_yaml(yaml);

	cr_assert_str_eq(found, json, "%s gives %s", yaml, found);
}

static void refuse(const char *yaml, const char *words)
{
	_cleanup_(json_free) cJSON *document = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(yaml_parse(yaml, strlen(yaml), 1 << 20, &document, &err), -1, "%s", yaml);
	cr_assert_eq(err.kind, ERR_PROTOCOL, "%s", yaml);
	cr_assert(strstr(err.message, words), "%s: %s", yaml, err.message);
	cr_assert_null(document);
}

Test(yaml, unquoted_words_are_booleans_and_null_as_kubectl_has_them)
{
	expect("[y, Y, yes, Yes, YES, on, On, ON, true, True, TRUE]",
	       "[true,true,true,true,true,true,true,true,true,true,true]");
	expect("[n, N, no, No, NO, off, Off, OFF, false, False, FALSE]",
	       "[false,false,false,false,false,false,false,false,false,false,false]");
	expect("[~, null, Null, NULL]", "[null,null,null,null]");
	expect("a:\nb: x\n", "{\"a\":null,\"b\":\"x\"}");
	expect("[yEs, nULL, yess, oN]", "[\"yEs\",\"nULL\",\"yess\",\"oN\"]");
}

Test(yaml, what_is_quoted_is_a_string)
{
	expect("['y', \"no\", '1', \"null\", '', \"~\"]",
	       "[\"y\",\"no\",\"1\",\"null\",\"\",\"~\"]");
	expect("a: |\n  1\nb: >-\n  yes\n  no\n", "{\"a\":\"1\\n\",\"b\":\"yes no\"}");
	expect("!!str 12", "\"12\"");
	expect("! 12", "\"12\"");
}

Test(yaml, integers_keep_every_digit)
{
	expect("[0, 7, -12, +3, 18446744073709551615, 123456789012345678901234567890]",
	       "[0,7,-12,3,18446744073709551615,123456789012345678901234567890]");
	expect("[0x1F, 0b101, 0o17, 017, -0x10, 1_000, -0]", "[31,5,15,15,-16,1000,0]");
	expect("[0x, 0xg, 0b2, 0x0x1, 1__, 0x-1]", "[\"0x\",\"0xg\",\"0b2\",\"0x0x1\",1,\"0x-1\"]");
}

Test(yaml, fractions_are_said_as_json_says_them)
{
	expect("[1.50, .5, -.5, 1., 1e3, 1.5E-3, 08, 007.5]", "[1.50,0.5,-0.5,1,1e3,1.5E-3,8,7.5]");
	expect("[1.2.3, 10.0.0.1, '.', +, 1e, e5]",
	       "[\"1.2.3\",\"10.0.0.1\",\".\",\"+\",\"1e\",\"e5\"]");
	refuse("a: .inf", "line 1");
	refuse("a: -.INF", "line 1");
	refuse("a: .NaN", "line 1");
}

Test(yaml, dates_are_strings)
{
	expect("[2026-11-21, 2026-11-21T05:04:03Z]", "[\"2026-11-21\",\"2026-11-21T05:04:03Z\"]");
}

Test(yaml, keys_become_strings)
{
	expect("8080: a\ntrue: b\n0x10: c\n1.5: d\n",
	       "{\"8080\":\"a\",\"true\":\"b\",\"16\":\"c\",\"1.5\":\"d\"}");
	refuse("~: a", "key");
	refuse("? [a]\n: b", "key");
	refuse("? {a: b}\n: c", "key");
}

Test(yaml, blocks_nest_as_people_write_them)
{
	expect("a:\n- b\n- c: 1\n  d:\n  - e\nf: {g: [h, {i: j}]}\n",
	       "{\"a\":[\"b\",{\"c\":1,\"d\":[\"e\"]}],\"f\":{\"g\":[\"h\",{\"i\":\"j\"}]}}");
	expect("[]", "[]");
	expect("{}", "{}");
}

Test(yaml, json_is_read_with_its_tabs_and_slashes)
{
	expect("{\n\t\"a\": [\t1,\t\"b\\/c\"]\n}\n", "{\"a\":[1,\"b/c\"]}");
	expect("{\"a\": 1,}", "{\"a\":1}"); /* flow YAML, but no JSON */
}

Test(yaml, strings_survive_whatever_is_in_them)
{
	expect("a: \"x\\ty\\\"\\\\\\u00e9\\x01\"", "{\"a\":\"x\\ty\\\"\\\\\xc3\xa9\\u0001\"}");
	expect("a: 'it''s'", "{\"a\":\"it's\"}");
	refuse("a: \"\\0\"", "");
}

Test(yaml, only_the_first_document_counts)
{
	expect("a: 1\n---\na: 2\n", "{\"a\":1}");
	expect("---\na: 1\n...\nfree text: [\n", "{\"a\":1}");
	expect("", "null");
	expect("# nothing\n", "null");
	expect("---\n", "null");
}

Test(yaml, what_belongs_to_no_document_is_refused)
{
	refuse("{a: 1} b", "line 1");
	refuse("\"a\":1\n", "line 1");
}

Test(yaml, duplicate_keys_are_refused)
{
	refuse("a: 1\nb: 2\na: 3\n", "'a'");
	refuse("{x: {a: 1, 'a': 2}}", "'a'");
	refuse("1: a\n'1': b\n", "'1'");
}

Test(yaml, anchors_and_aliases_give_copies)
{
	expect("a: &x {k: [1]}\nb: *x\nc: [*x, *x]\n",
	       "{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]},\"c\":[{\"k\":[1]},{\"k\":[1]}]}");
	expect("a: &x one\nb: *x\nc: &x two\nd: *x\n",
	       "{\"a\":\"one\",\"b\":\"one\",\"c\":\"two\",\"d\":\"two\"}");
	expect("&k key: 1\nb: *k\n", "{\"key\":1,\"b\":\"key\"}");
	refuse("a: *nowhere\n", "alias");
	refuse("a: &x [*x]\n", "alias");
	refuse("a: &x 1\n*x : 2\n", "key");
}

Test(yaml, merge_keys_fill_in_what_is_not_written)
{
	expect("a: &a {k: 1, l: 2}\nb: {<<: *a, l: 3}\n",
	       "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"k\":1}}");
	expect("a: &a {k: 1}\nb: &b {k: 2, m: 3}\nc: {<<: [*a, *b]}\n",
	       "{\"a\":{\"k\":1},\"b\":{\"k\":2,\"m\":3},\"c\":{\"k\":1,\"m\":3}}");
	refuse("a: {<<: 1}\n", "<<");
	refuse("a: {<<: [1]}\n", "<<");
}

Test(yaml, a_bomb_of_aliases_is_stopped)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	struct err err = ERR_INIT;

	strbuf_adds(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++) {
		strbuf_addf(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			strbuf_addf(&text, "*a%d, ", i - 1);
		strbuf_adds(&text, "]\n");
	}
	cr_assert_eq(yaml_parse(text.data, text.length, 1 << 20, &document, &err), -1);
	cr_assert_eq(err.kind, ERR_NO_MEMORY);
}

Test(yaml, depth_is_limited_in_every_style)
{
	_cleanup_(strbuf_release) struct strbuf flow = STRBUF_INIT, block = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf chain = STRBUF_INIT;

	for (int i = 0; i < 200; i++)
		strbuf_addc(&flow, '[');
	refuse(strbuf_str(&flow), "");
	for (int i = 0; i < 100; i++)
		strbuf_adds(&block, "- ");
	strbuf_addc(&block, 'x');
	refuse(strbuf_str(&block), "deep");
	/* Each alias adds a level to what it copies. */
	strbuf_adds(&chain, "a0: &a0 x\n");
	for (int i = 1; i < 100; i++)
		strbuf_addf(&chain, "a%d: &a%d [*a%d]\n", i, i, i - 1);
	refuse(strbuf_str(&chain), "");
}

Test(yaml, tags_have_to_fit)
{
	expect("[!!int 12, !!bool y, !!null ~, !!float 1.5, !!seq [a], !!map {a: b}]",
	       "[12,true,null,1.5,[\"a\"],{\"a\":\"b\"}]");
	refuse("!!int x", "tag");
	refuse("!!binary aGk=", "tag");
	refuse("!custom x", "tag");
	refuse("!!seq {a: b}", "tag");
}

Test(yaml, what_is_no_text_is_refused)
{
	_cleanup_(json_free) cJSON *document = NULL;
	struct err err = ERR_INIT;

	refuse("a: \xff\xfe", "UTF-8");
	cr_assert_eq(yaml_parse("a: \0b", 5, 100, &document, &err), -1);
	cr_assert_eq(yaml_parse("a: b", 4, 3, &document, &err), -1);
	cr_assert_eq(err.kind, ERR_NO_MEMORY);
}

Test(yaml, messages_name_the_line_and_nothing_of_the_text)
{
	_cleanup_(json_free) cJSON *document = NULL;
	static const char *const broken[] = {
		"a: 1\ntoken: SECRET\n\tb: 2\n",
		"token: [SECRET\nb: c\n",
		"token: \"SECRET\n",
		"token: SECRET: x\n",
		"token: *SECRET\n",

		"token: !SECRET x\n",
		"token: @SECRET\n",
		"{\"token\": SECRET\"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct err err = ERR_INIT;

		cr_assert_eq(yaml_parse(broken[i], strlen(broken[i]), 1000, &document, &err), -1,
		             "%s", broken[i]);
		cr_assert(!strstr(err.message, "SECRET"), "%s", err.message);
		cr_assert(strstr(err.message, "line "), "%s", err.message);
	}
}
