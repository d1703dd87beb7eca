/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "pkg/spec/request.h"

static void expect_initial(const struct request *request)
{
	cr_assert_eq(request->argv.count, 0);
	cr_assert_eq(request->env.count, 0);
	cr_assert_eq(request->labels.count, 0);
	cr_assert_null(request->image);
	cr_assert_null(request->user);
	cr_assert_null(request->workdir);
	cr_assert_null(request->entrypoint);
	cr_assert_eq(request->entrypoint_mode, ENTRYPOINT_KEEP);
	cr_assert_eq(request->cpu_nano, REQUEST_AS_SOURCE);
	cr_assert_eq(request->memory_bytes, REQUEST_AS_SOURCE);
	cr_assert_not(request->no_log);
	cr_assert_not(request->fresh_volumes);
	cr_assert_not(request->tty);
	cr_assert(request->stdin_open);
	cr_assert_eq(request->tty_rows, 0);
	cr_assert_eq(request->tty_columns, 0);
	cr_assert_null(request->term);
	cr_assert_null(request->name);
	cr_assert_null(request->reason);
	cr_assert_eq(request->timeout_ms, INT64_C(86400000));
	cr_assert_eq(request->start_timeout_ms, INT64_C(300000));
	cr_assert_eq(request->grace_ms, REQUEST_AS_SOURCE);
	cr_assert_eq(request->keep, KEEP_NEVER);
	cr_assert_eq(request->keep_for_ms, 0);
}

Test(request, begins_as_the_app_has_it)
{
	struct request request;

	memset(&request, 0xa5, sizeof(request));
	request_init(&request);
	expect_initial(&request);
	request_release(&request);
}

/* Leaks and double frees show under the address sanitizer. */
Test(request, release_frees_all_and_may_be_called_again)
{
	struct request request;
	char **texts[] = {&request.image, &request.user, &request.workdir, &request.entrypoint,
	                  &request.term,  &request.name, &request.reason};

	request_init(&request);
	cr_assert_eq(strv_add(&request.argv, "rake"), 0);
	cr_assert_eq(strv_add(&request.env, "A=1"), 0);
	cr_assert_eq(strv_add(&request.labels, "l=1"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		*texts[i] = strdup("text");
		cr_assert_not_null(*texts[i]);
	}
	request.keep = KEEP_ALWAYS;
	request.timeout_ms = 5;
	request_release(&request);
	expect_initial(&request);
	request_release(&request);
	expect_initial(&request);
}
