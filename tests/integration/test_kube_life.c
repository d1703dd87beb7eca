/* SPDX-License-Identifier: Apache-2.0 */
/* Gone, whatever happens to the client (design section 6); and how a cluster is reached, or said not to be. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/engine_kube.h"
#include "tests/integration/expect.h"

static void clean(void)
{
	fake_reset();
	expect_clean();
}

TestSuite(kube_life, .init = fake_reset, .fini = clean, .timeout = 120);
TestSuite(kube_reach, .fini = expect_clean, .timeout = 30);

static void start_ready(struct run *run, const char *option, const char *mode)
{
	run_start(run, &(struct run_spec){ARGV("run", option, "--like", "deploy/bulk", "--",
	                                       "helper", mode, "1500"),
	                                  .deadline_ms = 30000});
	cr_assert(run_until(run, &run->out, 0, "ready\n"), RUN_FORMAT, RUN_ARGS(run));
}

/* The TTL is shortened, so that nobody has to wait for it; the rest is the cluster's own work. */
Test(kube_life, the_cluster_takes_away_what_a_killed_client_left)
{
	char path[300];
	struct run run;
	cJSON *job;

	start_ready(&run, "-q", "wait");
	job = kube_one_off("batch/v1/jobs");
	cr_assert(job);
	snprintf(path, sizeof(path), "batch/v1/jobs/%s", text_of(job, "metadata.name"));
	cr_assert_eq(kube_change("PATCH", path, "{\"spec\":{\"ttlSecondsAfterFinished\":1}}"), 200);
	cJSON_Delete(job);
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
	pause_ms(500);
	cr_assert_eq(engine_count_one_offs(), 1, "the task died with its client");
	pause_ms(1500);
}

Test(kube_life, on_disconnect_stop_ends_the_task_at_once)
{
	struct run run;

	start_ready(&run, "--on-disconnect=stop", "signals");
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
}

Test(kube_life, the_time_limit_counts_without_a_client_too)
{
	struct run run;
	int64_t from;

	start_ready(&run, "--timeout=2s", "signals");
	from = now_ms();
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
	cr_assert(kube_await_ttl(8000));
	cr_assert_lt(now_ms() - from, 8000);
}

/* The limits of the gate and the Job stand in the documents; waiting for them takes minutes. */
Test(kube_life, a_task_that_nobody_releases_ends_by_itself)
{
	struct run run;
	cJSON *plan;

	run_all(&run, &(struct run_spec){ARGV("plan", "-o", "json", "--start-timeout", "60s",
	                                      "--like", "deploy/bulk", "--", "true")});
	plan = cJSON_Parse(run.out.text);
	cr_assert(plan, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "stdin:60"), RUN_FORMAT, RUN_ARGS(&run));
	cJSON_Delete(plan);
	run_release(&run);
}

/* ---- without a Job ---- */

Test(kube_life, a_bare_pod_as_carrier_leaves_nothing)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--carrier", "pod", "--like",
	                                      "deploy/bulk", "--", "helper", "exit", "3", "x")});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_life, a_bare_pod_outlives_its_client_and_is_removed_then)
{
	struct run run;
	cJSON *pod;

	start_ready(&run, "--carrier=pod", "wait");
	kill(run.pid, SIGKILL);
	run_finish(&run);
	run_release(&run);
	pause_ms(300);
	pod = kube_one_off("pods");
	cr_assert(pod && !member(pod, "metadata.deletionTimestamp"), "it died with its client");
	cJSON_Delete(pod);
	pause_ms(1500);
}

/* ---- killed at every step, as the carrier is a pod ---- */

Test(kube_life, a_bare_pod_of_a_client_killed_at_any_step_is_removed)
{
	expect_steps_clean(WORDS("run", "--carrier", "pod", "--like", "deploy/bulk", "--", "helper",
	                         "exit", "3"),
	                   expect_clean);
}

/* The pod went between two looks at it: no watch tells of what is not there. */
Test(kube_life, a_bare_pod_that_is_gone_already_is_not_waited_for)
{
	const char *hooks = getenv("ONEOFF_HOOKS");
	struct run run;

	if (!hooks)
		cr_skip_test("ONEOFF_HOOKS is not set");
	fake_set("{\"status_lag\":650,\"phase_lag\":0}");
	/* The guardian's watch begins late. */
	fake_faults(
		"[{\"match\":{\"method\":\"GET\",\"path\":\"pods.*watch=.*metadata.name\",\"nth\":[2,9]},"
		"\"action\":\"delay\",\"ms\":2500}]");
	run_all(&run,
	        &(struct run_spec){ARGV("run", "--carrier", "pod", "--like", "deploy/bulk", "--",
	                                "helper", "exit", "3"),
	                           .program = hooks,
	                           .env = (const char *const[]){"ONEOFF_TEST_KILL_AT=9", NULL},
	                           .deadline_ms = 20000});
	cr_assert_eq(run.signal, SIGKILL, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	pause_ms(8000);
	expect_clean();
}

/* ---- kept ---- */

Test(kube_life, what_is_kept_has_its_log_and_goes_later)
{
	const cJSON *ttl;
	struct run run;
	cJSON *job;

	run_all(&run,
	        &(struct run_spec){ARGV("run", "--keep", "failed", "--keep-for", "2h", "--like",
	                                "deploy/bulk", "--", "helper", "exit", "3", "x")});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	job = kube_one_off("batch/v1/jobs");
	cr_assert(job);
	ttl = member(job, "spec.ttlSecondsAfterFinished");
	cr_assert(cJSON_IsNumber(ttl) && ttl->valuedouble == 7200);
	cr_assert(strstr(run.err.text, text_of(job, "metadata.name")), RUN_FORMAT, RUN_ARGS(&run));
	cJSON_Delete(job);
	run_release(&run);
	engine_remove_one_offs();
}

/* ---- reaching a cluster ---- */

static void expect_unreachable(const char *option, const char *variable, const char *word)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", option, "--like", "deploy/bulk", "--", "true"),
	                                 .env = (const char *const[]){variable, NULL},
	                                 .deadline_ms = 15000});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, word), "no '%s': " RUN_FORMAT, word, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_lt(run.took_ms, 10000, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_reach, a_kubeconfig_that_is_not_there_is_named)
{
	expect_unreachable("--kubeconfig=/nonexistent/config", NULL, "/nonexistent/config");
}

Test(kube_reach, a_context_that_is_not_there_is_named)
{
	expect_unreachable("--context=elsewhere", NULL, "elsewhere");
}

Test(kube_reach, a_namespace_that_is_not_there_is_named)
{
	expect_unreachable("--namespace=nowhere", NULL, "nowhere");
}

Test(kube_reach, a_kubeconfig_that_is_none_is_told_with_its_name)
{
	char path[] = "/tmp/oneoff-config-XXXXXX", variable[100];
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_gt(dprintf(fd, "clusters: [{name: x, cluster: {server: \n"), 0);
	close(fd);
	snprintf(variable, sizeof(variable), "KUBECONFIG=%s", path);
	expect_unreachable("-T", variable, path);
	unlink(path);
}

/* A port at which nobody listens. */
Test(kube_reach, a_server_that_does_not_answer_is_named)
{
	char path[] = "/tmp/oneoff-config-XXXXXX", variable[100];
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_gt(dprintf(fd, "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
	                         "clusters: [{name: x, cluster: {server: 'https://127.0.0.1:1'}}]\n"
	                         "users: [{name: u, user: {token: t}}]\n"
	                         "contexts: [{name: c, context: {cluster: x, user: u}}]\n"),
	             0);
	close(fd);
	snprintf(variable, sizeof(variable), "KUBECONFIG=%s", path);
	expect_unreachable("-T", variable, "127.0.0.1:1");
	unlink(path);
}

/* A platform that is configured and silent is no reason to fail, one that was named is. */
Test(kube_reach, a_named_cluster_that_does_not_answer_is_no_empty_list)
{
	const char *const verbs[] = {"list", "gc", "logs", "wait", "stop"};
	char path[] = "/tmp/oneoff-dead.XXXXXX";
	int fd = mkstemp(path);
	struct run run;

	dprintf(fd, "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts:\n"
	            "- {name: a, context: {cluster: a, user: a}}\nclusters:\n"
	            "- {name: a, cluster: {server: 'https://127.0.0.1:1'}}\n"
	            "users: [{name: a, user: {token: t}}]\n");
	close(fd);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		run_all(&run, &(struct run_spec){ARGV(verbs[i], "--kubeconfig", path,
		                                      i < 2 ? NULL : "abcdefgh")});
		cr_expect_eq(run.code, 125, "%s: " RUN_FORMAT, verbs[i], RUN_ARGS(&run));
		cr_expect(strstr(run.err.text, "127.0.0.1:1"), RUN_FORMAT, RUN_ARGS(&run));
		cr_expect(!strstr(run.err.text, "no one-off"), RUN_FORMAT, RUN_ARGS(&run));
		run_release(&run);
	}
	unlink(path);
}
