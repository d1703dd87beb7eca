/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "cmd/oneoff/named_task.h"

static int read_file(struct backend *backend, const struct release *release, const char *path,
                     size_t cap, struct strbuf *ret, struct err *err)
{
	(void)backend;
	(void)release;
	(void)cap;
	if (strcmp(path, "/.oneoff.yaml") != 0)
		return err_set(err, ERR_NOT_FOUND, "no such file: %s", path);
	strbuf_adds(ret, "tasks:\n  full: {command: [x, z], timeout: 2h, lock: own, tty: true}\n"
	                 "  plain: x\n  dumb: {command: x, tty: false}\n");
	return 0;
}

static const struct backend_ops ops = {
	.name = "fake", .capabilities = BACKEND_READS_FILES, .read_file = read_file};

struct outcome {
	struct request request;
	struct err err;
	int result, notes;
};

static void say(void *context, enum report_level level, const char *line)
{
	struct outcome *outcome = context;

	(void)level;
	outcome->notes += !strncmp(line, "task '", 6);
}

static void apply(struct outcome *outcome, int argc, char **argv)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	struct backend backend = {.ops = &ops};
	struct backend_settings settings = {.reporter = {say, outcome}};
	struct chosen chosen = {.backend = &backend};

	*outcome = (struct outcome){.notes = 0};
	request_init(&outcome->request);
	cr_assert_eq(run_options_parse(run_option_table, run_option_count, argc, argv, &options,
	                               &outcome->err),
	             0, "%s", outcome->err.message);
	cr_assert_eq(run_options_request(&options, false, &outcome->request, &outcome->err), 0,
	             "%s", outcome->err.message);
	outcome->result = named_task_apply(&cmd_run, argc, argv, &options, &settings, &chosen,
	                                   &outcome->request, &outcome->err);
}

#define APPLY(outcome, ...)                                                                        \
	do {                                                                                       \
		char *argv[] = {(char *)"run", (char *)"--like=web", (char *)"-I", __VA_ARGS__,    \
		                NULL};                                                             \
		apply(outcome, (int)ARRAY_SIZE(argv) - 1, argv);                                   \
	} while (0)

#define WORD(text) ((char *)(text))

Test(named_task, states_what_the_command_line_does_not)
{
	struct outcome outcome;

	APPLY(&outcome, WORD("full"));
	cr_assert_eq(outcome.result, 0, "%s", outcome.err.message);
	cr_assert_eq(outcome.notes, 1);
	cr_assert_eq(outcome.request.argv.count, 2);
	cr_assert_str_eq(outcome.request.argv.items[1], "z");
	cr_assert_eq(outcome.request.timeout_ms, 7200000);
	cr_assert_str_eq(outcome.request.lock, "own");
	cr_assert(outcome.request.tty);
	request_release(&outcome.request);
}

Test(named_task, gives_way_to_the_command_line)
{
	struct outcome outcome;

	APPLY(&outcome, WORD("--timeout=24h"), WORD("--lock=mine"), WORD("-T"), WORD("full"));
	cr_assert_eq(outcome.request.argv.count, 2);
	cr_assert_eq(outcome.request.timeout_ms, 24 * INT64_C(3600000));
	cr_assert_str_eq(outcome.request.lock, "mine");
	cr_assert_not(outcome.request.tty);
	request_release(&outcome.request);
	APPLY(&outcome, WORD("-t"), WORD("dumb"));
	cr_assert(outcome.request.tty);
	request_release(&outcome.request);
}

Test(named_task, counts_more_than_the_environment)
{
	struct outcome outcome;

	setenv("ONEOFF_TIMEOUT", "5m", 1);
	setenv("ONEOFF_LOCK", "general", 1);
	APPLY(&outcome, WORD("full"));
	cr_assert_eq(outcome.request.timeout_ms, 7200000);
	cr_assert_str_eq(outcome.request.lock, "own");
	request_release(&outcome.request);
	APPLY(&outcome, WORD("plain"));
	cr_assert_eq(outcome.request.timeout_ms, 300000);
	cr_assert_str_eq(outcome.request.lock, "general");
	request_release(&outcome.request);
}

Test(named_task, has_no_terminal_when_nobody_sits_there)
{
	struct outcome outcome;

	APPLY(&outcome, WORD("-d"), WORD("full"));
	cr_assert_not(outcome.request.tty);
	cr_assert_str_eq(outcome.request.lock, "own");
	request_release(&outcome.request);
}

Test(named_task, is_one_word_without_dashes)
{
	struct outcome outcome;

	APPLY(&outcome, WORD("--"), WORD("full"));
	cr_assert_str_eq(outcome.request.argv.items[0], "full");
	cr_assert_null(outcome.request.lock);
	request_release(&outcome.request);
	APPLY(&outcome, WORD("full"), WORD("y"));
	cr_assert_str_eq(outcome.request.argv.items[0], "full");
	cr_assert_eq(outcome.notes, 0);
	request_release(&outcome.request);
	APPLY(&outcome, WORD("other"));
	cr_assert_str_eq(outcome.request.argv.items[0], "other");
	cr_assert_eq(outcome.result, 0);
	request_release(&outcome.request);
}

Test(named_task, may_bring_the_lock_that_is_waited_for)
{
	struct outcome outcome;

	APPLY(&outcome, WORD("--lock-wait=1m"), WORD("full"));
	cr_assert_eq(outcome.result, 0);
	cr_assert_eq(outcome.request.lock_wait_ms, 60000);
	request_release(&outcome.request);
	APPLY(&outcome, WORD("--lock-wait=1m"), WORD("plain"));
	cr_assert_eq(outcome.result, -1);
	cr_assert(strstr(outcome.err.message, "--lock NAME is missing"));
	request_release(&outcome.request);
	APPLY(&outcome, WORD("--lock-wait=1m"), WORD("--"), WORD("./x y"));
	cr_assert_eq(outcome.result, -1);
	request_release(&outcome.request);
}
