/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "tests/unit/oci/bundle_helper.h"

static void expect_namespace(const struct bundle_sample *sample, const char *type,
                             const char *wanted)
{
	const cJSON *entry =
		bundle_namespace(json_at(sample->plan.document, "linux.namespaces"), type);
	struct strbuf text = STRBUF_INIT;

	if (entry)
		json_print(entry, false, &text);
	cr_expect_str_eq(strbuf_str(&text), wanted ? wanted : "", "%s: %s", type,
	                 strbuf_str(&text));
	strbuf_release(&text);
}

Test(bundle_namespaces, the_sources_network_is_joined)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "network",
	                 "{\"type\":\"network\",\"path\":\"/proc/4242/ns/net\"}");
	expect_namespace(&sample, "pid", "{\"type\":\"pid\"}");
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, its_path_is_made_of_the_process_or_taken_from_the_source)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	sample.input.network_path = NULL;
	sample.input.source_pid = 99;
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "network", "{\"type\":\"network\",\"path\":\"/proc/99/ns/net\"}");
	bundle_sample_close(&sample);
	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	sample.input.network_path = NULL;
	sample.input.source_pid = 0;
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "linux.namespaces.network");
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, a_stopped_source_has_no_network_left)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	sample.input.network_path = NULL;
	sample.input.source_pid = 0;
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "network", "{\"type\":\"network\"}");
	cr_expect_not_null(
		strstr(bundle_reason(&sample, "linux.namespaces.network"), "its network is gone"));
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, the_machines_network_stays_the_machines)
{
	struct bundle_sample sample;

	/* runc's rootless specification has no network namespace. */
	bundle_sample_open(&sample, "runc-1.1.5-spec-rootless.json", NULL);
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "network", NULL);
	sample.input.network = BUNDLE_NETWORK_NONE;
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "network", "{\"type\":\"network\"}");
	bundle_expect_row(&sample, PLAN_ADDED, "linux.namespaces.network");
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, another_network_can_be_asked_for)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	sample.input.network = BUNDLE_NETWORK_NONE;
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "network", "{\"type\":\"network\"}");
	sample.input.network = BUNDLE_NETWORK_HOST;
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "network", NULL);
	bundle_expect_row(&sample, PLAN_DROPPED, "linux.namespaces.network");
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, joined_ones_stay_joined)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "containerd-2.1-cri-container-config.json", NULL);
	sample.input.network_path = NULL;
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "ipc", "{\"type\":\"ipc\",\"path\":\"/proc/22572/ns/ipc\"}");
	expect_namespace(&sample, "uts", "{\"type\":\"uts\",\"path\":\"/proc/22572/ns/uts\"}");
	expect_namespace(&sample, "network",
	                 "{\"type\":\"network\",\"path\":\"/proc/22572/ns/net\"}");
	bundle_expect_sent(&sample, "hostname", NULL);
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, a_user_namespace_that_we_are_in_is_not_written)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "runc-1.1.5-spec-rootless.json", NULL);
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "user", "{\"type\":\"user\"}");
	bundle_expect_row(&sample, PLAN_KEPT, "linux.uidMappings");
	sample.input.user_namespace = true;
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "user", NULL);
	bundle_expect_sent(&sample, "linux.uidMappings", NULL);
	bundle_expect_sent(&sample, "linux.gidMappings", NULL);
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, a_joined_user_namespace_has_its_mappings)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "runc-1.1.5-spec-rootless.json", NULL);
	bundle_sample_set(&sample, "linux", "namespaces",
	                  "[{\"type\":\"user\",\"path\":\"/proc/9/ns/user\"}]");
	bundle_sample_plan(&sample);
	expect_namespace(&sample, "user", "{\"type\":\"user\",\"path\":\"/proc/9/ns/user\"}");
	bundle_expect_sent(&sample, "linux.uidMappings", NULL);
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, an_unknown_type_is_refused)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "linux", "namespaces", "[{\"type\":\"warp\"}]");
	bundle_sample_fails(&sample, ERR_REFUSED, "linux.namespaces.warp");
	bundle_sample_close(&sample);
}

/* A setting of a shared namespace would change the source, or the machine. */
Test(bundle_namespaces, settings_of_shared_namespaces_are_not_set_again)
{
	static const char settings[] =
		"{\"net.core.somaxconn\":\"1\",\"net/core/x\":\"1\",\"kernel.shmmax\":\"1\","
		"\"kernel.msgmni\":\"1\",\"kernel.sem\":\"1\",\"fs.mqueue.queues_max\":\"1\","
		"\"kernel.domainname\":\"x\",\"kernel.hostname\":\"x\",\"vm.x\":\"1\"}";
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "linux", "sysctl", settings);
	bundle_sample_set(&sample, "linux", "namespaces", "[{\"type\":\"mount\"}]");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.sysctl", "{\"vm.x\":\"1\"}");
	bundle_sample_set(&sample, "linux", "namespaces",
	                  "[{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}]");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.sysctl",
	                   "{\"kernel.shmmax\":\"1\",\"kernel.msgmni\":\"1\",\"kernel.sem\":\"1\","
	                   "\"fs.mqueue.queues_max\":\"1\",\"kernel.domainname\":\"x\","
	                   "\"vm.x\":\"1\"}");
	sample.input.network = BUNDLE_NETWORK_NONE;
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "linux.sysctl.net.core.somaxconn");
	bundle_sample_close(&sample);
}

/* Tried: crun fails with "Invalid argument" where only one group is mapped. */
Test(bundle_namespaces, groups_that_may_not_exist_are_not_named)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	sample.input.network = BUNDLE_NETWORK_NONE;
	sample.input.rootless = true;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.sysctl",
	                   "{\"net.ipv4.ip_unprivileged_port_start\":\"0\"}");
	bundle_sample_close(&sample);
}

Test(bundle_namespaces, a_network_device_is_not_taken_from_the_source)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "linux", "netDevices", "{\"eth1\":{}}");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.netDevices", NULL);
	bundle_expect_row(&sample, PLAN_DROPPED, "linux.netDevices");
	bundle_sample_close(&sample);
}
