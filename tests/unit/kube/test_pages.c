/* SPDX-License-Identifier: Apache-2.0 */
/* One page of a list, item by item. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/kube/pages.h"

static struct err err;
static cJSON *rest;

static void fini(void)
{
	json_free(&rest);
}

TestSuite(pages, .fini = fini);

/* The pieces with a '|' behind each, or "!" when the page is refused. */
static const char *pieces(const char *text)
{
	static char all[1000];
	size_t end = 0;
	const char *piece = NULL;
	size_t offset = 0, length = 0;
	int result;

	err = (struct err)ERR_INIT;
	json_free(&rest);
	*all = '\0';
	while ((result = kube_page_next(text, strlen(text), &offset, &piece, &length, &rest,
	                                &err)) > 0) {
		end += (size_t)snprintf(all + end, sizeof(all) - end, "%.*s|", (int)length, piece);
	}
	return result < 0 ? "!" : all;
}

Test(pages, gives_each_object_and_what_stands_around_them)
{
	cr_assert_str_eq(pieces("{\"kind\":\"L\",\"items\":[{\"a\":1}, {\"b\":{\"c\":[]}}\n],"
	                        "\"metadata\":{\"continue\":\"x\"}}"),
	                 "{\"a\":1}|{\"b\":{\"c\":[]}}|");
	cr_assert_str_eq(json_string(rest, "metadata.continue"), "x");
	cr_assert_eq(cJSON_GetArraySize(json_member(rest, "items")), 0);
}

Test(pages, brackets_in_strings_are_text)
{
	cr_assert_str_eq(pieces("{\"items\":[{\"a\":\"]}\\\"{\"}]}"), "{\"a\":\"]}\\\"{\"}|");
}

Test(pages, items_of_something_inside_are_not_the_items)
{
	cr_assert_str_eq(
		pieces("{\"metadata\":{\"items\":[{\"x\":1}],\"b\":\"items\"},\"a\":\"items\","
	               "\"items\":[{\"y\":2}]}"),
		"{\"y\":2}|");
}

Test(pages, no_items_are_none)
{
	cr_assert_str_eq(pieces("{\"items\":[]}"), "");
	cr_assert_str_eq(pieces("{\"items\":null}"), "");
	cr_assert_str_eq(pieces("{}"), "");
	cr_assert_null(json_member(rest, "items"));
}

Test(pages, a_page_that_is_cut_is_refused_wherever_it_is)
{
	static const char text[] =
		"{\"kind\":\"L\",\"items\":[{\"a\":\"b\"},{\"c\":[1,2]}],\"m\":{}}";
	char part[sizeof(text)];

	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		memcpy(part, text, length);
		part[length] = '\0';
		cr_assert_str_eq(pieces(part), "!", "%s", part);
	}
}

Test(pages, what_is_no_list_of_objects_is_refused)
{
	cr_assert_str_eq(pieces("[]"), "");
	cr_assert_null(json_member(rest, "items"));
	cr_assert_str_eq(pieces("{\"items\":[1]}"), "!");
	cr_assert_str_eq(pieces("text"), "!");
}
