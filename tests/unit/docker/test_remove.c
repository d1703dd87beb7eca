/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"
#include "pkg/base/clock.h"

#define RUNNING "{\"Status\":\"running\",\"Running\":true}"
#define EXITED  "{\"Status\":\"exited\",\"Running\":false}"
#define OURS    "{\"dev.oneoff.id\":\"abcd2345\"}"
#define THEIRS  "{\"dev.oneoff.id\":\"zzzz9999\"}"

static int bury(struct docker_bench *bench, bool stop, int64_t deadline)
{
	const struct burial burial = {
		bench->identity.name, bench->identity.id, stop, deadline, true, false};

	return docker_bury(bench->backend, &burial, &bench->err);
}

Test(remove, what_was_never_created_is_removed, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_expect_eq(docker_remove(bench.backend, &bench.err), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 0);
	docker_bench_close(&bench);
}

Test(remove, is_by_force_and_takes_anonymous_volumes, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0);
	cr_expect_eq(docker_remove(bench.backend, &bench.err), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", "?force=1&v=1"), 1);
	cr_expect_eq(fake_engine_left(bench.engine), 0);
	cr_expect_eq(docker_remove(bench.backend, &bench.err), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 1);
	docker_bench_close(&bench);
}

Test(remove, is_asked_for_again_when_it_was_lost_or_refused, .timeout = 20)
{
	static const enum fake_action actions[] = {FAKE_DROP, FAKE_REPLY};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		const struct fake_rule rules[] = {{"DELETE", "", actions[i], 500, "busy", 0, 2}};
		struct docker_bench bench;

		docker_bench_open(&bench, NULL, rules, 1);
		cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0);
		cr_expect_eq(docker_remove(bench.backend, &bench.err), 0, "%s", bench.err.message);
		cr_expect_eq(fake_engine_left(bench.engine), 0);
		docker_bench_close(&bench);
	}
}

Test(bury, what_never_started_goes_after_a_while, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0);
	cr_expect_eq(bury(&bench, false, 0), 0);
	cr_expect_eq(fake_engine_left(bench.engine), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", "force=1"), 0,
	             "a start that comes late must win");
	docker_bench_close(&bench);
}

Test(bury, a_running_task_ends_when_it_should_stop_or_is_late, .timeout = 20)
{
	static const struct {
		bool stop;
		int64_t deadline;
	} cases[] = {{true, 0}, {false, 1}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct docker_bench bench;

		docker_bench_open(&bench, NULL, NULL, 0);
		fake_engine_add(bench.engine, "web-oneoff-abcd2345", OURS, RUNNING);
		cr_expect_eq(bury(&bench, cases[i].stop, cases[i].deadline), 0);
		cr_expect_not(fake_engine_has(bench.engine, "web-oneoff-abcd2345"));
		docker_bench_close(&bench);
	}
}

Test(bury, an_ended_task_goes_unless_it_is_kept, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "web-oneoff-abcd2345", OURS, EXITED);
	cr_expect_eq(bury(&bench, false, 0), 0);
	cr_expect_not(fake_engine_has(bench.engine, "web-oneoff-abcd2345"));
	fake_engine_add(bench.engine, "web-oneoff-abcd2345",
	                "{\"dev.oneoff.id\":\"abcd2345\",\"dev.oneoff.keep\":\"always\"}", EXITED);
	cr_expect_eq(bury(&bench, true, 0), 0);
	cr_expect(fake_engine_has(bench.engine, "web-oneoff-abcd2345"));
	docker_bench_close(&bench);
}

/* With --name the name may be another client's: only the label decides. */
/* Its end, and why, are to be read later; the engine sends the app's own signal. */
Test(bury, a_kept_task_is_stopped_at_its_deadline_and_stays, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_KEPT_LABEL), 0);
	cr_assert_eq(docker_task_start(bench.backend, &bench.err), 0);
	cr_expect_eq(bury(&bench, false, 1), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/stop"), 1);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 0);
	cr_expect_eq(fake_engine_left(bench.engine), 1);
	docker_bench_close(&bench);
}

/* -d -t says "stop" too: it is about a client that dies, not about one that has gone. */
Test(bury, a_detached_task_outlives_its_client, .timeout = 20)
{
	static const struct fake_task task = {.for_ever = true};
	struct burial burial = {.name = "web-oneoff-abcd2345",
	                        .id = "abcd2345",
	                        .stop = true,
	                        .deadline = clock_unix_seconds() + 1,
	                        .started = true,
	                        .detached = true};
	struct docker_bench bench;

	docker_bench_open(&bench, &task, NULL, 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_KEPT_LABEL), 0);
	cr_assert_eq(docker_task_start(bench.backend, &bench.err), 0);
	cr_expect_eq(docker_bury(bench.backend, &burial, &bench.err), 0);
	cr_expect_geq(clock_unix_seconds(), burial.deadline, "not before its deadline");
	cr_expect_eq(fake_engine_left(bench.engine), 1);
	docker_bench_close(&bench);
}

/* A lock's name passes on: what was seen once is followed by its id. */
Test(bury, a_name_that_passes_on_is_not_followed, .timeout = 20)
{
	struct docker_bench bench;
	const char *ours;

	docker_bench_open(&bench, NULL, NULL, 0);
	ours = fake_engine_add(bench.engine, "web-oneoff-abcd2345", OURS, EXITED);
	cr_expect_eq(bury(&bench, true, 1), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ours), 1, "by its id");
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", "web-oneoff"), 0, "not by its name");
	docker_bench_close(&bench);
}

Test(bury, keep_failed_does_not_keep_a_success, .timeout = 20)
{
	static const char labels[] =
		"{\"dev.oneoff.id\":\"abcd2345\",\"dev.oneoff.keep\":\"failed\"}";
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "web-oneoff-abcd2345", labels,
	                "{\"Status\":\"exited\",\"ExitCode\":3}");
	cr_expect_eq(bury(&bench, false, 0), 0);
	cr_expect(fake_engine_has(bench.engine, "web-oneoff-abcd2345"));
	docker_bench_close(&bench);
	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "web-oneoff-abcd2345", labels,
	                "{\"Status\":\"exited\",\"ExitCode\":0}");
	cr_expect_eq(bury(&bench, false, 0), 0);
	cr_expect_not(fake_engine_has(bench.engine, "web-oneoff-abcd2345"));
	docker_bench_close(&bench);
}

Test(bury, what_another_client_runs_under_the_name_stays, .timeout = 20)
{
	static const char *const labels[] = {THEIRS, "{}", "null", "{\"dev.oneoff.id\":7}"};

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		struct docker_bench bench;

		docker_bench_open(&bench, NULL, NULL, 0);
		fake_engine_add(bench.engine, "web-oneoff-abcd2345", labels[i], RUNNING);
		cr_expect_eq(bury(&bench, true, 1), 0);
		cr_expect(fake_engine_has(bench.engine, "web-oneoff-abcd2345"), "%s", labels[i]);
		cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 0);
		docker_bench_close(&bench);
	}
}
