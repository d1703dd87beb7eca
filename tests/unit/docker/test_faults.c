/* SPDX-License-Identifier: Apache-2.0 */
/* The fault list of reliability.md, section 5, as far as an engine can be at fault; numbers are
 * its. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include "fake_engine.h"
#include "fake_run.h"
#include "pkg/base/clock.h"

#define ONE_FRAME "\1\0\0\0\0\0\0\5hello"

/* A task that says hello and ends with `number`. */
static const struct fake_task hello = {.stream = ONE_FRAME, .stream_length = 13};
static const struct fake_task hello_7 = {.stream = ONE_FRAME, .stream_length = 13, .code = 7};

/* Runs it and checks what every case must keep: one start at most, nothing left. */
static struct fake_engine *run_against(const struct fake_task *task, const struct fake_rule *rules,
                                       size_t count, struct fake_run *run)
{
	struct fake_engine *engine = fake_engine_start(task, rules, count);

	fake_run_go(run);
	cr_expect_leq(fake_engine_count(engine, "POST", "/start"), 1);
	cr_expect_leq(fake_engine_created(engine), 1);
	return engine;
}

static void expect_clean(struct fake_engine *engine, struct fake_run *run, int code)
{
	cr_expect_eq(run->exit_code, code, "%s", fake_run_said(run));
	cr_expect_eq(fake_engine_left(engine), 0, "%s", fake_run_said(run));
	cr_expect_eq(run->outcome.remove_failure.kind, ERR_NONE, "%s", fake_run_said(run));
	fake_engine_stop(engine);
	fake_run_release(run);
}

Test(faults, none, .timeout = 20)
{
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&hello_7, NULL, 0, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "hello");
	cr_expect(run.outcome.started && run.outcome.status.known);
	cr_expect_not(run.outcome.output_lost);
	cr_expect_eq(run.outcome.bytes_out[CHUNK_STDOUT], 5);
	cr_expect_eq(fake_engine_created(engine), 1);
	cr_expect_eq(fake_engine_count(engine, "POST", "/start"), 1);
	cr_expect_str_eq(run.reason, "task");
	expect_clean(engine, &run, 7);
}

Test(faults, f01_nobody_listens, .timeout = 20)
{
	struct fake_run run;

	fake_run_init(&run, NULL);
	setenv("DOCKER_HOST", "unix:///tmp/oneoff-no-such-folder/docker.sock", 1);
	fake_run_go(&run);
	cr_expect_not(run.ran);
	cr_expect_eq(run.exit_code, 125);
	cr_expect_lt(run.took_ms, 1000);
	cr_expect_not_null(strstr(run.outcome.failure.message, "no-such-folder"));
	cr_expect_not_null(strstr(run.outcome.failure.message, "DOCKER_HOST"), "%s",
	                   run.outcome.failure.message);
	fake_run_release(&run);
}

Test(faults, f07_create_took_effect_but_its_reply_is_lost, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/create", FAKE_DROP_AFTER, 0, NULL, 0, 1}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&hello_7, rules, 1, &run);
	cr_expect_eq(fake_engine_created(engine), 1);
	cr_expect_eq(fake_engine_count(engine, "POST", "/start"), 1);
	cr_expect_str_eq(strbuf_str(&run.out), "hello");
	expect_clean(engine, &run, 7);
}

Test(faults, f07_create_took_effect_but_a_proxy_says_502, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"POST", "/create", FAKE_REPLY_AFTER, 502, "<html>Bad Gateway</html>", 0, 1}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&hello_7, rules, 1, &run);
	cr_expect_eq(fake_engine_created(engine), 1);
	expect_clean(engine, &run, 7);
}

Test(faults, f07_create_fails_for_good, .timeout = 20)
{
	static const int codes[] = {500, 503};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		const struct fake_rule rules[] = {{"POST", "/create", FAKE_REPLY, codes[i],
		                                   "{\"message\":\"no space\"}", 0, 0}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&hello, rules, 1, &run);
		cr_expect_not(run.outcome.started);
		cr_expect_not_null(strstr(run.outcome.failure.message, "no space"));
		cr_expect_eq(fake_engine_count(engine, "POST", "/start"), 0);
		expect_clean(engine, &run, 125);
	}
}

Test(faults, f07_start_took_effect_but_its_reply_is_lost, .timeout = 20)
{
	static const enum fake_action actions[] = {FAKE_DROP_AFTER, FAKE_REPLY_AFTER};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct fake_task task = {ONE_FRAME, 13, .code = 7, .end_after_ms = 300};
		const struct fake_rule rules[] = {
			{"POST", "/start", actions[i], 504, "Gateway Timeout", 0, 0}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&task, rules, 1, &run);
		cr_expect(run.outcome.started);
		cr_expect_str_eq(strbuf_str(&run.out), "hello");
		expect_clean(engine, &run, 7);
	}
}

Test(faults, f07_start_lost_and_the_task_is_over_already, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/start", FAKE_DROP_AFTER, 0, NULL, 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&hello_7, rules, 1, &run);
	expect_clean(engine, &run, 7);
}

Test(faults, f07_start_dropped_before_it_took_effect, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/start", FAKE_DROP, 0, NULL, 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&hello_7, rules, 1, &run);
	cr_expect_not(run.outcome.started);
	expect_clean(engine, &run, 125);
}

Test(faults, f07_nobody_can_say_whether_it_started, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"POST", "/start", FAKE_DROP_AFTER, 0, NULL, 0, 0},
		{"GET", "-oneoff-", FAKE_REPLY, 500, "down", 0, 0},
		{"GET", "^/containers/0000", FAKE_REPLY, 500, "down", 0, 0},
	};
	const struct fake_task task = {.for_ever = true};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, rules, 3, &run);
	expect_clean(engine, &run, 121);
}

Test(faults, f08_name_is_taken_by_another_task, .timeout = 20)
{
	struct fake_run run;
	struct fake_engine *engine = fake_engine_start(&hello, NULL, 0);

	fake_engine_add(engine, "mine", "{\"dev.oneoff.id\":\"otherone\"}",
	                "{\"Status\":\"running\",\"Running\":true}");
	fake_run_init(&run, NULL);
	run.request.name = strdup("mine");
	fake_run_go(&run);
	cr_expect_eq(run.outcome.failure.kind, ERR_CONFLICT);
	cr_expect(fake_engine_has(engine, "mine"), "it belonged to another client");
	cr_expect_eq(fake_engine_count(engine, "DELETE", "mine"), 0);
	expect_clean(engine, &run, 125);
}

Test(faults, f08_removal_in_progress_then_gone, .timeout = 20)
{
	const struct fake_task task = {ONE_FRAME, 13, .code = 7, .removal_looks = 3};
	const struct fake_rule rules[] = {
		{"POST", "/wait", FAKE_REPLY_AFTER, 200,
	         "{\"StatusCode\":7,\"Error\":{\"Message\":\"removal is slow\"}}", 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, rules, 1, &run);
	cr_expect_str_eq(run.outcome.status.message, "removal is slow");
	cr_expect_geq(fake_engine_count(engine, "DELETE", "/containers/"), 1);
	expect_clean(engine, &run, 7);
}

Test(faults, f09_wait_is_cut_and_the_container_gone, .timeout = 20)
{
	const struct fake_task task = {ONE_FRAME, 13, .code = 0, .end_after_ms = 100};
	const struct fake_rule rules[] = {
		{"POST", "/wait", FAKE_DROP_AFTER, 0, NULL, 0, 1},
		{"POST", "/wait", FAKE_REPLY, 404, "{\"message\":\"No such container: x\"}", 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = fake_engine_start(&task, rules, 2);
	fake_run_go(&run);
	cr_expect_not(run.outcome.status.known);
	cr_expect_str_eq(run.reason, "result-unknown");
	expect_clean(engine, &run, 121);
}

Test(faults, f09_wait_answers_404_before_the_start, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"POST", "/wait", FAKE_REPLY, 404, "{\"message\":\"No such container: x\"}", 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&hello, rules, 1, &run);
	cr_expect_not(run.outcome.started, "nothing may run whose end nobody would see");
	cr_expect_eq(fake_engine_count(engine, "POST", "/start"), 0);
	expect_clean(engine, &run, 125);
}

Test(faults, f09_wait_is_dropped_before_the_start, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/wait", FAKE_DROP, 0, NULL, 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&hello, rules, 1, &run);
	cr_expect_eq(fake_engine_count(engine, "POST", "/start"), 0);
	expect_clean(engine, &run, 125);
}

/* AutoRemove is off with --keep, so the record tells the code that the wait did not. */
Test(faults, f12_wait_is_cut_at_each_byte, .timeout = 60)
{
	for (size_t n = 0; n < 42; n++) {
		const struct fake_rule rules[] = {{"POST", "/wait", FAKE_CUT, 0, NULL, n, 1}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		run.request.keep = KEEP_FAILED;
		engine = run_against(&hello_7, rules, 1, &run);
		cr_expect_eq(run.exit_code, 7, "cut at %zu: %s", n, fake_run_said(&run));
		cr_expect_eq(fake_engine_left(engine), 1);
		fake_engine_stop(engine);
		fake_run_release(&run);
	}
}

Test(faults, f12_create_reply_is_cut_at_each_byte, .timeout = 60)
{
	for (size_t n = 0; n < 180; n += 9) {
		const struct fake_rule rules[] = {{"POST", "/create", FAKE_CUT, 0, NULL, n, 1}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&hello_7, rules, 1, &run);
		expect_clean(engine, &run, 7);
	}
}

Test(faults, f12_inspect_of_the_source_is_cut, .timeout = 60)
{
	for (size_t n = 1; n < 5400; n += 500) {
		const struct fake_rule rules[] = {{"GET", "/web/json", FAKE_CUT, 0, NULL, n, 0}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&hello, rules, 1, &run);
		cr_expect_not(run.ran);
		expect_clean(engine, &run, 125);
	}
}

Test(faults, f12_a_proxy_cuts_the_wait_with_words, .timeout = 20)
{
	const struct fake_task task = {ONE_FRAME, 13, .code = 7, .end_after_ms = 100};
	const struct fake_rule rules[] = {
		{"POST", "/wait", FAKE_REPLY_AFTER, 200, "upstream request timeout", 0, 1}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	run.request.keep = KEEP_ALWAYS;
	engine = run_against(&task, rules, 1, &run);
	cr_expect_eq(run.exit_code, 7, "%s", fake_run_said(&run));
	fake_engine_stop(engine);
	fake_run_release(&run);
}

static const char *const hostile[] = {
	"",
	"{",
	"null",
	"[]",
	"42",
	"{}",
	"{\"Id\":1}",
	"{\"Id\":\"a\",\"Id\":\"b\"}",
	"{\"Id\":1e400}",
	"{\"Id\":\"a\\u0000b\"}",
	"{\"Id\":\"\xff\xfe\"}",
	"\"\x1b[2J\"",
	"{\"Id\":\"x\",\"Name\":\"/web\",\"Image\":\"sha256:1\"}",
	"{\"Id\":\"x\",\"Name\":\"/web\",\"Image\":\"sha256:1\",\"Config\":[],\"HostConfig\":7}",
};

Test(faults, f13_hostile_documents, .timeout = 60)
{
	_cleanup_(strbuf_release) struct strbuf deep = STRBUF_INIT;

	for (int i = 0; i < 1001; i++)
		strbuf_adds(&deep, "{\"Id\":");
	for (size_t i = 0; i <= ARRAY_SIZE(hostile); i++) {
		const char *body = i < ARRAY_SIZE(hostile) ? hostile[i] : strbuf_str(&deep);
		const struct fake_rule rules[] = {
			{"GET", "/web/json", FAKE_REPLY, 200, body, 0, 0}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&hello, rules, 1, &run);
		cr_expect_not(run.ran, "document %zu was believed", i);
		cr_expect_neq(run.outcome.failure.message[0], '\0');
		expect_clean(engine, &run, 125);
	}
}

Test(faults, f13_hostile_verdicts_are_not_believed, .timeout = 60)
{
	static const char *const verdicts[] = {"null",
	                                       "{\"StatusCode\":\"0\"}",
	                                       "{\"StatusCode\":1.5}",
	                                       "{\"StatusCode\":-1}",
	                                       "{\"StatusCode\":256}",
	                                       "{\"StatusCode\":1e400}",
	                                       "{\"Statuscode\":0}"};

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		const struct fake_rule rules[] = {
			{"POST", "/wait", FAKE_REPLY_AFTER, 200, verdicts[i], 0, 0}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&hello, rules, 1, &run);
		cr_expect_not(run.outcome.status.known, "%s", verdicts[i]);
		expect_clean(engine, &run, 121);
	}
}

Test(faults, f14_floods_are_cut_off, .timeout = 60)
{
	static const enum fake_action actions[] = {FAKE_FLOOD_BODY, FAKE_FLOOD_HEAD};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct fake_rule rules[] = {{"GET", "/web/json", actions[i], 0, NULL, 0, 0}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&hello, rules, 1, &run);
		cr_expect_not(run.ran);
		cr_expect_eq(run.outcome.failure.kind,
		             actions[i] == FAKE_FLOOD_BODY ? ERR_NO_MEMORY : ERR_LOST);
		expect_clean(engine, &run, 125);
	}
}

Test(faults, f14_every_answer_comes_byte_by_byte, .timeout = 60)
{
	const struct fake_task task = {ONE_FRAME, 13, .code = 7, .bytewise = true};
	const struct fake_rule rules[] = {{"GET", "", FAKE_BYTEWISE, 0, NULL, 0, 0},
	                                  {"POST", "", FAKE_BYTEWISE, 0, NULL, 0, 0},
	                                  {"DELETE", "", FAKE_BYTEWISE, 0, NULL, 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, rules, 3, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "hello");
	expect_clean(engine, &run, 7);
}

Test(faults, f15_engine_words_are_kept_for_the_printer_to_escape, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"POST", "/create", FAKE_REPLY, 400, "{\"message\":\"\\u001b[2Jgone\"}", 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&hello, rules, 1, &run);
	cr_expect_not_null(strstr(run.outcome.failure.message, "\x1b[2Jgone"));
	cr_expect_eq(run.err.length, 0, "pkg never prints");
	expect_clean(engine, &run, 125);
}

Test(faults, f16_redirects_are_refused, .timeout = 60)
{
	static const char *const where[][2] = {
		{"GET", "/_ping"},   {"GET", "/web/json"}, {"POST", "/create"},
		{"POST", "/attach"}, {"POST", "/start"},   {"POST", "/wait"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
		const struct fake_rule rules[] = {
			{where[i][0], where[i][1], FAKE_REPLY, 302, "", 0, 0}};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&hello, rules, 1, &run);
		cr_expect_not(run.outcome.started, "%s", where[i][1]);
		expect_clean(engine, &run, 125);
	}
}

Test(faults, f16_a_redirected_delete_is_no_removal, .timeout = 30)
{
	const struct fake_rule rules[] = {{"POST", "/start", FAKE_REPLY, 500, "no", 0, 0},
	                                  {"DELETE", "", FAKE_REPLY, 302, "", 0, 1},
	                                  {"DELETE", "", FAKE_REPLY, 503, "", 0, 1}};
	struct fake_run run;
	struct fake_engine *engine = fake_engine_start(&hello, rules, 2);

	fake_run_init(&run, NULL);
	fake_run_go(&run);
	cr_expect_eq(run.exit_code, 125);
	cr_expect_eq(run.outcome.remove_failure.kind, ERR_NOT_REMOVED, "%s", fake_run_said(&run));
	fake_engine_stop(engine);
	fake_run_release(&run);
}
