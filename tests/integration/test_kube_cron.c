/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules in a cluster: apply, list, check, sync, run, suspend, resume, delete (design section 8). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_kube.h"
#include "tests/integration/harness.h"

#define TIDY "batch/v1/cronjobs/tidy-up"
#define SPEC "spec.jobTemplate.spec.template.spec."

static void clean(void)
{
	kube_change("DELETE", TIDY "?propagationPolicy=Background", NULL);
	fake_reset();
	for (int i = 0; i < 50 && engine_count_one_offs() > 0; i++)
		pause_ms(100);
	expect_clean();
}

TestSuite(kube_cron, .init = fake_reset, .fini = clean, .timeout = 120);

/* Runs it, expects the code and that stdout and stderr hold `out` and `err` (NULL: anything). */
static void expect(int code, const char *out, const char *err, const char *const *argv)
{
	struct run run;

	run_all(&run, &(struct run_spec){.argv = argv, .deadline_ms = 30000});
	cr_assert_eq(run.code, code, RUN_FORMAT, RUN_ARGS(&run));
	if (out)
		cr_expect(strstr(run.out.text, out), "no '%s': " RUN_FORMAT, out, RUN_ARGS(&run));
	if (err)
		cr_expect(strstr(run.err.text, err), "no '%s': " RUN_FORMAT, err, RUN_ARGS(&run));
	run_release(&run);
}

#define EXPECT(code, out, err, ...)                                                                \
	expect(code, out, err, (const char *const[]){"cron", __VA_ARGS__, NULL})

static void apply(void)
{
	EXPECT(0, NULL, "cronjob/tidy-up", "apply", "--like", "deploy/web", "--name", "tidy-up",
	       "--schedule", "30 3 * * mon-fri", "--time-zone", "Europe/Berlin", "--retries", "2",
	       "--timeout", "30m", "--", "sh", "-c", "echo scheduled; exit 3");
}

static void change(const char *path, const char *body)
{
	cr_assert_eq(kube_change("PATCH", path, body), 200, "%s", body);
}

Test(kube_cron, what_is_generated_is_the_same_each_time_and_kubectl_takes_it)
{
	static const char *const argv[] = {
		"cron",   "generate", "--like", "deploy/web", "--name", "tidy-up", "--schedule",
		"@daily", "--",       "sh",     "-c",         "true",   NULL};
	struct run first, second, applied;

	run_all(&first, &(struct run_spec){.argv = argv});
	run_all(&second, &(struct run_spec){.argv = argv});
	cr_assert_eq(first.code, 0, RUN_FORMAT, RUN_ARGS(&first));
	cr_expect_eq(first.out.hash, second.out.hash);
	cr_expect(strstr(first.out.text, "#     oneoff cron generate"));
	cr_expect(strstr(first.err.text, "next times"), RUN_FORMAT, RUN_ARGS(&first));
	kubectl(&applied, first.out.text, (const char *const[]){"apply", "-f", "-", NULL});
	cr_expect_eq(applied.code, 0, RUN_FORMAT, RUN_ARGS(&applied));
	EXPECT(0, "tidy-up: as the app is", NULL, "check");
	run_release(&first);
	run_release(&second);
	run_release(&applied);
}

Test(kube_cron, a_wrong_schedule_is_refused_before_anything_is_written)
{
	EXPECT(125, "", "day of week, character 9", "apply", "--like", "deploy/web", "--name",
	       "tidy-up", "--schedule", "0 0 * * 7", "--", "true");
	EXPECT(125, "", "did you mean 'Europe/Berlin'", "apply", "--like", "deploy/web", "--name",
	       "tidy-up", "--schedule", "@daily", "--time-zone", "Europe/Berln", "--", "true");
	cr_expect_null(kube_get(TIDY));
}

Test(kube_cron, a_schedule_like_its_app_has_no_drift)
{
	apply();
	EXPECT(0, "tidy-up: as the app is", NULL, "check", "tidy-up");
	apply();
	EXPECT(0, "30 3 * * mon-fri  Europe/Berlin  deploy/web  no", NULL, "list");
}

Test(kube_cron, drift_is_told_and_sync_takes_it_away)
{
	apply();
	change(TIDY, "{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{"
	             "\"serviceAccountName\":\"other\"}}}}}}");
	EXPECT(1, "service account: other, now", NULL, "check", "tidy-up");
	EXPECT(0, "deploy/web  yes", NULL, "list");
	EXPECT(0, NULL, "service account", "sync");
	EXPECT(0, "tidy-up: as the app is", NULL, "check", "tidy-up");
}

Test(kube_cron, what_another_program_set_is_only_taken_by_force)
{
	apply();
	change(TIDY, "{\"spec\":{\"schedule\":\"0 0 1 1 *\"}}");
	EXPECT(125, NULL, "--force", "apply", "--like", "deploy/web", "--name", "tidy-up",
	       "--schedule", "@hourly", "--", "true");
	EXPECT(0, NULL, "configured", "apply", "--force", "--like", "deploy/web", "--name",
	       "tidy-up", "--schedule", "@hourly", "--", "true");
}

Test(kube_cron, it_runs_now_attached_with_its_own_command_or_another)
{
	apply();
	EXPECT(3, "scheduled\n", NULL, "run", "-q", "tidy-up");
	EXPECT(4, "other\n", NULL, "run", "-q", "tidy-up", "--", "sh", "-c", "echo other; exit 4");
}

Test(kube_cron, suspended_ones_stay_so_until_they_are_resumed)
{
	apply();
	EXPECT(0, NULL, "suspended", "suspend", "tidy-up");
	EXPECT(0, "suspended", NULL, "list");
	change(TIDY, "{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{"
	             "\"serviceAccountName\":\"other\"}}}}}}");
	EXPECT(0, NULL, NULL, "sync", "tidy-up");
	EXPECT(0, "suspended", NULL, "list");
	EXPECT(0, NULL, "resumed", "resume", "tidy-up");
	EXPECT(0, "no     -     -       20", NULL, "list");
}

static cJSON *owner_of(const cJSON *cron)
{
	cJSON *owner = cJSON_CreateObject();

	cJSON_AddStringToObject(owner, "apiVersion", "batch/v1");
	cJSON_AddStringToObject(owner, "kind", "CronJob");
	cJSON_AddStringToObject(owner, "name", "tidy-up");
	cJSON_AddStringToObject(owner, "uid", text_of(cron, "metadata.uid"));
	cJSON_AddBoolToObject(owner, "controller", true);
	return owner;
}

/* A Job as the controller makes it, now. */
static void fire(const char *name)
{
	cJSON *cron = kube_get(TIDY), *job, *metadata;
	char *text;

	cr_assert(cron);
	job = cJSON_Duplicate(member(cron, "spec.jobTemplate"), true);
	cJSON_AddStringToObject(job, "apiVersion", "batch/v1");
	cJSON_AddStringToObject(job, "kind", "Job");
	metadata = cJSON_GetObjectItemCaseSensitive(job, "metadata");
	cJSON_AddStringToObject(metadata, "name", name);
	cJSON_AddItemToObject(metadata, "ownerReferences", cJSON_CreateArray());
	cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(metadata, "ownerReferences"),
	                     owner_of(cron));
	text = cJSON_PrintUnformatted(job);
	cr_assert_eq(kube_change("POST", "batch/v1/jobs", text), 201, "%s", text);
	free(text);
	cJSON_Delete(job);
	cJSON_Delete(cron);
}

/* Waits until the list tells of the last job what `result` says. */
static void await_result(const char *result)
{
	static const char *const argv[] = {"cron", "list", NULL};

	for (int i = 0; i < 100; i++) {
		struct run run;
		bool found;

		run_all(&run, &(struct run_spec){.argv = argv, .deadline_ms = 30000});
		found = strstr(run.out.text, result) != NULL;
		run_release(&run);
		if (found)
			return;
		pause_ms(100);
	}
	cr_assert_fail("the list never told '%s'", result);
}

Test(kube_cron, the_list_tells_how_the_last_job_ended)
{
	EXPECT(0, NULL, NULL, "apply", "--like", "deploy/web", "--name", "tidy-up", "--schedule",
	       "@daily", "--", "sh", "-c", "exit 3");
	fire("tidy-up-1");
	await_result("failed (3)");
	EXPECT(0, NULL, NULL, "apply", "--like", "deploy/web", "--name", "tidy-up", "--schedule",
	       "@daily", "--", "true");
	pause_ms(1000); /* the list knows times by the second */
	fire("tidy-up-2");
	await_result("succeeded");
}

Test(kube_cron, a_job_that_ran_out_of_time_is_told_from_one_that_failed)
{
	EXPECT(0, NULL, NULL, "apply", "--like", "deploy/web", "--name", "tidy-up", "--schedule",
	       "@daily", "--timeout", "1s", "--", "sh", "-c", "sleep 60");
	fire("tidy-up-1");
	await_result("running");
	await_result("timed out");
}

Test(kube_cron, nothing_of_others_is_touched)
{
	apply();
	change(TIDY, "{\"metadata\":{\"labels\":{\"oneoff.dev/cron\":null}}}");
	EXPECT(125, NULL, "did not make", "delete", "tidy-up");
	EXPECT(125, NULL, "did not make", "suspend", "tidy-up");
	EXPECT(125, NULL, "did not make", "apply", "--like", "deploy/web", "--name", "tidy-up",
	       "--schedule", "@daily", "--", "true");
	EXPECT(125, NULL, "not found", "delete", "nosuch");
}

Test(kube_cron, delete_takes_its_jobs_along)
{
	cJSON *job;

	apply();
	fire("tidy-up-1");
	EXPECT(0, NULL, "deleted", "delete", "tidy-up");
	cr_expect_null(kube_get(TIDY));
	for (int i = 0; i < 50 && (job = kube_get("batch/v1/jobs/tidy-up-1")); i++) {
		cJSON_Delete(job);
		pause_ms(100);
	}
	cr_expect_null(job);
}

Test(kube_cron, the_following_form_runs_oneoff_itself)
{
	cJSON *cron;

	EXPECT(0, NULL, "no --oneoff-image", "apply", "--follow", "--like", "deploy/web", "--name",
	       "tidy-up", "--schedule", "@daily", "--", "sh", "-c", "exit 5");
	cron = kube_get(TIDY);
	cr_assert(cron);
	cr_expect_str_eq(text_of(cron, SPEC "serviceAccountName"), "oneoff-cron");
	cJSON_Delete(cron);
	EXPECT(0, "tidy-up: follows the app", NULL, "check");
	EXPECT(5, NULL, NULL, "run", "-q", "tidy-up");
}

/* The pod of a Job, once its log and its code are there. */
static cJSON *pod_of(const char *job)
{
	char path[256];
	cJSON *list, *pod;

	snprintf(path, sizeof(path), "pods?labelSelector=job-name%%3D%s", job);
	list = kube_get(path);
	pod = cJSON_DetachItemFromArray(cJSON_GetObjectItem(list, "items"), 0);
	cr_assert(pod, "no pod of %s", job);
	cJSON_Delete(list);
	return pod;
}

static void expect_same(const cJSON *app, const cJSON *task, const char *path)
{
	char *wanted = cJSON_Print(member(app, path)), *found = cJSON_Print(member(task, path));

	cr_expect_str_eq(found ? found : "nothing", wanted ? wanted : "nothing", "%s", path);
	free(wanted);
	free(found);
}

/* What the program itself sees, but for what names its own pod and what `plan` says is added. */
#define SEES "env | grep -vE '^(HOSTNAME|ONEOFF|ONEOFF_ID)=' | sort; id; pwd; cat /bind/file"

/* Takes ONEOFF and ONEOFF_ID out of the task's variables; they have to be there. */
static void take_added(cJSON *task)
{
	cJSON *env =
		cJSON_GetObjectItem(cJSON_GetArrayItem(member(task, "spec.containers"), 0), "env");
	int count = 0;

	for (int i = cJSON_GetArraySize(env) - 1; i >= 0; i--) {
		const char *name = text_of(cJSON_GetArrayItem(env, i), "name");

		if (strcmp(name, "ONEOFF") != 0 && strcmp(name, "ONEOFF_ID") != 0)
			continue;
		cJSON_DeleteItemFromArray(env, i);
		count++;
	}
	cr_expect_eq(count, 2);
}

Test(kube_cron, fires_on_its_schedule_in_a_pod_as_the_app_is, .timeout = 200)
{
	static const char *const parts[] = {"env",        "envFrom",         "volumeMounts",
	                                    "workingDir", "securityContext", "resources"};
	static const char *const same[] = {"volumes", "securityContext", "serviceAccountName",
	                                   "hostAliases", "automountServiceAccountToken"};
	char *before = kube_surroundings(), *after;
	cJSON *app = engine_inspect("web"), *task;
	struct run there, here;
	char path[256];

	EXPECT(0, NULL, NULL, "apply", "--like", "deploy/web", "--name", "tidy-up", "--schedule",
	       "* * * * *", "--", "sh", "-c", SEES);
	kube_next_minute();
	task = pod_of(kube_await_fired("tidy-up", "", NULL));
	after = kube_surroundings();
	take_added(task);
	cr_expect_str_eq(after, before, "a Service, ReplicaSet or budget saw the pod");
	expect_same(cJSON_GetArrayItem(member(app, "status.containerStatuses"), 0),
	            cJSON_GetArrayItem(member(task, "status.containerStatuses"), 0), "imageID");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		expect_same(cJSON_GetArrayItem(member(app, "spec.containers"), 0),
		            cJSON_GetArrayItem(member(task, "spec.containers"), 0), parts[i]);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		snprintf(path, sizeof(path), "spec.%s", same[i]);
		expect_same(app, task, path);
	}
	kubectl(&there, NULL,
	        (const char *const[]){"exec", "deploy/web", "--", "sh", "-c", SEES, NULL});
	kubectl(&here, NULL, (const char *const[]){"logs", text_of(task, "metadata.name"), NULL});
	cr_assert_eq(there.code, 0, RUN_FORMAT, RUN_ARGS(&there));
	cr_expect(there.out.count > 100 && strstr(there.out.text, "QUOTES="));
	cr_expect_str_eq(here.out.text, there.out.text);
	run_release(&there);
	run_release(&here);
	cJSON_Delete(app);
	cJSON_Delete(task);
	free(before);
	free(after);
}

Test(kube_cron, a_time_limit_ends_what_was_fired_and_the_list_says_so, .timeout = 200)
{
	EXPECT(0, NULL, NULL, "apply", "--like", "deploy/web", "--name", "tidy-up", "--schedule",
	       "* * * * *", "--timeout", "1s", "--", "sh", "-c", "sleep 60");
	kube_next_minute();
	kube_await_fired("tidy-up", "", NULL);
	await_result("timed out");
}

Test(kube_cron, a_run_by_hand_does_not_overlap_what_was_fired, .timeout = 200)
{
	cJSON *cron = NULL;

	EXPECT(0, NULL, NULL, "apply", "--like", "deploy/web", "--name", "tidy-up", "--schedule",
	       "* * * * *", "--", "sleep", "100");
	kube_next_minute();
	for (int i = 0; i < 1000 && !member(cron, "status.active"); i++) {
		cJSON_Delete(cron);
		cron = kube_get(TIDY);
		pause_ms(100);
	}
	cJSON_Delete(cron);
	EXPECT(125, "", "runs already, as job/tidy-up-", "run", "tidy-up");
	EXPECT(0, "other\n", NULL, "run", "-q", "tidy-up", "--", "echo", "other");
}

Test(kube_cron, names_are_completed_and_options_may_stand_behind_them)
{
	struct run run;

	apply();
	run_all(&run, &(struct run_spec){ARGV("__complete", "cron", "suspend", "ti")});
	cr_expect(strstr(run.out.text, "tidy-up\t30 3 * * mon-fri\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	EXPECT(0, NULL, "suspended", "suspend", "tidy-up", "-n", kube_namespace());
	EXPECT(4, "x\n", NULL, "run", "tidy-up", "-q", "--", "sh", "-c", "echo x; exit 4");
}
