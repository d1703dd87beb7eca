/* SPDX-License-Identifier: Apache-2.0 */
/* One-offs that exist already, as far as only a cluster has it: long lists, locks by Leases and suspended Jobs. What really ran when is asked of the fake (tests/fake/plant.py), not of us. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_kube.h"
#include "tests/integration/harness.h"

static void plant(int count)
{
	char body[200];

	snprintf(body, sizeof(body), "{\"namespace\":\"%s\",\"count\":%d}", kube_namespace(),
	         count);
	cr_assert_eq(kube_request("POST", "/fake/objects", body), 200);
}

static void clean(void)
{
	fake_reset();
	plant(0);
	engine_remove_one_offs();
	kube_change("DELETE", "coordination.k8s.io/v1/leases", NULL);
	expect_clean();
}

static void begin(void)
{
	kube_change("DELETE", "coordination.k8s.io/v1/leases", NULL);
	fake_reset();
}

TestSuite(kube_list, .init = begin, .fini = clean, .timeout = 120);
TestSuite(kube_lock, .init = begin, .fini = clean, .timeout = 60);
TestSuite(kube_lock_many, .init = begin, .fini = clean, .timeout = 500);

/* ---- lists ---- */

static long list_all(int objects)
{
	struct run run;
	long peak;

	plant(objects);
	run_all(&run,
	        &(struct run_spec){ARGV("list", "--all", "-o", "json"), .deadline_ms = 60000});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	peak = run.peak_kib;
	run_release(&run);
	return peak;
}

static void expect_all(int objects)
{
	char line[300], wanted[20];

	snprintf(
		line, sizeof(line),
		"set -o pipefail; \"$ONEOFF\" list --all -o json | grep -o '\"id\":\"[a-z0-9]*\"' | "
		"sort | uniq -c | awk '$1 != 1 {exit 1} {n++} END {print n}'");
	snprintf(wanted, sizeof(wanted), "%d", objects);
	cr_assert_str_eq(shell_line(line, NULL), wanted);
}

/* A page of 500 is held as text; more pages cost nothing. */
Test(kube_list, ten_thousand_in_the_memory_of_a_few)
{
	long few = list_all(10), many = list_all(10000);

	cr_assert_leq(many, few + 4096, "10: %ld KiB, 10,000: %ld KiB", few, many);
	expect_all(10000);
}

/* The server forgets the list in the middle: with a token to go on, and with none. */
Test(kube_list, a_410_in_the_middle_tells_everything_once)
{
	plant(2600);
	fake_faults(
		"[{\"match\":{\"path\":\"/jobs.*continue=\",\"nth\":3},\"action\":\"410\",\"token\":true}]");
	expect_all(2600);
	fake_faults("[{\"match\":{\"path\":\"/jobs.*continue=\",\"nth\":3},\"action\":\"410\"}]");
	expect_all(2600);
	fake_faults("[{\"match\":{\"path\":\"/jobs.*continue=\",\"nth\":[2,3]},\"action\":\"410\"},"
	            "{\"match\":{\"path\":\"/pods.*limit=\",\"nth\":[2,3]},\"action\":\"410\"}]");
	expect_all(2600);
}

/* Every second of them failed and is kept; what succeeded goes, and two at once do no harm. */
Test(kube_list, gc_deletes_what_is_not_kept_and_nothing_else)
{
	plant(20);
	shell_line("\"$ONEOFF\" gc -q & \"$ONEOFF\" gc -q; code=$?; wait $! && exit $code", NULL);
	expect_all(10);
	shell_line("\"$ONEOFF\" gc -q", NULL);
	expect_all(10);
}

Test(kube_list, a_list_that_is_not_whole_is_an_error)
{
	struct run run;

	plant(1200);
	fake_faults(
		"[{\"match\":{\"path\":\"/jobs.*continue=\"},\"action\":\"cut\",\"bytes\":20000}]");
	run_all(&run, &(struct run_spec){ARGV("list", "--all"), .deadline_ms = 60000});
	cr_assert_neq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_list, why_a_task_does_not_start_stands_in_the_list)
{
	struct run run;

	/* which may heal, so that it is no reason to give up */
	fake_faults("[{\"pod\":\"^bulk-oneoff-\",\"reason\":\"Unschedulable\"}]");
	shell_line("\"$ONEOFF\" run -d --like deploy/bulk -- true", NULL);
	run_all(&run, &(struct run_spec){ARGV("list", "-o", "json")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "Unschedulable") && strstr(run.out.text, "\"created\""),
	          RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- the lock ---- */

static void expect_runs(const char *lock, int least, int most)
{
	char path[100];
	cJSON *report, *overlaps;
	int runs;

	snprintf(path, sizeof(path), "/fake/runs/%s", lock);
	report = engine_get(path);
	cr_assert(report);
	overlaps = cJSON_GetObjectItem(report, "overlaps");
	runs = (int)cJSON_GetNumberValue(cJSON_GetObjectItem(report, "runs"));
	cr_assert_eq(cJSON_GetArraySize(overlaps), 0, "two at a time: %s",
	             cJSON_PrintUnformatted(overlaps));
	cr_assert(runs >= least && runs <= most, "%d runs", runs);
	cJSON_Delete(report);
}

static void expect_locked(const char *lock, const char *word)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--lock", lock, "--like", "deploy/bulk", "--",
	                                      "helper", "exit", "0")});
	cr_assert_neq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, word), "no '%s': " RUN_FORMAT, word, RUN_ARGS(&run));
	run_release(&run);
}

static void expect_free(const char *lock, const char *wait)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--lock", lock, "--lock-wait", wait, "--like",
	                                      "deploy/bulk", "--", "helper", "exit", "3"),
	                                 .deadline_ms = 50000});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_lock, outlives_the_client_and_says_who_has_it)
{
	shell_line("\"$ONEOFF\" run -d --lock outlives --like deploy/bulk -- sleep 4", NULL);
	expect_locked("outlives", ": sleep 4");
	expect_free("outlives", "20s");
	expect_runs("outlives", 2, 2);
}

/* The Job is gone, its pod takes its time to end: the Lease goes with the Job, the lock does not. */
Test(kube_lock, is_held_by_a_pod_that_has_not_ended)
{
	shell_line(
		"\"$ONEOFF\" run -d --lock ending --grace 4 --like deploy/bulk -- sh -c 'trap : TERM; while :; do sleep "
		"0.1; done'",
		NULL);
	pause_ms(800);
	cr_assert_eq(kube_change("DELETE",
	                         "batch/v1/jobs?labelSelector=oneoff.dev/"
	                         "id&propagationPolicy=Background",
	                         NULL),
	             200);
	kube_change("DELETE", "coordination.k8s.io/v1/leases", NULL);
	expect_locked("ending", "held");
}

static void make_lease(const char *lock, int64_t age)
{
	char body[600], when[40];
	time_t then = time(NULL) - age;
	struct tm parts;

	gmtime_r(&then, &parts);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S.000000Z", &parts);
	snprintf(
		body, sizeof(body),
		"{\"metadata\":{\"name\":\"oneoff-lock-%s\"},\"spec\":{\"holderIdentity\":\"zzzzzzzz ana\","
		"\"leaseDurationSeconds\":3,\"acquireTime\":\"%s\",\"renewTime\":\"%s\"}}",
		lock, when, when);
	cr_assert_eq(kube_change("POST", "coordination.k8s.io/v1/leases", body), 201);
}

/* A client that died between the Lease and the Job. */
Test(kube_lock, of_a_holder_without_a_job_is_taken_when_it_is_not_renewed)
{
	make_lease("orphan", 0);
	expect_locked("orphan", "ana");
	expect_free("orphan", "15s");
}

Test(kube_lock, that_is_stale_by_any_clock_is_taken_at_once)
{
	make_lease("stale", 100000);
	expect_free("stale", "0s");
}

/* A client that stopped before it could begin: its Job must not begin later. */
Test(kube_lock, a_suspended_job_of_the_holder_before_is_deleted_first)
{
	static const char job[] =
		"{\"metadata\":{\"name\":\"slept\",\"labels\":{\"oneoff.dev/id\":\"zzzzzzzz\","
		"\"oneoff.dev/lock\":\"stopped\"}},\"spec\":{\"suspend\":true,\"backoffLimit\":0,"
		"\"template\":{\"metadata\":{\"labels\":{\"oneoff.dev/id\":\"zzzzzzzz\","
		"\"oneoff.dev/lock\":\"stopped\"}},\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{"
		"\"name\":\"c\",\"image\":\"suite/app:1\",\"command\":[\"sleep\",\"1\"]}]}}}}";

	cr_assert_eq(kube_change("POST", "batch/v1/jobs", job), 201);
	expect_free("stopped", "5s");
	cr_assert_eq(kube_change("GET", "batch/v1/jobs/slept", NULL), 404);
	expect_runs("stopped", 1, 1);
}

Test(kube_lock, serves_pods_without_a_job_too)
{
	struct run run;

	shell_line("\"$ONEOFF\" run -d --lock both --like deploy/bulk -- sleep 2", NULL);
	run_all(&run, &(struct run_spec){ARGV("run", "--carrier", "pod", "--lock", "both",
	                                      "--lock-wait", "20s", "--like", "deploy/bulk", "--",
	                                      "helper", "exit", "3")});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_all(&run,
	        &(struct run_spec){ARGV("run", "-d", "--carrier", "pod", "--lock", "both", "--like",
	                                "deploy/bulk", "--", "helper", "exit", "3")});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "gate"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_runs("both", 2, 2);
}

Test(kube_lock, an_answer_that_is_lost_is_no_second_holder)
{
	fake_faults(
		"[{\"match\":{\"method\":\"POST\",\"path\":\"leases\",\"nth\":1},\"action\":\"drop-reply\"}]");
	expect_free("lost", "10s");
	fake_faults(
		"[{\"match\":{\"method\":\"PATCH\",\"path\":\"jobs\",\"nth\":1},\"action\":\"drop-reply\"}]");
	expect_free("lost", "10s");
	expect_runs("lost", 2, 2);
}

/* Two hundred at once; a third of them is killed at some moment. */
Test(kube_lock_many, two_hundred_clients_and_never_two_tasks)
{
	const char *line =
		"for i in $(seq 200); do \"$ONEOFF\" run -q -I --lock many --lock-wait 400s --like deploy/bulk -- "
		"sleep 0.05 >/dev/null 2>/tmp/oneoff-many.$$.$i & pids[$i]=$!; done; "
		"for i in $(seq 3 3 200); do sleep 0.$((RANDOM % 4)); kill -KILL ${pids[$i]} 2>/dev/null; done; "
		"other=0; for i in $(seq 200); do wait ${pids[$i]}; code=$?; "
		"case $code in 0) ;; 137) ;; *) other=1; echo \"$i: $code $(head -1 /tmp/oneoff-many.$$.$i)\";; "
		"esac; done; rm -f /tmp/oneoff-many.$$.*; [ $other = 1 ] || echo fine";

	cr_assert_str_eq(shell_line(line, NULL), "fine");
	expect_runs("many", 134, 200);
	engine_remove_one_offs();
}

/* ---- rights ---- */

/* The Roles as they stand in k8s-manifests, given to the restricted user: `without` (or "-") is left out, "VERB RESOURCE". */
static void grant(const char *roles, const char *without)
{
	char line[2400];

	snprintf(
		line, sizeof(line),
		"kubectl create --dry-run=client --validate=false -o json -f k8s-manifests/role.yaml | python3 -c '\n"
		"import json, os, sys\n"
		"text, at, rules = sys.stdin.read().strip(), 0, []\n"
		"while at < len(text):\n"
		"    role, length = json.JSONDecoder().raw_decode(text[at:])\n"
		"    at += length + len(text[at + length:]) - len(text[at + length:].lstrip())\n"
		"    for one in role[\"items\"] if role[\"kind\"] == \"List\" else [role]:\n"
		"        if one[\"metadata\"][\"name\"] not in \"%s\".split(): continue\n"
		"        for rule in one[\"rules\"]:\n"
		"            for resource in rule[\"resources\"]:\n"
		"                verbs = [v for v in rule[\"verbs\"] if v + \" \" + resource != \"%s\"]\n"
		"                rules.append({\"verbs\": verbs, \"groups\": rule[\"apiGroups\"], \"resources\": "
		"[resource], \"namespaces\": [\"%s\"]})\n"
		"user = {\"token\": open(os.environ[\"ONEOFF_TEST_DIR\"] + \"/token\").read().strip(), \"rules\": rules}\n"
		"path = os.environ[\"ONEOFF_TEST_FAKE\"] + \"/rbac\"\n"
		"json.dump({\"users\": {\"system:serviceaccount:%s:runner\": user}}, open(path + \".new\", \"w\"))\n"
		"os.rename(path + \".new\", path + \".json\")'",
		roles, without, kube_namespace(), kube_namespace());
	shell_line(line, NULL);
}

#define AS_RUNNER "export KUBECONFIG=\"$ONEOFF_TEST_DIR/kubeconfig-token\"; "
/* All that there is to do; each must succeed, and the last words are printed. */
#define EVERYTHING                                                                                                      \
	"set -e; run() { \"$ONEOFF\" run -q -I --like deploy/bulk \"$@\"; }; run -- true; "                             \
	"run --lock rights -- true; id=$(run -d --lock rights --grace 2 -- sh -c 'echo text; trap "                     \
	"\"exit 4\" TERM; while :; do sleep 0.1; done'); until [ \"$(\"$ONEOFF\" logs -q $id)\" = text ]; do "          \
	"sleep 0.2; done; \"$ONEOFF\" list -q | grep -q $id; \"$ONEOFF\" stop -q $id; code=0; "                         \
	"\"$ONEOFF\" wait -q $id 2>/dev/null || code=$?; [ $code = 4 ]; [ $(\"$ONEOFF\" attach -q $id 2>&1 || true) = " \
	"text ]; \"$ONEOFF\" gc -q; echo all"

Test(kube_lock, the_documented_roles_are_enough_for_everything)
{
	grant("oneoff oneoff-operate", "-");
	cr_assert_str_eq(shell_line(AS_RUNNER EVERYTHING, NULL), "all");
}

/* …and for a run alone the first of them. */
Test(kube_lock, a_lock_names_the_right_that_it_lacks)
{
	static const char *const rights[][2] = {{"create leases", "leases"},
	                                        {"get leases", "leases"},
	                                        {"update leases", "leases"},
	                                        {"patch jobs", "patch"},
	                                        {"list jobs", "list"}};
	char line[600];
	int code;

	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
		grant("oneoff oneoff-operate", rights[i][0]);
		snprintf(
			line, sizeof(line),
			AS_RUNNER
			"\"$ONEOFF\" run -I --lock rights --like deploy/bulk -- true 2>&1 | grep -c %s; "
			"kubectl --kubeconfig=\"$ONEOFF_TEST_DIR/kubeconfig\" delete leases --all >/dev/null 2>&1; true",
			rights[i][1]);
		cr_assert_str_neq(shell_line(line, &code), "0", "%s", rights[i][0]);
	}
	grant("oneoff", "-");
	cr_assert_str_eq(
		shell_line(AS_RUNNER "\"$ONEOFF\" run -q -I --like deploy/bulk -- echo ran", NULL),
		"ran");
}
