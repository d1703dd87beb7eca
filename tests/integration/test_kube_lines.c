/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that break, stall or are refused, and a server that is away for a while: a lost connection is not the end
 * of a task, and a loss is never called a success (design section 4). By the fake's script. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_kube.h"
#include "tests/integration/harness.h"

static void clean(void)
{
	fake_reset();
	expect_clean();
}

TestSuite(kube_lines, .init = fake_reset, .fini = clean, .timeout = 120);

static void expect_exit(const char *why, int code)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "deploy/bulk", "--", "sh", "-c",
	                                      "echo text; sleep 0.3; exit 3"),
	                                 .deadline_ms = 30000});
	cr_assert_eq(run.code, code, "%s: " RUN_FORMAT, why, RUN_ARGS(&run));
	if (code == 3)
		cr_assert(capture_is(&run.out, "text\n"), "%s: " RUN_FORMAT, why, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- the streams ---- */

#define TALK "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done; sleep 0.5; exit "

static uint64_t length_of_talk(void)
{
	return 1000 * 6 + 10 + 90 * 2 + 900 * 3;
}

/* 120 or the task's own code, and words on stderr; or nothing was lost at all. */
static void expect_told(const char *fault, int number, const char *script, int own)
{
	char rules[300];
	struct run run;

	snprintf(rules, sizeof(rules),
	         "[{\"match\":{\"path\":\"/attach\",\"nth\":1},\"action\":\"%s\",\"bytes\":%d}]",
	         fault, number);
	fake_faults(rules);
	run_all(&run,
	        &(struct run_spec){ARGV("run", "--like", "deploy/bulk", "--", "sh", "-c", script),
	                           .deadline_ms = 40000});
	if (run.out.count == length_of_talk())
		cr_assert(run.code == own || (own == 0 && run.code == 120), "%d bytes: " RUN_FORMAT,
		          number, RUN_ARGS(&run));
	else
		cr_assert(run.code == (own ? own : 120) && strstr(run.err.text, "incomplete"),
		          "%d bytes: %" PRIu64 " came " RUN_FORMAT, number, run.out.count,
		          RUN_ARGS(&run));
	run_release(&run);
}

Test(kube_lines, a_cut_attach_is_120_and_never_a_wrong_0)
{
	static const int bytes[] = {250, 1000, 5000};

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		expect_told("cut", bytes[i], TALK "0", 0);
}

Test(kube_lines, a_cut_attach_keeps_the_task_s_own_code)
{
	expect_told("cut", 2000, TALK "5", 5);
}

Test(kube_lines, an_attach_that_falls_silent_is_120_soon_after_the_end)
{
	expect_told("half-open", 2000, TALK "0", 0);
}

/* Nothing was released yet, so it may be tried again. */
Test(kube_lines, an_attach_that_breaks_before_it_began_is_tried_again)
{
	fake_faults("[{\"match\":{\"path\":\"/attach\",\"nth\":[1,3]},\"action\":\"status\","
	            "\"code\":500,\"text\":\"container not found\"}]");
	expect_exit("500", 3);
	fake_faults(
		"[{\"match\":{\"path\":\"/attach\",\"nth\":1},\"action\":\"delay\",\"ms\":1500}]");
	expect_exit("a delay", 3);
}

/* A node closes the task's stdin when the first to attach goes: then the gate ends, and nothing has run. */
Test(kube_lines, an_attach_whose_answer_is_cut_is_tried_again_or_nothing_ran)
{
	struct run run;

	fake_faults(
		"[{\"match\":{\"path\":\"/attach\",\"nth\":1},\"action\":\"cut\",\"bytes\":20}]");
	run_all(&run, &(struct run_spec){ARGV("run", "--like", "deploy/bulk", "--", "helper",
	                                      "exit", "3", "x"),
	                                 .deadline_ms = 20000});
	cr_assert(run.code == 3 || run.code == 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, run.code == 3 ? "x" : ""), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(run.code == 3 || strstr(run.err.text, "not released"), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
}

/* A runtime that attaches late: the gate stands until then, so nothing is lost. */
Test(kube_lines, a_runtime_that_attaches_late_loses_nothing)
{
	fake_faults("[{\"match\":{\"path\":\"/attach\"},\"action\":\"attach-delay\",\"ms\":40}]");
	expect_exit("a late runtime", 3);
}

/* ---- the watch ---- */

static void watch_fault(const char *rest)
{
	char rules[300];

	snprintf(rules, sizeof(rules), "[{\"match\":{\"path\":\"watch=true\",%s}]", rest);
	fake_faults(rules);
	expect_exit(rest, 3);
}

Test(kube_lines, a_watch_that_is_cut_is_taken_up_again)
{
	watch_fault("\"nth\":1},\"action\":\"cut\",\"bytes\":100");
	watch_fault("\"nth\":1},\"action\":\"cut\",\"bytes\":9000");
	watch_fault("\"nth\":[1,3]},\"action\":\"cut\",\"bytes\":16000");
}

Test(kube_lines, a_watch_that_is_too_old_begins_anew)
{
	watch_fault("\"nth\":1},\"action\":\"410\"");
	fake_faults("[{\"match\":{\"path\":\"watch=true\",\"nth\":1},\"action\":\"cut\",\"bytes\":"
	            "9000},{\"match\":{\"path\":\"watch=true\",\"nth\":2},\"action\":\"410\"}]");
	expect_exit("cut, then 410", 3);
}

Test(kube_lines, a_watch_that_is_refused_for_a_while_is_asked_again)
{
	watch_fault("\"nth\":[1,2]},\"action\":\"status\",\"code\":429,\"retryAfter\":1");
	watch_fault("\"nth\":[1,3]},\"action\":\"status\",\"code\":500");
	watch_fault("\"nth\":1},\"action\":\"status\",\"code\":503");
}

/* ---- ordinary requests ---- */

static void call_fault(const char *method, const char *path, const char *rest)
{
	char rules[400];

	snprintf(rules, sizeof(rules),
	         "[{\"match\":{\"method\":\"%s\",\"path\":\"%s\",\"nth\":1},%s}]", method, path,
	         rest);
	fake_faults(rules);
	expect_exit(rules, 3);
}

Test(kube_lines, a_server_under_load_is_asked_again)
{
	call_fault("GET", "deployments", "\"action\":\"status\",\"code\":429,\"retryAfter\":1");
	call_fault("GET", "deployments", "\"action\":\"status\",\"code\":500");
	call_fault("GET", "services", "\"action\":\"status\",\"code\":503");
	call_fault("POST", "jobs", "\"action\":\"status\",\"code\":429,\"retryAfter\":1");
	call_fault("POST", "configmaps", "\"action\":\"status\",\"code\":429,\"retryAfter\":1");
	call_fault("DELETE", "jobs", "\"action\":\"status\",\"code\":429,\"retryAfter\":1");
}

/* It was done, and we do not hear of it: there is one Job, and it is ours. */
Test(kube_lines, a_lost_answer_makes_no_second_task)
{
	call_fault("POST", "/jobs", "\"action\":\"drop-reply\"");
	call_fault("DELETE", "/jobs", "\"action\":\"drop-reply\"");
}

Test(kube_lines, what_could_not_be_removed_is_named)
{
	struct run run;

	fake_faults("[{\"match\":{\"method\":\"DELETE\",\"path\":\"/jobs\"},\"action\":\"status\","
	            "\"code\":403,\"text\":\"no\"}]");
	run_all(&run, &(struct run_spec){
			      ARGV("run", "--like", "deploy/bulk", "--", "helper", "exit", "0"),
			      .deadline_ms = 30000});
	cr_assert_eq(run.code, 122, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "bulk-oneoff-"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	fake_reset();
	cr_assert(kube_await_ttl(10000));
}

/* ---- the server itself ---- */

static pid_t server_pid(void)
{
	FILE *file = fopen(kube_fake_file("pid"), "re");
	int pid = 0;

	cr_assert(file && fscanf(file, "%d", &pid) == 1 && pid > 1);
	fclose(file);
	return pid;
}

/* It stops for some seconds while the task runs and ends. */
Test(kube_lines, a_server_that_is_away_for_a_while_changes_nothing)
{
	struct run run;

	run_start(&run, &(struct run_spec){ARGV("run", "--like", "deploy/bulk", "--", "sh", "-c",
	                                        "echo ready; sleep 1.5; echo end; exit 3"),
	                                   .deadline_ms = 40000});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	kill(server_pid(), SIGSTOP);
	run_pump(&run, 3000);
	kill(server_pid(), SIGCONT);
	run_finish(&run);
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "ready\nend\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

static void start_long(struct run *run, const char *script)
{
	run_start(run,
	          &(struct run_spec){ARGV("run", "--like", "deploy/bulk", "--", "sh", "-c", script),
	                             .deadline_ms = 40000});
	cr_assert(run_until(run, &run->out, 0, "ready"), RUN_FORMAT, RUN_ARGS(run));
}

/* It is killed and comes back: every connection is gone, the pods run on. What they write meanwhile comes from the log,
 * both streams as one, which is told; no code is lost and none is made up. */
Test(kube_lines, a_server_that_is_killed_and_comes_back_costs_no_code)
{
	struct run run;

	start_long(&run, "echo ready; sleep 2; echo end; exit 3");
	cr_assert_eq(kube_request("POST", "/fake/restart", "{\"ms\":800}"), 200);
	run_finish(&run);
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "ready\nend\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	start_long(&run, "echo ready; sleep 0.3; echo end");
	cr_assert_eq(kube_request("POST", "/fake/restart", "{\"ms\":2500}"), 200);
	run_finish(&run);
	cr_assert_eq(run.code, 120, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "log"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "ready\nend\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* The connection stands, and nothing comes by it any more: the streams' end is what makes us ask. */
Test(kube_lines, a_watch_that_falls_silent_costs_no_code)
{
	struct run run;

	fake_faults(
		"[{\"match\":{\"path\":\"watch=true\",\"nth\":1},\"action\":\"half-open\",\"bytes\":"
		"9000}]");
	run_all(&run, &(struct run_spec){ARGV("run", "--like", "deploy/bulk", "--", "sh", "-c",
	                                      "echo text; sleep 0.5; exit 3"),
	                                 .deadline_ms = 40000});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "text\n"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_lt(run.took_ms, 15000, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	fake_faults("[{\"match\":{\"path\":\"watch=true\",\"nth\":1},\"action\":\"stale-watch\"}]");
	expect_exit("a watch that never says anything", 3);
}

/* One of before 1.30 has no way to tell the end of stdin. */
Test(kube_lines, an_old_server_is_spoken_to_in_its_own_way)
{
	struct run run;

	fake_set("{\"v5\":false}");
	expect_exit("v4", 3);
	run_all(&run,
	        &(struct run_spec){
			ARGV("run", "--like", "deploy/bulk", "--", "helper", "exit", "3", "x"),
			.stdin_mode = STDIN_TEXT, .input = "words", .deadline_ms = 20000});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "input"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_all(&run, &(struct run_spec){ARGV("run", "-I", "-q", "--like", "deploy/bulk", "--",
	                                      "helper", "sum"),
	                                 .deadline_ms = 20000});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- credentials ---- */

/* A program that gives the old token the first time and the right one from then on. */
static void write_plugin(const char *folder, const char *token)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/plugin", folder);
	file = fopen(path, "we");
	cr_assert(file);
	fprintf(file,
	        "#!/bin/sh\necho x >>%s/calls\nt=%s\n[ $(wc -l <%s/calls) -gt 1 ] || t=old\n"
	        "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
	        "\"ExecCredential\",\"status\":{\"token\":\"'$t'\"}}'\n",
	        folder, token, folder);
	fclose(file);
	cr_assert_eq(chmod(path, 0755), 0);
}

Test(kube_lines, a_token_that_the_server_refuses_is_renewed_once)
{
	char folder[] = "/tmp/oneoff-plugin-XXXXXX", script[1500], variable[100], token[200] = "";
	FILE *file = fopen(kube_fake_file("../token"), "re");
	struct run run;

	cr_assert(mkdtemp(folder) && file && fgets(token, sizeof(token), file));
	fclose(file);
	token[strcspn(token, "\n")] = '\0';
	write_plugin(folder, token);
	snprintf(script, sizeof(script),
	         "sed -e 's|^    token: .*|    exec: {apiVersion: client.authentication.k8s.io/v1, "
	         "command: %s/plugin, interactiveMode: Never}|' %s/kubeconfig-token >%s/config",
	         folder, getenv("ONEOFF_TEST_DIR"), folder);
	run_all(&run, &(struct run_spec){.program = "/bin/sh", ARGV("-c", script)});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	snprintf(variable, sizeof(variable), "KUBECONFIG=%s/config", folder);
	run_all(&run, &(struct run_spec){ARGV("run", "-v", "--like", "deploy/bulk", "--", "helper",
	                                      "exit", "3", "x"),
	                                 .env = (const char *const[]){variable, NULL},
	                                 .deadline_ms = 20000});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.err.text, token), "the token is told: %s", run.err.text);
	run_release(&run);
	run_all(&run, &(struct run_spec){.program = "/bin/rm", ARGV("-rf", folder)});
	run_release(&run);
}

/* At its second call the plugin has the server take another token instead of the first. */
static void expect_renewal(const char *path)
{
	char folder[] = "/tmp/oneoff-plugin-XXXXXX", script[2000], variable[100], token[200] = "";
	char rules[200];
	FILE *file = fopen(kube_fake_file("../token"), "re");
	const char *fake = getenv("ONEOFF_TEST_DIR");
	char rights[300];
	struct run run, after;

	snprintf(rights, sizeof(rights), "%s", kube_fake_file("rbac.json"));
	cr_assert(mkdtemp(folder) && file && fgets(token, sizeof(token), file));
	fclose(file);
	token[strcspn(token, "\n")] = '\0';
	snprintf(script, sizeof(script),
	         "set -e; cp %s %s/rbac.json; cat >%s/plugin <<'END'\n"
	         "#!/bin/sh\necho x >>%s/calls\nt=%s\n"
	         "if [ $(wc -l <%s/calls) -gt 1 ]; then sed -i \"s/\"$t\"/${t}x/\" %s; "
	         "t=${t}x; fi\n"
	         "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
	         "\"ExecCredential\",\"status\":{\"token\":\"'$t'\"}}'\nEND\nchmod 755 %s/plugin\n"
	         "sed -e 's|^    token: .*|    exec: {apiVersion: client.authentication.k8s.io/v1, "
	         "command: %s/plugin, interactiveMode: Never}|' %s/kubeconfig-token >%s/config",
	         rights, folder, folder, folder, token, folder, rights, folder, folder, fake,
	         folder);
	run_all(&run, &(struct run_spec){.program = "/bin/sh", ARGV("-c", script)});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	snprintf(rules, sizeof(rules),
	         "[{\"match\":{\"path\":\"%s\",\"nth\":1},\"action\":\"status\",\"code\":401}]",
	         path);
	fake_faults(rules);
	snprintf(variable, sizeof(variable), "KUBECONFIG=%s/config", folder);
	run_all(&run,
	        &(struct run_spec){
			ARGV("run", "--like", "deploy/bulk", "--", "helper", "exit", "3", "x"),
			.env = (const char *const[]){variable, NULL}, .deadline_ms = 20000});
	snprintf(script, sizeof(script), "cp %s/rbac.json %s; wc -l <%s/calls; rm -rf %s", folder,
	         rights, folder, folder);
	run_all(&after, &(struct run_spec){.program = "/bin/sh", ARGV("-c", script)});
	cr_assert_eq(run.code, 3, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&after.out, "2\n"), RUN_FORMAT, RUN_ARGS(&after));
	run_release(&run);
	run_release(&after);
}

Test(kube_lines, a_token_that_the_watch_is_refused_for_is_renewed)
{
	expect_renewal("watch=true");
}

Test(kube_lines, a_token_that_the_attach_is_refused_for_is_renewed)
{
	expect_renewal("/attach");
}
