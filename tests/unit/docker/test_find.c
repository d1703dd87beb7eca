/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"

static int find(struct docker_bench *bench, enum source_kind kind, const char *project,
                const char *name)
{
	struct source source = {.kind = kind, .name = (char *)name, .project = (char *)project};

	release_release(&bench->release);
	return docker_find(bench->backend, &source, &bench->release, &bench->err);
}

#define SERVICE(project, service, number, oneoff)                                                  \
	"{\"com.docker.compose.project\":\"" project                                               \
	"\",\"com.docker.compose.service\":\"" service                                             \
	"\",\"com.docker.compose.container-number\":\"" number                                     \
	"\",\"com.docker.compose.oneoff\":\"" oneoff "\"}"

Test(find, the_container_by_name, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_assert_eq(find(&bench, SOURCE_BARE, NULL, "web"), 0, "%s", bench.err.message);
	cr_expect_str_eq(bench.release.name, "r-plain");
	cr_expect_eq(strncmp(bench.release.id, "f05ad24f4e46", 12), 0);
	cr_expect_eq(strncmp(bench.release.digest, "sha256:8e208c25", 15), 0);
	cr_expect(bench.release.running);
	cr_expect_str_eq(bench.release.status, "running");
	cr_expect_not_null(bench.release.image_document);
	docker_bench_close(&bench);
}

Test(find, an_image_that_is_gone_is_no_error, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"GET", "/images/", FAKE_REPLY, 404, "{\"message\":\"No such image\"}", 0, 0}};
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, rules, 1);
	cr_assert_eq(find(&bench, SOURCE_BARE, NULL, "web"), 0);
	cr_expect_null(bench.release.image_document);
	docker_bench_close(&bench);
}

Test(find, a_near_name_is_offered, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_expect_eq(find(&bench, SOURCE_BARE, NULL, "wbe"), -1);
	cr_expect_eq(bench.err.kind, ERR_NOT_FOUND);
	cr_expect_not_null(strstr(bench.err.hint, "'web'"), "%s", bench.err.hint);
	docker_bench_close(&bench);
}

/* What is said next is of the engine that was asked, and of the project that was named. */
Test(find, what_is_not_there_is_told_in_the_engine_s_words, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_expect_eq(find(&bench, SOURCE_BARE, NULL, "nothing-like-it"), -1);
	cr_expect_str_eq(bench.err.hint, "see what is there with: docker ps -a");
	((struct docker *)bench.backend)->podman = true;
	cr_expect_eq(find(&bench, SOURCE_COMPOSE, "shop", "nothing-like-it"), -1);
	cr_expect_str_eq(bench.err.hint, "see what is there with: podman ps -a");
	cr_expect(strstr(bench.err.message, "'shop'"), "%s", bench.err.message);
	docker_bench_close(&bench);
}

Test(find, a_service_is_its_first_container_and_no_oneoff, .timeout = 20)
{
	static const char running[] = "{\"Status\":\"running\",\"Running\":true}";
	struct docker_bench bench;
	const char *first;

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "shop-api-run", SERVICE("shop", "api", "1", "True"), running);
	fake_engine_add(bench.engine, "shop-api-2", SERVICE("shop", "api", "2", "False"), running);
	first = fake_engine_add(bench.engine, "shop-api-1", SERVICE("shop", "api", "1", "False"),
	                        running);
	/* The fake's description lacks an image, which is a fault of its own; the id was chosen. */
	cr_expect_eq(find(&bench, SOURCE_COMPOSE, "shop", "api"), -1);
	cr_expect_eq(bench.err.kind, ERR_PROTOCOL);
	cr_expect_eq(fake_engine_count(bench.engine, "GET", first), 1);
	docker_bench_close(&bench);
}

/* "did you mean 'api'?" of somebody who has written api helps nobody. */
Test(find, a_service_of_another_project_is_not_offered, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "shop-api-1", SERVICE("shop", "api", "1", "False"), "{}");
	cr_expect_eq(find(&bench, SOURCE_COMPOSE, "shpo", "api"), -1);
	cr_expect_null(strstr(bench.err.hint, "did you mean"), "%s", bench.err.hint);
	setenv("COMPOSE_PROJECT_NAME", "blog", 1);
	cr_expect_eq(find(&bench, SOURCE_BARE, NULL, "api"), -1);
	cr_expect(strstr(bench.err.message, "'blog' (COMPOSE_PROJECT_NAME)"), "%s",
	          bench.err.message);
	docker_bench_close(&bench);
}

Test(find, a_running_container_before_a_stopped_one, .timeout = 20)
{
	struct docker_bench bench;
	const char *second;

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "shop-api-1", SERVICE("shop", "api", "1", "False"),
	                "{\"Status\":\"exited\",\"Running\":false}");
	second = fake_engine_add(bench.engine, "shop-api-2", SERVICE("shop", "api", "2", "False"),
	                         "{\"Status\":\"running\",\"Running\":true}");
	cr_expect_eq(find(&bench, SOURCE_BARE, NULL, "api"), -1);
	cr_expect_eq(fake_engine_count(bench.engine, "GET", second), 1);
	docker_bench_close(&bench);
}

Test(find, a_service_in_two_projects_is_ambiguous, .timeout = 20)
{
	static const char running[] = "{\"Status\":\"running\",\"Running\":true}";
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "a-api-1", SERVICE("a", "api", "1", "False"), running);
	fake_engine_add(bench.engine, "b-api-1", SERVICE("b", "api", "1", "False"), running);
	cr_expect_eq(find(&bench, SOURCE_BARE, NULL, "api"), -1);
	cr_expect_eq(bench.err.kind, ERR_AMBIGUOUS);
	cr_expect_not_null(strstr(bench.err.hint, "compose:a/api"), "%s", bench.err.hint);
	cr_expect_not_null(strstr(bench.err.hint, "compose:b/api"), "%s", bench.err.hint);
	docker_bench_close(&bench);
}

Test(find, a_prefix_of_two_ids_is_ambiguous, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"GET", "/containers/f0/json", FAKE_REPLY, 400,
	         "{\"message\":\"Multiple IDs found with provided prefix: f0\"}", 0, 0}};
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, rules, 1);
	cr_expect_eq(find(&bench, SOURCE_BARE, NULL, "f0"), -1);
	cr_expect_eq(bench.err.kind, ERR_AMBIGUOUS);
	docker_bench_close(&bench);
}

Test(find, names_are_encoded_in_the_path, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_expect_eq(find(&bench, SOURCE_BARE, NULL, "a/../b?force=1"), -1);
	cr_expect_eq(
		fake_engine_count(bench.engine, "GET", "/containers/a%2F..%2Fb%3Fforce%3D1/json"),
		1);
	docker_bench_close(&bench);
}

static void keep_line(void *context, enum report_level level, const char *line)
{
	cr_expect_eq(level, REPORT_WARNING);
	snprintf(context, 300, "%s", line);
}

/* Podman's create for Docker's clients cannot mount a secret: nobody shall have to find that out. */
Test(find, podman_s_secrets_are_missed_aloud, .timeout = 20)
{
	const struct fake_rule rules[] = {
		{"GET", "/libpod/containers/", FAKE_REPLY, 200,
	         "{\"Config\":{\"Secrets\":[{\"Name\":\"db\",\"ID\":\"1\"},{\"Name\":\"tls\"}]}}",
	         0, 0}};
	struct docker_bench bench;
	char line[300] = "";

	docker_bench_open(&bench, NULL, rules, 1);
	bench.docker->podman = true;
	bench.docker->reporter = (struct reporter){keep_line, line};
	cr_assert_eq(find(&bench, SOURCE_BARE, NULL, "web"), 0, "%s", bench.err.message);
	cr_expect(strstr(line, "(db, tls)"), "%s", line);
	docker_bench_close(&bench);
}
