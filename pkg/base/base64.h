/* SPDX-License-Identifier: Apache-2.0 */
/* base64 with the standard alphabet (RFC 4648 section 4). */
#ifndef ONEOFF_BASE_BASE64_H
#define ONEOFF_BASE_BASE64_H

#include "pkg/base/strbuf.h"

/* Appends the encoding, with padding. */
void base64_encode(const void *bytes, size_t length, struct strbuf *out);

/* Appends the decoded bytes. Line breaks are skipped, as Go does; anything else that is no digit is refused.
 * Padding may be missing unless `padded`. 0, or -1 when it is no base64 or memory ran out; *out may then have a
 * part of it. */
int base64_decode(const char *text, bool padded, struct strbuf *out) _must_check_;

#endif
