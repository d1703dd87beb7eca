/* SPDX-License-Identifier: Apache-2.0 */
/* What killed runs left, on every platform that answers; on this machine also bundles without a monitor, and
 * unpacked images that nothing has used for a while. */
#include <inttypes.h>
#include <string.h>
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/task_options.h"
#include "oci/leftovers.h"
#include "oci/store.h"
#include "pkg/run/gc.h"

#define DEFAULT_UNUSED_MS (INT64_C(7) * 24 * 3600 * 1000)

static int collect_tasks(struct task_options *options, struct gc_count *ret, struct err *err)
{
	struct engines all = task_options_engines(options);
	struct backend_settings settings;

	task_options_settings(options, &settings);
	if (gc_engines(&all, &settings, options->all_namespaces, options->dry_run, ret, err) == 0)
		return 0;
	/* A machine without any engine may have bundles and images all the same. */
	return err->kind == ERR_UNREACHABLE && !options->runtime && !all.expected ? 0 : -1;
}

static int collect_bundles(const struct task_options *options, struct gc_count *ret,
                           struct err *err)
{
	_cleanup_free_ char *run_folder = run_folder_path();
	size_t count;

	if (!run_folder)
		return err_no_memory(err);
	if (leftovers_remove(run_folder, options->dry_run, &count, err) < 0)
		return -1;
	ret->deleted += count;
	return 0;
}

static int prune(const struct task_options *options, struct reporter *reporter, struct err *err)
{
	struct store_pruned pruned = {.count = 0};
	_cleanup_free_ char *store = NULL;

	if (options->store)
		store = strdup(options->store);
	else if (store_default_path(&store, err) < 0)
		return -1;
	if (!store)
		return err_no_memory(err);
	if (store_prune(store, options->unused_for / 1000, options->dry_run, &pruned, err) < 0)
		return -1;
	report(reporter, REPORT_NOTE,
	       "%" PRIu64 " unpacked images (%" PRIu64 " MiB) %s, %" PRIu64 " in use", pruned.count,
	       pruned.bytes >> 20, options->dry_run ? "would be deleted" : "deleted", pruned.busy);
	return 0;
}

static int collect(struct task_options *options, struct gc_count *ret, struct err *err)
{
	struct reporter reporter = message_reporter(&options->verbosity);
	bool oci = !options->runtime || !strcmp(options->runtime, "oci");

	if (collect_tasks(options, ret, err) < 0 || (oci && collect_bundles(options, ret, err) < 0))
		return -1;
	report(&reporter, REPORT_NOTE, "%zu old one-off%s %s", ret->deleted,
	       ret->deleted == 1 ? "" : "s", options->dry_run ? "would be removed" : "removed");
	return oci ? prune(options, &reporter, err) : 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(task_options_release) struct task_options options = {
		.unused_for = DEFAULT_UNUSED_MS,
	};
	struct gc_count count = {.deleted = 0};
	struct err err = ERR_INIT;
	int result = task_options_parse(command, 0, argc, argv, &options, &err);

	if (result == 0)
		result = options.help ? command_print_help(command, &err)
		                      : collect(&options, &count, &err);
	if (result == 0)
		return count.failed ? EXIT_CODE_NOT_REMOVED : 0;
	message_error(&err);
	return exit_code_of(&err);
}

static const struct command_example examples[] = {
	{"oneoff gc --dry-run", NULL},
	{"oneoff gc --unused-for 0", "all unpacked images that no task uses"},
	{NULL, NULL},
};

const struct command cmd_gc = {
	.name = "gc",
	.usage = "[options]",
	.summary = "delete what killed runs left, and unpacked images that nothing uses",
	.details =
		"Deleted is only what bears our labels and ended more than 5 minutes ago without\n"
		"being kept, is past the time it was kept for, was never started, or runs past its\n"
		"deadline. It is safe to run at any time, and twice at once.",
	.options = gc_option_table,
	.option_count = &gc_option_count,
	.run = run,
	.group = COMMAND_LIVE,
	.examples = examples,
};
