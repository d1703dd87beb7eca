/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/json/yaml_internal.h"

/* Of an object that merges, and of one that is merged: looking keys up one by one must stay cheap. */
#define MEMBERS_MAX 256

static int merge_object(cJSON *object, const cJSON *source, struct err *err)
{
	const cJSON *member;

	if (!cJSON_IsObject(source))
		return err_set(err, ERR_PROTOCOL, "'<<' has to be a mapping or a list of mappings");
	if (cJSON_GetArraySize(object) > MEMBERS_MAX || cJSON_GetArraySize(source) > MEMBERS_MAX)
		return err_set(err, ERR_PROTOCOL, "'<<' merges more than %d keys", MEMBERS_MAX);
	cJSON_ArrayForEach (member, source) {
		if (json_member(object, member->string))
			continue;
		if (json_set_node(object, member->string, cJSON_Duplicate(member, true)) < 0)
			return err_no_memory(err);
	}
	return 0;
}

static int merge_all(cJSON *object, const cJSON *sources, struct err *err)
{
	const cJSON *source;

	if (!cJSON_IsArray(sources))
		return merge_object(object, sources, err);
	cJSON_ArrayForEach (source, sources)
		if (merge_object(object, source, err) < 0)
			return -1;
	return 0;
}

/* The depth of the document bounds the recursion; what is merged in does not add to it, since it stood deeper. */
int yaml_merge(cJSON *node, struct err *err)
{
	_cleanup_(json_free) cJSON *sources = NULL;
	cJSON *child;

	cJSON_ArrayForEach (child, node)
		if (yaml_merge(child, err) < 0)
			return -1;
	if (!json_member(node, "<<"))
		return 0;
	sources = cJSON_DetachItemFromObjectCaseSensitive(node, "<<");
	return merge_all(node, sources, err);
}
