/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON array that is too long for memory, item by item while its text arrives: what is held is what came and was
 * not handed on yet, and one item as a tree.
 *
 *	_cleanup_(json_array_release) struct json_array array = JSON_ARRAY_INIT;
 *	_cleanup_(json_free) cJSON *item = NULL;
 *
 *	strbuf_add(&array.text, bytes, length);		as much or little as there is
 *	while ((result = json_array_next(&array, &item, err)) > 0) {
 *		…
 *		json_free(&item);
 *	}
 *	…and when no more comes:
 *	if (json_array_finish(&array, err) < 0)
 *		return -1;
 *
 * Only brackets, strings and commas are looked at here; each item then goes through json_parse, with all that it
 * refuses. So what is read of an array is what json_parse would have read of it. Pure. Single thread.
 */
#ifndef ONEOFF_JSON_JSON_ARRAY_H
#define ONEOFF_JSON_JSON_ARRAY_H

#include "pkg/json/json.h"

/* One item and what comes with it in one piece; an engine's description of a container has some KiB. */
#define JSON_ARRAY_MAX_BYTES ((size_t)8 << 20)

enum json_array_place {
	JSON_ARRAY_BEFORE, /* the bracket has not come */
	JSON_ARRAY_FIRST,  /* behind the bracket: an item or the end */
	JSON_ARRAY_ITEM,   /* in one, or in the blanks before it */
	JSON_ARRAY_AFTER,
};

struct json_array {
	struct strbuf text; /* append to it what arrives */

	/* Its own: */
	size_t handed;  /* bytes of the text that are done with */
	size_t scanned; /* bytes of it that were looked at */
	size_t depth;   /* brackets that are open in the item */
	bool in_string, escaped;
	enum json_array_place place;
};

#define JSON_ARRAY_INIT                                                                            \
	{                                                                                          \
		.text = STRBUF_INIT_CAP(JSON_ARRAY_MAX_BYTES)                                      \
	}

/* For _cleanup_. */
void json_array_release(struct json_array *array);

/* 1 with the next item, owned by the caller; 0 when the text has no whole one: more is needed, or it was the last;
 * -1: ERR_PROTOCOL for what is no array, ERR_NO_MEMORY when the text was too much. */
int json_array_next(struct json_array *array, cJSON **ret_item, struct err *err) _must_check_;

/* 0 when the array is whole, or the text is "null", as Go writes an empty one; else ERR_PROTOCOL. */
int json_array_finish(struct json_array *array, struct err *err) _must_check_;

#endif
