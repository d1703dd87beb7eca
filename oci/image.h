/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image on disk, read in place: an OCI image layout (image-spec v1.1 image-layout.md) as a folder
 * or as a tar, or the tar that `docker save` and `podman save` write. Both media-type families, index
 * in index, platform choice. Every document is checked against its descriptor before it is parsed,
 * every layer while it is read (size, digest).
 *
 *	_cleanup_(image_free) struct image *image = NULL;
 *	if (image_open("./shop", "1", NULL, &image, err) < 0)
 *		return -1;
 *	for (size_t i = 0; i < image_layer_count(image); i++) {
 *		_cleanup_(byte_source_close) struct byte_source *layer = NULL;
 *		if (image_layer_open(image, i, &layer, err) < 0)
 *			…
 *	}
 *
 * Single thread. Borrowed strings live as long as the image.
 */
#ifndef ONEOFF_OCI_IMAGE_H
#define ONEOFF_OCI_IMAGE_H

#include "oci/byte_source.h"
#include "pkg/json/json.h"

struct platform {
	const char *os;           /* "linux" */
	const char *architecture; /* "amd64", "arm64": names of Go's GOARCH */
	const char *variant;      /* "v7", or NULL */
};

struct image;

/* `reference` picks the manifest: a tag ("1", "shop:1", "docker.io/library/shop:1": compared with the
 * ref.name annotation, with io.containerd.image.name, with RepoTags), a digest ("sha256:…"), or NULL:
 * the only image that is there. `platform` NULL: this machine's. ERR_NOT_FOUND with the names that
 * are there in the hint; ERR_AMBIGUOUS with them when there are several and none was named;
 * ERR_PROTOCOL for what breaks the specification or its own digest. */
int image_open(const char *path, const char *reference, const struct platform *platform,
               struct image **ret, struct err *err) _must_check_;

/* The platform of the machine we run on. */
void platform_host(struct platform *ret);

/* "sha256:HEX" of the manifest; of the config for a docker-archive without one. */
const char *image_digest(const struct image *image);
/* The name it was found by, for people: "shop:1"; the digest when it has none. */
const char *image_name(const struct image *image);
/* The image config document (image-spec config.md). Borrowed. */
const cJSON *image_config(const struct image *image);

size_t image_layer_count(const struct image *image);
/* "sha256:HEX" of layer i, lowest first, uncompressed (rootfs.diff_ids). */
const char *image_layer_diff_id(const struct image *image, size_t i);
/* The layer's bytes as stored (maybe compressed), verified against its descriptor; a docker-archive
 * has none, there the diff_id is what counts. Owned by the caller. */
int image_layer_open(const struct image *image, size_t i, struct byte_source **ret,
                     struct err *err) _must_check_;
/* Stored bytes of layer i, or 0 when not known. */
uint64_t image_layer_size(const struct image *image, size_t i);

/* For _cleanup_: frees the image; NULL is fine. */
void image_free(struct image **image);

#endif
