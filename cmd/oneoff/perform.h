/* SPDX-License-Identifier: Apache-2.0 */
/* What `run` and `console` share once the request stands: plan, run, report. */
#ifndef ONEOFF_CMD_PERFORM_H
#define ONEOFF_CMD_PERFORM_H

#include "cmd/oneoff/run_options.h"

/* Returns the process's exit code; every message has been printed. */
int perform(const struct run_options *options, const struct backend_settings *settings,
            struct chosen *chosen, const struct request *request);

/* Prints the error and leaves a record for --result; returns the exit code. */
int perform_failed(const struct run_options *options, const struct err *err);

#endif
