/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/expect.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void expect_result(const char *const *argv, int code, const char *expected)
{
	struct run run;

	run_all(&run, &(struct run_spec){.argv = argv, .deadline_ms = 20000});
	cr_assert_eq(run.code, code, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, expected), "expected %s " RUN_FORMAT, expected,
	          RUN_ARGS(&run));
	run_release(&run);
}

void expect_output(const char *const *argv, const char *expected)
{
	expect_result(argv, 0, expected);
}

void expect_refused(const char *const *argv, const char *word, const char *other)
{
	struct run run;

	run_all(&run, &(struct run_spec){.argv = argv, .deadline_ms = 20000});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, ""), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err) && run.err.count > 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, word), "no '%s': " RUN_FORMAT, word, RUN_ARGS(&run));
	cr_assert(!other || strstr(run.err.text, other), "no '%s': " RUN_FORMAT, other,
	          RUN_ARGS(&run));
	run_release(&run);
}

void expect_steps_clean(const char *const *argv, void (*clean)(void))
{
	const char *hooks = getenv("ONEOFF_HOOKS");
	char step[40];
	struct run run;
	int n, code = 0;

	cr_assert(hooks || !getenv("CI"), "ONEOFF_HOOKS is not set");
	if (!hooks)
		cr_skip_test("ONEOFF_HOOKS is not set");
	for (n = 1; n <= 100 && code != 3; n++) {
		snprintf(step, sizeof(step), "ONEOFF_TEST_KILL_AT=%d", n);
		run_all(&run, &(struct run_spec){.argv = argv,
		                                 .program = hooks,
		                                 .env = (const char *const[]){step, NULL},
		                                 .deadline_ms = 20000});
		code = run.code;
		cr_assert(code == 3 || run.signal == SIGKILL, "step %d: " RUN_FORMAT, n,
		          RUN_ARGS(&run));
		run_release(&run);
		clean();
	}
	cr_assert_eq(code, 3, "not at its end after %d steps", n - 1);
	cr_assert_gt(n, 6, "only %d steps: does %s honour ONEOFF_TEST_KILL_AT?", n - 1, hooks);
}

void docker_cli(const char *const *argv)
{
	struct run run;

	run_all(&run, &(struct run_spec){.program = DOCKER, .argv = argv});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
