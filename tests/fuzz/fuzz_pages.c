/* SPDX-License-Identifier: Apache-2.0 */
/* A page of a list, item by item: what the JSON parser says of the whole is what the pieces must give. */
#include <string.h>
#include "pkg/kube/pages.h"
#include "pkg/kube/record.h"
#include "tests/fuzz/fuzz.h"

static void check_record(const cJSON *item)
{
	struct task_record record = TASK_RECORD_INIT;
	struct err err = ERR_INIT;

	if (kube_record_of_job(item, &record, &err) > 0) {
		CHECK(record.id && record.name && record.handle);
		(void)!kube_record_add_pod(&record, item, &err);
		CHECK(record.status.code >= 0 && record.status.code <= 255);
	}
	task_record_release(&record);
	if (kube_record_of_pod(item, &record, &err) > 0)
		CHECK(record.id && record.name && record.handle);
	task_record_release(&record);
}

/* The page as the pieces have it: 0 with *ret_items, -1 when it was refused. */
static int read_pieces(const char *text, size_t size, cJSON *items, cJSON **ret_rest)
{
	struct err err = ERR_INIT;
	const char *piece = NULL;
	size_t offset = 0, length = 0;
	int result;

	while ((result = kube_page_next(text, size, &offset, &piece, &length, ret_rest, &err)) >
	       0) {
		cJSON *item = NULL;

		CHECK(piece >= text && piece + length <= text + size && offset <= size);
		if (json_parse(piece, length, JSON_MAX_BYTES, &item, &err) < 0)
			return -1;
		check_record(item);
		CHECK(json_add_node(items, item) == 0);
	}
	CHECK(result == 0 || err.kind != ERR_NONE);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	cJSON *whole = NULL, *rest = NULL, *items = cJSON_CreateArray();
	struct err err = ERR_INIT;
	int result = read_pieces(text, size, items, &rest);

	if (json_parse(text, size, JSON_MAX_BYTES, &whole, &err) == 0 && cJSON_IsObject(whole) &&
	    result == 0 && cJSON_IsArray(json_member(whole, "items")) &&
	    json_is_unset(json_member(rest, "items")))
		CHECK(json_equal(items, json_member(whole, "items")));
	json_free(&whole);
	json_free(&rest);
	json_free(&items);
	return 0;
}
