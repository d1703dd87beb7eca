/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/json/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/json/json_internal.h"

/* The integers that a double holds without a gap. */
#define EXACT_DOUBLE 9007199254740992.0

/* The least integer that json_parse, too, would carry as text. */
#define FIRST_CARRIED INT64_C(1000000000000000)

void json_free(cJSON **node)
{
	cJSON_Delete(*node);
	*node = NULL;
}

void json_print(const cJSON *document, bool pretty, struct strbuf *buffer)
{
	char *text = pretty ? cJSON_Print(document) : cJSON_PrintUnformatted(document);
	const char *from = text;

	if (!text) {
		buffer->failed = true;
		return;
	}
	/* cJSON lays out with tabs, and neither strings nor numbers hold one. */
	while (*from) {
		size_t length = strcspn(from, "\t");

		strbuf_add(buffer, from, length);
		from += length;
		if (*from == '\t')
			strbuf_adds(buffer, from[-1] == ':' ? " " : "  ");
		from += *from == '\t';
	}
	cJSON_free(text);
}

cJSON *json_member(const cJSON *object, const char *key)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

/* "name" at *path, which moves behind it. */
static const cJSON *step_name(const cJSON *node, const char **path)
{
	size_t length = strcspn(*path, ".[");
	const cJSON *child;

	if (!length || !cJSON_IsObject(node))
		return NULL;
	cJSON_ArrayForEach (child, node)
		if (!strncmp(child->string, *path, length) && !child->string[length])
			break;
	*path += length;
	return child;
}

/* "[3]" at *path, which moves behind it. */
static const cJSON *step_index(const cJSON *node, const char **path)
{
	const char *at = *path + 1;
	int index = 0;

	if (*at < '0' || *at > '9' || !cJSON_IsArray(node))
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(index, 10, &index) ||
		    __builtin_add_overflow(index, *at - '0', &index))
			return NULL;
	if (*at != ']')
		return NULL;
	*path = at + 1;
	return cJSON_GetArrayItem(node, index);
}

cJSON *json_at(const cJSON *node, const char *path)
{
	const char *at = path;

	while (node && *at) {
		if (*at == '[')
			node = step_index(node, &at);
		else if (at == path || *at++ == '.')
			node = step_name(node, &at);
		else
			node = NULL;
	}
	return (cJSON *)node;
}

const char *json_string(const cJSON *node, const char *path)
{
	const cJSON *found = json_at(node, path);

	return cJSON_IsString(found) ? found->valuestring : NULL;
}

bool json_true(const cJSON *node, const char *path)
{
	return cJSON_IsTrue(json_at(node, path));
}

int json_int64(const cJSON *node, const char *path, int64_t *ret)
{
	const cJSON *found = json_at(node, path);
	struct json_decimal decimal;

	if (cJSON_IsRaw(found) && found->valuestring) {
		if (json_decimal_read(found->valuestring, &decimal) < 0)
			return -1;
		return json_decimal_int64(&decimal, ret);
	}
	/* Written so that a NaN fails, too. */
	if (!cJSON_IsNumber(found) ||
	    !(found->valuedouble >= -EXACT_DOUBLE && found->valuedouble <= EXACT_DOUBLE) ||
	    found->valuedouble != (double)(int64_t)found->valuedouble)
		return -1;
	*ret = (int64_t)found->valuedouble;
	return 0;
}

bool json_is_unset(const cJSON *node)
{
	struct json_decimal decimal;

	if (!node || cJSON_IsNull(node) || cJSON_IsFalse(node))
		return true;
	if (cJSON_IsString(node))
		return !*node->valuestring;
	if (cJSON_IsNumber(node))
		return node->valuedouble == 0;
	if (cJSON_IsRaw(node) && node->valuestring)
		return json_decimal_read(node->valuestring, &decimal) == 0 && !decimal.count;
	if (cJSON_IsArray(node) || cJSON_IsObject(node))
		return !node->child;
	return false;
}

/* Puts `value` where `old` is. cJSON's own call by key loses the key when memory runs out. */
static int replace_member(cJSON *object, cJSON *old, const char *key, cJSON *value)
{
	size_t size = strlen(key) + 1;
	char *copy = cJSON_malloc(size);

	if (!copy)
		return -1;
	memcpy(copy, key, size);
	if (!(value->type & cJSON_StringIsConst))
		cJSON_free(value->string);
	value->type &= ~cJSON_StringIsConst;
	value->string = copy;
	return cJSON_ReplaceItemViaPointer(object, old, value) ? 0 : -1;
}

int json_set_node(cJSON *object, const char *key, cJSON *value)
{
	cJSON *old = json_member(object, key);

	if (value && old && replace_member(object, old, key, value) == 0)
		return 0;
	if (value && !old && cJSON_IsObject(object) && cJSON_AddItemToObject(object, key, value))
		return 0;
	cJSON_Delete(value);
	return -1;
}

int json_set_string(cJSON *object, const char *key, const char *value)
{
	return json_set_node(object, key, cJSON_CreateString(value));
}

int json_set_bool(cJSON *object, const char *key, bool value)
{
	return json_set_node(object, key, cJSON_CreateBool(value));
}

int json_set_int64(cJSON *object, const char *key, int64_t value)
{
	return json_set_node(object, key, json_new_int64(value));
}

cJSON *json_named(const cJSON *list, const char *name)
{
	cJSON *item;

	cJSON_ArrayForEach (item, list) {
		const char *own = json_string(item, "name");

		if (own && !strcmp(own, name))
			return item;
	}
	return NULL;
}

int json_set_known_string(cJSON *object, const char *key, const char *value)
{
	return value ? json_set_string(object, key, value)
	             : json_set_node(object, key, cJSON_CreateNull());
}

int json_set_known_time(cJSON *object, const char *key, int64_t unix_seconds)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(unix_seconds, text);
	return json_set_known_string(object, key, unix_seconds ? text : NULL);
}

int json_add_node(cJSON *array, cJSON *value)
{
	if (value && cJSON_IsArray(array) && cJSON_AddItemToArray(array, value))
		return 0;
	cJSON_Delete(value);
	return -1;
}

int json_add_string(cJSON *array, const char *value)
{
	return json_add_node(array, cJSON_CreateString(value));
}

cJSON *json_new_int64(int64_t value)
{
	char text[32];

	if (value > -FIRST_CARRIED && value < FIRST_CARRIED)
		return cJSON_CreateNumber((double)value);
	snprintf(text, sizeof(text), "%" PRId64, value);
	return cJSON_CreateRaw(text);
}

cJSON *json_new_strings(const struct strv *list)
{
	cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; array && i < list->count; i++)
		if (json_add_string(array, list->items[i]) < 0)
			json_free(&array);
	return array;
}

cJSON *json_object_for(cJSON *object, const char *key)
{
	cJSON *member = json_member(object, key);

	if (cJSON_IsObject(member))
		return member;
	if (member && !cJSON_IsNull(member))
		return NULL;
	if (json_set_node(object, key, cJSON_CreateObject()) < 0)
		return NULL;
	return json_member(object, key);
}
