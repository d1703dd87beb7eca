/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/task_options.h"

#include <signal.h>
#include "cmd/oneoff/defaults.h"
#include "cmd/oneoff/exit_code.h"
#include "pkg/base/number.h"

#define LAST_LINES 20
#define MAX_TAIL   INT64_C(1000000000)

void task_options_release(struct task_options *options)
{
	char *const owned[] = {
		options->runtime,    options->host,       options->context,
		options->kubeconfig, options->name_space, options->as,
		options->store,      options->tail,       options->detach_keys,
	};

	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		free(owned[i]);
	strv_release(&options->as_groups);
}

int task_options_parse(const struct command *command, int operands, int argc, char **argv,
                       struct task_options *ret, struct err *err)
{
	int first;

	ret->grace = REQUEST_AS_SOURCE;
	if (defaults_parse(command->options, *command->option_count, argc, argv, ret,
	                   &ret->verbosity, &first, err) < 0)
		return -1;
	ret->operands = argv + first;
	ret->operand_count = argc - first;
	if (ret->help || ret->operand_count == operands)
		return 0;
	if (ret->operand_count > operands)
		return err_set(err, ERR_USAGE, "too much: '%s'", ret->operands[operands]);
	err_set(err, ERR_USAGE, "which one-off? an id is missing");
	return err_hint(err, "see what there is with: oneoff list");
}

void task_options_settings(struct task_options *options, struct backend_settings *ret)
{
	*ret = (struct backend_settings){
		.host = options->host,
		.context = options->context,
		.kubeconfig = options->kubeconfig,
		.name_space = options->name_space,
		.as = options->as,
		.as_groups = &options->as_groups,
		.store = options->store,
		/* Podman without a socket has one-offs all the same; only who has used it waits for its start. */
		.may_spawn = options->runtime != NULL,
		.may_spawn_used = true,
		.reporter = message_reporter(&options->verbosity),
	};
}

struct engines task_options_engines(const struct task_options *options)
{
	bool cluster = options->kubeconfig || options->name_space || options->as ||
	               options->all_namespaces;

	return (struct engines){engines, engine_count, options->runtime,
	                        cluster ? "kubernetes" : NULL};
}

int task_options_tail(const struct task_options *options, int64_t *ret, struct err *err)
{
	*ret = -1;
	if (!options->tail || parse_int64(options->tail, 0, MAX_TAIL, ret) == 0)
		return 0;
	return err_set(err, ERR_USAGE, "--tail: a number of lines, not '%s'", options->tail);
}

/* What a person cannot see from the exit code alone. */
static void explain(const struct join_settings *settings, const struct run_outcome *outcome)
{
	const struct task_record *record = &settings->task->record;

	if ((outcome->interrupted_by || (outcome->reader_gone && settings->kind == JOIN_ATTACH)) &&
	    record->state != TASK_ENDED)
		message("the task runs on: oneoff attach %s", record->id);
	if (outcome->failure.kind != ERR_NONE)
		message_error(&outcome->failure);
	if (settings->kind == JOIN_LOGS || outcome->reader_gone)
		return;
	if (outcome->started && !outcome->interrupted_by && !outcome->status.known &&
	    outcome->failure.kind == ERR_NONE)
		message("the result is unknown");
	if (outcome->status.out_of_memory)
		message("the task was killed because it ran out of memory");
	if (outcome->timed_out)
		message("the task's time limit ended it");
	if (outcome->output_lost)
		message("output may be incomplete");
	if (outcome->status.message[0])
		message("%s", outcome->status.message);
	if (outcome->remove_failure.kind != ERR_NONE)
		message_error(&outcome->remove_failure);
}

/* logs: whether all came. stop: whether it has ended. attach, wait: how it ended. */
static int exit_code_of_join(const struct join_settings *settings,
                             const struct run_outcome *outcome)
{
	const char *reason;

	if (outcome->reader_gone)
		return EXIT_CODE_SIGNAL + SIGPIPE;
	if (settings->kind == JOIN_ATTACH || settings->kind == JOIN_WAIT || !outcome->started ||
	    outcome->interrupted_by)
		return exit_code_of_run(outcome, &reason);
	if (settings->kind == JOIN_LOGS)
		return outcome->output_lost || outcome->failure.kind ? EXIT_CODE_OUTPUT_INCOMPLETE
		                                                     : 0;
	if (outcome->left_behind || outcome->failure.kind || outcome->status.may_run)
		return EXIT_CODE_RESULT_UNKNOWN;
	return outcome->remove_failure.kind ? EXIT_CODE_NOT_REMOVED : 0;
}

/* Nobody has seen a detached task's output: why it failed stands there. stdout stays empty. */
static void show_last_lines(const struct join_settings *settings, struct found_task *task,
                            const struct run_outcome *outcome)
{
	struct join_settings logs = *settings;
	struct run_outcome ignored;

	if (settings->kind != JOIN_WAIT || !task->record.detached || !outcome->status.known ||
	    !outcome->status.code || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return;
	message("the task ended with %d; its last lines:", outcome->status.code);
	task->record.state = TASK_ENDED;
	task->record.status = outcome->status;
	logs.kind = JOIN_LOGS;
	logs.output = (struct output_request){.tail = LAST_LINES};
	join_task(&logs, &ignored);
	if (ignored.failure.kind != ERR_NONE)
		message_error(&ignored.failure);
}

static int join(struct task_options *options, prepare_join *prepare, struct err *err)
{
	_cleanup_(found_task_release) struct found_task task = {.record = TASK_RECORD_INIT};
	struct engines all = task_options_engines(options);
	struct backend_settings settings;
	struct join_settings join = {
		.task = &task,
		.backend_settings = &settings,
		.output = {.tail = -1},
	};
	struct run_outcome outcome;

	if (prepare(options, &join, err) < 0)
		return -1;
	task_options_settings(options, &settings);
	if (task_find(&all, &settings, options->operands[0], options->all_namespaces, &task, err) <
	    0)
		return -1;
	join_task(&join, &outcome);
	show_last_lines(&join, &task, &outcome);
	explain(&join, &outcome);
	return exit_code_of_join(&join, &outcome);
}

int task_command(const struct command *command, int argc, char **argv, prepare_join *prepare)
{
	_cleanup_(task_options_release) struct task_options options = {.runtime = NULL};
	struct err err = ERR_INIT;
	int code;

	if (task_options_parse(command, 1, argc, argv, &options, &err) == 0) {
		code = options.help ? command_print_help(command, &err)
		                    : join(&options, prepare, &err);
		if (code >= 0)
			return code;
	}
	message_error(&err);
	return exit_code_of(&err);
}
