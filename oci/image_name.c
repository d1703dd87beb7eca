/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "oci/image_internal.h"

static const char *skip_prefix(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) != 0 ? name : name + length;
}

const char *image_name_familiar(const char *name)
{
	const char *rest = skip_prefix(name, "docker.io/");
	const char *last;

	if (rest == name)
		rest = skip_prefix(name, "index.docker.io/");
	last = skip_prefix(rest, "library/");
	if (!strchr(last, '/'))
		rest = last;
	return *rest ? rest : name;
}

/* The tag behind its colon, or NULL: a colon before a slash belongs to a port, one behind an @ to a
 * digest. */
static const char *tag_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *colon = strchr(slash ? slash : name, ':');

	return colon && !strchr(name, '@') ? colon + 1 : NULL;
}

static bool is_same(const char *one, const char *two)
{
	const char *first_tag, *second_tag;
	size_t first, second;

	one = image_name_familiar(one);
	two = image_name_familiar(two);
	if (!strcmp(one, two))
		return true;
	if (strchr(one, '@') || strchr(two, '@'))
		return false;
	first_tag = tag_of(one);
	second_tag = tag_of(two);
	first = first_tag ? (size_t)(first_tag - one) - 1 : strlen(one);
	second = second_tag ? (size_t)(second_tag - two) - 1 : strlen(two);
	return first == second && !strncmp(one, two, first) &&
	       !strcmp(first_tag ? first_tag : "latest", second_tag ? second_tag : "latest");
}

enum image_match image_name_match(const char *name, const char *reference)
{
	size_t length = strlen(name), wanted = strlen(reference);
	const char *tag = tag_of(name);

	if (!wanted)
		return IMAGE_NO_MATCH;
	if (is_same(name, reference))
		return IMAGE_NAME_MATCHES;
	if (tag && !strcmp(tag, reference))
		return IMAGE_PART_MATCHES;
	/* Without the domain and folders before it. */
	return strchr(reference, ':') && wanted < length && name[length - wanted - 1] == '/' &&
	                       !strcmp(name + length - wanted, reference)
	               ? IMAGE_PART_MATCHES
	               : IMAGE_NO_MATCH;
}

int image_names_add(struct strv *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i], name))
			return 0;
	return names->count < IMAGE_MAX_NAMES ? strv_add(names, name) : 0;
}

int image_names_hint(const struct strv *names, const char *before, const char *after,
                     struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < names->count; i++) {
		if (text.length + strlen(names->items[i]) + strlen(before) + strlen(after) + 16 >
		    sizeof(err->hint)) {
			strbuf_adds(&text, " and others");
			break;
		}
		strbuf_addf(&text, "%s%s", i ? ", " : "", names->items[i]);
	}
	return names->count ? err_hint(err, "%s%s%s", before, strbuf_str(&text), after) : -1;
}
