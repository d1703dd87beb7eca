/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/tasks.h"

#include <string.h>
#include "pkg/run/app_file.h"

/* How the keys of tasks begin on each kind of platform, and what such a thing is called. */
static const struct {
	const char *prefix, *where;
} declarations[] = {
	{"dev.oneoff.task.", "label"},
	{"oneoff.dev/task.", "annotation"},
};

typedef int add_text(struct named_tasks *tasks, const char *text, size_t length, const char *where,
                     struct err *err);

static int add_file(struct backend *backend, const struct release *release, const char *name,
                    add_text *add, struct named_tasks *tasks, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	int found = app_file_read(backend, release, name, NAMED_TASKS_MAX_BYTES, &text, err);

	if (found < 0 && err->kind == ERR_NO_MEMORY)
		return err_set(err, ERR_USAGE, "%s: larger than %zu KiB", name,
		               NAMED_TASKS_MAX_BYTES >> 10);
	return found <= 0 ? found : add(tasks, strbuf_str(&text), text.length, name, err);
}

static int add_declared(const struct release *release, struct named_tasks *tasks, struct err *err)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, release->declared) {
		/* An empty one is the way to take an image's label back. */
		if (!cJSON_IsString(item) || !*item->valuestring)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(declarations); i++) {
			size_t length = strlen(declarations[i].prefix);

			if (!strncmp(item->string, declarations[i].prefix, length) &&
			    named_tasks_add_label(tasks, item->string + length, item->valuestring,
			                          declarations[i].where, item->string, err) < 0)
				return -1;
		}
	}
	return 0;
}

int app_tasks_collect(struct backend *backend, const struct release *release,
                      const struct reporter *reporter, struct named_tasks *tasks, struct err *err)
{
	if (!(backend->ops->capabilities & BACKEND_READS_FILES))
		report(reporter, REPORT_DETAIL,
		       "tasks: files of the app cannot be read in %s; its annotations count",
		       backend->ops->name);
	if (add_file(backend, release, ".oneoff.yaml", named_tasks_add_yaml, tasks, err) < 0 ||
	    add_declared(release, tasks, err) < 0)
		return -1;
	return add_file(backend, release, "Procfile", named_tasks_add_procfile, tasks, err);
}

int app_tasks_names(struct backend *backend, const struct release *release, struct strv *ret,
                    struct err *err)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	struct reporter silent = {NULL, NULL};

	if (app_tasks_collect(backend, release, &silent, &tasks, err) < 0)
		return -1;
	for (size_t i = 0; i < tasks.count; i++)
		if (strv_add(ret, tasks.items[i].name) < 0)
			return err_no_memory(err);
	return 0;
}
