/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the image reader: what image_open, the layout (image_layout.c) and the docker-archive
 * (image_archive.c) share. */
#ifndef ONEOFF_OCI_IMAGE_INTERNAL_H
#define ONEOFF_OCI_IMAGE_INTERNAL_H

#include "oci/digest.h"
#include "oci/image.h"
#include "oci/image_files.h"

/* More layers than any engine can mount are no image. */
#define IMAGE_MAX_LAYERS 512

struct image_layer {
	char *file;   /* owned; its name in the layout or tar */
	char *digest; /* owned; of the stored bytes, or NULL (docker-archive) */
	int64_t size; /* of the stored bytes by its descriptor, or -1 */
	char diff_id[DIGEST_SIZE];
};

struct image {
	struct image_files files;
	char digest[DIGEST_SIZE];
	char *name;    /* owned */
	cJSON *config; /* owned */
	struct image_layer *layers;
	size_t layer_count;
};

/* From index.json: finds the manifest, reads it and the config. */
int image_open_layout(struct image *image, const char *reference, const struct platform *platform,
                      struct err *err) _must_check_;
/* From manifest.json. */
int image_open_archive(struct image *image, const char *reference, const struct platform *platform,
                       struct err *err) _must_check_;

/* Sets image->config (taken) and makes room for its layers, whose diff_ids it names; `count` is how many
 * layers the manifest has. */
int image_set_config(struct image *image, cJSON *config, size_t count,
                     const struct platform *platform, struct err *err) _must_check_;

/* Whether a name that the image carries is meant by what the person typed: "1" or "shop:1" for
 * "docker.io/library/shop:1". */
bool image_name_matches(const char *name, const char *reference);

/* 0 when it does not fit; the better the greater. */
int platform_fit(const struct platform *wanted, const char *os, const char *architecture,
                 const char *variant);

#endif
