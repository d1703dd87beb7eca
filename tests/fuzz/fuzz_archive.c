/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an engine's tar: at most the cap comes out, nothing on failure; what comes out stood
 * in the tar or is a hole's zero; and a second look at the same bytes gives the same. */
#include <string.h>

#include "pkg/docker/archive.h"
#include "tests/fuzz/fuzz.h"

#define CAP    4096
#define BEFORE "before"

static int read_file(const uint8_t *data, size_t size, size_t cap, struct strbuf *ret,
                     struct err *err)
{
	int result;

	strbuf_adds(ret, BEFORE);
	result = archive_read_file(data, size, cap, ret, err);
	CHECK(!ret->failed && ret->length >= strlen(BEFORE));
	CHECK(!memcmp(ret->data, BEFORE, strlen(BEFORE)));
	if (result < 0) {
		CHECK(ret->length == strlen(BEFORE));
		CHECK(err->kind == ERR_NOT_FOUND || err->kind == ERR_NO_MEMORY ||
		      err->kind == ERR_PROTOCOL);
		CHECK(*err->message);
	}
	strbuf_consume(ret, strlen(BEFORE));
	CHECK(ret->length <= cap);
	return result;
}

/* The content is one run of the tar's bytes, unless holes were filled: libarchive reads an old GNU
 * header's map of them whatever the entry's type. */
static void check_content(const struct strbuf *content, const uint8_t *data, size_t size)
{
	if (!content->length || memmem(data, size, content->data, content->length))
		return;
	for (size_t i = 0; i < content->length; i++)
		CHECK(!content->data[i] || memchr(data, content->data[i], size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(strbuf_release) struct strbuf content = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf again = STRBUF_INIT;
	struct err err = ERR_INIT;
	int result = read_file(data, size, CAP, &content, &err);

	if (result < 0)
		return 0;
	check_content(&content, data, size);
	/* Its own length is a cap that it fits into, one less is not. */
	CHECK(read_file(data, size, content.length, &again, &err) == 0);
	CHECK(again.length == content.length);
	CHECK(!content.length || !memcmp(again.data, content.data, content.length));
	if (content.length) {
		strbuf_reset(&again);
		CHECK(read_file(data, size, content.length - 1, &again, &err) < 0);
		CHECK(err.kind == ERR_NO_MEMORY);
	}
	return 0;
}
