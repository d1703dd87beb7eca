/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kube/test_clone_helper.h"

/* A pod with the labels app, tier, track; %s: further members of the description. */
#define SOURCE(more)                                                                               \
	"{\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\",\"tier\":\"back\",\"track\":"    \
	"\"x\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}},\"services\":[],"   \
	"\"budgets\":[],\"workloads\":[],\"policies\":[]" more "}"

static void open_with(struct clone_sample *sample, const char *key, const char *list)
{
	clone_open(sample, SOURCE(""), "true");
	cr_assert_eq(json_set_node(sample->source, key, golden_parse(list)), 0);
	sample->input.services = json_member(sample->source, "services");
	sample->input.budgets = json_member(sample->source, "budgets");
	sample->input.workloads = json_member(sample->source, "workloads");
	sample->input.policies = json_member(sample->source, "policies");
	sample->input.workload = json_member(sample->source, "workload");
}

Test(kube_clone_labels, all_stay_when_nothing_selects)
{
	struct clone_sample sample;

	clone_open(&sample, SOURCE(""), "true");
	clone_plan(&sample);
	cr_expect_str_eq(clone_label(&sample, "app"), "web");
	cr_expect_str_eq(clone_label(&sample, "tier"), "back");
	cr_expect_str_eq(clone_label(&sample, KUBE_LABEL_ID), "k3v9x2ab");
	cr_expect_str_eq(clone_label(&sample, KUBE_LABEL_MANAGED), "oneoff");
	clone_close(&sample);
}

Test(kube_clone_labels, one_label_is_enough_against_two_selectors)
{
	struct clone_sample sample;

	open_with(
		&sample, "services",
		"[{\"metadata\":{\"name\":\"a\"},\"spec\":{\"selector\":{\"app\":\"web\",\"tier\":"
		"\"back\"}}},{\"metadata\":{\"name\":\"b\"},\"spec\":{\"selector\":{\"tier\":"
		"\"back\",\"track\":\"x\"}}}]");
	clone_plan(&sample);
	cr_expect_null(clone_label(&sample, "tier"));
	cr_expect_str_eq(clone_label(&sample, "app"), "web");
	cr_expect_str_eq(clone_label(&sample, "track"), "x");
	clone_expect_row(&sample, PLAN_DROPPED, "metadata.labels.tier", "Service a, Service b");
	clone_close(&sample);
}

/* "app" and "tier" would do, too, and stand first. */
Test(kube_clone_labels, one_label_goes_rather_than_two)
{
	struct clone_sample sample;

	open_with(
		&sample, "services",
		"[{\"metadata\":{\"name\":\"a\"},\"spec\":{\"selector\":{\"app\":\"web\",\"track\":"
		"\"x\"}}},{\"metadata\":{\"name\":\"b\"},\"spec\":{\"selector\":{\"tier\":"
		"\"back\",\"track\":\"x\"}}}]");
	clone_plan(&sample);
	cr_expect_str_eq(clone_label(&sample, "app"), "web");
	cr_expect_str_eq(clone_label(&sample, "tier"), "back");
	cr_expect_null(clone_label(&sample, "track"));
	clone_close(&sample);
}

Test(kube_clone_labels, others_services_take_nothing_away)
{
	struct clone_sample sample;

	open_with(&sample, "services",
	          "[{\"metadata\":{\"name\":\"api\"},\"spec\":{\"selector\":{\"app\":\"api\"}}},{"
	          "\"metadata\":{\"name\":\"web\"},\"spec\":{\"selector\":{\"app\":\"web\"}}}]");
	clone_plan(&sample);
	cr_expect_null(clone_label(&sample, "app"));
	clone_expect_row(&sample, PLAN_DROPPED, "metadata.labels.app", "Service web would");
	clone_close(&sample);
}

Test(kube_clone_labels, the_label_that_a_policy_needs_stays_if_another_can_go)
{
	struct clone_sample sample;

	open_with(
		&sample, "services",
		"[{\"metadata\":{\"name\":\"s\"},\"spec\":{\"selector\":{\"app\":\"web\",\"tier\":"
		"\"back\"}}}]");
	cr_assert_eq(
		json_set_node(sample.source, "policies",
	                      golden_parse("[{\"metadata\":{\"name\":\"p\"},\"spec\":{"
	                                   "\"podSelector\":{\"matchLabels\":{\"app\":\"web\"}}"
	                                   "}}]")),
		0);
	sample.input.policies = json_member(sample.source, "policies");
	clone_plan(&sample);
	cr_expect_str_eq(clone_label(&sample, "app"), "web");
	cr_expect_null(clone_label(&sample, "tier"));
	cr_expect_null(golden_row(&sample.plan, "networkPolicies.p"));
	clone_close(&sample);
}

/* Dropping a label may make a selector match that wants it to be missing. */
Test(kube_clone_labels, a_label_is_not_dropped_into_another_selector)
{
	struct clone_sample sample;

	open_with(
		&sample, "budgets",
		"[{\"metadata\":{\"name\":\"one\"},\"spec\":{\"selector\":{\"matchLabels\":{\"app\":"
		"\"web\",\"tier\":\"back\"}}}},{\"metadata\":{\"name\":\"two\"},\"spec\":{"
		"\"selector\":{\"matchLabels\":{\"tier\":\"back\"},\"matchExpressions\":[{\"key\":"
		"\"app\",\"operator\":\"DoesNotExist\"}]}}}]");
	clone_plan(&sample);
	cr_expect_str_eq(clone_label(&sample, "app"), "web");
	cr_expect_null(clone_label(&sample, "tier"));
	clone_close(&sample);
}

Test(kube_clone_labels, replication_controllers_have_a_plain_map)
{
	struct clone_sample sample;

	open_with(&sample, "workloads",
	          "[{\"metadata\":{\"name\":\"rc\"},\"spec\":{\"selector\":{\"track\":\"x\"}}}]");
	clone_plan(&sample);
	cr_expect_null(clone_label(&sample, "track"));
	clone_close(&sample);
}

Test(kube_clone_labels, the_workload_itself_counts_without_a_list)
{
	struct clone_sample sample;

	open_with(&sample, "workload",
	          "{\"kind\":\"DaemonSet\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"selector\":{"
	          "\"matchLabels\":{\"app\":\"web\"}}}}");
	sample.input.workloads = NULL;
	clone_plan(&sample);
	cr_expect_null(clone_label(&sample, "app"));
	clone_expect_row(&sample, PLAN_DROPPED, "metadata.labels.app", "DaemonSet d");
	clone_close(&sample);
}

Test(kube_clone_labels, without_services_the_workloads_labels_go)
{
	struct clone_sample sample;

	open_with(&sample, "workload",
	          "{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\"},\"spec\":{\"selector\":{"
	          "\"matchLabels\":{\"app\":\"web\",\"tier\":\"back\"}}}}");
	sample.input.services = NULL;
	clone_plan(&sample);
	cr_expect_null(clone_label(&sample, "app"));
	cr_expect_null(clone_label(&sample, "tier"));
	cr_expect_str_eq(clone_label(&sample, "track"), "x");
	clone_expect_row(&sample, PLAN_UNKNOWN, "services", "could not be read");
	clone_close(&sample);
}

Test(kube_clone_labels, without_services_and_workload_all_go)
{
	struct clone_sample sample;

	clone_open(&sample, SOURCE(""), "true");
	sample.input.services = NULL;
	clone_plan(&sample);
	cr_expect_null(clone_label(&sample, "app"));
	cr_expect_null(clone_label(&sample, "track"));
	clone_close(&sample);
}

Test(kube_clone_labels, many_candidates_all_go)
{
	struct clone_sample sample;
	cJSON *labels;

	open_with(&sample, "services",
	          "[{\"metadata\":{\"name\":\"s\"},\"spec\":{\"selector\":{\"app\":\"web\"}}}]");
	labels = json_at(sample.source, "template.metadata.labels");
	for (int i = 0; i < 20; i++) {
		char key[16];
		cJSON *selector = json_at(sample.source, "services[0].spec.selector");

		snprintf(key, sizeof(key), "k%d", i);
		cr_assert_eq(json_set_string(labels, key, "v"), 0);
		cr_assert_eq(json_set_string(selector, key, "v"), 0);
	}
	clone_plan(&sample);
	cr_expect_null(clone_label(&sample, "app"));
	cr_expect_null(clone_label(&sample, "k19"));
	cr_expect_str_eq(clone_label(&sample, "tier"), "back");
	clone_close(&sample);
}

Test(kube_clone_labels, what_is_asked_must_be_a_label)
{
	static const struct {
		const char *pair;
		bool good;
	} cases[] = {
		{"a=b", true},
		{"a=", true},
		{"a", true},
		{"example.com/a_b.c-d=1_2.3-4", true},
		{"a=b c", false},
		{"a=-b", false},
		{"a b=c", false},
		{"/a=b", false},
		{"Example.com/a=b", false},
		{"ex..com/a=b", false},
		{"-ex.com/a=b", false},
		{"a/b/c=d", false},
		{"a=\xc3\xa9", false},
		{"job-name=x", false},
		{"pod-template-hash=x", false},
		{"batch.kubernetes.io/controller-uid=x", false},
		{"oneoff.dev/id=x", false},
		{"app.kubernetes.io/managed-by=x", false},
		{"k12345678901234567890123456789012345678901234567890123456789012=x", true},
		{"k123456789012345678901234567890123456789012345678901234567890123=x", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		int result = kube_check_label(cases[i].pair, &err);

		cr_expect_eq(result, cases[i].good ? 0 : -1, "%s: %s", cases[i].pair, err.message);
		if (!cases[i].good)
			cr_expect_eq(err.kind, ERR_USAGE);
	}
}

/* The Job is not the app: tools that prune by the app's labels must not find it. */
Test(kube_clone_labels, the_job_has_only_ours_and_the_asked_ones)
{
	struct clone_sample sample;

	clone_open(&sample, SOURCE(""), "true");
	cr_assert_eq(strv_add(&sample.request.labels, "team=ops"), 0);
	clone_plan(&sample);
	clone_expect_sent(
		&sample, "metadata.labels",
		"{\"oneoff.dev/id\":\"k3v9x2ab\",\"app.kubernetes.io/managed-by\":\"oneoff\","
		"\"team\":\"ops\"}");
	clone_close(&sample);
}
