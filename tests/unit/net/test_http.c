/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "../docker/fake_engine.h"
#include "pkg/base/clock.h"
#include "pkg/net/http.h"

struct bench {
	struct fake_engine *engine;
	struct http_target target;
	struct loop loop;
	struct http_client *client;
	struct http_reply reply;
	struct err err;
};

static const struct fake_task no_task = {.code = 0};

static void bench_open(struct bench *bench, const struct fake_rule *rules, size_t count)
{
	*bench = (struct bench){.loop = LOOP_INIT};
	bench->engine = fake_engine_start(&no_task, rules, count);
	bench->target.socket_path = getenv("DOCKER_HOST") + strlen("unix://");
	bench->target.base_url = "http://localhost";
	bench->target.name = "the engine";
	cr_assert_eq(http_client_open(&bench->target, &bench->loop, &bench->client, &bench->err), 0,
	             "%s", bench->err.message);
}

static int get(struct bench *bench, const char *path, size_t max_bytes, int64_t timeout_ms)
{
	struct http_message message = {
		.method = "GET", .path = path, .max_bytes = max_bytes, .timeout_ms = timeout_ms};

	return http_call(bench->client, &message, &bench->reply, &bench->err);
}

static void bench_close(struct bench *bench)
{
	http_reply_release(&bench->reply);
	http_client_close(bench->client);
	cr_expect_null((void *)bench->loop.driver.context);
	fake_engine_stop(bench->engine);
}

Test(http, a_reply_has_status_head_and_body, .timeout = 20)
{
	struct bench bench;
	char value[64];

	bench_open(&bench, NULL, 0);
	cr_assert_eq(get(&bench, "/_ping", 0, 5000), 0, "%s", bench.err.message);
	cr_expect_eq(bench.reply.status, 200);
	cr_expect_str_eq(strbuf_str(&bench.reply.body), "OK");
	cr_expect(http_header(&bench.reply, "api-version", value, sizeof(value)));
	cr_expect_str_eq(value, "1.41");
	cr_expect_not(http_header(&bench.reply, "api", value, sizeof(value)));
	cr_expect(http_header(&bench.reply, "API-VERSION", value, 3));
	cr_expect_str_eq(value, "1.");
	bench_close(&bench);
}

Test(http, a_refusal_is_a_reply, .timeout = 20)
{
	struct bench bench;

	bench_open(&bench, NULL, 0);
	cr_assert_eq(get(&bench, "/containers/nope/json", 0, 5000), 0);
	cr_expect_eq(bench.reply.status, 404);
	cr_expect_not_null(strstr(strbuf_str(&bench.reply.body), "No such container"));
	bench_close(&bench);
}

Test(http, a_redirect_is_not_followed, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/_ping", FAKE_REPLY, 302, "", 0, 0}};
	struct bench bench;

	bench_open(&bench, rules, 1);
	cr_assert_eq(get(&bench, "/_ping", 0, 5000), 0);
	cr_expect_eq(bench.reply.status, 302);
	cr_expect_eq(fake_engine_count(bench.engine, "GET", ""), 1);
	bench_close(&bench);
}

Test(http, nobody_there_is_unreachable, .timeout = 20)
{
	struct http_target target = {.socket_path = "/tmp/oneoff-nobody.sock",
	                             .base_url = "http://localhost",
	                             .name = "nobody"};
	struct http_message message = {.method = "GET", .path = "/"};
	struct http_reply reply = HTTP_REPLY_INIT;
	struct loop loop = LOOP_INIT;
	struct http_client *client;
	struct err err = ERR_INIT;

	cr_assert_eq(http_client_open(&target, &loop, &client, &err), 0);
	cr_expect_eq(http_call(client, &message, &reply, &err), -1);
	cr_expect_eq(err.kind, ERR_UNREACHABLE);
	cr_expect_eq(strncmp(err.message, "nobody: ", 8), 0, "%s", err.message);
	http_client_close(client);
}

Test(http, silence_ends_at_the_limit, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/_ping", FAKE_FREEZE, 0, NULL, 0, 0}};
	int64_t before = clock_monotonic_ms();
	struct bench bench;

	bench_open(&bench, rules, 1);
	cr_expect_eq(get(&bench, "/_ping", 0, 200), -1);
	cr_expect_eq(bench.err.kind, ERR_START_TIMEOUT);
	cr_expect_lt(clock_monotonic_ms() - before, 3000);
	cr_expect_eq(bench.reply.status, 0, "outputs stay as they were");
	bench_close(&bench);
}

Test(http, a_body_is_bounded, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/flood", FAKE_FLOOD_BODY, 0, NULL, 0, 0},
	                                  {"GET", "/head", FAKE_FLOOD_HEAD, 0, NULL, 0, 0}};
	struct bench bench;

	bench_open(&bench, rules, 2);
	cr_expect_eq(get(&bench, "/flood", 100000, 10000), -1);
	cr_expect_eq(bench.err.kind, ERR_NO_MEMORY);
	cr_expect_not_null(strstr(bench.err.message, "larger than it may be"));
	cr_expect_eq(get(&bench, "/head", 0, 10000), -1);
	cr_expect_eq(bench.err.kind, ERR_LOST);
	bench_close(&bench);
}

/* Without it a list of ten thousand containers would have to fit into memory. */
Test(http, a_window_lets_the_server_wait, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/flood", FAKE_FLOOD_BODY, 0, NULL, 0, 0}};
	const size_t window = 65536;
	size_t at = 0;
	struct http_message message = {.method = "GET", .path = "/flood", .window = window};
	struct http_request *request;
	struct bench bench;

	bench_open(&bench, rules, 1);
	cr_assert_eq(http_start(bench.client, &message, &request, &bench.err), 0);
	for (int round = 0; round < 20; round++) {
		_cleanup_(strbuf_release) struct strbuf piece = STRBUF_INIT;

		for (int turn = 0; turn < 1000 && !http_is_full(request); turn++)
			cr_assert_eq(loop_wait(&bench.loop, NULL, 0, 100, &bench.err), 0);
		/* however often it is driven */
		for (int turn = 0; turn < 5; turn++)
			cr_assert_eq(loop_wait(&bench.loop, NULL, 0, 1, &bench.err), 0);
		cr_assert(http_is_full(request));
		http_take(request, &piece);
		cr_expect_geq(piece.length, window);
		cr_expect_lt(piece.length, window + CURL_MAX_WRITE_SIZE);
		/* not a byte lost between two pieces */
		for (size_t i = 0; i < piece.length; i++, at++)
			cr_assert_eq(piece.data[i],
			             at ? "\"0123456789abcdef\","[(at - 1) % 19] : '[');
	}
	cr_expect_not(http_is_done(request));
	http_cancel(request);
	bench_close(&bench);
}

Test(http, a_cut_reply_is_lost_at_each_byte, .timeout = 60)
{
	for (size_t n = 0; n < 90; n++) {
		const struct fake_rule rules[] = {{"GET", "/_ping", FAKE_CUT, 0, NULL, n, 0}};
		struct bench bench;

		bench_open(&bench, rules, 1);
		cr_expect_eq(get(&bench, "/_ping", 0, 5000), -1, "cut at %zu", n);
		cr_expect_eq(bench.err.kind, ERR_LOST, "cut at %zu: %s", n, bench.err.message);
		bench_close(&bench);
	}
}

static void post(struct bench *bench, bool once)
{
	struct http_message message = {.method = "POST", .path = "/effect", .once = once};

	cr_expect_eq(http_call(bench->client, &message, &bench->reply, &bench->err), -1);
	cr_expect_eq(bench->err.kind, ERR_LOST);
}

/* A kept connection that dies without an answer makes libcurl send a request again. */
Test(http, what_may_be_sent_once_is_sent_once, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/effect", FAKE_DROP_AFTER, 0, NULL, 0, 0}};
	struct bench bench;

	bench_open(&bench, rules, 1);
	cr_assert_eq(get(&bench, "/_ping", 0, 5000), 0);
	post(&bench, true);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/effect"), 1);
	bench_close(&bench);
}

Test(http, requests_run_side_by_side, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/slow", FAKE_FREEZE, 0, NULL, 0, 0}};
	struct http_message slow = {.method = "GET", .path = "/slow"};
	struct http_request *request;
	struct bench bench;

	bench_open(&bench, rules, 1);
	cr_assert_eq(http_start(bench.client, &slow, &request, &bench.err), 0);
	cr_expect_eq(get(&bench, "/_ping", 0, 5000), 0);
	cr_expect_not(http_is_done(request));
	cr_expect_not(http_has_head(request));
	cr_expect_eq(http_wait_head(request, 50, &bench.err), -1);
	cr_expect_eq(bench.err.kind, ERR_START_TIMEOUT);
	http_cancel(request);
	http_cancel(NULL);
	bench_close(&bench);
}

Test(http, closing_cancels_what_is_under_way, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/slow", FAKE_FREEZE, 0, NULL, 0, 0}};
	struct http_message slow = {.method = "GET", .path = "/slow"};
	struct http_request *request;
	struct bench bench;

	bench_open(&bench, rules, 1);
	cr_assert_eq(http_start(bench.client, &slow, &request, &bench.err), 0);
	bench_close(&bench);
}

static bool stop(void *context)
{
	(void)context;
	return true;
}

Test(http, a_call_can_be_interrupted, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/slow", FAKE_FREEZE, 0, NULL, 0, 0}};
	struct bench bench;
	int fds[2];

	bench_open(&bench, rules, 1);
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	bench.loop.interrupt_fd = fds[0];
	bench.loop.interrupted = stop;
	cr_expect_eq(get(&bench, "/slow", 0, 0), -1);
	cr_expect_eq(bench.err.kind, ERR_INTERRUPTED);
	bench_close(&bench);
}

Test(http, extra_descriptors_ride_along, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/slow", FAKE_FREEZE, 0, NULL, 0, 0}};
	struct http_message slow = {.method = "GET", .path = "/slow"};
	struct http_request *request;
	struct loop_item items[2];
	struct bench bench;
	int fds[2];

	bench_open(&bench, rules, 1);
	cr_assert_eq(http_start(bench.client, &slow, &request, &bench.err), 0);
	cr_assert_eq(pipe(fds), 0);
	items[0] = (struct loop_item){fds[0], LOOP_READ, 0};
	items[1] = (struct loop_item){fds[1], LOOP_WRITE, 0};
	cr_assert_eq(loop_wait(&bench.loop, items, 2, 1000, &bench.err), 0);
	cr_expect_eq(items[0].ready, 0);
	cr_expect(items[1].ready & LOOP_WRITE);
	/* The reader leaves: that must show, or a blocked run would sleep on. */
	close(fds[0]);
	items[0] = (struct loop_item){fds[1], LOOP_WRITE, 0};
	cr_assert_eq(loop_wait(&bench.loop, items, 1, 1000, &bench.err), 0);
	cr_expect(items[0].ready & LOOP_WRITE);
	close(fds[1]);
	http_cancel(request);
	bench_close(&bench);
}
