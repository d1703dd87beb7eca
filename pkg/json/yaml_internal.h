/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the YAML reader share: from events to JSON text (yaml.c), the meaning of an unquoted word
 * (yaml_scalar.c), merge keys (yaml_merge.c). Private to pkg/json.
 */
#ifndef ONEOFF_JSON_YAML_INTERNAL_H
#define ONEOFF_JSON_YAML_INTERNAL_H

#include "pkg/json/json.h"

/* What an unquoted word stands for. */
enum yaml_kind {
	YAML_STRING,
	YAML_NULL,
	YAML_BOOL,
	YAML_INTEGER,
	YAML_FLOAT,
	YAML_NO_JSON, /* .nan, .inf: a number that JSON has no word for */
};

/* Resolves a plain scalar as go-yaml v2 does. For null, booleans and numbers, the JSON form is appended to `json`;
 * for the others nothing is. */
enum yaml_kind yaml_resolve(const char *text, size_t length, struct strbuf *json);

/* Puts the members of each object's "<<" into the object, unless it has them, and takes "<<" out; all levels.
 * ERR_PROTOCOL when "<<" is neither an object nor a list of objects, or when there are more members than a merge is
 * good for. */
int yaml_merge(cJSON *node, struct err *err) _must_check_;

#endif
