/* SPDX-License-Identifier: Apache-2.0 */
/* Pods as a real Kubernetes 1.36 described them (tests/fixtures/kube/pod). */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "oci/file.h"
#include "pkg/kube/pod_status.h"

static struct pod_status status;

static cJSON *read_pod(const char *name)
{
	struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	cJSON *document = NULL;
	char path[256];

	snprintf(path, sizeof(path), "tests/fixtures/kube/pod/%s.json", name);
	cr_assert_eq(file_read(AT_FDCWD, path, 1 << 20, &text, &err), 0, "%s", err.message);
	cr_assert_eq(json_parse(strbuf_str(&text), text.length, 1 << 20, &document, &err), 0, "%s",
	             err.message);
	strbuf_release(&text);
	return document;
}

/* The status of the pod's first container. */
static const struct pod_status *status_of(const char *name)
{
	cJSON *pod = read_pod(name);
	const char *container = json_string(pod, "spec.containers[0].name");

	cr_assert_not_null(container, "%s", name);
	pod_status_read(pod, container, &status);
	json_free(&pod);
	return &status;
}

struct ended_case {
	const char *fixture;
	bool known;
	int code;
	bool out_of_memory, never_ran, time_limit;
	const char *reason;
};

Test(pod_status, reads_how_a_container_ended)
{
	static const struct ended_case cases[] = {
		{"failed-exit3", true, 3, false, false, false, "Error"},
		{"oomkilled", true, 137, true, false, false, "OOMKilled"},
		{"oomkilled-child-exit9", true, 9, true, false, false, "OOMKilled"},
		{"oomkilled-event-missed", true, 137, false, false, false, "Error"},
		{"deadlineexceeded", true, 137, false, false, true, "Error"},
		{"starterror-128", true, 128, false, true, false, "StartError"},
		{"init-failed", false, 0, false, true, false, "InitContainerFailed"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ended_case *expected = &cases[i];
		const struct pod_status *got = status_of(expected->fixture);

		cr_expect_eq(got->stage, POD_ENDED, "%s", expected->fixture);
		cr_expect_eq(got->exit.known, expected->known, "%s", expected->fixture);
		cr_expect_eq(got->exit.code, expected->code, "%s", expected->fixture);
		cr_expect_eq(got->exit.out_of_memory, expected->out_of_memory, "%s",
		             expected->fixture);
		cr_expect_eq(got->never_ran, expected->never_ran, "%s", expected->fixture);
		cr_expect_eq(got->time_limit, expected->time_limit, "%s", expected->fixture);
		cr_expect_str_eq(got->reason, expected->reason, "%s", expected->fixture);
	}
}

Test(pod_status, tells_a_missing_command)
{
	cr_assert(status_of("starterror-128")->command_missing);
	cr_assert_not(status.command_denied);
	cr_assert(strstr(status.message, "nosuchcommand"));
}

Test(pod_status, knows_what_waiting_will_not_heal)
{
	static const char *const hopeless[] = {
		"imagepullbackoff",           "errimageneverpull",  "invalidimagename",
		"createcontainerconfigerror", "runasnonroot-error",
	};

	for (size_t i = 0; i < ARRAY_SIZE(hopeless); i++) {
		const struct pod_status *got = status_of(hopeless[i]);

		cr_expect_eq(got->stage, POD_STARTING, "%s", hopeless[i]);
		cr_expect(got->hopeless, "%s", hopeless[i]);
		cr_expect(got->reason[0] && got->message[0], "%s", hopeless[i]);
	}
}

Test(pod_status, waits_where_the_cluster_tries_again)
{
	static const char *const pending[] = {"unschedulable-cpu", "unschedulable-selector",
	                                      "schedulinggated"};

	for (size_t i = 0; i < ARRAY_SIZE(pending); i++) {
		const struct pod_status *got = status_of(pending[i]);

		cr_expect_eq(got->stage, POD_PENDING, "%s", pending[i]);
		cr_expect(got->retrying && !got->hopeless, "%s", pending[i]);
	}
	cr_assert_eq(status_of("containercreating-missing-configmap")->stage, POD_STARTING);
	cr_assert_not(status.hopeless);
	cr_assert_eq(status_of("init-running")->stage, POD_STARTING);
	cr_assert(strstr(status.message, "init container"));
}

Test(pod_status, reads_a_running_one)
{
	cr_assert_eq(status_of("running")->stage, POD_RUNNING);
	cr_assert_neq(status.image_id[0], '\0');
	cr_assert_neq(status.node[0], '\0');
	cr_assert_not(status.deleted);
	cr_assert_eq(status_of("tty-running")->stage, POD_RUNNING);
}

Test(pod_status, tells_the_gate_s_own_failure)
{
	struct err err = ERR_INIT;
	cJSON *pod = NULL;
	static const char text[] =
		"{\"spec\":{\"nodeName\":\"n\"},\"status\":{\"phase\":\"Failed\",\"containerStatuses\":[{"
		"\"name\":\"c\",\"state\":{\"terminated\":{\"exitCode\":127,\"reason\":\"Error\","
		"\"message\":\"oneoff-gate: not-found: nosuch\"}}}]}}";

	cr_assert_eq(json_parse(text, strlen(text), 4096, &pod, &err), 0);
	pod_status_read(pod, "c", &status);
	cr_assert_str_eq(status.gate, "not-found");
	cr_assert_eq(status.exit.code, 127);
	json_free(&pod);
}

Test(pod_status, a_lost_node_is_not_a_failure)
{
	struct err err = ERR_INIT;
	cJSON *pod = NULL;
	static const char text[] =
		"{\"spec\":{\"nodeName\":\"n\"},\"status\":{\"phase\":\"Failed\",\"reason\":\"NodeLost\","
		"\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"running\":{}}}]}}";

	cr_assert_eq(json_parse(text, strlen(text), 4096, &pod, &err), 0);
	pod_status_read(pod, "c", &status);
	cr_assert_eq(status.stage, POD_ENDED);
	cr_assert_not(status.exit.known);
	cr_assert_not(status.never_ran);
	json_free(&pod);
}

Test(pod_status, an_empty_document_is_a_pending_pod)
{
	cJSON *pod = cJSON_CreateObject();

	pod_status_read(pod, "c", &status);
	cr_assert_eq(status.stage, POD_PENDING);
	json_free(&pod);
}
