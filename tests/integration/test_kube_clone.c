/* SPDX-License-Identifier: Apache-2.0 */
/* What is made in the cluster: bounded, owned, out of the app's traffic, and the same as what `plan` prints. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine_kube.h"
#include "tests/integration/expect.h"

static void clean(void)
{
	fake_reset();
	expect_clean();
}

TestSuite(kube_clone, .init = fake_reset, .fini = clean, .timeout = 60);

static void start_ready(struct run *run, const char *option, const char *source)
{
	run_start(run, &(struct run_spec){ARGV("run", "-q", option, "--like", source, "--",
	                                       "helper", "signals", "6"),
	                                  .deadline_ms = 30000});
	cr_assert(run_until(run, &run->out, 0, "ready\n"), RUN_FORMAT, RUN_ARGS(run));
}

static void finish(struct run *run)
{
	kill(run->pid, SIGTERM);
	run_finish(run);
	cr_assert_eq(run->code, 6, RUN_FORMAT, RUN_ARGS(run));
	run_release(run);
}

static double number_at(const cJSON *object, const char *path)
{
	const cJSON *node = member(object, path);

	return cJSON_IsNumber(node) ? node->valuedouble : -1;
}

/* ---- the objects ---- */

Test(kube_clone, the_job_is_bounded_whatever_happens_to_the_client)
{
	struct run run;
	cJSON *job;

	start_ready(&run, "--timeout=1h", "deploy/web");
	job = kube_one_off("batch/v1/jobs");
	cr_assert(job);
	cr_assert_eq(number_at(job, "spec.backoffLimit"), 0);
	cr_assert_eq(number_at(job, "spec.completions"), 1);
	cr_assert_eq(number_at(job, "spec.parallelism"), 1);
	cr_assert_str_eq(text_of(job, "spec.podReplacementPolicy"), "Failed");
	cr_assert_str_eq(text_of(job, "spec.template.spec.restartPolicy"), "Never");
	cr_assert_eq(number_at(job, "spec.template.spec.activeDeadlineSeconds"), 3600);
	cr_assert_gt(number_at(job, "spec.activeDeadlineSeconds"), 3600);
	cr_assert_gt(number_at(job, "spec.ttlSecondsAfterFinished"), 0);
	cr_assert_leq(number_at(job, "spec.ttlSecondsAfterFinished"), 600);
	cr_assert_eq(strncmp(text_of(job, "metadata.name"), "web-oneoff-", 11), 0);
	cJSON_Delete(job);
	finish(&run);
}

Test(kube_clone, the_job_owns_everything_else)
{
	cJSON *job, *map, *pod;
	const cJSON *owner;
	struct run run;

	start_ready(&run, "-q", "deploy/web");
	job = kube_one_off("batch/v1/jobs");
	map = kube_one_off("configmaps");
	pod = kube_one_off("pods");
	cr_assert(job && map && pod);
	owner = cJSON_GetArrayItem(member(map, "metadata.ownerReferences"), 0);
	cr_assert_str_eq(text_of(owner, "uid"), text_of(job, "metadata.uid"));
	cr_assert_str_eq(text_of(owner, "kind"), "Job");
	owner = cJSON_GetArrayItem(member(pod, "metadata.ownerReferences"), 0);
	cr_assert_str_eq(text_of(owner, "uid"), text_of(job, "metadata.uid"));
	cJSON_Delete(job);
	cJSON_Delete(map);
	cJSON_Delete(pod);
	finish(&run);
}

Test(kube_clone, the_pod_runs_the_very_image_of_the_app)
{
	cJSON *web = engine_inspect("web"), *pod;
	const cJSON *ours, *theirs;
	struct run run;

	start_ready(&run, "-q", "deploy/web");
	pod = kube_one_off("pods");
	cr_assert(web && pod);
	ours = cJSON_GetArrayItem(member(pod, "status.containerStatuses"), 0);
	theirs = cJSON_GetArrayItem(member(web, "status.containerStatuses"), 0);
	cr_assert_str_not_empty(text_of(ours, "imageID"));
	cr_assert_str_eq(text_of(ours, "imageID"), text_of(theirs, "imageID"));
	cJSON_Delete(pod);
	cJSON_Delete(web);
	finish(&run);
}

Test(kube_clone, records_who_ran_what_and_why)
{
	cJSON *job, *events;
	const cJSON *event;
	bool told = false;
	struct run run;

	start_ready(&run, "--reason=ticket 42", "deploy/web");
	job = kube_one_off("batch/v1/jobs");
	cr_assert(job);
	cr_assert_str_eq(
		cJSON_GetStringValue(cJSON_GetObjectItem(
			cJSON_GetObjectItem(cJSON_GetObjectItem(job, "metadata"), "annotations"),
			"oneoff.dev/reason")),
		"ticket 42");
	events = kube_get("events");
	cJSON_ArrayForEach (event, member(events, "items"))
		told |= strcmp(text_of(event, "involvedObject.kind"), "Deployment") == 0 &&
		        strstr(text_of(event, "message"), "ticket 42") != NULL;
	cr_assert(told, "no event on the deployment tells of it");
	cJSON_Delete(events);
	cJSON_Delete(job);
	finish(&run);
}

/* ---- no traffic ---- */

static void expect_same(const char *before, const char *moment)
{
	char *now = kube_surroundings();
	size_t same;

	for (same = 0; before[same] && before[same] == now[same];)
		same++;
	cr_assert_str_eq(before, now, "%s: was %.80s, is %.80s", moment, before + same, now + same);
	free(now);
}

static void expect_unseen(const char *source)
{
	char *before = kube_surroundings();
	struct run run;

	start_ready(&run, "-q", source);
	run_pump(&run, 200);
	expect_same(before, "during the run");
	finish(&run);
	pause_ms(300);
	expect_same(before, "after the run");
	free(before);
}

Test(kube_labels, services_budgets_and_replica_sets_do_not_see_it, .fini = expect_clean)
{
	expect_unseen("deploy/web");
}

Test(kube_labels, a_bare_pod_as_carrier_is_not_adopted, .fini = expect_clean)
{
	char *before = kube_surroundings();
	struct run run;

	start_ready(&run, "--carrier=pod", "rs/solo");
	run_pump(&run, 200);
	expect_same(before, "during the run");
	finish(&run);
	expect_same(before, "after the run");
	free(before);
}

/* ---- plan ---- */

static const char multi_line[] = "a: b\n  - c # d\n\ttab \\ \"quote\" 'single'\n";

static const cJSON *container_of(const cJSON *job)
{
	return cJSON_GetArrayItem(member(job, "spec.template.spec.containers"), 0);
}

static void expect_words(const cJSON *container, const char *const *words, int count)
{
	const cJSON *list = member(container, "command");
	int length = cJSON_GetArraySize(list);

	cr_assert_geq(length, count);
	for (int i = 0; i < count; i++)
		cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(list, length - count + i)),
		                 words[i]);
}

static void expect_value(const cJSON *container, const char *name, const char *value)
{
	const cJSON *entry;

	cJSON_ArrayForEach (entry, member(container, "env"))
		if (strcmp(text_of(entry, "name"), name) == 0) {
			cr_assert_str_eq(text_of(entry, "value"), value);
			return;
		}
	cr_assert_fail("no variable %s", name);
}

static void expect_document(const char *text, const char *const *words, int count)
{
	cJSON *job = cJSON_Parse(text);
	const cJSON *container;

	cr_assert(job, "no JSON: %.300s", text);
	container = container_of(job);
	expect_words(container, words, count);
	expect_value(container, "YAML_ON", "on");
	expect_value(container, "YAML_OCTAL", "0123");
	expect_value(container, "YAML_FLOAT", "1e3");
	expect_value(container, "YAML_LINES", "a: b\n  - c # d\n");
	expect_value(container, "UTF8", "Grüße 🚀");
	expect_value(container, "SPACES", "  two  ");
	cJSON_Delete(job);
}

/* Both by a strict reader of YAML (kubectl's) and by the server's own check. */
Test(kube_clone, the_plan_s_yaml_is_what_the_server_takes_and_unchanged)
{
	static const char *const words[] = {"helper", "argv",     "on",      "0123", "1e3", "~",
	                                    "",       multi_line, "Grüße 🚀", "- x",  "{a"};
	struct run plan, run;

	run_all(&plan, &(struct run_spec){ARGV("plan", "-o", "yaml", "--like", "web", "--",
	                                       "helper", "argv", "on", "0123", "1e3", "~", "",
	                                       multi_line, "Grüße 🚀", "- x", "{a")});
	cr_assert_eq(plan.code, 0, RUN_FORMAT, RUN_ARGS(&plan));
	kubectl(&run, plan.out.text,
	        WORDS("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", "-"));
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	expect_document(run.out.text, words, 11);
	run_release(&run);
	kubectl(&run, plan.out.text, WORDS("apply", "--dry-run=server", "-o", "json", "-f", "-"));
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	expect_document(run.out.text, words, 11);
	run_release(&run);
	run_release(&plan);
	cr_assert_eq(engine_count_one_offs(), 0);
}

/* ---- the restricted pod ---- */

Test(kube_clone, a_restricted_pod_stays_restricted)
{
	expect_output(WORDS("run", "-q", "--like", "deploy/strict", "--", "sh", "-c",
	                    "id -u; touch /x 2>/dev/null || echo read-only"),
	              "1000\nread-only\n");
}

Test(kube_clone, a_user_alone_takes_no_group_of_the_app_along)
{
	expect_output(WORDS("run", "-q", "-u", "0", "--like", "web", "--", "helper", "where"),
	              "uid 0 gid 0 cwd /srv/app tty 000\n");
	expect_output(WORDS("run", "-q", "-u", "77:88", "--like", "web", "--", "helper", "where"),
	              "uid 77 gid 88 cwd /srv/app tty 000\n");
}

Test(kube_clone, other_limits)
{
	const cJSON *container;
	struct run run;
	cJSON *pod;

	start_ready(&run, "--memory=64m", "deploy/web");
	pod = kube_one_off("pods");
	container = cJSON_GetArrayItem(member(pod, "spec.containers"), 0);
	cr_assert(strcmp(text_of(container, "resources.limits.memory"), "64Mi") == 0 ||
	                  strcmp(text_of(container, "resources.limits.memory"), "67108864") == 0,
	          "memory %s", text_of(container, "resources.limits.memory"));
	cJSON_Delete(pod);
	finish(&run);
}

/* ---- no gate ---- */

/* Without knowing the image's ENTRYPOINT nothing can stand in front of it: what was missed is told, or nothing was. */
Test(kube_clone, without_a_gate_output_is_complete_or_120)
{
	struct run run;

	for (int i = 0; i < 5; i++) {
		run_all(&run, &(struct run_spec){ARGV("run", "--like", "deploy/unknown", "--", "sh",
		                                      "-c", "seq 5000"),
		                                 .deadline_ms = 20000});
		cr_assert(run.code == 120 || (run.code == 0 && run.out.count >= 23893), RUN_FORMAT,
		          RUN_ARGS(&run));
		if (run.code == 120)
			cr_assert(strstr(run.err.text, "oneoff: "), RUN_FORMAT, RUN_ARGS(&run));
		run_release(&run);
	}
}

/* What is missing at the beginning must not come back as a second end. */
Test(kube_clone, without_a_gate_no_byte_comes_twice)
{
	struct run run;

	fake_set("{\"status_lag\":700}"); /* as on a real node */
	fake_faults("[{\"match\":{\"path\":\"/attach\"},\"action\":\"attach-delay\",\"ms\":300}]");
	run_start(
		&run,
		&(struct run_spec){
			ARGV("run", "--like", "deploy/unknown", "--", "sh", "-c",
	                     "trap 'echo term; exit 9' TERM; echo early; sleep 1; echo later; while :; do "
	                     "sleep 0.1; done"),
			.deadline_ms = 20000});
	cr_assert(run_until(&run, &run.out, 0, "later"), RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 9, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, "later\nterm\n", RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "its first output came before"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.err.text, "broke"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* …and where nothing was missing its log goes on exactly where the connection broke. */
Test(kube_clone, without_a_gate_a_cut_loses_nothing_when_the_beginning_was_there)
{
	struct run run;

	fake_set("{\"status_lag\":700}");
	run_start(&run, &(struct run_spec){ARGV("run", "--gate", "none", "--like", "deploy/bulk",
	                                        "--", "sh", "-c",
	                                        "sleep 1; for i in 1 2 3 4 5 6; do echo $i; sleep "
	                                        "0.4; done; exit 3"),
	                                   .deadline_ms = 30000});
	cr_assert(run_until(&run, &run.out, 0, "2"), RUN_FORMAT, RUN_ARGS(&run));
	kube_request("POST", "/fake/restart", "{\"ms\":300}");
	run_finish(&run);
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_str_eq(run.out.text, "1\n2\n3\n4\n5\n6\n", RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_clone, gate_args_stands_behind_the_entrypoint)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-q", "--gate", "args", "--like",
	                                      "deploy/unknown", "--", "seq", "5000"),
	                                 .deadline_ms = 20000});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, 23893, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
