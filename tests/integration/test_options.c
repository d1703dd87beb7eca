/* SPDX-License-Identifier: Apache-2.0 */
/* Options and mistakes: what is kept, what is recorded, what is said, and when nothing is started.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/integration/expect.h"

TestSuite(options, .fini = expect_clean, .timeout = 60);

static void expect_kept(const char *mode, const char *code, int kept)
{
	struct run run;

	if (kept && !engine_traits()->keeps) {
		expect_refused(
			WORDS("run", "--keep", mode, "--like", "web", "--", "helper", "exit", code),
			"--keep", NULL);
		return;
	}
	run_all(&run, &(struct run_spec){ARGV("run", "--keep", mode, "--like", "web", "--",
	                                      "helper", "exit", code)});
	cr_assert_eq(run.code, (int)strtol(code, NULL, 10), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(engine_count_one_offs(), kept, "--keep %s, code %s: %d are there", mode, code,
	             engine_count_one_offs());
	engine_remove_one_offs();
	run_release(&run);
}

Test(options, keep_never_keeps_none)
{
	expect_kept("never", "3", 0);
}

Test(options, keep_failed_keeps_the_failed_only)
{
	expect_kept("failed", "3", 1);
	if (engine_traits()->keeps)
		expect_kept("failed", "0", 0);
}

Test(options, keep_always_keeps_all)
{
	expect_kept("always", "0", 1);
}

static cJSON *parse_file(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	return cJSON_Parse(text);
}

/* The record decides what a code means: this task gives one of ours. */
Test(options, the_result_file_tells_what_happened)
{
	char folder[] = "/tmp/oneoff-result-XXXXXX", path[64];
	const cJSON *argv;
	struct run run;
	cJSON *result;

	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/result.json", folder);
	run_all(&run, &(struct run_spec){ARGV("run", "--result", path, "--like", "web", "--",
	                                      "helper", "exit", "124", "text"),
	                                 .stdin_mode = STDIN_NULL});
	cr_assert_eq(run.code, 124, RUN_FORMAT, RUN_ARGS(&run));
	result = parse_file(path);
	unlink(path);
	rmdir(folder);
	cr_assert(result, "no JSON in %s", path);
	argv = member(result, "argv");
	cr_assert_eq(cJSON_GetNumberValue(member(result, "exitCode")), 124);
	cr_assert_eq(cJSON_GetNumberValue(member(result, "taskCode")), 124);
	cr_assert(cJSON_IsTrue(member(result, "started")));
	cr_assert(cJSON_IsTrue(member(result, "outputComplete")));
	if (!engine_traits()->streams_inherited) {
		cr_assert_eq(cJSON_GetNumberValue(member(result, "bytesOut")), 4);
		cr_assert_eq(cJSON_GetNumberValue(member(result, "bytesErr")), 0);
	}
	cr_assert_eq(cJSON_GetArraySize(argv), 4);
	cr_assert_str_eq(cJSON_GetStringValue(cJSON_GetArrayItem(argv, 3)), "text");
	cr_assert_str_eq(text_of(result, "source"), "web");
	cr_assert_str_not_empty(text_of(result, "id"));
	if (engine_traits()->image_known)
		cr_assert_str_not_empty(text_of(result, "digest"));
	cr_assert_str_not_empty(text_of(result, "start"));
	cr_assert_str_not_empty(text_of(result, "end"));
	cJSON_Delete(result);
	run_release(&run);
}

Test(options, a_record_that_cannot_be_written_is_told_before_the_start)
{
	expect_refused(WORDS("run", "--result", "/tmp/oneoff-no-such-folder/r.json", "--like",
	                     "web", "--", "helper", "exit", "0", "text"),
	               "--result", NULL);
}

Test(options, mistakes_are_125_and_one_message)
{
	expect_refused(WORDS("run", "--no-such-flag", "--like", "web", "--", "true"),
	               "no-such-flag", NULL);
	expect_refused(WORDS("run", "--timeout", "soon", "--like", "web", "--", "true"), "soon",
	               NULL);
	expect_refused(WORDS("run", "--keep", "sometimes", "--like", "web", "--", "true"),
	               "sometimes", NULL);
	expect_refused(WORDS("run", "--", "true"), "like", NULL);
	expect_refused(WORDS("run", "--like"), "like", NULL);
	expect_refused(WORDS("no-such-verb"), "no-such-verb", NULL);
}

Test(options, an_unknown_source_is_125_and_names_the_nearest)
{
	expect_refused(WORDS("run", "--like", "wbe", "--", "true"), "web", NULL);
}

Test(options, a_name_that_is_taken_is_125)
{
	cJSON *before = engine_inspect("web"), *after;

	expect_refused(WORDS("run", "--name", "web", "--like", "web", "--", "true"), "web", NULL);
	after = engine_inspect("web");
	cr_assert(before && after);
	cr_assert_str_eq(text_of(before, "Id"), text_of(after, "Id"));
	cr_assert_str_eq(text_of(before, "State.StartedAt"), text_of(after, "State.StartedAt"));
	cJSON_Delete(before);
	cJSON_Delete(after);
}

Test(options, a_name_of_one_s_own)
{
	struct run run;
	cJSON *clone;

	run_start(&run, &(struct run_spec){ARGV("run", "--name", "my-task", "--like", "web", "--",
	                                        "helper", "signals")});
	cr_assert(run_until(&run, &run.out, 0, "ready"), RUN_FORMAT, RUN_ARGS(&run));
	clone = engine_inspect("my-task");
	cr_assert(clone);
	kill(run.pid, SIGTERM);
	run_finish(&run);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cJSON_Delete(clone);
	run_release(&run);
}

/* fault 1 */
Test(options, no_engine_is_125_at_once_and_names_the_endpoint)
{
	const char *variable = engine_traits()->nowhere;
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "--like", "web", "--", "true"),
	                                 .env = (const char *const[]){variable, NULL}});
	cr_assert_eq(run.code, 125, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.err.text, "/nonexistent/a.sock"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_lt(run.took_ms, 1000, "took %" PRId64 " ms", run.took_ms);
	run_release(&run);
}

Test(options, a_source_that_ended_is_cloned_with_a_note)
{
	struct run run;

	run_all(&run, &(struct run_spec){
			      ARGV("run", "--like", "ended", "--", "helper", "exit", "0", "x")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err) && strstr(run.err.text, "ended"), RUN_FORMAT,
	          RUN_ARGS(&run));
	run_release(&run);
}

Test(options, plan_starts_nothing)
{
	struct run run;
	cJSON *plan;

	run_all(&run, &(struct run_spec){ARGV("plan", "--like", "web", "--", "true")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, engine_traits()->plan_shows), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(engine_count_one_offs(), 0);
	run_release(&run);
	run_all(&run,
	        &(struct run_spec){ARGV("plan", "-o", "json", "--like", "web", "--", "true")});
	plan = cJSON_Parse(run.out.text);
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(cJSON_IsObject(member(plan, "document")), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(cJSON_IsArray(member(plan, "differences")), RUN_FORMAT, RUN_ARGS(&run));
	/* a value that may be a secret is not shown */
	cr_assert(!strstr(run.out.text, "a=b=c"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(engine_count_one_offs(), 0);
	cJSON_Delete(plan);
	run_release(&run);
}

static void expect_chatter(const char *flag, bool some)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", flag, "--like", "web", "--", "helper", "exit",
	                                      "2", "x")});
	cr_assert_eq(run.code, 2, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, "x"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.err.count > 0, some, RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

Test(options, chatter_is_on_stderr_only_and_quiet_means_none)
{
	expect_chatter("-v", true);
	expect_chatter("-q", false);
}

/* Not a word of a value from the environment in anything we say ourselves. */
Test(options, chatter_tells_no_environment_values)
{
	struct run run;

	run_all(&run, &(struct run_spec){ARGV("run", "-v", "-e", "API_TOKEN=tell-nobody", "--like",
	                                      "web", "--", "helper", "exit", "2")});
	cr_assert_eq(run.code, 2, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.err.text, "tell-nobody"), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.err.text, "a=b=c"), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
