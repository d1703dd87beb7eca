/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <poll.h>
#include <string.h>
#include "../docker/fake_engine.h"
#include "pkg/net/upgrade.h"

#define PATH "/v1.41/containers/job/attach?stream=1&stdout=1"

struct bench {
	struct fake_engine *engine;
	struct http_target target;
	struct loop loop;
	struct http_client *client;
	struct upgrade *upgrade;
	struct strbuf body;
	struct err err;
};

static int bench_open(struct bench *bench, const struct fake_task *task,
                      const struct fake_rule *rules, size_t count)
{
	*bench = (struct bench){.loop = LOOP_INIT};
	bench->engine = fake_engine_start(task, rules, count);
	fake_engine_add(bench->engine, "job", "{}", "{\"Running\":true}");
	bench->target.socket_path = getenv("DOCKER_HOST") + strlen("unix://");
	bench->target.base_url = "http://localhost";
	bench->target.name = "the engine";
	cr_assert_eq(http_client_open(&bench->target, &bench->loop, &bench->client, &bench->err),
	             0);
	return upgrade_open(bench->client, PATH, 1000, &bench->upgrade, &bench->body, &bench->err);
}

static void bench_close(struct bench *bench)
{
	upgrade_close(bench->upgrade);
	strbuf_release(&bench->body);
	http_client_close(bench->client);
	fake_engine_stop(bench->engine);
}

static enum io_result read_all(struct bench *bench, struct strbuf *text)
{
	char bytes[64];

	for (;;) {
		struct pollfd polled = {.fd = upgrade_fd(bench->upgrade), .events = POLLIN};
		size_t got = 0;
		enum io_result result = upgrade_read(bench->upgrade, bytes, sizeof(bytes), &got);

		if (result == IO_OK)
			strbuf_add(text, bytes, got);
		else if (result != IO_AGAIN)
			return result;
		else
			poll(&polled, 1, 5000);
	}
}

Test(upgrade, bytes_that_come_with_the_head_are_kept, .timeout = 20)
{
	const struct fake_task task = {.stream = "early and late", .stream_length = 14};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct bench bench;

	cr_assert_eq(bench_open(&bench, &task, NULL, 0), 0, "%s", bench.err.message);
	cr_expect_eq(read_all(&bench, &text), IO_EOF);
	cr_expect_str_eq(strbuf_str(&text), "early and late");
	cr_expect_eq(bench.body.length, 0);
	bench_close(&bench);
}

Test(upgrade, a_head_in_single_bytes_is_read, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/attach", FAKE_BYTEWISE, 0, NULL, 0, 0}};
	const struct fake_task task = {
		.stream = "x\r\n\r\ny", .stream_length = 6, .bytewise = true};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct bench bench;

	cr_assert_eq(bench_open(&bench, &task, rules, 1), 0);
	cr_expect_eq(read_all(&bench, &text), IO_EOF);
	cr_expect_str_eq(strbuf_str(&text), "x\r\n\r\ny");
	bench_close(&bench);
}

Test(upgrade, both_directions_and_the_half_close, .timeout = 20)
{
	const struct fake_task task = {.echo = true};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct bench bench;
	size_t written = 0;

	cr_assert_eq(bench_open(&bench, &task, NULL, 0), 0);
	cr_assert_eq(upgrade_write(bench.upgrade, "abc", 3, &written), IO_OK);
	cr_expect_eq(written, 3);
	cr_expect_eq(upgrade_half_close(bench.upgrade), IO_OK);
	cr_expect_eq(read_all(&bench, &text), IO_EOF);
	cr_expect_eq(text.length, 8 + 3);
	cr_expect_eq(memcmp(text.data + 8, "abc", 3), 0);
	cr_expect_eq(upgrade_write(bench.upgrade, "d", 1, &written), IO_EOF);
	bench_close(&bench);
}

Test(upgrade, a_writer_is_told_to_wait, .timeout = 20)
{
	static char block[1 << 16];
	const struct fake_task task = {.for_ever = true};
	enum io_result result;
	struct bench bench;
	size_t written;

	cr_assert_eq(bench_open(&bench, &task, NULL, 0), 0);
	while ((result = upgrade_write(bench.upgrade, block, sizeof(block), &written)) == IO_OK)
		;
	cr_expect_eq(result, IO_AGAIN);
	bench_close(&bench);
}

Test(upgrade, refusals_give_status_and_words, .timeout = 20)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} refusals[] = {
		{404, "{\"message\":\"No such container\"}", ERR_NOT_FOUND},
		{400, "{\"message\":\"invalid detach keys\"}", ERR_REFUSED},
		{403, "forbidden by a proxy", ERR_REFUSED},
		{302, "", ERR_REFUSED},
	};
	const struct fake_task task = {.code = 0};

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct fake_rule rules[] = {{"POST", "/attach", FAKE_REPLY,
		                                   refusals[i].status, refusals[i].body, 0, 0}};
		struct bench bench;

		cr_expect_eq(bench_open(&bench, &task, rules, 1), -1);
		cr_expect_eq(bench.err.kind, refusals[i].kind);
		cr_expect_eq(bench.err.http_status, refusals[i].status);
		cr_expect_str_eq(strbuf_str(&bench.body), refusals[i].body);
		cr_expect_null((void *)bench.upgrade);
		bench_close(&bench);
	}
}

Test(upgrade, an_answer_that_does_not_come, .timeout = 20)
{
	static const struct {
		enum fake_action action;
		enum err_kind kind;
	} faults[] = {
		{FAKE_DROP, ERR_LOST},
		{FAKE_FREEZE, ERR_START_TIMEOUT},
		{FAKE_FLOOD_HEAD, ERR_PROTOCOL},
	};
	const struct fake_task task = {.code = 0};

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const struct fake_rule rules[] = {
			{"POST", "/attach", faults[i].action, 0, NULL, 0, 0}};
		struct bench bench;

		cr_expect_eq(bench_open(&bench, &task, rules, 1), -1);
		cr_expect_eq(bench.err.kind, faults[i].kind, "%s", bench.err.message);
		cr_expect_eq(bench.err.http_status, 0);
		bench_close(&bench);
	}
}
