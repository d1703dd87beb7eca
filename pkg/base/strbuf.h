/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing, always NUL-terminated byte buffer with a hard cap and a sticky failure flag, so that a
 * chain of appends needs one check at the end:
 *
 *	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
 *	strbuf_addf(&text, "/v%s/containers/", version);
 *	strbuf_add_url(&text, name);
 *	if (text.failed)
 *		return err_no_memory(err);
 *
 * After a failure the content is what it was before the failing call, and every later append does
 * nothing. Single thread.
 */
#ifndef ONEOFF_BASE_STRBUF_H
#define ONEOFF_BASE_STRBUF_H

#include <stdbool.h>
#include "pkg/base/compat.h"

#define STRBUF_DEFAULT_CAP ((size_t)64 << 20)

struct strbuf {
	char *data;    /* owned; NULL until something was added, use strbuf_str to read */
	size_t length; /* bytes, without the NUL */
	size_t allocated;
	size_t cap; /* greatest length in bytes; 0 stands for STRBUF_DEFAULT_CAP */
	bool failed;
};

#define STRBUF_INIT                                                                                \
	{                                                                                          \
		.data = NULL                                                                       \
	}
#define STRBUF_INIT_CAP(bytes)                                                                     \
	{                                                                                          \
		.data = NULL, .cap = (bytes)                                                       \
	}

/* Frees the content and makes the buffer empty and usable again; the cap stays. */
void strbuf_release(struct strbuf *buffer);

/* Empties the buffer but keeps its memory; the failure flag is cleared. */
void strbuf_reset(struct strbuf *buffer);

/* Appends bytes / a C string / one byte / formatted text / text from a va_list. */
void strbuf_add(struct strbuf *buffer, const void *bytes, size_t length);
void strbuf_adds(struct strbuf *buffer, const char *text);
void strbuf_addc(struct strbuf *buffer, char byte);
void strbuf_addf(struct strbuf *buffer, const char *format, ...) _printf_(2, 3);

/* Appends text percent-encoded for one URL path segment or query value (RFC 3986, unreserved kept).
 */
void strbuf_add_url(struct strbuf *buffer, const char *text);

/* Removes the first `length` bytes (all when there are fewer). */
void strbuf_consume(struct strbuf *buffer, size_t length);

/* The content as a C string; "" when empty. Borrowed until the next change. */
const char *strbuf_str(const struct strbuf *buffer);

/* Hands the content over (owned by the caller, never NULL unless failed) and empties the buffer. */
char *strbuf_take(struct strbuf *buffer);

#endif
