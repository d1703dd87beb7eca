/* SPDX-License-Identifier: Apache-2.0 */
/* oneoff in the cluster: schedules that follow their app, and the examples of k8s-manifests, with an image of oneoff, the
 * service account oneoff-cron and its Roles. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_kube.h"
#include "tests/integration/harness.h"

#define MOVING "apps/v1/deployments/moving"
/* The samples with what this cluster has: an image of oneoff, an app without Python, a schedule that comes soon. */
#define EXAMPLE(NAME)                                                                              \
	"sed -e 's/python/echo/; s/\"nightly\"/\"sample\"/; s/\"schedule\": .*/\"schedule\": "     \
	"\"* * * * *\"/' -e \"s|oneoff:0.1.0|$ONEOFF_TEST_LAUNCHER|\" -e "                         \
	"\"s|registry.example/shop/web:2|$ONEOFF_TEST_IMAGE|\" "                                   \
	"k8s-manifests/examples/" NAME

static void clean(void)
{
	static const char *const objects[] = {
		"batch/v1/cronjobs/pinned", "batch/v1/cronjobs/follows", "batch/v1/cronjobs/sample",
		"batch/v1/jobs/migrate", MOVING};
	char path[256];

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		snprintf(path, sizeof(path), "%s?propagationPolicy=Background", objects[i]);
		kube_change("DELETE", path, NULL);
	}
	kube_change("DELETE", "coordination.k8s.io/v1/leases", NULL);
	fake_reset();
	for (int i = 0; i < 50 && engine_count_one_offs() > 0; i++)
		pause_ms(100);
	expect_clean();
}

TestSuite(kube_launcher, .init = fake_reset, .fini = clean, .timeout = 400);

static void expect_log(const char *job, const char *text)
{
	char name[300];
	struct run run;

	snprintf(name, sizeof(name), "job/%s", job);
	kubectl(&run, NULL, (const char *const[]){"logs", name, NULL});
	cr_expect(strstr(run.out.text, text), "no '%s': " RUN_FORMAT, text, RUN_ARGS(&run));
	run_release(&run);
}

static void change(const char *method, const char *path, const char *body)
{
	int code = kube_change(method, path, body);

	cr_assert(code == 200 || code == 201, "%s %s: %d: %s", method, path, code, body);
}

/* What the app is: its pod's template, with the release as a variable. */
static void release(const char *number)
{
	char body[200];

	snprintf(body, sizeof(body),
	         "kubectl -n '%s' set env deploy/moving RELEASE=%s >/dev/null && "
	         "kubectl -n '%s' rollout status deploy/moving >/dev/null",
	         kube_namespace(), number, kube_namespace());
	shell_line(body, NULL);
}

static void make_moving(void)
{
	cJSON *bulk = kube_get("apps/v1/deployments/bulk"), *moving = cJSON_CreateObject();
	char *text;

	cJSON_AddStringToObject(cJSON_AddObjectToObject(moving, "metadata"), "name", "moving");
	cJSON_AddItemToObject(moving, "spec", cJSON_Duplicate(member(bulk, "spec"), true));
	cJSON_AddStringToObject(moving, "apiVersion", "apps/v1");
	cJSON_AddStringToObject(moving, "kind", "Deployment");
	for (int i = 0; i < 2; i++) {
		const cJSON *labels = member(moving, i ? "spec.selector.matchLabels"
		                                       : "spec.template.metadata.labels");

		cJSON_SetValuestring(cJSON_GetObjectItem(labels, "app"), "moving");
	}
	text = cJSON_PrintUnformatted(moving);
	change("POST", "apps/v1/deployments", text);
	free(text);
	cJSON_Delete(bulk);
	cJSON_Delete(moving);
}

Test(kube_launcher, each_firing_clones_the_release_that_is_live_then)
{
	char first[256], pinned[256];

	make_moving();
	release("1");
	shell_line(
		"\"$ONEOFF\" cron apply --follow --oneoff-image \"$ONEOFF_TEST_LAUNCHER\" --like "
		"deploy/moving --name follows --schedule '* * * * *' -- "
		"sh -c 'echo \"follows $RELEASE\"; exit 3'",
		NULL);
	shell_line(
		"\"$ONEOFF\" cron apply --like deploy/moving --name pinned --schedule '* * * * *' "
		"-- sh -c 'echo \"pinned $RELEASE\"'",
		NULL);
	kube_next_minute();
	snprintf(first, sizeof(first), "%s", kube_await_fired("follows", "", NULL));
	expect_log(first, "follows 1\n");
	snprintf(pinned, sizeof(pinned), "%s", kube_await_fired("pinned", "", NULL));
	expect_log(pinned, "pinned 1\n");
	release("2");
	kube_next_minute();
	expect_log(kube_await_fired("follows", first, NULL), "follows 2\n");
	expect_log(kube_await_fired("pinned", pinned, NULL), "pinned 1\n");
	cr_expect_str_eq(shell_line("for i in {1..50}; do \"$ONEOFF\" cron list -o json | "
	                            "grep -q 'failed (3)' && echo told && break; sleep 0.2; done",
	                            NULL),
	                 "told");
}

Test(kube_launcher, the_sample_of_a_schedule_does_what_it_says)
{
	cJSON *job;
	const char *name;
	char line[1024];

	snprintf(line, sizeof(line), EXAMPLE("cronjob-follow.yaml") " | kubectl -n '%s' apply -f -",
	         kube_namespace());
	shell_line(line, NULL);
	kube_next_minute();
	name = kube_await_fired("sample", "", &job);
	expect_log(name, "manage.py cleanup\n");
	cr_expect_eq(member(job, "status.succeeded")->valueint, 1);
	cJSON_Delete(job);
}

Test(kube_launcher, the_sample_of_a_migration_does_what_it_says)
{
	char line[1024];

	snprintf(
		line, sizeof(line),
		EXAMPLE("migrate-job.yaml") " | kubectl -n '%s' apply -f - && kubectl -n '%s' wait "
					    "--for=condition=complete --timeout=60s job/migrate",
		kube_namespace(), kube_namespace());
	shell_line(line, NULL);
	expect_log("migrate", "manage.py migrate\n");
}
