/* SPDX-License-Identifier: Apache-2.0 */
#include "listing_engines.h"

#include <string.h>
#include "pkg/base/clock.h"

struct listing_engine listing_engines[2];

static const struct backend_ops docker, podman;

static struct listing_engine *engine_of(const struct backend *backend)
{
	return &listing_engines[backend->ops == &podman];
}

static int open_engine(const struct backend_ops *ops, struct listing_engine *engine,
                       struct backend **ret, struct err *err)
{
	if (engine->open_fails)
		return err_set(err, engine->open_fails, "%s does not open", ops->name);
	*ret = malloc(sizeof(**ret));
	(*ret)->ops = ops;
	engine->opened++;
	return 0;
}

static int open_docker(const struct backend_settings *settings, struct loop *loop,
                       struct backend **ret, struct err *err)
{
	(void)settings;
	(void)loop;
	return open_engine(&docker, &listing_engines[0], ret, err);
}

static int open_podman(const struct backend_settings *settings, struct loop *loop,
                       struct backend **ret, struct err *err)
{
	(void)settings;
	(void)loop;
	return open_engine(&podman, &listing_engines[1], ret, err);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int list(struct backend *backend, const struct list_query *query, list_visitor *visit,
                void *context, struct err *err)
{
	struct listing_engine *engine = engine_of(backend);

	engine->listed++;
	engine->asked_id = query->id;
	for (size_t i = 0; i < engine->count; i++) {
		_cleanup_(task_record_release) struct task_record record = engine->records[i];

		record.id = copy(record.id);
		record.name = copy(record.name);
		record.handle = copy(record.handle);
		record.platform = backend->ops->name;
		if (visit(context, &record, err) < 0)
			return -1;
	}
	return engine->list_fails ? err_set(err, engine->list_fails, "the list broke") : 0;
}

static int discard(struct backend *backend, const struct task_record *record, bool force,
                   struct err *err)
{
	struct listing_engine *engine = engine_of(backend);

	if (engine->discard_fails)
		return err_set(err, engine->discard_fails, "it stays");
	if (engine->runs)
		return 0;
	return strv_addf(&engine->discarded, "%s%s", record->id, force ? "!" : "") < 0 ? -1 : 1;
}

static void close_engine(struct backend *backend)
{
	engine_of(backend)->closed++;
	free(backend);
}

static const struct backend_ops docker = {.name = "docker",
                                          .open = open_docker,
                                          .list = list,
                                          .discard = discard,
                                          .close = close_engine};
static const struct backend_ops podman = {.name = "podman",
                                          .open = open_podman,
                                          .list = list,
                                          .discard = discard,
                                          .close = close_engine};
static const struct backend_ops *const items[] = {&docker, &podman};
const struct engines listing_both = {items, 2, NULL};

void listing_init(void)
{
	memset(listing_engines, 0, sizeof(listing_engines));
}

struct task_record listing_record(const char *id, const char *name)
{
	return (struct task_record){
		.id = (char *)id,
		.name = (char *)name,
		.handle = (char *)name,
		.state = TASK_ENDED,
		.created = clock_unix_seconds() - 7200,
		.ended = clock_unix_seconds() - 3600,
		.status = {.known = true},
	};
}
