/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What registries, clusters and images tell the registry reader. The first byte chooses: a reference, a head with
 * challenges, pull secrets, a document, a URL. What is accepted must be able to stand in a request.
 */
#include <string.h>
#include "pkg/kube/registry_internal.h"
#include "pkg/base/base64.h"
#include "tests/fuzz/fuzz.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void require_clean(const char *text)
{
	for (; *text; text++)
		require((unsigned char)*text > 0x20 && (unsigned char)*text < 0x7f);
}

/* A reference that is accepted makes a path and a host, and its parts are accepted again. */
static void try_reference(const char *text)
{
	char *server = NULL, *repository = NULL, *digest = NULL;
	struct registry_url url = {.origin = NULL};
	struct strbuf whole = STRBUF_INIT;
	struct err err = ERR_INIT;

	if (registry_split(text, &server, &repository, &digest, &err) < 0) {
		require(err.kind == ERR_USAGE && !server && !repository && !digest);
		return;
	}
	require(registry_is_digest(digest));
	require_clean(server);
	require(!strpbrk(repository, "?#@: %\\\"") && *repository != '/' &&
	        !strstr(repository, ".."));
	require_clean(repository);
	strbuf_addf(&whole, "https://%s/v2/%s/manifests/%s", server, repository, digest);
	if (registry_url_parse(strbuf_str(&whole), &url, &err) == 0)
		require(!strncmp(url.path, "/v2/", 4));
	registry_url_release(&url);
	strbuf_release(&whole);
	free(server);
	free(repository);
	free(digest);
}

static void try_challenge(const char *text)
{
	struct registry_challenge challenge = {.basic = false};
	struct err err = ERR_INIT;

	require(registry_challenge_read(&challenge, text, &err) == 0);
	require(challenge.bearer || (!challenge.realm && !challenge.service && !challenge.scope));
	registry_challenge_release(&challenge);
	require(registry_challenge_add(&challenge, text, &err) == 0);
	registry_challenge_release(&challenge);
}

/* The logins found are usable and in order. */
static void try_logins(const cJSON *secrets, const char *server, const char *repository)
{
	struct registry_logins logins = {.items = NULL};
	struct err err = ERR_INIT;

	require(registry_logins_find(secrets, server, repository, &logins, &err) == 0);
	for (size_t i = 0; i < logins.count; i++) {
		const struct registry_login *login = &logins.items[i];

		require((login->username && login->password) || login->identity_token ||
		        login->registry_token);
		require(i == 0 || !strcmp(server, REGISTRY_HUB_SERVER) ||
		        strcmp(logins.items[i - 1].key, login->key) >= 0);
	}
	registry_logins_release(&logins);
}

static void try_document(const cJSON *document)
{
	enum registry_document kind;
	struct err err = ERR_INIT;
	const char *digest;

	if (registry_document_kind(document, &kind, &err) < 0)
		return;
	if (kind == REGISTRY_INDEX) {
		if (registry_choose_manifest(document, "amd64", &digest, &err) == 0)
			require(registry_is_digest(digest));
		if (registry_choose_manifest(document, NULL, &digest, &err) == 0)
			require(registry_is_digest(digest));
	} else if (registry_config_digest(document, &digest, &err) == 0) {
		require(registry_is_digest(digest));
	}
}

static void try_json(const char *text, size_t length)
{
	struct err err = ERR_INIT;
	cJSON *document;

	if (json_parse(text, length, JSON_MAX_BYTES, &document, &err) < 0)
		return;
	try_document(document);
	try_logins(document, "quay.io", "team/web");
	try_logins(document, "a.example.com:5000", "web");
	try_logins(document, REGISTRY_HUB_SERVER, "library/web");
	json_free(&document);
}

/* What comes out of a URL is accepted again, unchanged. */
static void try_url(const char *text)
{
	struct registry_url url = {.origin = NULL}, again = {.origin = NULL};
	struct registry_url base = {.origin = (char *)"https://a.example:5000"};
	struct strbuf whole = STRBUF_INIT;
	struct err err = ERR_INIT;

	if (registry_url_resolve(&base, text, &url, &err) < 0)
		return;
	require_clean(url.origin);
	require_clean(url.path);
	require(url.path[0] == '/' && !strchr(url.path, '#') && !strchr(url.host, '@'));
	strbuf_addf(&whole, "%s%s", url.origin, url.path);
	require(registry_url_parse(strbuf_str(&whole), &again, &err) == 0 || whole.length > 8192);
	if (again.origin)
		require(!strcmp(again.origin, url.origin) && !strcmp(again.path, url.path));
	strbuf_release(&whole);
	registry_url_release(&url);
	registry_url_release(&again);
}

/* base64 that is accepted is, but for line breaks, its last digit's spare bits and padding, what is made of it
 * again. */
static void try_base64(const char *text)
{
	struct strbuf bytes = STRBUF_INIT, back = STRBUF_INIT;
	size_t digits = strcspn(text, "=");

	if (!strpbrk(text, "\r\n") && base64_decode(text, false, &bytes) == 0) {
		base64_encode(strbuf_str(&bytes), bytes.length, &back);
		require(!digits || !strncmp(strbuf_str(&back), text, digits - 1));
		require(strcspn(strbuf_str(&back), "=") == digits);
	}
	strbuf_release(&bytes);
	strbuf_release(&back);
}

static void try_match(const char *text)
{
	char *key = strdup(text), *image;

	if (!key)
		return;
	image = strchr(key, ' ');
	if (image) {
		*image++ = '\0';
		registry_match(key, image);
	}
	free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size ? strndup((const char *)data + 1, size - 1) : NULL;

	if (!text)
		return 0;
	if (data[0] == 'r')
		try_reference(text);
	else if (data[0] == 'c')
		try_challenge(text);
	else if (data[0] == 'j')
		try_json(text, strlen(text));
	else if (data[0] == 'u')
		try_url(text);
	else if (data[0] == 'b')
		try_base64(text);
	else if (data[0] == 'm')
		try_match(text);
	free(text);
	return 0;
}
