/* SPDX-License-Identifier: Apache-2.0 */
/* Which cases make no sense with which engine, and why: they are skipped there, and counted as skipped. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <criterion/internal/ordered-set.h>
#include <stdlib.h>
#include <string.h>

struct skipped {
	const char *engine;
	const char *suite, *test; /* test "*": all */
	const char *why;
};

static const struct skipped skipped[] = {
	{"oci", "clone", "*", "compares Docker's inspect documents; oci_clone asks the kernel"},
	{"oci", "cut", "*", "there is no connection that could be cut"},
	{"oci", "faults", "reader_stalls_around_the_end_of_1300000_bytes",
         "the sizes are those of an engine's buffers: one is enough where there is none"},
	{"oci", "faults", "reader_stalls_around_the_end_of_1420000_bytes", "as above"},
	{"oci", "reach", "*", "no API: no ssh, no contexts, no compose"},
	{"oci", "tls", "*", "no API"},
	{"oci", "task", "does_not_answer_to_the_source_s_network_alias",
         "no name server: names in a network are an engine's"},
	{"oci", "task", "runs_behind_the_source_s_entrypoint",
         "config.json does not tell the entrypoint from the command; oci: an_image_s_entrypoint"},
	{"oci", "task", "can_do_without_the_entrypoint", "as above"},
	{"oci", "options", "a_name_that_is_taken_is_125",
         "one-offs have a state root of their own; oci: a_name_that_another_one_off_has"},
};

static const struct skipped *find(const char *suite, const char *test)
{
	const char *engine = getenv("ONEOFF_TEST_ENGINE");
	size_t i;

	for (i = 0; engine && i < sizeof(skipped) / sizeof(skipped[0]); i++)
		if (strcmp(skipped[i].engine, engine) == 0 &&
		    strcmp(skipped[i].suite, suite) == 0 &&
		    (strcmp(skipped[i].test, "*") == 0 || strcmp(skipped[i].test, test) == 0))
			return &skipped[i];
	return NULL;
}

/* Suites named oci… are about that engine alone. */
static bool is_for_another(const char *suite)
{
	const char *engine = getenv("ONEOFF_TEST_ENGINE");

	return strncmp(suite, "oci", 3) == 0 && (!engine || strcmp(engine, "oci") != 0);
}

ReportHook(PRE_ALL)(struct criterion_test_set *set)
{
	FOREACH_SET(struct criterion_suite_set * suite, set->suites)
	{
		FOREACH_SET(struct criterion_test * test, suite->tests)
		{
			if (is_for_another(test->category) || find(test->category, test->name))
				test->data->disabled = true;
		}
	}
}
