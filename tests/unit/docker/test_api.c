/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"

static struct err refusal(long status, const char *body)
{
	struct http_reply reply = {.status = status};
	struct err err = ERR_INIT;

	strbuf_adds(&reply.body, body);
	cr_expect_eq(docker_refusal(&reply, &err), -1);
	http_reply_release(&reply);
	return err;
}

Test(api, refusals_keep_the_server_s_words)
{
	static const struct {
		long status;
		const char *body, *message;
		enum err_kind kind;
	} cases[] = {
		{404, "{\"message\":\"No such container: x\"}\n", "No such container: x",
	         ERR_NOT_FOUND},
		{409, "{\"cause\":\"c\",\"message\":\"taken\",\"response\":409}", "taken",
	         ERR_CONFLICT},
		{500, "plain words\nsecond line", "plain words", ERR_REFUSED},
		{403, "", "status 403", ERR_DENIED},
		{401, "{\"message\":7}", "{\"message\":7}", ERR_DENIED},
		{502, "{broken", "{broken", ERR_REFUSED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = refusal(cases[i].status, cases[i].body);

		cr_expect_str_eq(err.message, cases[i].message);
		cr_expect_eq(err.kind, cases[i].kind);
		cr_expect_eq(err.http_status, (int)cases[i].status);
	}
}

Test(api, paths_get_the_negotiated_version, .timeout = 20)
{
	struct http_reply reply = HTTP_REPLY_INIT;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	cr_expect_eq(bench.docker->api_minor, 41);
	cr_expect_not(bench.docker->podman);
	cr_expect_eq(
		docker_call(bench.docker, "GET", "/v4.0.0/libpod/info", NULL, &reply, &bench.err),
		0);
	cr_expect_eq(fake_engine_count(bench.engine, "GET", "/v4.0.0/libpod/info"), 1);
	http_reply_release(&reply);
	docker_bench_close(&bench);
}

Test(api, side_requests_are_bounded, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/kill", FAKE_FREEZE, 0, NULL, 0, 0}};
	struct docker_bench bench;
	size_t used = 0;

	docker_bench_open(&bench, NULL, rules, 1);
	for (int i = 0; i < 3 * DOCKER_MAX_SIDE; i++)
		docker_send(bench.docker, "POST", "/containers/x/kill");
	for (size_t i = 0; i < DOCKER_MAX_SIDE; i++)
		used += bench.docker->side[i] != NULL;
	cr_expect_eq(used, DOCKER_MAX_SIDE);
	docker_bench_close(&bench);
}

Test(api, a_path_holds_one_segment)
{
	char *path = docker_path("../x?y", "/json");

	cr_expect_str_eq(path, "/containers/..%2Fx%3Fy/json");
	free(path);
}
