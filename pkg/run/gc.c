/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/gc.h"

#include "pkg/base/clock.h"

/* A list is told while it is read: what is to go is remembered, so that no request stands in another. */
#define MAX_AT_ONCE 1000

struct leftovers {
	const struct backend_settings *settings;
	bool all_namespaces, dry_run;
	int64_t now;
	struct task_record *records; /* owned */
	size_t count;
	bool more; /* than MAX_AT_ONCE */
	struct gc_count *result;
};

static void forget(struct leftovers *leftovers)
{
	for (size_t i = 0; i < leftovers->count; i++)
		task_record_release(&leftovers->records[i]);
	leftovers->count = 0;
}

static int remember(void *context, struct task_record *record, struct err *err)
{
	struct leftovers *leftovers = context;

	if (!task_record_is_leftover(record, leftovers->now))
		return 0;
	if (leftovers->count == MAX_AT_ONCE) {
		leftovers->more = true;
		return 0;
	}
	if (!leftovers->records)
		leftovers->records = calloc(MAX_AT_ONCE, sizeof(*leftovers->records));
	if (!leftovers->records)
		return err_no_memory(err);
	leftovers->records[leftovers->count++] = *record;
	*record = (struct task_record)TASK_RECORD_INIT;
	return 0;
}

static void discard(struct leftovers *leftovers, struct backend *backend,
                    const struct task_record *record)
{
	const struct reporter *reporter = &leftovers->settings->reporter;
	struct err err = ERR_INIT;
	int result = 1;

	if (!leftovers->dry_run)
		result =
			backend->ops->discard(backend, record, record->state == TASK_RUNNING, &err);
	if (result < 0) {
		leftovers->result->failed++;
		report(reporter, REPORT_WARNING, "%s '%s': %s", record->platform, record->name,
		       err.message);
	} else if (result > 0) {
		leftovers->result->deleted++;
		report(reporter, REPORT_NOTE, "%s %s '%s' (%s%s)",
		       leftovers->dry_run ? "would delete" : "deleted", record->platform,
		       record->name, task_state_name(record->state),
		       record->state == TASK_RUNNING ? ", past its deadline" : "");
	}
}

static bool may_go(void *context, const struct task_record *brief)
{
	const struct leftovers *leftovers = context;

	return task_record_may_be_leftover(brief, leftovers->now);
}

static int collect(void *context, struct engine *engine, struct err *err)
{
	struct leftovers *leftovers = context;
	const struct list_query query = {
		.all = true,
		.all_namespaces = leftovers->all_namespaces,
		.wanted = may_go,
	};
	size_t deleted;
	int result;

	do {
		leftovers->more = false;
		deleted = leftovers->result->deleted;
		result = engine->backend->ops->list(engine->backend, &query, remember, leftovers,
		                                    err);
		for (size_t i = 0; result == 0 && i < leftovers->count; i++)
			discard(leftovers, engine->backend, &leftovers->records[i]);
		forget(leftovers);
		/* Again only while it gets less: what cannot be deleted would be found for ever. */
	} while (result == 0 && leftovers->more && !leftovers->dry_run &&
	         leftovers->result->deleted > deleted);
	return result;
}

int gc_engines(const struct engines *engines, const struct backend_settings *settings,
               bool all_namespaces, bool dry_run, struct gc_count *ret, struct err *err)
{
	struct leftovers leftovers = {
		.settings = settings,
		.all_namespaces = all_namespaces,
		.dry_run = dry_run,
		.now = clock_unix_seconds(),
		.result = ret,
	};
	int result;

	*ret = (struct gc_count){.deleted = 0};
	result = engines_visit(engines, settings, collect, &leftovers, err);
	free(leftovers.records);
	return result;
}
