/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/base/strbuf.h"
#include "pkg/docker/endpoint.h"

/* The command as one line, words in <>. */
static void expect_command(const struct endpoint *endpoint, const char *expected)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;

	for (size_t i = 0; i < endpoint->command.count; i++)
		strbuf_addf(&line, "<%s>", endpoint->command.items[i]);
	cr_assert_str_eq(strbuf_str(&line), expected);
}

static void parse(const char *url, bool podman, struct endpoint *ret)
{
	struct err err = ERR_INIT;

	cr_assert_eq(endpoint_parse(url, podman, ret, &err), 0, "%s: %s", url, err.message);
}

Test(endpoint, reads_unix_sockets)
{
	static const struct {
		const char *url, *path;
	} cases[] = {
		{"unix:///run/x.sock", "/run/x.sock"},
		{"UNIX:///run/x.sock", "/run/x.sock"},
		{"unix:///tmp/a%20b c", "/tmp/a%20b c"}, /* docker does not decode here */
		{"unix://", "/var/run/docker.sock"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(endpoint_release) struct endpoint endpoint = {.port = 0};

		parse(cases[i].url, false, &endpoint);
		cr_assert_eq(endpoint.kind, ENDPOINT_UNIX);
		cr_assert_str_eq(endpoint.socket_path, cases[i].path);
		cr_assert_eq(strncmp(endpoint.text, "unix:///", 8), 0);
		cr_assert_not(endpoint.tls);
	}
}

Test(endpoint, reads_hosts_and_ports)
{
	static const struct {
		const char *url, *host;
		int port;
		const char *text;
	} cases[] = {
		{"tcp://10.0.0.1:2376", "10.0.0.1", 2376, "tcp://10.0.0.1:2376"},
		{"tcp://build_1.example-x.org/", "build_1.example-x.org", 2375,
	         "tcp://build_1.example-x.org:2375"},
		{"10.0.0.1:77", "10.0.0.1", 77, "tcp://10.0.0.1:77"},
		{"host", "host", 2375, "tcp://host:2375"},
		{"host:", "host", 2375, "tcp://host:2375"},
		{":4000", "localhost", 4000, "tcp://localhost:4000"},
		{"tcp://", "localhost", 2375, "tcp://localhost:2375"},
		{"tcp://[fe80::1]:65535", "fe80::1", 65535, "tcp://[fe80::1]:65535"},
		{"[::1]", "::1", 2375, "tcp://[::1]:2375"},
		{"http://h", "h", 80, "http://h:80"},
		{"http://h:8080/", "h", 8080, "http://h:8080"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(endpoint_release) struct endpoint endpoint = {.port = 0};

		parse(cases[i].url, false, &endpoint);
		cr_assert_eq(endpoint.kind, ENDPOINT_TCP);
		cr_assert_str_eq(endpoint.host, cases[i].host);
		cr_assert_eq(endpoint.port, cases[i].port);
		cr_assert_str_eq(endpoint.text, cases[i].text);
		cr_assert_not(endpoint.tls || endpoint.tls_verify);
	}
}

Test(endpoint, trusts_no_https_server_unseen)
{
	_cleanup_(endpoint_release) struct endpoint endpoint = {.port = 0};

	parse("https://h", false, &endpoint);
	cr_assert_eq(endpoint.kind, ENDPOINT_TCP);
	cr_assert_eq(endpoint.port, 443);
	cr_assert(endpoint.tls && endpoint.tls_verify);
}

Test(endpoint, spawns_ssh)
{
	static const struct {
		const char *url;
		bool podman;
		const char *command;
	} cases[] = {
		{"ssh://ann@h:2222", false,
	         "<ssh><-l><ann><-p><2222><-o><ConnectTimeout=30><-T><--><h>"
	         "<docker><system><dial-stdio>"},
		{"ssh://h/", false,
	         "<ssh><-o><ConnectTimeout=30><-T><--><h><docker><system><dial-stdio>"},
		{"ssh://ann@h/run/d.sock", false,
	         "<ssh><-l><ann><-o><ConnectTimeout=30><-T><--><h>"
	         "<docker><--host=unix:///run/d.sock><system><dial-stdio>"},
		{"ssh://h", true,
	         "<ssh><-o><ConnectTimeout=30><-T><--><h><podman><system><dial-stdio>"},
		{"ssh://core@[::1]:22/run/p.sock", true,
	         "<ssh><-l><core><-p><22><-o><ConnectTimeout=30><-T><--><::1>"
	         "<podman><--url><unix:///run/p.sock><system><dial-stdio>"},
		{"ssh://dom%5Cann@h/tmp/it%27s%20$(x);y", false,
	         "<ssh><-l><dom\\ann><-o><ConnectTimeout=30><-T><--><h>"
	         "<docker><'--host=unix:///tmp/it'\\''s $(x);y'><system><dial-stdio>"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(endpoint_release) struct endpoint endpoint = {.port = 0};

		parse(cases[i].url, cases[i].podman, &endpoint);
		cr_assert_eq(endpoint.kind, ENDPOINT_SPAWN);
		cr_assert_str_eq(endpoint.text, cases[i].url);
		expect_command(&endpoint, cases[i].command);
	}
}

Test(endpoint, refuses_what_it_cannot_mean)
{
	static const struct {
		const char *url, *part; /* of the message */
	} cases[] = {
		{"", "empty"},
		{"npipe:////./pipe/docker_engine", "npipe://"},
		{"fd://", "fd://"},
		{"://h", "no form"},
		{"unix://run/x.sock", "begin with '/'"},
		{"unix:///x?y", "query"},
		{"unix:///x\n", "printed"},
		{"tcp://h#x", "fragment"},
		{"tcp://h/path", "path"},
		{"tcp://ann@h", "user name"},
		{"tcp://h:0", "'0' is no port"},
		{"tcp://h:65536", "no port"},
		{"tcp://h:+1", "no port"},
		{"tcp://::1:2375", "no host and port"},
		{"tcp://[::1", "no host and port"},
		{"tcp://[::1]2375", "no host and port"},
		{"tcp://[::g]", "IPv6"},
		{"tcp://a b", "no host name"},
		{"ssh://", "no host"},
		{"ssh://ann@", "no host"},
		{"ssh://-oProxyCommand=x", "no host name"},
		{"ssh://-oProxyCommand@h", "begins with '-'"},
		{"ssh://%2DoProxyCommand@h", "begins with '-'"},
		{"ssh://@h", "user name"},
		{"ssh://h/a%0Ab", "printed"},
		{"ssh://h/a%e2%80%aeb", "printed"},
		{"ssh://h/a%00b", "%00"},
		{"ssh://h/a%4", "two hex digits"},
		{"ssh://h/a%zz", "two hex digits"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct endpoint endpoint = {.port = -7};
		struct err err = ERR_INIT;

		cr_assert_lt(endpoint_parse(cases[i].url, false, &endpoint, &err), 0, "%s",
		             cases[i].url);
		cr_assert_eq(err.kind, ERR_USAGE);
		cr_assert_not_null(strstr(err.message, cases[i].part), "%s: %s", cases[i].url,
		                   err.message);
		cr_assert_eq(endpoint.port, -7);
		cr_assert_null(endpoint.text);
	}
}

Test(endpoint, refuses_paths_that_no_socket_can_have)
{
	char url[7 + 109] = "unix://";
	struct err err = ERR_INIT;

	for (size_t length = 107; length <= 108; length++) {
		_cleanup_(endpoint_release) struct endpoint endpoint = {.port = 0};

		memset(url + 7, '/', length);
		url[7 + length] = '\0';
		cr_assert_eq(endpoint_parse(url, false, &endpoint, &err) == 0, length == 107);
	}
	cr_assert_eq(err.kind, ERR_USAGE);
}

Test(endpoint, never_repeats_a_password)
{
	static const char *const urls[] = {
		"ssh://ann:s3cret@h",   "tcp://ann:s3cret@h", "ann:s3cret@h:1",
		"https://ann:s3cret@h", "ssh://:s3cret@h",
	};

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct endpoint endpoint;
		struct err err = ERR_INIT;

		cr_assert_lt(endpoint_parse(urls[i], false, &endpoint, &err), 0);
		cr_assert_eq(err.kind, ERR_USAGE);
		cr_assert_not_null(strstr(err.message, "password"));
		cr_assert_null(strstr(err.message, "s3cret"));
		cr_assert_null(strstr(err.hint, "s3cret"));
	}
}

Test(endpoint, knows_no_default_port_of_podman)
{
	_cleanup_(endpoint_release) struct endpoint endpoint = {.port = 0};
	struct err err = ERR_INIT;

	cr_assert_lt(endpoint_parse("tcp://h", true, &endpoint, &err), 0);
	cr_assert_lt(endpoint_parse("unix://", true, &endpoint, &err), 0);
	cr_assert_eq(err.kind, ERR_USAGE);
	parse("tcp://h:8080", true, &endpoint);
	cr_assert_eq(endpoint.port, 8080);
}
