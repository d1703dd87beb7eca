/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/strbuf.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void strbuf_release(struct strbuf *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->length = buffer->allocated = 0;
	buffer->failed = false;
}

void strbuf_reset(struct strbuf *buffer)
{
	buffer->length = 0;
	buffer->failed = false;
	if (buffer->data)
		buffer->data[0] = '\0';
}

/* Makes room for `extra` more bytes and the NUL. */
static bool reserve(struct strbuf *buffer, size_t extra)
{
	size_t cap = buffer->cap ? buffer->cap : STRBUF_DEFAULT_CAP;
	size_t wanted, size;
	char *grown;

	if (buffer->failed)
		return false;
	if (extra > cap || buffer->length > cap - extra)
		goto fail;
	wanted = buffer->length + extra + 1;
	if (wanted <= buffer->allocated)
		return true;
	size = buffer->allocated ? buffer->allocated : 64;
	while (size < wanted)
		size *= 2;
	grown = realloc(buffer->data, size);
	if (!grown)
		goto fail;
	buffer->data = grown;
	buffer->allocated = size;
	return true;
fail:
	buffer->failed = true;
	return false;
}

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t length)
{
	if (!reserve(buffer, length))
		return;
	if (length)
		memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
}

void strbuf_adds(struct strbuf *buffer, const char *text)
{
	strbuf_add(buffer, text, strlen(text));
}

void strbuf_addc(struct strbuf *buffer, char byte)
{
	strbuf_add(buffer, &byte, 1);
}

void strbuf_addf(struct strbuf *buffer, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0) {
		buffer->failed = true;
		return;
	}
	if (!reserve(buffer, (size_t)length))
		return;
	va_start(args, format);
	vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, args);
	va_end(args);
	buffer->length += (size_t)length;
}

void strbuf_add_url(struct strbuf *buffer, const char *text)
{
	size_t before = buffer->length;

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x80 && (isalnum(byte) || strchr("-._~", byte)))
			strbuf_addc(buffer, (char)byte);
		else
			strbuf_addf(buffer, "%%%02X", byte);
	}
	/* All or nothing, as every append. */
	if (buffer->failed && buffer->data) {
		buffer->length = before;
		buffer->data[before] = '\0';
	}
}

void strbuf_consume(struct strbuf *buffer, size_t length)
{
	if (!buffer->data)
		return;
	if (length > buffer->length)
		length = buffer->length;
	memmove(buffer->data, buffer->data + length, buffer->length - length + 1);
	buffer->length -= length;
}

const char *strbuf_str(const struct strbuf *buffer)
{
	return buffer->data ? buffer->data : "";
}

char *strbuf_take(struct strbuf *buffer)
{
	char *data;

	if (buffer->failed)
		return NULL;
	if (!reserve(buffer, 0))
		return NULL;
	buffer->data[buffer->length] = '\0';
	data = buffer->data;
	buffer->data = NULL;
	buffer->length = buffer->allocated = 0;
	return data;
}
