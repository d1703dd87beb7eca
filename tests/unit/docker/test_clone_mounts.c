/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/docker/clone_helper.h"

#define PLAIN "docker/inspect-plain.d28.json"
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void expect_binds(const char *binds, const char *wanted)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "HostConfig", "Binds", binds);
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Binds", wanted);
	sample_close(&sample);
}

Test(clone_mounts, binds_stay_and_volumes_are_not_filled_again)
{
	expect_binds("[\"/a:/b\"]", "[\"/a:/b\"]");
	expect_binds("[\"/a:/b:ro\"]", "[\"/a:/b:ro\"]");
	expect_binds("[\"v:/b\"]", "[\"v:/b:nocopy\"]");
	expect_binds("[\"v:/b:ro\"]", "[\"v:/b:ro,nocopy\"]");
	expect_binds("[\"v:/b:nocopy\"]", "[\"v:/b:nocopy\"]");
	expect_binds("[\"v:/b:ro,z\"]", "[\"v:/b:ro,z,nocopy\"]");
	expect_binds("null", NULL);
	expect_binds("[]", NULL);
}

Test(clone_mounts, private_relabelling_goes)
{
	expect_binds("[\"/a:/b:Z\"]", "[\"/a:/b\"]");
	expect_binds("[\"/a:/b:ro,Z\"]", "[\"/a:/b:ro\"]");
	expect_binds("[\"/a:/b:Z,ro\"]", "[\"/a:/b:ro\"]");
	expect_binds("[\"/a:/b:z\"]", "[\"/a:/b:z\"]");
	expect_binds("[\"v:/b:Z\"]", "[\"v:/b:nocopy\"]");
}

Test(clone_mounts, propagation_is_passed_on_and_told)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "HostConfig", "Binds", "[\"/a:/b:rshared\"]");
	sample_plan(&sample);
	expect_sent(&sample.plan, "HostConfig.Binds", "[\"/a:/b:rshared\"]");
	cr_expect_not_null(
		strstr(golden_row(&sample.plan, "HostConfig.Binds[0]")->reason, "propagation"));
	sample_close(&sample);
}

/* Image VOLUMEs, -v /path and --volumes-from stand nowhere in the settings. */
Test(clone_mounts, recorded_volumes_are_all_shared)
{
	static const char *const fixtures[] = {"docker/inspect-volumes.d20.json",
	                                       "docker/inspect-volumes.d28.json",
	                                       "podman/inspect-volumes.compat.json"};

	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		struct sample sample;
		const cJSON *mount, *item;
		struct strbuf sent = STRBUF_INIT;

		sample_open(&sample, fixtures[i], NULL);
		sample_plan(&sample);
		cJSON_ArrayForEach (item, json_at(sample.plan.document, "HostConfig.Binds"))
			strbuf_addf(&sent, "%s\n", item->valuestring);
		json_print(json_at(sample.plan.document, "HostConfig.Mounts"), false, &sent);
		cJSON_ArrayForEach (mount, json_member(sample.container, "Mounts")) {
			const char *name = json_string(mount, "Name");
			const char *destination = json_string(mount, "Destination");

			cr_expect_not_null(strstr(strbuf_str(&sent), destination), "%s: %s",
			                   fixtures[i], destination);
			if (name != NULL)
				cr_expect_not_null(strstr(strbuf_str(&sent), name), "%s: %s",
				                   fixtures[i], name);
		}
		strbuf_release(&sent);
		sample_close(&sample);
	}
}

Test(clone_mounts, unlisted_mounts_become_binds)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	sample_set(&sample, "HostConfig", "Tmpfs", "{\"/tmpfs/\":\"\"}");
	sample_set(&sample, "HostConfig", "Mounts", "[{\"Type\":\"tmpfs\",\"Target\":\"/m\"}]");
	sample_set(&sample, "HostConfig", "Binds", "[\"/x:/covered/\"]");
	sample_set(&sample, "", "Mounts",
	           "[{\"Type\":\"volume\",\"Name\":\"v\",\"Destination\":\"/v\",\"RW\":true},"
	           "{\"Type\":\"volume\",\"Name\":\"w\",\"Destination\":\"/w\",\"RW\":false},"
	           "{\"Type\":\"bind\",\"Source\":\"/s\",\"Destination\":\"/d\",\"RW\":false,"
	           "\"Propagation\":\"rslave\"},"
	           "{\"Type\":\"bind\",\"Source\":\"/s\",\"Destination\":\"/e\",\"RW\":true,"
	           "\"Propagation\":\"rprivate\"},"
	           "{\"Type\":\"bind\",\"Source\":\"/x\",\"Destination\":\"/covered\",\"RW\":true},"
	           "{\"Type\":\"tmpfs\",\"Source\":\"\",\"Destination\":\"/m\",\"RW\":true},"
	           "{\"Type\":\"volume\",\"Name\":\"t\",\"Destination\":\"/tmpfs\",\"RW\":true},"
	           "{\"Type\":\"npipe\",\"Source\":\"x\",\"Destination\":\"/p\",\"RW\":true}]");
	sample_plan(&sample);
	expect_sent(
		&sample.plan, "HostConfig.Binds",
		"[\"/x:/covered/\",\"v:/v:nocopy\",\"w:/w:ro,nocopy\",\"/s:/d:ro,rslave\",\"/s:/e\"]");
	expect_row(&sample.plan, PLAN_KEPT, "Mounts[0]");
	sample_close(&sample);
}

Test(clone_mounts, anonymous_mounts_get_their_name)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-volumes.d28.json", NULL);
	sample_plan(&sample);
	cr_expect_not_null(json_string(sample.plan.document, "HostConfig.Mounts[1].Source"));
	expect_sent(&sample.plan, "HostConfig.Mounts[1].VolumeOptions", "{\"NoCopy\":true}");
	expect_sent(&sample.plan, "HostConfig.Mounts[2].VolumeOptions",
	            "{\"NoCopy\":true,\"Labels\":{\"a\":\"b\"}}");
	expect_sent(
		&sample.plan, "HostConfig.Mounts[0]",
		"{\"Type\":\"tmpfs\",\"Target\":\"/tmpm\",\"TmpfsOptions\":{\"SizeBytes\":65536,"
		"\"Mode\":1023}}");
	sample_close(&sample);
}

Test(clone_mounts, fresh_volumes_on_docker)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-volumes.d28.json", NULL);
	sample.request.fresh_volumes = true;
	sample_plan(&sample);
	expect_sent(&sample.plan, "Volumes", "{\"/anonv\":{},\"/data\":{},\"/data2\":{}}");
	expect_sent(
		&sample.plan, "HostConfig.Binds",
		"[\"r-named:/named:ro,nocopy\",\"/srv/r-bind:/bind:ro\",\"r-nocopy:/nc:nocopy\","
		"\"/srv/r-bind:/bindz\"]");
	expect_sent(&sample.plan, "HostConfig.Mounts[1]",
	            "{\"Type\":\"volume\",\"Target\":\"/anonm\"}");
	sample_close(&sample);
}

Test(clone_mounts, fresh_volumes_on_podman)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-plain.compat.json", NULL);
	sample.request.fresh_volumes = true;
	sample_set(&sample, "HostConfig", "Binds",
	           "[\"" HEX64 ":/anon:rw,nodev\",\"named:/n:rw\",\"/h:/h:ro\"]");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Volumes", "{\"/anon\":{}}");
	expect_sent(&sample.plan, "HostConfig.Binds", "[\"named:/n:rw,nocopy\",\"/h:/h:ro\"]");
	expect_row(&sample.plan, PLAN_DROPPED, "HostConfig.Binds[0]");
	sample_close(&sample);
}

Test(clone_mounts, tmpfs_stays)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-security.compat.json", NULL);
	sample_plan(&sample);
	cr_expect(json_equal(json_at(sample.plan.document, "HostConfig.Tmpfs"),
	                     json_at(sample.container, "HostConfig.Tmpfs")));
	expect_row(&sample.plan, PLAN_KEPT, "HostConfig.Tmpfs");
	sample_close(&sample);
}
