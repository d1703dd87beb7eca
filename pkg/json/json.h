/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cJSON with its traps closed. Documents stay trees of cJSON nodes everywhere: unknown fields
 * survive, nothing is mirrored in typed structs.
 *
 * What json_parse adds (RFC 8259; research: aesthetics 5.8):
 *  - numbers keep every digit: all but integers of at most 15 digits are carried as cJSON_Raw nodes
 *    and printed as they came; json_int64 reads both kinds, cJSON_IsNumber only knows the others;
 *  - duplicate keys, "\u0000", half surrogate pairs, invalid UTF-8, exponents of more than 12
 * digits, text after the document and nesting deeper than JSON_MAX_DEPTH are refused; size is capped
 * by the caller.
 *
 * Paths are dotted: "HostConfig.Binds", "[0].Name", "Mounts[2].Source". A key that holds a dot or
 * a bracket cannot be named by a path; use json_member.
 *
 *	_cleanup_(json_free) cJSON *doc = NULL;
 *	if (json_parse(text, length, JSON_MAX_BYTES, &doc, err) < 0)
 *		return err_wrap(err, "inspect");
 *	const char *image = json_string(doc, "Config.Image");
 *
 * Getters never fail loudly: a missing or differently typed node is NULL / false / -1. Returned
 * strings and nodes are borrowed from the tree. Look-ups are case-sensitive. Single thread.
 */
#ifndef ONEOFF_JSON_JSON_H
#define ONEOFF_JSON_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <cjson/cJSON.h>
#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"
#include "pkg/base/strv.h"

#define JSON_MAX_BYTES ((size_t)32 << 20)
#define JSON_MAX_DEPTH 64

/* For _cleanup_: deletes the tree. */
void json_free(cJSON **node);

/* Parses exactly one document of `length` bytes (need not be NUL-terminated). *ret_document is
 * owned by the caller. ERR_PROTOCOL names the fault and the byte offset (of a key that stands
 * twice, the key); ERR_NO_MEMORY when over max_bytes. */
int json_parse(const char *text, size_t length, size_t max_bytes, cJSON **ret_document,
               struct err *err) _must_check_;

/* Before json_parse, where the other side passes on what a program wrote: each \\u0000 becomes \\ufffd in place, which
 * has the same length. */
void json_mask_nul(char *text, size_t length);

/* Appends the document: compact, or indented by two blanks. Failure shows in buffer->failed. */
void json_print(const cJSON *document, bool pretty, struct strbuf *buffer);

/* Appends the document as YAML in block style, every string and key in double quotes, so that a
 * YAML 1.1 reader, too, takes it for a string ("on", "0123", "1e3"). The tree comes out unchanged
 * when it is read back. ERR_PROTOCOL when a string is not UTF-8; then nothing is appended. */
int json_print_yaml(const cJSON *document, struct strbuf *buffer, struct err *err) _must_check_;

/* The direct member of an object by exact key, or NULL. */
cJSON *json_member(const cJSON *object, const char *key);

/* The node at a path, or NULL. "" is the node itself. */
cJSON *json_at(const cJSON *node, const char *path);

/* The first item of an array of objects whose "name" this is, or NULL. */
cJSON *json_named(const cJSON *list, const char *name);

/* Typed getters by path. json_string: NULL if no string there. json_true: true only for `true`.
 * json_int64: 0, or -1 when there is no integer in range (1.0 counts, 1.5 does not). */
const char *json_string(const cJSON *node, const char *path);
bool json_true(const cJSON *node, const char *path);
int json_int64(const cJSON *node, const char *path, int64_t *ret) _must_check_;

/* True when the node is missing, null, "", 0, false, [] or {}: what Go writes for "not set". */
bool json_is_unset(const cJSON *node);

/* Setters of one object member: replace what is there under the same key. Each returns 0, or -1
 * when memory ran out. json_set_node takes `value` (freed on failure too; NULL counts as out of
 * memory). */
int json_set_node(cJSON *object, const char *key, cJSON *value) _must_check_;
int json_set_string(cJSON *object, const char *key, const char *value) _must_check_;
int json_set_bool(cJSON *object, const char *key, bool value) _must_check_;
int json_set_int64(cJSON *object, const char *key, int64_t value) _must_check_;

/* What is not known (NULL; 0) is null, not missing: a reader need not guess. The time is in unix seconds and is
 * written as RFC 3339. */
int json_set_known_string(cJSON *object, const char *key, const char *value) _must_check_;
int json_set_known_time(cJSON *object, const char *key, int64_t unix_seconds) _must_check_;

/* Appends to an array; json_add_node takes `value`. 0 or -1. */
int json_add_node(cJSON *array, cJSON *value) _must_check_;
int json_add_string(cJSON *array, const char *value) _must_check_;

/* An integer node that prints all its digits. NULL when memory ran out. */
cJSON *json_new_int64(int64_t value);

/* A new array of the strings. NULL when memory ran out. */
cJSON *json_new_strings(const struct strv *list);

/* The object member `key`, made as {} when missing or null. NULL when memory ran out or it is
 * something else. */
cJSON *json_object_for(cJSON *object, const char *key);

/* Structural equality; objects compare without regard to the order of their keys, numbers by value
 * (1e3 is 1000, -0 is 0), however long they are. */
bool json_equal(const cJSON *left, const cJSON *right);

#endif
