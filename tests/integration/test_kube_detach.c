/* SPDX-License-Identifier: Apache-2.0 */
/* Detached one-offs in a cluster: what is told of their start, and what is left to read when they are stopped. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_kube.h"
#include "tests/integration/operate.h"

static void clean(void)
{
	fake_reset();
	engine_remove_one_offs();
	expect_clean();
}

TestSuite(kube_detach, .init = fake_reset, .fini = clean, .timeout = 60);
TestSuite(kube_stop, .init = fake_reset, .fini = clean, .timeout = 60);

/* ---- run -d ---- */

/* Only what has begun, or may still begin, has an id. */
static void expect_detached(struct run *run, int code, const char *word, const char *const *argv)
{
	run_with_code(run, code, argv);
	cr_assert_eq(code == 0, run->out.count > 0, RUN_FORMAT, RUN_ARGS(run));
	cr_assert(strstr(run->err.text, word), "no '%s': " RUN_FORMAT, word, RUN_ARGS(run));
}

Test(kube_detach, tells_at_once_what_cannot_start_and_leaves_nothing)
{
	struct run run;

	expect_detached(
		&run, 126, "oneoff: the task did not start",
		ARGUMENTS("run", "-d", "--like", "deploy/bulk", "--", "/bin/not-executable"));
	run_release(&run);
	expect_clean();
	fake_faults("[{\"pod\":\"^bulk-oneoff-\",\"reason\":\"ImagePullBackOff\"}]");
	expect_detached(&run, 125, "ImagePullBackOff",
	                ARGUMENTS("run", "-d", "--like", "deploy/bulk", "--", "true"));
	cr_assert_lt(run.took_ms, 5000, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_clean();
}

/* A node may need minutes for an image: who detaches does not wait for that. */
Test(kube_detach, does_not_wait_long_for_a_slow_start)
{
	struct run run;
	char id[ID_SIZE];

	fake_faults("[{\"pod\":\"^bulk-oneoff-\",\"reason\":\"SlowStart\",\"ms\":14000}]");
	expect_detached(
		&run, 0, "it has not started yet",
		ARGUMENTS("run", "-d", "--like", "deploy/bulk", "--", "helper", "exit", "3"));
	cr_assert_lt(run.took_ms, 13000, RUN_FORMAT, RUN_ARGS(&run));
	snprintf(id, sizeof(id), "%.8s", run.out.text);
	run_release(&run);
	expect_code(3, ARGUMENTS("wait", id));
}

/* Nobody has its id yet. */
Test(kube_detach, interrupted_before_the_start_leaves_nothing)
{
	struct run run;

	fake_faults("[{\"pod\":\"^bulk-oneoff-\",\"reason\":\"SlowStart\",\"ms\":20000}]");
	run_start(&run,
	          &(struct run_spec){ARGV("run", "-d", "--like", "deploy/bulk", "--", "true")});
	run_pump(&run, 1500);
	kill(run.pid, SIGINT);
	run_finish(&run);
	cr_assert_eq(run.code, 130, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_clean();
}

/* A watch that begins anew tells of what is there, and of nothing that went meanwhile. */
Test(kube_detach, a_wait_ends_when_the_pod_went_while_nobody_watched)
{
	char id[ID_SIZE], path[100];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--like", "deploy/bulk", "--", "sleep", "300"));
	run_start(&run, &(struct run_spec){ARGV("wait", id), .deadline_ms = 30000});
	run_pump(&run, 1000);
	fake_faults(
		"[{\"match\":{\"path\":\"watch=\",\"nth\":[1,5]},\"action\":\"status\",\"code\":503},"
		"{\"match\":{\"path\":\"watch=\",\"nth\":6},\"action\":\"410\"}]");
	kube_request("POST", "/fake/restart", "{\"ms\":50}");
	run_pump(&run, 500);
	snprintf(path, sizeof(path), "pods?labelSelector=oneoff.dev/id%%3D%s&gracePeriodSeconds=0",
	         id);
	cr_assert_eq(kube_change("DELETE", path, NULL), 200);
	run_finish(&run);
	cr_assert(!run.timed_out, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(run.code == 121 || run.code == 137, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* What cannot be is refused, not passed on to the task. */
Test(kube_detach, attach_has_no_detach_keys)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "-t", "--like", "deploy/bulk", "--", "sh"));
	run_all(&run, &(struct run_spec){ARGV("attach", "--detach-keys", "ctrl-p,ctrl-q", id),
	                                 .pty = true});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "--detach-keys"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- rights ---- */

/* How many Jobs the server has been asked to make. */
static int jobs_made(void)
{
	cJSON *stats = engine_get("/fake/stats");
	const cJSON *count, *requests = cJSON_GetObjectItem(stats, "requests");
	int made = 0;

	cJSON_ArrayForEach (count, requests)
		if (strstr(count->string, "POST") && strstr(count->string, "/jobs"))
			made += (int)cJSON_GetNumberValue(count);
	cJSON_Delete(stats);
	return made;
}

static void expect_refused(struct run *run, const char *verbs)
{
	char variable[600], to[100];
	const char *const from =
		"[\"get\",\"create\"],\"groups\":[\"\"],\"resources\":[\"pods/attach\"]";

	snprintf(to, sizeof(to), "[%s],\"groups\":[\"\"],\"resources\":[\"pods/attach\"]", verbs);
	fake_role(from, to);
	snprintf(variable, sizeof(variable), "KUBECONFIG=%s/kubeconfig-token",
	         getenv("ONEOFF_TEST_DIR"));
	run_all(run, &(struct run_spec){ARGV("run", "--gate", "none", "--like", "deploy/bulk", "--",
	                                     "helper", "wait", "5000"),
	                                .env = (const char *const[]){variable, NULL},
	                                .deadline_ms = 20000});
	cr_assert(strstr(run->err.text, "pods/attach"), RUN_FORMAT, RUN_ARGS(run));
}

/* Without a gate the task would run before anybody knows that its streams cannot be had: so nothing is started. */
Test(kube_detach, without_a_gate_the_right_to_attach_is_asked_for_first)
{
	static const char *const verbs[] = {"\"create\"", "\"get\""};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		int before = jobs_made();
		struct run run;

		expect_refused(&run, verbs[i]);
		cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
		cr_assert_eq(jobs_made(), before, RUN_FORMAT, RUN_ARGS(&run));
		run_release(&run);
	}
}

/* Nobody can say how far a task came that had to be ended: that is no 125. */
Test(kube_detach, what_had_begun_without_a_gate_is_no_125)
{
	struct run run;

	fake_faults(
		"[{\"match\":{\"path\":\"selfsubjectaccessreviews\"},\"action\":\"status\",\"code\":403,"
		"\"text\":\"no\"}]");
	expect_refused(&run, "\"create\"");
	cr_assert_eq(run.code, 121, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- stop ---- */

/* The lines of what ran, with the codes of stop and of wait in front. */
static void expect_stopped(const char *script, const char *stop, const char *wanted)
{
	char line[900];
	struct run run;

	snprintf(
		line, sizeof(line),
		"id=$(\"$ONEOFF\" run -d --like deploy/bulk %s) && until [ -n \"$(\"$ONEOFF\" logs -q $id)\" ]; do "
		"sleep 0.2; done; \"$ONEOFF\" %s $id; s=$?; \"$ONEOFF\" wait -q $id >/dev/null; echo $s $? "
		"$(\"$ONEOFF\" logs -q $id)",
		script, stop);
	run_all(&run, &(struct run_spec){.program = "/bin/bash", ARGV("-c", line)});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, wanted, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

#define TRAPS "-- sh -c 'trap \"echo end; exit 7\" TERM; echo ready; while :; do sleep 0.1; done'"
#define STAYS "-- sh -c 'trap : TERM; echo ready; while :; do sleep 0.1; done'"

/* By the pod's deadline, and not by deleting it. */
Test(kube_stop, what_is_kept_has_its_log_and_its_code_after_a_stop)
{
	expect_stopped("--grace 5 " TRAPS, "stop -q", "0 7 ready end\n");
}

/* The kubelet kills at the end of the pod's own time, which may be longer than what we give elsewhere. */
Test(kube_stop, gives_a_task_the_time_that_its_pod_has)
{
	expect_stopped("--grace 20 -- sh -c 'trap \"sleep 12; echo end; exit 7\" TERM; echo ready; "
	               "while :; do sleep 0.1; done'",
	               "stop -q", "0 7 ready end\n");
}

/* The pod has to go; what it had written stays at its Job. */
Test(kube_stop, by_force_keeps_the_end_of_the_log_at_the_job)
{
	expect_stopped("--grace 30 " STAYS, "stop -q --force", "0 137 ready\n");
	expect_stopped("--grace 30 " STAYS, "stop -q --grace 1", "0 137 ready\n");
}

/* On a lost node nothing ends for sure. */
Test(kube_stop, what_may_run_on_is_121)
{
	char id[ID_SIZE];
	struct run run;

	fake_faults("[{\"pod\":\"^bulk-oneoff-\",\"reason\":\"NodeLost\",\"ms\":300}]");
	start_detached(id, ARGUMENTS("run", "-d", "--grace", "1", "--like", "deploy/bulk", "--",
	                             "sh", "-c", "sleep 60"));
	pause_ms(1000);
	run_with_code(&run, 121, ARGUMENTS("stop", "--force", id));
	cr_assert(strstr(run.err.text, "the result is unknown"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* What is lost must not look as if nothing had been written. */
Test(kube_stop, a_log_that_went_with_its_pod_is_120)
{
	char id[ID_SIZE], path[100];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--like", "deploy/bulk", "--", "sh", "-c",
	                             "echo text; sleep 60"));
	snprintf(path, sizeof(path), "pods?labelSelector=oneoff.dev/id%%3D%s", id);
	cr_assert_eq(kube_change("DELETE", path, NULL), 200);
	cr_assert(wait_listed(id, "ended"));
	run_with_code(&run, 120, ARGUMENTS("logs", id));
	cr_assert(strstr(run.err.text, "its log with it"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* 32 KiB of it, from the beginning of a line; and byte by byte. */
Test(kube_stop, by_force_says_what_is_missing_of_a_long_log)
{
	const char *line =
		"id=$(\"$ONEOFF\" run -q -d --grace 30 --like deploy/bulk -- sh -c 'trap : TERM; seq 1 20000; "
		"printf \"\\377\\200z\\n\"; while :; do sleep 0.1; done') && until \"$ONEOFF\" logs -q $id | grep -aq "
		"z; do sleep 0.2; done; \"$ONEOFF\" stop -q --force $id; \"$ONEOFF\" logs $id | tail -n 3 | od -An -c | "
		"tr -d ' \\n'; \"$ONEOFF\" logs -q $id | head -n 1 | grep -qx '1[3-4][0-9]*' && echo; \"$ONEOFF\" logs -q "
		"--tail 2 $id | wc -l; \"$ONEOFF\" logs -q $id | wc -l | grep -qx '[56][0-9]*' && echo some";
	struct run run;

	run_all(&run, &(struct run_spec){.program = "/bin/bash", ARGV("-c", line)});
	cr_assert_str_eq(run.out.text, "19999\\n20000\\n377200z\\n\n2\nsome\n", RUN_FORMAT,
	                 RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "the end of its log"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

#define NO_RIGHT(verb)                                                                             \
	"{\"match\":{\"method\":\"" verb                                                           \
	"\",\"path\":\"/pods/\"},\"action\":\"status\",\"code\":403,\"text\":\"no\"}"

/* Without the right to change pods its pod is deleted, gently, and the rest stays. */
Test(kube_stop, without_the_right_to_change_the_pod_the_job_keeps_what_it_can)
{
	fake_faults("[" NO_RIGHT("PATCH") "]");
	expect_stopped("--grace 5 " TRAPS, "stop -q", "0 7 ready\n");
}

/* …and without the one to delete them the task is deleted, which is said: it ends all the same. */
Test(kube_stop, without_any_right_to_the_pod_it_is_deleted)
{
	const char *line =
		"id=$(\"$ONEOFF\" run -d --grace 1 --like deploy/bulk -- sleep 100) && sleep 1; "
		"\"$ONEOFF\" stop $id; \"$ONEOFF\" list -q --all -o json | grep -c $id; true";
	struct run run;

	fake_faults("[" NO_RIGHT("PATCH") "," NO_RIGHT("DELETE") "]");
	run_all(&run, &(struct run_spec){.program = "/bin/bash", ARGV("-c", line)});
	cr_assert_str_eq(run.out.text, "0\n", RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "its log and its code are lost"), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
}
