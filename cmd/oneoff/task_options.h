/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the commands for one-offs that exist already: list, logs, attach, wait, stop, gc.
 * Each has a table of its own over one struct; where to look stands in all of them.
 */
#ifndef ONEOFF_CMD_TASK_OPTIONS_H
#define ONEOFF_CMD_TASK_OPTIONS_H

#include "cmd/oneoff/command.h"
#include "cmd/oneoff/message.h"
#include "pkg/base/options.h"
#include "pkg/run/join.h"

enum list_format {
	LIST_TABLE,
	LIST_WIDE,
	LIST_JSON,
};

struct task_options {
	char *runtime, *host, *context, *kubeconfig, *name_space, *as, *store;
	struct strv as_groups;
	bool all_namespaces;
	struct verbosity verbosity;
	bool help;
	int format; /* enum list_format */
	bool all, follow, timestamps, no_stdin, force, dry_run;
	char *tail, *detach_keys;
	int64_t grace, unused_for;

	char *const *operands; /* borrowed from argv */
	int operand_count;
};

void task_options_release(struct task_options *options);

/* Config files, environment, argv. ERR_USAGE unless there are exactly `operands` operands. */
int task_options_parse(const struct command *command, int operands, int argc, char **argv,
                       struct task_options *ret, struct err *err) _must_check_;

/* Where to look and how. Borrow from options. */
void task_options_settings(struct task_options *options, struct backend_settings *ret);
struct engines task_options_engines(const struct task_options *options);

/* Turns the options into how the task is to be joined. */
typedef int prepare_join(const struct task_options *options, struct join_settings *ret,
                         struct err *err);
/* A whole command about one task: parse, find it, join it, say what a code does not tell. Returns the exit code. */
int task_command(const struct command *command, int argc, char **argv, prepare_join *prepare);
/* --tail: a number of lines, or -1 when it was not given. */
int task_options_tail(const struct task_options *options, int64_t *ret,
                      struct err *err) _must_check_;

extern const struct option list_option_table[], logs_option_table[], attach_option_table[],
	wait_option_table[], stop_option_table[], gc_option_table[];
extern const size_t list_option_count, logs_option_count, attach_option_count, wait_option_count,
	stop_option_count, gc_option_count;

#endif
