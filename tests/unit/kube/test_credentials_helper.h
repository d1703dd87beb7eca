/* SPDX-License-Identifier: Apache-2.0 */
/* Credential plugins as shell scripts in a folder of one's own, and a reporter that keeps what it is told. */
#ifndef ONEOFF_TESTS_UNIT_KUBE_TEST_CREDENTIALS_HELPER_H
#define ONEOFF_TESTS_UNIT_KUBE_TEST_CREDENTIALS_HELPER_H

#include "pkg/kube/credentials_internal.h"
#include "tests/unit/kube/test_kubeconfig_helper.h"

#define API_V1 "client.authentication.k8s.io/v1"

/* A shell script's line that answers with this status. */
#define ANSWER(status)                                                                             \
	"printf '%s' '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" API_V1                       \
	"\",\"status\":" status "}'\n"

/* Where a script appends a line for each run. */
#define COUNT "echo run >>\"$(dirname \"$0\")/runs\"\n"

struct plugin_bench {
	struct bench bench;
	struct reporter reporter;
	struct strbuf said; /* notes and warnings, a line each */
	struct credentials *credentials;
};

static void plugin_say(void *context, enum report_level level, const char *line)
{
	struct plugin_bench *plugin = context;

	if (level != REPORT_DETAIL)
		strbuf_addf(&plugin->said, "%s\n", line);
}

static void plugin_write(struct plugin_bench *plugin, const char *script)
{
	char text[8192];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s", script);
	bench_write(&plugin->bench, "login", text);
	cr_assert_eq(chmod(bench_path(&plugin->bench, "login"), 0700), 0);
}

/* A configuration whose only way in is the script. */
_unused_ static void plugin_open(struct plugin_bench *plugin, const char *script)
{
	struct kubeconfig *config = &plugin->bench.config;

	memset(plugin, 0, sizeof(*plugin));
	bench_open(&plugin->bench);
	plugin->reporter = (struct reporter){.say = plugin_say, .context = plugin};
	plugin_write(plugin, script);
	config->origin = strdup("test");
	config->exec.command = strdup(bench_path(&plugin->bench, "login"));
	config->exec.api_version = strdup(API_V1);
	config->exec.interactive = KUBECONFIG_INTERACTIVE_NEVER;
	cr_assert_eq(credentials_open(config, &plugin->reporter, &plugin->credentials,
	                              &plugin->bench.err),
	             0);
}

_unused_ static void plugin_close(struct plugin_bench *plugin)
{
	credentials_close(plugin->credentials);
	strbuf_release(&plugin->said);
	bench_close(&plugin->bench);
}

/* Runs the script to its end. */
_unused_ static int plugin_run(struct plugin_bench *plugin, int64_t timeout_ms, struct strbuf *ret)
{
	return credentials_run_plugin(&plugin->bench.config.exec, &plugin->reporter, timeout_ms,
	                              ret, &plugin->bench.err);
}

_unused_ static void plugin_refuse(struct plugin_bench *plugin, int64_t timeout_ms,
                                   enum err_kind kind, const char *words)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	cr_assert_eq(plugin_run(plugin, timeout_ms, &text), -1);
	cr_assert_eq(plugin->bench.err.kind, kind, "%s", plugin->bench.err.message);
	cr_assert(strstr(plugin->bench.err.message, words), "no '%s' in: %s", words,
	          plugin->bench.err.message);
	cr_assert_eq(text.length, 0);
}

/* The only header line, or "". */
_unused_ static const char *plugin_header(const struct plugin_bench *plugin)
{
	const struct strv *headers = credentials_headers(plugin->credentials);

	cr_assert_leq(headers->count, 1);
	return headers->count ? headers->items[0] : "";
}

_unused_ static size_t plugin_runs(const struct plugin_bench *plugin)
{
	FILE *file = fopen(bench_path(&plugin->bench, "runs"), "r");
	size_t lines = 0;
	int byte;

	if (!file)
		return 0;
	while ((byte = fgetc(file)) != EOF)
		lines += byte == '\n';
	fclose(file);
	return lines;
}

/* The whole of a file that a script wrote; owned by the caller. */
_unused_ static char *plugin_file(const struct plugin_bench *plugin, const char *name)
{
	char text[65536];
	FILE *file = fopen(bench_path(&plugin->bench, name), "r");
	size_t length = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	cr_assert_not_null(file, "%s", name);
	fclose(file);
	text[length] = '\0';
	return strdup(text);
}

#endif
