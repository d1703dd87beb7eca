/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as YAML: what comes out is a tree that JSON can say and that reads back the same, as JSON and as YAML;
 * what JSON's reader takes, YAML's reader takes for the same. */
#include <string.h>

#include "pkg/json/yaml.h"
#include "tests/fuzz/fuzz.h"

#define CAP ((size_t)1 << 16)

static void check_again(const cJSON *document, const struct strbuf *text)
{
	_cleanup_(json_free) cJSON *again = NULL;
	struct err err = ERR_INIT;

	CHECK(yaml_parse(text->data, text->length, CAP * 8, &again, &err) == 0);
	CHECK(json_equal(document, again));
}

static void check_document(const cJSON *document)
{
	_cleanup_(strbuf_release) struct strbuf json = STRBUF_INIT, yaml = STRBUF_INIT;
	struct err err = ERR_INIT;

	json_print(document, true, &json);
	CHECK(!json.failed);
	check_again(document, &json);
	CHECK(json_print_yaml(document, &yaml, &err) == 0);
	check_again(document, &yaml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_(json_free) cJSON *json = NULL;
	struct err err = ERR_INIT;
	/* Exactly as large as the input, so that a read behind it is seen. */
	char *text = malloc(size ? size : 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	if (yaml_parse(text, size, CAP, &document, &err) < 0) {
		CHECK(!document && *err.message);
		CHECK(err.kind == ERR_NO_MEMORY || err.kind == ERR_PROTOCOL);
	} else {
		check_document(document);
		if (json_parse(text, size, CAP, &json, &err) == 0)
			CHECK(json_equal(document, json));
	}
	free(text);
	return 0;
}
