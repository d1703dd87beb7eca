/* SPDX-License-Identifier: Apache-2.0 */
/* An array in pieces: what the JSON parser says of the whole is what the items must give, however the text is cut.
 * The first byte says how. */
#include "pkg/docker/docker.h"
#include "pkg/json/json_array.h"
#include "tests/fuzz/fuzz.h"

/* As an item of an engine's list, and as what it says of one container. */
static void check_record(const cJSON *item)
{
	const struct docker docker = {.base = {.ops = &docker_backend}};
	struct task_record record = TASK_RECORD_INIT;
	struct err err = ERR_INIT;

	if (docker_brief(&docker, item, &record, &err) > 0) {
		CHECK(record.id && record.name && record.handle);
		CHECK(!record.status.known && !record.ended);
	}
	task_record_release(&record);
	if (docker_record(&docker, item, &record, &err) > 0)
		CHECK(record.id && record.name && record.status.code >= 0);
	task_record_release(&record);
}

/* 0 with the items, -1 when it was refused. */
static int read_pieces(const char *text, size_t length, size_t piece, cJSON *items)
{
	struct json_array array = JSON_ARRAY_INIT;
	struct err err = ERR_INIT;
	cJSON *item = NULL;
	int result = 0;

	for (size_t at = 0; at < length && result == 0; at += piece) {
		strbuf_add(&array.text, text + at, length - at < piece ? length - at : piece);
		while ((result = json_array_next(&array, &item, &err)) > 0) {
			check_record(item);
			CHECK(json_add_node(items, item) == 0);
			item = NULL;
		}
		CHECK(array.handed <= array.scanned && array.scanned <= array.text.length);
	}
	if (result == 0)
		result = json_array_finish(&array, &err);
	CHECK(result == 0 || err.kind != ERR_NONE);
	json_array_release(&array);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *whole = NULL, *items = cJSON_CreateArray();
	struct err err = ERR_INIT;
	const char *text = (const char *)data + 1;
	int parsed, result;

	if (!size) {
		json_free(&items);
		return 0;
	}
	result = read_pieces(text, size - 1, (size_t)data[0] + 1, items);
	parsed = json_parse(text, size - 1, JSON_MAX_BYTES, &whole, &err);
	if (parsed == 0)
		CHECK((result == 0) == (cJSON_IsArray(whole) || cJSON_IsNull(whole)));
	if (parsed == 0 && cJSON_IsArray(whole))
		CHECK(json_equal(whole, items));
	json_free(&whole);
	json_free(&items);
	return 0;
}
