/* SPDX-License-Identifier: Apache-2.0 */
/* The tar of `docker save` and `podman save` (docker-archive): manifest.json names config and layers; their
 * only digests are the config's diff_ids and its own name. */
#include <stdio.h>
#include <string.h>
#include "oci/image_internal.h"

#define MAX_NAMES 20

static bool has_tag(const cJSON *entry, const char *reference)
{
	const cJSON *tag;

	cJSON_ArrayForEach (tag, json_member(entry, "RepoTags"))
		if (cJSON_IsString(tag) && image_name_matches(tag->valuestring, reference))
			return true;
	return false;
}

/* "HEX.json" and "blobs/sha256/HEX": the config is named by its digest. */
static bool named_digest(const char *file, char ret[DIGEST_SIZE])
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	const char *base = slash ? slash + 1 : file;

	if (!base)
		return false;
	snprintf(ret, DIGEST_SIZE, "sha256:%.64s", base);
	return digest_is_valid(ret) && (!base[64] || !strcmp(base + 64, ".json"));
}

static bool is_meant(const cJSON *entry, const char *reference)
{
	char digest[DIGEST_SIZE];

	if (!reference)
		return true;
	if (digest_is_valid(reference))
		return named_digest(json_string(entry, "Config"), digest) &&
		       !strcmp(digest, reference);
	return has_tag(entry, reference);
}

static int not_one(const cJSON *entries, const char *reference, bool none, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;
	const cJSON *entry;
	int count = 0;

	cJSON_ArrayForEach (entry, entries) {
		const char *tag = json_string(entry, "RepoTags[0]");

		if (!tag)
			tag = json_string(entry, "Config");
		if (tag && count++ < MAX_NAMES)
			strbuf_addf(&list, "%s%s", list.length ? ", " : "", tag);
	}
	if (none)
		err_set(err, ERR_NOT_FOUND, "the archive has no image%s%s", reference ? " " : "",
		        reference ? reference : "");
	else
		err_set(err, ERR_AMBIGUOUS, "the archive has more than one image");
	return list.length ? err_hint(err, "there are: %s; name one: oci-layout:PATH:TAG",
	                              strbuf_str(&list))
	                   : -1;
}

static const cJSON *choose_entry(const cJSON *entries, const char *reference, struct err *err)
{
	const cJSON *entry, *found = NULL;

	cJSON_ArrayForEach (entry, entries) {
		if (!is_meant(entry, reference))
			continue;
		if (found) {
			not_one(entries, reference, false, err);
			return NULL;
		}
		found = entry;
	}
	if (!found)
		not_one(entries, reference, true, err);
	return found;
}

static int add_layers(struct image *image, const cJSON *files, struct err *err)
{
	const cJSON *file;
	size_t i = 0;

	cJSON_ArrayForEach (file, files) {
		const char *name = cJSON_GetStringValue(file);

		if (!name || !image_files_have(&image->files, name))
			return err_set(err, ERR_NOT_FOUND, "the archive lacks the layer '%s'",
			               name ? name : "");
		image->layers[i].size = -1;
		image->layers[i].file = strdup(name);
		if (!image->layers[i++].file)
			return err_no_memory(err);
	}
	return 0;
}

int image_open_archive(struct image *image, const char *reference, const struct platform *platform,
                       struct err *err)
{
	_cleanup_(json_free) cJSON *manifest = NULL;
	cJSON *config = NULL;
	const cJSON *entry, *layers;
	char digest[DIGEST_SIZE];
	const char *file, *tag;
	bool named;

	if (image_files_json(&image->files, "manifest.json", NULL, -1, NULL, &manifest, err) < 0)
		return -1;
	entry = choose_entry(manifest, reference, err);
	if (!entry)
		return -1;
	file = json_string(entry, "Config");
	layers = json_member(entry, "Layers");
	if (!file || !cJSON_IsArray(layers))
		return err_set(err, ERR_PROTOCOL, "manifest.json names no config or no layers");
	named = named_digest(file, digest);
	if (image_files_json(&image->files, file, named ? digest : NULL, -1, image->digest, &config,
	                     err) < 0)
		return err_wrap(err, "config");
	tag = json_string(entry, "RepoTags[0]");
	if (tag && !(image->name = strdup(tag))) {
		json_free(&config);
		return err_no_memory(err);
	}
	if (image_set_config(image, config, (size_t)cJSON_GetArraySize(layers), platform, err) < 0)
		return -1;
	return add_layers(image, layers, err);
}
