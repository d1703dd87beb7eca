/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_selector.h"

static const struct kube_label *find(const struct kube_label *labels, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (!labels[i].gone && strcmp(labels[i].key, key) == 0)
			return &labels[i];
	}
	return NULL;
}

static bool is_one_of(const cJSON *values, const char *text)
{
	const cJSON *value;

	cJSON_ArrayForEach (value, values) {
		if (cJSON_IsString(value) && strcmp(value->valuestring, text) == 0)
			return true;
	}
	return false;
}

static bool map_matches(const cJSON *map, const struct kube_label *labels, size_t count)
{
	const cJSON *pair;

	cJSON_ArrayForEach (pair, map) {
		const struct kube_label *label = find(labels, count, pair->string);

		if (!cJSON_IsString(pair) || label == NULL ||
		    strcmp(label->value, pair->valuestring) != 0)
			return false;
	}
	return true;
}

/* The operator of an expression and its key; NULL when it is none. */
static const char *operator_of(const cJSON *expression, const char **ret_key)
{
	*ret_key = json_string(expression, "key");
	return *ret_key != NULL ? json_string(expression, "operator") : NULL;
}

static bool expression_matches(const cJSON *expression, const struct kube_label *labels,
                               size_t count)
{
	const char *key;
	const char *word = operator_of(expression, &key);
	const cJSON *values = json_member(expression, "values");

	if (word == NULL)
		return false;

	const struct kube_label *label = find(labels, count, key);
	if (strcmp(word, "In") == 0)
		return label != NULL && is_one_of(values, label->value);
	if (strcmp(word, "NotIn") == 0)
		return label == NULL || !is_one_of(values, label->value);
	if (strcmp(word, "Exists") == 0)
		return label != NULL;
	return strcmp(word, "DoesNotExist") == 0 && label == NULL;
}

bool kube_selector_matches(const struct kube_selector *selector, const struct kube_label *labels,
                           size_t count)
{
	const cJSON *expression;

	if (!cJSON_IsObject(selector->node))
		return false;
	if (selector->map)
		return selector->node->child != NULL && map_matches(selector->node, labels, count);
	if (!map_matches(json_member(selector->node, "matchLabels"), labels, count))
		return false;
	cJSON_ArrayForEach (expression, json_member(selector->node, "matchExpressions")) {
		if (!expression_matches(expression, labels, count))
			return false;
	}
	return true;
}

static bool is_positive(const cJSON *expression, const char **ret_key)
{
	const char *word = operator_of(expression, ret_key);

	return word != NULL && (strcmp(word, "In") == 0 || strcmp(word, "Exists") == 0);
}

bool kube_selector_may_match(const struct kube_selector *selector, const struct kube_label *labels,
                             size_t count)
{
	const cJSON *expression;
	const char *key;

	if (selector->map || !cJSON_IsObject(selector->node))
		return kube_selector_matches(selector, labels, count);
	if (!map_matches(json_member(selector->node, "matchLabels"), labels, count))
		return false;
	cJSON_ArrayForEach (expression, json_member(selector->node, "matchExpressions")) {
		if (is_positive(expression, &key) && !expression_matches(expression, labels, count))
			return false;
	}
	return true;
}

bool kube_selector_needs(const struct kube_selector *selector, const char *key)
{
	const cJSON *expression;

	if (selector->map)
		return json_member(selector->node, key) != NULL;
	if (json_member(json_member(selector->node, "matchLabels"), key) != NULL)
		return true;
	cJSON_ArrayForEach (expression, json_member(selector->node, "matchExpressions")) {
		const char *wanted;

		if (is_positive(expression, &wanted) && strcmp(wanted, key) == 0)
			return true;
	}
	return false;
}

bool kube_selector_needs_nothing(const struct kube_selector *selector)
{
	const cJSON *expression;
	const char *key;

	if (!cJSON_IsObject(selector->node) || selector->map)
		return false;
	if (!json_is_unset(json_member(selector->node, "matchLabels")))
		return false;
	cJSON_ArrayForEach (expression, json_member(selector->node, "matchExpressions")) {
		if (is_positive(expression, &key))
			return false;
	}
	return true;
}
