/* SPDX-License-Identifier: Apache-2.0 */
/* OCI image layout (image-spec v1.1 image-layout.md, image-index.md, manifest.md), and the same with Docker's
 * media types. */
#include <stdio.h>
#include <string.h>
#include "oci/image_internal.h"

#define MAX_DEPTH 4
#define MAX_NAMES 20

static const char ref_name[] = "org.opencontainers.image.ref.name";
static const char image_name_key[] = "io.containerd.image.name";

/* blobs/sha256/HEX of a descriptor. */
static int blob_path(const cJSON *descriptor, char path[96], const char **ret_digest,
                     int64_t *ret_size, struct err *err)
{
	const char *digest = json_string(descriptor, "digest");

	if (!digest_is_valid(digest))
		return err_set(err, ERR_PROTOCOL, "'%s' is no sha256 digest", digest ? digest : "");
	if (json_int64(descriptor, "size", ret_size) < 0 || *ret_size < 0)
		return err_set(err, ERR_PROTOCOL, "the descriptor of %s has no size", digest);
	snprintf(path, 96, "blobs/sha256/%s", digest_hex(digest));
	*ret_digest = digest;
	return 0;
}

static int read_document(const struct image *image, const cJSON *descriptor, cJSON **ret,
                         struct err *err)
{
	const char *digest;
	char path[96];
	int64_t size;

	if (blob_path(descriptor, path, &digest, &size, err) < 0)
		return -1;
	return image_files_json(&image->files, path, digest, size, NULL, ret, err);
}

static bool is_index_type(const char *type)
{
	return type && (!strcmp(type, "application/vnd.oci.image.index.v1+json") ||
	                !strcmp(type, "application/vnd.docker.distribution.manifest.list.v2+json"));
}

static bool is_manifest_type(const char *type)
{
	return type && (!strcmp(type, "application/vnd.oci.image.manifest.v1+json") ||
	                !strcmp(type, "application/vnd.docker.distribution.manifest.v2+json"));
}

/* A document that could be both, or is another one than was announced, would be read in two ways
 * (CVE-2021-41190). */
static int check_kind(const cJSON *document, const char *announced, bool *ret_index,
                      struct err *err)
{
	const char *type = json_string(document, "mediaType");
	bool manifests = json_member(document, "manifests") != NULL;
	bool manifest = json_member(document, "layers") || json_member(document, "config");
	int64_t version;

	if (manifests == manifest)
		return err_set(err, ERR_PROTOCOL,
		               "the document is no manifest and no index, or both");
	if ((type && !(manifests ? is_index_type(type) : is_manifest_type(type))) ||
	    (announced && !(manifests ? is_index_type(announced) : is_manifest_type(announced))))
		return err_set(err, ERR_PROTOCOL, "the document is not of the type '%s'",
		               announced ? announced : type);
	if (json_int64(document, "schemaVersion", &version) < 0 || version != 2)
		return err_set(err, ERR_PROTOCOL, "only schemaVersion 2 is known");
	*ret_index = manifests;
	return 0;
}

/* Signatures, attestations and other things that are kept beside images. */
static bool is_image_descriptor(const cJSON *descriptor)
{
	const char *type = json_string(descriptor, "mediaType");
	const char *os = json_string(descriptor, "platform.os");

	if (json_member(json_member(descriptor, "annotations"), "vnd.docker.reference.type"))
		return false;
	if (json_string(descriptor, "artifactType") || (os && !strcmp(os, "unknown")))
		return false;
	return is_index_type(type) || is_manifest_type(type);
}

static const char *annotation(const cJSON *descriptor, const char *key)
{
	return cJSON_GetStringValue(json_member(json_member(descriptor, "annotations"), key));
}

static bool is_meant(const cJSON *descriptor, const char *reference)
{
	const char *digest = json_string(descriptor, "digest");
	const char *name = annotation(descriptor, image_name_key);
	const char *tag = annotation(descriptor, ref_name);

	if (!reference)
		return true;
	if (digest_is_valid(reference))
		return digest && !strcmp(digest, reference);
	return (name && image_name_matches(name, reference)) ||
	       (tag && image_name_matches(tag, reference));
}

static void add_names(const cJSON *manifests, struct strbuf *list)
{
	const cJSON *item;
	int count = 0;

	cJSON_ArrayForEach (item, manifests) {
		const char *name = annotation(item, image_name_key);

		if (!name)
			name = annotation(item, ref_name);
		if (!name)
			name = json_string(item, "digest");
		if (name && is_image_descriptor(item) && count++ < MAX_NAMES)
			strbuf_addf(list, "%s%s", list->length ? ", " : "", name);
	}
}

static int not_one(const cJSON *manifests, const char *reference, bool none, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;

	add_names(manifests, &list);
	if (none && reference)
		err_set(err, ERR_NOT_FOUND, "the layout has no image '%s'", reference);
	else if (none)
		err_set(err, ERR_NOT_FOUND, "the layout has no image");
	else
		err_set(err, ERR_AMBIGUOUS, "the layout has more than one image%s%s",
		        reference ? " of the name " : "", reference ? reference : "");
	if (!list.length)
		return -1;
	return err_hint(err, "there are: %s; name one: oci-layout:PATH:TAG", strbuf_str(&list));
}

/* In index.json: by name. One image for several platforms may stand there as several entries. */
static const cJSON *choose_by_name(const cJSON *manifests, const char *reference,
                                   const struct platform *platform, struct err *err)
{
	const cJSON *item, *found = NULL;
	int best = 0;

	cJSON_ArrayForEach (item, manifests) {
		const cJSON *its = json_member(item, "platform");
		const char *digest = json_string(item, "digest");
		int fit;

		if (!is_image_descriptor(item) || !is_meant(item, reference))
			continue;
		fit = its ? platform_fit(platform, json_string(its, "os"),
		                         json_string(its, "architecture"),
		                         json_string(its, "variant"))
		          : 1;
		if (!fit && !digest_is_valid(reference))
			continue;
		/* The same image under two names is one. */
		if (found && fit == best && digest && json_string(found, "digest") &&
		    strcmp(digest, json_string(found, "digest")) != 0) {
			not_one(manifests, reference, false, err);
			return NULL;
		}
		if (!found || fit > best) {
			found = item;
			best = fit;
		}
	}
	if (!found)
		not_one(manifests, reference, true, err);
	return found;
}

/* In an index that was chosen: by platform. */
static const cJSON *choose_by_platform(const cJSON *manifests, const struct platform *platform,
                                       struct err *err)
{
	const cJSON *item, *found = NULL;
	int best = 0;

	cJSON_ArrayForEach (item, manifests) {
		const cJSON *its = json_member(item, "platform");
		int fit = 0;

		if (is_image_descriptor(item))
			fit = its ? platform_fit(platform, json_string(its, "os"),
			                         json_string(its, "architecture"),
			                         json_string(its, "variant"))
			          : 1;
		if (fit > best) {
			best = fit;
			found = item;
		}
	}
	if (!found)
		err_set(err, ERR_NOT_FOUND, "the image is not for %s/%s", platform->os,
		        platform->architecture);
	return found;
}

/* Its media type must be one whose bytes we can undo. */
static int check_layer_type(const cJSON *descriptor, struct err *err)
{
	static const char *const types[] = {
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.foreign.diff.tar",
	};
	static const char *const packings[] = {"", "+gzip", ".gzip", "+zstd", ".zstd"};
	const char *type = json_string(descriptor, "mediaType");

	for (size_t i = 0; type && i < ARRAY_SIZE(types); i++) {
		size_t length = strlen(types[i]);

		for (size_t k = 0; k < ARRAY_SIZE(packings); k++)
			if (!strncmp(type, types[i], length) && !strcmp(type + length, packings[k]))
				return 0;
	}
	return err_set(err, ERR_PROTOCOL, "a layer of type '%s' cannot be unpacked",
	               type ? type : "");
}

static int add_layers(struct image *image, const cJSON *layers, struct err *err)
{
	const cJSON *item;
	size_t i = 0;

	cJSON_ArrayForEach (item, layers) {
		struct image_layer *layer = &image->layers[i++];
		const char *digest;
		char path[96];

		if (check_layer_type(item, err) < 0 ||
		    blob_path(item, path, &digest, &layer->size, err) < 0)
			return -1;
		layer->file = strdup(path);
		layer->digest = strdup(digest);
		if (!layer->file || !layer->digest)
			return err_no_memory(err);
		if (!image_files_have(&image->files, path))
			return err_set(err, ERR_NOT_FOUND, "the layout lacks the layer %s", digest);
	}
	return 0;
}

static int read_manifest(struct image *image, const cJSON *manifest,
                         const struct platform *platform, struct err *err)
{
	const cJSON *layers = json_member(manifest, "layers");
	cJSON *config = NULL;

	if (!cJSON_IsArray(layers))
		return err_set(err, ERR_PROTOCOL, "the manifest has no list of layers");
	if (read_document(image, json_member(manifest, "config"), &config, err) < 0)
		return err_wrap(err, "config");
	if (image_set_config(image, config, (size_t)cJSON_GetArraySize(layers), platform, err) < 0)
		return -1;
	return add_layers(image, layers, err);
}

static int check_version(const struct image *image, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	const char *version;

	if (image_files_json(&image->files, "oci-layout", NULL, -1, NULL, &document, err) < 0)
		return -1;
	version = json_string(document, "imageLayoutVersion");
	if (!version || strncmp(version, "1.", 2) != 0)
		return err_set(err, ERR_PROTOCOL, "only image layouts of version 1 are known");
	return 0;
}

/* From the chosen descriptor through indexes down to a manifest. */
static int descend(struct image *image, const cJSON *descriptor, const struct platform *platform,
                   struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;

	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		cJSON *next = NULL;
		bool index;

		if (read_document(image, descriptor, &next, err) < 0)
			return -1;
		snprintf(image->digest, sizeof(image->digest), "%s",
		         json_string(descriptor, "digest"));
		if (check_kind(next, json_string(descriptor, "mediaType"), &index, err) < 0) {
			json_free(&next);
			return err_wrap(err, "%s", image->digest);
		}
		json_free(&document);
		document = next;
		if (!index)
			return read_manifest(image, document, platform, err);
		descriptor = choose_by_platform(json_member(document, "manifests"), platform, err);
		if (!descriptor)
			return -1;
	}
	return err_set(err, ERR_PROTOCOL, "indexes are nested more than %d deep", MAX_DEPTH);
}

int image_open_layout(struct image *image, const char *reference, const struct platform *platform,
                      struct err *err)
{
	_cleanup_(json_free) cJSON *index = NULL;
	const cJSON *manifests, *found;
	const char *name;
	bool is_index;

	if (check_version(image, err) < 0 ||
	    image_files_json(&image->files, "index.json", NULL, -1, NULL, &index, err) < 0)
		return -1;
	if (check_kind(index, NULL, &is_index, err) < 0)
		return err_wrap(err, "index.json");
	manifests = json_member(index, "manifests");
	if (!is_index || !cJSON_IsArray(manifests))
		return err_set(err, ERR_PROTOCOL, "index.json has no list of manifests");
	found = choose_by_name(manifests, reference, platform, err);
	if (!found)
		return -1;
	name = annotation(found, image_name_key);
	name = name ? name : annotation(found, ref_name);
	if (name && !(image->name = strdup(name)))
		return err_no_memory(err);
	return descend(image, found, platform, err);
}
