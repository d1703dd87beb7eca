/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal: size, keys, raw mode and the way back (design section 4; faults 42, 45, 49, 53, 54).
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/harness.h"

TestSuite(terminal, .fini = expect_clean, .timeout = 60);

static void start_terminal(struct run *run, const char *const *argv, const char *ready)
{
	run_start(run, &(struct run_spec){.argv = argv,
	                                  .pty = true,
	                                  .rows = 31,
	                                  .columns = 97,
	                                  .deadline_ms = 30000});
	cr_assert(run_until(run, &run->out, 0, ready), RUN_FORMAT, RUN_ARGS(run));
}

#define TASK(...)                                                                                  \
	((const char *const[]){"run", "--grace", "1s", "--like", "web", "--", __VA_ARGS__, NULL})

static void finish_restored(struct run *run, int code)
{
	run_finish(run);
	cr_assert_eq(run->code, code, RUN_FORMAT, RUN_ARGS(run));
	cr_assert(run_terminal_restored(run), "the terminal is not as it was");
	run_release(run);
}

Test(terminal, size_follows_and_ctrl_c_reaches_the_task)
{
	struct run run;

	start_terminal(&run, TASK("helper", "winsize"), "size 31 97");
	run_resize(&run, 40, 120);
	cr_assert(run_until(&run, &run.out, 0, "size 40 120"), RUN_FORMAT, RUN_ARGS(&run));
	run_send(&run, "\x03");
	finish_restored(&run, 0);
}

Test(terminal, of_many_changes_the_last_size_wins)
{
	struct run run;
	int i;

	start_terminal(&run, TASK("helper", "winsize"), "size 31 97");
	for (i = 0; i < 500; i++)
		run_resize(&run, 20 + i % 30, 60 + i % 50);
	run_resize(&run, 45, 133);
	cr_assert(run_until(&run, &run.out, 0, "size 45 133"), RUN_FORMAT, RUN_ARGS(&run));
	run_send(&run, "\x03");
	finish_restored(&run, 0);
}

Test(terminal, the_task_sees_a_terminal_and_ours_is_raw_meanwhile)
{
	struct termios during;
	struct run run;

	start_terminal(&run, TASK("sh", "-c", "helper where; read line; exit 42"), "tty 111");
	cr_assert_eq(tcgetattr(run.slave, &during), 0);
	cr_assert_eq(during.c_lflag & (tcflag_t)(ICANON | ECHO | ISIG), 0, "not raw");
	run_send(&run, "go\r");
	finish_restored(&run, 42);
}

Test(terminal, ctrl_d_ends_the_input)
{
	struct run run;

	start_terminal(&run, TASK("sh", "-c", "echo ready; exec cat"), "ready");
	run_send(&run, "some words\r");
	cr_assert(run_until(&run, &run.out, 0, "some words\r\nsome words\r\n"), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_send(&run, "\x04");
	finish_restored(&run, 0);
}

/* Docker's ctrl-p ctrl-q belongs to the task: the shell has ctrl-p for its history. */
Test(terminal, every_key_arrives)
{
	struct run run;

	start_terminal(
		&run, TASK("sh", "-c", "stty raw -echo; echo ready; head -c 6 | xxd -p; stty sane"),
		"ready");
	run_send(&run, "\x10");
	run_pump(&run, 50);
	run_send(&run, "\x11\x1a\x03\x1dq");
	cr_assert(run_until(&run, &run.out, 0, "10111a031d71"), RUN_FORMAT, RUN_ARGS(&run));
	finish_restored(&run, 0);
}

Test(terminal, no_tty_gives_none_on_a_terminal)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "-T", "-I", "--like", "web", "--", "helper", "where"),
			      .pty = true});
	cr_assert(strstr(run.out.text, "tty 000"), RUN_FORMAT, RUN_ARGS(&run));
	finish_restored(&run, 0);
}

Test(terminal, large_output_is_complete)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "bulk", "--", "seq", "100000"),
	                                 .pty = true});
	/* 588895 bytes and a carriage return on each line */
	cr_assert_eq(run.out.count, 688895, "%" PRIu64 " bytes", run.out.count);
	finish_restored(&run, 0);
}

Test(terminal, is_restored_after_term)
{
	struct run run;

	start_terminal(&run, TASK("helper", "signals", "3"), "ready");
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert(!run.timed_out && run.code != 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(run_terminal_restored(&run), "the terminal is not as it was");
	run_release(&run);
}

Test(terminal, is_restored_after_the_client_was_killed)
{
	struct run run;

	start_terminal(&run, TASK("helper", "signals"), "ready");
	kill(run.pid, SIGKILL);
	run_finish(&run);
	cr_assert_eq(run.signal, SIGKILL, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(run_terminal_restored(&run), "the terminal is not as it was");
	run_release(&run);
	engine_after_client_died();
}

/* fault 45: the window is closed; as a shell does, the leader hangs up its foreground job */
Test(terminal, a_hang_up_stops_the_task)
{
	struct run run;

	start_terminal(&run, TASK("helper", "signals"), "ready");
	close(run.out_fd);
	run.out_fd = run.in = -1;
	kill(run.pid, SIGHUP);
	run_finish(&run);
	cr_assert(!run.timed_out, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
