/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "oci/image_choice.h"

static enum image_match match(const char *reference, const cJSON *descriptor)
{
	const char *name = image_annotation(descriptor, IMAGE_CONTAINERD_NAME);
	const char *tag = image_annotation(descriptor, IMAGE_REF_NAME);
	enum image_match by_name = name ? image_name_match(name, reference) : IMAGE_NO_MATCH;
	enum image_match by_tag = tag ? image_name_match(tag, reference) : IMAGE_NO_MATCH;

	/* Beside a whole name, the other is only its tag. */
	if (name && by_tag == IMAGE_NAME_MATCHES)
		by_tag = IMAGE_PART_MATCHES;
	return by_name > by_tag ? by_name : by_tag;
}

static int hint_names(const cJSON *manifests, struct err *err)
{
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	const cJSON *item;

	cJSON_ArrayForEach (item, manifests) {
		const char *name = image_entry_name(item);
		const char *shown = name ? image_name_familiar(name) : json_string(item, "digest");

		if (shown && image_is_image_descriptor(item) && image_names_add(&names, shown) < 0)
			return err_no_memory(err);
	}
	return image_names_hint(&names, "there are: ", "; name one: oci-layout:PATH:TAG", err);
}

static int not_found(const struct image_choice *choice, const cJSON *manifests, struct err *err)
{
	char text[PLATFORM_TEXT_SIZE];

	platform_print(choice->platform->os, choice->platform->architecture,
	               choice->platform->variant, text);
	if (choice->platforms.count && (!choice->digest || choice->asked_elsewhere)) {
		err_set(err, ERR_NOT_FOUND, "the image is not for %s", text);
		return image_names_hint(&choice->platforms, "it is for ", "", err);
	}
	if (*choice->artifact)
		return err_set(err, ERR_NOT_FOUND, "the layout has no image, but '%s'",
		               choice->artifact);
	if (!choice->reference)
		return err_set(err, ERR_NOT_FOUND, "the layout has no image");
	err_set(err, ERR_NOT_FOUND, "the layout has no image '%.200s'", choice->reference);
	return hint_names(manifests, err);
}

static bool has_digest(const cJSON *descriptor, const char *digest)
{
	const char *own = json_string(descriptor, "digest");

	return digest && own && !strcmp(own, digest);
}

/* Goes into the entries that may be meant. A whole name wins over those of which it is a part; with a digest
 * that index.json has, nothing else is read. */
static int expand_entries(struct image_choice *choice, const cJSON *manifests, struct err *err)
{
	enum image_match best = IMAGE_NO_MATCH;
	bool direct = false;
	const cJSON *item;
	size_t entry = 0;

	cJSON_ArrayForEach (item, manifests) {
		if (!image_is_image_descriptor(item))
			continue;
		direct = direct || has_digest(item, choice->digest);
		if (choice->reference && !choice->digest && match(choice->reference, item) > best)
			best = match(choice->reference, item);
	}
	if (choice->reference && !choice->digest && best == IMAGE_NO_MATCH)
		return not_found(choice, manifests, err);
	cJSON_ArrayForEach (item, manifests) {
		size_t place = entry++;

		if ((best != IMAGE_NO_MATCH && match(choice->reference, item) != best) ||
		    (direct && !has_digest(item, choice->digest)))
			continue;
		if (image_choice_expand(choice, item, place, err) < 0)
			return -1;
	}
	return 0;
}

static int has_config(const struct image_choice *choice, const struct image_candidate *candidate,
                      bool *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *manifest = NULL;

	if (image_document_read(choice->image, candidate->digest, candidate->size, candidate->type,
	                        &manifest, err) < 0)
		return -1;
	*ret = has_digest(json_member(manifest, "config"), choice->digest);
	return 0;
}

/* Leaves what has the digest that was asked for: itself, or an index above it, or else its config, which is
 * what docker calls the image's id. */
static int keep_asked(struct image_choice *choice, struct err *err)
{
	bool by_config = !choice->asked_elsewhere;
	size_t kept = 0;

	for (size_t i = 0; i < choice->count; i++)
		by_config = by_config && !choice->candidates[i].asked;
	for (size_t i = 0; i < choice->count; i++) {
		struct image_candidate *candidate = &choice->candidates[i];

		if (by_config && has_config(choice, candidate, &candidate->asked, err) < 0)
			return -1;
		if (candidate->asked)
			choice->candidates[kept++] = *candidate;
	}
	choice->count = kept;
	return 0;
}

static bool same_name(const struct image_candidate *one, const struct image_candidate *two)
{
	return one->name && two->name ? !strcmp(one->name, two->name) : one->name == two->name;
}

/* Of one image, several manifests may fit the machine: the better one counts, and of one entry the first. */
static bool is_outdone(const struct image_choice *choice, const struct image_candidate *candidate)
{
	for (size_t i = 0; i < choice->count; i++) {
		const struct image_candidate *other = &choice->candidates[i];

		if (same_name(candidate, other) &&
		    (other->fit > candidate->fit ||
		     (other->fit == candidate->fit && other->entry == candidate->entry &&
		      other < candidate)))
			return true;
	}
	return false;
}

static int decide(const struct image_choice *choice, const struct image_candidate **ret,
                  struct err *err)
{
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	const struct image_candidate *chosen = NULL;
	bool several = false;

	for (size_t i = 0; i < choice->count; i++) {
		const struct image_candidate *candidate = &choice->candidates[i];

		if (is_outdone(choice, candidate))
			continue;
		if (!chosen)
			chosen = candidate;
		several = several || strcmp(chosen->digest, candidate->digest) != 0;
		if (image_names_add(&names, candidate->name ? image_name_familiar(candidate->name)
		                                            : candidate->digest) < 0)
			return err_no_memory(err);
	}
	if (several) {
		err_set(err, ERR_AMBIGUOUS, "the layout has more than one image%s%.200s",
		        choice->reference ? " of the name " : "",
		        choice->reference ? choice->reference : "");
		return image_names_hint(&names, "there are: ", "; name one: oci-layout:PATH:TAG",
		                        err);
	}
	*ret = chosen;
	return 0;
}

int image_choose(const struct image *image, const cJSON *manifests, const char *reference,
                 const struct platform *platform, struct image_chosen *ret, struct err *err)
{
	_cleanup_(image_choice_release) struct image_choice choice = {
		.image = image,
		.platform = platform,
		.reference = reference,
		.digest = digest_is_valid(reference) ? reference : NULL,
	};
	const struct image_candidate *chosen = NULL;

	if (expand_entries(&choice, manifests, err) < 0 ||
	    (choice.digest && keep_asked(&choice, err) < 0) || decide(&choice, &chosen, err) < 0)
		return -1;
	if (!chosen)
		return not_found(&choice, manifests, err);
	snprintf(ret->digest, sizeof(ret->digest), "%s", chosen->digest);
	ret->size = chosen->size;
	ret->type = chosen->type;
	ret->name = chosen->name;
	return 0;
}
