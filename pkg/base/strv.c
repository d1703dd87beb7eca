/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/strv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void strv_release(struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strv)STRV_INIT;
}

int strv_take(struct strv *list, char *text)
{
	if (!text)
		return -1;
	if (list->count + 2 > list->allocated) {
		size_t size = list->allocated ? list->allocated * 2 : 8;
		char **grown = reallocarray(list->items, size, sizeof(*grown));

		if (!grown) {
			free(text);
			return -1;
		}
		list->items = grown;
		list->allocated = size;
	}
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
	return 0;
}

int strv_add(struct strv *list, const char *text)
{
	return strv_take(list, strdup(text));
}

int strv_addf(struct strv *list, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? -1 : strv_take(list, text);
}

const char *strv_find_key(const struct strv *list, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 0; i < list->count; i++) {
		const char *item = list->items[i];

		if (!strncmp(item, key, length) && (item[length] == '=' || item[length] == '\0'))
			return item;
	}
	return NULL;
}
