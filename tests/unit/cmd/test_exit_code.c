/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include "cmd/oneoff/exit_code.h"

#define ENDED(number) .started = true, .status = {.known = true, .code = (number)}

Test(exit_code, of_runs)
{
	static const struct {
		struct run_outcome outcome;
		int code;
		const char *reason;
	} cases[] = {
		{{ENDED(0)}, 0, "task"},
		{{ENDED(7)}, 7, "task"},
		{{ENDED(255)}, 255, "task"},
		{{ENDED(0), .output_lost = true}, 120, "output-incomplete"},
		{{ENDED(3), .output_lost = true}, 3, "task"},
		{{.started = true}, 121, "result-unknown"},
		{{ENDED(0), .left_behind = true}, 121, "result-unknown"},
		{{ENDED(0), .remove_failure = {.kind = ERR_NOT_REMOVED}}, 122, "not-removed"},
		{{ENDED(4), .remove_failure = {.kind = ERR_NOT_REMOVED}}, 4, "task"},
		{{ENDED(143), .timed_out = true}, 124, "time-limit"},
		{{.failure = {.kind = ERR_UNREACHABLE}}, 125, "unreachable"},
		{{.failure = {.kind = ERR_CANNOT_EXECUTE}}, 126, NULL},
		{{.failure = {.kind = ERR_COMMAND_NOT_FOUND}}, 127, NULL},
		{{.failure = {.kind = ERR_RESULT_UNKNOWN}}, 121, NULL},
		{{.interrupted_by = SIGINT}, 130, "interrupted"},
		{{ENDED(143), .reader_gone = true}, 141, "reader-gone"},
		{{.started = true, .status = {.known = true, .code = 137, .out_of_memory = true}},
	         137,
	         "out-of-memory"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *reason = NULL;

		cr_expect_eq(exit_code_of_run(&cases[i].outcome, &reason), cases[i].code,
		             "case %zu", i);
		cr_assert_not_null(reason);
		if (cases[i].reason)
			cr_expect_str_eq(reason, cases[i].reason, "case %zu", i);
	}
}

Test(exit_code, every_kind_of_error_has_one_of_ours)
{
	for (int kind = 0; kind <= ERR_KIND_COUNT; kind++) {
		struct err err = {.kind = (enum err_kind)kind};
		int code = exit_code_of(&err);

		cr_expect(code >= 120 && code <= 127, "kind %d gives %d", kind, code);
	}
}

Test(exit_code, help_names_each)
{
	static const char *const codes[] = {"120", "121", "122", "124", "125", "126", "127", "128"};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	exit_code_help(&text);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		cr_expect_not_null(strstr(strbuf_str(&text), codes[i]), "%s", codes[i]);
}
