/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "pkg/run/tasks.h"

/* An app whose folder has at most two files; NULL: not there. */
struct app {
	struct backend backend; /* first */
	const char *yaml, *procfile;
	const char *broken; /* this path's reading fails */
	enum err_kind kind;
	const char *container, *image; /* labels, as JSON */
	int details;
};

static int read_file(struct backend *backend, const struct release *release, const char *path,
                     size_t cap, struct strbuf *ret, struct err *err)
{
	const struct app *app = (const struct app *)backend;
	const char *content = NULL;

	(void)release;
	if (app->broken && !strcmp(path, app->broken))
		return err_set(err, app->kind, "the engine's words");
	if (!strcmp(path, "/app/.oneoff.yaml"))
		content = app->yaml;
	else if (!strcmp(path, "/app/Procfile"))
		content = app->procfile;
	if (!content)
		return err_set(err, ERR_NOT_FOUND, "no such file: %s", path);
	if (strlen(content) > cap)
		return err_set(err, ERR_NO_MEMORY, "larger than %zu bytes", cap);
	strbuf_adds(ret, content);
	return 0;
}

static const struct backend_ops reading = {
	.name = "fake", .capabilities = BACKEND_READS_FILES, .read_file = read_file};
static const struct backend_ops blind = {.name = "blind"};

static void say(void *context, enum report_level level, const char *line)
{
	struct app *app = context;

	(void)line;
	app->details += level == REPORT_DETAIL;
}

static void declare(struct release *release, const char *text, const char *prefix)
{
	_cleanup_(json_free) cJSON *labels = NULL;
	struct err err = ERR_INIT;

	if (!text)
		return;
	cr_assert_eq(json_parse(text, strlen(text), JSON_MAX_BYTES, &labels, &err), 0);
	cr_assert_eq(release_declare(release, labels, prefix, &err), 0);
}

static int collect(struct app *app, struct named_tasks *tasks, struct err *err)
{
	_cleanup_(release_release) struct release release = {.workdir = strdup("/app")};
	struct reporter reporter = {say, app};

	if (!app->backend.ops)
		app->backend.ops = &reading;
	declare(&release, app->container, "dev.oneoff.");
	declare(&release, app->image, "dev.oneoff.");
	return app_tasks_collect(&app->backend, &release, &reporter, tasks, err);
}

static void expect(struct app *app, const char *name, const char *line, const char *where)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	const struct named_task *task;
	struct err err = ERR_INIT;

	cr_assert_eq(collect(app, &tasks, &err), 0, "%s", err.message);
	task = named_tasks_find(&tasks, name);
	cr_assert_eq(!task, !line, "%s", name);
	if (!line)
		return;
	cr_assert_str_eq(task->line, line);
	cr_assert_str_eq(task->where, where);
}

static void expect_failure(struct app *app, enum err_kind kind, const char *words)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(collect(app, &tasks, &err), -1, "%s", words);
	cr_assert_eq(err.kind, kind, "%s", err.message);
	cr_assert(strstr(err.message, words), "%s", err.message);
}

Test(app_tasks, the_file_then_labels_then_the_procfile)
{
	struct app app = {
		.yaml = "tasks: {a: file}",
		.procfile = "a: procfile\nb: procfile\nc: procfile\nd: procfile",
		.container = "{\"dev.oneoff.task.a\": \"own\", \"dev.oneoff.task.b\": \"own\"}",
		.image = "{\"dev.oneoff.task.b\": \"image\", \"dev.oneoff.task.c\": \"image\"}",
	};

	expect(&app, "a", "file", ".oneoff.yaml");
	expect(&app, "b", "own", "label");
	expect(&app, "c", "image", "label");
	expect(&app, "d", "procfile", "Procfile");
	expect(&app, "e", NULL, NULL);
}

Test(app_tasks, an_empty_label_takes_the_image_s_back)
{
	struct app app = {.container = "{\"dev.oneoff.task.a\": \"\"}",
	                  .image = "{\"dev.oneoff.task.a\": \"image\"}"};

	expect(&app, "a", NULL, NULL);
}

Test(app_tasks, other_labels_are_none)
{
	struct app app = {.container = "{\"dev.oneoff.console\": \"x\", \"task.a\": \"x\", "
	                               "\"dev.oneoff.task\": \"x\", \"dev.oneoff.task.n\": 1}"};
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(collect(&app, &tasks, &err), 0);
	cr_assert_eq(tasks.count, 0);
}

Test(app_tasks, annotations_of_a_cluster_are_read_where_no_file_can_be)
{
	_cleanup_(release_release) struct release release = {.name = NULL};
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	struct app app = {.backend.ops = &blind};
	struct reporter reporter = {say, &app};
	struct err err = ERR_INIT;

	declare(&release, "{\"oneoff.dev/task.a\": \"template\", \"other/task.b\": \"x\"}",
	        "oneoff.dev/");
	declare(&release, "{\"oneoff.dev/task.a\": \"workload\", \"oneoff.dev/task.c\": \"c\"}",
	        "oneoff.dev/");
	cr_assert_eq(app_tasks_collect(&app.backend, &release, &reporter, &tasks, &err), 0);
	cr_assert_eq(tasks.count, 2);
	cr_assert_str_eq(named_tasks_find(&tasks, "a")->line, "template");
	cr_assert_str_eq(named_tasks_find(&tasks, "c")->where, "annotation");
	cr_assert_eq(app.details, 1);
}

Test(app_tasks, what_is_broken_is_told)
{
	static char large[NAMED_TASKS_MAX_BYTES + 2];

	memset(large, '#', sizeof(large) - 1);
	expect_failure(&(struct app){.yaml = "tasks: {a: 1}"}, ERR_USAGE, ".oneoff.yaml: tasks: a");
	expect_failure(&(struct app){.yaml = "{"}, ERR_PROTOCOL, ".oneoff.yaml: ");
	expect_failure(&(struct app){.yaml = large}, ERR_USAGE, ".oneoff.yaml: larger than 64 KiB");
	expect_failure(&(struct app){.procfile = "a: it's"}, ERR_USAGE, "Procfile: a: a quote");
	expect_failure(&(struct app){.container = "{\"dev.oneoff.task.a\": \"{\"}"}, ERR_PROTOCOL,
	               "label dev.oneoff.task.a: ");
	expect_failure(&(struct app){.broken = "/app/Procfile", .kind = ERR_LOST}, ERR_LOST,
	               "/app/Procfile");
}

Test(app_tasks, what_the_engine_will_not_hand_out_is_not_there)
{
	static const enum err_kind kinds[] = {ERR_NOT_FOUND, ERR_REFUSED, ERR_DENIED, ERR_CONFLICT};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		expect(&(struct app){.broken = "/app/.oneoff.yaml",
		                     .kind = kinds[i],
		                     .procfile = "a: b"},
		       "a", "b", "Procfile");
}

Test(app_tasks, names_alone)
{
	_cleanup_(release_release) struct release release = {.workdir = strdup("/app")};
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	struct app app = {.backend.ops = &reading, .yaml = "tasks: {a: x}", .procfile = "b: y"};
	struct err err = ERR_INIT;

	cr_assert_eq(app_tasks_names(&app.backend, &release, &names, &err), 0);
	cr_assert_eq(names.count, 2);
	cr_assert_str_eq(names.items[0], "a");
	cr_assert_str_eq(names.items[1], "b");
}

Test(app_tasks, what_tells_of_an_app_is_not_taken_for_the_record_of_a_one_off)
{
	cr_assert(release_is_declaration("console") && release_is_declaration("task.migrate"));
	cr_assert(!release_is_declaration("id") && !release_is_declaration("task") &&
	          !release_is_declaration("consoles"));
}
