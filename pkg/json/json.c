/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/json/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/number.h"

/* The greatest integers that a double holds without a gap. */
#define EXACT_DOUBLE 9007199254740992.0

void json_free(cJSON **node)
{
	cJSON_Delete(*node);
	*node = NULL;
}

void json_print(const cJSON *document, bool pretty, struct strbuf *buffer)
{
	char *text = pretty ? cJSON_Print(document) : cJSON_PrintUnformatted(document);
	const char *from;

	if (!text) {
		buffer->failed = true;
		return;
	}
	/* cJSON indents by tabs, and strings hold none unescaped. */
	for (from = text; *from; from++) {
		if (*from == '\t')
			strbuf_adds(buffer, from > text && from[-1] == ':' ? " " : "  ");
		else
			strbuf_addc(buffer, *from);
	}
	cJSON_free(text);
}

cJSON *json_member(const cJSON *object, const char *key)
{
	return object ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

/* One step of a path: "name", "[3]", "name[3]"; moves *path behind it. */
static const cJSON *walk(const cJSON *node, const char **path)
{
	size_t length = strcspn(*path, ".[");
	char key[256];

	if (length >= sizeof(key))
		return NULL;
	if (length) {
		memcpy(key, *path, length);
		key[length] = '\0';
		node = json_member(node, key);
		*path += length;
	}
	while (node && **path == '[') {
		char *end;
		unsigned long index = strtoul(*path + 1, &end, 10);

		if (*end != ']' || !cJSON_IsArray(node) || index > 1000000)
			return NULL;
		node = cJSON_GetArrayItem(node, (int)index);
		*path = end + 1;
	}
	if (**path == '.')
		(*path)++;
	return node;
}

cJSON *json_at(const cJSON *node, const char *path)
{
	while (node && *path)
		node = walk(node, &path);
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

	if (cJSON_IsRaw(found) && found->valuestring) {
		char *end;
		double value;

		if (parse_int64(found->valuestring, INT64_MIN, INT64_MAX, ret) == 0)
			return 0;
		/* "1e3" and "2.0" are integers too; beyond the exact range nobody can tell. */
		value = strtod(found->valuestring, &end);
		if (*end || value < -EXACT_DOUBLE || value > EXACT_DOUBLE ||
		    value != (double)(int64_t)value)
			return -1;
		*ret = (int64_t)value;
		return 0;
	}
	if (!cJSON_IsNumber(found) || found->valuedouble < -EXACT_DOUBLE ||
	    found->valuedouble > EXACT_DOUBLE ||
	    found->valuedouble != (double)(int64_t)found->valuedouble)
		return -1;
	*ret = (int64_t)found->valuedouble;
	return 0;
}

bool json_is_unset(const cJSON *node)
{
	if (!node || cJSON_IsNull(node) || cJSON_IsFalse(node))
		return true;
	if (cJSON_IsString(node))
		return !*node->valuestring;
	if (cJSON_IsNumber(node))
		return node->valuedouble == 0;
	if (cJSON_IsArray(node) || cJSON_IsObject(node))
		return !node->child;
	return false;
}

int json_set_node(cJSON *object, const char *key, cJSON *value)
{
	if (!value || !cJSON_IsObject(object)) {
		cJSON_Delete(value);
		return -1;
	}
	if (json_member(object, key)) {
		if (cJSON_ReplaceItemInObjectCaseSensitive(object, key, value))
			return 0;
	} else if (cJSON_AddItemToObject(object, key, value)) {
		return 0;
	}
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

	if (value > -1000000000000000 && value < 1000000000000000)
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

static bool scalars_equal(const cJSON *left, const cJSON *right)
{
	_cleanup_(strbuf_release) struct strbuf one = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf other = STRBUF_INIT;

	json_print(left, false, &one);
	json_print(right, false, &other);
	return !one.failed && !other.failed && !strcmp(strbuf_str(&one), strbuf_str(&other));
}

bool json_equal(const cJSON *left, const cJSON *right)
{
	const cJSON *child, *other;

	if (!left || !right)
		return left == right;
	if (cJSON_IsArray(left) && cJSON_IsArray(right)) {
		for (child = left->child, other = right->child; child && other;
		     child = child->next, other = other->next)
			if (!json_equal(child, other))
				return false;
		return !child && !other;
	}
	if (cJSON_IsObject(left) && cJSON_IsObject(right)) {
		if (cJSON_GetArraySize(left) != cJSON_GetArraySize(right))
			return false;
		cJSON_ArrayForEach (child, left)
			if (!json_equal(child, json_member(right, child->string)))
				return false;
		return true;
	}
	return scalars_equal(left, right);
}
