/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images made in memory, file by file, and written as a folder or as a tar:
 *
 *	struct image_bench bench;
 *	struct image_blob manifest;
 *	image_bench_open(&bench);
 *	image_bench_image(&bench, "amd64", "hello", &manifest);
 *	image_bench_index(&bench, &manifest, ",\"annotations\":{…}");
 *	image_bench_write(&bench, true);
 *	image = image_bench_expect(&bench, NULL);
 */
#ifndef ONEOFF_TESTS_IMAGE_HELPER_H
#define ONEOFF_TESTS_IMAGE_HELPER_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "oci/digest.h"
#include "oci/image.h"
#include "oci/store.h"
#include "pkg/base/sha256.h"
#include "pkg/base/strbuf.h"

#define OCI_TYPE(name)    "application/vnd.oci.image." name
#define DOCKER_TYPE(name) "application/vnd.docker." name
#define OCI_INDEX         OCI_TYPE("index.v1+json")
#define OCI_MANIFEST      OCI_TYPE("manifest.v1+json")
#define OCI_CONFIG        OCI_TYPE("config.v1+json")
#define OCI_LAYER         OCI_TYPE("layer.v1.tar")

#define IMAGE_BENCH_FILES 64

struct image_bench_file {
	char name[256];
	struct strbuf bytes;
	const char *link; /* a symbolic link in a tar instead */
};

struct image_blob {
	char digest[DIGEST_SIZE];
	size_t size;
};

struct image_bench {
	char base[64];  /* a folder of our own */
	char path[96];  /* what was written last */
	char store[96]; /* a store in it, not yet there */
	struct image_bench_file files[IMAGE_BENCH_FILES];
	size_t count;
	struct platform platform; /* what images are opened for; linux/amd64 */
	struct strbuf reports;
	struct reporter reporter;
};

void image_bench_open(struct image_bench *bench);
void image_bench_close(struct image_bench *bench);

/* Adds a file, or replaces the one of that name. Does not write it yet. */
void image_bench_file(struct image_bench *bench, const char *name, const void *bytes,
                      size_t length);
void image_bench_text(struct image_bench *bench, const char *name, const char *format, ...)
	_printf_(3, 4);
void image_bench_link(struct image_bench *bench, const char *name, const char *target);
struct image_bench_file *image_bench_find(struct image_bench *bench, const char *name);
void image_bench_forget(struct image_bench *bench, const char *name);

/* Adds blobs/sha256/HEX. */
void image_bench_blob(struct image_bench *bench, const void *bytes, size_t length,
                      struct image_blob *ret);
void image_bench_blob_text(struct image_bench *bench, struct image_blob *ret, const char *format,
                           ...) _printf_(3, 4);
/* The path of a blob in the layout. Valid until the next call. */
const char *image_blob_name(const struct image_blob *blob);
void image_digest_of(const void *bytes, size_t length, char ret[DIGEST_SIZE]);

/* {"mediaType":…,"digest":…,"size":… EXTRA}; valid until 8 calls later. */
const char *image_descriptor(const char *media_type, const struct image_blob *blob,
                             const char *extra);

/* A layer with the one file "data", as a blob. */
void image_bench_layer(struct image_bench *bench, const char *content, struct image_blob *ret);
/* A config for linux/ARCHITECTURE with these diff_ids (quoted, with commas between). */
void image_bench_config(struct image_bench *bench, const char *architecture, const char *diff_ids,
                        struct image_blob *ret);
/* A manifest of one config and layers as they are written in it. */
void image_bench_manifest(struct image_bench *bench, const struct image_blob *config,
                          const char *layers, struct image_blob *ret);
/* All three: an image whose one layer holds `content`. */
void image_bench_image(struct image_bench *bench, const char *architecture, const char *content,
                       struct image_blob *ret);
/* oci-layout, and index.json with these entries. */
void image_bench_index(struct image_bench *bench, const char *entries);
/* An entry of an index with a name, which may be NULL. */
const char *image_entry(const struct image_blob *manifest, const char *ref_name);

/* Writes everything to BASE/image or BASE/image.tar. */
void image_bench_write(struct image_bench *bench, bool tar);
/* Opens it; must succeed. */
struct image *image_bench_expect(struct image_bench *bench, const char *reference);
/* Must fail so, with the words in message or hint. */
void image_bench_refused(struct image_bench *bench, const char *reference, enum err_kind kind,
                         const char *words);
/* Opens, checks the digest, frees. */
void image_bench_chosen(struct image_bench *bench, const char *reference,
                        const struct image_blob *manifest);

/* All bytes of a source; 0 or -1. */
int image_read_all(struct byte_source *source, struct strbuf *ret, struct err *err);

#endif
