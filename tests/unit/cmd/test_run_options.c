/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include "cmd/oneoff/run_options.h"

/* The operands are borrowed from argv, so it must outlive the call. */
static int parse(struct run_options *options, struct err *err, char *const *words)
{
	static char *argv[32];
	int argc = 0;

	argv[argc++] = (char *)"run";
	for (size_t i = 0; words[i]; i++)
		argv[argc++] = words[i];
	argv[argc] = NULL;
	return run_options_parse(run_option_table, run_option_count, argc, argv, options, err);
}

#define PARSE(options, err, ...) parse(options, err, (char *[]){__VA_ARGS__, NULL})
#define WORD(text)               ((char *)(text))

static void no_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, 0);
	close(null);
}

Test(run_options, operands_are_passed_on_as_they_are)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	_cleanup_(request_release) struct request request;
	struct err err = ERR_INIT;

	no_terminal();
	request_init(&request);
	cr_assert_eq(PARSE(&options, &err, WORD("--like"), WORD("web"), WORD("--"), WORD("-e"),
	                   WORD(""), WORD("a b\n"), WORD("--")),
	             0, "%s", err.message);
	cr_expect_str_eq(options.like, "web");
	cr_assert_eq(run_options_request(&options, false, &request, &err), 0, "%s", err.message);
	cr_assert_eq(request.argv.count, 4);
	cr_expect_str_eq(request.argv.items[0], "-e");
	cr_expect_str_eq(request.argv.items[1], "");
	cr_expect_str_eq(request.argv.items[2], "a b\n");
	cr_expect_str_eq(request.argv.items[3], "--");
	cr_expect_not(request.tty);
	cr_expect(request.stdin_open);
}

Test(run_options, become_the_request)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	_cleanup_(request_release) struct request request;
	struct err err = ERR_INIT;

	no_terminal();
	request_init(&request);
	cr_assert_eq(PARSE(&options, &err, WORD("--from=web"), WORD("-I"), WORD("-u"),
	                   WORD("app:1"), WORD("-w"), WORD("/srv"), WORD("-eA=1"), WORD("--env"),
	                   WORD("B=2"), WORD("--entrypoint"), WORD("clear"), WORD("--memory"),
	                   WORD("512m"), WORD("--timeout"), WORD("90s"), WORD("--keep"),
	                   WORD("failed"), WORD("-l"), WORD("team=x"), WORD("env")),
	             0, "%s", err.message);
	cr_assert_eq(run_options_request(&options, false, &request, &err), 0, "%s", err.message);
	cr_expect_str_eq(request.user, "app:1");
	cr_expect_str_eq(request.workdir, "/srv");
	cr_expect_eq(request.env.count, 2);
	cr_expect_eq(request.entrypoint_mode, ENTRYPOINT_CLEAR);
	cr_expect_eq(request.memory_bytes, INT64_C(512) << 20);
	cr_expect_eq(request.timeout_ms, 90000);
	cr_expect_eq(request.keep, KEEP_FAILED);
	cr_expect_str_eq(request.labels.items[0], "team=x");
	cr_expect_not(request.stdin_open);
	cr_expect_eq(request.cpu_nano, REQUEST_AS_SOURCE);
}

Test(run_options, the_environment_is_below_the_command_line)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	struct err err = ERR_INIT;

	setenv("ONEOFF_LIKE", "from-environment", 1);
	setenv("ONEOFF_KEEP", "always", 1);
	cr_assert_eq(PARSE(&options, &err, WORD("--keep=never"), WORD("env")), 0, "%s",
	             err.message);
	cr_expect_str_eq(options.like, "from-environment");
	cr_expect_eq(options.keep, KEEP_NEVER);
}

Test(run_options, what_cannot_be_meant_is_refused)
{
	static const char *const words[][2] = {
		{"--keep", "sometimes"}, {"--timeout", "soon"}, {"--memory", "-1"},
		{"--nonsense", "x"},     {"--cpu", "many"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		_cleanup_(run_options_release) struct run_options options = {.like = NULL};
		struct err err = ERR_INIT;

		cr_expect_eq(PARSE(&options, &err, WORD("--like=web"), WORD(words[i][0]),
		                   WORD(words[i][1]), WORD("env")),
		             -1, "%s", words[i][0]);
		cr_expect_eq(err.kind, ERR_USAGE);
	}
}

Test(run_options, a_habit_from_docker_is_answered)
{
	static const char *const habits[][2] = {
		{"--rm", "is removed"}, {"-it", "stdin is passed on"}, {"-p", "no traffic"}};

	for (size_t i = 0; i < ARRAY_SIZE(habits); i++) {
		_cleanup_(run_options_release) struct run_options options = {.like = NULL};
		struct err err = ERR_INIT;

		cr_expect_eq(PARSE(&options, &err, WORD(habits[i][0]), WORD("--like"), WORD("web"),
		                   WORD("--"), WORD("true")),
		             -1);
		cr_expect(strstr(err.hint, habits[i][1]), "%s: %s", habits[i][0], err.hint);
	}
}

Test(run_options, labels_of_ours_are_not_theirs_to_set)
{
	static const char *const labels[] = {"dev.oneoff.id=x", "=x", ""};

	no_terminal();
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		_cleanup_(run_options_release) struct run_options options = {.like = NULL};
		_cleanup_(request_release) struct request request;
		struct err err = ERR_INIT;

		request_init(&request);
		cr_assert_eq(PARSE(&options, &err, WORD("--like=web"), WORD("-l"), WORD(labels[i]),
		                   WORD("env")),
		             0);
		cr_expect_eq(run_options_request(&options, false, &request, &err), -1);
		cr_expect_eq(err.kind, ERR_USAGE);
	}
}

Test(run_options, a_console_needs_a_terminal)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	_cleanup_(request_release) struct request request;
	struct err err = ERR_INIT;

	no_terminal();
	request_init(&request);
	cr_assert_eq(PARSE(&options, &err, WORD("--like=web")), 0);
	cr_expect_eq(run_options_request(&options, true, &request, &err), -1);
	cr_expect_eq(err.kind, ERR_USAGE);
	cr_expect_neq(err.hint[0], '\0');
}

Test(run_options, a_directory_is_no_input)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	_cleanup_(request_release) struct request request;
	struct err err = ERR_INIT;
	int folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dup2(folder, 0);
	close(folder);
	request_init(&request);
	cr_assert_eq(PARSE(&options, &err, WORD("--like=web"), WORD("env")), 0);
	cr_expect_eq(run_options_request(&options, false, &request, &err), -1);
	cr_expect_eq(err.kind, ERR_USAGE);
}
