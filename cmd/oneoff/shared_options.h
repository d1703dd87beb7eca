/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows that more than one table of options has, so that an option has one help, one variable and one way of
 * being completed, whatever the command. A table's file says how a row of its struct looks, then lists them:
 *
 *	#define ROW(letter, name, kind, field, argument, choices, variable, ...) \
 *		{letter, name, kind, offsetof(struct task_options, field), argument, choices, variable, __VA_ARGS__}
 *
 *	const struct option wait_option_table[] = {
 *		ENGINE_OPTIONS, CLUSTER_OPTIONS, VERBOSITY_OPTIONS,
 *	};
 *
 * The struct has the fields that the rows name. What follows a row's help may be left out: .completion = …,
 * .project = true.
 */
#ifndef ONEOFF_CMD_SHARED_OPTIONS_H
#define ONEOFF_CMD_SHARED_OPTIONS_H

#include "pkg/base/options.h"

/* clang-format off */
/* Which engine, and where it is. */
#define ENGINE_OPTIONS \
	ROW(0, "runtime", OPTION_STRING, runtime, "NAME", NULL, "ONEOFF_RUNTIME", \
	    "look in this runtime only: docker, podman, oci or kubernetes", \
	    .completion = COMPLETE_RUNTIME, .project = true), \
	ROW('H', "host", OPTION_STRING, host, "URL", NULL, "ONEOFF_HOST", \
	    "the engine's address, as docker takes it")

/* Which cluster, and as whom. A context may be docker's, too. */
#define CLUSTER_OPTIONS \
	ROW(0, "context", OPTION_STRING, context, "NAME", NULL, "ONEOFF_CONTEXT", \
	    "the docker context, or the kubeconfig's, to use", \
	    .completion = COMPLETE_CONTEXT), \
	ROW('n', "namespace", OPTION_STRING, name_space, "NAME", NULL, "ONEOFF_NAMESPACE", \
	    "kubernetes: the namespace (default: the context's)", \
	    .completion = COMPLETE_NAMESPACE, .project = true), \
	ROW(0, "kubeconfig", OPTION_STRING, kubeconfig, "FILE", NULL, "ONEOFF_KUBECONFIG", \
	    "kubernetes: this file alone (default: KUBECONFIG, else ~/.kube/config)", \
	    .completion = COMPLETE_FILE), \
	ROW(0, "as", OPTION_STRING, as, "USER", NULL, "ONEOFF_AS", \
	    "kubernetes: act as this user"), \
	ROW(0, "as-group", OPTION_LIST, as_groups, "GROUP", NULL, "ONEOFF_AS_GROUP", \
	    "kubernetes: act as a member of this group")

/* How much is said on stderr; help. In every table, at its end where it can be. */
#define VERBOSITY_OPTIONS \
	ROW('q', "quiet", OPTION_TRUE, verbosity.quiet, NULL, NULL, "ONEOFF_QUIET", \
	    "say nothing but warnings and errors"), \
	ROW('v', "verbose", OPTION_COUNT, verbosity.verbose, NULL, NULL, "ONEOFF_VERBOSE", \
	    "say what was chosen, and why"), \
	ROW('h', "help", OPTION_TRUE, help, NULL, NULL, NULL, \
	    "show this help")

/* Where unpacked images are: for what runs from them, and for what deletes them. */
#define STORE_OPTION \
	ROW(0, "store", OPTION_STRING, store, "DIR", NULL, "ONEOFF_STORE", \
	    "oci: where images are unpacked (default ~/.local/share/oneoff)", \
	    .completion = COMPLETE_FOLDER)

/* For what is attached to a task. */
#define DETACH_KEYS_OPTION \
	ROW(0, "detach-keys", OPTION_STRING, detach_keys, "KEYS", NULL, "ONEOFF_DETACH_KEYS", \
	    "keys that leave the task running, such as ctrl-p,ctrl-q (default: none)")
/* clang-format on */

#endif
