/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "pkg/json/json.h"

static cJSON *parse(const char *text)
{
	struct err err = ERR_INIT;
	cJSON *document = NULL;

	cr_assert_eq(json_parse(text, strlen(text), JSON_MAX_BYTES, &document, &err), 0, "%s: %s",
	             text, err.message);
	return document;
}

static void expect_print(const cJSON *document, const char *wanted)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	json_print(document, false, &text);
	cr_assert(!text.failed);
	cr_expect_str_eq(strbuf_str(&text), wanted);
}

Test(json, walks_paths)
{
	_cleanup_(json_free) cJSON *document = parse(
		"{\"HostConfig\":{\"Binds\":[\"a\",\"b\"]},\"Mounts\":[{},{\"Source\":\"s\"}],"
		"\"m\":[[1,[2]]],\"a.b\":{\"c\":1},\"\":{\"x\":1},\"true\":true,\"no\":false}");

	cr_expect_eq(json_at(document, ""), document);
	cr_expect_null(json_at(NULL, ""));
	cr_expect_null(json_at(NULL, "a"));
	cr_expect_str_eq(json_string(document, "HostConfig.Binds[1]"), "b");
	cr_expect_str_eq(json_string(document, "Mounts[1].Source"), "s");
	cr_expect_eq(json_at(document, "m[0][1][0]")->valuedouble, 2);
	cr_expect_not_null(json_member(document, "a.b"));
	cr_expect(json_true(document, "true"));
	cr_expect(!json_true(document, "no") && !json_true(document, "Mounts"));
	cr_expect_null(json_string(document, "HostConfig"));
	cr_expect_null(json_string(document, "true"));
}

Test(json, knows_no_wrong_paths)
{
	static const char *const wrong[] = {"hostconfig",
	                                    "Host",
	                                    "HostConfigs",
	                                    "a.b",
	                                    ".",
	                                    ".a",
	                                    "HostConfig.",
	                                    "HostConfig..Binds",
	                                    "HostConfig.Binds[2]",
	                                    "HostConfig.Binds[-1]",
	                                    "HostConfig.Binds[+1]",
	                                    "HostConfig.Binds[ 1]",
	                                    "HostConfig.Binds[]",
	                                    "HostConfig.Binds[1",
	                                    "HostConfig.Binds[4294967297]",
	                                    "HostConfig.Binds[1]x",
	                                    "HostConfig.Binds.[1]",
	                                    "HostConfig.Binds.1",
	                                    "HostConfig[0]",
	                                    "HostConfig.Binds[0].x",
	                                    "HostConfig.Binds[0][0]"};
	_cleanup_(json_free) cJSON *document =
		parse("{\"HostConfig\":{\"Binds\":[\"a\",\"b\"]},\"a.b\":1,\"\":2}");

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		cr_expect_null(json_at(document, wrong[i]), "%s", wrong[i]);
}

static void expect_int64(const char *text, int64_t wanted)
{
	_cleanup_(json_free) cJSON *document = parse(text);
	int64_t value = 42;

	cr_expect_eq(json_int64(document, "", &value), 0, "%s", text);
	cr_expect_eq(value, wanted, "%s: %lld", text, (long long)value);
}

static void expect_no_int64(const char *text)
{
	_cleanup_(json_free) cJSON *document = parse(text);
	int64_t value = 42;

	cr_expect_eq(json_int64(document, "", &value), -1, "%s", text);
	cr_expect_eq(value, 42, "%s", text);
}

Test(json, reads_integers_exactly)
{
	expect_int64("0", 0);
	expect_int64("-0", 0);
	expect_int64("0e999999999999", 0);
	expect_int64("-17", -17);
	expect_int64("999999999999999", INT64_C(999999999999999));
	expect_int64("9007199254740993", INT64_C(9007199254740993));
	expect_int64("9223372036854775807", INT64_MAX);
	expect_int64("-9223372036854775808", INT64_MIN);
	expect_int64("9223372036854775807.000", INT64_MAX);
	expect_int64("922337203685477580.7e1", INT64_MAX);
	expect_int64("-0.9223372036854775808E+19", INT64_MIN);
	expect_int64("1e18", INT64_C(1000000000000000000));
	expect_int64("1.0", 1);
	expect_int64("1500e-2", 15);
	expect_int64("0.00015e5", 15);
	expect_no_int64("1.5");
	expect_no_int64("1e-1");
	expect_no_int64("15e-2");
	expect_no_int64("9223372036854775808");
	expect_no_int64("-9223372036854775809");
	expect_no_int64("18446744073709551615");
	expect_no_int64("1e19");
	expect_no_int64("1e999999999999");
	expect_no_int64("\"5\"");
	expect_no_int64("true");
	expect_no_int64("[5]");
}

Test(json, writes_integers_exactly)
{
	static const int64_t values[] = {0,
	                                 -1,
	                                 INT64_MAX,
	                                 INT64_MIN,
	                                 INT64_C(9007199254740993),
	                                 INT64_C(999999999999999),
	                                 INT64_C(1000000000000000),
	                                 INT64_C(-1000000000000000),
	                                 INT64_C(2147483648)};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		_cleanup_(json_free) cJSON *node = json_new_int64(values[i]);
		char text[32];
		int64_t back;

		snprintf(text, sizeof(text), "%lld", (long long)values[i]);
		expect_print(node, text);
		cr_expect_eq(json_int64(node, "", &back), 0);
		cr_expect_eq(back, values[i]);
	}
}

Test(json, knows_what_go_leaves_unset)
{
	static const char *const unset[] = {"null", "\"\"",  "0",  "false", "[]",
	                                    "{}",   "-0.00", "-0", "0e5",   "0.0"};
	static const char *const set[] = {"\" \"",        "1",      "true",     "[0]",
	                                  "{\"a\":null}", "1e-400", "0.000001", "\"0\""};

	cr_expect(json_is_unset(NULL));
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++) {
		_cleanup_(json_free) cJSON *node = parse(unset[i]);

		cr_expect(json_is_unset(node), "%s", unset[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(set); i++) {
		_cleanup_(json_free) cJSON *node = parse(set[i]);

		cr_expect(!json_is_unset(node), "%s", set[i]);
	}
}

Test(json, sets_members_in_place)
{
	_cleanup_(json_free) cJSON *object = parse("{\"a\":1,\"B\":[2],\"c\":{}}");

	cr_expect_eq(json_set_string(object, "B", "x\n"), 0);
	cr_expect_eq(json_set_int64(object, "b", INT64_MAX), 0);
	cr_expect_eq(json_set_bool(object, "a", true), 0);
	cr_expect_eq(json_set_bool(object, "d", false), 0);
	cr_expect_eq(json_set_node(object, "c", cJSON_CreateNull()), 0);
	expect_print(object, "{\"a\":true,\"B\":\"x\\n\",\"c\":null,\"b\":9223372036854775807,"
	                     "\"d\":false}");
}

/* A node that had a name elsewhere takes the new one. */
Test(json, renames_what_it_takes)
{
	_cleanup_(json_free) cJSON *object = parse("{\"a\":{\"old\":5},\"b\":6}");
	cJSON *moved =
		cJSON_DetachItemViaPointer(json_member(object, "a"), json_at(object, "a.old"));

	cr_expect_eq(json_set_node(object, "b", moved), 0);
	expect_print(object, "{\"a\":{},\"b\":5}");
	cr_expect_eq(json_member(object, "b"), moved);
	cr_expect_null(json_member(object, "old"));
}

/* The sanitizer run sees the value leak, or freed twice, if this is wrong. */
Test(json, takes_values_even_when_it_fails)
{
	_cleanup_(json_free) cJSON *array = parse("[1]");
	_cleanup_(json_free) cJSON *object = parse("{}");

	cr_expect_eq(json_set_node(array, "a", cJSON_CreateTrue()), -1);
	cr_expect_eq(json_set_node(NULL, "a", cJSON_CreateTrue()), -1);
	cr_expect_eq(json_set_node(object, "a", NULL), -1);
	cr_expect_eq(json_add_node(object, cJSON_CreateTrue()), -1);
	cr_expect_eq(json_add_node(array, NULL), -1);
	expect_print(array, "[1]");
	expect_print(object, "{}");
}

Test(json, builds_arrays)
{
	_cleanup_(strv_release) struct strv list = STRV_INIT;
	_cleanup_(json_free) cJSON *none = json_new_strings(&list);
	_cleanup_(json_free) cJSON *some = NULL;

	expect_print(none, "[]");
	cr_assert_eq(strv_add(&list, "a"), 0);
	cr_assert_eq(strv_add(&list, ""), 0);
	some = json_new_strings(&list);
	cr_expect_eq(json_add_string(some, "z"), 0);
	expect_print(some, "[\"a\",\"\",\"z\"]");
}

Test(json, makes_missing_objects)
{
	_cleanup_(json_free) cJSON *object = parse("{\"a\":null,\"b\":{\"x\":1},\"c\":[]}");

	cr_expect(cJSON_IsObject(json_object_for(object, "a")));
	cr_expect_eq(json_object_for(object, "b"), json_member(object, "b"));
	cr_expect_null(json_object_for(object, "c"));
	cr_expect(cJSON_IsObject(json_object_for(object, "d")));
	expect_print(object, "{\"a\":{},\"b\":{\"x\":1},\"c\":[],\"d\":{}}");
}

Test(json, prints_with_two_blanks)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *object =
		parse("{\"a\":{\"b:\":\"c:\\t\",\"d\":18446744073709551615}}");

	strbuf_adds(&text, "> ");
	json_print(object, true, &text);
	cr_expect_str_eq(strbuf_str(&text), "> {\n  \"a\": {\n    \"b:\": \"c:\\t\",\n"
	                                    "    \"d\": 18446744073709551615\n  }\n}");
}

Test(json, says_when_the_buffer_is_full)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(4);
	_cleanup_(json_free) cJSON *array = parse("[1,2,3]");
	struct err err = ERR_INIT;

	json_print(array, false, &text);
	cr_expect(text.failed);
	strbuf_reset(&text);
	cr_expect_eq(json_print_yaml(array, &text, &err), -1);
	cr_expect_eq(err.kind, ERR_NO_MEMORY);
	strbuf_reset(&text);
	json_print(NULL, false, &text);
	cr_expect(text.failed);
}

static void expect_equal(const char *left, const char *right, bool wanted)
{
	_cleanup_(json_free) cJSON *one = parse(left);
	_cleanup_(json_free) cJSON *other = parse(right);

	cr_expect_eq(json_equal(one, other), wanted, "%s, %s", left, right);
	cr_expect_eq(json_equal(other, one), wanted, "%s, %s", right, left);
}

Test(json, compares_structure)
{
	expect_equal("{\"a\":1,\"b\":[{\"c\":null}]}", "{\"b\":[{\"c\":null}],\"a\":1}", true);
	expect_equal("{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":3,\"a\":1,\"b\":2}", true);
	expect_equal("{\"a\":1}", "{\"a\":1,\"b\":1}", false);
	expect_equal("{\"a\":1,\"c\":1}", "{\"a\":1,\"b\":1}", false);
	expect_equal("{\"a\":1}", "{\"A\":1}", false);
	expect_equal("[1,2]", "[2,1]", false);
	expect_equal("[1]", "[1,1]", false);
	expect_equal("[]", "{}", false);
	expect_equal("true", "false", false);
	expect_equal("null", "false", false);
	expect_equal("\"1\"", "1", false);
	expect_equal("\"a\"", "\"\\u0061\"", true);
	cr_expect(json_equal(NULL, NULL));
}

Test(json, compares_numbers_by_value)
{
	expect_equal("9007199254740993", "9007199254740992", false);
	expect_equal("18446744073709551615", "18446744073709551614", false);
	expect_equal("1000", "1e3", true);
	expect_equal("1000", "1000.00", true);
	expect_equal("-0", "0", true);
	expect_equal("0.1", "1E-1", true);
	expect_equal("0.1", "0.10000000000000000001", false);
	expect_equal("-5", "5", false);
	expect_equal("1e400", "10.0e+399", true);
	expect_equal("1e400", "1e401", false);
	expect_equal("1000000000000000", "1e15", true);
}

/* Nodes that our own setters and cJSON make equal what is parsed. */
Test(json, compares_made_nodes)
{
	_cleanup_(json_free) cJSON *parsed = parse("[0.5,9007199254740993,7,1e300]");
	_cleanup_(json_free) cJSON *made = cJSON_CreateArray();

	cr_assert_eq(json_add_node(made, cJSON_CreateNumber(0.5)), 0);
	cr_assert_eq(json_add_node(made, json_new_int64(INT64_C(9007199254740993))), 0);
	cr_assert_eq(json_add_node(made, json_new_int64(7)), 0);
	cr_assert_eq(json_add_node(made, cJSON_CreateNumber(1e300)), 0);
	cr_expect(json_equal(parsed, made) && json_equal(made, parsed));
	cr_expect(!json_equal(parsed, NULL));
}
