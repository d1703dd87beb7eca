/* SPDX-License-Identifier: Apache-2.0 */
/* Which files count, how they merge, which context is meant. */
#include "tests/unit/kube/test_kubeconfig_helper.h"

#include <unistd.h>

#define FIXTURES "tests/fixtures/kube/"

/* A context that names its own cluster and namespace. */
static void write_context(const struct bench *bench, const char *file, const char *name,
                          const char *name_space, bool is_current)
{
	char text[1024];

	snprintf(text, sizeof(text),
	         "%s%s\ncontexts:\n- name: %s\n  context: {cluster: c-%s, user: u, namespace: %s}\n"
	         "clusters:\n- name: c-%s\n  cluster: {server: 'https://%s.test'}\n"
	         "users:\n- name: u\n  user: {token: t-%s}\n",
	         is_current ? "current-context: " : "", is_current ? name : "", name, name,
	         name_space, name, name_space, name_space);
	bench_write(bench, file, text);
}

static void set_list(struct bench *bench, const char *names)
{
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;
	_cleanup_free_ char *copy = strdup(names);
	char *rest = copy, *name;

	while ((name = strsep(&rest, ":")))
		strbuf_addf(&list, "%s%s%s%s", list.length ? ":" : "", *name ? bench->folder : "",
		            *name ? "/" : "", name);
	bench_set(bench, "KUBECONFIG", strbuf_str(&list));
}

Test(kubeconfig, home_is_read_by_default)
{
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	write_context(&bench, ".kube/config", "one", "ns", true);
	config = bench_load(&bench);
	cr_assert_str_eq(config->context, "one");
	cr_assert_str_eq(config->origin, bench_path(&bench, ".kube/config"));
	cr_assert_str_eq(config->server, "https://ns.test");
	cr_assert_str_eq(config->name_space, "ns");
	cr_assert_str_eq(config->token, "t-ns");
	cr_assert_null(config->proxy_url);
	cr_assert_null(config->exec.command);
	cr_assert_eq(config->impersonation.count, 0);
	bench_close(&bench);
}

Test(kubeconfig, first_file_wins_per_name)
{
	struct bench bench;
	const struct kubeconfig *config;

	bench_open(&bench);
	write_context(&bench, "a", "one", "first", false);
	write_context(&bench, "b", "one", "second", true);
	write_context(&bench, "c", "two", "third", true);
	set_list(&bench, "a:b:c");
	config = bench_load(&bench);
	cr_assert_str_eq(config->context, "one"); /* of b: the first that is not empty */
	cr_assert_str_eq(config->name_space, "first");
	cr_assert_str_eq(config->server, "https://first.test");
	cr_assert_str_eq(config->token, "t-first");
	cr_assert(strstr(config->origin, "KUBECONFIG ("), "%s", config->origin);
	bench.settings.context = "two";
	config = bench_load(&bench);
	cr_assert_str_eq(config->server, "https://third.test");
	cr_assert_str_eq(config->token, "t-first"); /* users merge on their own */
	bench_close(&bench);
}

Test(kubeconfig, whole_entries_win_not_single_fields)
{
	struct bench bench;

	bench_open(&bench);
	bench_write(&bench, "a", "contexts: [{name: one, context: {cluster: c-one}}]");
	write_context(&bench, "b", "one", "second", true);
	set_list(&bench, "a:b");
	cr_assert_str_eq(bench_load(&bench)->name_space, "default");
	cr_assert_null(bench.config.token);
	bench_close(&bench);
}

Test(kubeconfig, missing_files_and_empty_items_of_the_list_are_skipped)
{
	struct bench bench;

	bench_open(&bench);
	write_context(&bench, "b", "one", "ns", true);
	write_context(&bench, ".kube/config", "home", "home", true);
	set_list(&bench, ":gone:b::b:");
	cr_assert_str_eq(bench_load(&bench)->name_space, "ns");
	cr_assert_str_eq(bench.config.origin, bench_path(&bench, "b"));
	bench_close(&bench);
}

Test(kubeconfig, an_empty_list_is_none)
{
	struct bench bench;

	bench_open(&bench);
	write_context(&bench, ".kube/config", "home", "home", true);
	bench_set(&bench, "KUBECONFIG", "");
	cr_assert_str_eq(bench_load(&bench)->name_space, "home");
	bench_close(&bench);
}

Test(kubeconfig, the_option_reads_that_file_alone)
{
	struct bench bench;

	bench_open(&bench);
	write_context(&bench, "a", "one", "a", true);
	write_context(&bench, "b", "two", "b", true);
	set_list(&bench, "a");
	bench.settings.kubeconfig = bench_path(&bench, "b");
	cr_assert_str_eq(bench_load(&bench)->name_space, "b");
	bench.settings.context = "one";
	bench_refuse(&bench, ERR_USAGE, "'one' does not exist");
	bench_close(&bench);
}

Test(kubeconfig, the_options_file_has_to_exist)
{
	struct bench bench;

	bench_open(&bench);
	write_context(&bench, ".kube/config", "one", "home", true);
	bench.settings.kubeconfig = bench_path(&bench, "gone");
	bench_refuse(&bench, ERR_USAGE, "gone: No such file");
	bench_close(&bench);
}

Test(kubeconfig, a_bad_file_is_an_error_even_when_unused)
{
	struct bench bench;

	bench_open(&bench);
	write_context(&bench, "a", "one", "a", true);
	bench_write(&bench, "b", "contexts: [\n");
	set_list(&bench, "a:b");
	bench_refuse(&bench, ERR_PROTOCOL, "/b: not acceptable YAML: line ");
	bench_close(&bench);
}

Test(kubeconfig, what_is_no_kubeconfig_is_refused)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"just words", "not a mapping"},
		{"[a]", "not a mapping"},
		{"kind: Pod\napiVersion: v1", "'kind' is 'Pod', not 'Config'"},
		{"apiVersion: v2", "'apiVersion' is 'v2'"},
		{"current-context: on", "'current-context' is not a string"},
		{"contexts: {a: b}", "'contexts' is not a list"},
		{"contexts: [a]", "a context is not a mapping"},
		{"contexts: [{name: y}]", "the name of a context is not a string"},
		{"users: [{name: 7}]", "put it in quotes"},
		{"clusters: [{name: a, cluster: b}]", "a 'cluster' is not a mapping"},
		{"users: [{name: a}, {name: b}, {name: a}]", "the user 'a' stands there twice"},
	};
	struct bench bench;

	bench_open(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bench_write(&bench, ".kube/config", cases[i].text);
		bench_refuse(&bench, ERR_PROTOCOL, cases[i].words);
	}
	bench_close(&bench);
}

Test(kubeconfig, a_file_that_is_too_large_is_refused)
{
	struct bench bench;

	bench_open(&bench);
	bench_write(&bench, ".kube/config", "#");
	cr_assert_eq(truncate(bench_path(&bench, ".kube/config"), KUBECONFIG_MAX_BYTES + 1), 0);
	bench_refuse(&bench, ERR_NO_MEMORY, "larger than");
	bench_close(&bench);
}

Test(kubeconfig, nothing_at_all_says_what_to_do)
{
	struct bench bench;

	bench_open(&bench);
	bench_refuse(&bench, ERR_UNREACHABLE, "no Kubernetes cluster is configured");
	cr_assert(strstr(bench.err.hint, "--kubeconfig"), "%s", bench.err.hint);
	bench_write(&bench, ".kube/config", "");
	bench_refuse(&bench, ERR_UNREACHABLE, "no Kubernetes cluster is configured");
	bench_write(&bench, ".kube/config",
	            "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: ''\n"
	            "kind: Config\nusers: null\n");
	bench_refuse(&bench, ERR_UNREACHABLE, "no Kubernetes cluster is configured");
	bench_set(&bench, "KUBECONFIG", "/nowhere/else");
	bench_refuse(&bench, ERR_UNREACHABLE, "KUBECONFIG (/nowhere/else)");
	bench_close(&bench);
}

Test(kubeconfig, without_a_current_context_those_there_are_are_named)
{
	struct bench bench;

	bench_open(&bench);
	write_context(&bench, "a", "east", "ns", false);
	write_context(&bench, "b", "west", "ns", false);
	set_list(&bench, "a:b");
	bench_refuse(&bench, ERR_USAGE, "there are: east, west");
	bench_close(&bench);
}

Test(kubeconfig, an_unknown_context_gets_near_names)
{
	struct bench bench;

	bench_open(&bench);
	write_context(&bench, "a", "production", "ns", true);
	write_context(&bench, "b", "staging", "ns", true);
	set_list(&bench, "a:b");
	bench.settings.context = "prodution";
	bench_refuse(&bench, ERR_USAGE,
	             "did you mean 'production'? there are: production, staging");
	bench.settings.context = "zzzzzzzz";
	bench_refuse(&bench, ERR_USAGE, "there are: production, staging");
	cr_assert(!strstr(bench.err.hint, "did you mean"));
	bench_close(&bench);
}

Test(kubeconfig, a_context_has_to_name_what_exists)
{
	struct bench bench;

	bench_open(&bench);
	bench.settings.context = "x";
	bench_write(&bench, ".kube/config", "contexts: [{name: x, context: {user: u}}]");
	bench_refuse(&bench, ERR_USAGE, "names no cluster");
	bench_write(&bench, ".kube/config", "contexts: [{name: x, context: {cluster: c}}]");
	bench_refuse(&bench, ERR_USAGE, "the cluster 'c' does not exist");
	bench_write(&bench, ".kube/config",
	            "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
	            "clusters: [{name: c, cluster: {server: 'https://h'}}]");
	bench_refuse(&bench, ERR_USAGE, "the user 'u' does not exist");
	bench_write(&bench, ".kube/config",
	            "contexts: [{name: x, context: {cluster: c}}]\n"
	            "clusters: [{name: c, cluster: {server: 'https://h'}}]");
	cr_assert_str_eq(bench_load(&bench)->context, "x"); /* nobody, as kubectl has it */
	bench_close(&bench);
}

Test(kubeconfig, the_namespace_option_wins_over_the_contexts)
{
	struct bench bench;

	bench_open(&bench);
	write_context(&bench, ".kube/config", "one", "ns", true);
	bench.settings.name_space = "mine";
	cr_assert_str_eq(bench_load(&bench)->name_space, "mine");
	bench.settings.name_space = "";
	cr_assert_str_eq(bench_load(&bench)->name_space, "ns");
	bench_close(&bench);
}

Test(kubeconfig, json_works_too)
{
	struct bench bench;

	bench_open(&bench);
	bench.settings.kubeconfig = FIXTURES "kubeconfig-json";
	cr_assert_str_eq(bench_load(&bench)->server, "https://203.0.113.7");
	cr_assert_str_eq(bench.config.exec.command, "gke-gcloud-auth-plugin");
	bench_close(&bench);
}

Test(kubeconfig, files_as_tools_write_them_load)
{
	struct bench bench;

	bench_open(&bench);
	bench.settings.kubeconfig = FIXTURES "kubeconfig-kind";
	cr_assert_str_eq(bench_load(&bench)->server, "https://127.0.0.1:43917");
	cr_assert(strstr(bench.config.ca_data, "-----BEGIN CERTIFICATE-----"));
	cr_assert(strstr(bench.config.cert_data, "-----BEGIN CERTIFICATE-----"));
	cr_assert(strstr(bench.config.key_data, "-----BEGIN RSA PRIVATE KEY-----"));
	bench.settings.kubeconfig = FIXTURES "kubeconfig-eks";
	cr_assert_str_eq(bench_load(&bench)->exec.command, "aws");
	cr_assert_eq(bench.config.exec.args.count, 7);
	cr_assert_str_eq(bench.config.exec.env.items[0], "AWS_PROFILE=shop");
	bench_close(&bench);
}
