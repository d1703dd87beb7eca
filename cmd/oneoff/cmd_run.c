/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/named_task.h"
#include "cmd/oneoff/perform.h"

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	_cleanup_(request_release) struct request request;
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};
	struct backend_settings settings;
	struct err err = ERR_INIT;

	request_init(&request);
	if (run_options_parse(command->options, *command->option_count, argc, argv, &options,
	                      &err) < 0)
		return perform_failed(&options, &err);
	if (options.help)
		return command_print_help(command, &err) < 0 ? perform_failed(&options, &err) : 0;
	if (options.operand_count == 0) {
		err_set(&err, ERR_USAGE, "which command should run?");
		err_hint(&err, "for example: oneoff run --like %s -- env", options.like);
		return perform_failed(&options, &err);
	}
	if (run_options_request(&options, false, &request, &err) < 0 ||
	    run_options_choose(&options, &settings, &chosen, &err) < 0 ||
	    named_task_apply(command, argc, argv, &options, &settings, &chosen, &request, &err) < 0)
		return perform_failed(&options, &err);
	return perform(&options, &settings, &chosen, &request);
}

static const struct command_example examples[] = {
	{"oneoff run --like web -- python manage.py migrate", NULL},
	{"pg_dump shop | oneoff run --like web -- psql",
         "stdin, stdout and the exit code are the task's"},
	{"oneoff run --like web -e LOG_LEVEL=debug --memory 2g --timeout 30m -- ./reindex", NULL},
	{"oneoff run --like compose:shop/web --image shop:2 -- ./manage.py migrate",
         "before the rollout, on the new image"},
	{"oneoff run --like deploy/web -n shop --reason 'ticket 4711' -- ./repair", "in a cluster"},
	{NULL, NULL},
};

const struct command cmd_run = {
	.name = "run",
	.usage = "--like SOURCE [options] [--] COMMAND [ARG...]",
	.summary = "run a command in a throwaway clone of a running app",
	.details =
		"The clone has the app's image, environment, volumes, networks, user and limits,\n"
		"but no ports, health checks or names of its own. The app's entrypoint stays, as\n"
		"with docker compose run. The exit code is the command's; the clone is removed.\n"
		"One word without -- may name a task of the app (oneoff tasks --like SOURCE); what\n"
		"follows -- is always a program.",
	.options = run_option_table,
	.option_count = &run_option_count,
	.run = run,
	.operand = COMPLETE_TASK,
	.group = COMMAND_TASKS,
	.examples = examples,
};
