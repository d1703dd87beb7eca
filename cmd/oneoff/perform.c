/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/perform.h"

#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/result.h"
#include "pkg/run/run.h"

static void write_result(const struct run_options *options, const struct result *result)
{
	struct err err = ERR_INIT;

	if (options->result && result_write(options->result, result, &err) < 0)
		message_error(&err);
}

/* Nothing was started: says so, and leaves the record. */
static int fail(const struct run_options *options, struct result *result, const struct err *err)
{
	const struct run_outcome outcome = {.started = false, .failure = *err};

	result->outcome = &outcome;
	message_error(err);
	result->exit_code = exit_code_of_run(&outcome, &result->reason);
	write_result(options, result);
	return result->exit_code;
}

int perform_failed(const struct run_options *options, const struct err *err)
{
	struct request request; /* all of it borrowed: not released */
	struct result result = {.request = &request};

	request_init(&request);
	request.reason = options->reason;
	request.lock = options->lock;
	request.argv.items = (char **)options->operands;
	request.argv.count = (size_t)options->operand_count;
	return fail(options, &result, err);
}

/* With the command line of the platform's own tool behind the words. */
static void say_command(const struct backend *backend, enum backend_command command,
                        const char *name, const char *words)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;

	backend->ops->command(backend, command, name, &line);
	message("%s: %s", words, strbuf_str(&line));
}

static void say_kept(const struct reporter *reporter, const struct backend *backend,
                     const char *name)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;

	backend->ops->command(backend, BACKEND_COMMAND_REMOVE, name, &line);
	report(reporter, REPORT_NOTE, "kept '%s'; remove it with: %s", name, strbuf_str(&line));
}

/* What a person cannot see from the exit code alone. */
static void explain(const struct run_outcome *outcome, const struct identity *identity,
                    const struct backend *backend)
{
	if (outcome->left_behind) {
		message("left '%s' running", identity->name);
		say_command(backend, BACKEND_COMMAND_REMOVE, identity->name, "end it with");
	} else if (outcome->started && !outcome->status.known) {
		message("the result is unknown: %s", outcome->failure.kind != ERR_NONE
		                                             ? outcome->failure.message
		                                             : outcome->status.message);
		say_command(backend, BACKEND_COMMAND_LIST, identity->name,
		            "the task may still run; look with");
	} else if (outcome->failure.kind != ERR_NONE) {
		message_error(&outcome->failure);
	}
	if (outcome->status.out_of_memory)
		message("the task was killed because it ran out of memory; give it more with "
		        "--memory");
	if (outcome->output_lost)
		message("output may be incomplete");
	if (outcome->status.message[0] && outcome->status.known)
		message("%s", outcome->status.message);
	if (outcome->remove_failure.kind != ERR_NONE)
		message_error(&outcome->remove_failure);
}

/* The id, and nothing but it, is for a script to take. */
static int say_detached(const struct run_options *options, struct result *result)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;
	struct err err = ERR_INIT;

	strbuf_addf(&line, "%s\n", result->identity->id);
	if (message_output(&line, &err) < 0) {
		message_error(&err);
		message("the task runs: oneoff wait %s", result->identity->id);
	}
	result->exit_code = exit_code_of_run(result->outcome, &result->reason);
	write_result(options, result);
	return result->exit_code;
}

int perform(const struct run_options *options, const struct backend_settings *settings,
            struct chosen *chosen, const struct request *request)
{
	_cleanup_(identity_release) struct identity identity = {.name = NULL};
	_cleanup_(plan_release) struct plan plan;
	const char *runtime = chosen->backend->ops->name;
	struct run_outcome outcome;
	struct err err = ERR_INIT;
	struct run_settings run = {
		.backend = chosen->backend,
		.loop = chosen->loop,
		.reporter = settings->reporter,
		.backend_settings = settings,
		.release = &chosen->release,
		.request = request,
		.identity = &identity,
		.plan = &plan,
		.detach_keys = options->detach_keys,
		.stop_on_disconnect =
			options->on_disconnect == DISCONNECT_STOP ||
			(options->on_disconnect == DISCONNECT_DEFAULT && request->tty),
	};
	struct result result = {
		.runtime = runtime,
		.release = &chosen->release,
		.identity = &identity,
		.request = request,
		.outcome = &outcome,
	};

	plan_init(&plan);
	if (identity_make(&chosen->release, request, chosen->backend->ops->capabilities, &identity,
	                  &err) < 0 ||
	    chosen->backend->ops->plan(chosen->backend, &chosen->release, request, &identity, &plan,
	                               &err) < 0)
		return fail(options, &result, &err);
	report(&settings->reporter, REPORT_DETAIL, "task: %s", identity.name);
	run_task(&run, &outcome);
	if (outcome.kept)
		say_kept(&settings->reporter, chosen->backend, identity.name);
	if (outcome.detached)
		return say_detached(options, &result);
	explain(&outcome, &identity, chosen->backend);
	result.exit_code = exit_code_of_run(&outcome, &result.reason);
	write_result(options, &result);
	return result.exit_code;
}
