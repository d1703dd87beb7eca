/* SPDX-License-Identifier: Apache-2.0 */
/* The engine "kube": a cluster by its API, through `kubectl proxy`, no code of ours in between. */
#include "tests/integration/engine_kube.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/engine_ops.h"

#define ONE_OFFS "?labelSelector=oneoff.dev/id"
#define FAKE_RESET                                                                                                 \
	"{\"status_lag\":0,\"phase_lag\":20,\"job_lag\":20,\"start\":10,\"v5\":true,\"attach_needs_create\":true," \
	"\"unknown_fields\":[],\"cron_ahead\":0}"

const char *kube_namespace(void)
{
	const char *name = getenv("ONEOFF_TEST_NAMESPACE");

	return name ? name : "default";
}

bool kube_is_fake(void)
{
	return getenv("ONEOFF_TEST_FAKE") != NULL;
}

/* "pods/x" is below /api/v1, "batch/v1/jobs/x" below /apis/batch/v1. */
static void full_path(char *text, size_t size, const char *path)
{
	const char *first = strchr(path, '/'), *second = first ? strchr(first + 1, '/') : NULL;

	if (second && first[1] == 'v' && first[2] >= '1' && first[2] <= '9')
		snprintf(text, size, "/apis/%.*s/namespaces/%s/%s", (int)(second - path), path,
		         kube_namespace(), second + 1);
	else
		snprintf(text, size, "/api/v1/namespaces/%s/%s", kube_namespace(), path);
}

cJSON *kube_get(const char *path)
{
	char text[1024];

	full_path(text, sizeof(text), path);
	return engine_get(text);
}

int kube_request(const char *method, const char *path, const char *body)
{
	const char *type =
		strcmp(method, "PATCH") ? "application/json" : "application/merge-patch+json";

	return engine_send(method, path, type, body ? body : "", NULL);
}

int kube_change(const char *method, const char *path, const char *body)
{
	char text[1024];

	full_path(text, sizeof(text), path);
	return kube_request(method, text, body);
}

void kubectl(struct run *run, const char *input, const char *const *argv)
{
	const char *words[32] = {"kubectl", "--namespace", kube_namespace()};
	size_t count = 3;

	for (; *argv && count < 31; argv++)
		words[count++] = *argv;
	run_all(run, &(struct run_spec){.program = "/usr/bin/env",
	                                .argv = words,
	                                .stdin_mode = input ? STDIN_TEXT : STDIN_NULL,
	                                .input = input});
}

const char *shell_line(const char *line, int *ret_code)
{
	static char text[4096];
	struct run run;

	run_all(&run, &(struct run_spec){
			      .program = "/bin/bash", ARGV("-c", line), .deadline_ms = 480000});
	if (ret_code)
		*ret_code = run.code;
	else
		cr_assert_eq(run.code, 0, "%s: " RUN_FORMAT, line, RUN_ARGS(&run));
	snprintf(text, sizeof(text), "%s", run.out.text);
	text[strcspn(text, "\n")] = '\0';
	run_release(&run);
	return text;
}

/* ---- what the cases of all engines ask ---- */

static bool has_owner(const cJSON *object)
{
	return cJSON_GetArraySize(member(object, "metadata.ownerReferences")) > 0;
}

/* A container has no state of its own here: its pod's. */
static const char *state_of(const cJSON *pod)
{
	const cJSON *status;

	cJSON_ArrayForEach (status, member(pod, "status.containerStatuses"))
		if (member(status, "state.running"))
			return "running";
	return text_of(pod, "status.phase");
}

static cJSON *describe(cJSON *pod)
{
	cJSON *state;

	if (!pod)
		return NULL;
	state = cJSON_AddObjectToObject(pod, "State");
	cJSON_AddStringToObject(pod, "Id", text_of(pod, "metadata.name"));
	cJSON_AddStringToObject(state, "Status", state_of(pod));
	cJSON_AddStringToObject(state, "StartedAt", text_of(pod, "status.startTime"));
	return pod;
}

static cJSON *first_of(const char *path)
{
	cJSON *list = kube_get(path);
	cJSON *first = cJSON_DetachItemFromArray(cJSON_GetObjectItem(list, "items"), 0);

	cJSON_Delete(list);
	return first;
}

/* By the pod's own name, its Job's, or its workload's. */
static cJSON *inspect(const char *name)
{
	static const char *const paths[] = {"pods/", "pods?labelSelector=job-name%3D",
	                                    "pods?labelSelector=app%3D"};
	cJSON *pod = NULL;
	char path[512];

	for (size_t i = 0; !pod && i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", paths[i], name);
		pod = i == 0 ? kube_get(path) : first_of(path);
	}
	return describe(pod);
}

/* Jobs, and pods that are there without one. */
static int count_one_offs(void)
{
	cJSON *jobs = kube_get("batch/v1/jobs" ONE_OFFS), *pods = kube_get("pods" ONE_OFFS);
	int count = jobs && pods ? cJSON_GetArraySize(member(jobs, "items")) : -1;
	const cJSON *pod;

	cJSON_ArrayForEach (pod, member(pods, "items"))
		count += !has_owner(pod);
	cJSON_Delete(jobs);
	cJSON_Delete(pods);
	return count;
}

cJSON *kube_one_off(const char *path)
{
	char text[512];

	snprintf(text, sizeof(text), "%s" ONE_OFFS, path);
	return first_of(text);
}

static cJSON *first_one_off(void)
{
	return describe(kube_one_off("pods"));
}

/* A process 1 that has no handler for TERM does not feel it: KILL comes a second later. */
static bool kill_container(const char *id)
{
	char path[512];

	snprintf(path, sizeof(path), "pods/%s?gracePeriodSeconds=1", id);
	return kube_change("DELETE", path, NULL) == 200;
}

static void remove_one_offs(void)
{
	kube_change("DELETE", "batch/v1/jobs" ONE_OFFS "&propagationPolicy=Background", NULL);
	kube_change("DELETE", "pods" ONE_OFFS "&gracePeriodSeconds=0", NULL);
	kube_change("DELETE", "configmaps" ONE_OFFS, NULL);
}

static int count_of(const char *path)
{
	cJSON *list = kube_get(path);
	int count = list ? cJSON_GetArraySize(member(list, "items")) : -1;

	cJSON_Delete(list);
	return count;
}

static int leftovers(char *text, size_t size)
{
	int pods = count_of("pods" ONE_OFFS), maps = count_of("configmaps" ONE_OFFS);

	snprintf(text, size, "%d pods, %d configmaps", pods, maps);
	return pods < 0 || maps < 0 ? -1 : pods + maps;
}

char *kube_surroundings(void)
{
	static const char *const paths[] = {"discovery.k8s.io/v1/endpointslices",
	                                    "apps/v1/replicasets",
	                                    "policy/v1/poddisruptionbudgets"};
	cJSON *all = cJSON_CreateArray(), *item;
	char *text;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		cJSON *list = kube_get(paths[i]);

		cr_assert(list, "no %s", paths[i]);
		while ((item = cJSON_DetachItemFromArray(cJSON_GetObjectItem(list, "items"), 0)))
			cJSON_AddItemToArray(all, item);
		cJSON_Delete(list);
	}
	text = cJSON_Print(all);
	cJSON_Delete(all);
	return text;
}

/* ---- after the death of a client ---- */

static bool has_ended(const cJSON *job)
{
	const cJSON *condition;

	cJSON_ArrayForEach (condition, member(job, "status.conditions"))
		if (strcmp(text_of(condition, "type"), "Complete") == 0 ||
		    strcmp(text_of(condition, "type"), "Failed") == 0)
			return true;
	return false;
}

/* ---- schedules ---- */

void kube_next_minute(void)
{
	static int minutes;
	char text[64];

	snprintf(text, sizeof(text), "{\"cron_ahead\":%d}", 60000 * ++minutes);
	if (kube_is_fake())
		fake_set(text);
}

/* An ended Job that the CronJob controls, or NULL. */
static cJSON *find_fired(const char *cronjob, const char *before)
{
	cJSON *jobs = kube_get("batch/v1/jobs"), *job, *found = NULL;

	cJSON_ArrayForEach (job, member(jobs, "items")) {
		const cJSON *owner = cJSON_GetArrayItem(member(job, "metadata.ownerReferences"), 0);

		if (strcmp(text_of(owner, "kind"), "CronJob") == 0 &&
		    strcmp(text_of(owner, "name"), cronjob) == 0 && has_ended(job) &&
		    strcmp(text_of(job, "metadata.name"), before) != 0)
			found = job;
	}
	found = found ? cJSON_Duplicate(found, true) : NULL;
	cJSON_Delete(jobs);
	return found;
}

const char *kube_await_fired(const char *cronjob, const char *before, cJSON **ret_job)
{
	static char name[256];
	int64_t limit = now_ms() + 100000;
	cJSON *job;

	while (!(job = find_fired(cronjob, before))) {
		cr_assert_lt(now_ms(), limit, "no job of cronjob/%s has run", cronjob);
		pause_ms(100);
	}
	snprintf(name, sizeof(name), "%s", text_of(job, "metadata.name"));
	if (ret_job)
		*ret_job = job;
	else
		cJSON_Delete(job);
	return name;
}

static bool goes_by_itself(const cJSON *job)
{
	const cJSON *ttl = member(job, "spec.ttlSecondsAfterFinished");

	return cJSON_IsNumber(ttl) && ttl->valuedouble <= 600;
}

/* How many Jobs still run; those that have ended as they should are removed. -1: one would stay. */
static int reap_ended(void)
{
	cJSON *jobs = kube_get("batch/v1/jobs" ONE_OFFS);
	int running = 0;
	char path[512];
	const cJSON *job;

	cJSON_ArrayForEach (job, member(jobs, "items")) {
		if (running < 0 || !goes_by_itself(job)) {
			running = -1;
			continue;
		}
		if (!has_ended(job)) {
			running++;
			continue;
		}
		snprintf(path, sizeof(path), "batch/v1/jobs/%s?propagationPolicy=Background",
		         text_of(job, "metadata.name"));
		kube_change("DELETE", path, NULL);
	}
	cJSON_Delete(jobs);
	return running;
}

bool kube_await_ttl(int limit_ms)
{
	int64_t until = now_ms() + limit_ms;
	int running;

	while ((running = reap_ended()) > 0 && now_ms() < until)
		pause_ms(50);
	return running == 0;
}

/* The client's death is no end for a task that was begun, and the rest is the cluster's: its Job has a TTL, which is
 * too long to be waited for after each of many. One case waits for it: kube_kill. */
static void after_client_died(void)
{
	int64_t until = now_ms() + 8000;

	while (count_processes() > 0 && now_ms() < until)
		pause_ms(10);
	cr_assert(kube_await_ttl(10000),
	          "a killed client left a Job that does not end, or has no TTL");
}

/* ---- the fake ---- */

const char *kube_fake_file(const char *name)
{
	static char path[512];
	const char *folder = getenv("ONEOFF_TEST_FAKE");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "", name);
	return path;
}

void fake_faults(const char *rules)
{
	cr_assert_eq(kube_request("POST", "/fake/faults", rules), 200, "%s", rules);
}

void fake_set(const char *settings)
{
	cr_assert_eq(kube_request("POST", "/fake/set", settings), 200, "%s", settings);
}

void fake_reset(void)
{
	if (!kube_is_fake())
		return;
	fake_faults("[]");
	fake_set(FAKE_RESET);
	fake_role(NULL, NULL);
}

/* Appends the rules with every `from` replaced. */
static void put_rules(FILE *file, const char *rules, const char *from, const char *to)
{
	const char *hit;

	for (; from && (hit = strstr(rules, from)); rules = hit + strlen(from))
		fprintf(file, "%.*s%s", (int)(hit - rules), rules, to);
	fputs(rules, file);
}

static void read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t n = file ? fread(text, 1, size - 1, file) : 0;

	cr_assert(file, "%s: %s", path, strerror(errno));
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

void fake_role(const char *from, const char *to)
{
	char rules[8192], token[256], path[600], next[600];
	const char *folder = getenv("ONEOFF_TEST_DIR");
	FILE *file;

	snprintf(path, sizeof(path), "%s/rules", folder);
	read_text(path, rules, sizeof(rules));
	snprintf(path, sizeof(path), "%s/token", folder);
	read_text(path, token, sizeof(token));
	snprintf(next, sizeof(next), "%s", kube_fake_file("rbac.new"));
	file = fopen(next, "we");
	cr_assert(file, "%s: %s", next, strerror(errno));
	fprintf(file,
	        "{\"users\":{\"system:serviceaccount:%s:runner\":{\"token\":\"%s\",\"rules\":[",
	        kube_namespace(), token);
	put_rules(file, rules, from, to);
	fputs("]}}}", file);
	fclose(file);
	cr_assert_eq(rename(next, kube_fake_file("rbac.json")), 0);
}

const struct engine_ops engine_kube = {
	.traits = {.nowhere = "KUBECONFIG=/nonexistent/a.sock",
                   .plan_shows = "ttlSecondsAfterFinished",
                   .source_prefix = "deploy/",
                   .tls_kib = 3072,
                   .image_known = true,
                   .keeps = true,
                   .knows_memory = true,
                   .one_log = true,
                   .keeps_proxy_variables = true,
                   .run_ms = 300,
                   .large = UINT64_C(64) << 20},
	.count_one_offs = count_one_offs,
	.inspect = inspect,
	.first_one_off = first_one_off,
	.kill = kill_container,
	.remove_one_offs = remove_one_offs,
	.leftovers = leftovers,
	.after_client_died = after_client_died,
};
