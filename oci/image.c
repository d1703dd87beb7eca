/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/image_internal.h"

#include <stdio.h>
#include <string.h>

void image_free(struct image **where)
{
	struct image *image = *where;

	if (!image)
		return;
	for (size_t i = 0; i < image->layer_count; i++) {
		free(image->layers[i].file);
		free(image->layers[i].digest);
	}
	free(image->layers);
	free(image->name);
	json_free(&image->config);
	image_files_release(&image->files);
	free(image);
	*where = NULL;
}

static int check_platform(const struct image *image, const struct platform *platform,
                          struct err *err)
{
	const char *os = json_string(image->config, "os");
	const char *architecture = json_string(image->config, "architecture");
	const char *variant = json_string(image->config, "variant");

	char here[PLATFORM_TEXT_SIZE], there[PLATFORM_TEXT_SIZE];

	if (platform_fit(platform, os, architecture, variant))
		return 0;
	platform_print(platform->os, platform->architecture, platform->variant, here);
	platform_print(os, architecture, variant, there);
	return err_set(err, ERR_NOT_FOUND, "the image is for %s, this machine is %s", there, here);
}

int image_set_config(struct image *image, cJSON *config, size_t count,
                     const struct platform *platform, struct err *err)
{
	const cJSON *diff_ids = json_at(config, "rootfs.diff_ids"), *item;
	size_t i = 0;

	image->config = config;
	if (!cJSON_IsObject(config))
		return err_set(err, ERR_PROTOCOL, "the image's config is no object");
	if (check_platform(image, platform, err) < 0)
		return -1;
	if (count > IMAGE_MAX_LAYERS)
		return err_set(err, ERR_REFUSED, "the image has more than %d layers",
		               IMAGE_MAX_LAYERS);
	if (!cJSON_IsArray(diff_ids) || (size_t)cJSON_GetArraySize(diff_ids) != count || !count)
		return err_set(err, ERR_PROTOCOL,
		               "the config's diff_ids do not fit the manifest's %zu layers", count);
	image->layers = calloc(count, sizeof(*image->layers));
	if (!image->layers)
		return err_no_memory(err);
	image->layer_count = count;
	cJSON_ArrayForEach (item, diff_ids) {
		const char *text = cJSON_GetStringValue(item);

		if (!digest_is_valid(text))
			return err_set(err, ERR_PROTOCOL, "diff_id '%s' is no sha256 digest",
			               text ? text : "");
		snprintf(image->layers[i++].diff_id, DIGEST_SIZE, "%s", text);
	}
	return 0;
}

static int open_kind(struct image *image, const char *path, const char *reference,
                     const struct platform *platform, struct err *err)
{
	if (image_files_have(&image->files, "oci-layout") &&
	    image_files_have(&image->files, "index.json"))
		return image_open_layout(image, reference, platform, err);
	if (image_files_have(&image->files, "manifest.json"))
		return image_open_archive(image, reference, platform, err);
	err_set(err, ERR_PROTOCOL, "'%s' is no image", path);
	return err_hint(err, "an OCI image layout (folder or tar) or the tar of `docker save` is");
}

int image_open(const char *path, const char *reference, const struct platform *platform,
               struct image **ret, struct err *err)
{
	_cleanup_(image_free) struct image *image = calloc(1, sizeof(*image));
	struct platform host;

	if (!image)
		return err_no_memory(err);
	image->files = (struct image_files)IMAGE_FILES_INIT;
	platform_host(&host);
	if (image_files_open(path, &image->files, err) < 0 ||
	    open_kind(image, path, reference, platform ? platform : &host, err) < 0)
		return -1;
	if (!image->name && !(image->name = strdup(image->digest)))
		return err_no_memory(err);
	*ret = TAKE_PTR(image);
	return 0;
}

const char *image_digest(const struct image *image)
{
	return image->digest;
}

const char *image_name(const struct image *image)
{
	return image->name;
}

const cJSON *image_config(const struct image *image)
{
	return image->config;
}

size_t image_layer_count(const struct image *image)
{
	return image->layer_count;
}

const char *image_layer_diff_id(const struct image *image, size_t i)
{
	return image->layers[i].diff_id;
}

uint64_t image_layer_size(const struct image *image, size_t i)
{
	return image->layers[i].size > 0 ? (uint64_t)image->layers[i].size : 0;
}

int image_layer_open(const struct image *image, size_t i, struct byte_source **ret, struct err *err)
{
	const struct image_layer *layer = &image->layers[i];

	return image_files_read(&image->files, layer->file, layer->digest, layer->size, ret, err);
}
