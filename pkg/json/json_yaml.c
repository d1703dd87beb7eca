/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON is YAML in flow style, so libfyaml reads it and writes it again in block style. Strings keep
 * their double quotes, which is what makes "on", "0123" and "1e3" strings for every YAML reader.
 */
#include "pkg/json/json.h"

#include <libfyaml.h>
#include <string.h>

int json_print_yaml(const cJSON *document, struct strbuf *buffer, struct err *err)
{
	const struct fy_parse_cfg settings = {.flags = FYPCF_QUIET | FYPCF_JSON_FORCE};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct fy_document *parsed;
	char *block;

	json_print(document, false, &text);
	if (text.failed)
		return err_no_memory(err);
	parsed = fy_document_build_from_string(&settings, strbuf_str(&text), text.length);
	if (!parsed)
		return err_set(err, ERR_INTERNAL, "the document cannot be written as YAML");
	block = fy_emit_document_to_string(parsed,
	                                   FYECF_MODE_BLOCK | FYECF_WIDTH_INF | FYECF_INDENT_2);
	fy_document_destroy(parsed);
	if (!block)
		return err_no_memory(err);
	strbuf_adds(buffer, block);
	if (!buffer->length || buffer->data[buffer->length - 1] != '\n')
		strbuf_addc(buffer, '\n');
	free(block);
	return buffer->failed ? err_no_memory(err) : 0;
}
