/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include "tests/unit/docker/clone_helper.h"

Test(clone_rules, table_is_sound)
{
	struct err err = ERR_INIT;

	cr_expect_eq(rules_check(clone_rules, clone_rules_count, &err), 0, "%s", err.message);
}

/* A recorded inspect of any engine holds no field that the table does not know, and what is sent
 * never names the source: not its id as a hostname, not its addresses. */
static void check_folder(const char *folder)
{
	char path[512];
	struct dirent *entry;
	int count = 0;

	snprintf(path, sizeof(path), "tests/fixtures/%s", folder);
	DIR *directory = opendir(path);
	cr_assert_not_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		struct sample sample;

		if (strncmp(entry->d_name, "inspect-", 8) != 0 ||
		    strstr(entry->d_name, ".libpod.") != NULL)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		sample_open(&sample, path, NULL);
		sample_plan(&sample);
		for (size_t i = 0; i < sample.plan.count; i++)
			cr_expect_neq(sample.plan.rows[i].action, PLAN_UNKNOWN, "%s: %s", path,
			              sample.plan.rows[i].path);
		expect_sent(&sample.plan, "ExposedPorts", NULL);
		expect_sent(&sample.plan, "HostConfig.PortBindings", NULL);
		expect_sent(&sample.plan, "HostConfig.VolumesFrom", NULL);
		expect_sent(&sample.plan, "MacAddress", NULL);
		expect_sent(&sample.plan, "HostConfig.AutoRemove", "true");
		expect_sent(&sample.plan, "HostConfig.RestartPolicy", "{\"Name\":\"no\"}");
		expect_sent(&sample.plan, "Cmd", "[\"true\"]");
		cr_expect_str_eq(json_string(sample.plan.document, "Image"),
		                 json_string(sample.container, "Image"));
		sample_close(&sample);
		count++;
	}
	closedir(directory);
	cr_expect_geq(count, 15, "%s: fixtures are missing", folder);
}

Test(clone_rules, recorded_docker_documents_are_known)
{
	check_folder("docker");
}

Test(clone_rules, recorded_podman_documents_are_known)
{
	check_folder("podman");
}

Test(clone_rules, unknown_fields_are_reported_and_not_sent)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-plain.d28.json", NULL);
	sample_set(&sample, "HostConfig", "Warp", "9");
	sample_set(&sample, "", "Elsewhere", "{\"a\":1}");
	sample_plan(&sample);
	expect_row(&sample.plan, PLAN_UNKNOWN, "HostConfig.Warp");
	expect_row(&sample.plan, PLAN_UNKNOWN, "Elsewhere");
	expect_sent(&sample.plan, "HostConfig.Warp", NULL);
	sample_close(&sample);
}

/* Every kind of damage is ERR_PROTOCOL and leaves the plan alone. */
Test(clone_rules, damaged_documents_are_refused)
{
	static const struct {
		const char *object, *key, *json;
	} damages[] = {
		{"", "Id", "\"\""},
		{"", "Id", "1"},
		{"", "Image", "null"},
		{"", "Config", "[]"},
		{"", "HostConfig", "null"},
		{"Config", "Env", "\"A=1\""},
		{"Config", "Env", "[1]"},
		{"Config", "Labels", "[\"a\"]"},
		{"Config", "Labels", "{\"a\":{}}"},
		{"HostConfig", "Binds", "{\"a\":\"b\"}"},
		{"HostConfig", "Binds", "[[]]"},
		{"HostConfig", "Mounts", "true"},
		{"HostConfig", "NetworkMode", "[1]"},
		{"NetworkSettings", "Networks", "[1]"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct sample sample;

		sample_open(&sample, "docker/inspect-plain.d28.json", NULL);
		sample_set(&sample, damages[i].object, damages[i].key, damages[i].json);
		cr_expect_lt(docker_clone(&sample.input, &sample.plan, &sample.err), 0, "%s: %s",
		             damages[i].key, damages[i].json);
		cr_expect_eq(sample.err.kind, ERR_PROTOCOL, "%s: %s", damages[i].key,
		             sample.err.message);
		cr_expect_null(sample.plan.document);
		sample_close(&sample);
	}
}

Test(clone_rules, bytes_that_json_cannot_carry_are_refused)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-plain.d28.json", NULL);
	cr_assert_eq(strv_add(&sample.request.argv, "a\xff"), 0);
	cr_expect_lt(docker_clone(&sample.input, &sample.plan, &sample.err), 0);
	cr_expect_eq(sample.err.kind, ERR_USAGE);
	cr_expect_not_null(strstr(sample.err.message, "argument 2"));
	sample_close(&sample);
}

Test(clone_rules, a_document_of_the_least_works)
{
	struct sample sample;
	struct err err = ERR_INIT;
	static const char text[] = "{\"Id\":\"i\",\"Image\":\"m\",\"Config\":{},\"HostConfig\":{}}";
	cJSON *container = NULL;

	cr_assert_eq(json_parse(text, strlen(text), JSON_MAX_BYTES, &container, &err), 0);
	sample_init(&sample, container, NULL, false);
	sample_plan(&sample);
	expect_sent(&sample.plan, "Image", "\"m\"");
	expect_sent(&sample.plan, "Env", "[\"ONEOFF=1\",\"ONEOFF_ID=k3v9x2ab\"]");
	cr_expect_null(sample.plan.extra);
	sample_close(&sample);
}
