/* SPDX-License-Identifier: Apache-2.0 */
/* The parsers of the registry reader; tests/integration/registry has the conversations. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/kube/registry_internal.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define AT  "@sha256:" HEX

struct reference_row {
	const char *reference, *server, *repository;
};

Test(registry_reference, is_split_as_docker_does)
{
	static const struct reference_row rows[] = {
		{"web" AT, "registry-1.docker.io", "library/web"},
		{"web:1.2" AT, "registry-1.docker.io", "library/web"},
		{"team/web" AT, "registry-1.docker.io", "team/web"},
		{"docker.io/web" AT, "registry-1.docker.io", "library/web"},
		{"docker.io/team/web:v1" AT, "registry-1.docker.io", "team/web"},
		{"index.docker.io/team/web" AT, "registry-1.docker.io", "team/web"},
		{"localhost/web" AT, "localhost", "web"},
		{"localhost:5000/web" AT, "localhost:5000", "web"},
		{"shop.example/a/b/c:T_a.g-1" AT, "shop.example", "a/b/c"},
		{"shop.example:8443/a__b/c-d/e.f/g---h/i_j" AT, "shop.example:8443",
	         "a__b/c-d/e.f/g---h/i_j"},
		{"[::1]:5000/web" AT, "[::1]:5000", "web"},
		{"Host/web" AT, "Host", "web"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *server = NULL, *repository = NULL, *digest = NULL;
		struct err err = ERR_INIT;

		cr_assert_eq(registry_split(rows[i].reference, &server, &repository, &digest, &err),
		             0, "%s: %s", rows[i].reference, err.message);
		cr_expect_str_eq(server, rows[i].server);
		cr_expect_str_eq(repository, rows[i].repository);
		cr_expect_str_eq(digest, &AT[1]);
		free(server);
		free(repository);
		free(digest);
	}
}

Test(registry_reference, is_refused_when_it_is_none)
{
	static const char *const rows[] = {
		"",
		"web",
		"web:1",
		"web@sha256:",
		"web@sha512:" HEX,
		"web@sha256:" HEX "0",
		"web@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		AT,
		":tag" AT,
		"web:" AT,
		"web:.x" AT,
		"web:a/b" AT,
		"web:a:b" AT,
		"Web" AT,
		"team/Web" AT,
		"team//web" AT,
		"/web" AT,
		"web/" AT,
		"_web" AT,
		"web_" AT,
		"a___b/web" AT,
		"a..b/c/Web" AT,
		"-host.example/web" AT,
		"host-.example/web" AT,
		"host..example/web" AT,
		"host.example:/web" AT,
		"host.example:x/web" AT,
		"host.example:123456/web" AT,
		"user@host.example/web" AT,
		"https://host.example/web" AT,
		"host.example/../web" AT,
		"host.example/web?x=y" AT,
		"host.example/we\nb" AT,
		"[::1/web" AT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *server = NULL, *repository = NULL, *digest = NULL;
		struct err err = ERR_INIT;

		cr_expect_eq(registry_split(rows[i], &server, &repository, &digest, &err), -1, "%s",
		             rows[i]);
		cr_expect_eq(err.kind, ERR_USAGE);
		cr_expect(!server && !repository && !digest, "outputs stay untouched");
	}
}

struct challenge_row {
	const char *value;
	bool basic, bearer;
	const char *realm, *service, *scope;
};

static void expect_text(const char *text, const char *wanted, const char *where)
{
	if (!wanted)
		cr_expect_null(text, "%s: %s", where, text);
	else
		cr_expect(text && !strcmp(text, wanted), "%s: %s", where, text ? text : "-");
}

Test(registry_challenge, is_read_with_its_quotes)
{
	static const struct challenge_row rows[] = {
		{"Bearer realm=\"https://a.example/token\",service=\"a.example\","
	         "scope=\"repository:a/b:pull,push\"",
	         false, true, "https://a.example/token", "a.example", "repository:a/b:pull,push"},
		{"bEARER  REALM = \"x\" , Service=plain", false, true, "x", "plain", NULL},
		{"Basic realm=\"Registry\"", true, false, NULL, NULL, NULL},
		{"Basic", true, false, NULL, NULL, NULL},
		{"Basic realm=\"a, Bearer realm=\\\"no\\\"\", Bearer realm=\"y\"", true, true, "y",
	         NULL, NULL},
		{"Bearer realm=\"y\", Basic realm=\"z\"", true, true, "y", NULL, NULL},
		{"Bearer realm=\"1\", Bearer realm=\"2\",service=\"2\"", false, true, "1", NULL,
	         NULL},
		{"Bearer realm=\"1\",realm=\"2\"", false, true, "1", NULL, NULL},
		{"Bearer realm=\"q\\\"u\\\\o\"", false, true, "q\"u\\o", NULL, NULL},
		{"Bearer realm=\"open, service=x", false, true, NULL, NULL, NULL},
		{"Bearer realm=, service=\"x\"", false, true, NULL, NULL, NULL},
		{"Negotiate abc==, Basic realm=\"x\"", false, false, NULL, NULL, NULL},
		{"NegotiateBearer realm=\"x\"", false, false, NULL, NULL, NULL},
		{"Digest realm=\"x\", service=\"y\"", false, false, NULL, NULL, NULL},
		{", ,Bearer realm=\"\",error=\"insufficient_scope\"", false, true, "", NULL, NULL},
		{"", false, false, NULL, NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct registry_challenge challenge = {.basic = false};
		struct err err = ERR_INIT;

		cr_assert_eq(registry_challenge_add(&challenge, rows[i].value, &err), 0);
		cr_expect_eq(challenge.basic, rows[i].basic, "%s", rows[i].value);
		cr_expect_eq(challenge.bearer, rows[i].bearer, "%s", rows[i].value);
		expect_text(challenge.realm, rows[i].realm, rows[i].value);
		expect_text(challenge.service, rows[i].service, rows[i].value);
		expect_text(challenge.scope, rows[i].scope, rows[i].value);
		registry_challenge_release(&challenge);
	}
}

Test(registry_challenge, is_found_in_every_line_of_the_head)
{
	static const char head[] = "HTTP/1.1 401 Unauthorized\r\n"
				   "X-WWW-Authenticate: Bearer realm=\"no\"\r\n"
				   "www-authenticate: Basic realm=\"a\"\r\n"
				   "WWW-Authenticate:Bearer realm=\"yes\"\r\n\r\n";
	struct registry_challenge challenge = {.basic = false};
	struct err err = ERR_INIT;

	cr_assert_eq(registry_challenge_read(&challenge, head, &err), 0);
	cr_expect(challenge.basic && challenge.bearer);
	cr_expect_str_eq(challenge.realm, "yes");
	registry_challenge_release(&challenge);
}

struct url_row {
	const char *text, *origin, *path;
};

Test(registry_url, is_split_into_origin_and_path)
{
	static const struct url_row rows[] = {
		{"https://A.Example/x?y=%20#z", "https://a.example", "/x?y=%20"},
		{"HTTPS://a.example:443", "https://a.example", "/"},
		{"https://a.example:80/", "https://a.example:80", "/"},
		{"http://a.example:80?q", "http://a.example", "/?q"},
		{"https://[fe80::1]:5000/v2/", "https://[fe80::1]:5000", "/v2/"},
		{"https://[::1]", "https://[::1]", "/"},
		{"https://user@a.example/", NULL, NULL},
		{"https://user:secret@a.example/", NULL, NULL},
		{"https://a.example\\@b.example/", NULL, NULL},
		{"https:///x", NULL, NULL},
		{"https://:443/x", NULL, NULL},
		{"https://a.example:0/", NULL, NULL},
		{"https://a.example:99999/", NULL, NULL},
		{"https://a.example:/", NULL, NULL},
		{"https://a:1:2/", NULL, NULL},
		{"https://[::1/x", NULL, NULL},
		{"https://[::1]x/", NULL, NULL},
		{"https://a.example/a b", NULL, NULL},
		{"https://a.example/\r\nHost: b", NULL, NULL},
		{"https://a.example/\xc3\xa4", NULL, NULL},
		{"ftp://a.example/", NULL, NULL},
		{"file:///etc/passwd", NULL, NULL},
		{"a.example/x", NULL, NULL},
		{"", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct registry_url url = {.origin = NULL};
		struct err err = ERR_INIT;
		int result = registry_url_parse(rows[i].text, &url, &err);

		cr_expect_eq(result, rows[i].origin ? 0 : -1, "%s", rows[i].text);
		if (result < 0)
			cr_expect(err.kind == ERR_PROTOCOL && !strstr(err.message, "secret"));
		expect_text(url.origin, rows[i].origin, rows[i].text);
		expect_text(url.path, rows[i].path, rows[i].text);
		registry_url_release(&url);
	}
}

Test(registry_url, a_redirect_is_seen_from_where_it_was_said)
{
	static const struct url_row rows[] = {
		{"/other?x", "https://a.example", "/other?x"},
		{"//b.example/y", "https://b.example", "/y"},
		{"http://b.example/y", "http://b.example", "/y"},
		{"relative", NULL, NULL},
		{"", NULL, NULL},
	};
	struct registry_url base = {.origin = NULL};
	struct err err = ERR_INIT;

	cr_assert_eq(registry_url_parse("https://a.example/v2/x", &base, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct registry_url url = {.origin = NULL};

		cr_expect_eq(registry_url_resolve(&base, rows[i].text, &url, &err),
		             rows[i].origin ? 0 : -1);
		expect_text(url.origin, rows[i].origin, rows[i].text);
		expect_text(url.path, rows[i].path, rows[i].text);
		registry_url_release(&url);
	}
	registry_url_release(&base);
}
