/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads YAML back into a tree, for the test and the fuzz target of json_print_yaml. Stricter than a
 * reader must be: a plain scalar has to be a JSON word or number that YAML 1.1 and 1.2 resolve
 * alike.
 */
#ifndef ONEOFF_TESTS_UNIT_JSON_YAML_READER_H
#define ONEOFF_TESTS_UNIT_JSON_YAML_READER_H

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>
#include "pkg/json/json.h"

static cJSON *yaml_tree(struct fy_node *node);

static cJSON *yaml_plain(const char *text, size_t length)
{
	const char *exponent = memchr(text, 'e', length);
	struct err err = ERR_INIT;
	cJSON *node = NULL;

	/* PyYAML and others: no float without the dot and the sign of the exponent. */
	if (exponent && !memchr("tf", *text, 2) &&
	    (!memchr(text, '.', length) || !strchr("+-", exponent[1])))
		return NULL;
	return json_parse(text, length, length, &node, &err) < 0 ? NULL : node;
}

static cJSON *yaml_scalar(struct fy_node *node)
{
	size_t length;
	const char *text = fy_node_get_scalar(node, &length);
	char *copy;
	cJSON *string;

	if (fy_node_get_style(node) == FYNS_PLAIN)
		return yaml_plain(text, length);
	copy = strndup(text, length);
	string = copy && strlen(copy) == length ? cJSON_CreateString(copy) : NULL;
	free(copy);
	return string;
}

static int yaml_add_pair(cJSON *object, struct fy_node_pair *pair)
{
	struct fy_node *key = fy_node_pair_key(pair);
	size_t length;
	const char *text = fy_node_get_scalar(key, &length);
	char *copy;
	int result;

	if (!text || fy_node_get_style(key) == FYNS_PLAIN)
		return -1;
	copy = strndup(text, length);
	result = copy && strlen(copy) == length && !json_member(object, copy)
	                 ? json_set_node(object, copy, yaml_tree(fy_node_pair_value(pair)))
	                 : -1;
	free(copy);
	return result;
}

static cJSON *yaml_tree(struct fy_node *node)
{
	bool is_mapping = fy_node_is_mapping(node);
	struct fy_node_pair *pair;
	struct fy_node *item;
	void *at = NULL;
	cJSON *tree;

	if (fy_node_is_scalar(node))
		return yaml_scalar(node);
	tree = is_mapping ? cJSON_CreateObject() : cJSON_CreateArray();
	while (is_mapping && tree && (pair = fy_node_mapping_iterate(node, &at)))
		if (yaml_add_pair(tree, pair) < 0)
			json_free(&tree);
	while (!is_mapping && tree && (item = fy_node_sequence_iterate(node, &at)))
		if (json_add_node(tree, yaml_tree(item)) < 0)
			json_free(&tree);
	return tree;
}

/* The tree, owned by the caller, or NULL. `version` is FYPCF_DEFAULT_VERSION_1_1 or its like. */
_unused_ static cJSON *yaml_read(const char *text, size_t length, enum fy_parse_cfg_flags version)
{
	const struct fy_parse_cfg settings = {.flags = FYPCF_JSON_NONE | FYPCF_DISABLE_DEPTH_LIMIT |
	                                               version};
	struct fy_document *document = fy_document_build_from_string(&settings, text, length);
	cJSON *tree = document ? yaml_tree(fy_document_root(document)) : NULL;

	fy_document_destroy(document);
	return tree;
}

#endif
