/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster in trouble, as the fake's script plays it (tests/fake/faults.py): each trouble has its code and its words,
 * and none of them becomes a success that it was not. Reasons of pods; test_kube_lines.c has those of connections. */
#include <criterion/criterion.h>
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

TestSuite(kube_faults, .init = fake_reset, .fini = clean, .timeout = 60);

/* A rule for the pods of the cases' one-offs. */
static void pod_trouble(const char *reason, const char *more)
{
	char rules[300];

	snprintf(rules, sizeof(rules), "[{\"pod\":\"^bulk-oneoff-\",\"reason\":\"%s\"%s}]", reason,
	         more);
	fake_faults(rules);
}

static void expect_end(const char *option, const char *command, int code, const char *word,
                       int limit_ms)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", option, "--like", "deploy/bulk", "--",
	                                      "helper", command, "2500", "3"),
	                                 .deadline_ms = 40000});
	cr_assert_eq(run.code, code, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!word || strcasestr(run.err.text, word), "no '%s': " RUN_FORMAT, word,
	          RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_leq(run.took_ms, limit_ms, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- it does not start ---- */

Test(kube_faults, an_image_that_cannot_be_had_is_told_at_once)
{
	pod_trouble("ImagePullBackOff", "");
	expect_end("-T", "wait", 125, "image", 8000);
}

Test(kube_faults, a_container_that_cannot_be_made_is_told_at_once)
{
	pod_trouble("CreateContainerConfigError", "");
	expect_end("-T", "wait", 125, "secret \"missing\" not found", 8000);
}

Test(kube_faults, no_node_is_told_at_the_start_s_time_limit)
{
	pod_trouble("Unschedulable", "");
	expect_end("--start-timeout=2s", "wait", 125, "Insufficient cpu", 8000);
}

Test(kube_faults, a_node_that_comes_late_is_waited_for)
{
	pod_trouble("Unschedulable", ",\"ms\":2500");
	expect_end("-T", "exit", 196, "Insufficient cpu", 8000); /* 2500 mod 256 */
}

Test(kube_faults, a_quota_is_told_before_anything_is_made)
{
	pod_trouble("Quota", "");
	fake_faults("[{\"pod\":\"oneoff\",\"reason\":\"Quota\"}]");
	expect_end("-T", "wait", 125, "exceeded quota", 8000);
}

Test(kube_faults, a_slow_start_is_waited_for)
{
	pod_trouble("SlowStart", ",\"ms\":1500");
	expect_end("-T", "exit", 196, NULL, 8000);
}

Test(kube_faults, a_slow_start_has_a_time_limit)
{
	pod_trouble("SlowStart", ",\"ms\":20000");
	expect_end("--start-timeout=2s", "wait", 125, "in time", 8000);
}

/* ---- it ends otherwise than by itself ---- */

Test(kube_faults, out_of_memory_is_137_and_says_so)
{
	pod_trouble("OOMKilled", ",\"ms\":300");
	expect_end("-T", "wait", 137, "memory", 8000);
}

/* The task is over, and what it was is not known: no code of its own can be trusted but a signal's. */
Test(kube_faults, an_evicted_task_is_no_success_and_says_why)
{
	pod_trouble("Evicted", ",\"ms\":300");
	expect_end("-T", "wait", 137, "evict", 8000);
}

Test(kube_faults, the_platform_s_time_limit_is_124)
{
	pod_trouble("DeadlineExceeded", ",\"ms\":300");
	expect_end("-T", "wait", 124, "time", 8000);
}

Test(kube_faults, a_lost_node_is_121)
{
	struct run run;

	pod_trouble("NodeLost", ",\"ms\":300");
	run_all(&run, &(struct run_spec){
			      ARGV("run", "--like", "deploy/bulk", "--", "helper", "wait", "2500"),
			      .deadline_ms = 40000});
	cr_assert_eq(run.code, 121, RUN_FORMAT, RUN_ARGS(&run));
	/* the Job is gone by then, its pod is not */
	cr_assert(strstr(run.err.text, "look with: kubectl -n oneoff-test get pod/bulk-oneoff-"),
	          RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	fake_reset();
	engine_remove_one_offs();
}

Test(kube_faults, a_deleted_pod_is_no_success)
{
	struct run run;
	cJSON *pod;

	run_start(&run, &(struct run_spec){ARGV("run", "--like", "deploy/bulk", "--", "helper",
	                                        "wait", "20000"),
	                                   .deadline_ms = 30000});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	pod = kube_one_off("pods");
	cr_assert(pod && engine_kill(text_of(pod, "metadata.name")));
	cJSON_Delete(pod);
	run_finish(&run);
	cr_assert_eq(run.code, 137, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- an older server ---- */

/* Before 1.28 there was no podReplacementPolicy, and strict servers refuse what they do not know. */
Test(kube_faults, a_server_that_does_not_know_a_field_gets_the_job_without_it)
{
	struct run run;

	fake_set("{\"unknown_fields\":[\"podReplacementPolicy\"]}");
	run_all(&run, &(struct run_spec){ARGV("run", "--like", "deploy/bulk", "--", "helper",
	                                      "exit", "3", "x"),
	                                 .deadline_ms = 20000});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	fake_set("{\"unknown_fields\":[\"podReplacementPolicy\",\"backoffLimit\"]}");
	expect_end("-T", "exit", 125, "backoffLimit", 8000);
}

/* ---- the least role ---- */

static void run_restricted(struct run *run, const char *option)
{
	char variable[600];

	snprintf(variable, sizeof(variable), "KUBECONFIG=%s/kubeconfig-token",
	         getenv("ONEOFF_TEST_DIR"));
	run_all(run, &(struct run_spec){ARGV("run", option, "--like", "deploy/bulk", "--", "helper",
	                                     "exit", "3", "x"),
	                                .env = (const char *const[]){variable, NULL},
	                                .deadline_ms = 20000});
}

static void expect_denied(const char *option, const char *word, const char *other)
{
	struct run run;

	run_restricted(&run, option);
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, word), "no '%s': " RUN_FORMAT, word, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, other), "no '%s': " RUN_FORMAT, other, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_faults, the_documented_verbs_are_enough)
{
	struct run run;

	run_restricted(&run, "-q");
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_faults, without_the_verb_get_on_attach_it_is_named)
{
	fake_role("[\"get\",\"create\"],\"groups\":[\"\"],\"resources\":[\"pods/attach\"]",
	          "[\"create\"],\"groups\":[\"\"],\"resources\":[\"pods/attach\"]");
	expect_denied("-T", "get", "pods/attach");
}

Test(kube_faults, without_the_verb_create_on_attach_it_is_named)
{
	fake_role("[\"get\",\"create\"],\"groups\":[\"\"],\"resources\":[\"pods/attach\"]",
	          "[\"get\"],\"groups\":[\"\"],\"resources\":[\"pods/attach\"]");
	expect_denied("-T", "create", "pods/attach");
}

Test(kube_faults, without_the_right_to_make_jobs_it_names_the_other_carrier)
{
	fake_role("[\"create\",\"delete\"],\"groups\":[\"batch\"]",
	          "[\"delete\"],\"groups\":[\"batch\"]");
	expect_denied("-T", "jobs", "--carrier pod");
}

Test(kube_faults, without_the_right_to_make_config_maps_it_is_named)
{
	fake_role("\"configmaps\"", "\"secrets\"");
	expect_denied("-T", "configmaps", "create");
}

Test(kube_faults, without_the_right_to_see_the_source_it_is_named)
{
	fake_role("\"deployments\"", "\"statefulsets\"");
	expect_denied("-T", "deployments", "get");
	expect_denied("-T", "deployments", "oneoff doctor --role");
}

Test(kube_faults, credentials_are_never_told)
{
	char token[256] = "";
	FILE *file = fopen(kube_fake_file("../token"), "re");
	struct run run;

	cr_assert(file && fgets(token, sizeof(token), file));
	fclose(file);
	token[strcspn(token, "\n")] = '\0';
	cr_assert_geq(strlen(token), 20);
	run_restricted(&run, "-v");
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.err.text, token) && !strstr(run.out.text, token), "told: %s",
	          run.err.text);
	cr_assert(!strstr(run.err.text, "Bearer"), "%s", run.err.text);
	run_release(&run);
}
