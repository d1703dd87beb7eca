/* SPDX-License-Identifier: Apache-2.0 */
/* doctor on a machine that is well, before a socket that refuses, and where nothing is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/integration/expect.h"

TestSuite(doctor, .fini = expect_clean, .timeout = 60);

static void expect_well(const char *const *argv, const char *word)
{
	struct run run;

	run_all(&run, &(struct run_spec){.argv = argv});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strstr(run.out.text, "FIX "), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "ok "), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, word), "no '%s': " RUN_FORMAT, word, RUN_ARGS(&run));
	cr_assert(capture_is(&run.err, ""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}

static const char *runtime(void)
{
	const char *engine = getenv("ONEOFF_TEST_ENGINE");

	return engine && strcmp(engine, "kube") ? engine : "kubernetes";
}

Test(doctor, finds_nothing_to_fix_on_a_good_machine)
{
	expect_well(WORDS("doctor", "--runtime", runtime()), runtime());
}

Test(doctor, knows_the_source_too)
{
	expect_well(WORDS("doctor", "--like", "web"), runtime());
}

Test(doctor, tells_programs_as_well)
{
	const cJSON *finding;
	struct run run;
	cJSON *list;

	run_all(&run, &(struct run_spec){ARGV("doctor", "--runtime", runtime(), "-o", "json")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	list = cJSON_Parse(run.out.text);
	cr_assert(cJSON_GetArraySize(list) > 0, RUN_FORMAT, RUN_ARGS(&run));
	cJSON_ArrayForEach (finding, list) {
		cr_assert(strcmp(text_of(finding, "level"), "bad"), RUN_FORMAT, RUN_ARGS(&run));
		cr_assert_str_eq(text_of(finding, "runtime"), runtime());
		cr_assert_str_not_empty(text_of(finding, "text"));
	}
	cJSON_Delete(list);
	run_release(&run);
}

/* The last line of stderr. */
static const char *last_line(const struct run *run)
{
	static char text[2048];
	const char *line;
	size_t length;

	snprintf(text, sizeof(text), "%s", run->err.text);
	length = strlen(text);
	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

static void expect_ill(const struct run_spec *spec, const char *word)
{
	struct run run;

	run_all(&run, spec);
	cr_assert_eq(run.code, 1, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(strstr(run.out.text, "FIX "), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(!strncmp(last_line(&run), "oneoff: fix this first: ", 24), RUN_FORMAT,
	          RUN_ARGS(&run));
	cr_assert(strstr(last_line(&run), word), "no '%s': " RUN_FORMAT, word, RUN_ARGS(&run));
	run_release(&run);
}

Test(doctor, names_what_is_missing_when_the_engine_is_nowhere)
{
	expect_ill(&(struct run_spec){ARGV("doctor", "--runtime", runtime()),
	                              .env = WORDS(engine_traits()->nowhere)},
	           "/nonexistent/a.sock");
}

Test(doctor, names_a_source_that_is_not_there)
{
	expect_ill(&(struct run_spec){ARGV("doctor", "--like", "wbe")}, "wbe");
}

/* As somebody whom the socket's mode keeps out; root would get in. */
Test(doctor, tells_whom_a_socket_refuses_what_to_do)
{
	expect_ill(&(struct run_spec){.program = "/usr/bin/setpriv",
	                              ARGV("--reuid=65534", "--regid=65534", "--clear-groups",
	                                   oneoff_path(), "doctor")},
	           "we may not connect to it (");
}

/* An address that is named must answer, whatever else does. */
Test(doctor, an_address_that_is_named_must_answer)
{
	expect_ill(&(struct run_spec){ARGV("doctor", "-H", "unix:///nonexistent/b.sock"),
	                              .env = WORDS("ONEOFF_RUNTIME")},
	           "/nonexistent/b.sock");
}

Test(doctor, prints_the_role_of_the_repository)
{
	static char text[65536];
	FILE *file = fopen("k8s-manifests/role.yaml", "re");
	struct run run;

	cr_assert(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	run_all(&run, &(struct run_spec){ARGV("doctor", "--role")});
	cr_assert_eq(run.code, 0, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.out, text), RUN_FORMAT, RUN_ARGS(&run));
	cr_assert(capture_is(&run.err, ""), RUN_FORMAT, RUN_ARGS(&run));
	run_release(&run);
}
