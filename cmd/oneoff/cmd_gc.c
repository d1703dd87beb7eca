/* SPDX-License-Identifier: Apache-2.0 */
/* What killed runs left on this machine, and unpacked images that nothing has used for a while. Containers of
 * Docker and Podman delete themselves, and the next run sweeps what they could not. */
#include <inttypes.h>
#include <string.h>
#include "cmd/oneoff/command.h"
#include "cmd/oneoff/defaults.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/message.h"
#include "oci/leftovers.h"
#include "oci/store.h"

#define DEFAULT_UNUSED_MS (INT64_C(7) * 24 * 3600 * 1000)

struct gc_options {
	char *store;
	int64_t unused_for;
	bool dry_run, help;
	struct verbosity verbosity;
};

/* clang-format off */
#define ROW(letter, name, kind, field, argument, variable, ...) \
	{letter, name, kind, offsetof(struct gc_options, field), argument, NULL, variable, __VA_ARGS__}

const struct option gc_option_table[] = {
	ROW('n', "dry-run", OPTION_TRUE, dry_run, NULL, NULL, "only say what would be deleted"),
	ROW(0, "unused-for", OPTION_DURATION, unused_for, "TIME", "ONEOFF_UNUSED_FOR",
	    "delete unpacked images that nothing used for this long (default 7d; 0: all)"),
	ROW(0, "store", OPTION_STRING, store, "DIR", "ONEOFF_STORE",
	    "where images are unpacked (default ~/.local/share/oneoff)",
	    .completion = COMPLETE_FOLDER),
	ROW('q', "quiet", OPTION_TRUE, verbosity.quiet, NULL, "ONEOFF_QUIET",
	    "say nothing but warnings and errors"),
	ROW('h', "help", OPTION_TRUE, help, NULL, NULL, "show this help"),
};
const size_t gc_option_count = ARRAY_SIZE(gc_option_table);
/* clang-format on */

static int parse(int argc, char **argv, struct gc_options *options, struct err *err)
{
	int first;

	options->unused_for = DEFAULT_UNUSED_MS;
	if (defaults_parse(gc_option_table, gc_option_count, argc, argv, options,
	                   &options->verbosity, &first, err) < 0)
		return -1;
	if (first < argc)
		return err_set(err, ERR_USAGE, "gc takes no arguments: '%s'", argv[first]);
	return 0;
}

static int collect_leftovers(struct gc_options *options, struct err *err)
{
	struct reporter reporter = message_reporter(&options->verbosity);
	_cleanup_free_ char *run_folder = run_folder_path();
	size_t count;

	if (!run_folder)
		return err_no_memory(err);
	if (leftovers_remove(run_folder, options->dry_run, &count, err) < 0)
		return -1;
	report(&reporter, REPORT_NOTE, "%zu leftovers of killed runs %s", count,
	       options->dry_run ? "would be removed" : "removed");
	return 0;
}

static int prune(struct gc_options *options, struct err *err)
{
	struct reporter reporter = message_reporter(&options->verbosity);
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
	report(&reporter, REPORT_NOTE,
	       "%" PRIu64 " unpacked images (%" PRIu64 " MiB) %s, %" PRIu64 " in use", pruned.count,
	       pruned.bytes >> 20, options->dry_run ? "would be deleted" : "deleted", pruned.busy);
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct gc_options options = {.store = NULL};
	struct err err = ERR_INIT;
	int result = parse(argc, argv, &options, &err);

	if (result == 0 && options.help)
		result = command_print_help(command, &err);
	else if (result == 0)
		result =
			collect_leftovers(&options, &err) < 0 || prune(&options, &err) < 0 ? -1 : 0;
	free(options.store);
	if (result == 0)
		return 0;
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
	.summary = "delete what killed runs left (oci), and unpacked images that nothing uses",
	.options = gc_option_table,
	.option_count = &gc_option_count,
	.run = run,
	.group = COMMAND_LIVE,
	.examples = examples,
};
