/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "tests/unit/oci/bundle_helper.h"

static bool has_option(const struct bundle_sample *sample, const char *destination,
                       const char *wanted)
{
	const cJSON *option;

	cJSON_ArrayForEach (option, json_member(bundle_mount(sample, destination), "options")) {
		if (!strcmp(option->valuestring, wanted))
			return true;
	}
	return false;
}

Test(bundle_mounts, all_stay_in_their_order)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	bundle_sample_plan(&sample);
	cr_expect(json_equal(json_member(sample.plan.document, "mounts"),
	                     json_member(sample.source, "mounts")));
	bundle_expect_row(&sample, PLAN_KEPT, "mounts./etc/resolv.conf");
	bundle_sample_close(&sample);
}

Test(bundle_mounts, mappings_of_a_mount_stay)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "", "mounts",
	                  "[{\"destination\":\"/d\",\"uidMappings\":[{\"containerID\":0,"
	                  "\"hostID\":1,\"size\":1}],\"gidMappings\":[]}]");
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "mounts./d");
	bundle_expect_sent(&sample, "mounts[0].uidMappings[0].hostID", "1");
	bundle_sample_close(&sample);
}

/* Podman's lies in the container's own folder and holds the app's memory. */
Test(bundle_mounts, an_engines_shared_memory_is_made_anew)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	bundle_sample_plan(&sample);
	cr_expect_str_eq(json_string(bundle_mount(&sample, "/dev/shm"), "type"), "tmpfs");
	bundle_expect_row(&sample, PLAN_CHANGED, "mounts./dev/shm");
	bundle_sample_close(&sample);
}

Test(bundle_mounts, shared_memory_stays_with_a_joined_ipc)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "containerd-2.1-cri-container-config.json", NULL);
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "mounts./dev/shm");
	bundle_sample_close(&sample);
}

Test(bundle_mounts, the_machines_shared_memory_was_asked_for)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "", "mounts",
	                  "[{\"destination\":\"/dev/shm\",\"source\":\"/dev/shm\","
	                  "\"options\":[\"rbind\"]}]");
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "mounts./dev/shm");
	bundle_sample_close(&sample);
}

Test(bundle_mounts, sysfs_is_bound_where_it_may_not_be_mounted)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "crun-1.8.1-spec-rootless.json", NULL);
	sample.input.rootless = sample.input.user_namespace = true;
	sample.input.network = BUNDLE_NETWORK_NONE;
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "mounts./sys");
	sample.input.network = BUNDLE_NETWORK_HOST;
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_CHANGED, "mounts./sys");
	cr_expect_str_eq(json_string(bundle_mount(&sample, "/sys"), "type"), "none");
	cr_expect(has_option(&sample, "/sys", "rbind") && has_option(&sample, "/sys", "ro"));
	bundle_sample_close(&sample);
}

Test(bundle_mounts, root_mounts_sysfs_for_the_machines_network_too)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "crun-1.8.1-spec.json", NULL);
	sample.input.network = BUNDLE_NETWORK_HOST;
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "mounts./sys");
	bundle_sample_close(&sample);
}

/* Tried: with one id mapped, crun and runc fail with "Invalid argument". */
Test(bundle_mounts, terminals_have_no_group_without_root)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "crun-1.8.1-spec.json", NULL);
	bundle_sample_plan(&sample);
	cr_expect(has_option(&sample, "/dev/pts", "gid=5"));
	sample.input.rootless = true;
	bundle_sample_plan(&sample);
	cr_expect_not(has_option(&sample, "/dev/pts", "gid=5"));
	cr_expect(has_option(&sample, "/dev/pts", "mode=0620"));
	bundle_expect_row(&sample, PLAN_CHANGED, "mounts./dev/pts");
	bundle_sample_close(&sample);
}

Test(bundle_mounts, the_cgroup_mount_stays_without_a_cgroup)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "crun-1.8.1-spec-rootless.json", NULL);
	sample.input.rootless = sample.input.user_namespace = true;
	sample.input.cgroups_path = NULL;
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "mounts./sys/fs/cgroup");
	bundle_sample_close(&sample);
}
