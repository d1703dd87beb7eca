/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --result: a JSON record of the run, for machines. What is not known is null.
 *
 * A file is written whole or not at all (a new one is renamed to it; a link stays one). What is no file, such
 * as /dev/stderr, /dev/fd/3 or a named pipe, is written to, never replaced: root may rename over a device.
 */
#ifndef ONEOFF_CMD_RESULT_H
#define ONEOFF_CMD_RESULT_H

#include "pkg/run/run.h"

struct result {
	const char *runtime;
	const struct release *release;   /* NULL when no source was found */
	const struct identity *identity; /* NULL likewise */
	const struct request *request;
	const struct run_outcome *outcome;
	int exit_code;
	const char *reason; /* exit_code_of_run */
};

/* Whether a record can be written there: asked before anything starts, because a run cannot be repeated for the
 * sake of its record. ERR_SYSTEM with a hint if not. */
int result_check(const char *path, struct err *err) _must_check_;

int result_write(const char *path, const struct result *result, struct err *err) _must_check_;

#endif
