/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is: our one-offs, and what --like takes. The engine's list has labels and states, but no times, codes
 * and terminals. So what it tells decides first, and only what is to be told is then asked for by itself; one that
 * went in between is passed over.
 */
#include <string.h>
#include "pkg/docker/docker.h"

/* Those that Docker has for what has not ended. Podman has others, by version, and refuses what it does not know. */
static const char *const live_states[] = {"created", "running", "paused", "restarting", "removing"};

static int add_live_states(cJSON *filter)
{
	cJSON *states = cJSON_CreateArray();
	int failed = !states;

	for (size_t i = 0; states && i < ARRAY_SIZE(live_states); i++)
		failed |= json_add_string(states, live_states[i]);
	return json_set_node(filter, "status", states) < 0 || failed ? -1 : 0;
}

static int add_path(const struct docker *docker, const struct list_query *query,
                    struct strbuf *path, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf filters = STRBUF_INIT, label = STRBUF_INIT;
	_cleanup_(json_free) cJSON *filter = cJSON_CreateObject(), *labels = cJSON_CreateArray();

	strbuf_adds(&label, "dev.oneoff.id");
	if (query->id)
		strbuf_addf(&label, "=%s", query->id);
	if (!filter || !labels || label.failed || json_add_string(labels, strbuf_str(&label)) < 0 ||
	    json_set_node(filter, "label", TAKE_PTR(labels)) < 0 ||
	    (!query->all && !docker->podman && add_live_states(filter) < 0))
		return err_no_memory(err);
	json_print(filter, false, &filters);
	strbuf_adds(path, "/containers/json?all=1&filters=");
	strbuf_add_url(path, strbuf_str(&filters));
	return filters.failed || path->failed ? err_no_memory(err) : 0;
}

struct listing {
	struct docker *docker;
	const struct list_query *query;
	list_visitor *visit;
	void *context;
};

static bool is_wanted(const struct listing *listing, const struct task_record *record)
{
	const struct list_query *query = listing->query;

	if (query->id && strcmp(record->id, query->id) != 0)
		return false;
	return query->all || record->state != TASK_ENDED;
}

/* With all that there is to know of it. */
static int tell_whole(const struct listing *listing, const char *handle, struct err *err)
{
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	struct err cause = ERR_INIT;
	int found = docker_look(listing->docker, handle, NULL, &record, &cause);

	if (found < 0 && cause.http_status != 404) {
		*err = cause;
		return -1;
	}
	if (found <= 0 || !is_wanted(listing, &record))
		return 0;
	return listing->visit(listing->context, &record, err);
}

static int take_item(void *context, const cJSON *item, struct err *err)
{
	const struct listing *listing = context;
	const struct list_query *query = listing->query;
	_cleanup_(task_record_release) struct task_record brief = TASK_RECORD_INIT;
	int found = docker_brief(listing->docker, item, &brief, err);

	if (found <= 0)
		return found;
	if (!is_wanted(listing, &brief) ||
	    (query->wanted && !query->wanted(listing->context, &brief)))
		return 0;
	if (query->brief)
		return listing->visit(listing->context, &brief, err);
	return tell_whole(listing, brief.handle, err);
}

int docker_list(struct backend *backend, const struct list_query *query, list_visitor *visit,
                void *context, struct err *err)
{
	struct listing listing = {(struct docker *)backend, query, visit, context};
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	if (add_path(listing.docker, query, &path, err) < 0)
		return -1;
	return docker_each(listing.docker, strbuf_str(&path), take_item, &listing, err);
}

static const char *label_of(const cJSON *item, const char *key)
{
	const cJSON *value = json_member(json_member(item, "Labels"), key);

	return cJSON_IsString(value) ? value->valuestring : NULL;
}

static bool is_among(const struct strv *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i], name))
			return true;
	return false;
}

/* A service once, however many containers it has. */
static int tell_service(const cJSON *item, struct strv *told, source_visitor *visit, void *context,
                        struct err *err)
{
	const char *project = label_of(item, "com.docker.compose.project");
	const char *service = label_of(item, "com.docker.compose.service");
	const char *oneoff = label_of(item, "com.docker.compose.oneoff");
	_cleanup_(strbuf_release) struct strbuf name = STRBUF_INIT;

	if (!project || !service || !*project || !*service ||
	    (oneoff && !strcasecmp(oneoff, "true")))
		return 0;
	strbuf_addf(&name, "compose:%s/%s", project, service);
	if (name.failed)
		return err_no_memory(err);
	if (is_among(told, strbuf_str(&name)))
		return 0;
	if (strv_add(told, strbuf_str(&name)) < 0)
		return err_no_memory(err);
	return visit(context, strbuf_str(&name), err);
}

struct telling {
	struct strv services; /* that were told */
	source_visitor *visit;
	void *context;
};

static int tell_source(void *context, const cJSON *item, struct err *err)
{
	struct telling *telling = context;
	const char *name = json_string(item, "Names[0]");

	if (!name || label_of(item, "dev.oneoff.id"))
		return 0;
	if (telling->visit(telling->context, *name == '/' ? name + 1 : name, err) < 0)
		return -1;
	return tell_service(item, &telling->services, telling->visit, telling->context, err);
}

int docker_sources(struct backend *backend, source_visitor *visit, void *context, struct err *err)
{
	struct telling telling = {.visit = visit, .context = context};
	int result = docker_each((struct docker *)backend, "/containers/json", tell_source,
	                         &telling, err);

	strv_release(&telling.services);
	return result;
}
