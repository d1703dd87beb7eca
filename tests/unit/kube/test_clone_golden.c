/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every folder of tests/golden/pod is a case; a new one needs no C: see the README there.
 * ONEOFF_GOLDEN=write writes the expected files anew: review the diff.
 */
#include "tests/unit/kube/test_clone_helper.h"

#define CASES "tests/golden/pod"

static void fill_kubernetes(const cJSON *json, struct request_kubernetes *kubernetes)
{
	static const char *const sidecars[] = {"native", "none", NULL};
	static const char *const carriers[] = {"job", "pod", NULL};
	static const char *const gates[] = {"auto", "args", "none", NULL};

	kubernetes->container = golden_string(json, "container");
	kubernetes->sidecars = (enum sidecar_mode)golden_choice(json, "sidecars", sidecars);
	kubernetes->carrier = (enum carrier_mode)golden_choice(json, "carrier", carriers);
	kubernetes->gate = (enum gate_mode)golden_choice(json, "gate", gates);
	kubernetes->no_init = json_true(json, "no_init");
	kubernetes->network_identity = json_true(json, "network_identity");
}

static void open_case(const char *name, struct clone_sample *sample)
{
	char path[512];
	cJSON *json;

	snprintf(path, sizeof(path), CASES "/%s/input.json", name);
	clone_init(sample, golden_read_json(path));
	snprintf(path, sizeof(path), CASES "/%s/request.json", name);
	json = sample->description = golden_read_json(path);
	golden_check_keys(
		name, json,
		" container sidecars carrier gate no_init network_identity namespace source architecture "
		"gate_at_hand ");
	golden_request(json, &sample->request);
	fill_kubernetes(json, &sample->request.kubernetes);
	if (json_string(json, "namespace") != NULL)
		sample->input.name_space = json_string(json, "namespace");
	if (json_string(json, "source") != NULL)
		sample->input.source = json_string(json, "source");
	if (json_member(json, "architecture") != NULL)
		sample->input.architecture = json_string(json, "architecture");
	if (json_member(json, "gate_at_hand") != NULL)
		sample->input.gate = json_true(json, "gate_at_hand");
}

/* "KIND: message" and the hint. */
static void settle_error(const char *name, const struct clone_sample *sample)
{
	struct strbuf text = STRBUF_INIT;

	cr_expect_null(sample->plan.document, "%s", name);
	strbuf_addf(&text, "%s: %s\n", err_kind_name(sample->err.kind), sample->err.message);
	if (sample->err.hint[0] != '\0')
		strbuf_addf(&text, "%s\n", sample->err.hint);
	golden_settle(CASES, name, "error.txt", &text);
	strbuf_release(&text);
}

static void settle_plan(const char *name, const struct clone_sample *sample)
{
	cJSON *both = cJSON_CreateObject();

	cJSON_AddItemToObject(both, "document", cJSON_Duplicate(sample->plan.document, true));
	cJSON_AddItemToObject(both, "extra", cJSON_Duplicate(sample->plan.extra, true));
	/* A dry run's Pod says nothing that the template does not: see the unit tests. */
	cJSON_DeleteItemFromObjectCaseSensitive(json_member(both, "extra"), "pod");
	golden_settle_plan(CASES, name, &sample->plan, both);
	json_free(&both);
}

static bool has_file(const char *name, const char *file)
{
	char path[512];

	snprintf(path, sizeof(path), CASES "/%s/%s", name, file);
	return access(path, R_OK) == 0;
}

static void run_case(const char *name)
{
	struct clone_sample sample;
	int result;

	open_case(name, &sample);
	result = kube_clone(&sample.input, &sample.plan, &sample.err);
	if (!golden_writes())
		cr_assert_eq(result < 0, has_file(name, "error.txt"), "%s: %s", name,
		             sample.err.message);
	if (result < 0)
		settle_error(name, &sample);
	else
		settle_plan(name, &sample);
	clone_close(&sample);
}

Test(kube_clone_golden, every_case)
{
	cr_expect_geq(golden_for_each(CASES, run_case), 35, "cases are missing");
}

/* Which rows of the tables some case makes fire. */
static bool fired[KUBE_TABLE_COUNT][96];

static void note_rows(const char *name)
{
	bool *const rows[KUBE_TABLE_COUNT] = {fired[0], fired[1], fired[2], fired[3]};
	struct clone_sample sample;

	open_case(name, &sample);
	(void)!kube_clone_traced(&sample.input, rows, &sample.plan, &sample.err);
	clone_close(&sample);
}

Test(kube_clone_golden, every_row_fires_in_some_case)
{
	golden_for_each(CASES, note_rows);
	for (size_t table = 0; table < KUBE_TABLE_COUNT; table++) {
		const struct kube_rules *rules = &kube_rules[table];

		cr_assert_leq(rules->count, ARRAY_SIZE(fired[table]));
		golden_expect_fired(rules->rows, rules->count, fired[table]);
	}
}
