/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A NULL-terminated list of strings (argv, environment, labels). Owns its strings.
 *
 *	_cleanup_(strv_release) struct strv argv = STRV_INIT;
 *	if (strv_add(&argv, "sh") < 0)
 *		return err_no_memory(err);
 *	execvp(argv.items[0], argv.items);
 */
#ifndef ONEOFF_BASE_STRV_H
#define ONEOFF_BASE_STRV_H

#include "pkg/base/compat.h"

struct strv {
	char **items; /* NULL while empty, else count strings and a NULL */
	size_t count;
	size_t allocated;
};

#define STRV_INIT                                                                                  \
	{                                                                                          \
		.items = NULL                                                                      \
	}

void strv_release(struct strv *list);

/* Appends a copy / a formatted string / a string that is taken (freed on failure too). 0 or -1. */
int strv_add(struct strv *list, const char *text) _must_check_;
int strv_addf(struct strv *list, const char *format, ...) _printf_(2, 3) _must_check_;
int strv_take(struct strv *list, char *text) _must_check_;

/* Looks for "KEY=" or a bare "KEY" at the start of an item, as environments hold it. The item,
 * borrowed, or NULL. */
const char *strv_find_key(const struct strv *list, const char *key);

#endif
