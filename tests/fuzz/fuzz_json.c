/* SPDX-License-Identifier: Apache-2.0 */
/* What json_parse accepts must survive printing, compact, pretty and as YAML, unchanged; what it
 * refuses must be the input's fault and nothing else's. */
#include <string.h>

#include "pkg/base/utf8.h"
#include "pkg/json/json.h"
#include "tests/unit/json/yaml_reader.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const cJSON *document, bool pretty)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *again = NULL;
	struct err err = ERR_INIT;

	json_print(document, pretty, &text);
	CHECK(!text.failed);
	CHECK(json_parse(text.data, text.length, text.length, &again, &err) == 0);
	CHECK(json_equal(document, again) && json_equal(again, document));
}

static void check_copy(const cJSON *document)
{
	_cleanup_(strbuf_release) struct strbuf one = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf other = STRBUF_INIT;
	_cleanup_(json_free) cJSON *copy = cJSON_Duplicate(document, true);

	json_print(document, false, &one);
	json_print(copy, false, &other);
	CHECK(!strcmp(strbuf_str(&one), strbuf_str(&other)));
}

static void check_yaml(const cJSON *document)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *old = NULL;
	_cleanup_(json_free) cJSON *new = NULL;
	struct err err = ERR_INIT;

	if (json_print_yaml(document, &text, &err) < 0) {
		CHECK(err.kind == ERR_PROTOCOL && strstr(err.message, "a key of more than"));
		CHECK(!text.length);
		return;
	}
	CHECK(text.length && text.data[text.length - 1] == '\n');
	CHECK(utf8_valid(text.data, text.length));
	old = yaml_read(text.data, text.length, FYPCF_DEFAULT_VERSION_1_1);
	new = yaml_read(text.data, text.length, FYPCF_DEFAULT_VERSION_1_2);
	CHECK(json_equal(document, old) && json_equal(document, new));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(json_free) cJSON *document = NULL;
	struct err err = ERR_INIT;
	/* Exactly as large as the input, so that a read behind it is seen. */
	char *text = malloc(size ? size : 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	if (json_parse(text, size, 1 << 20, &document, &err) < 0) {
		CHECK(!document && *err.message);
		CHECK(err.kind == (size > 1 << 20 ? ERR_NO_MEMORY : ERR_PROTOCOL));
	} else {
		CHECK(utf8_valid(text, size) && !memchr(text, '\0', size));
		check_text(document, false);
		check_text(document, true);
		check_copy(document);
		check_yaml(document);
	}
	free(text);
	return 0;
}
