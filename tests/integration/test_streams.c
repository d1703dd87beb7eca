/* SPDX-License-Identifier: Apache-2.0 */
/* Every byte, once, on the right stream, in both directions, in constant memory (design section 4).
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

#define KIB UINT64_C(1024)
#define GIB (KIB * KIB * KIB)

/* design section 10; the harness's own memory before exec stays below it */
#define PEAK_KIB 12288

TestSuite(streams, .fini = expect_clean, .timeout = 120);

static const uint64_t sizes[] = {0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 3 * KIB *KIB + 7};

static void expect_stdout(const char *source, uint64_t length, uint64_t seed, bool no_stdin)
{
	char count[24], seed_text[24];
	struct run run;

	snprintf(count, sizeof(count), "%" PRIu64, length);
	snprintf(seed_text, sizeof(seed_text), "%" PRIu64, seed);
	run_all(&run, &(struct run_spec){ARGV("run", no_stdin ? "-I" : "-q", "--like", source, "--",
	                                      "helper", "pattern", count, seed_text, "5"),
	                                 .deadline_ms = 100000});
	cr_assert_eq(run.code, 5, "%" PRIu64 " bytes: " RUN_FORMAT, length, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, length, "%" PRIu64 " of %" PRIu64 " bytes", run.out.count,
	             length);
	cr_assert_eq(run.out.hash, pattern_hash(seed, length), "%" PRIu64 " bytes differ", length);
	cr_assert(!run.held_open, "stdout stays open after the end");
	cr_assert_leq(run.peak_kib, PEAK_KIB + engine_traits()->tls_kib, "peak memory %ld KiB",
	              run.peak_kib);
	run_release(&run);
}

static void expect_stdin(const char *source, uint64_t length, uint64_t seed)
{
	char expected[64];
	struct run run;

	snprintf(expected, sizeof(expected), "%016" PRIx64 " %" PRIu64 "\n",
	         pattern_hash(seed, length), length);
	run_all(&run, &(struct run_spec){ARGV("run", "--like", source, "--", "helper", "sum"),
	                                 .stdin_mode = STDIN_PATTERN, .input_length = length,
	                                 .seed = seed, .deadline_ms = 100000});
	cr_assert_eq(run.code, 0, "%" PRIu64 " bytes: " RUN_FORMAT, length, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, expected);
	cr_assert_leq(run.peak_kib, PEAK_KIB + engine_traits()->tls_kib, "peak memory %ld KiB",
	              run.peak_kib);
	run_release(&run);
}

Test(streams, stdout_is_exact_at_every_size)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		expect_stdout("web", sizes[i], 11 + i, false);
}

Test(streams, stdout_is_exact_without_stdin)
{
	expect_stdout("web", 64 * KIB + 1, 5, true);
}

Test(streams, stdin_is_exact_at_every_size)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		expect_stdin("web", sizes[i], 21 + i);
}

/* A GiB, where the engine is fast enough. */
static uint64_t large(void)
{
	const char *mib = getenv("ONEOFF_TEST_LARGE_MIB");

	if (mib)
		return strtoull(mib, NULL, 10) * KIB * KIB;
	return engine_traits()->large ? engine_traits()->large : GIB;
}

Test(streams, one_gib_of_stdout_in_constant_memory)
{
	expect_stdout("bulk", large(), 31, false);
}

Test(streams, one_gib_of_stdin_in_constant_memory)
{
	expect_stdin("bulk", large(), 41);
}

Test(streams, both_ways_at_once)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "bulk", "--", "cat"),
	                                 .stdin_mode = STDIN_PATTERN,
	                                 .input_length = 64 * KIB * KIB, .seed = 51});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, 64 * KIB * KIB);
	cr_assert_eq(run.out.hash, pattern_hash(51, 64 * KIB * KIB));
	run_release(&run);
}

Test(streams, stdout_and_stderr_stay_apart_and_exact)
{
	uint64_t out_hash = FNV_START, err_hash = FNV_START;
	struct run run;
	char line[32];
	int i, n;

	for (i = 0; i < 100000; i++) {
		n = snprintf(line, sizeof(line), "out %d\n", i);
		out_hash = fnv_add(out_hash, line, (size_t)n);
		n = snprintf(line, sizeof(line), "err %d\n", i);
		err_hash = fnv_add(err_hash, line, (size_t)n);
	}
	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--like", "bulk", "--", "helper", "both",
	                                      "100000")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.hash, out_hash, "stdout differs: %" PRIu64 " bytes", run.out.count);
	cr_assert_eq(run.err.hash, err_hash, "stderr differs: %" PRIu64 " bytes", run.err.count);
	run_release(&run);
}

Test(streams, the_end_of_stdin_reaches_the_task_at_once)
{
	struct run run;

	run_all(&run,
	        &(struct run_spec){ARGV("run", "--like", "web", "--", "cat"),
	                           .stdin_mode = STDIN_TEXT, .input = "no newline at the end"});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "no newline at the end"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_lt(run.took_ms, 5000, "took %" PRId64 " ms", run.took_ms);
	run_release(&run);
}

/* fault 34 */
Test(streams, a_task_may_leave_most_of_stdin_unread)
{
	struct run run;

	run_all(&run,
	        &(struct run_spec){ARGV("run", "-q", "--like", "bulk", "--", "helper",
	                                "close-stdin-early", "100"),
	                           .stdin_mode = STDIN_ENDLESS, .seed = 61, .deadline_ms = 20000});
	cr_assert_eq(run.code, 7, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "closed\n"), RUN_FORMAT, RUN_ARGS(&run));
	/* Podman itself writes a line about its own broken pipe into the stream */
	if (!engine_is_podman())
		cr_assert(capture_is(&run.err, ""), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.err.text, "oneoff: "), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* fault 36 */
Test(streams, an_open_silent_stdin_does_not_hold_the_end_back)
{
	struct run run;

	run_all(&run,
	        &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "exit", "9", "bye"),
	                           .stdin_mode = STDIN_SILENT, .deadline_ms = 20000});
	cr_assert_eq(run.code, 9, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "bye"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(streams, without_stdin_the_task_reads_nothing_and_takes_nothing)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-I", "--like", "web", "--", "helper", "sum"),
	                                 .stdin_mode = STDIN_SILENT, .deadline_ms = 20000});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, "cbf29ce484222325 0\n");
	run_release(&run);
}
