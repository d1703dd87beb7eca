/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "oci/image_internal.h"

/* What docker save writes before version 25 and podman save by default: manifest.json, a list of
 * {Config, RepoTags, Layers}. It has no descriptors: the name of a config holds its digest, that is the
 * image's id, and layers are held to the diff_ids of the config. */

#define MAX_IMAGES 1000

static int not_found(const cJSON *list, const char *reference, struct err *err)
{
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	const cJSON *entry, *tag;

	cJSON_ArrayForEach (entry, list)
		cJSON_ArrayForEach (tag, json_member(entry, "RepoTags"))
			if (cJSON_IsString(tag) &&
			    image_name_add(&names, image_name_familiar(tag->valuestring)) < 0)
				return err_no_memory(err);
	if (!reference)
		return err_set(err, ERR_NOT_FOUND, "there is no image in it");
	err_set(err, ERR_NOT_FOUND, "there is no image '%.200s' in it", reference);
	return image_name_hint(&names, "there are: ", err);
}

/* The tag of an entry that is meant most. */
static enum image_match match(const char *reference, const cJSON *entry, const char **ret_name)
{
	enum image_match best = IMAGE_NO_MATCH;
	const cJSON *tag;

	cJSON_ArrayForEach (tag, json_member(entry, "RepoTags")) {
		enum image_match found = cJSON_IsString(tag)
		                                 ? image_name_match(reference, tag->valuestring)
		                                 : IMAGE_NO_MATCH;

		if (found > best) {
			best = found;
			*ret_name = tag->valuestring;
		}
	}
	return best;
}

/* The digest that a config is named after: "HEX.json", "blobs/sha256/HEX"; false when it is not. */
static bool digest_of_name(const char *name, char ret[DIGEST_SIZE])
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;

	snprintf(ret, DIGEST_SIZE, DIGEST_PREFIX "%.64s", last);
	return digest_check(ret, &(struct err)ERR_INIT) == 0 &&
	       (!last[64] || !strcmp(last + 64, ".json"));
}

static int read_config(const struct image_place *place, const cJSON *entry, struct strbuf *ret,
                       char ret_digest[DIGEST_SIZE], struct err *err)
{
	const char *name = json_string(entry, "Config");
	char expected[DIGEST_SIZE];

	if (!name)
		return err_set(err, ERR_PROTOCOL, "manifest.json has an image without a Config");
	if (image_place_read(place, name, ret, err) < 0 ||
	    digest_of(strbuf_str(ret), ret->length, ret_digest, err) < 0)
		return err_wrap(err, "the config");
	if (digest_of_name(name, expected) && strcmp(expected, ret_digest) != 0)
		return err_set(err, ERR_PROTOCOL, "the config '%.200s' has the content %s", name,
		               ret_digest);
	return 0;
}

static int has_config_digest(const struct image_place *place, const cJSON *entry,
                             const char *digest, bool *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char found[DIGEST_SIZE];

	if (read_config(place, entry, &text, found, err) < 0)
		return -1;
	*ret = !strcmp(found, digest);
	return 0;
}

static int find_by_digest(const struct image_place *place, const cJSON *list, const char *digest,
                          const cJSON **ret, struct err *err)
{
	const cJSON *entry;

	if (digest_check(digest, err) < 0)
		return -1;
	cJSON_ArrayForEach (entry, list) {
		bool fits = false;

		if (has_config_digest(place, entry, digest, &fits, err) < 0)
			return -1;
		if (fits) {
			*ret = entry;
			return 0;
		}
	}
	return not_found(list, digest, err);
}

static int ambiguous(const struct strv *names, struct err *err)
{
	err_set(err, ERR_AMBIGUOUS, "there is more than one image in it");
	return image_name_hint(names, "name one of: ", err);
}

static const char *shown_name(const cJSON *entry)
{
	const char *name = json_string(entry, "RepoTags[0]");

	return name ? image_name_familiar(name) : json_string(entry, "Config");
}

/* By name, or the only one when `reference` is NULL. */
static int find_by_name(const cJSON *list, const char *reference, const cJSON **ret,
                        const char **ret_name, struct err *err)
{
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	enum image_match best = reference ? IMAGE_TAG_MATCHES : IMAGE_NO_MATCH;
	const cJSON *entry, *found = NULL;
	const char *name = NULL;
	bool several = false;

	cJSON_ArrayForEach (entry, list) {
		enum image_match how = reference ? match(reference, entry, &name) : IMAGE_NO_MATCH;
		const char *config = json_string(entry, "Config");

		if (how < best || !config)
			continue;
		if (how > best) {
			best = how;
			found = NULL;
			several = false;
			strv_release(&names);
		}
		several = several || (found && strcmp(config, json_string(found, "Config")) != 0);
		if (!found) {
			found = entry;
			*ret_name = name;
		}
		if (image_name_add(&names, name ? image_name_familiar(name) : shown_name(entry)) <
		    0)
			return err_no_memory(err);
	}
	if (!found)
		return not_found(list, reference, err);
	if (several)
		return ambiguous(&names, err);
	*ret = found;
	return 0;
}

static int check_platform(const cJSON *config, const struct platform *wanted, struct err *err)
{
	char there[IMAGE_PLATFORM_SIZE], here[IMAGE_PLATFORM_SIZE];
	struct platform platform;

	image_platform_parse(config, &platform);
	if (!platform.os)
		platform.os = "linux";
	if (!platform.architecture || image_platform_rank(wanted, &platform) >= 0)
		return 0;
	image_platform_print(wanted, here);
	image_platform_print(&platform, there);
	err_set(err, ERR_NOT_FOUND, "there is no image for %s in it", here);
	return err_hint(err, "it is made for %s", there);
}

static int take_layers(struct image *image, const cJSON *layers, struct err *err)
{
	const cJSON *name;
	size_t i = 0;

	cJSON_ArrayForEach (name, layers) {
		struct image_layer *layer = &image->layers[i++];
		const struct image_member *member;

		if (!cJSON_IsString(name))
			return err_set(err, ERR_PROTOCOL, "a layer of manifest.json is no name");
		layer->file = strdup(name->valuestring);
		if (!layer->file)
			return err_no_memory(err);
		/* What is missing is reported when it is opened. */
		if (image_tar_find(&image->place.tar, layer->file, &member,
		                   &(struct err)ERR_INIT) == 0)
			layer->size = member->size;
	}
	return 0;
}

static int load(struct image *image, const cJSON *entry, const char *name,
                const struct platform *platform, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const cJSON *layers = json_member(entry, "Layers");
	int count = cJSON_GetArraySize(layers);
	cJSON *config = NULL;

	if (count > IMAGE_MAX_LAYERS)
		return err_set(err, ERR_REFUSED, "it has %d layers, more than %d", count,
		               IMAGE_MAX_LAYERS);
	if (read_config(&image->place, entry, &text, image->digest, err) < 0)
		return -1;
	if (image_config_parse(strbuf_str(&text), text.length, (size_t)count, &config, err) < 0)
		return err_wrap(err, "the config %s", image->digest);
	if (image_take_config(image, config, (size_t)count, err) < 0 ||
	    check_platform(image->config, platform, err) < 0 || take_layers(image, layers, err) < 0)
		return -1;
	if (!name)
		name = json_string(entry, "RepoTags[0]");
	image->name = strdup(name ? image_name_familiar(name) : image->digest);
	return image->name ? 0 : err_no_memory(err);
}

static int read_list(const struct image_place *place, cJSON **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *list = NULL;
	const cJSON *entry;

	if (image_place_read(place, "manifest.json", &text, err) < 0)
		return -1;
	if (json_parse(strbuf_str(&text), text.length, IMAGE_MAX_DOCUMENT, &list, err) < 0)
		return err_wrap(err, "manifest.json");
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > MAX_IMAGES)
		return err_set(err, ERR_PROTOCOL, "manifest.json is no list of at most %d images",
		               MAX_IMAGES);
	cJSON_ArrayForEach (entry, list) {
		const cJSON *tags = json_member(entry, "RepoTags");
		const cJSON *layers = json_member(entry, "Layers");

		if (!json_string(entry, "Config") ||
		    (tags && !cJSON_IsNull(tags) && !cJSON_IsArray(tags)) ||
		    (layers && !cJSON_IsNull(layers) && !cJSON_IsArray(layers)))
			return err_set(err, ERR_PROTOCOL,
			               "manifest.json has an image that is none");
	}
	*ret = TAKE_PTR(list);
	return 0;
}

int image_docker_load(struct image *image, const char *reference, const struct platform *platform,
                      struct err *err)
{
	_cleanup_(json_free) cJSON *list = NULL;
	const cJSON *entry = NULL;
	const char *name = NULL;
	const char *at = reference ? strrchr(reference, '@') : NULL;
	const char *digest = at ? at + 1 : reference;
	int result;

	if (read_list(&image->place, &list, err) < 0)
		return -1;
	if (digest && digest_is_meant(digest))
		result = find_by_digest(&image->place, list, digest, &entry, err);
	else
		result = find_by_name(list, reference, &entry, &name, err);
	return result < 0 ? -1 : load(image, entry, name, platform, err);
}
