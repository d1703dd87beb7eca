/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked up while somebody waits for the tab key: quick, and silent when it cannot be had. */
#include <string.h>
#include "cmd/oneoff/completion.h"
#include "pkg/base/environment.h"
#include "pkg/docker/endpoint.h"
#include "pkg/kube/kubeconfig.h"

static void add_all(struct candidates *candidates, const struct strv *values, const char *meaning)
{
	for (size_t i = 0; i < values->count; i++)
		candidate_add(candidates, values->items[i], meaning);
}

/* The shell hands the word over as it was typed. */
static char *expand_home(const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const char *home = getenv("HOME");

	if (!path)
		return NULL;
	strbuf_addf(&text, "%s%s", !strncmp(path, "~/", 2) && home ? home : "",
	            !strncmp(path, "~/", 2) && home ? path + 1 : path);
	return text.failed ? NULL : strbuf_take(&text);
}

static int read_kubeconfig(const struct completion *line, struct strv *contexts,
                           struct strv *namespaces)
{
	_cleanup_free_ char *file = expand_home(completion_given(line, "kubeconfig"));
	struct kubeconfig_settings settings = {.kubeconfig = file, .get = environment_get};
	struct err err = ERR_INIT;

	return kubeconfig_names(&settings, contexts, namespaces, &err);
}

static void add_contexts(const struct completion *line, struct candidates *candidates)
{
	_cleanup_(strv_release) struct strv contexts = STRV_INIT, namespaces = STRV_INIT,
					    docker = STRV_INIT;
	struct endpoint_settings settings = {.get = environment_get};
	struct err err = ERR_INIT;

	if (read_kubeconfig(line, &contexts, &namespaces) == 0)
		add_all(candidates, &contexts, "kubeconfig");
	if (docker_context_names(&settings, &docker, &err) == 0)
		add_all(candidates, &docker, "docker");
}

/* Those that contexts name: asking the cluster may take a login. */
static void add_namespaces(const struct completion *line, struct candidates *candidates)
{
	_cleanup_(strv_release) struct strv contexts = STRV_INIT, namespaces = STRV_INIT;

	if (read_kubeconfig(line, &contexts, &namespaces) == 0)
		add_all(candidates, &namespaces, NULL);
}

/* One row a source of values; several may serve one kind, the quickest first, because time may run out. */
static const struct {
	enum completion_kind kind;
	void (*add)(const struct completion *line, struct candidates *candidates);
} sources[] = {
	{COMPLETE_CONTEXT, add_contexts},      {COMPLETE_NAMESPACE, add_namespaces},
	{COMPLETE_SOURCE, completion_sources}, {COMPLETE_ID, completion_ids},
	{COMPLETE_TASK, completion_tasks},     {COMPLETE_SCHEDULE, completion_schedules},
};

void completion_live(const struct completion *line, struct candidates *candidates)
{
	if (!line->command || (!line->row && !line->operands))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (sources[i].kind == line->kind)
			sources[i].add(line, candidates);
}
