/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/task_find.h"

#include <string.h>
#include "pkg/base/strbuf.h"

#define ID_LENGTH  8
#define MAX_LISTED 5

struct search {
	const char *text;
	bool all_namespaces;
	struct found_task found;
	bool exact; /* the hit is no prefix */
	bool by_id; /* …but the whole id: no other can be meant */
	bool here;  /* the hit is in the engine that is being asked */
	size_t hits;
	struct strbuf list; /* of their ids, for the error */
};

void found_task_release(struct found_task *found)
{
	engine_close(&found->engine);
	task_record_release(&found->record);
}

/* 2: this and no other; 1: perhaps; 0: no. */
static int matches(const char *text, const struct task_record *record)
{
	if (!strcmp(text, record->id) || !strcmp(text, record->name))
		return 2;
	return !strncmp(text, record->id, strlen(text));
}

/* Docker's socket may lead to Podman, so that both tell of the same object. */
static bool is_known(const struct search *search, const struct task_record *record)
{
	return search->hits && !strcmp(search->found.record.id, record->id);
}

static int take(void *context, struct task_record *record, struct err *err)
{
	struct search *search = context;
	int match = matches(search->text, record);

	(void)err;
	if (!match || is_known(search, record) || (search->exact && match < 2))
		return 0;
	if (match == 2 && !search->exact) {
		search->exact = true;
		search->hits = 0;
		strbuf_reset(&search->list);
	}
	search->by_id |= !strcmp(search->text, record->id);
	if (search->hits++ < MAX_LISTED)
		strbuf_addf(&search->list, "%s%s", search->list.length ? ", " : "", record->id);
	if (search->hits > 1)
		return 0;
	found_task_release(&search->found);
	search->found.record = *record;
	*record = (struct task_record)TASK_RECORD_INIT;
	search->here = true;
	return 0;
}

static bool may_match(void *context, const struct task_record *brief)
{
	const struct search *search = context;

	return matches(search->text, brief) > 0;
}

static int ask(void *context, struct engine *engine, struct err *err)
{
	struct search *search = context;
	const struct list_query query = {
		.all = true,
		.all_namespaces = search->all_namespaces,
		.id = strlen(search->text) == ID_LENGTH ? search->text : NULL,
		.wanted = may_match,
	};

	search->here = false;
	if (engine->backend->ops->list(engine->backend, &query, take, search, err) < 0)
		return -1;
	if (search->here) {
		search->found.engine = *engine;
		*engine = (struct engine){.backend = NULL};
	}
	return search->by_id;
}

int task_find(const struct engines *engines, const struct backend_settings *settings,
              const char *text, bool all_namespaces, struct found_task *ret, struct err *err)
{
	struct search search = {.text = text, .all_namespaces = all_namespaces};
	struct err own = ERR_INIT;
	int result;

	if (!*text)
		return err_set(err, ERR_USAGE, "an empty id");
	result = engines_visit(engines, settings, ask, &search, &own);
	if (search.hits == 1 && search.found.engine.backend) {
		*ret = search.found;
		search.found = (struct found_task){.record = TASK_RECORD_INIT};
		result = 0;
	} else if (search.hits > 1) {
		result = err_set(err, ERR_AMBIGUOUS, "'%s' is the beginning of %zu ids: %s%s", text,
		                 search.hits, strbuf_str(&search.list),
		                 search.hits > MAX_LISTED ? "…" : "");
	} else if (result < 0) {
		*err = own;
	} else {
		if (own.kind == ERR_NONE)
			err_set(err, ERR_NOT_FOUND, "no one-off '%s'", text);
		else
			err_set(err, own.kind, "no one-off '%s' where an answer came", text);
		result = err_hint(err, "see what there is with: oneoff list --all");
	}
	found_task_release(&search.found);
	strbuf_release(&search.list);
	return result;
}
