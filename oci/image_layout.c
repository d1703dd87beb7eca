/* SPDX-License-Identifier: Apache-2.0 */
/* OCI image layout (image-spec v1.1 image-layout.md, image-index.md, manifest.md), and the same with Docker's
 * media types. */
#include <stdio.h>
#include <string.h>
#include "oci/image_internal.h"

/* blobs/sha256/HEX. */
static void blob_path(const char *digest, char path[96])
{
	snprintf(path, 96, "blobs/sha256/%.64s", digest_hex(digest));
}

int image_descriptor_parse(const cJSON *descriptor, const char **ret_digest, int64_t *ret_size,
                           struct err *err)
{
	const char *digest = json_string(descriptor, "digest");
	int64_t size;

	if (!digest_is_valid(digest))
		return err_set(err, ERR_PROTOCOL, "'%.200s' is no sha256 digest",
		               digest ? digest : "");
	if (json_int64(descriptor, "size", &size) < 0 || size < 0)
		return err_set(err, ERR_PROTOCOL, "the descriptor of %s has no size", digest);
	*ret_digest = digest;
	*ret_size = size;
	return 0;
}

static const char *find_type(const char *const *types, size_t count, const char *type)
{
	for (size_t i = 0; type && i < count; i++)
		if (!strcmp(types[i], type))
			return types[i];
	return NULL;
}

const char *image_index_type(const char *type)
{
	static const char *const types[] = {
		"application/vnd.oci.image.index.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json",
	};

	return find_type(types, ARRAY_SIZE(types), type);
}

const char *image_manifest_type(const char *type)
{
	static const char *const types[] = {
		"application/vnd.oci.image.manifest.v1+json",
		"application/vnd.docker.distribution.manifest.v2+json",
	};

	return find_type(types, ARRAY_SIZE(types), type);
}

bool image_manifest_is_image(const cJSON *manifest)
{
	static const char *const types[] = {
		"application/vnd.oci.image.config.v1+json",
		"application/vnd.docker.container.image.v1+json",
	};

	return !json_string(manifest, "artifactType") &&
	       find_type(types, ARRAY_SIZE(types), json_string(manifest, "config.mediaType"));
}

/* A document that could be both, or is another one than was announced, would be read in two ways. */
int image_document_check(const cJSON *document, const char *type, struct err *err)
{
	const cJSON *own = json_member(document, "mediaType");
	const char *own_type = cJSON_GetStringValue(own);
	bool index = json_member(document, "manifests") != NULL;
	bool manifest = json_member(document, "layers") || json_member(document, "config");
	int64_t version;

	if (index == manifest)
		return err_set(err, ERR_PROTOCOL,
		               "the document is no manifest and no index, or both");
	if (type && !(index ? image_index_type(type) : image_manifest_type(type)))
		return err_set(err, ERR_PROTOCOL, "the document is not of the type '%.100s'", type);
	if (own && !cJSON_IsNull(own) &&
	    (!own_type || (type ? strcmp(own_type, type) != 0 : !image_index_type(own_type))))
		return err_set(err, ERR_PROTOCOL, "the document says of itself the type '%.100s'",
		               own_type ? own_type : "");
	if (json_int64(document, "schemaVersion", &version) < 0 || version != 2)
		return err_set(err, ERR_PROTOCOL, "only schemaVersion 2 is known");
	return 0;
}

int image_document_read(const struct image *image, const char *digest, int64_t size,
                        const char *type, cJSON **ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	char path[96];

	blob_path(digest, path);
	if (image_files_json(&image->files, path, digest, size, NULL, &document, err) < 0)
		return -1;
	if (image_document_check(document, type, err) < 0)
		return err_wrap(err, "%s", digest);
	*ret = TAKE_PTR(document);
	return 0;
}

int image_config_read(const struct image *image, const cJSON *manifest, cJSON **ret,
                      struct err *err)
{
	const char *digest;
	char path[96];
	int64_t size;

	if (image_descriptor_parse(json_member(manifest, "config"), &digest, &size, err) < 0)
		return err_wrap(err, "config");
	blob_path(digest, path);
	if (image_files_json(&image->files, path, digest, size, NULL, ret, err) < 0)
		return err_wrap(err, "config");
	return 0;
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

/* Layers that may not be distributed are left out of images that are copied. */
static int lacks_layer(const cJSON *descriptor, const char *digest, struct err *err)
{
	const char *url = json_string(descriptor, "urls[0]");

	err_set(err, ERR_NOT_FOUND, "the layout lacks the layer %s", digest);
	return url ? err_hint(err, "it has to be added by hand, from %.300s", url) : -1;
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
		    image_descriptor_parse(item, &digest, &layer->size, err) < 0)
			return -1;
		blob_path(digest, path);
		layer->file = strdup(path);
		layer->digest = strdup(digest);
		if (!layer->file || !layer->digest)
			return err_no_memory(err);
		if (!image_files_have(&image->files, path))
			return lacks_layer(item, digest, err);
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
	if (image_config_read(image, manifest, &config, err) < 0)
		return -1;
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

int image_open_layout(struct image *image, const char *reference, const struct platform *platform,
                      struct err *err)
{
	_cleanup_(json_free) cJSON *index = NULL;
	_cleanup_(json_free) cJSON *manifest = NULL;
	struct image_chosen chosen;
	const cJSON *manifests;

	if (check_version(image, err) < 0 ||
	    image_files_json(&image->files, "index.json", NULL, -1, NULL, &index, err) < 0)
		return -1;
	if (image_document_check(index, NULL, err) < 0)
		return err_wrap(err, "index.json");
	manifests = json_member(index, "manifests");
	if (!cJSON_IsArray(manifests))
		return err_set(err, ERR_PROTOCOL, "index.json has no list of manifests");
	if (image_choose(image, manifests, reference, platform, &chosen, err) < 0 ||
	    image_document_read(image, chosen.digest, chosen.size, chosen.type, &manifest, err) < 0)
		return -1;
	snprintf(image->digest, sizeof(image->digest), "%s", chosen.digest);
	if (chosen.name && !(image->name = strdup(image_name_familiar(chosen.name))))
		return err_no_memory(err);
	return read_manifest(image, manifest, platform, err);
}
