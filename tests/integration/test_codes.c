/* SPDX-License-Identifier: Apache-2.0 */
/* The exit code is the task's own, or one of ours with the reason on stderr (design section 3). */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

TestSuite(codes, .fini = expect_clean, .timeout = 60);

/* All 256 where a run is short, and everywhere with ONEOFF_TEST_RUNS; else a sample with 0 and 255. */
static int code_step(void)
{
	if (getenv("ONEOFF_TEST_RUNS") || engine_is_oci())
		return 1;
	return engine_traits()->run_ms ? 51 : engine_is_podman() ? 5 : 3;
}

/* Also the proof that a task of a few milliseconds loses neither output nor code (fault 41). */
Test(codes, every_code_and_every_short_output_arrives, .timeout = 240)
{
	int code, step = code_step();
	char text[32], number[16];
	struct run run;

	for (code = 0; code <= 255; code += step) {
		snprintf(text, sizeof(text), "run %d", code);
		snprintf(number, sizeof(number), "%d", code);
		run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "bulk", "--", "helper",
		                                      "exit", number, text)});
		cr_assert_eq(run.code, code, "code %d: " RUN_FORMAT, code, RUN_ARGS(&run));
		cr_assert(capture_is(&run.out, text), RUN_FORMAT, RUN_ARGS(&run));
		cr_assert(capture_is(&run.err, ""), RUN_FORMAT, RUN_ARGS(&run));
		run_release(&run);
	}
}

static void expect_not_started(const char *command, int code)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "web", "--", command)});
	cr_assert_eq(run.code, code, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, ""), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, command), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(codes, a_command_that_is_not_there_is_127)
{
	expect_not_started("no-such-command", 127);
}

Test(codes, a_file_that_cannot_be_executed_is_126)
{
	expect_not_started("/bin/not-executable", 126);
}

Test(codes, the_shell_s_own_127_passes)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "--like", "web", "--", "sh", "-c", "no-such-command")});
	cr_assert_eq(run.code, 127, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(codes, out_of_memory_is_137_and_says_so)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "eat", "400"),
	                                 .deadline_ms = 40000});
	cr_assert_eq(run.code, 137, RUN_FORMAT, RUN_ARGS(&run));
	if (engine_traits()->knows_memory)
		cr_assert(strcasestr(run.err.text, "memory"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(codes, killed_from_outside_is_137_and_not_memory)
{
	struct run run;
	cJSON *clone;

	run_start(&run, &(struct run_spec){
				ARGV("run", "--like", "web", "--", "helper", "wait", "30000")});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	clone = engine_wait_one_off();
	cr_assert(clone);
	cr_assert(engine_kill(text_of(clone, "Id")));
	run_finish(&run);
	cr_assert_eq(run.code, 137, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strcasestr(run.err.text, "out of memory"), RUN_FORMAT, RUN_ARGS(&run));
	cJSON_Delete(clone);
	run_release(&run);
}

static void expect_time_limit(const char *mode)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--timeout", "1s", "--grace", "1s", "--like",
	                                      "web", "--", "helper", mode),
	                                 .deadline_ms = 30000});
	cr_assert_eq(run.code, 124, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err) && run.err.count > 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_geq(run.took_ms, 1000, "ended after %" PRId64 " ms", run.took_ms);
	cr_assert_leq(run.took_ms, 12000, "ended after %" PRId64 " ms", run.took_ms);
	run_release(&run);
}

Test(codes, the_time_limit_is_124)
{
	expect_time_limit("signals");
}

Test(codes, the_time_limit_kills_a_task_that_ignores_term)
{
	expect_time_limit("ignore-term");
}
