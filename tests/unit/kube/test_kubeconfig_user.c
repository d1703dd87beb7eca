/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are: certificates, tokens, passwords, plugins, and whom we act as. */
#include "tests/unit/kube/test_kubeconfig_helper.h"

#define V1      "apiVersion: client.authentication.k8s.io/v1"
#define V1BETA1 "apiVersion: client.authentication.k8s.io/v1beta1"

Test(kubeconfig_user, certificate_and_key_come_from_files_or_data)
{
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	bench_write(&bench, ".kube/me.crt", "PEM");
	bench_write(&bench, ".kube/me.key", "PEM");
	config = bench_user(&bench, "client-certificate: me.crt, client-key: ./me.key");
	cr_assert_str_eq(config->cert_file, bench_path(&bench, ".kube/me.crt"));
	cr_assert_str_eq(config->key_file, bench_path(&bench, ".kube/./me.key"));
	config = bench_user(&bench, "client-certificate-data: UEVN, client-key: me.key");
	cr_assert_str_eq(config->cert_data, "PEM");
	cr_assert_not_null(config->key_file);
	bench_close(&bench);
}

Test(kubeconfig_user, half_a_certificate_is_an_error)
{
	struct bench bench;

	bench_open(&bench);
	bench_write(&bench, ".kube/me.crt", "PEM");
	bench_refuse_user(&bench, "client-certificate-data: UEVN", ERR_USAGE, "but no client-key");
	bench_refuse_user(&bench, "client-key-data: UEVN", ERR_USAGE, "but no client-certificate");
	bench_refuse_user(&bench,
	                  "client-certificate-data: UEVN, client-certificate: me.crt, "
	                  "client-key-data: UEVN",
	                  ERR_USAGE, "only one may be");
	bench_refuse_user(&bench, "client-certificate: gone, client-key-data: UEVN", ERR_USAGE,
	                  "gone: No such file");
	bench_close(&bench);
}

Test(kubeconfig_user, only_one_of_token_and_password)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_str_eq(bench_user(&bench, "token: abc")->token, "abc");
	cr_assert_str_eq(bench_user(&bench, "username: u, password: p")->password, "p");
	cr_assert_null(bench_user(&bench, "username: u")->password);
	bench_refuse_user(&bench, "token: SECRET, username: u", ERR_USAGE,
	                  "more than one authentication method");
	bench_refuse_user(&bench, "token: t, password: SECRET", ERR_USAGE,
	                  "more than one authentication method");
	cr_assert(!strstr(bench.err.message, "SECRET"));
	bench_refuse_user(&bench, "tokenFile: t, username: u", ERR_USAGE,
	                  "more than one authentication method");
	bench_refuse_user(&bench, "password: SECRET", ERR_USAGE, "no username");
	bench_refuse_user(&bench, "username: 'a:b', password: p", ERR_USAGE, "':'");
	bench_close(&bench);
}

Test(kubeconfig_user, a_token_that_is_no_string_is_refused)
{
	struct bench bench;

	bench_open(&bench);
	bench_refuse_user(&bench, "token: 12345678", ERR_PROTOCOL, "'token' is not a string");
	cr_assert(!strstr(bench.err.message, "12345678"));
	bench_refuse_user(&bench, "token: y", ERR_PROTOCOL, "put it in quotes");
	bench_close(&bench);
}

Test(kubeconfig_user, token_file_is_beside_the_config)
{
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	config = bench_user(&bench, "tokenFile: sub/token, token: t");
	cr_assert_str_eq(config->token_file, bench_path(&bench, ".kube/sub/token"));
	cr_assert_str_eq(config->token, "t");
	cr_assert_str_eq(bench_user(&bench, "tokenFile: /a/token")->token_file, "/a/token");
	bench_close(&bench);
}

Test(kubeconfig_user, no_secret_goes_without_tls)
{
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	bench.settings.as = "jane";
	bench_write_pair(&bench, "server: 'http://h:8001'", "token: abc");
	config = bench_load(&bench);
	cr_assert_null(config->token);
	cr_assert_eq(config->impersonation.count, 1);
	bench_close(&bench);
}

Test(kubeconfig_user, auth_providers_are_refused_with_what_to_use)
{
	static const struct {
		const char *name, *words;
	} cases[] = {
		{"gcp", "gke-gcloud-auth-plugin"},
		{"azure", "kubelogin convert-kubeconfig"},
		{"oidc", "oidc-login"},
		{"other", "credential plugin"},
	};
	struct bench bench;
	char user[128];

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(user, sizeof(user), "auth-provider: {name: %s, config: {a: SECRET}}",
		         cases[i].name);
		bench_refuse_user(&bench, user, ERR_USAGE, cases[i].words);
		cr_assert(strstr(bench.err.message, cases[i].name));
		cr_assert(!strstr(bench.err.message, "SECRET"));
	}
	bench_close(&bench);
}

static void expect_line(const struct kubeconfig *config, size_t index, const char *line)
{
	cr_assert_lt(index, config->impersonation.count);
	cr_assert_str_eq(config->impersonation.items[index], line);
}

Test(kubeconfig_user, impersonation_becomes_header_lines)
{
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	config = bench_user(&bench,
	                    "as: jane, as-uid: '7', as-groups: [dev, 'system:masters'], "
	                    "as-user-extra: {scopes: [view, edit], 'acme.com/project %': [x]}");
	cr_assert_eq(config->impersonation.count, 7);
	expect_line(config, 0, "Impersonate-User: jane");
	expect_line(config, 1, "Impersonate-Uid: 7");
	expect_line(config, 2, "Impersonate-Group: dev");
	expect_line(config, 3, "Impersonate-Group: system:masters");
	expect_line(config, 4, "Impersonate-Extra-scopes: view");
	expect_line(config, 5, "Impersonate-Extra-scopes: edit");
	expect_line(config, 6, "Impersonate-Extra-acme.com%2Fproject%20%25: x");
	bench_close(&bench);
}

Test(kubeconfig_user, impersonation_of_the_settings_wins)
{
	_cleanup_(strv_release) struct strv groups = STRV_INIT;
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	cr_assert_eq(strv_add(&groups, "ops"), 0);
	bench.settings.as = "root";
	bench.settings.as_uid = "1";
	bench.settings.as_groups = &groups;
	config = bench_user(&bench, "as: jane, as-uid: '7', as-groups: [dev]");
	cr_assert_eq(config->impersonation.count, 3);
	expect_line(config, 0, "Impersonate-User: root");
	expect_line(config, 1, "Impersonate-Uid: 1");
	expect_line(config, 2, "Impersonate-Group: ops");
	bench_close(&bench);
}

Test(kubeconfig_user, impersonation_needs_a_user)
{
	struct bench bench;

	bench_open(&bench);
	bench_refuse_user(&bench, "as-groups: [dev]", ERR_USAGE, "no user");
	bench_refuse_user(&bench, "as-uid: '7'", ERR_USAGE, "no user");
	bench_refuse_user(&bench, "as-user-extra: {a: [b]}", ERR_USAGE, "no user");
	bench.settings.as_uid = "7";
	bench_refuse_user(&bench, "", ERR_USAGE, "no user");
	bench_close(&bench);
}

Test(kubeconfig_user, impersonation_never_injects_a_header)
{
	struct bench bench;

	bench_open(&bench);
	bench_refuse_user(&bench, "as: \"jane\\r\\nX-Evil: 1\"", ERR_USAGE, "control characters");
	bench_refuse_user(&bench, "as: jane, as-groups: [\"a\\nb\"]", ERR_USAGE,
	                  "control characters");
	bench_refuse_user(&bench, "as: jane, as-user-extra: {a: [\"\\x7f\"]}", ERR_USAGE,
	                  "control characters");
	cr_assert_str_eq(bench_user(&bench, "as: jane, as-user-extra: {\"a:\\n\": [b]}")
	                         ->impersonation.items[1],
	                 "Impersonate-Extra-a%3A%0A: b");
	bench.settings.as = "a\nb";
	bench_refuse_user(&bench, "", ERR_USAGE, "control characters");
	bench_close(&bench);
}

Test(kubeconfig_user, impersonation_of_other_types_is_refused)
{
	static const char *const bad[] = {"as: [a]",
	                                  "as: j, as-groups: dev",
	                                  "as: j, as-groups: [y]",
	                                  "as: j, as-user-extra: [a]",
	                                  "as: j, as-user-extra: {a: b}",
	                                  "as: j, as-user-extra: {a: [1]}"};
	struct bench bench;

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bench_refuse_user(&bench, bad[i], ERR_PROTOCOL, "is not a");
	bench_close(&bench);
}

Test(kubeconfig_user, plugins_are_read_whole)
{
	struct bench bench;
	const struct kubeconfig_exec *exec;

	bench_open(&bench);
	exec = &bench_user(&bench,
	                   "exec: {" V1 ", command: ./bin/login, args: [-a, ''], env: [{name: A, "
	                   "value: b}, {name: C}], installHint: get it, interactiveMode: Always}")
	                ->exec;
	cr_assert_str_eq(exec->command, bench_path(&bench, ".kube/./bin/login"));
	cr_assert_eq(exec->args.count, 2);
	cr_assert_str_eq(exec->args.items[1], "");
	cr_assert_str_eq(exec->env.items[0], "A=b");
	cr_assert_str_eq(exec->env.items[1], "C=");
	cr_assert_str_eq(exec->install_hint, "get it");
	cr_assert_eq(exec->interactive, KUBECONFIG_INTERACTIVE_ALWAYS);
	cr_assert_null(exec->cluster);
	exec = &bench_user(&bench, "exec: {" V1BETA1 ", command: login}")->exec;
	cr_assert_str_eq(exec->command, "login");
	cr_assert_eq(exec->interactive, KUBECONFIG_INTERACTIVE_IF_AVAILABLE);
	bench_close(&bench);
}

Test(kubeconfig_user, half_a_plugin_is_an_error)
{
	static const struct {
		const char *exec;
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{"{" V1 ", interactiveMode: Never}", ERR_USAGE, "no command"},
		{"{command: c}", ERR_USAGE, "no apiVersion"},
		{"{command: c, apiVersion: client.authentication.k8s.io/v1alpha1}", ERR_USAGE,
	         "not supported"},
		{"{command: c, " V1 "}", ERR_USAGE, "interactiveMode"},
		{"{command: c, " V1 ", interactiveMode: Sometimes}", ERR_USAGE, "interactiveMode"},
		{"{command: c, " V1BETA1 ", args: a}", ERR_PROTOCOL, "'args'"},
		{"{command: c, " V1BETA1 ", args: [1]}", ERR_PROTOCOL, "'args'"},
		{"{command: c, " V1BETA1 ", env: [{value: x}]}", ERR_USAGE, "no proper name"},
		{"{command: c, " V1BETA1 ", env: [{name: 'A=B'}]}", ERR_USAGE, "no proper name"},
		{"{command: c, " V1BETA1 ", env: [{name: A, value: y}]}", ERR_PROTOCOL, "'A'"},
		{"{command: c, " V1BETA1 ", provideClusterInfo: 1}", ERR_PROTOCOL,
	         "provideClusterInfo"},
		{"c", ERR_PROTOCOL, "'exec' is not a mapping"},
	};
	struct bench bench;
	char user[256];

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(user, sizeof(user), "exec: %s", cases[i].exec);
		bench_refuse_user(&bench, user, cases[i].kind, cases[i].words);
	}
	bench_refuse_user(&bench, "token: t, exec: {" V1 ", command: c}", ERR_USAGE,
	                  "interactiveMode");
	bench_close(&bench);
}

Test(kubeconfig_user, a_plugin_is_passed_over_where_something_else_is_set)
{
	static const char *const others[] = {
		"token: t", "tokenFile: t", "username: u",
		"client-certificate-data: UEVN, client-key-data: UEVN"};
	struct bench bench;
	char user[256];

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		snprintf(user, sizeof(user), "%s, exec: {" V1BETA1 ", command: c}", others[i]);
		cr_assert_null(bench_user(&bench, user)->exec.command, "%s", others[i]);
	}
	bench_close(&bench);
}

Test(kubeconfig_user, a_plugin_is_told_of_the_cluster)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct bench bench;

	bench_open(&bench);
	bench_write(&bench, ".kube/ca.crt", "PEM");
	bench_write_pair(&bench,
	                 "server: 'https://h:6443/', certificate-authority: ca.crt, "
	                 "tls-server-name: s, proxy-url: 'http://p:1', extensions: [{name: x, "
	                 "extension: 1}, {name: client.authentication.k8s.io/exec, extension: "
	                 "{audience: a}}]",
	                 "exec: {" V1BETA1 ", command: c, provideClusterInfo: true}");
	json_print(bench_load(&bench)->exec.cluster, false, &text);
	cr_assert_str_eq(strbuf_str(&text),
	                 "{\"server\":\"https://h:6443\",\"tls-server-name\":\"s\","
	                 "\"certificate-authority-data\":\"UEVN\",\"proxy-url\":\"http://p:1\","
	                 "\"config\":{\"audience\":\"a\"}}");
	bench_close(&bench);
}

Test(kubeconfig_user, messages_name_the_file_and_the_user)
{
	struct bench bench;

	bench_open(&bench);
	bench_refuse_user(&bench, "exec: {" V1BETA1 "}", ERR_USAGE,
	                  ".kube/config: user 'u': the exec plugin: it has no command");
	bench_close(&bench);
}
