/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include "docker_bench.h"
#include "pkg/base/clock.h"

/* Asks as the run does, every few milliseconds, at most for so long. */
static bool ends_within(struct docker_bench *bench, int64_t limit_ms)
{
	int64_t limit = clock_monotonic_ms() + limit_ms;

	while (clock_monotonic_ms() < limit) {
		if (docker_may_have_ended(bench->backend))
			return true;
		cr_assert_eq(loop_wait(&bench->loop, NULL, 0, 20, &bench->err), 0);
	}
	return false;
}

static void open_started(struct docker_bench *bench, const struct fake_rule *rules, size_t count)
{
	docker_bench_open(bench, NULL, rules, count);
	cr_assert_eq(docker_bench_create(bench, DOCKER_BENCH_KEPT), 0);
	cr_assert_eq(docker_task_start(bench->backend, &bench->err), 0);
}

Test(probe, a_running_task_has_not_ended, .timeout = 20)
{
	struct docker_bench bench;

	open_started(&bench, NULL, 0);
	cr_expect_not(ends_within(&bench, 700));
	cr_expect_leq(fake_engine_count(bench.engine, "GET", "/json"), 2, "not too often");
	docker_bench_close(&bench);
}

Test(probe, a_record_that_says_so_or_is_gone_has, .timeout = 20)
{
	static const struct {
		int status;
		const char *body;
	} cases[] = {{404, "{}"}, {200, "{\"State\":{\"Running\":false}}"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_rule rules[] = {
			{"GET", "/json", FAKE_REPLY, cases[i].status, cases[i].body, 0, 0}};
		struct docker_bench bench;

		open_started(&bench, rules, 1);
		cr_expect(ends_within(&bench, 3000));
		docker_bench_close(&bench);
	}
}

Test(probe, an_answer_that_stalls_means_the_end, .timeout = 20)
{
	const struct fake_rule rules[] = {{"GET", "/json", FAKE_FREEZE, 0, NULL, 0, 0}};
	struct docker_bench bench;

	open_started(&bench, rules, 1);
	cr_expect(ends_within(&bench, 3000));
	docker_bench_close(&bench);
}

Test(probe, a_pid_of_another_is_not_watched, .timeout = 20)
{
	/* The engine names our own pid: it lives, but in no cgroup of the container. */
	char body[128];
	const struct fake_rule rules[] = {{"GET", "/json", FAKE_REPLY, 200, body, 0, 0}};
	struct docker_bench bench;

	snprintf(body, sizeof(body), "{\"State\":{\"Running\":true,\"Pid\":%d}}", getpid());
	open_started(&bench, rules, 1);
	cr_expect_not(ends_within(&bench, 300));
	cr_expect_eq(bench.docker->probe.pidfd, -1);
	cr_expect_not(bench.docker->probe.is_local);
	docker_bench_close(&bench);
}
