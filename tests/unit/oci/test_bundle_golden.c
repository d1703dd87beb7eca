/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of tests/golden/bundle is a case; a new one needs no C:
 *
 *	source         names a fixture of tests/fixtures/oci/bundle ("docker-28.5-config.json"), or
 *	source.json    is the document itself: a config.json, or an image's config
 *	request.json   what is asked, and of what machine; see tests/golden/bundle/README.md
 *	expected.json  the config.json that is made
 *	expected.txt   the whole table of the plan, kept rows too
 *
 * ONEOFF_GOLDEN=write writes the two expected files anew: review the diff.
 */
#include <stdio.h>
#include <string.h>
#include "tests/unit/oci/bundle_helper.h"

#define CASES    "tests/golden/bundle"
#define FIXTURES "tests/fixtures/oci/bundle"

static void fill_user(const cJSON *json, struct bundle_user *user)
{
	int64_t number = 0;
	const cJSON *group;

	golden_number(json, "uid", &number);
	user->uid = (uid_t)number;
	golden_number(json, "gid", &number);
	user->gid = (gid_t)number;
	cJSON_ArrayForEach (group, json_member(json, "groups")) {
		cr_assert_eq(json_int64(group, "", &number), 0);
		user->additional[user->additional_count++] = (gid_t)number;
	}
	if (json_string(json, "home"))
		snprintf(user->home, sizeof(user->home), "%s", json_string(json, "home"));
}

/* Texts of the input are borrowed from `json`. */
static void fill_input(const cJSON *json, struct bundle_sample *sample)
{
	static const char *const networks[] = {"source", "none", "host", NULL};
	struct bundle_input *input = &sample->input;
	int64_t pid = input->source_pid, floor = input->oom_score_adj_floor, most;
	const cJSON *limit;

	golden_number(json, "source_pid", &pid);
	golden_number(json, "oom_score_adj_floor", &floor);
	input->source_pid = (pid_t)pid;
	input->oom_score_adj_floor = (int)floor;
	input->network = (enum bundle_network)golden_choice(json, "network", networks);
	if (json_member(json, "network_path"))
		input->network_path = json_string(json, "network_path");
	if (json_member(json, "cgroups_path"))
		input->cgroups_path = json_string(json, "cgroups_path");
	if (json_member(json, "source_name"))
		input->source_name = json_string(json, "source_name");
	input->user_namespace = json_true(json, "user_namespace");
	input->rootless = json_true(json, "rootless");
	input->cgroup2 = json_true(json, "cgroup2");
	if (json_member(json, "as_user")) {
		fill_user(json_member(json, "as_user"), &sample->user);
		input->user = &sample->user;
	}
	cJSON_ArrayForEach (limit, json_member(json, "rlimits")) {
		cr_assert_eq(json_int64(limit, "", &most), 0);
		sample->rlimits[input->rlimit_count++] =
			(struct bundle_rlimit){limit->string, (uint64_t)most};
	}
	input->rlimits = sample->rlimits;
}

/* *ret_json is the request, owned by the caller; the sample borrows from it. */
static void open_case(const char *name, struct bundle_sample *sample, cJSON **ret_json)
{
	static const char *const kinds[] = {"container", "image", NULL};
	char path[512];
	cJSON *json, *image = NULL;

	snprintf(path, sizeof(path), CASES "/%s/request.json", name);
	json = golden_read_json(path);
	golden_check_keys(
		name, json,
		" from image_document source_pid as_user network network_path user_namespace rootless "
		"cgroups_path rlimits oom_score_adj_floor cgroup2 source_name ");
	if (json_string(json, "image_document")) {
		snprintf(path, sizeof(path), FIXTURES "/%s", json_string(json, "image_document"));
		image = golden_read_json(path);
	}
	bundle_sample_init(sample, golden_read_source(CASES, name, FIXTURES), image,
	                   golden_choice(json, "from", kinds) == 1);
	golden_request(json, &sample->request);
	fill_input(json, sample);
	*ret_json = json;
}

static void run_case(const char *name)
{
	struct bundle_sample sample;
	cJSON *json;

	open_case(name, &sample, &json);
	cr_assert_eq(bundle_sample_try(&sample), 0, "%s: %s", name, sample.err.message);
	golden_settle_plan(CASES, name, &sample.plan, sample.plan.document);
	bundle_sample_close(&sample);
	json_free(&json);
}

Test(bundle_golden, every_case)
{
	cr_expect_geq(golden_for_each(CASES, run_case), 25, "cases are missing");
}

/* Which rows of the two tables some case makes fire. */
static bool fired[2][256];

static void note_rows(const char *name)
{
	struct bundle_sample sample;
	struct rule_context context;
	cJSON *json;

	open_case(name, &sample, &json);
	sample.plan.document = cJSON_CreateObject();

	const struct bundle_sources sources = {
		.input = &sample.input,
		.image = sample.from_image ? sample.source : sample.image,
		.from_image = sample.from_image,
	};
	context = (struct rule_context){
		.source = sample.source,
		.target = sample.plan.document,
		.plan = &sample.plan,
		.flags = bundle_flags(sample.from_image ? NULL : sample.source, &sample.input),
		.extra = &sources,
		.fired = fired[sample.from_image],
	};
	cr_assert_eq(rules_apply(sample.from_image ? bundle_image_rules : bundle_rules,
	                         sample.from_image ? bundle_image_rules_count : bundle_rules_count,
	                         sample.from_image ? RULE_UNMATCHED_DROP : RULE_UNMATCHED_REFUSE,
	                         &context, &sample.err),
	             0, "%s: %s", name, sample.err.message);
	bundle_sample_close(&sample);
	json_free(&json);
}

static void expect_fired(const struct rule *rules, size_t count, const bool *seen)
{
	cr_assert_leq(count, ARRAY_SIZE(fired[0]));
	golden_expect_fired(rules, count, seen);
}

Test(bundle_golden, every_row_fires_in_some_case)
{
	golden_for_each(CASES, note_rows);
	expect_fired(bundle_rules, bundle_rules_count, fired[false]);
	expect_fired(bundle_image_rules, bundle_image_rules_count, fired[true]);
}
