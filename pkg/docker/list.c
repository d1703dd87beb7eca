/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is: our one-offs, and what --like takes. The engine's list has no times and codes and its labels may
 * be long, so only ids are kept of it; each container is then asked for by itself, and one that went in
 * between is passed over.
 */
#include <string.h>
#include "pkg/docker/docker.h"

/* With the list's own words for what has ended, so that these need no question of their own. */
static bool has_ended(const char *state)
{
	return !strcmp(state, "exited") || !strcmp(state, "dead") || !strcmp(state, "stopped");
}

static int ask_for_list(struct docker *docker, const struct list_query *query, cJSON **ret,
                        struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf filters = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	_cleanup_(json_free) cJSON *filter = cJSON_CreateObject(), *labels = cJSON_CreateArray();
	_cleanup_(strbuf_release) struct strbuf label = STRBUF_INIT;

	strbuf_adds(&label, "dev.oneoff.id");
	if (query->id)
		strbuf_addf(&label, "=%s", query->id);
	if (!filter || !labels || label.failed || json_add_string(labels, strbuf_str(&label)) < 0 ||
	    json_set_node(filter, "label", TAKE_PTR(labels)) < 0)
		return err_no_memory(err);
	json_print(filter, false, &filters);
	strbuf_adds(&path, "/containers/json?all=1&filters=");
	strbuf_add_url(&path, strbuf_str(&filters));
	if (filters.failed || path.failed)
		return err_no_memory(err);
	return docker_json(docker, "GET", strbuf_str(&path), NULL, ret, err);
}

static int list_ids(struct docker *docker, const struct list_query *query, struct strv *ids,
                    struct err *err)
{
	_cleanup_(json_free) cJSON *list = NULL;
	const cJSON *item;

	if (ask_for_list(docker, query, &list, err) < 0)
		return -1;
	cJSON_ArrayForEach (item, list) {
		const char *id = json_string(item, "Id"), *state = json_string(item, "State");

		if (!id)
			return err_set(err, ERR_PROTOCOL, "the engine's list has no ids");
		if (!query->all && state && has_ended(state))
			continue;
		if (strv_add(ids, id) < 0)
			return err_no_memory(err);
	}
	return 0;
}

int docker_list(struct backend *backend, const struct list_query *query, list_visitor *visit,
                void *context, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(strv_release) struct strv ids = STRV_INIT;

	if (list_ids(docker, query, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
		int found = docker_look(docker, ids.items[i], NULL, &record, err);

		if (found < 0 && err->http_status != 404)
			return -1;
		if (found <= 0 || (query->id && strcmp(record.id, query->id)) ||
		    (!query->all && record.state == TASK_ENDED))
			continue;
		if (visit(context, &record, err) < 0)
			return -1;
	}
	return 0;
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

int docker_sources(struct backend *backend, source_visitor *visit, void *context, struct err *err)
{
	struct docker *docker = (struct docker *)backend;
	_cleanup_(json_free) cJSON *list = NULL;
	_cleanup_(strv_release) struct strv told = STRV_INIT;
	const cJSON *item;

	if (docker_json(docker, "GET", "/containers/json", NULL, &list, err) < 0)
		return -1;
	cJSON_ArrayForEach (item, list) {
		const char *name = json_string(item, "Names[0]");

		if (!name || label_of(item, "dev.oneoff.id"))
			continue;
		if (visit(context, *name == '/' ? name + 1 : name, err) < 0 ||
		    tell_service(item, &told, visit, context, err) < 0)
			return -1;
	}
	return 0;
}
