/* SPDX-License-Identifier: Apache-2.0 */
/* The contexts are laid out as `docker context create` (28.2) made them. */
#include "tests/unit/docker/endpoint_helper.h"

/* SHA-256 of the names. */
#define META_ONE                                                                                   \
	".docker/contexts/meta/"                                                                   \
	"7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed/meta.json"
#define META_TWO                                                                                   \
	".docker/contexts/meta/"                                                                   \
	"3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3/meta.json"
#define TLS_TWO                                                                                    \
	".docker/contexts/tls/"                                                                    \
	"3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3/docker/"

static void write_contexts(const struct bench *bench)
{
	bench_write(bench, META_ONE,
	            "{\"Name\":\"one\",\"Metadata\":{},\"Endpoints\":{\"docker\":{\"Host\":"
	            "\"tcp://h:2376\",\"SkipTLSVerify\":true}}}");
	bench_write(bench, META_TWO,
	            "{\"Name\":\"two\",\"Metadata\":{\"Description\":\"x\"},\"Endpoints\":{"
	            "\"docker\":{\"Host\":\"tcp://two:1234\",\"SkipTLSVerify\":false}}}");
	bench_write(bench, TLS_TWO "ca.pem", "ca");
	bench_write(bench, TLS_TWO "cert.pem", "cert");
	bench_write(bench, TLS_TWO "key.pem", "key");
}

Test(endpoint_docker, goes_to_the_default_socket)
{
	struct bench bench;
	const struct endpoint *endpoint;

	bench_open(&bench);
	endpoint = bench_docker(&bench);
	cr_assert_eq(endpoint->kind, ENDPOINT_UNIX);
	cr_assert_str_eq(endpoint->socket_path, "/var/run/docker.sock");
	cr_assert_str_eq(endpoint->text, "unix:///var/run/docker.sock");
	cr_assert_str_eq(endpoint->origin, "default");
	cr_assert_eq(endpoint->headers.count, 0);
	cr_assert_null(endpoint->detach_keys);
	bench_close(&bench);
}

Test(endpoint_docker, needs_no_home)
{
	struct bench bench;

	bench_open(&bench);
	strv_release(&bench.environment);
	cr_assert_str_eq(bench_docker(&bench)->origin, "default");
	bench.settings.context_option = "one";
	bench_docker_fails(&bench, ERR_NOT_FOUND, "'one'");
	bench_close(&bench);
}

/* Every combination of the five settings, against the order that the docker command line has. */
Test(endpoint_docker, decides_as_docker_does)
{
	enum { OPTION_HOST = 1, OPTION_CONTEXT = 2, HOST = 4, CONTEXT = 8, CURRENT = 16, ALL = 32 };

	for (unsigned given = 0; given < ALL; given++) {
		const char *expected = "default";
		struct bench bench;

		bench_open(&bench);
		write_contexts(&bench);
		if (given & CURRENT) {
			bench_write(&bench, ".docker/config.json", "{\"currentContext\":\"one\"}");
			expected = "context 'one'";
		}
		if (given & CONTEXT) {
			bench_set(&bench, "DOCKER_CONTEXT", "two");
			expected = "context 'two'";
		}
		if (given & HOST) {
			bench_set(&bench, "DOCKER_HOST", "tcp://from-environment");
			expected = "DOCKER_HOST";
		}
		if (given & OPTION_HOST) {
			bench.settings.host_option = "tcp://from-option";
			expected = "-H";
		}
		if (given & OPTION_CONTEXT) {
			bench.settings.context_option = "one";
			expected = "context 'one'";
		}
		if ((given & OPTION_HOST) && (given & OPTION_CONTEXT))
			bench_docker_fails(&bench, ERR_USAGE, "exclude each other");
		else
			cr_assert_str_eq(bench_docker(&bench)->origin, expected);
		bench_close(&bench);
	}
}

Test(endpoint_docker, takes_empty_settings_for_none)
{
	struct bench bench;

	bench_open(&bench);
	bench_set(&bench, "DOCKER_HOST", "");
	bench_set(&bench, "DOCKER_CONTEXT", "");
	bench_set(&bench, "DOCKER_CONFIG", "");
	bench_set(&bench, "DOCKER_TLS_VERIFY", "");
	bench_set(&bench, "DOCKER_CUSTOM_HEADERS", "");
	bench.settings.host_option = "";
	bench.settings.context_option = "";
	bench_write(&bench, ".docker/config.json", "{\"currentContext\":\"\",\"detachKeys\":\"\"}");
	cr_assert_str_eq(bench_docker(&bench)->origin, "default");
	cr_assert_null(bench.endpoint.detach_keys);
	bench_close(&bench);
}

Test(endpoint_docker, means_the_environment_by_the_context_default)
{
	struct bench bench;

	bench_open(&bench);
	bench_write(&bench, ".docker/config.json", "{\"currentContext\":\"one\"}");
	bench_set(&bench, "DOCKER_CONTEXT", "default");
	cr_assert_str_eq(bench_docker(&bench)->origin, "default");
	bench_set(&bench, "DOCKER_HOST", "tcp://x:1");
	bench.settings.context_option = "default";
	cr_assert_str_eq(bench_docker(&bench)->origin, "DOCKER_HOST");
	bench_close(&bench);
}

Test(endpoint_docker, reads_contexts)
{
	struct bench bench;
	const struct endpoint *endpoint;

	bench_open(&bench);
	write_contexts(&bench);
	bench.settings.context_option = "one";
	endpoint = bench_docker(&bench);
	cr_assert_str_eq(endpoint->text, "tcp://h:2376");
	cr_assert(endpoint->tls && !endpoint->tls_verify);
	cr_assert_null(endpoint->ca_file);
	bench.settings.context_option = "two";
	endpoint = bench_docker(&bench);
	cr_assert_str_eq(endpoint->text, "tcp://two:1234");
	cr_assert(endpoint->tls && endpoint->tls_verify);
	cr_assert_str_eq(endpoint->ca_file, bench_path(&bench, TLS_TWO "ca.pem"));
	cr_assert_str_eq(endpoint->cert_file, bench_path(&bench, TLS_TWO "cert.pem"));
	cr_assert_str_eq(endpoint->key_file, bench_path(&bench, TLS_TWO "key.pem"));
	bench_close(&bench);
}

/* The variables of the default context have no say in another one. */
Test(endpoint_docker, keeps_contexts_apart_from_the_environment)
{
	struct bench bench;
	const struct endpoint *endpoint;

	bench_open(&bench);
	bench_write(&bench, META_ONE,
	            "{\"Name\":\"one\",\"Endpoints\":{\"docker\":{\"Host\":\"tcp://h:1\"}}}");
	bench_set(&bench, "DOCKER_TLS_VERIFY", "1");
	bench_set(&bench, "DOCKER_CERT_PATH", bench.folder);
	bench_write(&bench, "ca.pem", "ca");
	bench.settings.context_option = "one";
	endpoint = bench_docker(&bench);
	cr_assert_not(endpoint->tls);
	cr_assert_null(endpoint->ca_file);
	bench_close(&bench);
}

Test(endpoint_docker, reads_contexts_of_other_kinds)
{
	struct bench bench;
	const struct endpoint *endpoint;

	bench_open(&bench);
	bench.settings.context_option = "two";
	bench_write(&bench, TLS_TWO "ca.pem", "ca");
	bench_write(&bench, META_TWO,
	            "{\"Endpoints\":{\"docker\":{\"Host\":\"unix:///run/user/7/docker.sock\"}}}");
	endpoint = bench_docker(&bench);
	cr_assert_str_eq(endpoint->socket_path, "/run/user/7/docker.sock");
	cr_assert(!endpoint->tls && !endpoint->ca_file);
	bench_write(&bench, META_TWO, "{\"Endpoints\":{\"docker\":{\"Host\":\"ssh://a@b\"}}}");
	endpoint = bench_docker(&bench);
	cr_assert_eq(endpoint->kind, ENDPOINT_SPAWN);
	cr_assert_str_eq(endpoint->command.items[2], "a");
	bench_write(&bench, META_TWO, "{\"Endpoints\":{\"docker\":{\"Host\":\"\"}}}");
	endpoint = bench_docker(&bench);
	cr_assert_str_eq(endpoint->socket_path, "/var/run/docker.sock");
	bench_close(&bench);
}

Test(endpoint_docker, names_the_context_that_is_missing_or_broken)
{
	static const struct {
		const char *meta, *part;
	} broken[] = {
		{"{", "meta.json"},
		{"[]", "no JSON object"},
		{"{}", "no docker endpoint"},
		{"{\"Endpoints\":{\"docker\":null}}", "no docker endpoint"},
		{"{\"Endpoints\":{\"docker\":{\"Host\":7}}}", "'Host' is no string"},
		{"{\"Endpoints\":{\"docker\":{\"Host\":\"fd://\"}}}", "context 'one': 'fd://'"},
	};
	struct bench bench;

	bench_open(&bench);
	bench.settings.context_option = "one";
	bench_docker_fails(&bench, ERR_NOT_FOUND, "'one'");
	cr_assert_not_null(strstr(bench.err.hint, "docker context ls"));
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		bench_write(&bench, META_ONE, broken[i].meta);
		bench_docker_fails(&bench, ERR_USAGE, broken[i].part);
	}
	bench_close(&bench);
}

/* Names are hashed before they are looked for, so none can lead elsewhere. */
Test(endpoint_docker, leaves_the_folder_by_no_name)
{
	struct bench bench;

	bench_open(&bench);
	bench_write(&bench, "meta.json", "{\"Endpoints\":{\"docker\":{}}}");
	bench.settings.context_option = "../../..";
	bench_docker_fails(&bench, ERR_NOT_FOUND, "'../../..'");
	bench_close(&bench);
}

Test(endpoint_docker, follows_docker_config)
{
	struct bench bench;
	char folder[128];

	bench_open(&bench);
	write_contexts(&bench);
	bench_write(&bench, "config.json", "{\"detachKeys\":\"wrong\"}");
	bench_write(&bench, ".docker/config.json",
	            "{\"currentContext\":\"two\",\"detachKeys\":\"ctrl-q\"}");
	bench_docker(&bench);
	cr_assert_str_eq(bench.endpoint.origin, "context 'two'");
	cr_assert_str_eq(bench.endpoint.detach_keys, "ctrl-q");
	snprintf(folder, sizeof(folder), "%s/.docker", bench.folder);
	bench.environment.items[0][strlen("HOME=/")] = '\0';
	bench_set(&bench, "DOCKER_CONFIG", folder);
	bench_docker(&bench);
	cr_assert_str_eq(bench.endpoint.origin, "context 'two'");
	bench_close(&bench);
}

Test(endpoint_docker, names_the_config_that_is_broken)
{
	static const struct {
		const char *config, *part;
	} broken[] = {
		{"{\"currentContext\":", ""},
		{"not json", ""},
		{"\"text\"", "no JSON object"},
		{"{\"currentContext\":5}", "'currentContext' is no string"},
		{"{\"detachKeys\":[]}", "'detachKeys' is no string"},
		{"{\"HttpHeaders\":[]}", "'HttpHeaders' is no object"},
		{"{\"HttpHeaders\":{\"X\":1}}", "holds more than strings"},
		{"{\"HttpHeaders\":{\"X\":\"a\\r\\nHost: evil\"}}", "no proper HTTP header"},
		{"{\"HttpHeaders\":{\"X Y\":\"a\"}}", "no proper HTTP header"},
		{"{\"HttpHeaders\":{\"\":\"a\"}}", "no proper HTTP header"},
	};
	struct bench bench;

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		bench_write(&bench, ".docker/config.json", broken[i].config);
		bench_docker_fails(&bench, ERR_USAGE, bench_path(&bench, ".docker/config.json"));
		cr_assert_not_null(strstr(bench.err.message, broken[i].part));
	}
	bench_close(&bench);
}

Test(endpoint_docker, names_the_config_that_cannot_be_read)
{
	struct bench bench;

	bench_open(&bench);
	bench_write(&bench, ".docker/config.json/x", "");
	bench_docker_fails(&bench, ERR_SYSTEM, ".docker/config.json");
	bench_close(&bench);
}

Test(endpoint_docker, accepts_an_empty_config)
{
	static const char *const empty[] = {"", " \n", "{}", "{\"auths\":{},\"HttpHeaders\":null}"};
	struct bench bench;

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		bench_write(&bench, ".docker/config.json", empty[i]);
		cr_assert_str_eq(bench_docker(&bench)->origin, "default");
	}
	bench_close(&bench);
}

Test(endpoint_docker, sends_configured_headers)
{
	struct bench bench;
	const struct endpoint *endpoint;

	bench_open(&bench);
	bench_write(
		&bench, ".docker/config.json",
		"{\"HttpHeaders\":{\"X-Meta\":\"a: b, c\",\"User-Agent\":\"mine\",\"host\":\"x\","
		"\"x.y\":\"1\",\"x-meta\":\"last\"}}");
	endpoint = bench_docker(&bench);
	cr_assert_eq(endpoint->headers.count, 2);
	cr_assert_str_eq(endpoint->headers.items[0], "x-meta: last");
	cr_assert_str_eq(endpoint->headers.items[1], "x.y: 1");
	bench_close(&bench);
}

Test(endpoint_docker, replaces_headers_by_custom_ones)
{
	struct bench bench;
	const struct endpoint *endpoint;

	bench_open(&bench);
	bench_write(&bench, ".docker/config.json", "{\"HttpHeaders\":{\"X-Meta\":\"a\"}}");
	bench_set(&bench, "DOCKER_CUSTOM_HEADERS",
	          "A=1, B =2=3,\"C=x,y \"\"z\"\"\",Connection=close,a=4");
	endpoint = bench_docker(&bench);
	cr_assert_eq(endpoint->headers.count, 3);
	cr_assert_str_eq(endpoint->headers.items[0], "a: 4");
	cr_assert_str_eq(endpoint->headers.items[1], "B: 2=3");
	cr_assert_str_eq(endpoint->headers.items[2], "C: x,y \"z\"");
	bench_close(&bench);
}

Test(endpoint_docker, refuses_malformed_custom_headers)
{
	static const char *const malformed[] = {
		"A", "A=1,", "=1", "A=1,,B=2", "\"A=1", "\"A=1\"x", "A=\"1\"", "A=1\nB: 2", "A B=1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		struct bench bench;

		bench_open(&bench);
		bench_set(&bench, "DOCKER_CUSTOM_HEADERS", malformed[i]);
		bench_docker_fails(&bench, ERR_USAGE, "DOCKER_CUSTOM_HEADERS: ");
		bench_close(&bench);
	}
}

Test(endpoint_docker, verifies_when_told_to)
{
	struct bench bench;
	const struct endpoint *endpoint;

	bench_open(&bench);
	bench_set(&bench, "DOCKER_HOST", "tcp://h");
	bench_set(&bench, "DOCKER_TLS_VERIFY", "1");
	bench_docker_fails(&bench, ERR_NOT_FOUND, "ca.pem");
	bench_write(&bench, ".docker/ca.pem", "ca");
	endpoint = bench_docker(&bench);
	cr_assert(endpoint->tls && endpoint->tls_verify);
	cr_assert_eq(endpoint->port, 2375);
	cr_assert_str_eq(endpoint->ca_file, bench_path(&bench, ".docker/ca.pem"));
	cr_assert_null(endpoint->cert_file);
	bench_write(&bench, ".docker/cert.pem", "cert");
	bench_docker_fails(&bench, ERR_USAGE, "only work together");
	bench_write(&bench, ".docker/key.pem", "key");
	endpoint = bench_docker(&bench);
	cr_assert_str_eq(endpoint->cert_file, bench_path(&bench, ".docker/cert.pem"));
	cr_assert_str_eq(endpoint->key_file, bench_path(&bench, ".docker/key.pem"));
	bench_close(&bench);
}

Test(endpoint_docker, finds_certificates_where_told)
{
	struct bench bench;
	const struct endpoint *endpoint;
	char folder[128];

	bench_open(&bench);
	snprintf(folder, sizeof(folder), "%s/certificates", bench.folder);
	bench_set(&bench, "DOCKER_TLS_VERIFY", "0"); /* not empty counts, whatever it says */
	bench_set(&bench, "DOCKER_CERT_PATH", folder);
	bench_write(&bench, ".docker/ca.pem", "wrong");
	bench_write(&bench, "certificates/ca.pem", "ca");
	bench.settings.host_option = "h:99";
	endpoint = bench_docker(&bench);
	cr_assert_str_eq(endpoint->ca_file, bench_path(&bench, "certificates/ca.pem"));
	cr_assert_str_eq(endpoint->text, "tcp://h:99");
	bench_close(&bench);
}

Test(endpoint_docker, encrypts_without_verification)
{
	struct bench bench;
	const struct endpoint *endpoint;

	bench_open(&bench);
	bench_set(&bench, "DOCKER_TLS", "1");
	bench_set(&bench, "DOCKER_HOST", "tcp://h:1");
	endpoint = bench_docker(&bench);
	cr_assert(endpoint->tls && !endpoint->tls_verify);
	bench_close(&bench);
}

Test(endpoint_docker, takes_tls_for_tcp_only)
{
	static const char *const urls[] = {"unix:///x", "ssh://h"};

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		struct bench bench;

		bench_open(&bench);
		bench_set(&bench, "DOCKER_TLS_VERIFY", "1");
		bench_set(&bench, "DOCKER_HOST", urls[i]);
		cr_assert_not(bench_docker(&bench)->tls);
		bench_close(&bench);
	}
}

/* Never in the clear when TLS was asked for. */
Test(endpoint_docker, refuses_http_with_tls)
{
	struct bench bench;

	bench_open(&bench);
	bench_set(&bench, "DOCKER_TLS_VERIFY", "1");
	bench_set(&bench, "DOCKER_HOST", "http://h");
	bench_docker_fails(&bench, ERR_USAGE, "DOCKER_HOST: http://");
	bench_close(&bench);
}

Test(endpoint_docker, goes_to_the_local_tls_port_by_default)
{
	struct bench bench;

	bench_open(&bench);
	bench_write(&bench, ".docker/ca.pem", "ca");
	bench_set(&bench, "DOCKER_TLS_VERIFY", "1");
	cr_assert_str_eq(bench_docker(&bench)->text, "tcp://localhost:2376");
	bench_close(&bench);
}

Test(endpoint_docker, says_where_a_bad_address_is_from)
{
	struct bench bench;

	bench_open(&bench);
	bench_set(&bench, "DOCKER_HOST", "ssh://ann:s3cret@h");
	bench_docker_fails(&bench, ERR_USAGE, "DOCKER_HOST: a password");
	cr_assert_null(strstr(bench.err.message, "s3cret"));
	bench.settings.host_option = "fd://";
	bench_docker_fails(&bench, ERR_USAGE, "-H: 'fd://'");
	bench_close(&bench);
}
