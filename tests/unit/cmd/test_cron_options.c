/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "cmd/oneoff/cmd_cron_cluster.h"

/* The options of `cron generate WORDS`, until the next call; NULL ends the words. */
struct parsed {
	struct cron_options options;
	struct request request;
	struct err err;
	int result;
};

static void parsed_release(struct parsed *parsed)
{
	cron_options_release(&parsed->options);
	request_release(&parsed->request);
}

static void parse(struct parsed *parsed, const char *const *words)
{
	char *argv[40] = {(char *)(uintptr_t) "cron generate"};
	int argc = 1;

	memset(parsed, 0, sizeof(*parsed));
	request_init(&parsed->request);
	for (; *words; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	parsed->result =
		cron_options_parse(&cmd_cron_generate, argc, argv, &parsed->options, &parsed->err);
	if (parsed->result == 0)
		parsed->result = cron_options_check(&parsed->options, &parsed->err);
	if (parsed->result == 0)
		parsed->result = run_options_request(&parsed->options.run, false, &parsed->request,
		                                     &parsed->err);
}

#define PARSED _cleanup_(parsed_release) struct parsed parsed
#define PARSE(...)                                                                                 \
	parse(&parsed,                                                                             \
	      (const char *const[]){"--like", "deploy/web", "--name", "tidy", __VA_ARGS__, NULL})

static void refused(const char *option, const char *value, const char *part)
{
	PARSED;

	PARSE("--schedule", "@daily", option, value, "--", "true");
	cr_assert_eq(parsed.result, -1, "%s %s was taken", option, value);
	cr_expect_eq(parsed.err.kind, ERR_USAGE);
	cr_expect_not_null(strstr(parsed.err.message, part), "%s", parsed.err.message);
}

Test(cron_options, the_tables_are_sound)
{
	struct err err = ERR_INIT;

	cr_expect_eq(options_check(cron_generate_option_table, cron_generate_option_count, &err), 0,
	             "%s", err.message);
	cr_expect_eq(options_check(cron_apply_option_table, cron_apply_option_count, &err), 0, "%s",
	             err.message);
	cr_expect_eq(options_check(cron_option_table, cron_option_count, &err), 0, "%s",
	             err.message);
}

Test(cron_options, what_is_missing_is_asked_for)
{
	static const char *const nameless[] = {"--like", "web",  "--schedule", "@daily",
	                                       "--",     "true", NULL};
	PARSED;

	parse(&parsed, nameless);
	cr_expect_not_null(strstr(parsed.err.message, "--name"), "%s", parsed.err.message);
	parsed_release(&parsed);
	PARSE("--", "true");
	cr_expect_not_null(strstr(parsed.err.message, "--schedule"), "%s", parsed.err.message);
	parsed_release(&parsed);
	PARSE("--schedule", "@daily");
	cr_expect_not_null(strstr(parsed.err.message, "which command"), "%s", parsed.err.message);
}

Test(cron_options, wrong_values_are_refused)
{
	refused("--retries", "many", "'many' is no count");
	refused("--retries", "-1", "'-1' is no count");
	refused("--history", "3", "is not OK,FAILED");
	refused("--history", "3,", "'' is no count");
	refused("--history", "a,1", "'a' is no count");
	refused("--schedule", "0 0 * *", "4 fields");
	refused("--time-zone", "Local", "--time-zone");
	refused("--concurrency", "queue", "--concurrency");
	refused("--service-account", "x", "--follow");
}

Test(cron_options, pin_and_follow_exclude_each_other)
{
	PARSED;

	PARSE("--schedule", "@daily", "--pin", "--follow", "--", "true");
	cr_expect_not_null(strstr(parsed.err.message, "exclude each other"), "%s",
	                   parsed.err.message);
}

static void expect_words(const struct strv *words, const char *text)
{
	_cleanup_(strbuf_release) struct strbuf joined = STRBUF_INIT;

	for (size_t i = 0; i < words->count; i++)
		strbuf_addf(&joined, "%s%s", i > 0 ? " " : "", words->items[i]);
	cr_expect_str_eq(strbuf_str(&joined), text);
}

/* Neither where the source is nor how loud we are: the record goes with the CronJob, which others read. */
Test(cron_options, the_record_makes_the_same_again)
{
	static const char text[] =
		"--name tidy --schedule 0 3 * * * --retries 2 --starting-deadline 5m --like deploy/web --env "
		"A=1 --env B=x y --timeout 90m -- sh -c exit 3";
	_cleanup_(strv_release) struct strv words = STRV_INIT, again = STRV_INIT;
	_cleanup_(cron_options_release) struct cron_options read = {.schedule = NULL};
	_cleanup_(request_release) struct request request;
	struct err err = ERR_INIT;
	PARSED;

	request_init(&request);
	PARSE("--schedule", "0 3 * * *", "-n", "shop", "-q", "--context", "x", "-o", "json", "-e",
	      "A=1", "-e", "B=x y", "--timeout", "5400s", "--retries", "2", "--starting-deadline",
	      "300s", "--", "sh", "-c", "exit 3");
	cr_assert_eq(parsed.result, 0, "%s", parsed.err.message);
	cr_assert_eq(cron_options_words(&parsed.options, &parsed.request, &words, &err), 0);
	expect_words(&words, text);
	cr_assert_eq(cron_options_read(&words, &read, &err), 0, "%s", err.message);
	cr_assert_eq(cron_options_check(&read, &err), 0, "%s", err.message);
	cr_assert_eq(run_options_request(&read.run, false, &request, &err), 0);
	cr_assert_eq(cron_options_words(&read, &request, &again, &err), 0);
	expect_words(&again, text);
}

Test(cron_options, a_firing_has_a_limit_and_a_lock)
{
	_cleanup_(strv_release) struct strv here = STRV_INIT, there = STRV_INIT;
	struct err err = ERR_INIT;
	PARSED;

	PARSE("--schedule", "@daily", "-H", "tcp://a:1", "--memory", "1g", "--retries", "1", "--",
	      "true");
	cr_assert_eq(parsed.result, 0, "%s", parsed.err.message);
	cr_assert_eq(cron_run_words(&parsed.options, &parsed.request, true, &here, &err), 0);
	expect_words(
		&here,
		"run --like deploy/web --host tcp://a:1 --memory 1073741824 --no-stdin --timeout "
		"86400s --lock tidy -- true");
	cr_assert_eq(cron_run_words(&parsed.options, &parsed.request, false, &there, &err), 0);
	expect_words(&there,
	             "run --like deploy/web --memory 1073741824 --no-stdin --timeout 86400s --lock "
	             "tidy -- true");
}

Test(cron_options, who_allows_two_at_a_time_gets_no_lock)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	struct err err = ERR_INIT;
	PARSED;

	PARSE("--schedule", "@daily", "--concurrency", "allow", "--timeout", "0", "--", "true");
	cr_assert_eq(parsed.result, 0, "%s", parsed.err.message);
	cr_assert_eq(cron_run_words(&parsed.options, &parsed.request, false, &words, &err), 0);
	expect_words(&words, "run --like deploy/web --no-stdin --timeout 0s -- true");
}
