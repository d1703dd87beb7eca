/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `run --like web migrate`: one word without "--" may name a task that ships with the app (pkg/run/tasks.h). What the
 * task states (time limit, lock, terminal) then counts more than defaults, environment and config files, and less
 * than what stands on the command line.
 *
 *	if (run_options_request(…) < 0 || run_options_choose(…) < 0 ||
 *	    named_task_apply(command, argc, argv, &options, &settings, &chosen, &request, &err) < 0)
 */
#ifndef ONEOFF_CMD_NAMED_TASK_H
#define ONEOFF_CMD_NAMED_TASK_H

#include "cmd/oneoff/command.h"
#include "cmd/oneoff/run_options.h"

/* Changes the request when its one operand names a task, and says so on stderr; else leaves it as it is. The app is
 * asked only when there is one operand and no "--". A broken list of tasks is an error then: the word may have been
 * meant as a task, and a program of that name is something else. */
int named_task_apply(const struct command *command, int argc, char **argv,
                     const struct run_options *options, const struct backend_settings *settings,
                     struct chosen *chosen, struct request *request, struct err *err) _must_check_;

#endif
