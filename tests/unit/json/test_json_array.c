/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/json/json_array.h"

/* Reads the text in pieces of that size; 0 with the items printed one a line, -1. */
static int read_pieces(const char *text, size_t size, struct strbuf *out, struct err *err)
{
	_cleanup_(json_array_release) struct json_array array = JSON_ARRAY_INIT;
	size_t length = strlen(text);
	int result = 0;

	for (size_t at = 0; at < length; at += size) {
		_cleanup_(json_free) cJSON *item = NULL;

		strbuf_add(&array.text, text + at, length - at < size ? length - at : size);
		while ((result = json_array_next(&array, &item, err)) > 0) {
			json_print(item, false, out);
			strbuf_addc(out, '\n');
			json_free(&item);
		}
		if (result < 0)
			return -1;
	}
	return json_array_finish(&array, err);
}

static void expect_items(const char *text, const char *lines)
{
	for (size_t size = 1; size <= strlen(text); size++) {
		_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT;
		struct err err = ERR_INIT;

		cr_assert_eq(read_pieces(text, size, &out, &err), 0, "%s by %zu: %s", text, size,
		             err.message);
		cr_expect_str_eq(strbuf_str(&out), lines, "%s by %zu: %s", text, size,
		                 strbuf_str(&out));
	}
}

Test(json_array, items_come_whole_however_the_text_is_cut)
{
	expect_items("[{\"a\":[1,{\"b\":2}]},{},[],[[],[3]],\"x\",4,null,true]",
	             "{\"a\":[1,{\"b\":2}]}\n{}\n[]\n[[],[3]]\n\"x\"\n4\nnull\ntrue\n");
	expect_items(" [ 1 ,\n{ \"a\" : 2 }\t] \n", "1\n{\"a\":2}\n");
}

Test(json_array, strings_may_hold_what_ends_an_item)
{
	expect_items("[\"],[\",{\"}\":\"\\\"],\"},\"\\\\\",\"\\\\\\\"\"]",
	             "\"],[\"\n{\"}\":\"\\\"],\"}\n\"\\\\\"\n\"\\\\\\\"\"\n");
}

Test(json_array, an_empty_one_and_go_s_null_have_no_items)
{
	expect_items("[]", "");
	expect_items(" [ ] ", "");
	expect_items("null", "");
	expect_items("null\n", "");
}

Test(json_array, what_is_no_whole_array_is_refused)
{
	static const char *const texts[] = {
		"{}",     "[1",    "[1,",       "[1,]",     "[,1]", "[1]x",
		"[1]]",   "[1 2]", "1",         "[{]}]",    "[}]",  "[\"a]",
		"nul",    "nill",  "[{\"a\":1", "[\"\\\"]", "[[1]", " ",
		"[1,,2]", "]",     "\"[1]\"",   "null[]",   "[01]", "[{\"a\":1,\"a\":2}]",
		"[nul]"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		for (size_t size = 1; size <= strlen(texts[i]); size++) {
			_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT;
			struct err err = ERR_INIT;

			cr_expect_eq(read_pieces(texts[i], size, &out, &err), -1, "%s by %zu",
			             texts[i], size);
			cr_expect_eq(err.kind, ERR_PROTOCOL, "%s by %zu: %s", texts[i], size,
			             err.message);
		}
	}
}

/* Ten thousand items of 1 KiB, in pieces of 16 KiB: what is held is a piece and an item. */
Test(json_array, memory_does_not_grow_with_the_array)
{
	_cleanup_(json_array_release) struct json_array array = JSON_ARRAY_INIT;
	struct err err = ERR_INIT;
	size_t count = 0, most = 0;
	cJSON *last = NULL;
	char item[1024];
	int result = 0;

	memset(item, 'x', sizeof(item));
	strbuf_adds(&array.text, "[");
	for (int piece = 0; piece < 625; piece++) {
		_cleanup_(json_free) cJSON *node = NULL;

		for (int i = 0; i < 16; i++)
			strbuf_addf(&array.text, "%s\"%.*s\"", piece || i ? "," : "",
			            (int)sizeof(item), item);
		while ((result = json_array_next(&array, &node, &err)) > 0) {
			count++;
			json_free(&node);
		}
		cr_assert_eq(result, 0, "%s", err.message);
		most = array.text.allocated > most ? array.text.allocated : most;
	}
	strbuf_adds(&array.text, "]");
	cr_assert_eq(json_array_next(&array, &last, &err), 1);
	json_free(&last);
	cr_expect_eq(json_array_finish(&array, &err), 0, "%s", err.message);
	cr_expect_eq(count, 9999);
	cr_expect_lt(most, 64 << 10);
}

Test(json_array, an_item_without_end_is_refused_at_the_limit)
{
	_cleanup_(json_array_release) struct json_array array = JSON_ARRAY_INIT;
	static const char bytes[65536] = {0};
	struct err err = ERR_INIT;
	cJSON *item = NULL;
	int result = 0;

	strbuf_adds(&array.text, "[\"");
	for (int i = 0; i < 200 && result == 0; i++) {
		strbuf_add(&array.text, bytes, sizeof(bytes));
		result = json_array_next(&array, &item, &err);
	}
	cr_expect_eq(result, -1);
	cr_expect_eq(err.kind, ERR_NO_MEMORY);
	cr_expect_leq(array.text.allocated, JSON_ARRAY_MAX_BYTES + 1);
}
