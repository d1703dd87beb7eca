/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/registry_internal.h"

#include <string.h>

static const char *const config_types[] = {
	"application/vnd.oci.image.config.v1+json",
	"application/vnd.docker.container.image.v1+json",
};

/* A document that is a manifest to one reader and an index to another is nobody's (CVE-2021-41190). */
int registry_document_kind(const cJSON *document, enum registry_document *ret, struct err *err)
{
	const char *type = json_string(document, "mediaType");
	bool list = json_member(document, "manifests") != NULL;
	bool image = json_member(document, "config") || json_member(document, "layers");
	bool typed_list = type && (strstr(type, ".image.index.") || strstr(type, "manifest.list"));

	if (!cJSON_IsObject(document) || list == image || json_member(document, "fsLayers") ||
	    (type && typed_list != list))
		return err_set(err, ERR_PROTOCOL,
		               "the registry has no image manifest under this digest");
	*ret = list ? REGISTRY_INDEX : REGISTRY_MANIFEST;
	return 0;
}

/* 0: not for this machine; else the greater the plainer. */
static int suits(const cJSON *entry, const char *architecture)
{
	const char *system = json_string(entry, "platform.os");
	const char *machine = json_string(entry, "platform.architecture");
	const char *variant = json_string(entry, "platform.variant");

	if (!system || !machine || strcmp(system, "linux") != 0)
		return 0;
	if (architecture && strcmp(machine, architecture) != 0)
		return 0;
	if (!variant || !*variant)
		return 3;
	return !strcmp(machine, "arm64") && !strcmp(variant, "v8") ? 2 : 1;
}

int registry_choose_manifest(const cJSON *index, const char *architecture, const char **ret_digest,
                             struct err *err)
{
	const cJSON *entry, *best = NULL;
	const char *digest;

	cJSON_ArrayForEach (entry, json_member(index, "manifests")) {
		if (suits(entry, architecture) > (best ? suits(best, architecture) : 0))
			best = entry;
	}
	if (!best)
		return err_set(err, ERR_NOT_FOUND, "the image has no variant for linux/%s",
		               architecture ? architecture : "any");
	digest = json_string(best, "digest");
	if (!digest || !registry_is_digest(digest))
		return err_set(err, ERR_PROTOCOL, "the image's index names no sha256 digest");
	*ret_digest = digest;
	return 0;
}

int registry_config_digest(const cJSON *manifest, const char **ret_digest, struct err *err)
{
	const char *type = json_string(manifest, "config.mediaType");
	const char *digest = json_string(manifest, "config.digest");
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(config_types); i++)
		known |= type && !strcmp(type, config_types[i]);
	if (!known)
		return err_set(err, ERR_PROTOCOL, "it is no container image");
	if (!digest || !registry_is_digest(digest))
		return err_set(err, ERR_PROTOCOL, "the image's manifest names no sha256 digest");
	*ret_digest = digest;
	return 0;
}
