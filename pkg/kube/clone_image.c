/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

static const char node_for_image[] = "the image is known by its content there only";

/* The digest that a registry can be asked for, out of "REPO@sha256:HEX" with or without
 * "docker-pullable://" in front. A bare "sha256:HEX" is the digest of a config, which nobody can pull.
 * Borrowed; NULL: there is none. */
static const char *pullable_digest(const char *image)
{
	const char *at = image != NULL ? strrchr(image, '@') : NULL;
	const char *colon = at != NULL ? strchr(at, ':') : NULL;
	size_t digits = colon != NULL ? strspn(colon + 1, "0123456789abcdef") : 0;

	if (digits < 32 || colon[1 + digits] != '\0' || at == image)
		return NULL;
	return at + 1;
}

/* "REPO:TAG@DIGEST" without what follows REPO. A colon in front of a slash is a port. */
static size_t repository_length(const char *image)
{
	size_t length = strcspn(image, "@");
	const char *colon = memrchr(image, ':', length);

	if (colon != NULL && memchr(colon, '/', length - (size_t)(colon - image)) == NULL)
		length = (size_t)(colon - image);
	return length;
}

/* What the running pod's status says of the container, or NULL. */
static const char *image_id(const struct kube_state *state, const char *name)
{
	static const char *const lists[] = {"status.containerStatuses",
	                                    "status.initContainerStatuses"};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const cJSON *status = json_named(json_at(state->input->pod, lists[i]), name);
		const char *id = json_string(status, "imageID");

		if (id != NULL && id[0] != '\0')
			return id;
	}
	return NULL;
}

/* The image by its digest, owned; *ret_image is NULL when there is no better name than the spec's. */
static int pin(const struct kube_state *state, const char *name, const char *image,
               char **ret_image, struct err *err)
{
	const char *digest = pullable_digest(image_id(state, name));
	_cleanup_(strbuf_release) struct strbuf pinned = STRBUF_INIT;

	*ret_image = NULL;
	if (pullable_digest(image) != NULL || digest == NULL)
		return 0;
	strbuf_add(&pinned, image, repository_length(image));
	strbuf_addf(&pinned, "@%s", digest);
	if (pinned.failed)
		return err_no_memory(err);
	*ret_image = strbuf_take(&pinned);
	return 0;
}

int kube_other_image(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	struct kube_state *state = kube_state(context);
	_cleanup_free_ char *pinned = NULL;

	if (pin(state, json_string(context->source, "name"), node->valuestring, &pinned, err) < 0)
		return -1;
	return rule_set(context, rule, node,
	                cJSON_CreateString(pinned != NULL ? pinned : node->valuestring),
	                pinned != NULL ? rule->why : "same image", err);
}

/* Why the image of the spec is sent as it stands. Asks for the node where that is the only safe one. */
static const char *unpinned_reason(struct kube_state *state, const char *name, const char *image)
{
	if (pullable_digest(image) != NULL) {
		state->pinned = true;
		return "the spec names it by its digest";
	}
	if (image_id(state, name) == NULL)
		return "no pod runs that tells its digest: the tag may name another one by now";
	if (kube_node(state) == NULL)
		return "the pod tells no digest that can be pulled: the tag may name another one by now";
	state->pin_image = node_for_image;
	return "the pod tells no digest that can be pulled: the same tag on the same node";
}

int kube_image(struct rule_context *context, const struct rule *rule, const cJSON *node,
               struct err *err)
{
	struct kube_state *state = kube_state(context);
	const char *asked = state->input->request->image;
	const char *name = json_string(context->source, "name");
	_cleanup_free_ char *pinned = NULL;
	const char *why = rule->why;

	if (asked != NULL) {
		state->pinned = pullable_digest(asked) != NULL;
		return rule_set(context, rule, node, cJSON_CreateString(asked),
		                "asked with --image", err);
	}
	if (pin(state, name, node->valuestring, &pinned, err) < 0)
		return -1;
	if (pinned != NULL)
		state->pinned = true;
	else
		why = unpinned_reason(state, name, node->valuestring);
	return rule_set(context, rule, node,
	                cJSON_CreateString(pinned != NULL ? pinned : node->valuestring), why, err);
}

/* The server has filled IfNotPresent in by the old tag; for another one it may be wrong (":latest"). */
int kube_pull_policy(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	if (json_is_unset(node))
		return 0;
	if (cJSON_IsString(node) && strcmp(node->valuestring, "IfNotPresent") == 0)
		return rule_changed(context, rule->path, node, NULL, rule->why, err);
	return rule_set(context, rule, node, cJSON_Duplicate(node, true), "pulled as the app's",
	                err);
}
