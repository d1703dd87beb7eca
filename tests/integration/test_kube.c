/* SPDX-License-Identifier: Apache-2.0 */
/* What can be cloned in a cluster, and which pod, container and revision of it (design section 7). */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include "tests/integration/engine_kube.h"
#include "tests/integration/expect.h"

static void clean(void)
{
	fake_reset();
	expect_clean();
}

TestSuite(kube_source, .init = fake_reset, .fini = clean, .timeout = 60);

static void expect_runs(const char *source)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "-q", "--like", source, "--", "helper", "exit", "3", "x"),
			      .deadline_ms = 20000});
	cr_assert_eq(run.code, 3, "%s: " RUN_FORMAT, source, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), "%s: " RUN_FORMAT, source, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- kinds ---- */

Test(kube_source, a_deployment_by_all_its_names)
{
	expect_runs("deploy/bulk");
	expect_runs("deployment/bulk");
	expect_runs("deployments/bulk");
	expect_runs("deployments.apps/bulk");
}

Test(kube_source, a_stateful_set)
{
	expect_runs("sts/db");
}

Test(kube_source, a_replica_set)
{
	expect_runs("rs/solo");
}

Test(kube_source, a_daemon_set)
{
	expect_runs("ds/agent");
}

Test(kube_source, a_job)
{
	expect_runs("job/past");
}

Test(kube_source, a_cron_job)
{
	expect_runs("cronjob/nightly");
}

Test(kube_source, a_bare_pod)
{
	expect_runs("pod/bare");
}

/* One that a workload owns, by its own name. */
Test(kube_source, a_pod_of_a_workload)
{
	cJSON *pod = engine_inspect("bulk");
	char source[300];

	cr_assert(pod);
	snprintf(source, sizeof(source), "pod/%s", text_of(pod, "Id"));
	cJSON_Delete(pod);
	expect_runs(source);
}

Test(kube_source, what_is_behind_a_service)
{
	expect_runs("svc/web");
}

Test(kube_source, any_kind_with_a_pod_template)
{
	expect_runs("rollouts.argoproj.io/canary");
	expect_runs("rollout.argoproj.io/canary");
}

Test(kube_source, a_kind_that_is_not_there_is_told)
{
	expect_refused(WORDS("run", "--like", "gadgets.example.org/x", "--", "true"), "gadgets",
	               NULL);
}

Test(kube_source, one_that_is_not_there_names_the_nearest)
{
	expect_refused(WORDS("run", "--like", "sts/bd", "--", "true"), "bd", "db");
}

/* ---- pods and containers ---- */

Test(kube_source, the_annotated_container_is_the_default)
{
	expect_output(WORDS("run", "-q", "--like", "deploy/crowd", "--", "sh", "-c", "echo $WHICH"),
	              "main\n");
}

Test(kube_source, another_container_by_its_name)
{
	expect_output(WORDS("run", "-q", "-c", "other", "--like", "deploy/crowd", "--", "sh", "-c",
	                    "echo \"<$WHICH>\""),
	              "<>\n");
}

Test(kube_source, a_container_that_is_not_there_names_those_that_are)
{
	expect_refused(WORDS("run", "-c", "nobody", "--like", "deploy/crowd", "--", "true"), "main",
	               "other");
}

Test(kube_source, scaled_to_zero_is_cloned_from_the_template_with_a_warning)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "--like", "ended", "--", "helper", "exit", "3", "x")});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err) && run.err.count > 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- the other containers ---- */

/* They share the pod with the task; it ends with the task all the same. */
Test(kube_source, sidecars_and_init_containers_serve_the_task)
{
	struct run run;
	cJSON *pod;
	int inits;

	run_start(&run, &(struct run_spec){ARGV("run", "-q", "--like", "deploy/crowd", "--",
	                                        "helper", "signals", "7")});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	pod = kube_one_off("pods");
	cr_assert(pod);
	inits = cJSON_GetArraySize(member(pod, "spec.initContainers"));
	cr_assert_eq(cJSON_GetArraySize(member(pod, "spec.containers")), 1);
	cr_assert_eq(inits, 3, "setup, helper-at-side and the classic one: %d", inits);
	cJSON_Delete(pod);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 7, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

static void expect_alone(const char *first, const char *second, int inits)
{
	struct run run;
	cJSON *pod;

	run_start(&run, &(struct run_spec){ARGV("run", "-q", first, second, "--like",
	                                        "deploy/crowd", "--", "helper", "signals", "7")});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	pod = kube_one_off("pods");
	cr_assert(pod);
	cr_assert_eq(cJSON_GetArraySize(member(pod, "spec.initContainers")), inits, "%s %s: %d",
	             first, second, cJSON_GetArraySize(member(pod, "spec.initContainers")));
	cJSON_Delete(pod);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 7, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_source, can_do_without_sidecars)
{
	expect_alone("--sidecars=none", "-q", 1);
}

Test(kube_source, can_do_without_init_containers)
{
	expect_alone("--sidecars=none", "--no-init", 0);
}

/* ---- revisions ---- */

static bool wait_for_pods(const char *selector, int count, const char *phase)
{
	int64_t until = now_ms() + 8000;
	char path[256];
	int found;

	snprintf(path, sizeof(path), "pods?labelSelector=%s", selector);
	do {
		cJSON *list = kube_get(path);
		const cJSON *pod;

		found = 0;
		cJSON_ArrayForEach (pod, member(list, "items"))
			found += !*phase || strcmp(text_of(pod, "status.phase"), phase) == 0;
		cJSON_Delete(list);
		if (found == count)
			return true;
		pause_ms(20);
	} while (now_ms() < until);
	return false;
}

/* Of the pods that wait for a node. */
static void let_one_start(void)
{
	cJSON *list = kube_get("pods?labelSelector=app%3Drolling");
	const cJSON *pod;
	char rules[300] = "";

	cJSON_ArrayForEach (pod, member(list, "items"))
		if (strcmp(text_of(pod, "status.phase"), "Pending") == 0)
			snprintf(rules, sizeof(rules),
			         "[{\"pod\":\"^%s$\",\"reason\":\"Unschedulable\"}]",
			         text_of(pod, "metadata.name"));
	cJSON_Delete(list);
	fake_faults(rules);
}

/* Two of the old, one of the new and one that never starts: the rollout hangs in its middle. */
static void hang_a_rollout(void)
{
	static const char pod[] =
		"{\"metadata\":{\"labels\":{\"app\":\"rolling\"}},\"spec\":{"
		"\"terminationGracePeriodSeconds\":1,\"containers\":[{\"name\":\"rolling\","
		"\"image\":\"suite/app:1\",\"command\":[\"sleep\",\"1000\"]}]}}";
	char body[1200];

	snprintf(body, sizeof(body),
	         "{\"metadata\":{\"name\":\"rolling\"},\"spec\":{\"replicas\":2,"
	         "\"strategy\":{\"type\":\"RollingUpdate\",\"rollingUpdate\":"
	         "{\"maxSurge\":1,\"maxUnavailable\":0}},"
	         "\"selector\":{\"matchLabels\":{\"app\":\"rolling\"}},\"template\":%s}}",
	         pod);
	cr_assert_eq(kube_change("POST", "apps/v1/deployments", body), 201);
	cr_assert(wait_for_pods("app%3Drolling", 2, "Running"));
	fake_faults("[{\"pod\":\"^rolling-\",\"reason\":\"Unschedulable\"}]");
	cr_assert_eq(kube_change("PATCH", "apps/v1/deployments/rolling",
	                         "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":"
	                         "\"rolling\",\"image\":\"suite/app:2\",\"command\":[\"sleep\","
	                         "\"1000\"]}]}}}}"),
	             200);
	cr_assert(wait_for_pods("app%3Drolling", 2, "Pending"));
	let_one_start();
	cr_assert(wait_for_pods("app%3Drolling", 3, "Running"));
	pause_ms(300);
}

static void expect_release(const char *which, const char *expected)
{
	struct run run;

	run_all(&run,
	        &(struct run_spec){ARGV("run", "--revision", which, "--like", "deploy/rolling",
	                                "--", "sh", "-c", "echo $FROM_IMAGE"),
	                           .deadline_ms = 20000});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, expected), "--revision %s: " RUN_FORMAT, which,
	          RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_source, during_a_rollout_either_revision)
{
	hang_a_rollout();
	expect_release("old", "kept as it is\n");
	expect_release("new", "the second\n");
	expect_release("current", "the second\n");
	kube_change("DELETE", "apps/v1/deployments/rolling?propagationPolicy=Background", NULL);
	cr_assert(wait_for_pods("app%3Drolling", 0, ""));
}
