/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"
#include "pkg/base/clock.h"

#define RUNNING    "{\"Status\":\"running\",\"Running\":true}"
#define ENDED_LONG "{\"Status\":\"exited\",\"FinishedAt\":\"2020-01-01T00:00:00.5Z\"}"

static const char *just_ended(char text[200])
{
	char time[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(clock_unix_seconds() - 5, time);
	snprintf(text, 200, "{\"Status\":\"exited\",\"FinishedAt\":\"%s\"}", time);
	return text;
}

Test(sweep, takes_what_nobody_can_want_and_nothing_else, .timeout = 20)
{
	struct docker_bench bench;
	char state[200];

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0);
	fake_engine_add(
		bench.engine, "late",
		"{\"dev.oneoff.id\":\"abcd0001\",\"dev.oneoff.deadline\":\"2020-01-01T00:00:00Z\"}",
		RUNNING);
	fake_engine_add(bench.engine, "ended", "{\"dev.oneoff.id\":\"abcd0002\"}", ENDED_LONG);
	fake_engine_add(bench.engine, "keep-over",
	                "{\"dev.oneoff.id\":\"abcd0003\",\"dev.oneoff.keep\":\"always\","
	                "\"dev.oneoff.keep-for\":\"60\"}",
	                ENDED_LONG);
	fake_engine_add(
		bench.engine, "live",
		"{\"dev.oneoff.id\":\"abcd0004\",\"dev.oneoff.deadline\":\"2099-01-01T00:00:00Z\"}",
		RUNNING);
	fake_engine_add(bench.engine, "no-deadline", "{\"dev.oneoff.id\":\"abcd0005\"}", RUNNING);
	fake_engine_add(bench.engine, "kept",
	                "{\"dev.oneoff.id\":\"abcd0006\",\"dev.oneoff.keep\":\"always\"}",
	                ENDED_LONG);
	fake_engine_add(bench.engine, "just-ended", "{\"dev.oneoff.id\":\"abcd0007\"}",
	                just_ended(state));
	fake_engine_add(bench.engine, "no-label", "{}", ENDED_LONG);
	fake_engine_add(bench.engine, "odd-label", "{\"dev.oneoff.id\":\"yes\"}", ENDED_LONG);
	docker_sweep(bench.backend);
	for (int i = 0; i < 200 && fake_engine_count(bench.engine, "DELETE", "") < 3; i++) {
		cr_assert_eq(loop_wait(&bench.loop, NULL, 0, 50, &bench.err), 0);
		docker_reap(bench.docker);
		docker_sweep_turn(bench.docker);
	}
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(loop_wait(&bench.loop, NULL, 0, 20, &bench.err), 0);
		docker_sweep_turn(bench.docker);
	}
	cr_expect_not(fake_engine_has(bench.engine, "late"));
	cr_expect_not(fake_engine_has(bench.engine, "ended"));
	cr_expect_not(fake_engine_has(bench.engine, "keep-over"));
	cr_expect(fake_engine_has(bench.engine, "live"));
	cr_expect(fake_engine_has(bench.engine, "no-deadline"));
	cr_expect(fake_engine_has(bench.engine, "kept"));
	cr_expect(fake_engine_has(bench.engine, "just-ended"));
	cr_expect(fake_engine_has(bench.engine, "no-label"));
	cr_expect(fake_engine_has(bench.engine, "odd-label"));
	cr_expect(fake_engine_has(bench.engine, "web-oneoff-abcd2345"), "our own");
	/* late, ended, keep-over, just-ended: the list rules out the others */
	cr_expect_eq(fake_engine_count(bench.engine, "GET", "/containers/000"), 4);
	docker_bench_close(&bench);
}
