/* SPDX-License-Identifier: Apache-2.0 */
/* When credentials are made new, and the header lines that they become. */
#include "tests/unit/kube/test_credentials_helper.h"

/* Credentials of a configuration in memory; closed with plugin_close. */
static struct plugin_bench open_static(void)
{
	struct plugin_bench plugin;

	memset(&plugin, 0, sizeof(plugin));
	bench_open(&plugin.bench);
	plugin.bench.config.origin = strdup("test");
	return plugin;
}

static int refresh(struct plugin_bench *plugin, bool refused, int64_t seconds)
{
	if (!plugin->credentials) {
		plugin->reporter = (struct reporter){.say = plugin_say, .context = plugin};
		cr_assert_eq(credentials_open(&plugin->bench.config, &plugin->reporter,
		                              &plugin->credentials, &plugin->bench.err),
		             0);
	}
	return credentials_refresh_at(plugin->credentials, refused, seconds * 1000, seconds,
	                              &plugin->bench.err);
}

static void expect_refresh(struct plugin_bench *plugin, bool refused, int64_t seconds, int result)
{
	int found = refresh(plugin, refused, seconds);

	cr_assert_eq(found, result, "%d: %s", found, found < 0 ? plugin->bench.err.message : "");
}

static void refuse_refresh(struct plugin_bench *plugin, const char *words)
{
	cr_assert_eq(refresh(plugin, false, 0), -1);
	cr_assert(strstr(plugin->bench.err.message, words), "no '%s' in: %s", words,
	          plugin->bench.err.message);
}

Test(credentials, without_any_there_is_no_header)
{
	struct plugin_bench plugin = open_static();

	expect_refresh(&plugin, false, 0, 1);
	expect_refresh(&plugin, true, 1, 0);
	cr_assert_eq(credentials_headers(plugin.credentials)->count, 0);
	cr_assert_null(credentials_certificate(plugin.credentials));
	plugin_close(&plugin);
}

Test(credentials, close_takes_null)
{
	credentials_close(NULL);
}

Test(credentials, a_token_is_a_bearer_and_stays)
{
	struct plugin_bench plugin = open_static();

	plugin.bench.config.token = strdup("abc");
	expect_refresh(&plugin, false, 0, 1);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer abc");
	expect_refresh(&plugin, false, 100, 0);
	expect_refresh(&plugin, true, 200, 0);
	plugin_close(&plugin);
}

Test(credentials, a_password_is_basic)
{
	struct plugin_bench plugin = open_static();

	plugin.bench.config.username = strdup("Aladdin");
	plugin.bench.config.password = strdup("open sesame");
	expect_refresh(&plugin, false, 0, 1);
	/* RFC 7617's own example. */
	cr_assert_str_eq(plugin_header(&plugin),
	                 "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	plugin_close(&plugin);
}

Test(credentials, impersonation_follows_the_authorization)
{
	struct plugin_bench plugin = open_static();
	const struct strv *headers;

	plugin.bench.config.token = strdup("abc");
	cr_assert_eq(strv_add(&plugin.bench.config.impersonation, "Impersonate-User: jane"), 0);
	expect_refresh(&plugin, false, 0, 1);
	headers = credentials_headers(plugin.credentials);
	cr_assert_eq(headers->count, 2);
	cr_assert_str_eq(headers->items[1], "Impersonate-User: jane");
	plugin_close(&plugin);
}

Test(credentials, a_token_with_control_bytes_is_refused)
{
	struct plugin_bench plugin = open_static();

	plugin.bench.config.token = strdup("SECRET\r\nX-Evil: 1");
	refuse_refresh(&plugin, "control character");
	cr_assert(!strstr(plugin.bench.err.message, "SECRET"));
	plugin_close(&plugin);
}

static struct plugin_bench open_file(const char *token)
{
	struct plugin_bench plugin = open_static();

	bench_write(&plugin.bench, "token", token);
	plugin.bench.config.token_file = strdup(bench_path(&plugin.bench, "token"));
	return plugin;
}

Test(credentials, a_token_file_is_trimmed)
{
	struct plugin_bench plugin = open_file("\n abc \r\n\n");

	expect_refresh(&plugin, false, 0, 1);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer abc");
	plugin_close(&plugin);
}

Test(credentials, a_token_file_wins_over_a_token)
{
	struct plugin_bench plugin = open_file("file");

	plugin.bench.config.token = strdup("fixed");
	expect_refresh(&plugin, false, 0, 1);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer file");
	plugin_close(&plugin);
}

Test(credentials, a_token_file_is_read_again_after_a_minute)
{
	struct plugin_bench plugin = open_file("one");

	expect_refresh(&plugin, false, 1000, 1);
	bench_write(&plugin.bench, "token", "two");
	expect_refresh(&plugin, false, 1059, 0);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer one");
	expect_refresh(&plugin, false, 1060, 1);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer two");
	expect_refresh(&plugin, false, 1120, 0); /* the same again */
	plugin_close(&plugin);
}

Test(credentials, a_token_file_is_read_again_when_refused)
{
	struct plugin_bench plugin = open_file("one");

	expect_refresh(&plugin, false, 0, 1);
	expect_refresh(&plugin, true, 1, 0);
	bench_write(&plugin.bench, "token", "two");
	expect_refresh(&plugin, true, 2, 1);
	plugin_close(&plugin);
}

Test(credentials, a_token_file_that_goes_away_leaves_its_last_token)
{
	struct plugin_bench plugin = open_file("one");

	expect_refresh(&plugin, false, 0, 1);
	remove(bench_path(&plugin.bench, "token"));
	expect_refresh(&plugin, true, 1, 0);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer one");
	cr_assert(strstr(strbuf_str(&plugin.said), "going on with the token before it"));
	plugin_close(&plugin);
}

Test(credentials, a_token_file_without_a_token_is_refused)
{
	static const struct {
		const char *text, *words;
	} cases[] = {{" \n", "is empty"}, {"a\nb", "holds no token"}, {"a\x01", "holds no token"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plugin_bench plugin = open_file(cases[i].text);

		refuse_refresh(&plugin, cases[i].words);
		cr_assert_eq(plugin.bench.err.kind, ERR_DENIED);
		plugin_close(&plugin);
	}
}

Test(credentials, a_token_file_that_is_missing_is_named)
{
	struct plugin_bench plugin = open_file("one");

	remove(bench_path(&plugin.bench, "token"));
	refuse_refresh(&plugin, "/token: No such file");
	plugin_close(&plugin);
}

Test(credentials, a_plugin_runs_once_while_its_answer_is_good, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, COUNT ANSWER("{\"token\":\"abc\"}"));
	cr_assert_eq(plugin_runs(&plugin), 0);
	expect_refresh(&plugin, false, 0, 1);
	expect_refresh(&plugin, false, 1000000000, 0);
	cr_assert_eq(plugin_runs(&plugin), 1);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer abc");
	plugin_close(&plugin);
}

Test(credentials, a_plugin_runs_again_ten_seconds_before_its_answer_expires, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, COUNT ANSWER("{\"token\":\"abc\",\"expirationTimestamp\":"
	                                  "\"1970-01-01T01:00:00+00:30\"}")); /* 1800 */
	expect_refresh(&plugin, false, 0, 1);
	expect_refresh(&plugin, false, 1789, 0);
	cr_assert_eq(plugin_runs(&plugin), 1);
	expect_refresh(&plugin, false, 1790, 0);
	cr_assert_eq(plugin_runs(&plugin), 2);
	plugin_close(&plugin);
}

Test(credentials, a_plugin_runs_again_when_refused, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, COUNT ANSWER("{\"token\":\"abc\"}"));
	expect_refresh(&plugin, false, 0, 1);
	expect_refresh(&plugin, true, 1, 0);
	cr_assert_eq(plugin_runs(&plugin), 2);
	plugin_write(&plugin, COUNT ANSWER("{\"token\":\"new\"}"));
	expect_refresh(&plugin, true, 2, 1);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer new");
	plugin_write(&plugin, "exit 3\n");
	expect_refresh(&plugin, true, 3, -1);
	cr_assert_str_eq(plugin_header(&plugin), "Authorization: Bearer new");
	plugin_close(&plugin);
}

Test(credentials, a_plugin_may_give_a_certificate, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, ANSWER("{\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\"}"));
	expect_refresh(&plugin, false, 0, 1);
	cr_assert_str_eq(plugin_header(&plugin), "");
	cr_assert_str_eq(credentials_certificate(plugin.credentials), "C");
	cr_assert_str_eq(credentials_key(plugin.credentials), "K");
	plugin_write(&plugin, ANSWER("{\"clientCertificateData\":\"C\",\"clientKeyData\":\"L\"}"));
	expect_refresh(&plugin, true, 1, 1);
	cr_assert_str_eq(credentials_key(plugin.credentials), "L");
	plugin_close(&plugin);
}

Test(credentials, a_plugins_token_never_injects_a_header, .timeout = 30)
{
	struct plugin_bench plugin;

	plugin_open(&plugin, ANSWER("{\"token\":\"SECRET\\\\r\\\\nX-Evil: 1\"}"));
	plugin_write(&plugin, "cat <<'EOF'\n{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API_V1
	                      "\",\"status\":{\"token\":\"SECRET\\r\\nX-Evil: 1\"}}\nEOF\n");
	refuse_refresh(&plugin, "control characters");
	cr_assert(!strstr(plugin.bench.err.message, "SECRET"));
	plugin_close(&plugin);
}

static void refuse_answer(const char *text, const char *words)
{
	struct credentials_answer answer = {.token = NULL};
	struct err err = ERR_INIT;

	cr_assert_eq(credentials_parse_answer(text, strlen(text), API_V1, &answer, &err), -1, "%s",
	             text);
	cr_assert(strstr(err.message, words), "no '%s' in: %s", words, err.message);
	cr_assert(!strstr(err.message, "SECRET"), "%s", err.message);
	cr_assert_eq(err.kind, ERR_DENIED);
	cr_assert_null(answer.token);
}

#define HEAD "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API_V1 "\""

Test(credentials, answers_that_are_none_are_refused)
{
	refuse_answer("", "nothing");
	refuse_answer(" \n", "nothing");
	refuse_answer("SECRET", "not JSON");
	refuse_answer(HEAD ",\"status\":{\"token\":\"SECRET\"}", "not JSON");
	refuse_answer(HEAD ",\"SECRET\":1,\"SECRET\":1}", "not JSON");
	refuse_answer("[\"SECRET\"]", "no ExecCredential");
	refuse_answer("{\"kind\":\"SECRET\"}", "no ExecCredential");
	refuse_answer("{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"SECRET\"}}",
	              "apiVersion ''");
	refuse_answer("{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
	              "v1beta1\",\"status\":{\"token\":\"SECRET\"}}",
	              "apiVersion 'client.authentication.k8s.io/v1beta1', the kubeconfig says");
	refuse_answer(HEAD "}", "no status");
	refuse_answer(HEAD ",\"status\":{}}", "neither a token nor a certificate");
	refuse_answer(HEAD ",\"status\":{\"token\":\"\"}}", "neither a token nor a certificate");
	refuse_answer(HEAD ",\"status\":{\"token\":7}}", "status.token is not a string");
	refuse_answer(HEAD ",\"status\":{\"token\":\"SECRET\",\"clientKeyData\":\"K\"}}",
	              "only one of");
	refuse_answer(HEAD ",\"status\":{\"clientCertificateData\":\"C\"}}", "only one of");
	refuse_answer(HEAD ",\"status\":{\"token\":\"SECRET\",\"expirationTimestamp\":\"soon\"}}",
	              "no time");
	refuse_answer(HEAD ",\"status\":{\"token\":\"SECRET\",\"expirationTimestamp\":7}}",
	              "no time");
}
