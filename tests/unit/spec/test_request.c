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

Test(request, names_what_is_no_text_and_who_takes_nothing_else)
{
	_cleanup_(request_release) struct request request;
	struct err err = ERR_INIT;

	request_init(&request);
	cr_assert_eq(
		strv_add(&request.argv, "echo") | strv_add(&request.argv, "gr\xc3\xbc\xc3\x9f"), 0);
	cr_expect_eq(request_check_text(&request, "the engine", &err), 0);
	cr_assert_eq(strv_add(&request.argv, "gr\xfc\xdf"), 0);
	cr_expect_eq(request_check_text(&request, "the engine", &err), -1);
	cr_expect_eq(err.kind, ERR_USAGE);
	cr_expect_str_eq(err.message,
	                 "argument 3 is not valid UTF-8, and the engine takes nothing else");
}

Test(request, a_variable_has_a_name)
{
	_cleanup_(request_release) struct request request;
	struct err err = ERR_INIT;

	request_init(&request);
	cr_assert_eq(strv_add(&request.env, "A="), 0);
	cr_expect_eq(request_check_text(&request, "it", &err), 0);
	cr_assert_eq(strv_add(&request.env, "=A"), 0);
	cr_expect_eq(request_check_text(&request, "it", &err), -1);
	cr_expect_str_eq(err.message, "variable 2 has no name");
}

Test(request, the_last_word_on_a_variable_counts)
{
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	static const char *const items[] = {"A=1", "AB=1", "A", "B=2", "A=3"};

	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		cr_assert_eq(strv_add(&env, items[i]), 0);
	cr_expect(request_env_is_overruled(&env, 0));
	cr_expect_not(request_env_is_overruled(&env, 1));
	cr_expect(request_env_is_overruled(&env, 2));
	cr_expect_not(request_env_is_overruled(&env, 3));
	cr_expect_not(request_env_is_overruled(&env, 4));
}
