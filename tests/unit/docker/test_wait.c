/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include "docker_bench.h"
#include "fake_run.h"

Test(wait, asks_for_the_removal_or_for_the_next_exit, .timeout = 20)
{
	static const char *const documents[] = {DOCKER_BENCH_DOCUMENT, DOCKER_BENCH_KEPT};
	static const char *const conditions[] = {"wait?condition=removed",
	                                         "wait?condition=next-exit"};

	for (size_t i = 0; i < 2; i++) {
		struct exit_status status = {.known = false};
		struct docker_bench bench;

		docker_bench_open(&bench, NULL, NULL, 0);
		cr_assert_eq(docker_bench_create(&bench, documents[i]), 0);
		cr_assert_eq(docker_arm(bench.backend, &bench.err), 0, "%s", bench.err.message);
		cr_expect_eq(fake_engine_count(bench.engine, "POST", conditions[i]), 1);
		cr_expect_eq(docker_exited(bench.backend, &status, &bench.err), 0);
		cr_expect_not(status.known);
		docker_bench_close(&bench);
	}
}

Test(wait, a_second_wait_is_made_only_when_the_first_is_lost, .timeout = 20)
{
	struct exit_status status = {.known = false};
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_KEPT), 0);
	cr_assert_eq(docker_arm(bench.backend, &bench.err), 0);
	cr_assert_eq(docker_task_start(bench.backend, &bench.err), 0);
	cr_expect_eq(docker_recover(bench.backend, &status, &bench.err), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/wait"), 1);
	http_cancel(bench.docker->wait);
	bench.docker->wait = NULL;
	cr_expect_eq(docker_exited(bench.backend, &status, &bench.err), -1);
	cr_expect_eq(docker_recover(bench.backend, &status, &bench.err), 0);
	cr_expect_eq(http_wait_head(bench.docker->wait, 5000, &bench.err), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/wait"), 2);
	docker_bench_close(&bench);
}

Test(wait, a_kill_for_memory_is_told_from_others, .timeout = 20)
{
	const struct fake_task task = {.code = 137};
	const struct fake_rule rules[] = {{"GET", "/events", FAKE_REPLY, 200,
	                                   "{\"status\":\"oom\",\"Action\":\"oom\"}\n", 0, 0}};
	struct fake_engine *engine = fake_engine_start(&task, rules, 1);
	struct fake_run run;

	fake_run_init(&run, NULL);
	fake_run_go(&run);
	cr_expect(run.outcome.status.out_of_memory);
	cr_expect_eq(run.exit_code, 137);
	cr_expect_str_eq(run.reason, "out-of-memory");
	fake_engine_stop(engine);
	fake_run_release(&run);
}

Test(wait, podman_is_asked_by_its_own_call, .timeout = 20)
{
	const struct fake_task task = {
		.stream = "\1\0\0\0\0\0\0\2ok", .stream_length = 10, .code = 7, .podman = true};
	struct fake_engine *engine = fake_engine_start(&task, NULL, 0);
	struct fake_run run;

	fake_run_init(&run, NULL);
	run.podman = true;
	fake_run_go(&run);
	cr_expect_eq(run.exit_code, 7, "%s", fake_run_said(&run));
	cr_expect_eq(fake_engine_count(engine, "POST", "/v4.0.0/libpod/containers/"), 1);
	cr_expect_eq(fake_engine_left(engine), 0);
	fake_engine_stop(engine);
	fake_run_release(&run);
}
