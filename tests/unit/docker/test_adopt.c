/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"

#define OURS    "{\"dev.oneoff.id\":\"zzzz9999\"}"
#define RUNNING "{\"Status\":\"running\",\"Running\":true}"
#define EXITED  "{\"Status\":\"exited\",\"Running\":false,\"ExitCode\":9,\"OOMKilled\":true}"
#define CREATED "{\"Status\":\"created\",\"Running\":false}"

static struct task_record record_of(const char *handle, enum task_state state)
{
	return (struct task_record){
		.id = (char *)"zzzz9999",
		.name = (char *)"web-oneoff-zzzz9999",
		.handle = (char *)handle,
		.state = state,
	};
}

Test(adopt, an_ended_task_s_code_comes_from_the_engine_s_record, .timeout = 20)
{
	struct exit_status status = {.known = false};
	struct task_record record;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	record = record_of(fake_engine_add(bench.engine, "x", OURS, EXITED), TASK_RUNNING);
	cr_assert_eq(docker_adopt(bench.backend, &record, &bench.err), 0, "%s", bench.err.message);
	cr_assert_eq(docker_arm(bench.backend, &bench.err), 0);
	cr_assert_eq(docker_exited(bench.backend, &status, &bench.err), 1);
	cr_expect(status.known);
	cr_expect_eq(status.code, 9);
	cr_expect(status.out_of_memory);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/wait"), 0);
	docker_bench_close(&bench);
}

/* "next-exit" would wait for a second end when the first came a moment before the question. */
Test(adopt, a_running_one_is_waited_for_until_it_does_not_run, .timeout = 20)
{
	struct task_record record;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	record = record_of(fake_engine_add(bench.engine, "x", OURS, RUNNING), TASK_RUNNING);
	cr_assert_eq(docker_adopt(bench.backend, &record, &bench.err), 0);
	cr_assert_eq(docker_arm(bench.backend, &bench.err), 0, "%s", bench.err.message);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "condition=not-running"), 1);
	docker_bench_close(&bench);
	docker_bench_open(&bench, NULL, NULL, 0);
	record = record_of(fake_engine_add(bench.engine, "x", OURS, CREATED), TASK_CREATED);
	cr_assert_eq(docker_adopt(bench.backend, &record, &bench.err), 0);
	cr_expect_not(bench.docker->started, "not-running would be true at once");
	docker_bench_close(&bench);
}

Test(adopt, what_is_gone_or_another_s_is_not_found, .timeout = 20)
{
	struct task_record record;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	record = record_of("0123456789abcdef", TASK_RUNNING);
	cr_expect_eq(docker_adopt(bench.backend, &record, &bench.err), -1);
	cr_expect_eq(bench.err.kind, ERR_NOT_FOUND);
	record = record_of(
		fake_engine_add(bench.engine, "x", "{\"dev.oneoff.id\":\"aaaa2222\"}", RUNNING),
		TASK_RUNNING);
	cr_expect_eq(docker_adopt(bench.backend, &record, &bench.err), -1);
	cr_expect_eq(bench.err.kind, ERR_NOT_FOUND);
	cr_expect_null(bench.docker->task_id);
	docker_bench_close(&bench);
}

Test(discard, deletes_what_has_ended_and_never_by_force, .timeout = 20)
{
	struct task_record record;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	record = record_of(fake_engine_add(bench.engine, "x", OURS, EXITED), TASK_ENDED);
	cr_expect_eq(docker_discard(bench.backend, &record, false, &bench.err), 1);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", "force"), 0);
	cr_expect_eq(docker_discard(bench.backend, &record, false, &bench.err), 0, "gone already");
	docker_bench_close(&bench);
}

Test(discard, leaves_what_runs_unless_forced, .timeout = 20)
{
	struct task_record record;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	/* It was only created when it was listed. */
	record = record_of(fake_engine_add(bench.engine, "x", OURS, RUNNING), TASK_CREATED);
	cr_expect_eq(docker_discard(bench.backend, &record, false, &bench.err), 0);
	cr_expect(fake_engine_has(bench.engine, "x"));
	cr_expect_eq(docker_discard(bench.backend, &record, true, &bench.err), 1);
	cr_expect_not(fake_engine_has(bench.engine, "x"));
	docker_bench_close(&bench);
}

/* The start takes effect between our look and the engine's. */
Test(discard, a_start_that_comes_first_wins, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"GET", "/json", FAKE_REPLY, 200,
	         "{\"Id\":\"x\",\"Name\":\"/x\",\"Config\":{\"Labels\":" OURS "},\"State\":" CREATED
	         "}",
	         0, 1}};
	struct task_record record;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, rules, 1);
	fake_engine_add(bench.engine, "x", OURS, RUNNING);
	record = record_of("x", TASK_CREATED);
	cr_expect_eq(docker_discard(bench.backend, &record, false, &bench.err), 0, "%s",
	             bench.err.message);
	cr_expect(fake_engine_has(bench.engine, "x"));
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", "/x"), 1);
	docker_bench_close(&bench);
}

Test(discard, another_s_container_stays, .timeout = 20)
{
	static const char *const labels[] = {"{}", "{\"dev.oneoff.id\":\"aaaa2222\"}"};

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		struct task_record record;
		struct docker_bench bench;

		docker_bench_open(&bench, NULL, NULL, 0);
		record = record_of(fake_engine_add(bench.engine, "x", labels[i], EXITED),
		                   TASK_ENDED);
		cr_expect_eq(docker_discard(bench.backend, &record, true, &bench.err), 0);
		cr_expect(fake_engine_has(bench.engine, "x"));
		docker_bench_close(&bench);
	}
}
