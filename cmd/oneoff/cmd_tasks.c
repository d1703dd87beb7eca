/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/run_options.h"
#include "cmd/oneoff/table.h"
#include "pkg/base/escape.h"
#include "pkg/run/tasks.h"

#define MAX_COLUMN 48 /* what is longer pushes the rest of its line */

/* ---- for people ---- */

static size_t widest(const struct named_tasks *tasks, const char *(*get)(const struct named_task *),
                     const char *header)
{
	size_t width = strlen(header);

	for (size_t i = 0; i < tasks->count; i++) {
		size_t its = table_width(get(&tasks->items[i]));

		if (its > width && its <= MAX_COLUMN)
			width = its;
	}
	return width;
}

static const char *name_of(const struct named_task *task)
{
	return task->name;
}

static const char *where_of(const struct named_task *task)
{
	return task->where;
}

static const char *line_of(const struct named_task *task)
{
	return task->line;
}

static void add_table(const struct named_tasks *tasks, struct strbuf *out)
{
	size_t name = widest(tasks, name_of, "NAME");
	size_t where = widest(tasks, where_of, "FROM");
	size_t line = widest(tasks, line_of, "COMMAND");

	table_add(out, "NAME", name, 2);
	table_add(out, "FROM", where, 2);
	table_add(out, "COMMAND", line, 2);
	strbuf_adds(out, "DESCRIPTION\n");
	for (size_t i = 0; i < tasks->count; i++) {
		const struct named_task *task = &tasks->items[i];

		table_add(out, task->name, name, 2);
		table_add(out, task->where, where, 2);
		table_add(out, task->line, line, 2);
		escape_add(out, task->description ? task->description : "-");
		strbuf_addc(out, '\n');
	}
}

/* ---- for programs: what the task does not say is null, not missing ---- */

static cJSON *make_object(const struct named_task *task)
{
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	bool timed = task->timeout_ms >= 0, tty_said = task->tty != TASK_TTY_UNSAID;
	int failed = !object;

	failed |= json_set_known_string(object, "name", task->name);
	failed |= json_set_known_string(object, "from", task->where);
	failed |= json_set_node(object, "argv", json_new_strings(&task->argv));
	failed |= json_set_known_string(object, "command", task->line);
	failed |= json_set_known_string(object, "description", task->description);
	failed |= json_set_node(object, "timeoutMs",
	                        timed ? json_new_int64(task->timeout_ms) : cJSON_CreateNull());
	failed |= json_set_known_string(object, "lock", task->lock);
	failed |= json_set_node(object, "tty",
	                        tty_said ? cJSON_CreateBool(task->tty == TASK_TTY_YES)
	                                 : cJSON_CreateNull());
	return failed ? NULL : TAKE_PTR(object);
}

static int add_json(const struct named_tasks *tasks, struct strbuf *out, struct err *err)
{
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();

	if (!list)
		return err_no_memory(err);
	for (size_t i = 0; i < tasks->count; i++)
		if (json_add_node(list, make_object(&tasks->items[i])) < 0)
			return err_no_memory(err);
	json_print(list, true, out);
	strbuf_addc(out, '\n');
	return 0;
}

static int print(const struct run_options *options, const struct release *release,
                 const struct named_tasks *tasks, const struct reporter *reporter, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (options->format == FORMAT_JSON) {
		if (add_json(tasks, &text, err) < 0)
			return -1;
	} else if (tasks->count) {
		add_table(tasks, &text);
	} else {
		report(reporter, REPORT_NOTE,
		       "'%s' names no tasks; it can: .oneoff.yaml, labels, Procfile (oneoff help "
		       "tasks)",
		       release->name);
	}
	return text.failed ? err_no_memory(err) : message_output(&text, err);
}

static int list(struct run_options *options, struct err *err)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};
	struct backend_settings settings;

	if (options->operand_count)
		return err_set(err, ERR_USAGE, "tasks takes no arguments: '%s'",
		               options->operands[0]);
	if (run_options_choose(options, &settings, &chosen, err) < 0 ||
	    app_tasks_collect(chosen.backend, &chosen.release, &settings.reporter, &tasks, err) < 0)
		return -1;
	return print(options, &chosen.release, &tasks, &settings.reporter, err);
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	struct err err = ERR_INIT;
	int result = run_options_parse(command->options, *command->option_count, argc, argv,
	                               &options, &err);

	if (result == 0)
		result = options.help ? command_print_help(command, &err) : list(&options, &err);
	if (result == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

static const struct command_example examples[] = {
	{"oneoff tasks --like web", NULL},
	{NULL, NULL},
};

const struct command cmd_tasks = {
	.name = "tasks",
	.usage = "--like SOURCE [-o table|json]",
	.summary = "list the named tasks that ship with an app",
	.details =
		"`oneoff run --like SOURCE NAME` runs one. They come from these places; a name that\n"
		"stands in several means what the first one says:\n\n"
		"  .oneoff.yaml in the app's working folder:  tasks: {NAME: COMMAND or {command:,\n"
		"                                             description:, timeout:, lock:, tty:}}\n"
		"  labels dev.oneoff.task.NAME of container and image; in a cluster the annotations\n"
		"                                             oneoff.dev/task.NAME of pod template\n"
		"                                             and workload: a command line, or JSON\n"
		"  Procfile in the app's working folder:      NAME: COMMAND\n\n"
		"A cluster has no files to read: there, annotations alone count.",
	.options = tasks_option_table,
	.option_count = &tasks_option_count,
	.run = run,
	.group = COMMAND_TASKS,
	.examples = examples,
};
