/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gone, whatever happens (design section 6): the client is killed, its monitor is killed, both are; and all of
 * it for a user without rights. The monitor is the process beside the client that is the task's parent.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/integration/engine_oci.h"
#include "tests/integration/rootless.h"
#include "tests/integration/expect.h"

TestSuite(oci_life, .fini = expect_clean, .timeout = 120);

/* What the project promises: this long after the task's end nothing is left. */
#define PROMISE_MS 2000

static const char *run_folder(void)
{
	return getenv("ONEOFF_OCI_RUN");
}

/* A run whose task says "ready", and its monitor. */
static pid_t start_with_monitor(struct run *run, const char *const *argv)
{
	pid_t monitor = 0;
	cJSON *clone;

	run_start(run, &(struct run_spec){.argv = argv, .deadline_ms = 30000});
	cr_assert(run_until(run, &run->out, 0, "ready"), RUN_FORMAT, RUN_ARGS(run));
	clone = engine_wait_one_off();
	cr_assert(clone);
	monitor = parent_of((pid_t)cJSON_GetNumberValue(member(clone, "State.Pid")));
	cr_assert(monitor > 1 && monitor != run->pid, "the task's parent is %d", (int)monitor);
	cJSON_Delete(clone);
	return monitor;
}

#define LIKE(...) ((const char *const[]){"run", __VA_ARGS__, NULL})

/* ---- the client dies ---- */

Test(oci_life, the_task_of_a_killed_client_is_seen_through)
{
	struct run run;

	start_with_monitor(&run, LIKE("--like", "web", "--", "sh", "-c",
	                              "echo ready; sleep 1.5; echo to the end"));
	kill(run.pid, SIGKILL);
	run_pump(&run, 500);
	cr_assert_eq(engine_count_one_offs(), 1, "the task died with its client");
	/* what it writes arrives without anybody in between */
	run_finish(&run);
	cr_assert(capture_is(&run.out, "ready\nto the end\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	oci_expect_clean(run_folder(), PROMISE_MS);
}

Test(oci_life, on_disconnect_stop_ends_the_task_at_once)
{
	struct run run;

	start_with_monitor(&run, LIKE("--on-disconnect", "stop", "--like", "web", "--", "helper",
	                              "ignore-term"));
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
	oci_expect_clean(run_folder(), PROMISE_MS);
}

Test(oci_life, the_time_limit_counts_without_a_client_too)
{
	struct run run;

	start_with_monitor(&run, LIKE("--timeout", "2s", "--grace", "1s", "--like", "web", "--",
	                              "helper", "ignore-term"));
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
	oci_expect_clean(run_folder(), 4000 + PROMISE_MS);
}

static void clean(void)
{
	oci_expect_clean(run_folder(), PROMISE_MS);
}

/* As test_kill.c does for the container "web". */
static void expect_every_step_clean(const char *source, const char *option, const char *value)
{
	expect_steps_clean(
		WORDS("run", option, value, "--like", source, "--", "helper", "exit", "3"), clean);
}

Test(oci_life, a_client_killed_at_any_step_leaves_nothing_of_an_image)
{
	char source[600];

	snprintf(source, sizeof(source), "oci-layout:%s/image:1", getenv("ONEOFF_TEST_DIR"));
	expect_every_step_clean(source, "--network", "none");
}

Test(oci_life, a_client_killed_at_any_step_leaves_nothing_of_runc)
{
	expect_every_step_clean("bulk", "--oci-runtime", "runc");
}

/* A run takes some 20 ms here, most of it the runtime's: these are the moments in which it is half done. */
static void expect_moments_clean(int signal_number, const char *option, const char *value)
{
	struct run run;

	for (int delay = 1; delay <= 40; delay++) {
		run_start(&run, &(struct run_spec){ARGV("run", option, value, "--like", "bulk",
		                                        "--", "helper", "wait", "50"),
		                                   .deadline_ms = 20000});
		run_pump(&run, delay);
		kill(run.pid, signal_number);
		run_finish(&run);
		cr_assert(!run.timed_out, "after %d ms: " RUN_FORMAT, delay, RUN_ARGS(&run));
		run_release(&run);
		oci_expect_clean(run_folder(), PROMISE_MS);
	}
}

Test(oci_life, a_client_killed_at_any_moment_leaves_nothing)
{
	expect_moments_clean(SIGKILL, "--on-disconnect", "continue");
}

Test(oci_life, a_client_killed_at_any_moment_takes_its_task_along_if_asked)
{
	expect_moments_clean(SIGKILL, "--on-disconnect", "stop");
}

Test(oci_life, a_client_told_to_end_at_any_moment_leaves_nothing)
{
	expect_moments_clean(SIGTERM, "--grace", "1s");
}

/* ---- the monitor dies ---- */

/* The task may live or die with it, but the client must end, claim no success, and say what it knows. */
Test(oci_life, a_killed_monitor_is_noticed)
{
	struct run run;
	pid_t monitor =
		start_with_monitor(&run, LIKE("--like", "web", "--", "helper", "wait", "1000"));

	kill(monitor, SIGKILL);
	run_finish(&run);
	cr_assert(!run.timed_out && run.signal == 0 && run.code > 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(run.err.count > 0 && chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	oci_expect_clean(run_folder(), 1000 + PROMISE_MS);
}

/* Nobody is there any more to clean up: the next run does it, and not before the task has ended. */
Test(oci_life, what_both_left_is_swept_by_the_next_run)
{
	struct run run, next;
	pid_t monitor = start_with_monitor(&run, LIKE("--on-disconnect", "continue", "--like",
	                                              "web", "--", "helper", "wait", "1500"));

	kill(run.pid, SIGSTOP);
	kill(monitor, SIGKILL);
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
	pause_ms(2500);
	run_all(&next, &(struct run_spec){
			       ARGV("run", "-q", "--like", "bulk", "--", "helper", "exit", "3")});
	cr_assert_eq(next.code, 3, RUN_FORMAT, RUN_ARGS(&next));
	run_release(&next);
	oci_expect_clean(run_folder(), PROMISE_MS);
}

/* The sweep of one run is no danger for another: neither at work nor just begun. */
Test(oci_life, a_live_run_is_never_swept)
{
	struct run run, other;
	int i;

	start_with_monitor(&run, LIKE("--like", "web", "--", "helper", "signals", "6"));
	for (i = 0; i < 5; i++) {
		run_all(&other, &(struct run_spec){ARGV("run", "-q", "--like", "bulk", "--",
		                                        "helper", "exit", "3")});
		cr_assert_eq(other.code, 3, RUN_FORMAT, RUN_ARGS(&other));
		run_release(&other);
	}
	cr_assert_eq(engine_count_one_offs(), 1);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 6, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- a user without rights ---- */

/* Starts `oneoff run -q --like SOURCE -- sh -c SCRIPT` as that user. */
static void start_rootless(struct run *run, const char *source, const char *script,
                           enum stdin_mode stdin_mode)
{
	static struct rootless_environment environment;
	static char binary[300];
	const char *home = rootless(binary);

	rootless_environment(&environment, home);
	run_start(run, &(struct run_spec){ARGV("--reuid", "tester", "--regid", "tester",
	                                       "--init-groups", binary, "run", "-q", "--like",
	                                       source, "--", "sh", "-c", script),
	                                  .program = "/usr/bin/setpriv", .env = environment.entries,
	                                  .stdin_mode = stdin_mode, .input_length = 1000000,
	                                  .seed = 5, .deadline_ms = 20000});
}

static void expect_rootless_clean(int limit_ms)
{
	char folder[300];

	snprintf(folder, sizeof(folder), "%s/run", getenv("ONEOFF_TEST_ROOTLESS"));
	oci_expect_clean(folder, limit_ms);
}

Test(oci_life, a_user_without_rights_clones_a_source_of_his_own)
{
	char path[400], expected[128], binary[300];
	struct run run;

	snprintf(path, sizeof(path), "%s/plain/etc/mine", rootless(binary));
	start_rootless(&run, "oci:app", "echo mine >/etc/mine; id -u; helper sum; exit 6",
	               STDIN_PATTERN);
	run_finish(&run);
	snprintf(expected, sizeof(expected), "0\n%016" PRIx64 " 1000000\n",
	         pattern_hash(5, 1000000));
	cr_assert_eq(run.code, 6, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, expected), "expected %s " RUN_FORMAT, expected,
	          RUN_ARGS(&run));
	cr_assert_neq(access(path, F_OK), 0, "it wrote into its source's root");
	run_release(&run);
	expect_rootless_clean(PROMISE_MS);
}

Test(oci_life, a_user_without_rights_shares_his_source_s_network)
{
	char expected[64], path[64], root[300], binary[300];
	struct run run;
	ssize_t n;

	snprintf(root, sizeof(root), "%s/crun", rootless(binary));
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)oci_pid(root, "app"));
	n = readlink(path, expected, sizeof(expected) - 2);
	cr_assert_gt(n, 0);
	expected[n] = '\n';
	expected[n + 1] = '\0';
	start_rootless(&run, "app", "readlink /proc/self/ns/net", STDIN_NULL);
	run_finish(&run);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, expected), "expected %s " RUN_FORMAT, expected,
	          RUN_ARGS(&run));
	run_release(&run);
	expect_rootless_clean(PROMISE_MS);
}

Test(oci_life, a_user_without_rights_runs_an_image)
{
	char source[400], binary[300];
	struct run run;

	snprintf(source, sizeof(source), "oci-layout:%s/image:1", rootless(binary));
	start_rootless(&run, source, "helper where; cat Procfile; exit 5", STDIN_NULL);
	run_finish(&run);
	cr_assert_eq(run.code, 5, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "uid 1234 gid 1235 cwd /srv/app tty 000\n"
	                               "web: helper signals\nmigrate: helper exit 4\n"),
	          RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_rootless_clean(PROMISE_MS);
}

Test(oci_life, a_killed_client_without_rights_leaves_nothing)
{
	struct run run;

	start_rootless(&run, "app", "echo ready; sleep 1", STDIN_NULL);
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
	expect_rootless_clean(1000 + PROMISE_MS);
}

/* He may look at root's containers in no way, and is told so rather than that there are none. */
Test(oci_life, a_user_without_rights_is_told_that_a_source_is_root_s)
{
	char binary[300], path[300];
	struct rootless_environment environment;
	struct run run;

	rootless_environment(&environment, rootless(binary));
	snprintf(path, sizeof(path), "%s/crun", getenv("ONEOFF_TEST_DIR"));
	run_all(&run,
	        &(struct run_spec){ARGV("--reuid", "tester", "--regid", "tester", "--init-groups",
	                                binary, "run", "--oci-root", path, "--like", "oci:web",
	                                "--", "true"),
	                           .program = "/usr/bin/setpriv", .env = environment.entries});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strcasestr(run.err.text, "permi") || strcasestr(run.err.text, "allowed"),
	          RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
