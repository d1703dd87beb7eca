/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"

Test(task, what_is_sent_is_the_plan, .timeout = 20)
{
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	cr_expect_str_eq(fake_engine_create_body(bench.engine), DOCKER_BENCH_DOCUMENT);
	cr_expect_eq(fake_engine_count(bench.engine, "POST",
	                               "/containers/create?name=web-oneoff-abcd2345"),
	             1);
	cr_expect(bench.docker->auto_remove);
	cr_expect_eq(strlen(bench.docker->task_id), 64);
	docker_bench_close(&bench);
}

Test(task, more_networks_are_connected_before_the_start, .timeout = 20)
{
	static const char extra[] = "[{\"network\":\"a/b\",\"body\":{\"EndpointConfig\":{}}},"
				    "{\"network\":\"c\",\"body\":{\"EndpointConfig\":{}}}]";
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_assert_eq(json_parse(extra, strlen(extra), 1000, &bench.plan.extra, &bench.err), 0);
	cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0, "%s",
	             bench.err.message);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/networks/a%2Fb/connect"), 1);
	cr_expect_eq(fake_engine_count(bench.engine, "POST", "/networks/c/connect"), 1);
	cr_expect_null(json_at(bench.plan.extra, "[0].body.Container"), "the plan stays as it is");
	docker_bench_close(&bench);
}

Test(task, a_network_that_refuses_is_named, .timeout = 20)
{
	static const char extra[] = "[{\"network\":\"db\",\"body\":{}}]";
	const struct fake_rule rules[] = {{"POST", "/networks/", FAKE_REPLY, 404,
	                                   "{\"message\":\"network db not found\"}", 0, 0}};
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, rules, 1);
	cr_assert_eq(json_parse(extra, strlen(extra), 1000, &bench.plan.extra, &bench.err), 0);
	cr_expect_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), -1);
	cr_expect_not_null(strstr(bench.err.message, "'db'"));
	cr_expect_eq(docker_remove(bench.backend, &bench.err), 0);
	cr_expect_eq(fake_engine_left(bench.engine), 0);
	docker_bench_close(&bench);
}

Test(task, attach_asks_for_what_is_needed, .timeout = 20)
{
	static const struct {
		bool tty, stdin_open;
		const char *keys, *has, *has_not;
	} cases[] = {
		{false, false, NULL, "stream=1&stdout=1&stderr=1", "stdin"},
		{false, true, NULL, "stdin=1", "detachKeys"},
		{true, true, NULL, "detachKeys=%FF,%FE,%FF,%FE,%FF,%FE", "ctrl"},
		{true, true, "", "detachKeys=%FF", "ctrl"},
		{true, true, "ctrl-p,ctrl-q", "detachKeys=ctrl-p%2Cctrl-q", "%FF"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct docker_bench bench;
		struct channel *channel = NULL;

		docker_bench_open(&bench, NULL, NULL, 0);
		cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0);
		cr_assert_eq(docker_attach(bench.backend, cases[i].tty, cases[i].stdin_open,
		                           cases[i].keys, &channel, &bench.err),
		             0, "%s", bench.err.message);
		cr_expect_eq(fake_engine_count(bench.engine, "POST", cases[i].has), 1, "case %zu",
		             i);
		cr_expect_eq(fake_engine_count(bench.engine, "POST", cases[i].has_not), 0,
		             "case %zu", i);
		docker_bench_close(&bench);
	}
}

/* The runtimes' own words, from the recordings. */
Test(task, why_it_does_not_start_is_told_apart, .timeout = 20)
{
	static const struct {
		const char *words;
		enum err_kind kind;
	} cases[] = {
		{"OCI runtime create failed: runc create failed: unable to start container process: "
	         "exec: \\\"nosuch\\\": executable file not found in $PATH: unknown",
	         ERR_COMMAND_NOT_FOUND},
		{"crun: executable file `nosuch` not found in $PATH", ERR_COMMAND_NOT_FOUND},
		{"exec: \\\"/x\\\": stat /x: no such file or directory", ERR_COMMAND_NOT_FOUND},
		{"exec: \\\"/www\\\": permission denied: unknown", ERR_CANNOT_EXECUTE},
		{"exec /x: exec format error", ERR_CANNOT_EXECUTE},
		{"driver failed programming external connectivity", ERR_REFUSED},
		{"error gathering device information while adding custom device \\\"/dev/x\\\": no such file or "
	         "directory",
	         ERR_REFUSED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char body[400];
		const struct fake_rule rules[] = {{"POST", "/start", FAKE_REPLY, 400, body, 0, 0}};
		struct docker_bench bench;

		snprintf(body, sizeof(body), "{\"message\":\"%s\"}", cases[i].words);
		docker_bench_open(&bench, NULL, rules, 1);
		cr_assert_eq(docker_bench_create(&bench, DOCKER_BENCH_DOCUMENT), 0);
		cr_expect_eq(docker_task_start(bench.backend, &bench.err), -1);
		cr_expect_eq(bench.err.kind, cases[i].kind, "%s", bench.err.message);
		docker_bench_close(&bench);
	}
}
