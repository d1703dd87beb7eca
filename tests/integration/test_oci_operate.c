/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-offs that go on without their client where no engine keeps them: the monitor is all there is. It is killed,
 * its client is killed at every step, others look and wait; and all of it for a user without rights.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/integration/engine.h"
#include "tests/integration/engine_oci.h"
#include "tests/integration/operate.h"
#include "tests/integration/rootless.h"

static void leave_nothing(void)
{
	engine_remove_one_offs();
	expect_clean();
}

TestSuite(oci_operate, .fini = leave_nothing, .timeout = 120);

/* A detached task that runs; its process and its monitor's. */
static void start_running(char id[ID_SIZE], const char *const *arguments, pid_t *ret_task,
                          pid_t *ret_monitor)
{
	cJSON *clone;

	start_detached(id, arguments);
	clone = engine_wait_one_off();
	cr_assert(clone);
	*ret_task = (pid_t)cJSON_GetNumberValue(member(clone, "State.Pid"));
	*ret_monitor = parent_of(*ret_task);
	cr_assert_gt(*ret_task, 1);
	cr_assert_gt(*ret_monitor, 1);
	cJSON_Delete(clone);
}

/* ---- the monitor dies ---- */

Test(oci_operate, without_its_monitor_a_task_is_listed_holds_its_lock_and_can_be_stopped)
{
	pid_t task, monitor;
	char id[ID_SIZE];
	struct run run;
	cJSON *item;

	start_running(
		id,
		ARGUMENTS("run", "-d", "--lock", "orphan", "--like", "web", "--", "sleep", "60"),
		&task, &monitor);
	kill(monitor, SIGKILL);
	pause_ms(100);
	item = listed(id, false);
	cr_assert_str_eq(text_of(item, "state"), "running");
	cr_assert(strstr(text_of(item, "detail"), "monitor"), "%s", text_of(item, "detail"));
	cJSON_Delete(item);
	run_with_code(&run, 125,
	              ARGUMENTS("run", "--lock", "orphan", "--like", "bulk", "--", "true"));
	cr_assert(strstr(run.err.text, "sleep 60"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	kill(task, SIGKILL);
	/* nobody could read its status, but the lock is free */
	expect_code(0, ARGUMENTS("run", "-q", "--lock", "orphan", "--lock-wait", "5s", "--like",
	                         "bulk", "--", "true"));
	cr_assert(wait_listed(id, "ended"));
	run_with_code(&run, 121, ARGUMENTS("wait", id));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	/* the record outlives the sweep, without a cgroup or a container */
	expect_code(0, ARGUMENTS("gc", "-q"));
	cr_assert_eq(engine_count_one_offs(), 0);
	item = listed(id, true);
	cr_assert(item && cJSON_IsNull(member(item, "exitCode")));
	cJSON_Delete(item);
}

Test(oci_operate, who_waits_notices_that_the_monitor_was_killed)
{
	pid_t task, monitor;
	char id[ID_SIZE];
	struct run run;

	start_running(id, ARGUMENTS("run", "-d", "--like", "web", "--", "sleep", "2"), &task,
	              &monitor);
	run_start(&run, &(struct run_spec){ARGV("wait", id), .deadline_ms = 30000});
	run_pump(&run, 200);
	kill(monitor, SIGKILL);
	run_finish(&run);
	cr_assert_eq(run.code, 121, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- the client dies ---- */

/* How many are listed, and how many of them have ended; the last one's id. */
static int count_listed(char id[ID_SIZE], int *ret_ended)
{
	const cJSON *item;
	struct run run;
	cJSON *list;
	int count = 0;

	*ret_ended = 0;
	run_with_code(&run, 0, ARGUMENTS("list", "-q", "--all", "-o", "json"));
	list = cJSON_Parse(run.out.text);
	cJSON_ArrayForEach (item, list) {
		count++;
		*ret_ended += strcmp(text_of(item, "state"), "ended") == 0;
		snprintf(id, ID_SIZE, "%s", text_of(item, "id"));
	}
	run_release(&run);
	cJSON_Delete(list);
	return count;
}

/* Nothing, or a task that is listed and ends by itself: what the client had asked for may be under way yet. */
static int settle(const char *what)
{
	int64_t until = now_ms() + 10000;
	char id[ID_SIZE] = "";
	int count, ended;

	do {
		pause_ms(50);
		count = count_listed(id, &ended);
	} while ((count != ended || engine_count_one_offs() > 0) && now_ms() < until);
	cr_assert(count <= 1 && count == ended && engine_count_one_offs() == 0,
	          "%s: %d listed, %d ended", what, count, ended);
	if (count == 1)
		expect_code(3, ARGUMENTS("wait", "-q", id));
	leave_nothing();
	return count;
}

Test(oci_operate, a_client_killed_at_any_step_leaves_nothing_or_a_detached_task)
{
	const char *hooks = getenv("ONEOFF_HOOKS");
	int code = -1, n, left = 0, none = 0;
	char step[40];
	struct run run;

	cr_assert(hooks || !getenv("CI"), "ONEOFF_HOOKS is not set");
	if (!hooks)
		cr_skip_test("ONEOFF_HOOKS is not set");
	for (n = 1; n <= 100 && code != 0; n++) {
		snprintf(step, sizeof(step), "ONEOFF_TEST_KILL_AT=%d", n);
		run_all(&run,
		        &(struct run_spec){
				ARGV("run", "-d", "--like", "web", "--", "helper", "exit", "3"),
				.program = hooks, .env = (const char *const[]){step, NULL},
				.deadline_ms = 20000});
		code = run.signal == SIGKILL ? -1 : run.code;
		cr_assert(run.signal == SIGKILL || run.code == 0, "step %d: " RUN_FORMAT, n,
		          RUN_ARGS(&run));
		run_release(&run);
		if (settle(step))
			left++;
		else
			none++;
		/* steps that a detached run does not come by */
		if (n > 12)
			break;
	}
	cr_assert(left > 0 && none > 0, "%d times a task, %d times nothing", left, none);
}

Test(oci_operate, a_client_killed_at_any_moment_leaves_nothing_or_a_detached_task)
{
	char what[40];
	struct run run;

	for (int delay = 0; delay <= 40; delay += 2) {
		run_start(&run, &(struct run_spec){ARGV("run", "-d", "--like", "bulk", "--",
		                                        "helper", "exit", "3"),
		                                   .deadline_ms = 20000});
		run_pump(&run, delay);
		kill(run.pid, SIGKILL);
		run_finish(&run);
		run_release(&run);
		snprintf(what, sizeof(what), "after %d ms", delay);
		settle(what);
	}
}

/* ---- who looks on ---- */

Test(oci_operate, nobody_has_a_copy_of_what_went_to_a_client_but_its_end_can_be_awaited)
{
	struct run owner, run;
	cJSON *clone;
	const char *dash;

	run_start(&owner, &(struct run_spec){
				  ARGV("run", "--like", "web", "--", "helper", "wait", "1500", "7"),
				  .stdin_mode = STDIN_SILENT});
	cr_assert(run_until(&owner, &owner.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&owner));
	clone = engine_wait_one_off();
	cr_assert(clone);
	dash = strrchr(text_of(clone, "Id"), '-');
	cr_assert(dash);
	run_with_code(&run, 120, ARGUMENTS("logs", dash + 1));
	cr_assert(strstr(run.err.text, "nobody keeps a copy") && chatter_only(&run.err), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
	expect_code(7, ARGUMENTS("wait", dash + 1));
	run_finish(&owner);
	cr_assert_eq(owner.code, 7, RUN_FORMAT, RUN_ARGS(&owner));
	run_release(&owner);
	cJSON_Delete(clone);
	expect_clean();
}

Test(oci_operate, another_client_can_stop_what_has_a_client)
{
	struct run owner;
	cJSON *clone;

	run_start(&owner,
	          &(struct run_spec){ARGV("run", "--like", "web", "--", "helper", "ignore-term"),
	                             .stdin_mode = STDIN_SILENT});
	cr_assert(run_until(&owner, &owner.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&owner));
	clone = engine_wait_one_off();
	cr_assert(clone);
	expect_code(0, ARGUMENTS("stop", "--grace", "1s", strrchr(text_of(clone, "Id"), '-') + 1));
	run_finish(&owner);
	cr_assert_eq(owner.code, 137, RUN_FORMAT, RUN_ARGS(&owner));
	run_release(&owner);
	cJSON_Delete(clone);
	expect_clean();
}

static uint64_t hash_of_numbers(int count)
{
	uint64_t hash = FNV_START;
	char line[16];

	for (int i = 1; i <= count; i++)
		hash = fnv_add(hash, line, (size_t)snprintf(line, sizeof(line), "%d\n", i));
	return hash;
}

/* Eight at once, from the first byte to the last, while it is written. */
Test(oci_operate, many_followers_get_every_byte)
{
	struct run runs[8];
	char id[ID_SIZE];

	start_detached(id, ARGUMENTS("run", "-d", "--like", "bulk", "--", "sh", "-c",
	                             "seq 1 200000; sleep 1; seq 200001 400000"));
	for (int i = 0; i < 8; i++)
		run_start(&runs[i], &(struct run_spec){ARGV("logs", "-f", id)});
	for (int i = 0; i < 8; i++) {
		run_finish(&runs[i]);
		cr_assert_eq(runs[i].code, 0, "%d: code %d", i, runs[i].code);
		cr_assert_eq(runs[i].out.hash, hash_of_numbers(400000), "%d: %" PRIu64 " bytes", i,
		             runs[i].out.count);
		run_release(&runs[i]);
	}
}

static uint64_t folder_bytes(const char *id)
{
	char path[1024], name[2048];
	const struct dirent *entry;
	uint64_t bytes = 0;
	struct stat info;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/bulk-oneoff-%s", getenv("ONEOFF_OCI_RUN"), id);
	folder = opendir(path);
	cr_assert(folder, "no folder %s", path);
	while ((entry = readdir(folder))) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (stat(name, &info) == 0 && S_ISREG(info.st_mode))
			bytes += (uint64_t)info.st_size;
	}
	closedir(folder);
	return bytes;
}

Test(oci_operate, endless_output_fills_no_disk_and_the_loss_is_told)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--like", "bulk", "--", "sh", "-c",
	                             "head -c 150000000 /dev/zero; echo; echo the end"));
	expect_code(0, ARGUMENTS("wait", id));
	cr_assert_leq(folder_bytes(id), (uint64_t)65 << 20);
	run_all(&run, &(struct run_spec){ARGV("logs", id)});
	cr_assert_eq(run.code, 120, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_geq(run.out.count, (uint64_t)31 << 20);
	cr_assert(strstr(run.err.text, "is kept"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_with_code(&run, 0, ARGUMENTS("logs", "--tail", "1", id));
	cr_assert(capture_is(&run.out, "the end\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* ---- what is inherited ---- */

/* How many descriptors of that process lead below that folder, or are sockets. */
static int count_descriptors(pid_t pid, const char *below, int *ret_sockets)
{
	char path[400], target[1024];
	const struct dirent *entry;
	int count = 0;
	ssize_t n;
	DIR *folder;

	*ret_sockets = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		count += strstr(target, below) != NULL;
		*ret_sockets += strstr(target, "socket:") != NULL;
	}
	if (folder)
		closedir(folder);
	return count;
}

Test(oci_operate, the_task_inherits_neither_locks_nor_sockets)
{
	const char *run_folder = getenv("ONEOFF_OCI_RUN");
	pid_t task, monitor;
	char id[ID_SIZE];
	int sockets;

	start_running(
		id, ARGUMENTS("run", "-d", "--lock", "mine", "--like", "web", "--", "sleep", "60"),
		&task, &monitor);
	cr_assert_geq(count_descriptors(monitor, run_folder, &sockets), 2);
	cr_assert_eq(count_descriptors(monitor, "/locks/mine", &sockets), 1);
	cr_assert_eq(count_descriptors(task, run_folder, &sockets), 0);
	cr_assert_eq(sockets, 0);
	expect_code(0, ARGUMENTS("stop", "--force", id));
}

static void expect_null_device(const char *when)
{
	struct stat info;

	cr_assert_eq(stat("/dev/null", &info), 0);
	cr_assert(info.st_uid == 0 && info.st_gid == 0 && (info.st_mode & 07777) == 0666,
	          "%s: /dev/null is %u:%u %o", when, info.st_uid, info.st_gid,
	          info.st_mode & 07777);
}

/* Runtimes give a task's stdio to its user, who is 200000 there, or 1234. */
Test(oci_operate, the_null_device_stays_root_s)
{
	static const char *const sources[] = {"mapped", "web"};
	char id[ID_SIZE];
	struct run run;

	expect_null_device("before");
	for (size_t i = 0; i < 2; i++) {
		run_all(&run, &(struct run_spec){ARGV("run", "--like", sources[i], "--", "true")});
		cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
		run_release(&run);
		expect_null_device("a run with </dev/null");
		start_detached(id,
		               ARGUMENTS("run", "-d", "--like", sources[i], "--", "sleep", "1"));
		expect_null_device("a detached run");
		expect_code(0, ARGUMENTS("wait", id));
		expect_null_device("its end");
	}
}

/* ---- a user without rights ---- */

static void run_rootless(struct run *run, int code, const char *const *arguments)
{
	static struct rootless_environment environment;
	static char binary[300];
	const char *argv[24] = {"--reuid", "tester", "--regid", "tester", "--init-groups", binary};
	size_t count = 6;

	rootless_environment(&environment, rootless(binary));
	while (*arguments && count < 23)
		argv[count++] = *arguments++;
	run_all(run, &(struct run_spec){.argv = argv,
	                                .program = "/usr/bin/setpriv",
	                                .env = environment.entries,
	                                .deadline_ms = 30000});
	cr_assert_eq(run->code, code, "%s: " RUN_FORMAT, argv[6], RUN_ARGS(run));
}

static void expect_rootless(int code, const char *const *arguments)
{
	struct run run;

	run_rootless(&run, code, arguments);
	run_release(&run);
}

Test(oci_operate, a_user_without_rights_detaches_lists_reads_waits_and_stops)
{
	char id[ID_SIZE], folder[400], path[500];
	struct run run;

	run_rootless(&run, 0,
	             ARGUMENTS("run", "-d", "--lock", "mine", "--like", "oci:app", "--", "sh", "-c",
	                       "echo hello; id -u; sleep 1; exit 6"));
	snprintf(id, sizeof(id), "%.8s", run.out.text);
	snprintf(path, sizeof(path), "%s\n", id);
	cr_assert(capture_is(&run.out, path), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_rootless(&run, 0, ARGUMENTS("list", "-q"));
	cr_assert(strstr(run.out.text, id) && strstr(run.out.text, "running"), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
	expect_rootless(125, ARGUMENTS("run", "--lock", "mine", "--like", "oci:app", "--", "true"));
	run_rootless(&run, 0, ARGUMENTS("logs", "-f", id));
	cr_assert(capture_is(&run.out, "hello\n0\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_rootless(6, ARGUMENTS("wait", "-q", id));
	/* root's list is root's */
	run_with_code(&run, 0, ARGUMENTS("list", "-q", "--all"));
	cr_assert_not(strstr(run.out.text, id), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_rootless(&run, 0,
	             ARGUMENTS("run", "-d", "--keep-for", "1s", "--like", "oci:app", "--", "helper",
	                       "ignore-term"));
	snprintf(id, sizeof(id), "%.8s", run.out.text);
	run_release(&run);
	expect_rootless(0, ARGUMENTS("stop", "--grace", "1s", id));
	expect_rootless(137, ARGUMENTS("wait", "-q", id));
	pause_ms(2100);
	expect_rootless(0, ARGUMENTS("gc", "-q"));
	run_rootless(&run, 0, ARGUMENTS("list", "-q", "--all"));
	cr_assert_not(strstr(run.out.text, id), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	snprintf(folder, sizeof(folder), "%s/run", getenv("ONEOFF_TEST_ROOTLESS"));
	snprintf(path, sizeof(path), "rm -rf %s/app-oneoff-*", folder);
	run_all(&run, &(struct run_spec){.program = "/bin/sh", ARGV("-c", path)});
	run_release(&run);
	oci_expect_clean(folder, 2000);
}
