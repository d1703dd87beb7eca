/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "tests/unit/oci/bundle_helper.h"

Test(bundle_rules, tables_are_sound)
{
	struct err err = ERR_INIT;

	cr_expect_eq(rules_check(bundle_rules, bundle_rules_count, &err), 0, "%s", err.message);
	cr_expect_eq(rules_check(bundle_image_rules, bundle_image_rules_count, &err), 0, "%s",
	             err.message);
}

/* Whatever recorded an engine or `spec` command made is known, and the throwaway is one. */
Test(bundle_rules, recorded_documents_are_known)
{
	static const char *const names[] = {
		"docker-20.10-config.json",      "docker-28.5-config.json",
		"podman-4.3.1-config.json",      "containerd-2.1-cri-container-config.json",
		"crun-1.8.1-spec.json",          "crun-1.8.1-spec-rootless.json",
		"runc-1.1.5-spec-rootless.json", "throwaway-from-docker-config.json",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct bundle_sample sample;

		bundle_sample_open(&sample, names[i], NULL);
		bundle_sample_plan(&sample);
		bundle_expect_sent(&sample, "root.path", "\"rootfs\"");
		bundle_expect_sent(&sample, "process.terminal", "false");
		bundle_expect_sent(&sample, "hooks", NULL);
		bundle_expect_sent(&sample, "linux.cgroupsPath", "\"/shop/oneoff-k3v9x2ab\"");
		cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.id"), "k3v9x2ab");
		bundle_sample_close(&sample);
	}
}

/* Each is refused with its whole path. */
Test(bundle_rules, unknown_elements_are_refused_by_path)
{
	static const struct {
		const char *object, *key, *path;
	} cases[] = {
		{"", "warp", "warp"},
		{"root", "warp", "root.warp"},
		{"process", "warp", "process.warp"},
		{"linux", "warp", "linux.warp"},
		{"linux.resources", "warp", "linux.resources.warp"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bundle_sample sample;

		bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
		bundle_sample_set(&sample, cases[i].object, cases[i].key, "{\"speed\":9}");
		bundle_sample_fails(&sample, ERR_REFUSED, cases[i].path);
		bundle_sample_close(&sample);
	}
}

Test(bundle_rules, an_unknown_hook_is_refused)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	bundle_sample_set(&sample, "hooks", "midflight", "[{\"path\":\"/x\"}]");
	bundle_sample_fails(&sample, ERR_REFUSED, "hooks.midflight");
	bundle_sample_close(&sample);
}

Test(bundle_rules, unset_unknown_elements_are_passed_by)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "linux", "warp", "null");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.warp", NULL);
	bundle_sample_close(&sample);
}

Test(bundle_rules, what_is_inside_a_known_subtree_is_kept_whole)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "linux", "devices", "[{\"path\":\"/dev/x\",\"warp\":9}]");
	bundle_sample_set(&sample, "linux.seccomp", "warp", "9");
	bundle_sample_set(&sample, "process", "user", "{\"uid\":1,\"gid\":2,\"warp\":9}");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.devices", "[{\"path\":\"/dev/x\",\"warp\":9}]");
	bundle_expect_sent(&sample, "linux.seccomp.warp", "9");
	bundle_expect_sent(&sample, "process.user", "{\"uid\":1,\"gid\":2,\"warp\":9}");
	bundle_sample_close(&sample);
}

Test(bundle_rules, containers_of_other_systems_are_refused)
{
	static const char *const systems[] = {"solaris", "windows", "vm", "zos", "freebsd"};
	struct bundle_sample sample;

	for (size_t i = 0; i < ARRAY_SIZE(systems); i++) {
		bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
		bundle_sample_set(&sample, "", systems[i], "{\"a\":1}");
		bundle_sample_fails(&sample, ERR_REFUSED, systems[i]);
		bundle_sample_close(&sample);
	}
	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "process", "commandLine", "\"dir\"");
	bundle_sample_fails(&sample, ERR_REFUSED, "process.commandLine");
	bundle_sample_close(&sample);
}

/* Every kind of damage is ERR_PROTOCOL and leaves the plan alone. */
Test(bundle_rules, damaged_documents_are_refused)
{
	static const struct {
		const char *object, *key, *json;
	} damages[] = {
		{"", "ociVersion", NULL},
		{"", "ociVersion", "1"},
		{"", "process", NULL},
		{"", "process", "[]"},
		{"", "root", "null"},
		{"root", "path", NULL},
		{"process", "cwd", "1"},
		{"process", "user", "1"},
		{"process", "args", "\"a\""},
		{"process", "args", "[1]"},
		{"process", "env", "{\"A\":\"1\"}"},
		{"process", "env", "[1]"},
		{"process", "rlimits", "[{}]"},
		{"", "mounts", "{}"},
		{"", "mounts", "[{\"source\":\"/a\"}]"},
		{"", "mounts", "[1]"},
		{"", "hooks", "[]"},
		{"", "hooks", "{\"prestart\":[1]}"},
		{"", "annotations", "{\"a\":1}"},
		{"", "linux", "[]"},
		{"linux", "namespaces", "{}"},
		{"linux", "namespaces", "[{}]"},
		{"linux", "namespaces", "[{\"type\":\"ipc\",\"path\":1}]"},
		{"linux", "namespaces", "[{\"type\":\"ipc\"},{\"type\":\"ipc\"}]"},
		{"linux", "sysctl", "{\"a\":1}"},
		{"linux", "resources", "[]"},
		{"linux.resources", "memory", "1"},
		{"linux.resources", "cpu", "1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct bundle_sample sample;

		bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
		bundle_sample_set(&sample, damages[i].object, damages[i].key, damages[i].json);
		bundle_sample_fails(&sample, ERR_PROTOCOL, damages[i].key);
		bundle_sample_close(&sample);
	}
}

Test(bundle_rules, another_major_version_is_refused)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "", "ociVersion", "\"2.0.0\"");
	bundle_sample_fails(&sample, ERR_REFUSED, "2.0.0");
	bundle_sample_close(&sample);
}

/* crun 1.8.1 takes 1.0 only: containers of newer engines run on it as long as nothing is missed. */
Test(bundle_rules, the_version_is_the_least_that_the_document_needs)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "ociVersion", "\"1.0.2\"");
	bundle_sample_set(&sample, "", "domainname", "\"example.org\"");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "ociVersion", "\"1.2.1\"");
	cr_expect_str_eq(bundle_reason(&sample, "ociVersion"), "domainname needs it");
	bundle_sample_close(&sample);
}

Test(bundle_rules, what_the_backend_cannot_do_is_a_usage_error)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	sample.request.image = strdup("shop:2");
	bundle_sample_fails(&sample, ERR_USAGE, "--image does not go with the oci runtime");
	bundle_sample_close(&sample);
	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	sample.request.workdir = strdup("srv");
	bundle_sample_fails(&sample, ERR_USAGE, "no absolute path");
	bundle_sample_close(&sample);
}

Test(bundle_rules, bytes_that_json_cannot_carry_are_refused)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	cr_assert_eq(strv_add(&sample.request.argv, "a\xff"), 0);
	bundle_sample_fails(&sample, ERR_USAGE, "argument 2");
	bundle_sample_close(&sample);
}

Test(bundle_rules, a_document_of_the_least_works)
{
	struct bundle_sample sample;

	bundle_sample_init(&sample,
	                   golden_parse("{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\","
	                                "\"args\":[\"a\"]},\"root\":{\"path\":\"r\"}}"),
	                   NULL, false);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"a\"]");
	bundle_expect_sent(&sample, "process.user", "{\"uid\":0,\"gid\":0}");
	bundle_expect_sent(&sample, "process.env", "[\"ONEOFF=1\",\"ONEOFF_ID=k3v9x2ab\"]");
	/* It shares the machine's names, so it must not set them. */
	bundle_expect_sent(&sample, "hostname", NULL);
	bundle_sample_close(&sample);
}
