/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/kube/test_clone_helper.h"

#define SOURCE                                                                                       \
	"{\"template\":{\"metadata\":{\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{"     \
	"\"name\":\"c\",\"image\":\"r.example:5000/web:1\",\"command\":[\"x\"]}]}},\"services\":[]," \
	"\"budgets\":[],\"workloads\":[],\"policies\":[]}"

static void open_default(struct clone_sample *sample)
{
	clone_open(sample, SOURCE, "true");
}

Test(kube_clone_job, never_twice_and_never_for_ever)
{
	struct clone_sample sample;

	open_default(&sample);
	clone_plan(&sample);
	clone_expect_sent(&sample, "apiVersion", "\"batch/v1\"");
	clone_expect_sent(&sample, "kind", "\"Job\"");
	clone_expect_sent(&sample, "metadata.name", "\"web-oneoff-k3v9x2ab\"");
	clone_expect_sent(&sample, "metadata.namespace", "\"default\"");
	clone_expect_sent(&sample, "metadata.ownerReferences", NULL);
	clone_expect_sent(&sample, "spec.backoffLimit", "0");
	clone_expect_sent(&sample, "spec.completions", "1");
	clone_expect_sent(&sample, "spec.parallelism", "1");
	clone_expect_sent(&sample, "spec.podReplacementPolicy", "\"Failed\"");
	clone_expect_sent(&sample, "spec.ttlSecondsAfterFinished", "600");
	clone_expect_sent(&sample, "spec.template.spec.restartPolicy", "\"Never\"");
	clone_close(&sample);
}

Test(kube_clone_job, both_deadlines)
{
	struct clone_sample sample;

	open_default(&sample);
	sample.request.timeout_ms = 90001;
	sample.request.start_timeout_ms = 30000;
	clone_plan(&sample);
	clone_expect_sent(&sample, "spec.template.spec.activeDeadlineSeconds", "91");
	clone_expect_sent(&sample, "spec.activeDeadlineSeconds", "181");
	clone_close(&sample);
}

Test(kube_clone_job, no_limit_is_no_deadline)
{
	struct clone_sample sample;

	open_default(&sample);
	sample.request.timeout_ms = 0;
	clone_plan(&sample);
	clone_expect_sent(&sample, "spec.template.spec.activeDeadlineSeconds", NULL);
	clone_expect_sent(&sample, "spec.activeDeadlineSeconds", NULL);
	clone_close(&sample);
}

Test(kube_clone_job, a_start_without_limit_leaves_the_job_without_one)
{
	struct clone_sample sample;

	open_default(&sample);
	sample.request.start_timeout_ms = 0;
	clone_plan(&sample);
	clone_expect_sent(&sample, "spec.template.spec.activeDeadlineSeconds", "86400");
	clone_expect_sent(&sample, "spec.activeDeadlineSeconds", NULL);
	clone_close(&sample);
}

Test(kube_clone_job, kept_as_long_as_asked)
{
	static const struct {
		enum keep_mode keep;
		int64_t milliseconds;
		const char *wanted;
	} cases[] = {
		{KEEP_NEVER, 5000, "600"},  {KEEP_ALWAYS, 0, "604800"},
		{KEEP_ALWAYS, 1500, "2"},   {KEEP_FAILED, 3600000, "3600"},
		{KEEP_FAILED, 0, "604800"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct clone_sample sample;

		open_default(&sample);
		sample.request.keep = cases[i].keep;
		sample.request.keep_for_ms = cases[i].milliseconds;
		clone_plan(&sample);
		clone_expect_sent(&sample, "spec.ttlSecondsAfterFinished", cases[i].wanted);
		clone_close(&sample);
	}
}

Test(kube_clone_job, the_dry_run_pod_is_the_template)
{
	struct clone_sample sample;

	open_default(&sample);
	clone_plan(&sample);
	clone_expect(sample.plan.extra, "pod.apiVersion", "\"v1\"");
	clone_expect(sample.plan.extra, "pod.kind", "\"Pod\"");
	clone_expect(sample.plan.extra, "pod.metadata.namespace", "\"default\"");
	cr_expect(json_equal(json_at(sample.plan.extra, "pod.spec"),
	                     json_at(sample.plan.document, "spec.template.spec")));
	cr_expect(json_equal(json_at(sample.plan.extra, "pod.metadata.labels"),
	                     json_at(sample.plan.document, "spec.template.metadata.labels")));
	clone_close(&sample);
}

Test(kube_clone_job, a_carrier_pod_is_the_same_pod)
{
	struct clone_sample sample;
	const cJSON *annotations;

	open_default(&sample);
	sample.request.kubernetes.carrier = CARRIER_POD;
	clone_plan(&sample);
	clone_expect_sent(&sample, "kind", "\"Pod\"");
	clone_expect_sent(&sample, "spec.restartPolicy", "\"Never\"");
	clone_expect_sent(&sample, "spec.activeDeadlineSeconds", "86400");
	annotations = json_at(sample.plan.document, "metadata.annotations");
	cr_expect_not_null(json_member(annotations, "oneoff.dev/command"));
	cr_expect_not_null(json_member(annotations, "karpenter.sh/do-not-disrupt"));
	cr_expect(json_equal(json_at(sample.plan.extra, "pod.spec"),
	                     json_at(sample.plan.document, "spec")));
	clone_close(&sample);
}

Test(kube_clone_job, the_record_tells_who_and_what)
{
	static const struct {
		const char *key, *wanted;
	} records[] = {
		{"oneoff.dev/source", "deploy/web"},
		{"oneoff.dev/user", "jane"},
		{"oneoff.dev/reason", "ticket 42"},
		{"oneoff.dev/command", "[\"true\",\"$$(x)\"]"},
		{"oneoff.dev/started", "2026-11-21T04:54:03Z"},
		{"oneoff.dev/image", "r.example:5000/web:1"},
	};
	struct clone_sample sample;

	open_default(&sample);
	cr_assert_eq(strv_add(&sample.request.argv, "$$(x)"), 0);
	sample.request.reason = strdup("ticket 42");
	clone_plan(&sample);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		const cJSON *node = json_member(
			json_at(sample.plan.document, "metadata.annotations"), records[i].key);

		cr_assert_not_null(node, "%s", records[i].key);
		cr_expect_str_eq(node->valuestring, records[i].wanted);
	}
	clone_close(&sample);
}

Test(kube_clone_job, a_long_command_is_cut_between_characters)
{
	struct clone_sample sample;
	const cJSON *node;

	open_default(&sample);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(strv_add(&sample.request.argv, "\xc3\xa9"), 0);
	clone_plan(&sample);
	node = json_member(json_at(sample.plan.document, "metadata.annotations"),
	                   "oneoff.dev/command");
	cr_expect_leq(strlen(node->valuestring), 4096);
	cr_expect_str_eq(node->valuestring + strlen(node->valuestring) - 3, "\xe2\x80\xa6");
	clone_close(&sample);
}

/* ---- images ------------------------------------------------------------------------------------- */

#define HEX "3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a3f1a"

Test(kube_clone_job, images_by_what_the_status_tells)
{
	static const struct {
		const char *image, *id, *wanted;
		bool pinned;
	} cases[] = {
		{"web", "docker.io/library/web@sha256:" HEX, "web@sha256:" HEX, true},
		{"r:5000/a/web:1", "m/web@sha256:" HEX, "r:5000/a/web@sha256:" HEX, true},
		{"r:5000/web", "docker-pullable://m/web@sha256:" HEX, "r:5000/web@sha256:" HEX,
	         true},
		{"web:1@sha256:" HEX, "sha256:" HEX, "web:1@sha256:" HEX, true},
		{"web:1", "sha256:" HEX, "web:1", false},
		{"web:1", "docker://sha256:" HEX, "web:1", false},
		{"web:1", "web@sha256:xyz", "web:1", false},
		{"web:1", "@sha256:" HEX, "web:1", false},
		{"web:1", "", "web:1", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct clone_sample sample;
		char source[1024], wanted[256];

		snprintf(
			source, sizeof(source),
			"{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"%s\"}]}},"
			"\"pod\":{\"spec\":{\"nodeName\":\"n\"},\"status\":{\"containerStatuses\":[{"
			"\"name\":\"c\",\"imageID\":\"%s\"}]}}}",
			cases[i].image, cases[i].id);
		snprintf(wanted, sizeof(wanted), "\"%s\"", cases[i].wanted);
		clone_open(&sample, source, "true");
		clone_plan(&sample);
		clone_expect_sent(&sample, "spec.template.spec.containers[0].image", wanted);
		clone_expect(sample.plan.extra, "pinned", cases[i].pinned ? "true" : "false");
		clone_close(&sample);
	}
}
