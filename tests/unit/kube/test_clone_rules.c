/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include "tests/unit/kube/test_clone_helper.h"

#define LEAST "{\"metadata\":{},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"

Test(kube_clone_rules, tables_are_sound)
{
	for (size_t i = 0; i < KUBE_TABLE_COUNT; i++) {
		struct err err = ERR_INIT;

		cr_expect_eq(rules_check(kube_rules[i].rows, kube_rules[i].count, &err), 0,
		             "table %zu: %s", i, err.message);
	}
}

/* What must hold of every clone of every recorded pod. */
static void check_recorded(const char *file)
{
	struct clone_sample sample;
	char json[512];

	snprintf(json, sizeof(json),
	         "{\"pod\":\"%s\",\"services\":[],\"budgets\":[],\"policies\":[],\"workloads\":[],"
	         "\"claims\":[]}",
	         file);
	clone_open(&sample, json, "true");
	clone_plan(&sample);
	for (size_t i = 0; i < sample.plan.count; i++)
		cr_expect_neq(sample.plan.rows[i].action, PLAN_UNKNOWN, "%s: %s", file,
		              sample.plan.rows[i].path);
	clone_expect_sent(&sample, "spec.template.spec.restartPolicy", "\"Never\"");
	clone_expect_sent(&sample, "spec.template.spec.nodeName", NULL);
	clone_expect_sent(&sample, "spec.template.spec.priority", NULL);
	clone_expect_sent(&sample, "spec.template.spec.preemptionPolicy", NULL);
	clone_expect_sent(&sample, "spec.template.spec.tolerations", NULL);
	clone_expect_sent(&sample, "spec.template.spec.serviceAccount", NULL);
	clone_expect_sent(&sample, "spec.template.spec.hostname", NULL);
	clone_expect_sent(&sample, "spec.template.spec.schedulingGates", NULL);
	clone_expect_sent(&sample, "spec.template.metadata.uid", NULL);
	clone_expect_sent(&sample, "spec.template.metadata.ownerReferences", NULL);
	clone_expect_sent(&sample, "spec.backoffLimit", "0");
	clone_close(&sample);
}

Test(kube_clone_rules, recorded_pods_are_known)
{
	DIR *directory = opendir("tests/fixtures/kube");
	struct dirent *entry;
	int count = 0;

	cr_assert_not_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		if (strncmp(entry->d_name, "pod-", 4) != 0)
			continue;
		check_recorded(entry->d_name);
		count++;
	}
	closedir(directory);
	cr_expect_geq(count, 5, "fixtures are missing");
}

Test(kube_clone_rules, nothing_of_a_token_volume_comes_along)
{
	struct clone_sample sample;
	struct strbuf text = STRBUF_INIT;

	clone_open(&sample, "{\"pod\":\"pod-running.json\"}", "true");
	clone_plan(&sample);
	json_print(sample.plan.document, false, &text);
	cr_expect_null(strstr(strbuf_str(&text), "kube-api-access"));
	strbuf_release(&text);
	clone_close(&sample);
}

Test(kube_clone_rules, unknown_fields_are_kept_and_reported)
{
	struct clone_sample sample;

	clone_open(&sample,
	           "{\"template\":{\"spec\":{\"warp\":9,\"containers\":[{\"name\":\"c\",\"image\":"
	           "\"i\",\"beam\":{\"on\":true}}]}}}",
	           "true");
	clone_plan(&sample);
	clone_expect_row(&sample, PLAN_UNKNOWN, "spec.warp", "does not know");
	clone_expect_row(&sample, PLAN_UNKNOWN, "spec.containers.c.beam", "does not know");
	clone_expect_sent(&sample, "spec.template.spec.warp", "9");
	clone_expect_sent(&sample, "spec.template.spec.containers[0].beam", "{\"on\":true}");
	clone_close(&sample);
}

Test(kube_clone_rules, a_document_of_the_least_works)
{
	struct clone_sample sample;

	clone_open(&sample, "{\"template\":" LEAST "}", NULL);
	sample.input.gate = false;
	sample.input.architecture = NULL;
	clone_plan(&sample);
	clone_expect_sent(&sample, "spec.template.spec.containers[0].image", "\"i\"");
	clone_expect_sent(&sample, "spec.template.spec.containers[0].command", NULL);
	clone_expect(sample.plan.extra, "imageID", NULL);
	clone_expect(sample.plan.extra, "gate", NULL);
	clone_expect(sample.plan.extra, "configMap", NULL);
	clone_expect(sample.plan.extra, "pinned", "false");
	clone_close(&sample);
}

Test(kube_clone_rules, damaged_documents_are_refused)
{
	static const char *const damages[] = {
		"{}",
		"{\"template\":{}}",
		"{\"template\":{\"spec\":[]}}",
		"{\"template\":{\"spec\":{\"containers\":[]}}}",
		"{\"template\":{\"spec\":{\"containers\":[{}]}}}",
		"{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}}",
		"{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":1}]}}}",
		"{\"template\":{\"spec\":{\"containers\":[{\"name\":\"a.b\",\"image\":\"i\"}]}}}",
		"{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":"
		"\"c\",\"image\":\"i\"}]}}}",
		"{\"template\":{\"metadata\":{\"labels\":{\"a\":1}},\"spec\":{\"containers\":[{\"name\":"
		"\"c\",\"image\":\"i\"}]}}}",
		"{\"template\":{\"spec\":{\"volumes\":[{}],\"containers\":[{\"name\":\"c\",\"image\":"
		"\"i\"}]}}}",
		"{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"env\":[1]}]}}}",
		"{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"command\":"
		"\"sh\"}]}}}",
		"{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"resources\":"
		"{\"limits\":1}}]}}}",
		"{\"template\":{\"spec\":{\"affinity\":1,\"containers\":[{\"name\":\"c\",\"image\":"
		"\"i\"}]}}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct clone_sample sample;

		clone_open(&sample, damages[i], "true");
		cr_expect_lt(kube_clone(&sample.input, &sample.plan, &sample.err), 0, "%s",
		             damages[i]);
		cr_expect_eq(sample.err.kind, ERR_PROTOCOL, "%s: %s", damages[i],
		             sample.err.message);
		cr_expect_null(sample.plan.document);
		clone_close(&sample);
	}
}

Test(kube_clone_rules, bytes_that_json_cannot_carry_are_refused)
{
	struct clone_sample sample;

	clone_open(&sample, "{\"template\":" LEAST "}", "a\xff");
	clone_fails(&sample, ERR_USAGE, "argument 1");
	clone_close(&sample);
}

Test(kube_clone_rules, another_network_is_no_choice)
{
	struct clone_sample sample;

	clone_open(&sample, "{\"template\":" LEAST "}", "true");
	sample.request.network = NETWORK_NONE;
	clone_fails(&sample, ERR_USAGE, "--network");
	clone_close(&sample);
}

Test(kube_clone_rules, the_inputs_are_untouched)
{
	struct clone_sample sample;
	cJSON *before;

	clone_open(
		&sample,
		"{\"template\":\"deployment-web.json:spec.template\",\"pod\":\"pod-running.json\"}",
		"true");
	before = cJSON_Duplicate(sample.source, true);
	clone_plan(&sample);
	cr_expect(json_equal(before, sample.source));
	json_free(&before);
	clone_close(&sample);
}
