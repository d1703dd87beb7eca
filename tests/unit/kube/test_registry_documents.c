/* SPDX-License-Identifier: Apache-2.0 */
/* Pull secrets as the kubelet reads them, and the documents of an image. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/kube/registry_internal.h"

#define FIXTURES "tests/fixtures/kube/registry/"

static cJSON *parse(const char *text)
{
	struct err err = ERR_INIT;
	cJSON *document = NULL;

	cr_assert_eq(json_parse(text, strlen(text), JSON_MAX_BYTES, &document, &err), 0, "%s",
	             err.message);
	return document;
}

static cJSON *fixture(const char *name)
{
	static char text[65536];
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), FIXTURES "%s", name);
	file = fopen(path, "r");
	cr_assert_not_null(file, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return parse(text);
}

Test(registry_match, labels_are_patterns_and_paths_are_prefixes)
{
	static const struct {
		const char *key, *image;
		bool fits;
	} rows[] = {
		{"quay.io", "quay.io/team/web", true},
		{"quay.io/team", "quay.io/team/web", true},
		{"quay.io/te", "quay.io/team/web", true},
		{"quay.io/other", "quay.io/team/web", false},
		{"quay.io/team/web/more", "quay.io/team/web", false},
		{"*.example.com", "a.example.com/web", true},
		{"*.example.com", "example.com/web", false},
		{"*.example.com", "a.b.example.com/web", false},
		{"*.*.example.com", "a.b.example.com/web", true},
		{"*", "example.com/web", false},
		{"*", "localhost/web", true},
		{"a*c.example.com", "abbc.example.com/web", true},
		{"a?c.example.com", "abc.example.com/web", true},
		{"a?c.example.com", "ac.example.com/web", false},
		{"prefix[a-c].example.com", "prefixb.example.com/web", true},
		{"prefix[a-c].example.com", "prefixd.example.com/web", false},
		{"prefix[^a-c].example.com", "prefixd.example.com/web", true},
		{"prefix[a-c.example.com", "prefixb.example.com/web", false},
		{"a\\*.example.com", "a*.example.com/web", true},
		{"a\\*.example.com", "ab.example.com/web", false},
		{"*.example.com:5000", "a.example.com:5000/web", true},
		{"*.example.com", "a.example.com:5000/web", false},
		{"*.example.com:5000", "a.example.com/web", false},
		{"example.com.evil.org", "example.com/web", false},
		{"example.co", "example.com/web", false},
		{"", "example.com/web", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(registry_match(rows[i].key, rows[i].image), rows[i].fits, "%s, %s",
		             rows[i].key, rows[i].image);
}

Test(registry_match, many_stars_take_no_time, .timeout = 10)
{
	char pattern[2001], text[4001];

	for (int i = 0; i < 2000; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	memset(text, 'a', 4000);
	cr_expect_not(registry_match_pattern(pattern, 1999, text, 998));
	cr_expect(registry_match_pattern(pattern, 1999, text, 4000));
}

/* "KEY USER PASSWORD|" for each. */
static char *describe(const struct registry_logins *logins)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < logins->count; i++) {
		const struct registry_login *login = &logins->items[i];

		strbuf_addf(&text, "%s %s %s", login->key, login->username ? login->username : "-",
		            login->password ? login->password : "-");
		if (login->identity_token)
			strbuf_addf(&text, " id=%s", login->identity_token);
		if (login->registry_token)
			strbuf_addf(&text, " token=%s", login->registry_token);
		strbuf_addc(&text, '|');
	}
	return strbuf_take(&text);
}

static void expect_logins(const cJSON *secrets, const char *server, const char *repository,
                          const char *wanted)
{
	struct registry_logins logins = {.items = NULL};
	struct err err = ERR_INIT;
	char *text;

	cr_assert_eq(registry_logins_find(secrets, server, repository, &logins, &err), 0);
	text = describe(&logins);
	cr_expect_str_eq(text, wanted, "%s/%s: %s", server, repository, text);
	free(text);
	registry_logins_release(&logins);
}

Test(registry_login, the_longest_path_comes_first_and_equal_ones_in_order)
{
	cJSON *secrets = fixture("pull-secrets.json");

	expect_logins(secrets, "quay.io", "team/web",
	              "quay.io/team team secret-team|quay.io first secret-1|"
	              "quay.io second secret-2|");
	expect_logins(secrets, "quay.io", "other",
	              "quay.io first secret-1|quay.io second secret-2|");
	expect_logins(secrets, "a.example.com", "web", "*.example.com star pass:with:colons|");
	expect_logins(secrets, "a.example.com:5000", "web", "");
	expect_logins(secrets, "nobody.example", "web", "");
	json_free(&secrets);
}

Test(registry_login, docker_hub_has_many_names)
{
	cJSON *secrets = fixture("pull-secrets.json");

	expect_logins(secrets, REGISTRY_HUB_SERVER, "library/web",
	              "docker.io hub secret-hub|index.docker.io old secret-old|");
	json_free(&secrets);
}

Test(registry_login, auth_wins_and_broken_entries_are_passed_over)
{
	cJSON *secrets = fixture("pull-secrets.json");

	expect_logins(secrets, "odd-1.example", "web", "odd-1.example right one|");
	expect_logins(secrets, "odd-2.example", "web", "odd-2.example nul pass|");
	expect_logins(secrets, "odd-3.example", "web", "");
	expect_logins(secrets, "odd-4.example", "web", "");
	expect_logins(secrets, "odd-5.example", "web", "");
	expect_logins(secrets, "odd-6.example", "web", "odd-6.example - - id=refresh|");
	expect_logins(secrets, "odd-7.example", "web", "odd-7.example - - token=bearer|");
	expect_logins(secrets, "odd-8.example", "web", "");
	expect_logins(NULL, "quay.io", "web", "");
	json_free(&secrets);
}

static void expect_kind(const char *text, int wanted)
{
	cJSON *document = parse(text);
	enum registry_document kind = REGISTRY_INDEX;
	struct err err = ERR_INIT;
	int result = registry_document_kind(document, &kind, &err);

	cr_expect_eq(result < 0 ? -1 : (int)kind, wanted, "%s", text);
	if (result < 0)
		cr_expect_eq(err.kind, ERR_PROTOCOL);
	json_free(&document);
}

Test(registry_manifest, what_could_be_two_things_is_neither)
{
	expect_kind("{\"manifests\":[]}", REGISTRY_INDEX);
	expect_kind("{\"config\":{},\"layers\":[]}", REGISTRY_MANIFEST);
	expect_kind("{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}",
	            REGISTRY_INDEX);
	expect_kind("{\"mediaType\":\"application/vnd.docker.distribution.manifest.list.v2+json\","
	            "\"manifests\":[]}",
	            REGISTRY_INDEX);
	expect_kind("{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"config\":{}}",
	            -1);
	expect_kind("{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
	            "\"manifests\":[]}",
	            -1);
	expect_kind("{\"manifests\":[],\"layers\":[]}", -1);
	expect_kind("{\"manifests\":[],\"config\":{}}", -1);
	expect_kind("{\"schemaVersion\":1,\"fsLayers\":[],\"config\":{}}", -1);
	expect_kind("{}", -1);
	expect_kind("[]", -1);
	expect_kind("\"manifests\"", -1);
}

static void expect_choice(const cJSON *index, const char *architecture, const char *start)
{
	struct err err = ERR_INIT;
	const char *digest = NULL;
	int result = registry_choose_manifest(index, architecture, &digest, &err);

	if (!start) {
		cr_expect_eq(result, -1);
		cr_expect_eq(err.kind, ERR_NOT_FOUND, "%s", err.message);
		return;
	}
	cr_assert_eq(result, 0, "%s", err.message);
	cr_expect_eq(strncmp(digest + 7, start, strlen(start)), 0, "%s", digest);
}

Test(registry_manifest, the_plain_linux_variant_is_chosen)
{
	cJSON *index = fixture("index.json");

	expect_choice(index, "amd64", "aa");
	expect_choice(index, "arm64", "bb");
	expect_choice(index, "arm", "c7");
	expect_choice(index, "s390x", NULL);
	expect_choice(index, "unknown", NULL);
	expect_choice(index, NULL, "aa");
	json_free(&index);
}

Test(registry_manifest, a_digest_that_is_none_is_not_followed)
{
	static const char *const rows[] = {
		"{\"manifests\":[{\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}",
		"{\"manifests\":[{\"digest\":\"sha256:../../x\",\"platform\":{\"os\":\"linux\","
		"\"architecture\":\"amd64\"}}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cJSON *index = parse(rows[i]);
		struct err err = ERR_INIT;
		const char *digest;

		cr_expect_eq(registry_choose_manifest(index, "amd64", &digest, &err), -1);
		cr_expect_eq(err.kind, ERR_PROTOCOL);
		json_free(&index);
	}
}

Test(registry_manifest, only_an_images_config_is_read)
{
	cJSON *image = fixture("manifest.json"), *chart = fixture("chart.json");
	struct err err = ERR_INIT;
	const char *digest = NULL;

	cr_expect_eq(registry_config_digest(image, &digest, &err), 0, "%s", err.message);
	cr_expect_eq(strncmp(digest, "sha256:dd", 9), 0);
	cr_expect_eq(registry_config_digest(chart, &digest, &err), -1);
	cr_expect_eq(err.kind, ERR_PROTOCOL);
	json_free(&image);
	json_free(&chart);
}
