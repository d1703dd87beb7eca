/* SPDX-License-Identifier: Apache-2.0 */
/* Signals without a terminal (design section 4; faults 42 to 44, 50, 55). */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

TestSuite(signals, .fini = expect_clean, .timeout = 60);

static void start_ready(struct run *run, const char *mode, const char *argument)
{
	run_start(run, &(struct run_spec){ARGV("run", "--grace", "2s", "--like", "web", "--",
	                                       "helper", mode, argument),
	                                  .stdin_mode = STDIN_SILENT, .deadline_ms = 30000});
	cr_assert(run_until(run, &run->out, 0, "ready\n"), RUN_FORMAT, RUN_ARGS(run));
}

static void send_and_expect(struct run *run, int signal_number)
{
	char line[16];
	size_t from = run->out.text_length;

	snprintf(line, sizeof(line), "%s\n", sigabbrev_np(signal_number));
	cr_assert_eq(kill(run->pid, signal_number), 0);
	cr_assert(run_until(run, &run->out, from, line), "no %s: " RUN_FORMAT, line, RUN_ARGS(run));
}

Test(signals, each_goes_to_the_task_once_and_its_code_comes_back)
{
	struct run run;

	start_ready(&run, "signals", "6");
	send_and_expect(&run, SIGHUP);
	send_and_expect(&run, SIGUSR1);
	send_and_expect(&run, SIGUSR2);
	send_and_expect(&run, SIGQUIT);
	send_and_expect(&run, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 6, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, "ready\nHUP\nUSR1\nUSR2\nQUIT\nTERM\n");
	run_release(&run);
}

/* A task that handles INT goes on: only the person who presses it twice wants it dead. */
Test(signals, int_reaches_the_task)
{
	struct run run;

	start_ready(&run, "signals", "4");
	send_and_expect(&run, SIGINT);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert(run.code == 4 || run.code == 137, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(signals, a_second_int_forces)
{
	int64_t from;
	struct run run;

	start_ready(&run, "ignore-term", "60000");
	from = now_ms();
	kill(run.pid, SIGINT);
	run_pump(&run, 300);
	cr_assert(!run.exited, RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGINT);
	run_finish(&run);
	cr_assert_eq(run.code, 137, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_lt(now_ms() - from, 5000, "took %" PRId64 " ms", now_ms() - from);
	run_release(&run);
}

Test(signals, a_task_that_ignores_term_is_killed_after_the_grace)
{
	struct run run;

	start_ready(&run, "ignore-term", "60000");
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 137, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_lt(run.took_ms, 15000, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

static char state_of(pid_t pid)
{
	char path[64], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return '?';
	if (fscanf(file, "%*d %*s %c", &state) != 1)
		state = '?';
	fclose(file);
	return state;
}

Test(signals, stopping_the_client_does_not_touch_the_task)
{
	int64_t until = now_ms() + 3000;
	struct run run;

	start_ready(&run, "wait", "1500");
	kill(run.pid, SIGTSTP);
	while (state_of(run.pid) != 'T' && now_ms() < until)
		pause_ms(20);
	cr_assert_eq(state_of(run.pid), 'T', "the client is in state %c", state_of(run.pid));
	pause_ms(2500);
	kill(run.pid, SIGCONT);
	run_finish(&run);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* fault 48: no moment may leave anything behind, and an interrupted run never looks like success */
Test(signals, term_at_any_moment_leaves_nothing, .timeout = 150)
{
	int delay, step = engine_traits()->run_ms ? 50 : engine_is_podman() ? 40 : 20;
	struct run run;

	for (delay = 0; delay <= 400; delay += step) {
		run_start(&run, &(struct run_spec){ARGV("run", "--grace", "1s", "--like", "bulk",
		                                        "--", "helper", "signals", "5"),
		                                   .deadline_ms = 20000});
		run_pump(&run, delay);
		kill(run.pid, SIGTERM);
		run_finish(&run);
		cr_assert(!run.timed_out, "after %d ms: " RUN_FORMAT, delay, RUN_ARGS(&run));
		cr_assert(run.code != 0, "after %d ms: " RUN_FORMAT, delay, RUN_ARGS(&run));
		run_release(&run);
		cr_assert_eq(engine_count_one_offs(), 0, "left over after TERM at %d ms", delay);
	}
}
