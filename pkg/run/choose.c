/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/choose.h"

#include <string.h>

void chosen_release(struct chosen *chosen)
{
	if (chosen->backend)
		chosen->backend->ops->close(chosen->backend);
	free(chosen->loop);
	release_release(&chosen->release);
	*chosen = (struct chosen){.backend = NULL};
}

static int try_engine(const struct backend_ops *ops, const struct source *source,
                      const struct backend_settings *settings, struct chosen *ret, struct err *err)
{
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};

	chosen.loop = malloc(sizeof(*chosen.loop));
	if (!chosen.loop)
		return err_no_memory(err);
	*chosen.loop = (struct loop)LOOP_INIT;
	if (ops->open(settings, chosen.loop, &chosen.backend, err) < 0) {
		chosen.backend = NULL;
		return -1;
	}
	if (ops->find(chosen.backend, source, &chosen.release, err) < 0)
		return -1;
	*ret = chosen;
	chosen = (struct chosen){.backend = NULL};
	return 0;
}

/* A name that an answering engine does not know says more than an engine that does not answer; and one that knows a
 * name like it, more than one that does not. */
static bool says_more(const struct err *candidate, const struct err *best)
{
	static const int weight[ERR_KIND_COUNT] = {
		[ERR_UNREACHABLE] = 1,
		[ERR_DENIED] = 2,
		[ERR_NOT_FOUND] = 3,
	};
	int its = weight[candidate->kind] ? weight[candidate->kind] : 4;
	int present = best->kind == ERR_NONE ? 0 : weight[best->kind] ? weight[best->kind] : 4;

	return its > present ||
	       (its == present && candidate->kind == ERR_NOT_FOUND &&
	        strstr(candidate->hint, "did you mean") && !strstr(best->hint, "did you mean"));
}

struct search {
	const struct backend_ops *const *engines;
	size_t count;
	const char *runtime;
	const struct source *source;
};

/* Two engines that show the same container are one engine behind two addresses. */
static int second_hit(const struct chosen *first, const struct chosen *second, struct err *err)
{
	if (!strcmp(first->release.id, second->release.id))
		return 0;
	err_set(err, ERR_AMBIGUOUS, "'%s' exists in %s and in %s", first->release.name,
	        first->backend->ops->name, second->backend->ops->name);
	return err_hint(err, "say which: --like %s:%s or --like %s:%s", first->backend->ops->name,
	                first->release.name, second->backend->ops->name, second->release.name);
}

static bool is_meant(const struct search *search, const struct backend_ops *ops)
{
	if (search->runtime)
		return !strcmp(search->runtime, ops->name);
	return !(ops->capabilities & BACKEND_BY_NAME_ONLY);
}

/* One pass over the engines: 0 with *ret, or -1 with the error that says most. */
static int search_engines(const struct search *search, const struct backend_settings *settings,
                          struct chosen *ret, struct err *err)
{
	_cleanup_(chosen_release) struct chosen found = {.backend = NULL};

	for (size_t i = 0; i < search->count; i++) {
		_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};
		struct err own = ERR_INIT;

		if (!is_meant(search, search->engines[i]))
			continue;
		if (try_engine(search->engines[i], search->source, settings, &chosen, &own) < 0) {
			report(&settings->reporter, REPORT_DETAIL, "%s: %s",
			       search->engines[i]->name, own.message);
			if (says_more(&own, err))
				*err = own;
			continue;
		}
		if (found.backend) {
			if (second_hit(&found, &chosen, err) < 0)
				return -1;
			continue;
		}
		found = chosen;
		chosen = (struct chosen){.backend = NULL};
	}
	if (!found.backend)
		return -1;
	*ret = found;
	found = (struct chosen){.backend = NULL};
	return 0;
}

static bool is_known(const struct search *search)
{
	for (size_t i = 0; i < search->count; i++)
		if (!search->runtime || !strcmp(search->runtime, search->engines[i]->name))
			return true;
	return false;
}

/* What a person who types for kubectl forgets. */
static int hint_slash(const struct source *source, const struct backend_settings *settings,
                      struct err *err)
{
	static const char *const kinds[] = {"deploy", "deployment", "sts",     "statefulset",
	                                    "ds",     "daemonset",  "rs",      "replicaset",
	                                    "job",    "cj",         "cronjob", "po",
	                                    "pod",    "svc",        "service"};

	if (source->kind != SOURCE_BARE ||
	    (err->kind != ERR_NOT_FOUND && err->kind != ERR_UNREACHABLE))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(source->name, kinds[i]))
			return err_hint(err, "a workload in a cluster has a slash: --like %s/NAME",
			                kinds[i]);
	if (settings->name_space || settings->kubeconfig)
		return err_hint(err, "a workload in a cluster has a slash: --like deploy/%s",
		                source->name);
	return -1;
}

int choose(const struct backend_ops *const *engines, size_t count, const char *runtime,
           const struct source *source, const struct backend_settings *settings, struct chosen *ret,
           struct err *err)
{
	struct search search = {engines, count, runtime, source};
	struct backend_settings own = *settings;

	if (!is_known(&search)) {
		err_set(err, ERR_USAGE, "this version has no runtime '%s'", runtime);
		return err_hint(err, "it has: docker, podman, oci, kubernetes");
	}
	*err = (struct err)ERR_INIT;
	own.may_spawn = false;
	if (search_engines(&search, &own, ret, err) == 0)
		return 0;
	if (err->kind == ERR_AMBIGUOUS || err->kind == ERR_USAGE || settings->host)
		return -1;
	/* Only Podman can be started for us; asking the others again would change nothing. */
	if (runtime && strcmp(runtime, "podman"))
		return -1;
	search.runtime = "podman";
	own.may_spawn = true;
	if (search_engines(&search, &own, ret, err) == 0)
		return 0;
	return runtime ? -1 : hint_slash(source, settings, err);
}
