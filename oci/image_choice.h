/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How one manifest is chosen: image_choice.c walks down from the entries of index.json and collects the
 * manifests that fit the machine, image_choose.c decides which entries to walk and between what was
 * found. Internal to oci/image.h. Single thread.
 */
#ifndef ONEOFF_OCI_IMAGE_CHOICE_H
#define ONEOFF_OCI_IMAGE_CHOICE_H

#include "oci/image_internal.h"

/* The annotations of names: of image-spec annotations.md, where docker and containerd put the tag alone, and
 * of containerd, with the whole name. */
#define IMAGE_REF_NAME        "org.opencontainers.image.ref.name"
#define IMAGE_CONTAINERD_NAME "io.containerd.image.name"

/* A manifest that fits the machine. */
struct image_candidate {
	char digest[DIGEST_SIZE];
	int64_t size;
	const char *type; /* its media type; lives for ever */
	const char *name; /* of its entry in index.json, or NULL; borrowed */
	size_t entry;     /* the entry's place in index.json */
	int fit;          /* of the platform; the better the greater */
	bool asked;       /* it, or an index above it, has the digest that was asked for */
};

struct image_choice {
	const struct image *image;
	const struct platform *platform;
	const char *reference; /* what was typed, or NULL */
	const char *digest;    /* the same when it is a digest, else NULL */
	struct image_candidate *candidates;
	size_t count, allocated;
	size_t documents;      /* read so far */
	struct strv visited;   /* what was gone through */
	struct strv platforms; /* that are there but do not fit */
	char artifact[128];    /* the type of what is no image, if there was such a thing */
	bool asked_elsewhere;  /* what was asked for by digest is for another platform */
};

void image_choice_release(struct image_choice *choice);

/* Collects what is below one entry of index.json. */
int image_choice_expand(struct image_choice *choice, const cJSON *descriptor, size_t entry,
                        struct err *err) _must_check_;

/* An annotation, NULL when missing or empty; an entry's name, the longest it has. Borrowed. */
const char *image_annotation(const cJSON *descriptor, const char *key);
const char *image_entry_name(const cJSON *descriptor);

/* False for signatures, attestations and other things that are kept beside images. */
bool image_is_image_descriptor(const cJSON *descriptor);

#endif
