/* SPDX-License-Identifier: Apache-2.0 */
/* One-offs that go on without their client: list, logs, attach, wait, stop (design section 2). The lock
 * and gc are in test_operate_lock.c and test_operate_gc.c. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/engine.h"
#include "tests/integration/operate.h"

static void leave_nothing(void)
{
	engine_remove_one_offs();
	expect_clean();
}

TestSuite(operate, .fini = leave_nothing, .timeout = 120);

Test(operate, a_detached_start_prints_the_id_and_returns)
{
	int64_t before = now_ms();
	char id[ID_SIZE];

	start_detached(id,
	               ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "wait", "30000"));
	cr_assert_lt(now_ms() - before, 20000, "it waited for the task");
	cr_assert(wait_listed(id, "running"));
	expect_code(0, ARGUMENTS("stop", "--force", id));
}

Test(operate, what_cannot_start_detached_is_told_and_leaves_nothing)
{
	struct run run;

	run_with_code(&run, 127, ARGUMENTS("run", "-d", "--like", "web", "--", "no-such-program"));
	cr_assert(capture_is(&run.out, ""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_clean();
}

Test(operate, list_tells_who_what_and_why)
{
	cJSON *item;
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--reason", "ticket \"7\"", "--lock", "list-test",
	                             "--timeout", "1h", "--like", "web", "--", "helper", "wait",
	                             "30000", "0"));
	cr_assert(wait_listed(id, "running"));
	item = listed(id, false);
	cr_assert_str_eq(text_of(item, "reason"), "ticket \"7\"");
	cr_assert_str_eq(text_of(item, "lock"), "list-test");
	cr_assert_str_eq(text_of(item, "source"), source_name("web"));
	/* a cluster says itself who we are */
	cr_assert(strchr(text_of(item, "user"), '@') ||
	                  (engine_is_kube() && *text_of(item, "user")),
	          "user %s", text_of(item, "user"));
	cr_assert(cJSON_IsTrue(member(item, "detached")));
	cr_assert(cJSON_IsFalse(member(item, "tty")));
	cr_assert(cJSON_IsNull(member(item, "exitCode")));
	cr_assert_eq(cJSON_GetArraySize(member(item, "command")), 4);
	cr_assert_eq(strlen(text_of(item, "deadline")), strlen("2026-11-21T15:00:00Z"));
	cJSON_Delete(item);
	run_with_code(&run, 0, ARGUMENTS("list", "-q"));
	cr_assert(strstr(run.out.text, id) && strstr(run.out.text, "list-test"), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
	run_with_code(&run, 0, ARGUMENTS("list", "-q", "-o", "wide"));
	cr_assert(strstr(run.out.text, "ticket \"7\""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_code(0, ARGUMENTS("stop", "--force", id));
}

Test(operate, ended_ones_are_listed_with_all_only)
{
	cJSON *item;
	char id[ID_SIZE];

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "exit", "3"));
	expect_code(3, ARGUMENTS("wait", id));
	item = listed(id, false);
	cr_assert_null(item);
	item = listed(id, true);
	cr_assert(item);
	cr_assert_str_eq(text_of(item, "state"), "ended");
	cr_assert_eq(cJSON_GetNumberValue(member(item, "exitCode")), 3);
	cr_assert_eq(cJSON_GetNumberValue(member(item, "keepForSeconds")), 86400);
	cr_assert_str_eq(text_of(item, "keep"), "always");
	cJSON_Delete(item);
}

Test(operate, ids_complete_by_unique_prefix)
{
	char id[ID_SIZE], prefix[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "exit", "5"));
	snprintf(prefix, sizeof(prefix), "%.4s", id);
	expect_code(5, ARGUMENTS("wait", prefix));
	run_with_code(&run, 125, ARGUMENTS("wait", "-q", "nosuch00"));
	cr_assert(strstr(run.err.text, "nosuch00"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(operate, logs_shows_all_of_both_streams_or_the_last_lines)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "sh", "-c",
	                             "echo one; echo two; echo three; echo wrong >&2; exit 4"));
	run_with_code(&run, 4, ARGUMENTS("wait", "-q", id));
	run_release(&run);
	run_with_code(&run, 0, ARGUMENTS("logs", id));
	if (engine_traits()->one_log) {
		cr_assert(strstr(run.out.text, "wrong\n"), RUN_FORMAT, RUN_ARGS(&run));
		cr_assert_eq(run.out.count, strlen("one\ntwo\nthree\nwrong\n"), RUN_FORMAT,
		             RUN_ARGS(&run));
	} else {
		cr_assert(capture_is(&run.out, "one\ntwo\nthree\n"), RUN_FORMAT, RUN_ARGS(&run));
		cr_assert(strstr(run.err.text, "wrong\n"), RUN_FORMAT, RUN_ARGS(&run));
	}
	run_release(&run);
	run_with_code(&run, 0, ARGUMENTS("logs", "--tail", "2", id));
	cr_assert(!strstr(run.out.text, "one\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	run_with_code(&run, 0, ARGUMENTS("logs", "--timestamps", id));
	cr_assert(strstr(run.out.text, " one\n") && !strncmp(run.out.text, "20", 2), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
}

/* The task waits for a word in the shared volume, so that the follower is there while it writes. */
Test(operate, logs_follow_until_the_end)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "-u", "0", "--like", "web", "--", "sh", "-c",
	                             "rm -f /data/go; echo first; until test -e /data/go; do "
	                             "usleep 20000; done; rm /data/go; echo last; exit 6"));
	run_start(&run, &(struct run_spec){ARGV("logs", "-f", id)});
	cr_assert(run_until(&run, &run.out, 0, "first\n"), RUN_FORMAT, RUN_ARGS(&run));
	expect_code(0,
	            ARGUMENTS("run", "-q", "-u", "0", "--like", "web", "--", "touch", "/data/go"));
	run_finish(&run);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "first\nlast\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

/* `| head -1` behind it. */
static void expect_task_outlives_reader(const char *command, const char *option)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "sh", "-c",
	                             "for i in $(seq 40); do echo $i; usleep 50000; done; exit 6"));
	run_all(&run,
	        &(struct run_spec){ARGV(command, option, id), .reader = READER_LEAVES, .after = 2});
	cr_expect_eq(run.code, 128 + SIGPIPE, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_code(6, ARGUMENTS("wait", "-q", id));
	run_with_code(&run, 0, ARGUMENTS("logs", "--tail", "1", id));
	cr_expect(capture_is(&run.out, "40\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(operate, a_reader_of_logs_that_leaves_does_not_end_the_task)
{
	expect_task_outlives_reader("logs", "-f");
}

Test(operate, a_reader_of_attach_that_leaves_does_not_end_the_task)
{
	expect_task_outlives_reader("attach", "--no-stdin");
}

static uint64_t hash_of_lines(const char *word, int count)
{
	uint64_t hash = FNV_START;
	char line[64];

	for (int i = 0; i < count; i++) {
		int length = snprintf(line, sizeof(line), "%s %d\n", word, i);

		hash = fnv_add(hash, line, (size_t)length);
	}
	return hash;
}

static uint64_t length_of_lines(const char *word, int count)
{
	uint64_t length = 0;

	for (int i = 0; i < count; i++)
		length += (uint64_t)snprintf(NULL, 0, "%s %d\n", word, i);
	return length;
}

/* Where both streams are one, their order to one another is not known: then it is every byte that counts. */
static void expect_both(const struct run *run, int count)
{
	if (engine_traits()->one_log) {
		cr_assert_eq(run->out.count,
		             length_of_lines("out", count) + length_of_lines("err", count),
		             RUN_FORMAT, RUN_ARGS(run));
		return;
	}
	cr_assert_eq(run->out.hash, hash_of_lines("out", count), "%" PRIu64 " bytes",
	             run->out.count);
	cr_assert_eq(run->err.hash, hash_of_lines("err", count), RUN_FORMAT, RUN_ARGS(run));
}

/* One that is started while the task writes, one after it: all from the beginning, once, in order. */
Test(operate, attach_from_elsewhere_gives_every_byte_once)
{
	struct run while_it_writes, afterwards;
	char id[ID_SIZE];

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "sh", "-c",
	                             "helper both 3000; exit 9"));
	run_all(&while_it_writes,
	        &(struct run_spec){ARGV("attach", id), .stdin_mode = STDIN_SILENT});
	run_all(&afterwards, &(struct run_spec){ARGV("attach", id), .stdin_mode = STDIN_TEXT,
	                                        .input = "nobody reads this\n"});
	cr_assert_eq(while_it_writes.code, 9, RUN_FORMAT, RUN_ARGS(&while_it_writes));
	expect_both(&while_it_writes, 3000);
	cr_assert_eq(afterwards.code, 9, RUN_FORMAT, RUN_ARGS(&afterwards));
	if (engine_traits()->one_log)
		expect_both(&afterwards, 3000);
	else
		cr_assert_eq(afterwards.out.hash, hash_of_lines("out", 3000));
	run_release(&while_it_writes);
	run_release(&afterwards);
}

/* Two attach to what a third one runs with a client of its own; nobody loses anything. */
Test(operate, attach_to_a_task_that_has_its_client)
{
	struct run owner, guest;
	cJSON *clone, *item;
	const char *id;

	run_start(&owner, &(struct run_spec){ARGV("run", "--like", "web", "--", "sh", "-c",
	                                          "helper both 500; helper wait 1500 3"),
	                                     .stdin_mode = STDIN_SILENT});
	cr_assert(run_until(&owner, &owner.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&owner));
	clone = engine_wait_one_off();
	cr_assert(clone);
	run_with_code(&guest, 0, ARGUMENTS("list", "-q", "-o", "json"));
	item = cJSON_Parse(guest.out.text);
	id = text_of(cJSON_GetArrayItem(item, 0), "id");
	cr_assert_eq(strlen(id), 8, RUN_FORMAT, RUN_ARGS(&guest));
	run_release(&guest);
	run_all(&guest, &(struct run_spec){ARGV("attach", id), .stdin_mode = STDIN_NULL});
	/* 120: the engine deleted the log with the task before its end was read, and it says so. */
	cr_assert(guest.code == 3 || guest.code == 120, RUN_FORMAT, RUN_ARGS(&guest));
	if (engine_traits()->one_log)
		cr_assert(strstr(guest.out.text, "out 499\n") && strstr(guest.out.text, "ready\n"));
	else
		cr_assert_str_eq(guest.out.text + guest.out.text_length - 14, "out 499\nready\n");
	run_finish(&owner);
	cr_assert_eq(owner.code, 3, RUN_FORMAT, RUN_ARGS(&owner));
	run_release(&guest);
	run_release(&owner);
	cJSON_Delete(item);
	cJSON_Delete(clone);
}

Test(operate, a_signal_ends_the_client_and_not_the_task)
{
	static const int signals[] = {SIGTERM, SIGINT};
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "signals"));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		run_start(&run, &(struct run_spec){ARGV("attach", id), .stdin_mode = STDIN_SILENT});
		cr_assert(run_until(&run, &run.out, 0, "ready\n"), RUN_FORMAT, RUN_ARGS(&run));
		kill(run.pid, signals[i]);
		run_finish(&run);
		cr_assert(strstr(run.err.text, "runs on"), RUN_FORMAT, RUN_ARGS(&run));
		run_release(&run);
	}
	cr_assert(wait_listed(id, "running"));
	expect_code(0, ARGUMENTS("stop", id));
	run_with_code(&run, 0, ARGUMENTS("logs", id));
	cr_assert(capture_is(&run.out, "ready\nTERM\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(operate, wait_gives_the_task_s_code)
{
	static const int codes[] = {0, 1, 125, 255};
	char id[ID_SIZE], text[8];

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		snprintf(text, sizeof(text), "%d", codes[i]);
		start_detached(
			id, ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "exit", text));
		expect_code(codes[i], ARGUMENTS("wait", id));
	}
}

/* 128 + the signal's number; the last lines come on stderr. */
Test(operate, wait_tells_a_signal_and_the_last_lines)
{
	char id[ID_SIZE];
	cJSON *clone;
	struct run run;

	start_detached(id,
	               ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "wait", "60000"));
	clone = engine_wait_one_off();
	cr_assert(clone);
	run_start(&run, &(struct run_spec){ARGV("wait", id)});
	run_pump(&run, 300);
	cr_assert(engine_kill(text_of(clone, "Id")));
	run_finish(&run);
	cr_assert_eq(run.code, 137, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, ""), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "ready\n"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	cJSON_Delete(clone);
}

Test(operate, stop_is_gentle_first)
{
	char id[ID_SIZE];

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "signals", "8"));
	wait_logged(id, "ready");
	expect_code(0, ARGUMENTS("stop", id));
	expect_code(8, ARGUMENTS("wait", id));
}

Test(operate, stop_kills_after_the_grace)
{
	char id[ID_SIZE];

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "ignore-term"));
	wait_logged(id, "ready");
	expect_code(0, ARGUMENTS("stop", "--grace", "1s", id));
	expect_code(137, ARGUMENTS("wait", id));
}

Test(operate, stop_by_force_does_not_wait)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "--like", "web", "--", "helper", "ignore-term"));
	run_with_code(&run, 0, ARGUMENTS("stop", "--force", id));
	cr_assert_lt(run.took_ms, 8000, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
	expect_code(137, ARGUMENTS("wait", id));
}

Test(operate, keep_failed_keeps_a_failure_only)
{
	if (!engine_traits()->keeps)
		cr_skip_test("nothing is kept there without -d");
	expect_code(0, ARGUMENTS("run", "--keep", "failed", "--keep-for", "1h", "--like", "web",
	                         "--", "helper", "exit", "0"));
	expect_clean();
	expect_code(3, ARGUMENTS("run", "--keep", "failed", "--keep-for", "1h", "--like", "web",
	                         "--", "helper", "exit", "3", "why"));
	cr_assert_eq(engine_count_one_offs(), 1);
}

/* Nobody attends: the guardian, or the platform, sees to the deadline, and the end can still be read. */
Test(operate, a_detached_task_ends_at_its_deadline)
{
	char id[ID_SIZE];
	cJSON *item;

	start_detached(id, ARGUMENTS("run", "-d", "--timeout", "2s", "--grace", "1s", "--like",
	                             "web", "--", "helper", "ignore-term"));
	expect_code(124, ARGUMENTS("wait", id));
	item = listed(id, true);
	cr_assert(cJSON_IsTrue(member(item, "timedOut")), "%s", cJSON_Print(item));
	cJSON_Delete(item);
	/* known from the platform alone, long after */
	expect_code(124, ARGUMENTS("wait", id));
}

Test(operate, a_detached_terminal_waits_for_its_person)
{
	char id[ID_SIZE];
	struct run run;

	start_detached(id, ARGUMENTS("run", "-d", "-t", "--like", "web", "--", "sh", "-c",
	                             "read line; echo got $line; read line; exit $line"));
	run_start(&run, &(struct run_spec){ARGV("attach", id), .pty = true});
	run_pump(&run, 500);
	run_send(&run, "hello\n");
	cr_assert(run_until(&run, &run.out, 0, "got hello"), RUN_FORMAT, RUN_ARGS(&run));
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert(run_terminal_restored(&run));
	run_release(&run);
	/* what stood there before is shown again, and the input is still open */
	run_start(&run, &(struct run_spec){ARGV("attach", id), .pty = true});
	cr_assert(run_until(&run, &run.out, 0, "got hello"), RUN_FORMAT, RUN_ARGS(&run));
	run_send(&run, "11\n");
	run_finish(&run);
	cr_assert_eq(run.code, 11, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
