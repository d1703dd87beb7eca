/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/named_task.h"
#include "cmd/oneoff/perform.h"
#include "pkg/run/run.h"

/* A manifest is printed as it would be sent, and nothing else: hidden values would make another one of it. */
static int print_manifest(const struct plan *plan, struct strbuf *text, struct err *err)
{
	return json_print_yaml(plan->document, text, err);
}

static int print_plan(const struct run_options *options, const struct backend_ops *ops,
                      const struct plan *plan, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *document = NULL;

	if (options->format == FORMAT_TABLE) {
		plan_print_table(plan, options->show_secrets, options->all, &text);
	} else if (options->format == FORMAT_YAML && (ops->capabilities & BACKEND_MANIFEST)) {
		if (print_manifest(plan, &text, err) < 0)
			return -1;
	} else {
		document = plan_to_json(plan, options->show_secrets);
		if (!document)
			return err_no_memory(err);
		if (options->format == FORMAT_YAML) {
			if (json_print_yaml(document, &text, err) < 0)
				return -1;
		} else {
			json_print(document, true, &text);
			strbuf_addc(&text, '\n');
		}
	}
	if (text.failed)
		return err_no_memory(err);
	return message_output(&text, err);
}

static int make_and_print(const struct command *command, int argc, char **argv,
                          struct run_options *options, struct request *request, struct err *err)
{
	_cleanup_(identity_release) struct identity identity = {.name = NULL};
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};
	_cleanup_(plan_release) struct plan plan;
	struct backend_settings settings;

	plan_init(&plan);
	if (run_options_request(options, false, request, err) < 0 ||
	    run_options_choose(options, &settings, &chosen, err) < 0 ||
	    named_task_apply(command, argc, argv, options, &settings, &chosen, request, err) < 0 ||
	    identity_make(&chosen.release, request, chosen.backend->ops->capabilities, &identity,
	                  err) < 0 ||
	    chosen.backend->ops->plan(chosen.backend, &chosen.release, request, &identity, &plan,
	                              err) < 0)
		return -1;
	return print_plan(options, chosen.backend->ops, &plan, err);
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	_cleanup_(request_release) struct request request;
	struct err err = ERR_INIT;
	int result;

	request_init(&request);
	result = run_options_parse(command->options, *command->option_count, argc, argv, &options,
	                           &err);
	if (result == 0 && options.help)
		result = command_print_help(command, &err);
	else if (result == 0)
		result = make_and_print(command, argc, argv, &options, &request, &err);
	return result < 0 ? perform_failed(&options, &err) : 0;
}

static const struct command_example examples[] = {
	{"oneoff plan --like web -- python manage.py migrate", NULL},
	{"oneoff plan --like deploy/web -o yaml -- ./repair > job.yaml",
         "the Job, as kubectl apply takes it"},
	{"oneoff plan --like web --all -o json | jq .", "what is kept, too"},
	{NULL, NULL},
};

const struct command cmd_plan = {
	.name = "plan",
	.usage = "--like SOURCE [options] [--] [COMMAND [ARG...]]",
	.summary = "show what `run` would create, and why it differs from the app",
	.details =
		"Nothing is created. Values of variables are hidden unless --show-secrets is given.\n"
		"For a cluster -o yaml prints the Job alone, with all values, as kubectl apply takes it.",
	.options = plan_option_table,
	.option_count = &plan_option_count,
	.run = run,
	.operand = COMPLETE_TASK,
	.group = COMMAND_TASKS,
	.examples = examples,
};
