/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing of a task's output is lost between its first byte and ours, however early and however fast it comes; in
 * images of all kinds. ONEOFF_TEST_RUNS multiplies the runs: 4 gives those of a release (200). */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_kube.h"
#include "tests/integration/harness.h"

static void clean(void)
{
	fake_reset();
	expect_clean();
}

TestSuite(kube_streams, .init = fake_reset, .fini = clean, .timeout = 400);

#define BURST 20000

static int times(int count)
{
	const char *factor = getenv("ONEOFF_TEST_RUNS");

	return factor ? count * (int)strtol(factor, NULL, 10) : count;
}

static uint64_t hash_of_lines(const char *word)
{
	uint64_t hash = FNV_START;
	char line[32];

	for (int i = 0; i < BURST; i++)
		hash = fnv_add(hash, line,
		               (size_t)snprintf(line, sizeof(line), "%s %d\n", word, i));
	return hash;
}

/* 20,000 lines to both streams as soon as it lives: each complete and in order. */
static void expect_burst(const char *source, int count)
{
	uint64_t out_hash = hash_of_lines("out"), err_hash = hash_of_lines("err");
	struct run run;

	for (int i = 0; i < count; i++) {
		run_all(&run, &(struct run_spec){ARGV("run", i % 2 ? "-q" : "-qI", "--like", source,
		                                      "--", "helper", "both", "20000"),
		                                 .stdin_mode = i % 3 ? STDIN_NULL : STDIN_SILENT,
		                                 .deadline_ms = 30000});
		cr_assert_eq(run.code, 0, "run %d: " RUN_FORMAT, i, RUN_ARGS(&run));
		cr_assert_eq(run.out.hash, out_hash, "run %d: stdout has %" PRIu64 " bytes", i,
		             run.out.count);
		cr_assert_eq(run.err.hash, err_hash, "run %d: stderr has %" PRIu64 " bytes", i,
		             run.err.count);
		run_release(&run);
	}
}

Test(kube_streams, a_burst_at_once_is_complete_on_both_streams)
{
	expect_burst("deploy/bulk", times(20));
}

Test(kube_streams, a_burst_of_user_1000_on_a_read_only_root)
{
	expect_burst("deploy/strict", times(5));
}

Test(kube_streams, a_burst_in_an_image_without_a_shell)
{
	expect_burst("deploy/scratch", times(5));
}

Test(kube_streams, short_tasks_give_their_output_and_code_once)
{
	char text[32], number[16];
	struct run run;

	for (int i = 0; i < times(25); i++) {
		snprintf(text, sizeof(text), "run %d", i);
		snprintf(number, sizeof(number), "%d", i % 7);
		run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "deploy/bulk", "--",
		                                      "helper", "exit", number, text),
		                                 .deadline_ms = 20000});
		cr_assert_eq(run.code, i % 7, "run %d: " RUN_FORMAT, i, RUN_ARGS(&run));
		cr_assert(capture_is(&run.out, text), "run %d: " RUN_FORMAT, i, RUN_ARGS(&run));
		cr_assert(capture_is(&run.err, ""), "run %d: " RUN_FORMAT, i, RUN_ARGS(&run));
		run_release(&run);
	}
}

/* A failed task's last output stays in its pod's status, whatever bytes it has: NUL, no UTF-8. */
Test(kube_streams, a_failed_task_with_binary_output_keeps_its_code)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "deploy/bulk", "--", "sh",
	                                      "-c", "printf 'a\\0b\\377\\n'; exit 5"),
	                                 .deadline_ms = 15000});
	cr_assert_eq(run.code, 5, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, 5, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* The first byte opens the gate: it must not be one of the task's. */
Test(kube_streams, the_gate_takes_nothing_of_stdin)
{
	struct run run;

	for (int i = 0; i < 5; i++) {
		run_all(&run,
		        &(struct run_spec){ARGV("run", "-q", "--like", "deploy/bulk", "--", "cat"),
		                           .stdin_mode = STDIN_TEXT, .input = "\n\nfirst\n"});
		cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
		cr_assert(capture_is(&run.out, "\n\nfirst\n"), RUN_FORMAT, RUN_ARGS(&run));
		run_release(&run);
	}
}

/* ---- signals: deletion is all that a cluster has ---- */

Test(kube_signals, term_ends_the_task_and_its_code_comes_back, .fini = clean, .timeout = 60)
{
	struct run run;

	run_start(&run, &(struct run_spec){ARGV("run", "-q", "--like", "web", "--", "helper",
	                                        "signals", "6")});
	cr_assert(run_until(&run, &run.out, 0, "ready\n"), RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 6, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "ready\nTERM\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_signals, int_is_a_term_and_a_second_one_forces, .fini = clean, .timeout = 60)
{
	struct run run;

	run_start(&run, &(struct run_spec){ARGV("run", "--grace", "20s", "--like", "web", "--",
	                                        "helper", "ignore-term"),
	                                   .deadline_ms = 30000});
	cr_assert(run_until(&run, &run.out, 0, "ready\n"), RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGINT);
	run_pump(&run, 500);
	cr_assert(!run.exited, RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGINT);
	run_finish(&run);
	cr_assert_eq(run.code, 137, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_lt(run.took_ms, 12000, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_signals, usr1_is_told_to_be_impossible, .fini = clean, .timeout = 60)
{
	struct run run;

	run_start(&run,
	          &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "signals", "6")});
	cr_assert(run_until(&run, &run.out, 0, "ready\n"), RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGUSR1);
	cr_assert(run_until(&run, &run.err, 0, "signal"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!run.exited, RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 6, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.out.text, "USR1"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
