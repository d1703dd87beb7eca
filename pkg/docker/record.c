/* SPDX-License-Identifier: Apache-2.0 */
/* GET /containers/ID/json, and an item of GET /containers/json → what list, gc, the lock and the guardian judge by. */
#include <stdio.h>
#include <string.h>
#include "pkg/base/clock.h"
#include "pkg/docker/docker.h"

#define CODE_OF_KILL 137
#define CODE_OF_TERM 143

static const struct {
	const char *word;
	enum task_state state;
	bool is_usual; /* the state says as much as the word */
} states[] = {
	{"created", TASK_CREATED, true},    {"initialized", TASK_CREATED, true},
	{"configured", TASK_CREATED, true}, {"running", TASK_RUNNING, true},
	{"paused", TASK_RUNNING, false},    {"restarting", TASK_RUNNING, false},
	{"stopping", TASK_RUNNING, false},  {"exited", TASK_ENDED, true},
	{"stopped", TASK_ENDED, true},      {"dead", TASK_ENDED, false},
	{"removing", TASK_ENDED, false},
};

static const char *label(const void *context, const char *key)
{
	char name[64];
	const cJSON *value;

	snprintf(name, sizeof(name), "dev.oneoff.%s", key);
	value = json_member(context, name);
	return cJSON_IsString(value) ? value->valuestring : NULL;
}

/* Go's zero time, and what is no time, become 0: not known. */
static int64_t time_at(const cJSON *document, const char *path)
{
	const char *text = json_string(document, path);
	int64_t seconds;

	return text && clock_parse_rfc3339(text, &seconds) == 0 && seconds > 0 ? seconds : 0;
}

static void read_state(const char *word, struct task_record *record)
{
	record->state = TASK_UNKNOWN;
	for (size_t i = 0; word && i < ARRAY_SIZE(states); i++) {
		if (strcmp(word, states[i].word) != 0)
			continue;
		record->state = states[i].state;
		if (!states[i].is_usual)
			snprintf(record->detail, sizeof(record->detail), "%s", word);
	}
	if (word && record->state == TASK_UNKNOWN)
		snprintf(record->detail, sizeof(record->detail), "%s", word);
}

/* A detached task has no client to say 124: whoever ended it at its deadline was the guardian, which comes
 * at the second after it. */
static bool was_timed_out(const struct task_record *record)
{
	int code = record->status.code;

	if (!record->detached || !record->deadline || record->status.out_of_memory)
		return false;
	return record->ended > record->deadline || (record->ended == record->deadline &&
	                                            (code == CODE_OF_KILL || code == CODE_OF_TERM));
}

static void read_end(const cJSON *document, struct task_record *record)
{
	const char *message = json_string(document, "State.Error");
	int64_t code;

	record->ended = time_at(document, "State.FinishedAt");
	if (json_int64(document, "State.ExitCode", &code) == 0 && code >= 0 && code <= 255) {
		record->status.known = true;
		record->status.code = (int)code;
	}
	record->status.out_of_memory = json_true(document, "State.OOMKilled");
	record->status.timed_out = was_timed_out(record);
	if (message)
		snprintf(record->status.message, sizeof(record->status.message), "%s", message);
}

/* As the two documents have them; NULL: not there. */
struct names {
	const char *handle, *name, *image, *digest;
	const cJSON *labels;
};

/* What stands in labels and names. 1, 0 when it is no one-off, -1. */
static int read_names(const struct docker *docker, const struct names *names,
                      struct task_record *record, struct err *err)
{
	const char *image = label(names->labels, "image"), *name = names->name;

	if (!label(names->labels, "id"))
		return 0;
	if (!names->handle || !name)
		return err_set(err, ERR_PROTOCOL, "the engine's answer names no container");
	if (task_record_read(record, label, names->labels, err) < 0)
		return -1;
	if (!image)
		image = names->image;
	record->handle = strdup(names->handle);
	record->name = strdup(*name == '/' ? name + 1 : name);
	record->image = image ? strdup(image) : NULL;
	record->digest = names->digest ? strdup(names->digest) : NULL;
	record->platform = docker->base.ops->name;
	if (!record->handle || !record->name || (image && !record->image) ||
	    (names->digest && !record->digest))
		return err_no_memory(err);
	return 1;
}

/* Of several, those with a second slash are what links call it; Docker has none for what it half removed. */
static const char *name_in_list(const cJSON *item)
{
	const cJSON *name;

	cJSON_ArrayForEach (name, json_member(item, "Names"))
		if (cJSON_IsString(name) && *name->valuestring &&
		    !strchr(name->valuestring + 1, '/'))
			return name->valuestring;
	return json_string(item, "Id");
}

int docker_brief(const struct docker *docker, const cJSON *item, struct task_record *ret,
                 struct err *err)
{
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	const char *word = json_string(item, "State");
	const struct names names = {
		.handle = json_string(item, "Id"),
		.name = name_in_list(item),
		.image = json_string(item, "Image"),
		.digest = json_string(item, "ImageID"),
		.labels = json_member(item, "Labels"),
	};
	int result = read_names(docker, &names, &record, err);
	int64_t created;

	if (result <= 0)
		return result;
	if (json_int64(item, "Created", &created) == 0 && created > 0)
		record.created = created;
	read_state(word, &record);
	/* Whether it runs until then, the list does not tell. */
	if (word && !strcmp(word, "removing"))
		record.state = TASK_UNKNOWN;
	*ret = record;
	record = (struct task_record)TASK_RECORD_INIT;
	return 1;
}

int docker_record(const struct docker *docker, const cJSON *document, struct task_record *ret,
                  struct err *err)
{
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	const struct names names = {
		.handle = json_string(document, "Id"),
		.name = json_string(document, "Name"),
		.image = json_string(document, "Config.Image"),
		.digest = json_string(document, "Image"),
		.labels = json_at(document, "Config.Labels"),
	};
	int result = read_names(docker, &names, &record, err);
	int64_t created = time_at(document, "Created");

	if (result <= 0)
		return result;
	if (created) /* the engine's clock, as all that follows */
		record.created = created;
	record.tty = json_true(document, "Config.Tty");
	read_state(json_string(document, "State.Status"), &record);
	if (json_true(document, "State.Running"))
		record.state = TASK_RUNNING;
	if (record.state != TASK_CREATED)
		record.started = time_at(document, "State.StartedAt");
	if (record.state == TASK_ENDED)
		read_end(document, &record);
	*ret = record;
	record = (struct task_record)TASK_RECORD_INIT;
	return 1;
}

int docker_look(struct docker *docker, const char *name, cJSON **ret_document,
                struct task_record *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	_cleanup_free_ char *path = docker_path(name, "/json");
	int result;

	if (!path)
		return err_no_memory(err);
	if (docker_json(docker, "GET", path, NULL, &document, err) < 0) {
		/* Podman's 500 for one that goes while it is looked at. */
		if (err->http_status >= 500 && strstr(err->message, "no such container")) {
			err->http_status = 404;
			err->kind = ERR_NOT_FOUND;
		}
		return -1;
	}
	result = docker_record(docker, document, ret, err);
	if (result >= 0 && ret_document)
		*ret_document = TAKE_PTR(document);
	return result;
}
