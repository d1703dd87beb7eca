/* SPDX-License-Identifier: Apache-2.0 */
/* A lost connection is not the end of a task: the streams are taken up again, or 120 says that they were
 * not; the code is the task's own either way. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"
#include "tests/integration/proxy.h"

TestSuite(cut, .fini = expect_clean, .timeout = 90);

/* Text on both streams, with a pause in which the cut can be noticed before the end. */
#define TALK                                                                                       \
	"for i in 1 2 3 4 5 6; do j=0; while [ $j -lt 400 ]; do echo line $i.$j; "                 \
	"echo other $i.$j >&2; j=$((j+1)); done; sleep 0.4; done; exit 9"

static uint64_t hash_of_talk(const char *word)
{
	uint64_t hash = FNV_START;
	char line[64];

	for (int i = 1; i <= 6; i++)
		for (int j = 0; j < 400; j++)
			hash = fnv_add(
				hash, line,
				(size_t)snprintf(line, sizeof(line), "%s %d.%d\n", word, i, j));
	return hash;
}

static void run_through(struct run *run, const char *source, const char *path, uint64_t after,
                        const char *script)
{
	struct proxy proxy;

	proxy_open(&proxy, path, after);
	run_all(run,
	        &(struct run_spec){ARGV("run", "-q", "--like", source, "--", "sh", "-c", script),
	                           .env = (const char *const[]){proxy.url, NULL}});
	proxy_close(&proxy);
}

Test(cut, output_goes_on_behind_the_last_byte)
{
	/* The answer's head is about 110 bytes; frames begin behind it. */
	static const uint64_t after[] = {115, 120, 400, 5003, 20000, 40001};

	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		struct run run;

		run_through(&run, "web", "/attach", after[i], TALK);
		cr_assert_eq(run.code, 9, "cut after %" PRIu64 ": " RUN_FORMAT, after[i],
		             RUN_ARGS(&run));
		cr_assert_eq(run.out.hash, hash_of_talk("line"),
		             "cut after %" PRIu64 ": %" PRIu64 " bytes", after[i], run.out.count);
		cr_assert_eq(run.err.hash, hash_of_talk("other"),
		             "cut after %" PRIu64 ": " RUN_FORMAT, after[i], RUN_ARGS(&run));
		run_release(&run);
	}
}

Test(cut, without_a_log_a_loss_is_told)
{
	struct run run;

	run_through(&run, "bulk", "/attach", 2000,
	            "i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done; sleep 1");
	cr_assert_eq(run.code, 120, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "output may be incomplete"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_through(&run, "bulk", "/attach", 2000,
	            "i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done; sleep 1; exit 5");
	cr_assert_eq(run.code, 5, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* json-file replaces bytes that are no UTF-8: then exit 0 would be a lie. */
Test(cut, bytes_that_the_log_changed_are_never_called_right)
{
	struct run run;

	run_through(&run, "web", "/attach", 3000, "helper pattern 200000; sleep 1");
	if (run.code == 0)
		cr_assert_eq(run.out.hash, pattern_hash(0, 200000), RUN_FORMAT, RUN_ARGS(&run));
	else
		cr_assert_eq(run.code, 120, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(cut, a_lost_wait_is_asked_again)
{
	struct run run;

	run_through(&run, "web", "/wait", engine_is_podman() ? 0 : 230,
	            "sleep 1; echo done; exit 7");
	cr_assert_eq(run.code, 7, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, "done\n");
	run_release(&run);
}
