/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/registry_internal.h"

#include <string.h>

#define LOWER   "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define MAX_NAME     255
#define DIGEST_START "sha256:"

bool registry_is_digest(const char *text)
{
	size_t start = strlen(DIGEST_START);

	return !strncmp(text, DIGEST_START, start) && strlen(text) == start + 64 &&
	       strspn(text + start, "0123456789abcdef") == 64;
}

/* distribution's path-component: lower-case words joined by ".", "_", "__" or dashes. */
static bool is_component(const char *text, size_t length)
{
	size_t at = 0;

	for (;;) {
		size_t word = strspn(text + at, LOWER), dashes;

		at += word;
		if (!word || at > length)
			return false;
		if (at == length)
			return true;
		dashes = strspn(text + at, "-");
		if (dashes)
			at += dashes;
		else if (text[at] == '.')
			at++;
		else if (text[at] == '_')
			at += text[at + 1] == '_' ? 2 : 1;
		else
			return false;
	}
}

static bool is_repository(const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "/");

		if (!is_component(text, length))
			return false;
		if (!text[length])
			return true;
		text += length + 1;
	}
}

static bool is_port(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= 5 && strspn(text, "0123456789") == length;
}

/* Labels of letters, digits and inner dashes, or an IPv6 address in brackets; and a port. */
static bool is_server(const char *text)
{
	if (*text == '[') {
		size_t length = strspn(text + 1, "0123456789abcdefABCDEF:");

		if (length < 2 || text[length + 1] != ']')
			return false;
		text += length + 2;
		return !*text || (*text == ':' && is_port(text + 1));
	}
	for (;;) {
		size_t length = strspn(text, LETTERS "-");

		if (!length || *text == '-' || text[length - 1] == '-')
			return false;
		text += length;
		if (!*text)
			return true;
		if (*text == ':')
			return is_port(text + 1);
		if (*text++ != '.')
			return false;
	}
}

/* Docker's rule for what stands before the first slash: a host has a dot, a port, or is localhost; or it cannot be a
 * repository because of its capitals. */
static bool looks_like_server(const char *text)
{
	return strpbrk(text, ".:ABCDEFGHIJKLMNOPQRSTUVWXYZ") || !strcmp(text, "localhost");
}

/* Cuts off ":TAG"; false when what looks like one is none. */
static bool cut_tag(char *name)
{
	char *slash = strrchr(name, '/');
	char *colon = strchr(slash ? slash : name, ':');
	size_t length;

	if (!colon)
		return true;
	*colon++ = '\0';
	length = strlen(colon);
	return length > 0 && length <= 128 && *colon != '.' && *colon != '-' &&
	       strspn(colon, LETTERS "_.-") == length;
}

/* "docker.io" is only a name; "web" there is "library/web". */
static int split_name(char *name, char **ret_server, char **ret_repository, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf repository = STRBUF_INIT;
	_cleanup_free_ char *server = NULL;
	char *slash = strchr(name, '/');
	const char *rest = name, *host = REGISTRY_HUB;

	if (slash) {
		*slash = '\0';
		if (looks_like_server(name)) {
			host = name;
			rest = slash + 1;
		} else {
			*slash = '/';
		}
	}
	if (!strcmp(host, REGISTRY_HUB) || !strcmp(host, "index.docker.io")) {
		host = REGISTRY_HUB_SERVER;
		if (!strchr(rest, '/'))
			strbuf_adds(&repository, "library/");
	}
	if (!is_server(host) || !is_repository(rest))
		return err_set(err, ERR_USAGE, "it is no image reference");
	strbuf_adds(&repository, rest);
	server = strdup(host);
	if (!server || repository.failed)
		return err_no_memory(err);
	*ret_repository = strbuf_take(&repository);
	*ret_server = TAKE_PTR(server);
	return 0;
}

int registry_split(const char *reference, char **ret_server, char **ret_repository,
                   char **ret_digest, struct err *err)
{
	_cleanup_free_ char *name = strdup(reference), *digest = NULL;
	char *at;

	if (!name)
		return err_no_memory(err);
	at = strchr(name, '@');
	if (!at)
		return err_set(err, ERR_USAGE, "image '%s' is not named by a digest", reference);
	*at++ = '\0';
	if (!registry_is_digest(at))
		return err_set(err, ERR_USAGE, "image '%s' is not named by a sha256 digest",
		               reference);
	digest = strdup(at);
	if (!digest)
		return err_no_memory(err);
	if (!cut_tag(name) || strlen(name) > MAX_NAME)
		return err_set(err, ERR_USAGE, "'%s' is no image reference", reference);
	if (split_name(name, ret_server, ret_repository, err) < 0)
		return err->kind == ERR_USAGE
		               ? err_set(err, ERR_USAGE, "'%s' is no image reference", reference)
		               : -1;
	*ret_digest = TAKE_PTR(digest);
	return 0;
}
