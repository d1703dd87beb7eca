/* SPDX-License-Identifier: Apache-2.0 */
/* The tar of `docker save` and `podman save` (docker-archive): manifest.json names config and layers; their
 * only digests are the config's diff_ids and its own name. */
#include <stdio.h>
#include <string.h>
#include "oci/image_internal.h"

/* The tag that is meant most, and how much. */
static enum image_match match_tag(const cJSON *entry, const char *reference, const char **ret_tag)
{
	enum image_match best = IMAGE_NO_MATCH;
	const cJSON *tag;

	cJSON_ArrayForEach (tag, json_member(entry, "RepoTags")) {
		enum image_match found = cJSON_IsString(tag)
		                                 ? image_name_match(tag->valuestring, reference)
		                                 : IMAGE_NO_MATCH;

		if (found > best) {
			best = found;
			*ret_tag = tag->valuestring;
		}
	}
	return best;
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

static enum image_match match(const cJSON *entry, const char *reference, const char **ret_tag)
{
	char digest[DIGEST_SIZE];

	*ret_tag = json_string(entry, "RepoTags[0]");
	if (!reference)
		return IMAGE_NAME_MATCHES;
	if (digest_is_valid(reference))
		return named_digest(json_string(entry, "Config"), digest) &&
		                       !strcmp(digest, reference)
		               ? IMAGE_NAME_MATCHES
		               : IMAGE_NO_MATCH;
	return match_tag(entry, reference, ret_tag);
}

static int hint_names(const cJSON *entries, struct err *err)
{
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	const cJSON *entry;

	cJSON_ArrayForEach (entry, entries) {
		const char *tag = json_string(entry, "RepoTags[0]");

		if (!tag)
			tag = json_string(entry, "Config");
		if (tag && image_names_add(&names, image_name_familiar(tag)) < 0)
			return err_no_memory(err);
	}
	return image_names_hint(&names, "there are: ", "; name one: oci-layout:PATH:TAG", err);
}

/* One image may stand there twice; the whole name wins over those of which it is a part. */
static const cJSON *choose_entry(const cJSON *entries, const char *reference, const char **ret_tag,
                                 struct err *err)
{
	enum image_match best = IMAGE_NO_MATCH;
	const cJSON *entry, *found = NULL;
	bool several = false;

	cJSON_ArrayForEach (entry, entries) {
		const char *config = json_string(entry, "Config");
		const char *tag = NULL;
		enum image_match how = match(entry, reference, &tag);

		if (!config || how == IMAGE_NO_MATCH || how < best)
			continue;
		several = found && how == best &&
		          (several || strcmp(config, json_string(found, "Config")) != 0);
		if (!found || how > best) {
			found = entry;
			*ret_tag = tag;
		}
		best = how;
	}
	if (found && !several)
		return found;
	if (found)
		err_set(err, ERR_AMBIGUOUS, "the archive has more than one image%s%.200s",
		        reference ? " of the name " : "", reference ? reference : "");
	else
		err_set(err, ERR_NOT_FOUND, "the archive has no image%s%.200s",
		        reference ? " " : "", reference ? reference : "");
	hint_names(entries, err);
	return NULL;
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
	const char *file, *tag = NULL;
	bool named;

	if (image_files_json(&image->files, "manifest.json", NULL, -1, NULL, &manifest, err) < 0)
		return -1;
	if (!cJSON_IsArray(manifest))
		return err_set(err, ERR_PROTOCOL, "manifest.json is no list of images");
	entry = choose_entry(manifest, reference, &tag, err);
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
	if (tag && !(image->name = strdup(image_name_familiar(tag)))) {
		json_free(&config);
		return err_no_memory(err);
	}
	if (image_set_config(image, config, (size_t)cJSON_GetArraySize(layers), platform, err) < 0)
		return -1;
	return add_layers(image, layers, err);
}
