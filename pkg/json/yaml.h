/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads YAML into the tree that json_parse would give for the same document as JSON, by the rules that kubectl goes
 * by (sigs.k8s.io/yaml over go-yaml v2, which is mostly YAML 1.1):
 *
 *  - unquoted y, yes, on, true and their opposites are booleans, in the spellings go-yaml knows; ~, null and nothing
 *    are null; what is quoted, or tagged !!str, is a string;
 *  - integers keep every digit, also those written as 0x1F, 0b11, 0o17, 017 and 1_000; .nan and .inf, which JSON
 *    cannot hold, are refused; dates are strings;
 *  - keys are strings in the end: 8080: is "8080"; null and whole collections as keys are refused;
 *  - anchors, aliases and merge keys (<<) work: a key that is written out wins over a merged one;
 *  - of several documents only the first counts; a text without one is null.
 *
 * What json_parse refuses is refused here, too: duplicate keys, NUL, invalid UTF-8, more than JSON_MAX_DEPTH levels.
 * A text that is JSON already is read as JSON, tabs and all.
 *
 *	_cleanup_(json_free) cJSON *document = NULL;
 *	if (yaml_parse(text, length, MAX_BYTES, &document, err) < 0)
 *		return err_wrap(err, "%s", path);
 *
 * Single thread.
 */
#ifndef ONEOFF_JSON_YAML_H
#define ONEOFF_JSON_YAML_H

#include "pkg/json/json.h"

/* Parses the first document of `length` bytes (need not be NUL-terminated). *ret_document is owned by the caller.
 * `max_bytes` bounds the text as well as the JSON it stands for, so that aliases of aliases cannot fill the memory.
 * ERR_PROTOCOL says what is wrong and near which line, without a word of the text but keys; ERR_NO_MEMORY when over
 * max_bytes. */
int yaml_parse(const char *text, size_t length, size_t max_bytes, cJSON **ret_document,
               struct err *err) _must_check_;

#endif
