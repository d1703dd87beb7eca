/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"
#include "pkg/base/clock.h"

#define RUNNING "{\"Status\":\"running\",\"Running\":true,\"StartedAt\":\"2026-11-21T03:10:00Z\"}"
#define EXITED  "{\"Status\":\"exited\",\"Running\":false,\"ExitCode\":0}"
#define CREATED "{\"Status\":\"created\",\"Running\":false}"

/* The labels of a holder: ana's, of the source web, made at that time. */
#define HOLDER(started)                                                                            \
	"{\"dev.oneoff.id\":\"zzzz9999\",\"dev.oneoff.lock\":\"migrate\","                         \
	"\"dev.oneoff.source\":\"web\",\"dev.oneoff.user\":\"ana@laptop\","                        \
	"\"dev.oneoff.command\":\"[\\\"rake\\\",\\\"db:migrate now\\\"]\","                        \
	"\"dev.oneoff.keep\":\"always\",\"dev.oneoff.started\":\"" started "\"}"
#define LONG_AGO "2020-01-01T00:00:00Z"

static void open_locked(struct docker_bench *bench, const struct fake_rule *rules, size_t count)
{
	docker_bench_open(bench, NULL, rules, count);
	free(bench->identity.name);
	bench->identity.name = strdup("oneoff-lock-migrate");
	bench->identity.lock = strdup("migrate");
}

static const char *now_text(char text[CLOCK_RFC3339_SIZE])
{
	clock_format_rfc3339(clock_unix_seconds(), text);
	return text;
}

Test(lock, a_free_one_is_taken_by_its_name, .timeout = 20)
{
	struct docker_bench bench;

	open_locked(&bench, NULL, 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	cr_expect(fake_engine_has(bench.engine, "oneoff-lock-migrate"));
	docker_bench_close(&bench);
}

Test(lock, a_live_holder_is_named_and_left_alone, .timeout = 20)
{
	struct docker_bench bench;

	open_locked(&bench, NULL, 0);
	fake_engine_add(bench.engine, "oneoff-lock-migrate", HOLDER(LONG_AGO), RUNNING);
	cr_expect_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), -1);
	cr_expect_eq(bench.err.kind, ERR_LOCKED);
	cr_expect_str_eq(bench.err.message, "lock 'migrate' is held by ana@laptop since "
	                                    "2026-11-21T03:10:00Z: rake 'db:migrate now'");
	cr_expect_not_null(strstr(bench.err.hint, "oneoff attach zzzz9999"));
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/rename"), 0);
	/* nothing is left of us, and nothing of the holder's is taken for ours */
	cr_expect_eq(docker_remove(bench.backend, &bench.err), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 0);
	docker_bench_close(&bench);
}

Test(lock, a_kept_end_makes_way_under_its_own_name, .timeout = 20)
{
	struct docker_bench bench;
	const char *holder;

	open_locked(&bench, NULL, 0);
	holder = fake_engine_add(bench.engine, "oneoff-lock-migrate", HOLDER(LONG_AGO), EXITED);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	cr_expect(fake_engine_has(bench.engine, "web-oneoff-zzzz9999"));
	cr_expect(fake_engine_has(bench.engine, "oneoff-lock-migrate"));
	cr_expect_eq(fake_engine_count(bench.engine, "POST", holder), 1, "renamed by its id");
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 0);
	docker_bench_close(&bench);
}

/* Two takers: the other one was faster, so the engine says that it has that name already. */
Test(lock, a_rename_that_another_made_does_no_harm, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"POST", "/rename", FAKE_REPLY_AFTER, 400, "{\"message\":\"same name\"}", 0, 1}};
	struct docker_bench bench;

	open_locked(&bench, rules, 1);
	fake_engine_add(bench.engine, "oneoff-lock-migrate", HOLDER(LONG_AGO), EXITED);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	docker_bench_close(&bench);
}

Test(lock, an_end_that_cannot_be_renamed_is_not_waited_for_forever, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"POST", "/rename", FAKE_REPLY, 409, "{\"message\":\"removal\"}", 0, 0}};
	struct docker_bench bench;

	open_locked(&bench, rules, 1);
	fake_engine_add(bench.engine, "oneoff-lock-migrate", HOLDER(LONG_AGO), EXITED);
	cr_expect_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), -1);
	cr_expect_eq(bench.err.kind, ERR_LOCKED);
	docker_bench_close(&bench);
}

#define NOT_KEPT "{\"dev.oneoff.id\":\"zzzz9999\",\"dev.oneoff.lock\":\"migrate\"}"

/* The engine deletes it: renamed meanwhile, Docker 20.10 keeps half of it. */
Test(lock, an_end_that_nobody_keeps_is_waited_for, .timeout = 20)
{
	struct docker_bench bench;

	open_locked(&bench, NULL, 0);
	fake_engine_add(bench.engine, "oneoff-lock-migrate", NOT_KEPT, EXITED);
	cr_expect_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), -1);
	cr_expect_eq(bench.err.kind, ERR_LOCKED);
	cr_expect_gt(fake_engine_count(bench.engine, "POST", "/create"), 1);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/rename"), 0);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 0);
	docker_bench_close(&bench);
}

Test(lock, an_end_that_the_engine_forgot_to_delete_goes, .timeout = 20)
{
	struct docker_bench bench;

	open_locked(&bench, NULL, 0);
	fake_engine_add(bench.engine, "oneoff-lock-migrate", NOT_KEPT,
	                "{\"Status\":\"exited\",\"FinishedAt\":\"" LONG_AGO "\"}");
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 1);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/rename"), 0);
	docker_bench_close(&bench);
}

Test(lock, one_that_was_never_started_goes_after_five_minutes, .timeout = 20)
{
	struct docker_bench bench;

	open_locked(&bench, NULL, 0);
	fake_engine_add(bench.engine, "oneoff-lock-migrate", HOLDER(LONG_AGO), CREATED);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 1);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", "force"), 0);
	docker_bench_close(&bench);
}

Test(lock, one_that_is_about_to_start_holds_it, .timeout = 20)
{
	char labels[500], time[CLOCK_RFC3339_SIZE];
	struct docker_bench bench;

	snprintf(labels, sizeof(labels), HOLDER("%s"), now_text(time));
	open_locked(&bench, NULL, 0);
	fake_engine_add(bench.engine, "oneoff-lock-migrate", labels, CREATED);
	cr_expect_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), -1);
	cr_expect_eq(bench.err.kind, ERR_LOCKED);
	cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 0);
	docker_bench_close(&bench);
}

Test(lock, a_stranger_with_that_name_is_never_touched, .timeout = 20)
{
	static const char *const labels[] = {
		"{}",
		"{\"dev.oneoff.lock\":\"migrate\"}",
		"{\"dev.oneoff.id\":\"zzzz9999\"}",
		"{\"dev.oneoff.id\":\"zzzz9999\",\"dev.oneoff.lock\":\"another\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		struct docker_bench bench;

		open_locked(&bench, NULL, 0);
		fake_engine_add(bench.engine, "oneoff-lock-migrate", labels[i], EXITED);
		cr_expect_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), -1);
		cr_expect_eq(bench.err.kind, ERR_CONFLICT, "%s", bench.err.message);
		cr_expect_eq(fake_engine_count(bench.engine, "POST", "/rename"), 0);
		cr_expect_eq(fake_engine_count(bench.engine, "DELETE", ""), 0);
		docker_bench_close(&bench);
	}
}

/* The create's answer got lost, but it took effect: it is our own lock that we meet. */
Test(lock, a_lost_answer_does_not_lock_us_out, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/create", FAKE_DROP_AFTER, 0, NULL, 0, 1}};
	struct docker_bench bench;

	open_locked(&bench, rules, 1);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	cr_expect_eq(fake_engine_created(bench.engine), 1);
	docker_bench_close(&bench);
}

/* Podman tells of a taken name with 500. */
Test(lock, podman_s_words_for_a_taken_name_are_understood, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"POST", "/create", FAKE_REPLY, 500,
	         "{\"message\":\"the container name is already in use by 5bd8\"}", 0, 1}};
	struct docker_bench bench;

	open_locked(&bench, rules, 1);
	fake_engine_add(bench.engine, "oneoff-lock-migrate", HOLDER(LONG_AGO), EXITED);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	docker_bench_close(&bench);
}
