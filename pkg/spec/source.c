/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/source.h"

#include <stdbool.h>
#include <string.h>
#include "pkg/base/options.h"

static const struct {
	const char *prefix;
	enum source_kind kind;
} prefixes[] = {
	{"compose", SOURCE_COMPOSE}, {"docker", SOURCE_DOCKER},         {"podman", SOURCE_PODMAN},
	{"oci", SOURCE_OCI},         {"oci-layout", SOURCE_OCI_LAYOUT},
};

void source_release(struct source *source)
{
	free(source->text);
	free(source->name);
	free(source->project);
	free(source->reference);
	free(source->object_kind);
	*source = (struct source){0};
}

static int refuse(const char *text, const char *why, struct err *err)
{
	err_set(err, ERR_USAGE, "source '%s' %s", text, why);
	return err_hint(err, "name a container (web), a compose service (compose:PROJECT/SERVICE) "
	                     "or a workload (deploy/web)");
}

static int refuse_prefix(const char *text, size_t length, struct err *err)
{
	_cleanup_free_ char *word = strndup(text, length);
	const char *names[ARRAY_SIZE(prefixes)];
	const char *near;

	if (!word)
		return err_no_memory(err);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		names[i] = prefixes[i].prefix;
	near = nearest_name(word, names, ARRAY_SIZE(names));
	err_set(err, ERR_USAGE, "source '%s' begins with the unknown prefix '%s:'", text, word);
	if (near)
		return err_hint(err, "did you mean '%s:'?", near);
	return err_hint(err, "the prefixes are compose:, docker:, podman:, oci: and oci-layout:");
}

static bool has_control_byte(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	}
	return false;
}

/* Splits "FIRST/NAME"; without a slash *ret_first stays NULL. */
static int split_slash(const char *text, const char *part, char **ret_first, char **ret_name,
                       struct err *err)
{
	const char *slash = strchr(part, '/');
	_cleanup_free_ char *first = NULL;
	_cleanup_free_ char *name = NULL;

	if (slash && strchr(slash + 1, '/')) {
		err_set(err, ERR_USAGE, "source '%s' has more than one slash", text);
		return err_hint(err, "a namespace goes into -n, a container's name into -c");
	}
	if (slash == part || (slash && !slash[1]))
		return refuse(text, "has nothing on one side of the slash", err);
	if (slash && !(first = strndup(part, (size_t)(slash - part))))
		return err_no_memory(err);
	name = strdup(slash ? slash + 1 : part);
	if (!name)
		return err_no_memory(err);
	*ret_first = TAKE_PTR(first);
	*ret_name = TAKE_PTR(name);
	return 0;
}

/* "PATH", "PATH:TAG" or "PATH@sha256:HEX". A tag has no slash, so a colon in a folder's name is none. */
static int split_reference(const char *part, struct source *source, struct err *err)
{
	const char *cut = strrchr(part, '@');

	if (!cut || cut[1] == '/' || strchr(cut, '/'))
		cut = strrchr(part, ':');
	if (cut && (strchr(cut, '/') || cut == part || !cut[1]))
		cut = NULL;
	source->name = cut ? strndup(part, (size_t)(cut - part)) : strdup(part);
	source->reference = cut ? strdup(cut + 1) : NULL;
	return source->name && (!cut || source->reference) ? 0 : err_no_memory(err);
}

/* What stands behind "docker:" and its like. */
static int parse_prefixed(const char *text, const char *colon, struct source *source,
                          struct err *err)
{
	size_t length = (size_t)(colon - text), i = 0;

	while (i < ARRAY_SIZE(prefixes) &&
	       (strlen(prefixes[i].prefix) != length || strncmp(prefixes[i].prefix, text, length)))
		i++;
	if (i == ARRAY_SIZE(prefixes))
		return refuse_prefix(text, length, err);
	source->kind = prefixes[i].kind;
	if (!colon[1])
		return refuse(text, "has no name", err);
	if (source->kind == SOURCE_OCI_LAYOUT)
		return split_reference(colon + 1, source, err);
	if (source->kind != SOURCE_COMPOSE && strchr(colon, '/'))
		return refuse(text, "has a slash, which no container's name has", err);
	return split_slash(text, colon + 1, &source->project, &source->name, err);
}

int source_parse(const char *text, struct source *ret, struct err *err)
{
	_cleanup_(source_release) struct source source = {.kind = SOURCE_BARE};
	const char *colon = strchr(text, ':');
	const char *slash = strchr(text, '/');

	if (!*text)
		return refuse(text, "is empty", err);
	if (has_control_byte(text))
		return refuse(text, "holds a control byte", err);
	if (colon && (!slash || colon < slash)) {
		if (parse_prefixed(text, colon, &source, err) < 0)
			return -1;
	} else {
		if (split_slash(text, text, &source.object_kind, &source.name, err) < 0)
			return -1;
		if (source.object_kind)
			source.kind = SOURCE_KUBERNETES;
	}
	source.text = strdup(text);
	if (!source.text)
		return err_no_memory(err);
	*ret = source;
	source = (struct source){0};
	return 0;
}
