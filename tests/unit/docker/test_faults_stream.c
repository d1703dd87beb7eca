/* SPDX-License-Identifier: Apache-2.0 */
/* The fault list, continued: streams, verdicts and removals that go wrong. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include "fake_engine.h"
#include "fake_run.h"
#include "pkg/base/clock.h"

#define ONE_FRAME "\1\0\0\0\0\0\0\5hello"

static struct fake_engine *run_against(const struct fake_task *task, const struct fake_rule *rules,
                                       size_t count, struct fake_run *run)
{
	struct fake_engine *engine = fake_engine_start(task, rules, count);

	fake_run_go(run);
	cr_expect_eq(fake_engine_count(engine, "POST", "/start"), 1);
	cr_expect_eq(fake_engine_created(engine), 1);
	return engine;
}

static void finish(struct fake_engine *engine, struct fake_run *run, int code)
{
	cr_expect_eq(run->exit_code, code, "%s", fake_run_said(run));
	cr_expect_eq(fake_engine_left(engine), 0, "%s", fake_run_said(run));
	fake_engine_stop(engine);
	fake_run_release(run);
}

Test(faults, f19_reset_after_n_bytes, .timeout = 60)
{
	static const char text[] = "\1\0\0\0\0\0\0\2ab\2\0\0\0\0\0\0\2cd\1\0\0\0\0\0\0\2ef";

	/* Closing a unix socket with unread input resets it; the task ended all the same. */
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		const struct fake_task task = {.stream = text, .stream_length = n, .code = 3};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, "input that the task never reads");
		engine = run_against(&task, NULL, 0, &run);
		cr_expect_eq(strncmp(strbuf_str(&run.out), "abef", run.out.length), 0);
		cr_expect_leq(run.err.length, 2);
		finish(engine, &run, 3);
	}
}

Test(faults, f20_the_end_inside_a_frame_is_a_loss, .timeout = 60)
{
	for (size_t n = 1; n < 13; n++) {
		const struct fake_task task = {.stream = ONE_FRAME, .stream_length = n};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&task, NULL, 0, &run);
		cr_expect(run.outcome.output_lost, "cut at %zu", n);
		cr_expect_str_eq(run.reason, "output-incomplete");
		finish(engine, &run, 120);
	}
}

Test(faults, f20_a_known_code_counts_though_the_frame_was_cut, .timeout = 20)
{
	const struct fake_task task = {.stream = ONE_FRAME, .stream_length = 9, .code = 3};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect(run.outcome.output_lost);
	finish(engine, &run, 3);
}

/* Longer than the 5 s after which we ask; the first wait must not be thrown away. */
Test(faults, f20_the_stream_ends_while_the_task_runs, .timeout = 20)
{
	const struct fake_task task = {ONE_FRAME, 13, .code = 3, .stream_ends = true,
	                               .end_after_ms = 6500};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "hello");
	cr_expect_eq(fake_engine_count(engine, "POST", "/wait"), 1);
	finish(engine, &run, 3);
}

Test(faults, f24_bytes_that_are_no_frames, .timeout = 60)
{
	static const char *const starts[] = {"\5\0\0\0\0\0\0\1x", "\1\1\0\0\0\0\0\1x",
	                                     "\1\0\0\1\0\0\0\1x", "HTTP/1.1 400 Bad Request\r\n"};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		const struct fake_task task = {.stream = starts[i], .stream_length = 9};
		struct fake_run run;
		struct fake_engine *engine;

		fake_run_init(&run, NULL);
		engine = run_against(&task, NULL, 0, &run);
		cr_expect(run.outcome.output_lost);
		cr_expect_eq(run.out.length, 0);
		finish(engine, &run, 120);
	}
}

Test(faults, f24_a_frame_of_4_gib_is_not_stored, .timeout = 20)
{
	const struct fake_task task = {.stream = "\1\0\0\0\xff\xff\xff\xffhello",
	                               .stream_length = 13};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "hello");
	finish(engine, &run, 120);
}

Test(faults, f24_the_daemon_says_an_error_in_the_stream, .timeout = 20)
{
	char stream[64];
	struct fake_task task = {.stream = stream};
	struct fake_run run;
	struct fake_engine *engine;

	task.stream_length = fake_frame(stream, 0, 1, "part");
	task.stream_length = fake_frame(stream, task.stream_length, 3, "log driver died");
	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "part");
	finish(engine, &run, 120);
}

Test(faults, f25_small_and_empty_frames, .timeout = 60)
{
	static char stream[20000];
	struct fake_task task = {.stream = stream};
	struct fake_run run;
	struct fake_engine *engine;

	for (int i = 0; i < 500; i++) {
		task.stream_length = fake_frame(stream, task.stream_length, 1, "");
		task.stream_length = fake_frame(stream, task.stream_length, 2, "e");
		task.stream_length = fake_frame(stream, task.stream_length, 1, "o");
	}
	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_eq(run.out.length, 500);
	cr_expect_eq(run.err.length, 500);
	cr_expect_eq(strspn(strbuf_str(&run.out), "o"), 500);
	cr_expect_eq(strspn(strbuf_str(&run.err), "e"), 500);
	finish(engine, &run, 0);
}

Test(faults, f26_every_header_is_split_at_every_byte, .timeout = 60)
{
	char stream[64];
	struct fake_task task = {.stream = stream, .bytewise = true};
	struct fake_run run;
	struct fake_engine *engine;

	task.stream_length = fake_frame(stream, 0, 1, "one");
	task.stream_length = fake_frame(stream, task.stream_length, 2, "two");
	task.stream_length = fake_frame(stream, task.stream_length, 1, "three");
	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "onethree");
	cr_expect_str_eq(strbuf_str(&run.err), "two");
	finish(engine, &run, 0);
}

Test(faults, f27_the_verdict_comes_before_the_output, .timeout = 20)
{
	const struct fake_task task = {ONE_FRAME, 13, .verdict_first = true};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "hello");
	cr_expect_not(run.outcome.output_lost);
	finish(engine, &run, 0);
}

/* The limit of 10 s. */
Test(faults, f27_a_stream_that_stays_open_is_given_up, .timeout = 20)
{
	const struct fake_task task = {ONE_FRAME, 13, .stream_stays = true};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "hello");
	cr_expect(run.outcome.output_lost);
	cr_expect(run.took_ms > 9000 && run.took_ms < 12000, "%lld ms", (long long)run.took_ms);
	finish(engine, &run, 120);
}

Test(faults, f35_the_end_of_input_reaches_the_task, .timeout = 20)
{
	const struct fake_task task = {.echo = true, .code = 5};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, "line 1\nline 2\nno newline");
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_str_eq(strbuf_str(&run.out), "line 1\nline 2\nno newline");
	cr_expect_eq(run.outcome.bytes_in, 24);
	finish(engine, &run, 5);
}

Test(faults, f69_the_image_is_missing, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"POST", "/create", FAKE_REPLY, 404, "{\"message\":\"No such image: x:1\"}", 0, 0}};
	const struct fake_task task = {.code = 0};
	struct fake_run run;
	struct fake_engine *engine = fake_engine_start(&task, rules, 1);

	fake_run_init(&run, NULL);
	fake_run_go(&run);
	cr_expect_not_null(strstr(run.outcome.failure.message, "No such image: x:1"));
	cr_expect_neq(run.outcome.failure.hint[0], '\0');
	finish(engine, &run, 125);
}

Test(faults, f69_an_engine_that_falls_silent_at_create, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/create", FAKE_FREEZE, 0, NULL, 0, 0}};
	const struct fake_task task = {.code = 0};
	struct fake_run run;
	struct fake_engine *engine = fake_engine_start(&task, rules, 1);

	fake_run_init(&run, NULL);
	/* A second is enough for the answers of this engine. */
	run.call_timeout_ms = 1000;
	fake_run_go(&run);
	cr_expect_eq(run.outcome.failure.kind, ERR_START_TIMEOUT, "%s", fake_run_said(&run));
	cr_expect_lt(run.took_ms, 9000);
	finish(engine, &run, 125);
}

/* The limit of 10 s, although one call could have taken five minutes. */
Test(faults, f68_the_delete_freezes, .timeout = 25)
{
	const struct fake_task task = {ONE_FRAME, 13, .removal_looks = -1};
	const struct fake_rule rules[] = {{"POST", "/wait", FAKE_REPLY_AFTER, 200,
	                                   "{\"StatusCode\":0,\"Error\":{\"Message\":\"busy\"}}", 0,
	                                   0},
	                                  {"DELETE", "", FAKE_FREEZE, 0, NULL, 0, 0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, rules, 2, &run);
	cr_expect_eq(run.exit_code, 122, "%s", fake_run_said(&run));
	cr_expect_eq(run.outcome.remove_failure.kind, ERR_NOT_REMOVED);
	cr_expect_lt(run.took_ms, 12000);
	cr_expect_not_null(strstr(run.outcome.remove_failure.hint, "rm -f"));
	fake_engine_stop(engine);
	fake_run_release(&run);
}

/* The limit of 10 s. */
Test(faults, f74_the_removal_is_stuck, .timeout = 25)
{
	const struct fake_task task = {ONE_FRAME, 13, .removal_looks = -1};
	const struct fake_rule rules[] = {{"POST", "/wait", FAKE_REPLY_AFTER, 200,
	                                   "{\"StatusCode\":0,\"Error\":{\"Message\":\"busy\"}}", 0,
	                                   0}};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, rules, 1, &run);
	cr_expect_eq(run.exit_code, 122, "%s", fake_run_said(&run));
	cr_expect_not_null(strstr(run.outcome.remove_failure.message, "already in progress"));
	cr_expect_lt(run.took_ms, 12000);
	fake_engine_stop(engine);
	fake_run_release(&run);
}

Test(faults, f75_somebody_deletes_the_clone, .timeout = 20)
{
	/* What Docker's wait says then; the code 137 alone does not mean memory. */
	const struct fake_task task = {ONE_FRAME, 13, .code = 137, .end_after_ms = 200};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, NULL, 0, &run);
	cr_expect_not(run.outcome.status.out_of_memory);
	cr_expect_eq(fake_engine_count(engine, "GET", "/events"), 1);
	cr_expect_lt(run.took_ms, 5000);
	finish(engine, &run, 137);
}

Test(faults, f84_an_answer_about_another_container, .timeout = 20)
{
	/* Once; the next question gets the right answer. */
	const struct fake_rule rules[] = {
		{"POST", "/wait", FAKE_DROP_AFTER, 0, NULL, 0, 1},
		{"GET", "^/containers/0000", FAKE_REPLY, 200,
	         "{\"Id\":\"other\",\"State\":{\"Status\":\"exited\",\"ExitCode\":0}}", 0, 1}};
	const struct fake_task task = {ONE_FRAME, 13, .code = 9, .end_after_ms = 400};
	struct fake_run run;
	struct fake_engine *engine;

	fake_run_init(&run, NULL);
	engine = run_against(&task, rules, 2, &run);
	finish(engine, &run, 9);
}
