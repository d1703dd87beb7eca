/* SPDX-License-Identifier: Apache-2.0 */
/* The options of list, logs, attach, wait, stop and gc: one row each, from which parser and help are made. */
#include "cmd/oneoff/task_options.h"

/* clang-format off */
/* After the help, what may be left out: .completion = …, .project = true. */
#define ROW(letter, name, kind, field, argument, choices, variable, ...) \
	{letter, name, kind, offsetof(struct task_options, field), argument, choices, variable, __VA_ARGS__}

static const char *const format_choices[] = {"table", "wide", "json", NULL};

/* Where to look, how to reach it, how much to say. */
#define PLACE_OPTIONS \
	ROW(0, "runtime", OPTION_STRING, runtime, "NAME", NULL, "ONEOFF_RUNTIME", \
	    "look in this runtime only: docker, podman, oci or kubernetes", \
	    .completion = COMPLETE_RUNTIME, .project = true), \
	ROW('H', "host", OPTION_STRING, host, "URL", NULL, "ONEOFF_HOST", \
	    "the engine's address, as docker takes it"), \
	ROW(0, "context", OPTION_STRING, context, "NAME", NULL, "ONEOFF_CONTEXT", \
	    "the docker context, or the kubeconfig's, to use", \
	    .completion = COMPLETE_CONTEXT), \
	ROW('n', "namespace", OPTION_STRING, name_space, "NAME", NULL, "ONEOFF_NAMESPACE", \
	    "kubernetes: the namespace (default: the context's)", \
	    .completion = COMPLETE_NAMESPACE, .project = true), \
	ROW('A', "all-namespaces", OPTION_TRUE, all_namespaces, NULL, NULL, NULL, \
	    "kubernetes: look in all of them"), \
	ROW(0, "kubeconfig", OPTION_STRING, kubeconfig, "FILE", NULL, "ONEOFF_KUBECONFIG", \
	    "kubernetes: this file alone (default: KUBECONFIG, else ~/.kube/config)", \
	    .completion = COMPLETE_FILE), \
	ROW(0, "as", OPTION_STRING, as, "USER", NULL, "ONEOFF_AS", \
	    "kubernetes: act as this user"), \
	ROW(0, "as-group", OPTION_LIST, as_groups, "GROUP", NULL, "ONEOFF_AS_GROUP", \
	    "kubernetes: act as a member of this group"), \
	ROW('q', "quiet", OPTION_TRUE, verbosity.quiet, NULL, NULL, "ONEOFF_QUIET", \
	    "say nothing but warnings and errors"), \
	ROW('v', "verbose", OPTION_COUNT, verbosity.verbose, NULL, NULL, NULL, \
	    "say what was chosen, and why"), \
	ROW('h', "help", OPTION_TRUE, help, NULL, NULL, NULL, \
	    "show this help")

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
	ROW('I', "no-stdin", OPTION_TRUE, no_stdin, NULL, NULL, NULL,
	    "do not forward stdin"),
	ROW(0, "detach-keys", OPTION_STRING, detach_keys, "KEYS", NULL, "ONEOFF_DETACH_KEYS",
	    "keys that leave the task running, such as ctrl-p,ctrl-q (default: none)"),
	PLACE_OPTIONS,
};
const size_t attach_option_count = ARRAY_SIZE(attach_option_table);

const struct option wait_option_table[] = {
	PLACE_OPTIONS,
};
const size_t wait_option_count = ARRAY_SIZE(wait_option_table);

const struct option stop_option_table[] = {
	ROW(0, "grace", OPTION_DURATION, grace, "TIME", NULL, "ONEOFF_GRACE",
	    "between TERM and KILL (default 10s)"),
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
	ROW(0, "store", OPTION_STRING, store, "DIR", NULL, "ONEOFF_STORE",
	    "oci: where images are unpacked (default ~/.local/share/oneoff)",
	    .completion = COMPLETE_FOLDER),
	PLACE_OPTIONS,
};
const size_t gc_option_count = ARRAY_SIZE(gc_option_table);
/* clang-format on */
