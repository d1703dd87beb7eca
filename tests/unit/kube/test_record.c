/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and pods as records. The pods are those that a real cluster told of (tests/fixtures/kube/pod). */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "oci/file.h"
#include "pkg/kube/diagnose.h"
#include "pkg/kube/record.h"

static struct task_record record;
static struct err err;

static void fini(void)
{
	task_record_release(&record);
}

TestSuite(kube_record, .fini = fini);

static cJSON *parse(const char *text)
{
	cJSON *document = NULL;

	cr_assert_eq(json_parse(text, strlen(text), 1 << 20, &document, &err), 0, "%s: %s", text,
	             err.message);
	return document;
}

static cJSON *read_pod(const char *name)
{
	struct strbuf text = STRBUF_INIT;
	cJSON *document;
	char path[256];

	snprintf(path, sizeof(path), "tests/fixtures/kube/pod/%s.json", name);
	cr_assert_eq(file_read(AT_FDCWD, path, 1 << 20, &text, &err), 0, "%s", err.message);
	document = parse(strbuf_str(&text));
	strbuf_release(&text);
	return document;
}

static int read_job(const char *status, const char *more)
{
	char text[1200];
	cJSON *job;
	int result;

	snprintf(
		text, sizeof(text),
		"{\"metadata\":{\"name\":\"web-oneoff-k3v9x2ab\",\"namespace\":\"shop\","
		"\"creationTimestamp\":\"2026-01-02T03:04:05Z\",\"labels\":{\"oneoff.dev/id\":\"k3v9x2ab\"},"
		"\"annotations\":{\"oneoff.dev/source\":\"deploy/web\",\"oneoff.dev/keep\":\"failed\","
		"\"oneoff.dev/deadline\":\"2030-01-01T00:00:00Z\",\"oneoff.dev/lock\":\"m\"%s}},\"status\":%s}",
		more, status);
	job = parse(text);
	task_record_release(&record);
	result = kube_record_of_job(job, &record, &err);
	json_free(&job);
	return result;
}

static void add_pod(const char *name)
{
	cJSON *pod = read_pod(name);

	cr_assert_eq(read_job("{}", ""), 1);
	cr_assert_eq(kube_record_add_pod(&record, pod, &err), 0, "%s", err.message);
	json_free(&pod);
}

Test(kube_record, a_job_tells_who_and_what)
{
	cr_assert_eq(read_job("{}", ""), 1);
	cr_assert_str_eq(record.id, "k3v9x2ab");
	cr_assert_str_eq(record.handle, "jobs/web-oneoff-k3v9x2ab");
	cr_assert_str_eq(record.place, "shop");
	cr_assert_str_eq(record.source, "deploy/web");
	cr_assert_str_eq(record.lock, "m");
	cr_assert_eq(record.keep, KEEP_FAILED);
	cr_assert_eq(record.created, 1767323045);
	cr_assert_eq(record.state, TASK_CREATED);
	/* it counts from the pod's start, and there is none */
	cr_assert_eq(record.deadline, 0);
}

Test(kube_record, what_has_no_id_is_not_ours)
{
	cJSON *job = parse("{\"metadata\":{\"name\":\"x\",\"labels\":{\"app\":\"y\"}}}");

	cr_assert_eq(kube_record_of_job(job, &record, &err), 0);
	json_free(&job);
}

Test(kube_record, a_job_without_a_pod_says_how_it_ended_as_far_as_it_knows)
{
	cr_assert_eq(read_job("{\"conditions\":[{\"type\":\"Complete\",\"status\":\"True\","
	                      "\"lastTransitionTime\":\"2026-01-02T03:05:05Z\"}]}",
	                      ""),
	             1);
	cr_assert_eq(record.state, TASK_ENDED);
	cr_assert(record.status.known && record.status.code == 0);
	cr_assert_eq(record.ended, 1767323105);
	cr_assert_eq(read_job("{\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\","
	                      "\"reason\":\"DeadlineExceeded\"}]}",
	                      ""),
	             1);
	cr_assert(!record.status.known && record.status.timed_out);
	cr_assert_eq(read_job("{\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\"}]}",
	                      ",\"oneoff.dev/exit-code\":\"137\""),
	             1);
	cr_assert(record.status.known && record.status.code == 137);
	cr_assert_eq(read_job("{\"conditions\":[{\"type\":\"Failed\",\"status\":\"True\"}]}",
	                      ",\"oneoff.dev/exit-code\":\"1000\""),
	             1);
	cr_assert_not(record.status.known);
	cr_assert_eq(read_job("{\"conditions\":[{\"type\":\"Failed\",\"status\":\"False\"}]}", ""),
	             1);
	cr_assert_eq(record.state, TASK_CREATED);
}

Test(kube_record, pods_of_a_real_cluster)
{
	static const struct {
		const char *pod;
		enum task_state state;
		int code; /* -1: not known */
		const char *detail;
	} cases[] = {
		{"failed-exit3", TASK_ENDED, 3, "Error"},
		{"oomkilled", TASK_ENDED, 137, "OOMKilled"},
		{"starterror-128", TASK_ENDED, 127, "StartError"},
		{"imagepullbackoff", TASK_CREATED, -1, "ImagePullBackOff"},
		{"unschedulable-cpu", TASK_CREATED, -1, "Unschedulable"},
		{"createcontainerconfigerror", TASK_CREATED, -1, "CreateContainerConfigError"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		add_pod(cases[i].pod);
		cr_expect_eq(record.state, cases[i].state, "%s", cases[i].pod);
		cr_expect_eq(record.status.known ? record.status.code : -1, cases[i].code, "%s: %d",
		             cases[i].pod, record.status.code);
		cr_expect_str_eq(record.detail, cases[i].detail, "%s: %s", cases[i].pod,
		                 record.detail);
	}
}

Test(kube_record, the_platform_s_deadline_is_that_of_the_pod)
{
	add_pod("deadlineexceeded");
	cr_assert_eq(record.state, TASK_ENDED);
	cr_assert(record.status.timed_out);
	cr_assert_gt(record.deadline, 0);
}

Test(kube_record, quantities_in_thousandths)
{
	static const struct {
		const char *text;
		int64_t milli;
	} cases[] = {
		{"500m", 500},
		{"3", 3000},
		{"1.5", 1500},
		{"128Mi", INT64_C(134217728000)},
		{"1G", INT64_C(1000000000000)},
		{"0", 0},
	};
	static const char *const wrong[] = {"", "m", ".", "1x", "-1", "1 Gi", "99999999Ti", "1e3"};
	int64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_expect_eq(kube_quantity(cases[i].text, &value), 0, "%s", cases[i].text);
		cr_expect_eq(value, cases[i].milli, "%s", cases[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		cr_expect_eq(kube_quantity(wrong[i], &value), -1, "%s", wrong[i]);
}
