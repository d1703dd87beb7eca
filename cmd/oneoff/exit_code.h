/* SPDX-License-Identifier: Apache-2.0 */
/* The exit codes that are ours (design section 3): one table for the process, the help and the
 * manual. */
#ifndef ONEOFF_CMD_EXIT_CODE_H
#define ONEOFF_CMD_EXIT_CODE_H

#include "pkg/run/run.h"

enum exit_code {
	EXIT_CODE_OUTPUT_INCOMPLETE = 120,
	EXIT_CODE_RESULT_UNKNOWN = 121,
	EXIT_CODE_NOT_REMOVED = 122,
	EXIT_CODE_TIME_LIMIT = 124,
	EXIT_CODE_NOT_STARTED = 125,
	EXIT_CODE_CANNOT_EXECUTE = 126,
	EXIT_CODE_NOT_FOUND = 127,
	EXIT_CODE_SIGNAL = 128,
};

/* The process's exit code for an error of ours. */
int exit_code_of(const struct err *err);
/* The exit code of a run, and in *ret_reason a word for --result ("task", "output-incomplete"…). */
int exit_code_of_run(const struct run_outcome *outcome, const char **ret_reason);
/* The rows in order, for the manual: the meaning, and the code in *ret_code; NULL behind the last. */
const char *exit_code_meaning(size_t index, int *ret_code);
/* Appends the table for help. */
void exit_code_help(struct strbuf *out);

#endif
