/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/named_task.h"

#include <string.h>
#include "pkg/base/options.h"
#include "pkg/run/tasks.h"

/* The command line alone, read once more without any default: what a person typed here wins. */
struct typed {
	struct run_options options;
	bool dashes;
};

#define NOT_TYPED INT64_C(-1)

static int read_typed(const struct command *command, int argc, char **argv, struct typed *ret,
                      struct err *err)
{
	int first;

	*ret = (struct typed){.options.timeout = NOT_TYPED};
	return options_parse(command->options, *command->option_count, argc - 1, argv + 1,
	                     &ret->options, &first, &ret->dashes, err);
}

static int set_argv(const struct named_task *task, struct request *request, struct err *err)
{
	strv_release(&request->argv);
	for (size_t i = 0; i < task->argv.count; i++)
		if (strv_add(&request->argv, task->argv.items[i]) < 0)
			return err_no_memory(err);
	return 0;
}

static int set_lock(const struct named_task *task, struct request *request, struct err *err)
{
	free(request->lock);
	request->lock = strdup(task->lock);
	return request->lock ? 0 : err_no_memory(err);
}

/* The task's words where the command line has none. Nobody sits at the terminal of a detached task. */
static int apply(const struct named_task *task, const struct run_options *options,
                 const struct run_options *typed, struct request *request, struct err *err)
{
	if (set_argv(task, request, err) < 0)
		return -1;
	if (task->timeout_ms >= 0 && typed->timeout == NOT_TYPED)
		request->timeout_ms = task->timeout_ms;
	if (task->lock && !typed->lock && set_lock(task, request, err) < 0)
		return -1;
	if (task->tty == TASK_TTY_UNSAID || typed->tty || typed->no_tty || options->detach)
		return 0;
	return run_options_terminal(options, task->tty == TASK_TTY_YES, request, err);
}

/* It may well be a program: said beforehand, because "not found" would be said of the program alone. */
static int note_near(const struct named_tasks *tasks, const char *name,
                     const struct reporter *reporter, struct err *err)
{
	_cleanup_free_ const char **names = calloc(tasks->count + 1, sizeof(*names));
	const char *near;

	if (!names)
		return err_no_memory(err);
	for (size_t i = 0; i < tasks->count; i++)
		names[i] = tasks->items[i].name;
	near = nearest_name(name, names, tasks->count);
	if (near)
		report(reporter, REPORT_NOTE, "'%s' is run as a program; the app's task is '%s'",
		       name, near);
	return 0;
}

static int find_and_apply(const struct run_options *options, const struct run_options *typed,
                          const struct backend_settings *settings, struct chosen *chosen,
                          struct request *request, struct err *err)
{
	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
	const char *name = options->operands[0];
	const struct named_task *task;

	if (app_tasks_collect(chosen->backend, &chosen->release, &settings->reporter, &tasks, err) <
	    0) {
		if (!err->hint[0])
			err_hint(err, "if '%s' is meant as a program: -- %s", name, name);
		return -1;
	}
	task = named_tasks_find(&tasks, name);
	if (!task)
		return note_near(&tasks, name, &settings->reporter, err);
	report(&settings->reporter, REPORT_NOTE, "task '%s' (%s): %s", task->name, task->where,
	       task->line);
	return apply(task, options, typed, request, err);
}

int named_task_apply(const struct command *command, int argc, char **argv,
                     const struct run_options *options, const struct backend_settings *settings,
                     struct chosen *chosen, struct request *request, struct err *err)
{
	struct typed typed;
	int result;

	if (options->operand_count != 1)
		return 0;
	result = read_typed(command, argc, argv, &typed, err);
	if (result == 0 && !typed.dashes && named_task_name_is_valid(options->operands[0]))
		result = find_and_apply(options, &typed.options, settings, chosen, request, err);
	run_options_release(&typed.options);
	if (result == 0 && options->lock_wait && !request->lock)
		return err_set(err, ERR_USAGE, "--lock-wait: which lock? --lock NAME is missing");
	return result;
}
