/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/exit_code.h"

#include <signal.h>

static const struct {
	int code;
	const char *meaning;
} codes[] = {
	{EXIT_CODE_OUTPUT_INCOMPLETE, "the task ended with 0, but output may be incomplete"},
	{EXIT_CODE_RESULT_UNKNOWN, "the result is unknown; the task may still run"},
	{EXIT_CODE_NOT_REMOVED, "the task ended with 0, but something could not be removed"},
	{EXIT_CODE_TIME_LIMIT, "--timeout ended the task"},
	{EXIT_CODE_NOT_STARTED, "nothing was started"},
	{EXIT_CODE_CANNOT_EXECUTE, "the command cannot be executed"},
	{EXIT_CODE_NOT_FOUND, "the command was not found"},
	{EXIT_CODE_SIGNAL, "+n: the task died of signal n"},
};

/* Whatever stands here not: nothing was started. */
static const int code_of_kind[ERR_KIND_COUNT] = {
	[ERR_CANNOT_EXECUTE] = EXIT_CODE_CANNOT_EXECUTE,
	[ERR_COMMAND_NOT_FOUND] = EXIT_CODE_NOT_FOUND,
	[ERR_TIME_LIMIT] = EXIT_CODE_TIME_LIMIT,
	[ERR_RESULT_UNKNOWN] = EXIT_CODE_RESULT_UNKNOWN,
	[ERR_OUTPUT_INCOMPLETE] = EXIT_CODE_OUTPUT_INCOMPLETE,
	[ERR_NOT_REMOVED] = EXIT_CODE_NOT_REMOVED,
};

int exit_code_of(const struct err *err)
{
	int code = (unsigned)err->kind < ERR_KIND_COUNT ? code_of_kind[err->kind] : 0;

	return code ? code : EXIT_CODE_NOT_STARTED;
}

int exit_code_of_run(const struct run_outcome *outcome, const char **ret_reason)
{
	if (outcome->interrupted_by) {
		*ret_reason = "interrupted";
		return EXIT_CODE_SIGNAL + outcome->interrupted_by;
	}
	if (!outcome->started) {
		*ret_reason = err_kind_name(outcome->failure.kind);
		return exit_code_of(&outcome->failure);
	}
	if (outcome->detached) {
		*ret_reason = "detached";
		return 0;
	}
	if (outcome->left_behind || !outcome->status.known) {
		*ret_reason = err_kind_name(ERR_RESULT_UNKNOWN);
		return EXIT_CODE_RESULT_UNKNOWN;
	}
	if (outcome->timed_out) {
		*ret_reason = err_kind_name(ERR_TIME_LIMIT);
		return EXIT_CODE_TIME_LIMIT;
	}
	if (outcome->reader_gone) {
		*ret_reason = "reader-gone";
		return EXIT_CODE_SIGNAL + SIGPIPE;
	}
	*ret_reason = outcome->status.out_of_memory ? "out-of-memory" : "task";
	if (outcome->status.code != 0)
		return outcome->status.code;
	if (outcome->output_lost) {
		*ret_reason = err_kind_name(ERR_OUTPUT_INCOMPLETE);
		return EXIT_CODE_OUTPUT_INCOMPLETE;
	}
	if (outcome->remove_failure.kind != ERR_NONE) {
		*ret_reason = err_kind_name(ERR_NOT_REMOVED);
		return EXIT_CODE_NOT_REMOVED;
	}
	return 0;
}

const char *exit_code_meaning(size_t index, int *ret_code)
{
	if (index >= ARRAY_SIZE(codes))
		return NULL;
	*ret_code = codes[index].code;
	return codes[index].meaning;
}

void exit_code_help(struct strbuf *out)
{
	strbuf_adds(out, "exit codes (the task's own 0-255 is passed on; these are ours):\n");
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		strbuf_addf(out, "  %d  %s\n", codes[i].code, codes[i].meaning);
}
