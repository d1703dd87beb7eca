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

/* The manifest that was chosen from index.json and the indexes below it. */
struct image_chosen {
	char digest[DIGEST_SIZE];
	int64_t size;
	const char *type; /* its media type; lives for ever */
	const char *name; /* as index.json has it, or NULL; borrowed from there */
};

/* Greatest number of documents that are read for one choice: an index may be named in many ways. */
#define IMAGE_MAX_DOCUMENTS 1000

/* Chooses among the entries of index.json, by name or digest and then by platform, as containerd does;
 * attestations, signatures and other artifacts are no images. ERR_NOT_FOUND, ERR_AMBIGUOUS with what
 * is there in the hint. */
int image_choose(const struct image *image, const cJSON *manifests, const char *reference,
                 const struct platform *platform, struct image_chosen *ret,
                 struct err *err) _must_check_;

/* A manifest or index by its descriptor, checked. `type` is the descriptor's media type, NULL for
 * index.json. ERR_PROTOCOL when it says it is something else, or could be taken for both
 * (CVE-2021-41190). */
int image_document_check(const cJSON *document, const char *type, struct err *err) _must_check_;
int image_document_read(const struct image *image, const char *digest, int64_t size,
                        const char *type, cJSON **ret, struct err *err) _must_check_;
/* Digest and size of a descriptor, valid ones. The digest is borrowed from it. */
int image_descriptor_parse(const cJSON *descriptor, const char **ret_digest, int64_t *ret_size,
                           struct err *err) _must_check_;
/* The config of a manifest, verified. */
int image_config_read(const struct image *image, const cJSON *manifest, cJSON **ret,
                      struct err *err) _must_check_;
/* The same text, if it is the media type of an index or of a manifest, else NULL. */
const char *image_index_type(const char *type);
const char *image_manifest_type(const char *type);
/* False for charts, signatures and whatever else comes as a manifest. */
bool image_manifest_is_image(const cJSON *manifest);

/* Whether a name that the image carries is meant by what the person typed. */
enum image_match {
	IMAGE_NO_MATCH,
	IMAGE_PART_MATCHES, /* "1", or "shop:1" for "example.com/shop:1" */
	IMAGE_NAME_MATCHES /* the same, as docker spells it: "shop" is "docker.io/library/shop:latest" */
};
enum image_match image_name_match(const char *name, const char *reference);
/* As people write it: "docker.io/library/shop:1" is "shop:1". Points into the argument. */
const char *image_name_familiar(const char *name);

/* Names for a hint: each once, not more than IMAGE_MAX_NAMES. 0 or -1. */
#define IMAGE_MAX_NAMES 200
int image_names_add(struct strv *names, const char *name) _must_check_;
/* Hints "BEFORE a, b AFTER", if there are names. Returns -1. */
int image_names_hint(const struct strv *names, const char *before, const char *after,
                     struct err *err);

/* 0 when it does not fit; the better the greater. Architectures may be spelled as uname does. */
int platform_fit(const struct platform *wanted, const char *os, const char *architecture,
                 const char *variant);
/* "linux/arm/v7". */
#define PLATFORM_TEXT_SIZE 128
void platform_print(const char *os, const char *architecture, const char *variant,
                    char ret[PLATFORM_TEXT_SIZE]);

#endif
