/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "tests/unit/oci/bundle_helper.h"

#define MEMORY "linux.resources.memory"
#define CPU    "linux.resources.cpu"

static void allow(struct bundle_sample *sample, const char *type, uint64_t hard)
{
	sample->rlimits[sample->input.rlimit_count++] = (struct bundle_rlimit){type, hard};
	sample->input.rlimits = sample->rlimits;
}

Test(bundle_limits, rlimits_are_lowered_to_what_may_be_set)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	bundle_sample_set(&sample, "process", "rlimits",
	                  "[{\"type\":\"RLIMIT_NOFILE\",\"hard\":4096,\"soft\":100},"
	                  "{\"type\":\"RLIMIT_NPROC\",\"hard\":18446744073709551615,\"soft\":5000},"
	                  "{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}]");
	allow(&sample, "RLIMIT_NOFILE", 1024);
	allow(&sample, "RLIMIT_NPROC", 3000);
	allow(&sample, "RLIMIT_CORE", UINT64_MAX);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.rlimits",
	                   "[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":100},"
	                   "{\"type\":\"RLIMIT_NPROC\",\"hard\":3000,\"soft\":3000},"
	                   "{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}]");
	bundle_expect_row(&sample, PLAN_CHANGED, "process.rlimits");
	bundle_sample_close(&sample);
}

Test(bundle_limits, limits_beyond_63_bits_are_numbers_too)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	bundle_sample_set(&sample, "process", "rlimits",
	                  "[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,"
	                  "\"soft\":18446744073709551615}]");
	allow(&sample, "RLIMIT_CORE", UINT64_MAX - 1);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.rlimits[0].hard", "18446744073709551614");
	bundle_sample_close(&sample);
}

Test(bundle_limits, rlimits_stay_where_everything_may_be_set)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "process.rlimits");
	bundle_sample_close(&sample);
}

Test(bundle_limits, an_rlimit_without_a_number_is_refused)
{
	static const char *const limits[] = {
		"[{\"type\":\"RLIMIT_CORE\",\"hard\":-1,\"soft\":0}]",
		"[{\"type\":\"RLIMIT_CORE\",\"hard\":1.5,\"soft\":0}]",
		"[{\"type\":\"RLIMIT_CORE\",\"hard\":99999999999999999999,\"soft\":0}]",
		"[{\"type\":\"RLIMIT_CORE\",\"soft\":0}]",
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct bundle_sample sample;

		bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
		allow(&sample, "RLIMIT_CORE", 5);
		bundle_sample_set(&sample, "process", "rlimits", limits[i]);
		bundle_sample_fails(&sample, ERR_PROTOCOL, "process.rlimits[0]");
		bundle_sample_close(&sample);
	}
}

Test(bundle_limits, the_oom_score_is_raised_to_what_may_be_set)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "containerd-2.1-cri-container-config.json", NULL);
	sample.input.oom_score_adj_floor = 100;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.oomScoreAdj", "999");
	bundle_sample_set(&sample, "process", "oomScoreAdj", "-998");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.oomScoreAdj", "100");
	bundle_expect_row(&sample, PLAN_CHANGED, "process.oomScoreAdj");
	bundle_sample_close(&sample);
}

Test(bundle_limits, no_cgroup_means_no_limits_but_device_rules)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	sample.input.cgroups_path = NULL;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.cgroupsPath", NULL);
	bundle_expect_sent(&sample, MEMORY, NULL);
	bundle_expect_sent(&sample, CPU, NULL);
	bundle_expect_sent(&sample, "linux.resources.pids", NULL);
	cr_expect_not_null(json_at(sample.plan.document, "linux.resources.devices"));
	bundle_expect_row(&sample, PLAN_DROPPED, MEMORY);
	sample.input.rootless = true;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.resources", NULL);
	bundle_expect_sent(&sample, "linux.devices", NULL);
	bundle_sample_close(&sample);
}

Test(bundle_limits, limits_need_a_cgroup)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	sample.input.cgroups_path = NULL;
	sample.request.memory_bytes = 1 << 20;
	bundle_sample_fails(&sample, ERR_USAGE, "--memory needs a control group");
	sample.request.cpu_nano = 1000000000;
	bundle_sample_fails(&sample, ERR_USAGE, "--cpu needs a control group");
	cr_expect_neq(sample.err.hint[0], '\0');
	bundle_sample_close(&sample);
}

Test(bundle_limits, memory_takes_swap_and_reservation_with_it)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	bundle_sample_set(&sample, MEMORY, "reservation", "60000000");
	sample.request.memory_bytes = 33554432;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, MEMORY,
	                   "{\"limit\":33554432,\"swap\":33554432,\"disableOOMKiller\":false}");
	bundle_expect_row(&sample, PLAN_CHANGED, MEMORY ".limit");
	bundle_expect_row(&sample, PLAN_CHANGED, MEMORY ".swap");
	bundle_expect_row(&sample, PLAN_DROPPED, MEMORY ".reservation");
	bundle_sample_close(&sample);
}

Test(bundle_limits, swap_stays_unlimited_or_unsaid)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	sample.request.memory_bytes = 33554432;
	bundle_sample_set(&sample, "linux.resources", "memory", "{\"limit\":1,\"swap\":-1}");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, MEMORY, "{\"limit\":33554432,\"swap\":-1}");
	bundle_sample_set(&sample, "linux.resources", "memory", NULL);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, MEMORY, "{\"limit\":33554432}");
	bundle_expect_row(&sample, PLAN_ADDED, MEMORY ".limit");
	bundle_sample_close(&sample);
}

Test(bundle_limits, processors_are_a_quota_of_a_period)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	bundle_sample_set(&sample, "linux.resources", "cpu",
	                  "{\"shares\":5,\"quota\":1000,\"period\":50000,\"burst\":7}");
	sample.request.cpu_nano = 1500000000;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, CPU, "{\"shares\":5,\"quota\":150000,\"period\":100000}");
	bundle_expect_row(&sample, PLAN_DROPPED, CPU ".burst");
	sample.request.cpu_nano = 9999999;
	bundle_sample_fails(&sample, ERR_USAGE, "at least 0.01");
	bundle_sample_close(&sample);
}

Test(bundle_limits, what_only_version_1_has_is_dropped_on_version_2)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	bundle_sample_set(&sample, "linux.resources", "memory",
	                  "{\"limit\":9,\"kernel\":1,\"kernelTCP\":1,\"swappiness\":5,"
	                  "\"disableOOMKiller\":true,\"useHierarchy\":true}");
	bundle_sample_set(&sample, "linux.resources", "network", "{\"classID\":1}");
	bundle_sample_set(&sample, "linux.resources", "cpu",
	                  "{\"shares\":5,\"realtimeRuntime\":1,\"realtimePeriod\":2}");
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "linux.resources.network");
	sample.input.cgroup2 = true;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, MEMORY, "{\"limit\":9}");
	bundle_expect_sent(&sample, CPU, "{\"shares\":5}");
	bundle_expect_row(&sample, PLAN_DROPPED, MEMORY ".swappiness");
	bundle_expect_row(&sample, PLAN_DROPPED, "linux.resources.network");
	bundle_sample_close(&sample);
}

/* They are written last, and would undo what was asked for. */
Test(bundle_limits, unified_limits_give_way_to_what_was_asked_for)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	bundle_sample_set(&sample, "linux.resources", "unified",
	                  "{\"memory.max\":\"1\",\"cpu.max\":\"1 2\",\"io.weight\":\"3\"}");
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "linux.resources.unified");
	sample.request.memory_bytes = 1 << 20;
	sample.request.cpu_nano = 1000000000;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.resources.unified", "{\"io.weight\":\"3\"}");
	bundle_expect_row(&sample, PLAN_DROPPED, "linux.resources.unified.memory.max");
	bundle_sample_close(&sample);
}

Test(bundle_limits, nobody_listens_for_the_tasks_system_calls)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "linux", "seccomp",
	                  "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/a\","
	                  "\"listenerMetadata\":\"m\",\"syscalls\":[{\"names\":[\"mknod\"],"
	                  "\"action\":\"SCMP_ACT_NOTIFY\"}]}");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.seccomp",
	                   "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":"
	                   "[\"mknod\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}]}");
	bundle_expect_row(&sample, PLAN_DROPPED, "linux.seccomp.listenerPath");
	bundle_expect_row(&sample, PLAN_CHANGED, "linux.seccomp.syscalls");
	bundle_sample_set(&sample, "linux.seccomp", "defaultAction", "\"SCMP_ACT_NOTIFY\"");
	bundle_sample_fails(&sample, ERR_REFUSED, "linux.seccomp.defaultAction");
	bundle_sample_close(&sample);
}
