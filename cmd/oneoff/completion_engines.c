/* SPDX-License-Identifier: Apache-2.0 */
/* Candidates that the platforms know: what --like takes, ids of one-offs, named tasks of an app. */
#include <string.h>
#include "cmd/oneoff/completion.h"
#include "pkg/kube/cronjobs.h"
#include "pkg/kube/kube.h"
#include "pkg/run/choose.h"
#include "pkg/run/engines.h"
#include "pkg/run/tasks.h"

struct asking {
	struct candidates *candidates;
	const char *platform; /* of the engine that is being asked */
};

/* Only what answers at once: nothing is started, nothing is said. */
static struct backend_settings settings_of(const struct completion *line)
{
	return (struct backend_settings){
		.host = completion_given(line, "host"),
		.context = completion_given(line, "context"),
		.kubeconfig = completion_given(line, "kubeconfig"),
		.name_space = completion_given(line, "namespace"),
		.oci_root = completion_given(line, "oci-root"),
		.as = completion_given(line, "as"),
	};
}

static struct engines engines_of(const struct completion *line)
{
	return (struct engines){engines, engine_count, completion_given(line, "runtime")};
}

static int take_source(void *context, const char *name, struct err *err)
{
	struct asking *asking = context;

	(void)err;
	candidate_add(asking->candidates, name, asking->platform);
	if (!strncmp(name, "oci:", 4))
		candidate_add(asking->candidates, name + 4, asking->platform);
	return 0;
}

static int ask_sources(void *context, struct engine *engine, struct err *err)
{
	struct asking *asking = context;

	asking->platform = engine->backend->ops->name;
	return engine->backend->ops->sources(engine->backend, take_source, asking, err);
}

void completion_sources(const struct completion *line, struct candidates *candidates)
{
	const struct backend_settings settings = settings_of(line);
	const struct engines all = engines_of(line);
	struct asking asking = {.candidates = candidates};
	struct err err = ERR_INIT;

	if (engines_visit(&all, &settings, ask_sources, &asking, &err) < 0)
		return; /* what was found counts */
}

static int take_id(void *context, struct task_record *record, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf meaning = STRBUF_INIT;
	struct candidates *candidates = context;

	(void)err;
	strbuf_addf(&meaning, "%s, %s", record->source ? record->source : record->name,
	            task_state_name(record->state));
	candidate_add(candidates, record->id, meaning.failed ? NULL : strbuf_str(&meaning));
	return 0;
}

static int ask_ids(void *context, struct engine *engine, struct err *err)
{
	const struct list_query query = {.all = true, .brief = true};

	return engine->backend->ops->list(engine->backend, &query, take_id, context, err);
}

void completion_ids(const struct completion *line, struct candidates *candidates)
{
	const struct backend_settings settings = settings_of(line);
	const struct engines all = engines_of(line);
	struct err err = ERR_INIT;

	if (engines_visit(&all, &settings, ask_ids, candidates, &err) < 0)
		return;
}

static int ask_schedules(void *context, struct engine *engine, struct err *err)
{
	_cleanup_(json_free) cJSON *cronjobs = NULL;
	const cJSON *cronjob;

	if (cronjobs_list(engine->backend, &cronjobs, NULL, NULL, err) < 0)
		return -1;
	cJSON_ArrayForEach (cronjob, cronjobs)
		candidate_add(context, json_string(cronjob, "metadata.name"),
		              json_string(cronjob, "spec.schedule"));
	return 0;
}

void completion_schedules(const struct completion *line, struct candidates *candidates)
{
	const struct backend_settings settings = settings_of(line);
	const struct engines clusters = {engines, engine_count, kubernetes_backend.name};
	struct err err = ERR_INIT;

	if (engines_visit(&clusters, &settings, ask_schedules, candidates, &err) < 0)
		return;
}

void completion_tasks(const struct completion *line, struct candidates *candidates)
{
	_cleanup_(source_release) struct source source = {.text = NULL};
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	const struct backend_settings settings = settings_of(line);
	const char *like = completion_given(line, "like");
	struct err err = ERR_INIT;

	if (line->operand_count || !like || source_parse(like, &source, &err) < 0 ||
	    choose(engines, engine_count, completion_given(line, "runtime"), &source, &settings,
	           &chosen, &err) < 0 ||
	    app_tasks_names(chosen.backend, &chosen.release, &names, &err) < 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		candidate_add(candidates, names.items[i], "task");
}
