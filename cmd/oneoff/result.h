/* SPDX-License-Identifier: Apache-2.0 */
/* --result: a JSON record of the run, for machines. Written whole or not at all (rename). */
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

int result_write(const char *path, const struct result *result, struct err *err) _must_check_;

#endif
