/* SPDX-License-Identifier: Apache-2.0 */
/* SIGKILL of the client at any moment leaves nothing behind once the task has ended (design section
 * 6; faults 46 and 47). */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/expect.h"

TestSuite(kill, .fini = expect_clean, .timeout = 200);

/* Everything but the mounts: Docker lists them in random order, and they cannot change. */
static char *describe(const char *name)
{
	cJSON *document = engine_inspect(name);
	char *text;

	cJSON_DeleteItemFromObjectCaseSensitive(document, "Mounts");
	text = document ? cJSON_Print(document) : NULL;
	cJSON_Delete(document);
	return text;
}

static void expect_killed_clean(int delay, enum stdin_mode stdin_mode)
{
	struct run run;

	run_start(&run,
	          &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "wait", "250"),
	                             .stdin_mode = stdin_mode, .deadline_ms = 20000});
	run_pump(&run, delay);
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
	engine_after_client_died();
	expect_clean();
}

Test(kill, at_any_moment_leaves_nothing_and_the_source_alone)
{
	int delay, step = engine_traits()->run_ms ? 35 : engine_is_podman() ? 20 : 10;
	char *before = describe("web"), *after;
	size_t same;

	cr_assert(before);
	for (delay = 0; delay <= 300; delay += step)
		expect_killed_clean(delay, delay % 20 ? STDIN_NULL : STDIN_SILENT);
	after = describe("web");
	cr_assert(after);
	for (same = 0; before[same] && before[same] == after[same];)
		same++;
	cr_assert_str_eq(before, after, "the source changed: was %.60s, is %.60s", before + same,
	                 after + same);
	free(before);
	free(after);
}

/* Without a terminal the default is that the task goes on: a dropped link must not kill a
 * migration. */
Test(kill, the_task_itself_goes_on)
{
	cJSON *clone, *still;
	struct run run;

	run_start(&run,
	          &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "wait", "2500")});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	clone = engine_wait_one_off();
	cr_assert(clone);
	kill(run.pid, SIGKILL);
	run_pump(&run, 500);
	pause_ms(500);
	still = engine_inspect(text_of(clone, "Id"));
	cr_assert(still && strcmp(text_of(still, "State.Status"), "running") == 0,
	          "the task died with its client");
	cJSON_Delete(clone);
	cJSON_Delete(still);
	/* its output may be the task's own, so it may end later than the client */
	run_finish(&run);
	run_release(&run);
	engine_after_client_died();
}

static void clean_after_death(void)
{
	engine_after_client_died();
	expect_clean();
}

Test(kill, at_every_step_leaves_nothing)
{
	expect_steps_clean(WORDS("run", "--like", "web", "--", "helper", "exit", "3"),
	                   clean_after_death);
}
