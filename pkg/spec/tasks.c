/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/spec/tasks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "pkg/base/escape.h"
#include "pkg/base/number.h"
#include "pkg/json/yaml.h"
#include "pkg/spec/procfile.h"
#include "pkg/spec/request.h"
#include "pkg/spec/words.h"

#define NAME_START "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_BYTES NAME_START "._:-"

static void release_task(struct named_task *task)
{
	free(task->name);
	free(task->where);
	strv_release(&task->argv);
	free(task->line);
	free(task->description);
	free(task->lock);
	*task = (struct named_task){.name = NULL};
}

void named_tasks_release(struct named_tasks *tasks)
{
	for (size_t i = 0; i < tasks->count; i++)
		release_task(&tasks->items[i]);
	free(tasks->items);
	*tasks = (struct named_tasks)NAMED_TASKS_INIT;
}

const struct named_task *named_tasks_find(const struct named_tasks *tasks, const char *name)
{
	for (size_t i = 0; i < tasks->count; i++)
		if (!strcmp(tasks->items[i].name, name))
			return &tasks->items[i];
	return NULL;
}

bool named_task_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= NAMED_TASK_MAX_NAME && strspn(name, NAME_START) > 0 &&
	       strspn(name, NAME_BYTES) == length;
}

/* Takes the task over, also on failure. */
static int add(struct named_tasks *tasks, struct named_task *task, struct err *err)
{
	struct named_task *grown;

	if (tasks->count == NAMED_TASKS_MAX) {
		release_task(task);
		return err_set(err, ERR_USAGE, "more than %d tasks", NAMED_TASKS_MAX);
	}
	if (tasks->count == tasks->allocated) {
		size_t wanted = tasks->allocated ? tasks->allocated * 2 : 8;

		grown = reallocarray(tasks->items, wanted, sizeof(*grown));
		if (!grown) {
			release_task(task);
			return err_no_memory(err);
		}
		tasks->items = grown;
		tasks->allocated = wanted;
	}
	tasks->items[tasks->count++] = *task;
	*task = (struct named_task){.name = NULL};
	return 0;
}

static int begin(struct named_task *task, const char *name, const char *where, struct err *err)
{
	*task = (struct named_task){.name = strdup(name), .where = strdup(where), .timeout_ms = -1};
	return task->name && task->where ? 0 : err_no_memory(err);
}

/* ---- the keys of a task; each reader is called with a node that is there ---- */

static int wants(struct err *err, const char *what)
{
	return err_set(err, ERR_USAGE, "%s is wanted", what);
}

static int set_line(struct named_task *task, const char *line, struct err *err)
{
	if (words_command(line, &task->argv, err) < 0)
		return -1;
	/* An empty word in front ('' x) names no program. */
	if (!*task->argv.items[0])
		return err_set(err, ERR_USAGE, "the command is empty");
	task->line = strdup(line);
	return task->line ? 0 : err_no_memory(err);
}

static int set_argv(struct named_task *task, const cJSON *list, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;
	const cJSON *item;

	cJSON_ArrayForEach (item, list) {
		if (!cJSON_IsString(item))
			return wants(err, "a list of strings (put 5, yes and no in quotes)");
		if (strv_add(&task->argv, item->valuestring) < 0)
			return err_no_memory(err);
		if (line.length)
			strbuf_addc(&line, ' ');
		escape_add_shell(&line, item->valuestring);
	}
	if (!task->argv.count || !*task->argv.items[0])
		return err_set(err, ERR_USAGE, "the command is empty");
	task->line = strbuf_take(&line);
	return task->line ? 0 : err_no_memory(err);
}

static int read_command(struct named_task *task, const cJSON *node, struct err *err)
{
	if (cJSON_IsString(node))
		return set_line(task, node->valuestring, err);
	return cJSON_IsArray(node) ? set_argv(task, node, err)
	                           : wants(err, "a line or a list of strings");
}

static int read_description(struct named_task *task, const cJSON *node, struct err *err)
{
	if (!cJSON_IsString(node))
		return wants(err, "a text");
	task->description = strdup(node->valuestring);
	return task->description ? 0 : err_no_memory(err);
}

static int read_timeout(struct named_task *task, const cJSON *node, struct err *err)
{
	const char *text = cJSON_GetStringValue(node);
	char number[32];
	int64_t seconds;

	if (!text && json_int64(node, "", &seconds) == 0) {
		snprintf(number, sizeof(number), "%" PRId64, seconds);
		text = number;
	}
	if (!text || parse_duration(text, &task->timeout_ms) < 0)
		return wants(err, "a duration (30m, 1h30m, 90)");
	return 0;
}

static int read_lock(struct named_task *task, const cJSON *node, struct err *err)
{
	if (!cJSON_IsString(node) || !request_lock_is_valid(node->valuestring))
		return wants(err, REQUEST_LOCK_RULE);
	task->lock = strdup(node->valuestring);
	return task->lock ? 0 : err_no_memory(err);
}

static int read_tty(struct named_task *task, const cJSON *node, struct err *err)
{
	if (!cJSON_IsBool(node))
		return wants(err, "true or false");
	task->tty = cJSON_IsTrue(node) ? TASK_TTY_YES : TASK_TTY_NO;
	return 0;
}

static const struct {
	const char *key;
	int (*read)(struct named_task *task, const cJSON *node, struct err *err);
} keys[] = {
	{"command", read_command}, {"description", read_description},
	{"timeout", read_timeout}, {"lock", read_lock},
	{"tty", read_tty},
};

static int read_key(struct named_task *task, const cJSON *node, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(keys[i].key, node->string) != 0)
			continue;
		return keys[i].read(task, node, err) < 0 ? err_wrap(err, "%s", node->string) : 0;
	}
	return err_set(err, ERR_USAGE,
	               "no such key '%s' (there are: command, description, timeout, lock, tty)",
	               node->string);
}

/* A line, or an object with the keys. */
static int read_task(struct named_task *task, const cJSON *node, struct err *err)
{
	const cJSON *member;

	if (cJSON_IsString(node))
		return set_line(task, node->valuestring, err);
	if (!cJSON_IsObject(node))
		return wants(err, "a command line or an object");
	cJSON_ArrayForEach (member, node)
		if (read_key(task, member, err) < 0)
			return -1;
	return task->argv.count ? 0 : err_set(err, ERR_USAGE, "command is missing");
}

/* ---- the forms ---- */

/* Reads the task even where its name is taken already: what is broken shall be told. */
static int add_node(struct named_tasks *tasks, const char *name, const cJSON *node,
                    const char *where, struct err *err)
{
	struct named_task task;

	if (begin(&task, name, where, err) < 0 || read_task(&task, node, err) < 0) {
		release_task(&task);
		return -1;
	}
	if (!named_tasks_find(tasks, name))
		return add(tasks, &task, err);
	release_task(&task);
	return 0;
}

static int add_section(struct named_tasks *tasks, const cJSON *section, const char *where,
                       struct err *err)
{
	const cJSON *node;

	if (!cJSON_IsObject(section))
		return wants(err, "an object of names");
	cJSON_ArrayForEach (node, section) {
		if (!named_task_name_is_valid(node->string))
			return err_set(err, ERR_USAGE,
			               "'%s' is no name for a task: letters, digits, . _ : and -",
			               node->string);
		if (add_node(tasks, node->string, node, where, err) < 0)
			return err_wrap(err, "%s", node->string);
	}
	return 0;
}

int named_tasks_add_yaml(struct named_tasks *tasks, const char *text, size_t length,
                         const char *where, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;
	const cJSON *section;

	if (yaml_parse(text, length, NAMED_TASKS_MAX_BYTES, &document, err) < 0)
		return err_wrap(err, "%s", where);
	if (cJSON_IsNull(document))
		return 0;
	if (!cJSON_IsObject(document)) {
		wants(err, "an object");
		return err_wrap(err, "%s", where);
	}
	section = json_member(document, "tasks");
	if (section && !cJSON_IsNull(section) && add_section(tasks, section, where, err) < 0)
		return err_wrap(err, "%s: tasks", where);
	return 0;
}

static int add_line(struct named_tasks *tasks, const struct procfile_line *line, const char *where,
                    size_t first, struct err *err)
{
	_cleanup_free_ char *name = strndup(line->name, line->name_length);
	_cleanup_free_ char *command = strndup(line->command, line->command_length);
	_cleanup_(json_free) cJSON *node = NULL;
	const struct named_task *present;

	if (!name || !command || !(node = cJSON_CreateStringReference(command)))
		return err_no_memory(err);
	if (!named_task_name_is_valid(name))
		return 0;
	present = named_tasks_find(tasks, name);
	if (present && present >= tasks->items + first)
		return err_set(err, ERR_USAGE, "%s: '%s' stands there twice", where, name);
	return add_node(tasks, name, node, where, err) < 0 ? err_wrap(err, "%s: %s", where, name)
	                                                   : 0;
}

int named_tasks_add_procfile(struct named_tasks *tasks, const char *text, size_t length,
                             const char *where, struct err *err)
{
	struct procfile_reader reader = procfile_begin(text, length);
	size_t first = tasks->count;
	struct procfile_line line;

	while (procfile_next(&reader, &line))
		if (add_line(tasks, &line, where, first, err) < 0)
			return -1;
	return 0;
}

int named_tasks_add_label(struct named_tasks *tasks, const char *name, const char *value,
                          const char *where, const char *key, struct err *err)
{
	_cleanup_(json_free) cJSON *node = NULL;

	if (!named_task_name_is_valid(name))
		return err_set(err, ERR_USAGE, "%s %s: '%s' is no name for a task", where, key,
		               name);
	if (*value != '{')
		node = cJSON_CreateStringReference(value);
	else if (json_parse(value, strlen(value), NAMED_TASKS_MAX_BYTES, &node, err) < 0)
		return err_wrap(err, "%s %s", where, key);
	if (!node)
		return err_no_memory(err);
	return add_node(tasks, name, node, where, err) < 0 ? err_wrap(err, "%s %s", where, key) : 0;
}
