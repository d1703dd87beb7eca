/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/image.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "oci/image_internal.h"

/* image-layout.md, "oci-layout file": readers go by the major version. */
static int check_layout(const struct image_place *place, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *layout = NULL;
	const char *version;

	if (image_place_read(place, "oci-layout", &text, err) < 0)
		return -1;
	if (json_parse(strbuf_str(&text), text.length, IMAGE_MAX_DOCUMENT, &layout, err) < 0)
		return err_wrap(err, "oci-layout");
	version = json_string(layout, "imageLayoutVersion");
	if (!version)
		return err_set(err, ERR_PROTOCOL, "oci-layout has no imageLayoutVersion");
	if (strncmp(version, "1.", 2) != 0)
		return err_set(err, ERR_REFUSED,
		               "the image layout has version '%.50s', only 1 is supported",
		               version);
	return 0;
}

static int load(struct image *image, const char *reference, const struct platform *platform,
                struct err *err)
{
	const struct image_member *member;

	if (check_layout(&image->place, err) == 0)
		return image_index_load(image, reference, platform, err);
	if (err->kind != ERR_NOT_FOUND)
		return -1;
	if (image->place.is_tar) {
		if (image_tar_find(&image->place.tar, "manifest.json", &member, err) == 0)
			return image_docker_load(image, reference, platform, err);
		if (err->kind != ERR_NOT_FOUND)
			return -1;
	}
	err_set(err, ERR_REFUSED, "it is no image: it has no file 'oci-layout'%s",
	        image->place.is_tar ? " and no 'manifest.json'" : "");
	return err_hint(err,
	                "an image is what `docker save`, `podman save` or `skopeo copy … oci:` "
	                "write");
}

int image_open(const char *path, const char *reference, const struct platform *platform,
               struct image **ret, struct err *err)
{
	_cleanup_(image_free) struct image *image = calloc(1, sizeof(*image));
	struct platform host;

	if (!image)
		return err_no_memory(err);
	image->place.fd = -1;
	if (!platform) {
		platform_host(&host);
		platform = &host;
	}
	if (image_place_open(path, &image->place, err) < 0)
		return -1;
	if (load(image, reference, platform, err) < 0)
		return err_wrap(err, "'%.300s'", path);
	*ret = TAKE_PTR(image);
	return 0;
}

int image_take_config(struct image *image, cJSON *config, size_t count, struct err *err)
{
	const cJSON *diff_id;
	size_t i = 0;

	image->config = config;
	image->layers = calloc(count ? count : 1, sizeof(*image->layers));
	if (!image->layers)
		return err_no_memory(err);
	image->layer_count = count;
	cJSON_ArrayForEach (diff_id, json_at(config, "rootfs.diff_ids")) {
		struct image_layer *layer = &image->layers[i++];

		snprintf(layer->diff_id, sizeof(layer->diff_id), "%s", diff_id->valuestring);
	}
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
	return image->layers[i].size;
}

static int open_layer(const struct image *image, const struct image_layer *layer, bool hashed,
                      struct byte_source **ret, struct err *err)
{
	uint64_t size;

	if (!layer->described)
		return image_place_source(&image->place, layer->file, ret, &size, err);
	if (image_blob_open(&image->place, layer->digest, layer->size, hashed, ret, err) == 0)
		return 0;
	if (err->kind != ERR_NOT_FOUND)
		return -1;
	if (!layer->url)
		return err_set(err, ERR_NOT_FOUND, "%s is not part of the image on disk",
		               layer->digest);
	err_set(err, ERR_NOT_FOUND, "%s is not part of the image on disk: it comes from %.300s",
	        layer->digest, layer->url);
	return err_hint(err, "save the image with all its layers; oneoff downloads none");
}

int image_layer_open(const struct image *image, size_t i, struct byte_source **ret, struct err *err)
{
	if (open_layer(image, &image->layers[i], true, ret, err) < 0)
		return err_wrap(err, "layer %zu", i + 1);
	return 0;
}

int image_layer_open_once(const struct image *image, size_t i, struct byte_source **ret,
                          struct err *err)
{
	const struct image_layer *layer = &image->layers[i];

	if (open_layer(image, layer, strcmp(layer->digest, layer->diff_id) != 0, ret, err) < 0)
		return err_wrap(err, "layer %zu", i + 1);
	return 0;
}

void image_free(struct image **where)
{
	struct image *image = *where;

	*where = NULL;
	if (!image)
		return;
	for (size_t i = 0; i < image->layer_count; i++) {
		free(image->layers[i].file);
		free(image->layers[i].url);
	}
	free(image->layers);
	json_free(&image->config);
	free(image->name);
	image_place_release(&image->place);
	free(image);
}
