/* SPDX-License-Identifier: Apache-2.0 */
/* The server, its TLS, the proxy on the way, and the account of our own pod. */
#include "tests/unit/kube/test_kubeconfig_helper.h"

static struct kubeconfig *load_cluster(struct bench *bench, const char *cluster)
{
	bench_write_pair(bench, cluster, "");
	return bench_load(bench);
}

static void refuse_cluster(struct bench *bench, const char *cluster, enum err_kind kind,
                           const char *words)
{
	bench_write_pair(bench, cluster, "");
	bench_refuse(bench, kind, words);
}

Test(kubeconfig_cluster, server_loses_its_slashes)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_str_eq(load_cluster(&bench, "server: 'https://h:6443//'")->server,
	                 "https://h:6443");
	cr_assert_str_eq(load_cluster(&bench, "server: 'https://h/k8s/c-1/'")->server,
	                 "https://h/k8s/c-1");
	cr_assert_str_eq(load_cluster(&bench, "server: 'https://[2001:db8::1]:6443'")->server,
	                 "https://[2001:db8::1]:6443");
	cr_assert_str_eq(load_cluster(&bench, "server: 'http://localhost:8001'")->server,
	                 "http://localhost:8001");
	bench_close(&bench);
}

Test(kubeconfig_cluster, server_without_a_scheme_is_https_only_where_tls_is_set_up)
{
	struct bench bench;

	bench_open(&bench);
	cr_assert_str_eq(
		load_cluster(&bench, "server: 'h:6443', insecure-skip-tls-verify: true")->server,
		"https://h:6443");
	refuse_cluster(&bench, "server: 'h:6443'", ERR_USAGE, "neither https:// nor http://");
	bench_close(&bench);
}

Test(kubeconfig_cluster, servers_that_are_none_are_refused)
{
	static const char *const bad[] = {
		"https://",
		"https://:6443",
		"https://h:0",
		"https://h:65536",
		"https://h:x",
		"https://h:",
		"https://u:p@h",
		"https://h?a=b",
		"https://h#f",
		"https://h h",
		"https://h/a\\nb",
		"https://[::1",
		"https://[::1]443",
		"https://[]:443",
		"ftp://h",
		"unix:///x",
		"https:///x",
		"https://h/\\u0001",
		"https://h:6443:6443",
		"https://a@b",
	};
	struct bench bench;
	char cluster[128];

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(cluster, sizeof(cluster), "server: \"%s\"", bad[i]);
		refuse_cluster(&bench, cluster, ERR_USAGE, "'server' ");
	}
	refuse_cluster(&bench, "", ERR_USAGE, "it has no server");
	refuse_cluster(&bench, "server: on", ERR_PROTOCOL, "'server' is not a string");
	bench_close(&bench);
}

Test(kubeconfig_cluster, messages_name_the_file_and_the_cluster)
{
	struct bench bench;

	bench_open(&bench);
	refuse_cluster(&bench, "", ERR_USAGE, ".kube/config: cluster 'c': it has no server");
	bench_close(&bench);
}

Test(kubeconfig_cluster, authority_is_a_file_beside_the_config_or_data)
{
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	bench_write(&bench, ".kube/pki/ca.crt", "PEM");
	config = load_cluster(&bench, SERVER ", certificate-authority: pki/ca.crt");
	cr_assert_str_eq(config->ca_file, bench_path(&bench, ".kube/pki/ca.crt"));
	cr_assert_null(config->ca_data);
	config = load_cluster(&bench, SERVER ", certificate-authority-data: 'UEVN\n\n'");
	cr_assert_str_eq(config->ca_data, "PEM");
	cr_assert_null(config->ca_file);
	refuse_cluster(&bench, SERVER ", certificate-authority: pki/gone", ERR_USAGE,
	               "pki/gone: No such file");
	refuse_cluster(&bench,
	               SERVER ", certificate-authority: pki/ca.crt, "
	                      "certificate-authority-data: UEVN",
	               ERR_USAGE, "only one may be");
	bench_close(&bench);
}

Test(kubeconfig_cluster, data_has_to_be_base64_of_text)
{
	static const char *const bad[] = {
		"UEV", "UEVN=", "UE=N", "U===", "====", "UEVN*", "UEVNUE==UEVN", "AAAA"};
	struct bench bench;
	char cluster[128];

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(cluster, sizeof(cluster), SERVER ", certificate-authority-data: '%s'",
		         bad[i]);
		refuse_cluster(&bench, cluster, ERR_USAGE, "certificate-authority-data' is not");
	}
	cr_assert_str_eq(load_cluster(&bench, SERVER ", certificate-authority-data: UA==")->ca_data,
	                 "P");
	cr_assert_str_eq(load_cluster(&bench, SERVER ", certificate-authority-data: UEU=")->ca_data,
	                 "PE");
	bench_close(&bench);
}

Test(kubeconfig_cluster, tls_settings_are_carried)
{
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	config = load_cluster(&bench, SERVER ", tls-server-name: kubernetes.default");
	cr_assert_str_eq(config->tls_server_name, "kubernetes.default");
	cr_assert(!config->insecure);
	cr_assert(load_cluster(&bench, SERVER ", insecure-skip-tls-verify: true")->insecure);
	cr_assert(load_cluster(&bench, SERVER ", insecure-skip-tls-verify: yes")->insecure);
	refuse_cluster(&bench, SERVER ", insecure-skip-tls-verify: 'true'", ERR_PROTOCOL,
	               "neither true nor false");
	refuse_cluster(&bench,
	               SERVER ", insecure-skip-tls-verify: true, certificate-authority-data: UEVN",
	               ERR_USAGE, "exclude each other");
	bench_close(&bench);
}

Test(kubeconfig_cluster, proxy_url_is_checked_and_never_quoted)
{
	static const char *const good[] = {"http://p:3128", "https://user:pass@p",
	                                   "socks5://p:1080/", "HTTP://p"};
	static const char *const bad[] = {"SECRET",         "socks4://SECRET", "http://",
	                                  "http://SECRET@", "http://:3128",    "http://a SECRET",
	                                  "p:3128"};
	struct bench bench;
	char cluster[128];

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(cluster, sizeof(cluster), SERVER ", proxy-url: '%s'", good[i]);
		cr_assert_str_eq(load_cluster(&bench, cluster)->proxy_url, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(cluster, sizeof(cluster), SERVER ", proxy-url: '%s'", bad[i]);
		refuse_cluster(&bench, cluster, ERR_USAGE, "'proxy-url' is not a URL");
		cr_assert(!strstr(bench.err.message, "SECRET"));
	}
	bench_close(&bench);
}

Test(kubeconfig_cluster, proxy_of_the_environment_is_used_after_the_configs)
{
	struct bench bench;

	bench_open(&bench);
	bench_set(&bench, "https_proxy", "lower:1");
	cr_assert_str_eq(load_cluster(&bench, SERVER)->proxy_url, "http://lower:1");
	bench_set(&bench, "HTTPS_PROXY", "https://upper:2");
	cr_assert_str_eq(load_cluster(&bench, SERVER)->proxy_url, "https://upper:2");
	cr_assert_str_eq(load_cluster(&bench, SERVER ", proxy-url: 'http://own'")->proxy_url,
	                 "http://own");
	cr_assert_null(load_cluster(&bench, "server: 'http://h'")->proxy_url);
	bench_set(&bench, "HTTP_PROXY", "socks5://plain");
	cr_assert_str_eq(load_cluster(&bench, "server: 'http://h'")->proxy_url, "socks5://plain");
	bench_set(&bench, "REQUEST_METHOD", "GET");
	cr_assert_null(load_cluster(&bench, "server: 'http://h'")->proxy_url);
	bench_close(&bench);
}

Test(kubeconfig_cluster, a_bad_proxy_of_the_environment_is_told)
{
	struct bench bench;

	bench_open(&bench);
	bench_set(&bench, "HTTPS_PROXY", "ftp://SECRET");
	refuse_cluster(&bench, SERVER, ERR_USAGE, "HTTPS_PROXY is not a URL");
	cr_assert(!strstr(bench.err.message, "SECRET"));
	bench_close(&bench);
}

Test(kubeconfig_cluster, this_machine_is_never_behind_a_proxy)
{
	static const char *const here[] = {"localhost", "LOCALHOST:6443", "127.0.0.1:6443",
	                                   "127.1.2.3", "[::1]:6443",     "[::ffff:127.0.0.1]"};
	struct bench bench;
	char cluster[128];

	bench_open(&bench);
	bench_set(&bench, "HTTPS_PROXY", "p:1");
	for (size_t i = 0; i < ARRAY_SIZE(here); i++) {
		snprintf(cluster, sizeof(cluster), "server: 'https://%s'", here[i]);
		cr_assert_null(load_cluster(&bench, cluster)->proxy_url, "%s", here[i]);
	}
	cr_assert_not_null(load_cluster(&bench, "server: 'https://localhost.test'")->proxy_url);
	bench_close(&bench);
}

Test(kubeconfig_cluster, no_proxy_matches_as_go_does)
{
	static const struct {
		const char *list, *host;
		bool straight;
	} cases[] = {
		{"*", "h", true},
		{"a.test", "a.test", true},
		{"a.test", "x.a.test", true},
		{"a.test", "xa.test", false},
		{"A.Test", "x.a.tEST", true},
		{".a.test", "a.test", false},
		{".a.test", "x.a.test", true},
		{"*.a.test", "a.test", false},
		{"*.a.test", "x.y.a.test", true},
		{"b , \ta.test ", "a.test", true},
		{"a.test:6443", "a.test:6443", true},
		{"a.test:6443", "a.test", false},
		{"a.test:443", "a.test", true},
		{"10.0.0.0/8", "10.20.30.40:6443", true},
		{"10.0.0.0/8", "11.0.0.1", false},
		{"10.128.0.0/9", "10.127.0.1", false},
		{"10.128.0.0/9", "10.129.0.1", true},
		{"0.0.0.0/0", "192.0.2.1", true},
		{"::/0", "192.0.2.1", false},
		{"::/0", "[2001:db8::1]", true},
		{"2001:db8::/32", "[2001:db8:1::1]:6443", true},
		{"2001:db8::/32", "[2001:db9::1]", false},
		{"192.0.2.1", "192.0.2.1:6443", true},
		{"192.0.2.1:80", "192.0.2.1:6443", false},
		{"[2001:db8::1]:6443", "[2001:db8::1]:6443", true},
		{"2001:db8::1", "[2001:DB8:0::1]", true},
		{"10.0.0.0/33, 10.0.0.0/x, /, :, ,", "10.0.0.1", false},
		{"0.0.2.1", "192.0.2.1", false},
	};
	struct bench bench;
	char cluster[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bench_open(&bench);
		bench_set(&bench, "HTTPS_PROXY", "p:1");
		bench_set(&bench, i % 2 ? "NO_PROXY" : "no_proxy", cases[i].list);
		snprintf(cluster, sizeof(cluster), "server: 'https://%s'", cases[i].host);
		cr_assert_eq(!load_cluster(&bench, cluster)->proxy_url, cases[i].straight,
		             "NO_PROXY='%s' for %s", cases[i].list, cases[i].host);
		bench_close(&bench);
	}
}

static void open_pod(struct bench *bench, const char *host)
{
	bench_open(bench);
	bench_set(bench, "KUBERNETES_SERVICE_HOST", host);
	bench_set(bench, "KUBERNETES_SERVICE_PORT", "443");
	bench_write(bench, "token", "TOKEN\n");
	bench_write(bench, "ca.crt", "PEM");
	bench_write(bench, "namespace", "shop\n");
}

Test(kubeconfig_cluster, a_pod_uses_its_service_account)
{
	struct bench bench;
	const struct kubeconfig *config;

	open_pod(&bench, "10.96.0.1");
	bench.settings.as = "jane";
	config = bench_load(&bench);
	cr_assert_str_eq(config->context, "in-cluster");
	cr_assert_str_eq(config->origin, "the pod's service account");
	cr_assert_str_eq(config->server, "https://10.96.0.1:443");
	cr_assert_str_eq(config->name_space, "shop");
	cr_assert_str_eq(config->token_file, bench_path(&bench, "token"));
	cr_assert_str_eq(config->ca_file, bench_path(&bench, "ca.crt"));
	cr_assert_str_eq(config->impersonation.items[0], "Impersonate-User: jane");
	bench.settings.name_space = "other";
	cr_assert_str_eq(bench_load(&bench)->name_space, "other");
	bench_close(&bench);
}

Test(kubeconfig_cluster, a_pods_server_may_have_an_ipv6_address)
{
	struct bench bench;

	open_pod(&bench, "fd00:10:96::1");
	cr_assert_str_eq(bench_load(&bench)->server, "https://[fd00:10:96::1]:443");
	bench_close(&bench);
}

Test(kubeconfig_cluster, a_pod_without_a_namespace_file_means_default)
{
	struct bench bench;

	open_pod(&bench, "10.96.0.1");
	remove(bench_path(&bench, "namespace"));
	cr_assert_str_eq(bench_load(&bench)->name_space, "default");
	bench_close(&bench);
}

Test(kubeconfig_cluster, no_token_is_no_service_account)
{
	struct bench bench;

	open_pod(&bench, "10.96.0.1");
	remove(bench_path(&bench, "token"));
	bench_refuse(&bench, ERR_UNREACHABLE, "no Kubernetes cluster");
	bench_close(&bench);
}

Test(kubeconfig_cluster, a_kubeconfig_wins_over_the_pod)
{
	struct bench bench;

	open_pod(&bench, "10.96.0.1");
	cr_assert_str_eq(load_cluster(&bench, SERVER)->server, "https://h:6443");
	bench_write(&bench, ".kube/config", "kind: Config");
	cr_assert_str_eq(bench_load(&bench)->context, "in-cluster");
	bench.settings.kubeconfig = bench_path(&bench, ".kube/config");
	bench_refuse(&bench, ERR_UNREACHABLE, "names no cluster");
	bench_close(&bench);
}

Test(kubeconfig_cluster, a_pods_address_that_is_none_is_refused)
{
	struct bench bench;

	open_pod(&bench, "a b");
	bench_refuse(&bench, ERR_USAGE, "KUBERNETES_SERVICE_HOST");
	bench_close(&bench);
}
