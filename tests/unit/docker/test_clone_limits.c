/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/docker/clone_helper.h"

#define PLAIN  "docker/inspect-plain.d28.json"
#define LIMITS "docker/inspect-limits.d28.json"
#define PODMAN "podman/inspect-plain.compat.json"

/* Every key of the source's HostConfig in the list arrives unchanged. */
static void expect_same(const struct sample *sample, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const cJSON *was =
			json_member(json_member(sample->container, "HostConfig"), keys[i]);
		const cJSON *now =
			json_member(json_member(sample->plan.document, "HostConfig"), keys[i]);

		cr_expect(was != NULL && now != NULL && json_equal(was, now), "%s", keys[i]);
	}
}

Test(clone_limits, limits_are_the_source_s)
{
	static const char *const keys[] = {
		"Memory",      "MemorySwap", "MemoryReservation", "NanoCpus",
		"CpuShares",   "CpusetCpus", "CpusetMems",        "PidsLimit",
		"OomScoreAdj", "ShmSize",    "CgroupParent",      "Ulimits",
		"BlkioWeight", "Runtime",    "IpcMode",           "PidMode"};
	struct sample sample;

	sample_open(&sample, LIMITS, NULL);
	sample_plan(&sample);
	expect_same(&sample, keys, ARRAY_SIZE(keys));
	/* Only one way of saying the share of processors is sent. */
	expect_sent(&sample.plan, "HostConfig.CpuPeriod", NULL);
	expect_sent(&sample.plan, "HostConfig.CpuQuota", NULL);
	sample_close(&sample);
}

Test(clone_limits, period_and_quota_stay_without_nano_cpus)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "HostConfig", "CpuPeriod", "100000");
	sample_set(&sample, "HostConfig", "CpuQuota", "50000");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.CpuPeriod", "100000");
	expect_sent(&sample.plan, "HostConfig.CpuQuota", "50000");
	sample_close(&sample);
	sample_open(&sample, "podman/inspect-limits.compat.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NanoCpus", "1500000000");
	expect_sent(&sample.plan, "HostConfig.CpuPeriod", NULL);
	expect_sent(&sample.plan, "HostConfig.CpuQuota", NULL);
	sample_close(&sample);
}

Test(clone_limits, cpu_asked)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "HostConfig", "CpuPeriod", "100000");
	sample_set(&sample, "HostConfig", "CpuQuota", "50000");
	sample.request.cpu_nano = 250000000;
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NanoCpus", "250000000");
	expect_sent(&sample.plan, "HostConfig.CpuPeriod", NULL);
	expect_sent(&sample.plan, "HostConfig.CpuQuota", NULL);
	cr_expect_str_eq(golden_row(&sample.plan, "HostConfig.NanoCpus")->reason,
	                 "asked with --cpu");
	expect_row(&sample.plan, PLAN_DROPPED, "HostConfig.CpuQuota");
	sample_close(&sample);
}

Test(clone_limits, memory_asked)
{
	struct sample sample;

	sample_open(&sample, LIMITS, NULL);
	sample.request.memory_bytes = INT64_C(4503599627370497);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Memory", "4503599627370497");
	expect_sent(&sample.plan, "HostConfig.MemorySwap", "4503599627370497");
	expect_sent(&sample.plan, "HostConfig.MemoryReservation", "67108864");
	sample_close(&sample);
	sample_open(&sample, LIMITS, NULL);
	sample.request.memory_bytes = 33554432;
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.MemoryReservation", NULL);
	expect_row(&sample.plan, PLAN_DROPPED, "HostConfig.MemoryReservation");
	sample_close(&sample);
}

Test(clone_limits, swappiness)
{
	static const struct {
		const char *was;
		const char *docker, *podman;
	} cases[] = {
		{"null", NULL, NULL}, {"-1", NULL, NULL}, {"0", "0", NULL}, {"60", "60", "60"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sample sample;

		sample_open(&sample, PLAIN, NULL);
		sample_set(&sample, "HostConfig", "MemorySwappiness", cases[i].was);
		sample_plan(&sample);
		expect_sent(&sample.plan, "HostConfig.MemorySwappiness", cases[i].docker);
		sample_close(&sample);
		sample_open(&sample, PODMAN, NULL);
		sample_set(&sample, "HostConfig", "MemorySwappiness", cases[i].was);
		sample_plan(&sample);
		expect_sent(&sample.plan, "HostConfig.MemorySwappiness", cases[i].podman);
		sample_close(&sample);
	}
}

Test(clone_limits, out_of_memory_killer_only_when_switched_off)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.OomKillDisable", NULL);
	sample_close(&sample);
	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "HostConfig", "OomKillDisable", "true");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.OomKillDisable", "true");
	sample_close(&sample);
}

Test(clone_limits, rights_are_the_source_s)
{
	static const char *const keys[] = {
		"CapAdd",     "CapDrop",        "Privileged",       "SecurityOpt", "Devices",
		"GroupAdd",   "ReadonlyRootfs", "Sysctls",          "MaskedPaths", "ReadonlyPaths",
		"UsernsMode", "CgroupnsMode",   "DeviceCgroupRules"};
	struct sample sample;

	sample_open(&sample, "docker/inspect-security.d28.json", NULL);
	sample_plan(&sample);
	expect_same(&sample, keys, ARRAY_SIZE(keys));
	sample_close(&sample);
	sample_open(&sample, "docker/inspect-gpu-created.d28.json", NULL);
	sample_plan(&sample);
	cr_expect(json_equal(json_at(sample.plan.document, "HostConfig.DeviceRequests"),
	                     json_at(sample.container, "HostConfig.DeviceRequests")));
	sample_close(&sample);
}

/* Podman 4.3 refuses "private": it must provide at least one UID or GID mapping. */
Test(clone_limits, podman_s_own_user_namespace_is_joined)
{
	struct sample sample;

	sample_open(&sample, PODMAN, NULL);
	sample_set(&sample, "HostConfig", "UsernsMode", "\"private\"");
	cr_assert_eq(json_set_string(sample.container, "Id", "f05ad24f4e46"), 0);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.UsernsMode", "\"container:f05ad24f4e46\"");
	expect_row(&sample.plan, PLAN_CHANGED, "HostConfig.UsernsMode");
	sample_close(&sample);
	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "HostConfig", "UsernsMode", "\"host\"");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.UsernsMode", "\"host\"");
	sample_close(&sample);
}

/* [] means unmasked, null means the default. */
Test(clone_limits, masked_paths_empty_and_null_stay_apart)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "HostConfig", "MaskedPaths", "[]");
	sample_set(&sample, "HostConfig", "ReadonlyPaths", "null");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.MaskedPaths", "[]");
	expect_sent(&sample.plan, "HostConfig.ReadonlyPaths", "null");
	sample_close(&sample);
}

static void expect_security(const char *label, const char *options, const char *wanted)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "", "ProcessLabel", label);
	sample_set(&sample, "HostConfig", "SecurityOpt", options);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.SecurityOpt", wanted);
	sample_close(&sample);
}

Test(clone_limits, selinux_level_follows_the_source)
{
	expect_security("\"\"", "null", "null");
	expect_security("\"u:r:t:s0:c1,c2\"", "null", "[\"label=level:s0:c1,c2\"]");
	expect_security("\"u:r:t:s0:c1,c2\"", "[\"seccomp={}\"]",
	                "[\"seccomp={}\",\"label=level:s0:c1,c2\"]");
	expect_security("\"u:r:t:s0\"", "[\"label=disable\"]", "[\"label=disable\"]");
	expect_security("\"u:r:t:s0\"", "[\"label=level:s0:c9\"]", "[\"label=level:s0:c9\"]");
	expect_security("\"odd\"", "null", "null");
}

Test(clone_limits, podman_devices_get_permissions)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-security.compat.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Devices",
	            "[{\"PathOnHost\":\"/dev/null\",\"PathInContainer\":\"/dev/xnull\","
	            "\"CgroupPermissions\":\"rwm\"}]");
	sample_close(&sample);
	sample_open(&sample, "podman/inspect-security.compat.json", NULL);
	sample_set(&sample, "HostConfig", "Devices", "[{\"CgroupPermissions\":\"r\"}]");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Devices", "[{\"CgroupPermissions\":\"r\"}]");
	sample_close(&sample);
}

Test(clone_limits, podman_ulimits_in_the_names_of_create)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-limits.compat.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Ulimits",
	            "[{\"Name\":\"nofile\",\"Hard\":2048,\"Soft\":1024},"
	            "{\"Name\":\"core\",\"Hard\":0,\"Soft\":0},"
	            "{\"Name\":\"nproc\",\"Hard\":1048576,\"Soft\":1048576}]");
	sample_close(&sample);
}

Test(clone_limits, podman_defaults_are_not_sent)
{
	static const char *const paths[] = {"HostConfig.IpcMode", "HostConfig.PidMode",
	                                    "HostConfig.UTSMode", "HostConfig.Runtime"};
	struct sample sample;

	sample_open(&sample, PODMAN, NULL);
	sample_plan(&sample);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		expect_sent(&sample.plan, paths[i], NULL);
		expect_row(&sample.plan, PLAN_KEPT, paths[i]);
	}
	sample_close(&sample);
	sample_open(&sample, PODMAN, NULL);
	sample_set(&sample, "HostConfig", "IpcMode", "\"host\"");
	sample_set(&sample, "HostConfig", "PidMode", "\"container:x\"");
	sample_set(&sample, "HostConfig", "Runtime", "\"crun\"");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.IpcMode", "\"host\"");
	expect_sent(&sample.plan, "HostConfig.PidMode", "\"container:x\"");
	expect_sent(&sample.plan, "HostConfig.Runtime", "\"crun\"");
	sample_close(&sample);
}

Test(clone_limits, log_driver)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-overrides.d28.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.LogConfig",
	            "{\"Type\":\"json-file\",\"Config\":{\"max-file\":\"2\",\"max-size\":\"1m\"}}");
	sample_close(&sample);
	sample_open(&sample, PODMAN, NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.LogConfig",
	            "{\"Type\":\"k8s-file\",\"Config\":null}");
	sample_close(&sample);
	sample_open(&sample, PODMAN, NULL);
	sample_set(&sample, "HostConfig", "LogConfig", "{\"Type\":\"journald\",\"Config\":null}");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.LogConfig.Type", "\"journald\"");
	sample_close(&sample);
	sample_open(&sample, PLAIN, NULL);
	sample.request.no_log = true;
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.LogConfig", "{\"Type\":\"none\"}");
	cr_expect_str_eq(golden_row(&sample.plan, "HostConfig.LogConfig")->reason,
	                 "asked with --no-log");
	sample_close(&sample);
}

Test(clone_limits, podman_pids_limit_zero_is_not_sent)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-rootless.compat.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.PidsLimit", NULL);
	sample_close(&sample);
	sample_open(&sample, PODMAN, NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.PidsLimit", "2048");
	sample_close(&sample);
}
