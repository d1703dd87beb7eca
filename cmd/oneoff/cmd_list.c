/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/list_print.h"
#include "cmd/oneoff/task_options.h"

struct listing {
	const struct task_options *options;
	struct list_printer printer;
	struct strv docker; /* ids that Docker's socket told of: it may lead to Podman */
};

/* The same object behind two addresses is one. */
static bool is_repeated(const struct listing *listing, const struct task_record *record)
{
	for (size_t i = 0; i < listing->docker.count; i++)
		if (!strcmp(record->platform, "podman") &&
		    !strcmp(listing->docker.items[i], record->id))
			return true;
	return false;
}

/* Not asked for again. */
static bool is_new(void *context, const struct task_record *brief)
{
	return !is_repeated(context, brief);
}

static int show(void *context, struct task_record *record, struct err *err)
{
	struct listing *listing = context;

	/* An engine may tell of ended ones that are about to delete themselves. */
	if ((record->state == TASK_ENDED && !listing->options->all) || is_repeated(listing, record))
		return 0;
	if (!strcmp(record->platform, "docker") && strv_add(&listing->docker, record->id) < 0)
		return err_no_memory(err);
	return list_print_record(&listing->printer, record, err);
}

static int ask(void *context, struct engine *engine, struct err *err)
{
	struct listing *listing = context;
	const struct list_query query = {
		.all = listing->options->all,
		.all_namespaces = listing->options->all_namespaces,
		.wanted = is_new,
	};

	return engine->backend->ops->list(engine->backend, &query, show, listing, err);
}

static int list(struct task_options *options, struct err *err)
{
	struct engines all = task_options_engines(options);
	struct listing listing = {.options = options};
	struct backend_settings settings;
	struct err cause = ERR_INIT;
	int result;

	task_options_settings(options, &settings);
	list_print_begin(&listing.printer, options->format);
	result = engines_visit(&all, &settings, ask, &listing, &cause);
	strv_release(&listing.docker);
	/* What is there is shown even when an engine failed: the exit code tells. */
	if (list_print_end(&listing.printer, err) < 0)
		return -1;
	if (result < 0)
		*err = cause;
	else if (!listing.printer.count && options->format != LIST_JSON)
		report(&settings.reporter, REPORT_NOTE, "no one-offs%s",
		       options->all ? "" : " that run; ended ones: oneoff list --all");
	return result;
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(task_options_release) struct task_options options = {.runtime = NULL};
	struct err err = ERR_INIT;
	int result = task_options_parse(command, 0, argc, argv, &options, &err);

	if (result == 0)
		result = options.help ? command_print_help(command, &err) : list(&options, &err);
	if (result == 0)
		return 0;
	message_error(&err);
	return exit_code_of(&err);
}

static const struct command_example examples[] = {
	{"oneoff list --all -o json", "ended ones that were kept, too, for a program"},
	{NULL, NULL},
};

const struct command cmd_list = {
	.name = "list",
	.usage = "[options]",
	.summary = "show the one-offs that run, on every platform that answers",
	.details =
		"Whoever started them, from whatever machine: what is shown is read from the\n"
		"platforms. LEFT is the time until the deadline, or until a kept one is deleted.",
	.options = list_option_table,
	.option_count = &list_option_count,
	.run = run,
	.group = COMMAND_LIVE,
	.examples = examples,
};
