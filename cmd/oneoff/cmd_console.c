/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/perform.h"
#include "pkg/run/console.h"

/* Without a command: what the app says its console is, else what can be seen. */
static int choose_command(struct chosen *chosen, struct request *request,
                          const struct reporter *reporter, struct err *err)
{
	_cleanup_(console_release) struct console console = {.why = NULL};

	if (request->argv.count)
		return 0;
	if (console_choose(chosen->backend, &chosen->release, &console, err) < 0)
		return err_wrap(err, "choose a console");
	report(reporter, REPORT_NOTE, "%s", console.why);
	for (size_t i = 0; i < console.argv.count; i++)
		if (strv_add(&request->argv, console.argv.items[i]) < 0)
			return err_no_memory(err);
	return 0;
}

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
	if (run_options_request(&options, true, &request, &err) < 0 ||
	    run_options_choose(&options, &settings, &chosen, &err) < 0 ||
	    choose_command(&chosen, &request, &settings.reporter, &err) < 0)
		return perform_failed(&options, &err);
	return perform(&options, &settings, &chosen, &request);
}

static const struct command_example examples[] = {
	{"oneoff console --like web", NULL},
	{"oneoff console --like deploy/web -n shop -- bash",
         "a shell instead of the app's console"},
	{NULL, NULL},
};

const struct command cmd_console = {
	.name = "console",
	.usage = "--like SOURCE [options] [-- COMMAND [ARG...]]",
	.summary = "open the app's own console, or a shell, in a throwaway clone of it",
	.details =
		"Without a command it is, in this order: the label dev.oneoff.console of the\n"
		"container or image, the line `console:` of a Procfile in the app's working folder,\n"
		"what that folder shows (Rails, Django, Laravel, Mix, package.json), else\n"
		"the best shell in the image.",
	.options = run_option_table,
	.option_count = &run_option_count,
	.run = run,
	.group = COMMAND_TASKS,
	.examples = examples,
};
