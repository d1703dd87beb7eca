/* SPDX-License-Identifier: Apache-2.0 */
/* From index.json, through indexes below it, to one manifest. */
#include <stdio.h>
#include <string.h>
#include "oci/image_choice.h"

/* index.json is the first. */
#define MAX_INDEXES    4
#define MAX_CANDIDATES 1000
#define MAX_VISITED    5000

void image_choice_release(struct image_choice *choice)
{
	free(choice->candidates);
	strv_release(&choice->visited);
	strv_release(&choice->platforms);
}

const char *image_annotation(const cJSON *descriptor, const char *key)
{
	const char *text =
		cJSON_GetStringValue(json_member(json_member(descriptor, "annotations"), key));

	return text && *text ? text : NULL;
}

const char *image_entry_name(const cJSON *descriptor)
{
	const char *name = image_annotation(descriptor, IMAGE_CONTAINERD_NAME);

	return name ? name : image_annotation(descriptor, IMAGE_REF_NAME);
}

bool image_is_image_descriptor(const cJSON *descriptor)
{
	const char *type = json_string(descriptor, "mediaType");
	const char *os = json_string(descriptor, "platform.os");

	if (image_annotation(descriptor, "vnd.docker.reference.type"))
		return false;
	if (json_string(descriptor, "artifactType") || (os && !strcmp(os, "unknown")))
		return false;
	return image_index_type(type) || image_manifest_type(type);
}

static int read_document(struct image_choice *choice, const struct image_candidate *which,
                         cJSON **ret, struct err *err)
{
	if (++choice->documents > IMAGE_MAX_DOCUMENTS)
		return err_set(err, ERR_REFUSED, "the index leads to more than %d documents",
		               IMAGE_MAX_DOCUMENTS);
	return image_document_read(choice->image, which->digest, which->size, which->type, ret,
	                           err);
}

/* ---- what there is ---- */

static int add_candidate(struct image_choice *choice, const struct image_candidate *candidate,
                         struct err *err)
{
	if (choice->count == MAX_CANDIDATES)
		return err_set(err, ERR_REFUSED, "the index leads to more than %d manifests",
		               MAX_CANDIDATES);
	if (choice->count == choice->allocated) {
		size_t size = choice->allocated ? choice->allocated * 2 : 8;
		struct image_candidate *grown =
			reallocarray(choice->candidates, size, sizeof(*grown));

		if (!grown)
			return err_no_memory(err);
		choice->candidates = grown;
		choice->allocated = size;
	}
	choice->candidates[choice->count++] = *candidate;
	return 0;
}

static int judge(struct image_choice *choice, const cJSON *platform,
                 struct image_candidate *candidate, struct err *err)
{
	const char *os = json_string(platform, "os");
	const char *architecture = json_string(platform, "architecture");
	const char *variant = json_string(platform, "variant");
	char text[PLATFORM_TEXT_SIZE];

	candidate->fit = platform_fit(choice->platform, os, architecture, variant);
	if (candidate->fit)
		return add_candidate(choice, candidate, err);
	choice->asked_elsewhere = choice->asked_elsewhere || candidate->asked;
	platform_print(os, architecture, variant, text);
	return image_names_add(&choice->platforms, text) < 0 ? err_no_memory(err) : 0;
}

/* Where the descriptor does not say the platform, the config does. */
static int judge_inside(struct image_choice *choice, struct image_candidate *candidate,
                        struct err *err)
{
	_cleanup_(json_free) cJSON *manifest = NULL;
	_cleanup_(json_free) cJSON *config = NULL;
	const char *type;

	if (read_document(choice, candidate, &manifest, err) < 0)
		return -1;
	if (!image_manifest_is_image(manifest)) {
		type = json_string(manifest, "artifactType");
		if (!type)
			type = json_string(manifest, "config.mediaType");
		snprintf(choice->artifact, sizeof(choice->artifact), "%s", type ? type : "?");
		return 0;
	}
	if (image_config_read(choice->image, manifest, &config, err) < 0)
		return -1;
	return judge(choice, config, candidate, err);
}

static int expand(struct image_choice *choice, const cJSON *descriptor,
                  const struct image_candidate *above, int depth, struct err *err);

static int expand_index(struct image_choice *choice, const struct image_candidate *which, int depth,
                        struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	const cJSON *item;

	if (depth >= MAX_INDEXES)
		return err_set(err, ERR_PROTOCOL, "indexes are nested more than %d deep",
		               MAX_INDEXES);
	if (read_document(choice, which, &document, err) < 0)
		return -1;
	cJSON_ArrayForEach (item, json_member(document, "manifests"))
		if (expand(choice, item, which, depth + 1, err) < 0)
			return -1;
	return 0;
}

/* 1: gone through already below this entry; again and again, that could take for ever. 0 or -1. */
static int was_seen(struct image_choice *choice, const struct image_candidate *which,
                    struct err *err)
{
	char key[DIGEST_SIZE + 32];

	snprintf(key, sizeof(key), "%zu %d %s", which->entry, which->asked, which->digest);
	for (size_t i = 0; i < choice->visited.count; i++)
		if (!strcmp(choice->visited.items[i], key))
			return 1;
	if (choice->visited.count == MAX_VISITED)
		return err_set(err, ERR_REFUSED, "the index leads to more than %d documents",
		               MAX_VISITED);
	return strv_add(&choice->visited, key) < 0 ? err_no_memory(err) : 0;
}

static int expand(struct image_choice *choice, const cJSON *descriptor,
                  const struct image_candidate *above, int depth, struct err *err)
{
	struct image_candidate candidate = *above;
	const char *type = json_string(descriptor, "mediaType");
	const cJSON *platform = json_member(descriptor, "platform");
	const char *digest;
	int seen;

	if (!image_is_image_descriptor(descriptor))
		return 0;
	if (image_descriptor_parse(descriptor, &digest, &candidate.size, err) < 0)
		return -1;
	snprintf(candidate.digest, sizeof(candidate.digest), "%s", digest);
	candidate.asked = above->asked || (choice->digest && !strcmp(digest, choice->digest));
	seen = was_seen(choice, &candidate, err);
	if (seen)
		return seen < 0 ? -1 : 0;
	candidate.type = image_index_type(type);
	if (candidate.type)
		return expand_index(choice, &candidate, depth, err);
	candidate.type = image_manifest_type(type);
	if (json_string(platform, "os") && json_string(platform, "architecture"))
		return judge(choice, platform, &candidate, err);
	return judge_inside(choice, &candidate, err);
}

int image_choice_expand(struct image_choice *choice, const cJSON *descriptor, size_t entry,
                        struct err *err)
{
	const struct image_candidate above = {.name = image_entry_name(descriptor), .entry = entry};

	return expand(choice, descriptor, &above, 1, err);
}
