/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of tests/golden/clone is a case; a new one needs no C:
 *
 *	source         names a fixture ("docker/inspect-plain.d28.json"), or
 *	source.json    is the inspect document itself
 *	request.json   what is asked, and of which engine; see tests/golden/clone/README.md
 *	expected.json  the document that is sent, and the further networks under "extra"
 *	expected.txt   the whole table of the plan, kept rows too
 *
 * ONEOFF_GOLDEN=write build/…/test_clone_golden writes the two expected files anew: review the
 * diff.
 */
#include "tests/unit/docker/clone_helper.h"

#define CASES "tests/golden/clone"

static void open_case(const char *name, struct sample *sample)
{
	char path[512];
	cJSON *json, *image = NULL;
	int64_t minor;

	snprintf(path, sizeof(path), CASES "/%s/request.json", name);
	json = read_json(path);
	golden_check_keys(name, json, " engine api image_document ");
	if (json_string(json, "image_document") != NULL)
		image = read_fixture(json_string(json, "image_document"));
	sample_init(sample, only_one(golden_read_source(CASES, name, "tests/fixtures")), image,
	            strcmp(json_string(json, "engine"), "podman") == 0);
	sample->request.stdin_open = false;
	golden_request(json, &sample->request);
	if (json_int64(json, "api", &minor) == 0)
		sample->input.api_minor = (int)minor;
	json_free(&json);
}

static void run_case(const char *name)
{
	struct sample sample;
	cJSON *both = cJSON_CreateObject();

	open_case(name, &sample);
	cr_assert_eq(docker_clone(&sample.input, &sample.plan, &sample.err), 0, "%s: %s", name,
	             sample.err.message);
	cJSON_AddItemToObject(both, "document", cJSON_Duplicate(sample.plan.document, true));
	if (sample.plan.extra != NULL)
		cJSON_AddItemToObject(both, "extra", cJSON_Duplicate(sample.plan.extra, true));
	golden_settle_plan(CASES, name, &sample.plan, both);
	json_free(&both);
	sample_close(&sample);
}

Test(clone_golden, every_case)
{
	cr_expect_geq(golden_for_each(CASES, run_case), 25, "cases are missing");
}

/* Which rows of the table some case makes fire. */
static bool fired[256];

static void note_rows(const char *name)
{
	struct sample sample;
	struct rule_context context;

	open_case(name, &sample);
	sample.plan.document = cJSON_CreateObject();
	context = (struct rule_context){
		.source = sample.container,
		.target = sample.plan.document,
		.plan = &sample.plan,
		.flags = clone_flags(&sample.input),
		.extra = &sample.input,
		.fired = fired,
	};
	cr_assert_eq(rules_apply(clone_rules, clone_rules_count, RULE_UNMATCHED_DROP, &context,
	                         &sample.err),
	             0, "%s: %s", name, sample.err.message);
	sample_close(&sample);
}

Test(clone_golden, every_row_fires_in_some_case)
{
	cr_assert_leq(clone_rules_count, ARRAY_SIZE(fired));
	golden_for_each(CASES, note_rows);
	golden_expect_fired(clone_rules, clone_rules_count, fired);
}
