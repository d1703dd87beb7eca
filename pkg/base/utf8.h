/* SPDX-License-Identifier: Apache-2.0 */
/* The one strict UTF-8 decoder: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef ONEOFF_BASE_UTF8_H
#define ONEOFF_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the sequence at the start of bytes[0..length). Returns how many bytes it takes (1 to 4),
 * or 0 with *ret_code untouched when there is none that is well formed. NUL counts as a character.
 */
size_t utf8_decode(const char *bytes, size_t length, uint32_t *ret_code);

/* Columns on a screen, one for each code point: wide letters may be off. */
size_t utf8_width(const char *text);

/* True when all of bytes[0..length) is well formed. */
bool utf8_valid(const char *bytes, size_t length);

#endif
