/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/docker/clone_helper.h"

#define PLAIN "docker/inspect-plain.d28.json"

static void expect_extra(const struct plan *plan, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;

	if (plan->extra != NULL)
		json_print(plan->extra, false, &text);
	cr_expect_str_eq(strbuf_str(&text), wanted);
	strbuf_release(&text);
}

Test(clone_network, default_bridge_takes_no_endpoint)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NetworkMode", "\"bridge\"");
	expect_sent(&sample.plan, "NetworkingConfig", NULL);
	expect_extra(&sample.plan, "");
	sample_close(&sample);
}

Test(clone_network, since_1_44_all_networks_in_create)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-networks.d28.json", NULL);
	sample.input.api_minor = 44;
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NetworkMode", "\"r-net1\"");
	expect_sent(&sample.plan, "NetworkingConfig.EndpointsConfig",
	            "{\"r-net1\":{\"DriverOpts\":{\"x\":\"y\"}},\"r-net2\":{}}");
	expect_extra(&sample.plan, "");
	sample_close(&sample);
}

Test(clone_network, before_1_44_further_networks_are_connected)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-networks.d28.json", NULL);
	sample.input.api_minor = 43;
	sample_plan(&sample);
	expect_sent(&sample.plan, "NetworkingConfig.EndpointsConfig",
	            "{\"r-net1\":{\"DriverOpts\":{\"x\":\"y\"}}}");
	expect_extra(&sample.plan, "[{\"network\":\"r-net2\",\"body\":{\"EndpointConfig\":{}}}]");
	sample_close(&sample);
}

Test(clone_network, identity_of_the_replica_stays_behind)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-networks.d28.json", NULL);
	sample_plan(&sample);
	expect_row(&sample.plan, PLAN_DROPPED, "NetworkSettings.Networks.r-net1.Aliases");
	expect_row(&sample.plan, PLAN_DROPPED, "NetworkSettings.Networks.r-net1.IPAMConfig");
	expect_row(&sample.plan, PLAN_DROPPED, "NetworkSettings.Networks.r-net2.Aliases");
	expect_row(&sample.plan, PLAN_DROPPED, "Config.MacAddress");
	expect_no_row(&sample.plan, "NetworkSettings.Networks.r-net1.MacAddress");
	sample_close(&sample);
}

Test(clone_network, the_engine_s_own_alias_is_no_difference)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-plain.compat.json", NULL);
	sample_plan(&sample);
	expect_no_row(&sample.plan, "NetworkSettings.Networks.podman.Aliases");
	sample_close(&sample);
}

Test(clone_network, endpoint_settings_that_make_the_release_stay)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-compose.d28.json", NULL);
	sample_set(&sample, "NetworkSettings.Networks.r-shop_default", "Links", "[\"db:sql\"]");
	sample_set(&sample, "NetworkSettings.Networks.r-shop_default", "GwPriority", "7");
	sample_set(&sample, "NetworkSettings.Networks.r-shop_default", "Warp", "1");
	sample_plan(&sample);
	expect_sent(&sample.plan, "NetworkingConfig.EndpointsConfig",
	            "{\"r-shop_default\":{\"Links\":[\"db:sql\"],\"GwPriority\":7}}");
	expect_row(&sample.plan, PLAN_UNKNOWN, "NetworkSettings.Networks.r-shop_default.Warp");
	sample_close(&sample);
}

Test(clone_network, podman_networks_by_their_keys)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-networks.compat.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NetworkMode", "\"r-net1\"");
	expect_sent(&sample.plan, "NetworkingConfig.EndpointsConfig",
	            "{\"r-net1\":{},\"r-net2\":{}}");
	expect_extra(&sample.plan, "");
	sample_close(&sample);
}

Test(clone_network, a_source_that_was_moved)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-compose.d28.json", NULL);
	sample_set(&sample, "HostConfig", "NetworkMode", "\"gone\"");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NetworkMode", "\"r-shop_default\"");
	expect_row(&sample.plan, PLAN_CHANGED, "HostConfig.NetworkMode");
	sample_close(&sample);
	/* By id: the same network under its name. */
	sample_open(&sample, "docker/inspect-networks.d28.json", NULL);
	sample_set(&sample, "HostConfig", "NetworkMode", "\"8c677af1e9d6\"");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NetworkMode", "\"r-net2\"");
	sample_close(&sample);
	/* Taken off every network: the setting is all there is. */
	sample_open(&sample, "docker/inspect-compose.d28.json", NULL);
	sample_set(&sample, "NetworkSettings", "Networks", "{}");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NetworkMode", "\"r-shop_default\"");
	expect_sent(&sample.plan, "NetworkingConfig", NULL);
	sample_close(&sample);
}

Test(clone_network, default_bridge_and_another_network)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "NetworkSettings.Networks", "back.end", "{\"Aliases\":[\"x\"]}");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.NetworkMode", "\"bridge\"");
	expect_sent(&sample.plan, "NetworkingConfig", NULL);
	expect_extra(&sample.plan, "[{\"network\":\"back.end\",\"body\":{\"EndpointConfig\":{}}}]");
	sample_close(&sample);
}

Test(clone_network, host_none_and_joined_have_no_endpoints)
{
	static const char *const fixtures[] = {
		"docker/inspect-hostnet.d28.json",   "docker/inspect-nonetwork.d20.json",
		"docker/inspect-joined.d28.json",    "podman/inspect-hostnet.compat.json",
		"podman/inspect-joined.compat.json", "podman/inspect-rootless.compat.json"};

	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		struct sample sample;

		sample_open(&sample, fixtures[i], NULL);
		sample_plan(&sample);
		cr_expect(json_equal(json_at(sample.plan.document, "HostConfig.NetworkMode"),
		                     json_at(sample.container, "HostConfig.NetworkMode")));
		expect_sent(&sample.plan, "NetworkingConfig", NULL);
		expect_extra(&sample.plan, "");
		sample_close(&sample);
	}
}

/* Each of these with "container:" is a 400. */
Test(clone_network, a_joined_network_has_nothing_of_its_own)
{
	static const char *const keys[] = {"Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "Links"};
	struct sample sample;

	sample_open(&sample, "docker/inspect-joined.d28.json", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		sample_set(&sample, "HostConfig", keys[i], "[\"x\"]");
	sample_plan(&sample);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char path[64];

		snprintf(path, sizeof(path), "HostConfig.%s", keys[i]);
		expect_sent(&sample.plan, path, NULL);
		expect_row(&sample.plan, PLAN_DROPPED, path);
	}
	sample_close(&sample);
}

Test(clone_network, names_links_and_hosts)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-networks.d20.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Dns", "[\"192.0.2.53\"]");
	expect_sent(&sample.plan, "HostConfig.DnsOptions", "[\"ndots:2\"]");
	expect_sent(&sample.plan, "HostConfig.DnsSearch", "[\"svc.example\"]");
	expect_sent(&sample.plan, "HostConfig.ExtraHosts",
	            "[\"db:192.0.2.9\",\"gw:host-gateway\"]");
	sample_close(&sample);
	sample_open(&sample, "docker/inspect-ports.d28.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Links", "[\"/r-donor:/r-ports/dn\"]");
	expect_row(&sample.plan, PLAN_DROPPED, "HostConfig.PortBindings");
	expect_row(&sample.plan, PLAN_DROPPED, "HostConfig.PublishAllPorts");
	expect_row(&sample.plan, PLAN_DROPPED, "Config.ExposedPorts");
	sample_close(&sample);
	sample_open(&sample, "podman/inspect-plain.compat.json", NULL);
	sample_set(&sample, "HostConfig", "Links", "[\"/a:/b/c\"]");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Links", NULL);
	sample_close(&sample);
}
