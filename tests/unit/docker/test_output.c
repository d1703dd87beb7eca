/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"
#include "pkg/docker/log_channel.h"

/* A channel that gives these texts, one a read, then its end; and notes what is done to it. */
struct script {
	struct channel base;
	const char *const *texts;
	bool is_silent; /* AGAIN instead of the end */
	size_t written;
	bool closed;
};

static enum io_result script_read(struct channel *base, struct chunk *ret)
{
	struct script *script = (struct script *)base;

	if (!*script->texts)
		return script->is_silent ? IO_AGAIN : IO_EOF;
	*ret = (struct chunk){CHUNK_STDOUT, *script->texts, strlen(*script->texts)};
	script->texts++;
	return IO_OK;
}

static enum io_result script_write(struct channel *base, const void *bytes, size_t length,
                                   size_t *ret_written)
{
	(void)bytes;
	((struct script *)base)->written += length;
	*ret_written = length;
	return IO_OK;
}

static void script_close(struct channel *base)
{
	((struct script *)base)->closed = true;
}

static const struct channel_ops script_ops = {
	.read = script_read,
	.write = script_write,
	.close = script_close,
};

#define SCRIPT(...)                                                                                \
	{                                                                                          \
		.base = {&script_ops}, .texts = (const char *const[])                              \
		{                                                                                  \
			__VA_ARGS__, NULL                                                          \
		}                                                                                  \
	}

static void expect_joined(struct script *log, struct script *live, const char *expected)
{
	_cleanup_(strbuf_release) struct strbuf all = STRBUF_INIT;
	struct channel *channel;
	struct err err = ERR_INIT;
	struct chunk chunk;
	size_t written;

	cr_assert_eq(docker_join_open(&log->base, &live->base, &channel, &err), 0);
	while (channel->ops->read(channel, &chunk) == IO_OK)
		strbuf_add(&all, chunk.bytes, chunk.length);
	cr_expect_str_eq(strbuf_str(&all), expected);
	cr_expect_eq(channel->ops->write(channel, "abc", 3, &written), IO_OK);
	cr_expect_eq(live->written, 3, "input goes to the live stream");
	cr_expect_eq(log->written, 0);
	channel->ops->close(channel);
	cr_expect(log->closed && live->closed);
}

Test(output, the_past_comes_before_what_is_live)
{
	struct script log = SCRIPT("one\n", "two\n"), live = SCRIPT("three\n");

	expect_joined(&log, &live, "one\ntwo\nthree\n");
}

/* The stream was attached before the log was read: both may have the lines in between. */
Test(output, what_stands_in_both_is_shown_once)
{
	struct script log = SCRIPT("a line of the past\n", "line number 1000\nline number 1001\n");
	struct script live = SCRIPT("line number 1001\nline number 1002\n", "last\n");

	expect_joined(&log, &live,
	              "a line of the past\nline number 1000\nline number 1001\nline number 1002\n"
	              "last\n");
}

Test(output, a_stream_that_stands_in_the_log_as_a_whole_is_no_end)
{
	struct script log = SCRIPT("line number 1000\n"),
		      live = SCRIPT("line number 1000\n", "last\n");

	expect_joined(&log, &live, "line number 1000\nlast\n");
}

/* A loss is worse than a doubled line break. */
Test(output, a_short_agreement_is_by_chance)
{
	struct script log = SCRIPT("one\n\n"), live = SCRIPT("\n\ntwo\n");

	expect_joined(&log, &live, "one\n\n\n\ntwo\n");
}

#define OURS    "{\"dev.oneoff.id\":\"zzzz9999\"}"
#define RUNNING "{\"Status\":\"running\",\"Running\":true}"
#define EXITED  "{\"Status\":\"exited\",\"Running\":false,\"ExitCode\":9}"

static void adopt(struct docker_bench *bench, const struct fake_task *task,
                  const struct fake_rule *rules, size_t count, const char *state)
{
	struct task_record record = {.id = (char *)"zzzz9999", .name = (char *)"x"};

	docker_bench_open(bench, task, rules, count);
	record.handle = (char *)fake_engine_add(bench->engine, "x", OURS, state);
	cr_assert_eq(docker_adopt(bench->backend, &record, &bench->err), 0, "%s",
	             bench->err.message);
}

Test(output, asks_for_what_is_wanted_of_the_log, .timeout = 20)
{
	static const struct {
		struct output_request request;
		const char *has, *has_not;
	} cases[] = {
		{{.tail = -1}, "/logs?stdout=1&stderr=1", "follow"},
		{{.tail = -1}, "/logs?stdout=1&stderr=1", "tail"},
		{{.tail = 0}, "&tail=0", "follow"},
		{{.tail = 20, .follow = true}, "&follow=1&tail=20", "timestamps"},
		{{.tail = -1, .timestamps = true}, "&timestamps=1", "tail"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct docker_bench bench;
		struct channel *channel;

		adopt(&bench, NULL, NULL, 0, EXITED);
		cr_assert_eq(docker_output(bench.backend, &cases[i].request, &channel, &bench.err),
		             0, "%s", bench.err.message);
		cr_expect_eq(fake_engine_count(bench.engine, "GET", cases[i].has), 1, "case %zu",
		             i);
		cr_expect_eq(fake_engine_count(bench.engine, "GET", cases[i].has_not), 0,
		             "case %zu", i);
		docker_bench_close(&bench);
	}
}

Test(output, a_log_that_the_engine_does_not_have_is_told, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"GET", "/logs", FAKE_REPLY, 501,
	         "{\"message\":\"configured logging driver does not support reading\"}", 0, 0}};
	const struct output_request request = {.tail = -1};
	struct docker_bench bench;
	struct channel *channel;

	adopt(&bench, NULL, rules, 1, EXITED);
	cr_expect_eq(docker_output(bench.backend, &request, &channel, &bench.err), -1);
	cr_expect_eq(bench.err.kind, ERR_OUTPUT_INCOMPLETE);
	cr_expect_not_null(strstr(bench.err.message, "does not support reading"));
	docker_bench_close(&bench);
}

/* Docker ends a log whose reader closes its direction. */
Test(output, the_end_of_our_input_does_not_end_a_log, .timeout = 20)
{
	const struct output_request request = {.tail = -1, .follow = true, .join = true};
	struct docker_bench bench;
	struct channel *channel;
	size_t written;

	adopt(&bench, NULL, NULL, 0, RUNNING);
	cr_assert_eq(docker_output(bench.backend, &request, &channel, &bench.err), 0, "%s",
	             bench.err.message);
	cr_expect_eq(channel->ops->half_close(channel), IO_OK);
	cr_expect_eq(channel->ops->write(channel, "x", 1, &written), IO_EOF);
	docker_bench_close(&bench);
}

/* Podman's follower drops lines after the end: what is left is read from the log as it stands. */
Test(output, podman_s_log_is_read_anew_behind_what_was_shown_once_the_task_has_ended, .timeout = 20)
{
	const struct output_request request = {.tail = -1, .follow = true};
	char bytes[64];
	struct fake_task task = {.stream = bytes, .podman = true};
	enum io_result result = IO_AGAIN;
	struct docker_bench bench;
	struct channel *channel;
	struct chunk chunk;

	task.stream_length = fake_frame(bytes, 0, 1, "line 1\n");
	adopt(&bench, &task, NULL, 0, RUNNING);
	cr_assert_eq(docker_output(bench.backend, &request, &channel, &bench.err), 0, "%s",
	             bench.err.message);
	for (int i = 0; i < 100 && result == IO_AGAIN; i++) {
		cr_assert_eq(loop_wait(&bench.loop, NULL, 0, 10, &bench.err), 0);
		result = channel->ops->read(channel, &chunk);
	}
	cr_assert_eq(result, IO_OK);
	cr_expect_eq(chunk.length, strlen("line 1\n"));
	cr_expect_eq(fake_engine_count(bench.engine, "GET", "follow=1"), 1);
	bench.docker->verdict = true;
	for (int i = 0; i < 20; i++) {
		cr_assert_eq(loop_wait(&bench.loop, NULL, 0, 10, &bench.err), 0);
		cr_assert_eq(channel->ops->read(channel, &chunk), IO_AGAIN, "the line came twice");
	}
	cr_expect_eq(fake_engine_count(bench.engine, "GET", "/logs?"), 2);
	docker_bench_close(&bench);
}
