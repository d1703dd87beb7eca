/* SPDX-License-Identifier: Apache-2.0 */
/* The options of list, logs, attach, wait, stop and gc: one row each, from which parser and help are made. */
#include "cmd/oneoff/shared_options.h"
#include "cmd/oneoff/task_options.h"

/* clang-format off */
/* After the help, what may be left out: .completion = …, .project = true. */
#define ROW(letter, name, kind, field, argument, choices, variable, ...) \
	{letter, name, kind, offsetof(struct task_options, field), argument, choices, variable, __VA_ARGS__}

static const char *const format_choices[] = {"table", "wide", "json", NULL};

/* Where to look, how to reach it, how much to say. */
#define PLACE_OPTIONS \
	ENGINE_OPTIONS, \
	CLUSTER_OPTIONS, \
	ROW('A', "all-namespaces", OPTION_TRUE, all_namespaces, NULL, NULL, NULL, \
	    "kubernetes: look in all namespaces"), \
	VERBOSITY_OPTIONS

#define TAIL_OPTION \
	ROW(0, "tail", OPTION_STRING, tail, "N", NULL, NULL, \
	    "begin with the last N lines (default: all that there are)")

const struct option list_option_table[] = {
	ROW('a', "all", OPTION_TRUE, all, NULL, NULL, NULL,
	    "ended ones that were kept, too"),
	ROW('o', "output", OPTION_CHOICE, format, "FORMAT", format_choices, NULL,
	    "table (default), wide or json"),
	PLACE_OPTIONS,
};
const size_t list_option_count = ARRAY_SIZE(list_option_table);

const struct option logs_option_table[] = {
	ROW('f', "follow", OPTION_TRUE, follow, NULL, NULL, NULL,
	    "go on until the task ends"),
	TAIL_OPTION,
	ROW(0, "timestamps", OPTION_TRUE, timestamps, NULL, NULL, NULL,
	    "put the time before each line"),
	PLACE_OPTIONS,
};
const size_t logs_option_count = ARRAY_SIZE(logs_option_table);

const struct option attach_option_table[] = {
	TAIL_OPTION,
	ROW('I', "no-stdin", OPTION_TRUE, no_stdin, NULL, NULL, "ONEOFF_NO_STDIN",
	    "do not forward stdin",
	    .project = true),
	DETACH_KEYS_OPTION,
	PLACE_OPTIONS,
};
const size_t attach_option_count = ARRAY_SIZE(attach_option_table);

const struct option wait_option_table[] = {
	PLACE_OPTIONS,
};
const size_t wait_option_count = ARRAY_SIZE(wait_option_table);

const struct option stop_option_table[] = {
	ROW(0, "grace", OPTION_DURATION, grace, "TIME", NULL, "ONEOFF_GRACE",
	    "between TERM and KILL (default 10s; in a cluster the pod's own)",
	    .project = true),
	ROW(0, "force", OPTION_TRUE, force, NULL, NULL, NULL,
	    "kill it at once"),
	PLACE_OPTIONS,
};
const size_t stop_option_count = ARRAY_SIZE(stop_option_table);

const struct option gc_option_table[] = {
	ROW(0, "dry-run", OPTION_TRUE, dry_run, NULL, NULL, NULL,
	    "only say what would be deleted"),
	ROW(0, "unused-for", OPTION_DURATION, unused_for, "TIME", NULL, "ONEOFF_UNUSED_FOR",
	    "oci: delete unpacked images that nothing used for this long (default 7d; 0: all)"),
	STORE_OPTION,
	PLACE_OPTIONS,
};
const size_t gc_option_count = ARRAY_SIZE(gc_option_table);
/* clang-format on */
