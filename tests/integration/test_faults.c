/* SPDX-License-Identifier: Apache-2.0 */
/* Readers that are slow, gone, full or never there (faults 28 to 32 of research/reliability.md). */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

TestSuite(faults, .fini = expect_clean, .timeout = 60);

/* The reader stops for 4 s, in which the task ends: Docker gives up on its own buffer after 2 s.
 * The sizes are what fits into the buffers on the way, so that the task can end while nobody reads.
 */
static void expect_tail_kept(const char *count, uint64_t length)
{
	struct run run;

	run_all(&run,
	        &(struct run_spec){
			ARGV("run", "--like", "bulk", "--", "helper", "pattern", count, "9", "5"),
			.reader = READER_STALL, .stall_ms = 4000, .deadline_ms = 30000});
	cr_assert_eq(run.code, 5, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, length, "%" PRIu64 " of %" PRIu64 " bytes", run.out.count,
	             length);
	cr_assert_eq(run.out.hash, pattern_hash(9, length));
	run_release(&run);
}

Test(faults, reader_stalls_around_the_end_of_1000000_bytes)
{
	expect_tail_kept("1000000", 1000000);
}

Test(faults, reader_stalls_around_the_end_of_1300000_bytes)
{
	expect_tail_kept("1300000", 1300000);
}

Test(faults, reader_stalls_around_the_end_of_1420000_bytes)
{
	expect_tail_kept("1420000", 1420000);
}

Test(faults, a_slow_reader_gets_everything)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "bulk", "--", "helper", "pattern",
	                                      "8000000", "13", "5"),
	                                 .reader = READER_SLOW, .stall_ms = 30});
	cr_assert_eq(run.code, 5, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, 8000000, "%" PRIu64 " bytes", run.out.count);
	cr_assert_eq(run.out.hash, pattern_hash(13, 8000000));
	run_release(&run);
}

/* `| head -1`: the task is stopped, and nobody is bothered with a message */
Test(faults, a_reader_that_leaves_stops_the_task_with_141)
{
	struct run run;

	run_all(&run,
	        &(struct run_spec){
			ARGV("run", "--grace", "1s", "--like", "bulk", "--", "helper", "flood"),
			.reader = READER_LEAVES, .after = 1, .deadline_ms = 20000});
	cr_assert(run.code == 141 || run.signal == SIGPIPE, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.err, ""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* Either we say it, or it was the task's own stdout, and its own code says it. */
static void expect_full_disk(const struct run *run, int own_code)
{
	if (engine_traits()->streams_inherited) {
		cr_assert_eq(run->code, own_code, RUN_FORMAT, RUN_ARGS(run));
		return;
	}
	cr_assert(run->code > 0, RUN_FORMAT, RUN_ARGS(run));
	cr_assert(chatter_only(&run->err) && run->err.count > 0, RUN_FORMAT, RUN_ARGS(run));
}

Test(faults, a_full_disk_is_told_and_no_success)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "--like", "bulk", "--", "helper", "exit", "0", "text"),
			      .reader = READER_FULL, .deadline_ms = 20000});
	expect_full_disk(&run, 99);
	run_release(&run);
}

Test(faults, a_full_disk_stops_an_endless_task)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--grace", "1s", "--like", "bulk", "--",
	                                      "helper", "flood"),
	                                 .reader = READER_FULL, .deadline_ms = 20000});
	expect_full_disk(&run, 141);
	run_release(&run);
}

/* The pipe is never read: the task blocks, which is documented; a signal still works. */
Test(faults, a_reader_that_stops_does_not_stop_signals)
{
	struct run run;

	run_start(&run,
	          &(struct run_spec){
			  ARGV("run", "--grace", "1s", "--like", "bulk", "--", "helper", "flood"),
			  .reader = READER_STOPS, .after = 1, .deadline_ms = 30000});
	run_pump(&run, 1500);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert(!run.timed_out && run.code > 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(faults, a_reader_that_stops_does_not_stop_the_time_limit)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--timeout", "1s", "--grace", "1s", "--like",
	                                      "bulk", "--", "helper", "flood"),
	                                 .reader = READER_STOPS, .after = 1, .deadline_ms = 30000});
	cr_assert(!run.timed_out, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(run.code == 124 || run.code == 120, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* A descriptor that is not open must not become our socket. */
Test(faults, stdin_that_is_not_open)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "sum"),
	                                 .stdin_mode = STDIN_CLOSED, .deadline_ms = 20000});
	cr_assert(run.code == 0 || run.code == 125, RUN_FORMAT, RUN_ARGS(&run));
	if (run.code == 0)
		cr_assert_str_eq(run.out.text, "cbf29ce484222325 0\n");
	run_release(&run);
}

Test(faults, stdout_that_is_not_open)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "--like", "web", "--", "helper", "exit", "3", "text"),
			      .reader = READER_CLOSED, .deadline_ms = 20000});
	cr_assert(run.code == 3 || run.code == 120 || run.code == 125 || run.code == 141,
	          RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(faults, stderr_that_is_not_open)
{
	struct run run;

	run_all(&run,
	        &(struct run_spec){ARGV("run", "-v", "--like", "web", "--", "helper", "both", "2"),
	                           .stderr_closed = true, .deadline_ms = 20000});
	cr_assert(run.code == 0 || run.code == 120 || run.code == 125, RUN_FORMAT, RUN_ARGS(&run));
	if (run.code == 0)
		cr_assert_str_eq(run.out.text, "out 0\nout 1\n");
	run_release(&run);
}

Test(faults, nothing_open_at_all)
{
	struct run run;

	run_all(&run,
	        &(struct run_spec){ARGV("run", "-v", "--like", "web", "--", "helper", "both", "2"),
	                           .stdin_mode = STDIN_CLOSED, .reader = READER_CLOSED,
	                           .stderr_closed = true, .deadline_ms = 20000});
	cr_assert(!run.timed_out && run.signal == 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* fault 57 */
Test(faults, an_almost_empty_environment_is_enough)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "-q", "--like", "web", "--", "helper", "exit", "3", "x"),
			      .env = (const char *const[]){"HOME", "TERM", "PATH", "LANG", "USER",
	                                                   "LC_ALL", "XDG_RUNTIME_DIR", NULL}});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x") && capture_is(&run.err, ""), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
}
