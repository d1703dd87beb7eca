/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

/* What every API server sends, by type. Lists of objects name their items. */
enum shape_type {
	SHAPE_OBJECT,
	SHAPE_TEXTS,     /* {"key": "text"} */
	SHAPE_LIST,      /* of objects */
	SHAPE_NAMED,     /* of objects with a name */
	SHAPE_TEXT_LIST, /* of texts */
	SHAPE_TEXT,
};

struct shape {
	const char *path;
	enum shape_type type;
	bool required;
};

static const struct shape pod_shapes[] = {
	{"metadata", SHAPE_OBJECT, false},
	{"metadata.labels", SHAPE_TEXTS, false},
	{"metadata.annotations", SHAPE_TEXTS, false},
	{"spec", SHAPE_OBJECT, true},
	{"spec.containers", SHAPE_NAMED, true},
	{"spec.initContainers", SHAPE_NAMED, false},
	{"spec.volumes", SHAPE_NAMED, false},
	{"spec.resourceClaims", SHAPE_NAMED, false},
	{"spec.tolerations", SHAPE_LIST, false},
	{"spec.nodeSelector", SHAPE_TEXTS, false},
	{"spec.affinity", SHAPE_OBJECT, false},
};

static const struct shape container_shapes[] = {
	{"image", SHAPE_TEXT, false},
	{"command", SHAPE_TEXT_LIST, false},
	{"args", SHAPE_TEXT_LIST, false},
	{"env", SHAPE_NAMED, false},
	{"ports", SHAPE_LIST, false},
	{"volumeMounts", SHAPE_NAMED, false},
	{"resources", SHAPE_OBJECT, false},
	{"resources.limits", SHAPE_OBJECT, false},
	{"resources.requests", SHAPE_OBJECT, false},
	{"resources.claims", SHAPE_NAMED, false},
	{"securityContext", SHAPE_OBJECT, false},
	{"lifecycle", SHAPE_OBJECT, false},
};

static bool is_text(const cJSON *node)
{
	return cJSON_IsString(node) && node->valuestring[0] != '\0';
}

static bool item_fits(const cJSON *item, enum shape_type type)
{
	if (type == SHAPE_TEXTS || type == SHAPE_TEXT_LIST)
		return cJSON_IsString(item);
	if (type == SHAPE_NAMED)
		return is_text(json_member(item, "name"));
	return type == SHAPE_OBJECT || cJSON_IsObject(item);
}

static bool node_fits(const cJSON *node, enum shape_type type)
{
	const cJSON *item;

	if (type == SHAPE_TEXT)
		return cJSON_IsString(node);
	if (type == SHAPE_OBJECT || type == SHAPE_TEXTS ? !cJSON_IsObject(node)
	                                                : !cJSON_IsArray(node))
		return false;
	cJSON_ArrayForEach (item, node) {
		if (!item_fits(item, type))
			return false;
	}
	return true;
}

static int check_shapes(const cJSON *document, const char *what, const struct shape *shapes,
                        size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const cJSON *node = json_at(document, shapes[i].path);

		if (!shapes[i].required && (node == NULL || cJSON_IsNull(node)))
			continue;
		if (!node_fits(node, shapes[i].type))
			return err_set(err, ERR_PROTOCOL, "%s has no usable '%s'", what,
			               shapes[i].path);
	}
	return 0;
}

/* A name that stands twice would make every look-up by name a guess. */
static int check_containers(const cJSON *list, bool images, struct err *err)
{
	const cJSON *container;

	cJSON_ArrayForEach (container, list) {
		const char *name = json_string(container, "name");

		if (strchr(name, '.') != NULL || json_named(list, name) != container)
			return err_set(err, ERR_PROTOCOL, "'%s' is no container's name", name);
		if (images && !is_text(json_member(container, "image")))
			return err_set(err, ERR_PROTOCOL, "the container '%s' has no image", name);
		if (check_shapes(container, "a container", container_shapes,
		                 ARRAY_SIZE(container_shapes), err) < 0)
			return -1;
	}
	return 0;
}

static int check_source(const cJSON *source, struct err *err)
{
	const cJSON *containers = json_at(source, "spec.containers");

	if (check_shapes(source, "the pod", pod_shapes, ARRAY_SIZE(pod_shapes), err) < 0)
		return -1;
	if (cJSON_GetArraySize(containers) == 0)
		return err_set(err, ERR_PROTOCOL, "the pod has no containers");
	if (check_containers(containers, true, err) < 0)
		return -1;
	return check_containers(json_at(source, "spec.initContainers"), true, err);
}

static int check_request(const struct request *request, struct err *err)
{
	if (request_check_text(request, "the API", err) < 0)
		return -1;
	for (size_t i = 0; i < request->labels.count; i++) {
		if (kube_check_label(request->labels.items[i], err) < 0)
			return -1;
	}
	if (request->network != NETWORK_AS_SOURCE)
		return err_set(err, ERR_USAGE, "a pod's network is that of its app: no --network");
	return 0;
}

int kube_check(const struct kube_clone_input *input, const cJSON *source, struct err *err)
{
	if (check_source(source, err) < 0)
		return -1;
	return check_request(input->request, err);
}
