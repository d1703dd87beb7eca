/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "tests/unit/oci/bundle_helper.h"

Test(bundle_image, the_images_own_command_runs)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args",
	                   "[\"/entry.sh\",\"httpd\",\"-f\",\"-p\",\"8080\",\"-h\",\"/www\"]");
	bundle_expect_sent(&sample, "process.cwd", "\"/app\"");
	bundle_expect_sent(&sample, "process.user", "{\"uid\":0,\"gid\":0}");
	bundle_expect_sent(&sample, "process.env",
	                   "[\"PATH=/bin\",\"RELEASE=v42\",\"APP_HOME=/app\",\"ONEOFF=1\","
	                   "\"ONEOFF_ID=k3v9x2ab\"]");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.command"),
	                 "[\"httpd\",\"-f\",\"-p\",\"8080\",\"-h\",\"/www\"]");
	bundle_sample_close(&sample);
}

Test(bundle_image, argv_replaces_cmd_and_keeps_the_entrypoint)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	cr_assert_eq(strv_add(&sample.request.argv, "true"), 0);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"/entry.sh\",\"true\"]");
	bundle_expect_row(&sample, PLAN_KEPT, "config.Entrypoint");
	bundle_expect_row(&sample, PLAN_CHANGED, "config.Cmd");
	sample.request.entrypoint_mode = ENTRYPOINT_CLEAR;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"true\"]");
	bundle_expect_row(&sample, PLAN_DROPPED, "config.Entrypoint");
	sample.request.entrypoint_mode = ENTRYPOINT_REPLACE;
	sample.request.entrypoint = strdup("sh");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"sh\",\"true\"]");
	strv_release(&sample.request.argv);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"sh\"]");
	bundle_sample_close(&sample);
}

Test(bundle_image, an_image_without_a_command_needs_one)
{
	struct bundle_sample sample;

	bundle_sample_init(&sample, golden_parse("{\"config\":{}}"), NULL, true);
	bundle_sample_fails(&sample, ERR_USAGE, "the image names no command");
	cr_assert_eq(strv_add(&sample.request.argv, "true"), 0);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"true\"]");
	bundle_expect_sent(&sample, "process.cwd", "\"/\"");
	cr_expect(bundle_env_has(
		&sample, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	bundle_sample_close(&sample);
}

Test(bundle_image, an_image_may_say_nothing_at_all)
{
	struct bundle_sample sample;

	bundle_sample_init(&sample, golden_parse("{}"), NULL, true);
	cr_assert_eq(strv_add(&sample.request.argv, "true"), 0);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"true\"]");
	bundle_sample_close(&sample);
}

Test(bundle_image, rights_are_the_engines_defaults)
{
	static const char *const sets[] = {"bounding", "effective", "permitted"};
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_plan(&sample);

	const cJSON *capabilities = json_at(sample.plan.document, "process.capabilities");
	cr_expect_eq(cJSON_GetArraySize(capabilities), 3);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		cr_expect_eq(cJSON_GetArraySize(json_member(capabilities, sets[i])), 14);
	bundle_expect_sent(&sample, "process.noNewPrivileges", "false");
	bundle_expect_sent(&sample, "process.rlimits", NULL);
	bundle_expect_sent(&sample, "linux.seccomp", NULL);
	cr_expect_geq(cJSON_GetArraySize(json_at(sample.plan.document, "linux.maskedPaths")), 10);
	cr_expect_eq(cJSON_GetArraySize(json_at(sample.plan.document, "linux.readonlyPaths")), 5);
	cr_expect_eq(cJSON_GetArraySize(json_member(sample.plan.document, "mounts")), 7);
	bundle_sample_close(&sample);
}

/* What Docker 28.5 wrote for a plain container is what an image gets. */
Test(bundle_image, defaults_are_those_of_a_recorded_container)
{
	static const char *const same[] = {"process.capabilities", "linux.maskedPaths",
	                                   "linux.readonlyPaths"};
	struct bundle_sample image, container;

	bundle_sample_open_image(&image, "image.json");
	bundle_sample_open(&container, "docker-28.5-config.json", NULL);
	bundle_sample_plan(&image);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		cr_expect(json_equal(json_at(image.plan.document, same[i]),
		                     json_at(container.source, same[i])),
		          "%s", same[i]);
	bundle_sample_close(&image);
	bundle_sample_close(&container);
}

Test(bundle_image, namespaces_are_new_and_the_network_empty)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.namespaces",
	                   "[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"pid\"},"
	                   "{\"type\":\"ipc\"},{\"type\":\"network\"}]");
	sample.input.cgroup2 = true;
	sample.input.network = BUNDLE_NETWORK_HOST;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.namespaces",
	                   "[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"pid\"},"
	                   "{\"type\":\"ipc\"},{\"type\":\"cgroup\"}]");
	bundle_sample_close(&sample);
}

Test(bundle_image, the_machines_network_brings_its_names)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_plan(&sample);
	cr_expect_null(bundle_mount(&sample, "/etc/resolv.conf"));
	sample.input.network = BUNDLE_NETWORK_HOST;
	bundle_sample_plan(&sample);
	cr_expect_not_null(bundle_mount(&sample, "/etc/resolv.conf"));
	cr_expect_not_null(bundle_mount(&sample, "/etc/hosts"));
	bundle_sample_close(&sample);
}

Test(bundle_image, without_root_nothing_needs_root)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	sample.input.rootless = sample.input.user_namespace = true;
	sample.input.cgroups_path = NULL;
	sample.input.network = BUNDLE_NETWORK_HOST;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.resources", NULL);
	bundle_expect_sent(&sample, "linux.cgroupsPath", NULL);
	cr_expect_str_eq(json_string(bundle_mount(&sample, "/sys"), "type"), "none");
	bundle_sample_close(&sample);
}

Test(bundle_image, limits_that_are_asked_for_are_written)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	sample.request.memory_bytes = 1 << 20;
	sample.request.cpu_nano = 500000000;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "linux.resources.memory", "{\"limit\":1048576}");
	bundle_expect_sent(&sample, "linux.resources.cpu", "{\"quota\":50000,\"period\":100000}");
	bundle_sample_close(&sample);
}

Test(bundle_image, home_is_the_users_unless_the_image_says_it)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	sample.user = (struct bundle_user){.uid = 7, .gid = 8, .home = "/home/app"};
	sample.input.user = &sample.user;
	bundle_sample_plan(&sample);
	cr_expect(bundle_env_has(&sample, "HOME=/home/app"));
	bundle_expect_sent(&sample, "process.user", "{\"uid\":7,\"gid\":8}");
	bundle_sample_set(&sample, "config", "Env", "[\"HOME=/data\"]");
	bundle_sample_plan(&sample);
	cr_expect(bundle_env_has(&sample, "HOME=/data"));
	bundle_sample_close(&sample);
}

/* A runtime takes orders from annotations (run.oci.handler, run.oci.hooks.stdout): not from an image. */
Test(bundle_image, labels_do_not_become_annotations)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_set(&sample, "config", "Labels", "{\"run.oci.hooks.stdout\":\"/etc/x\"}");
	bundle_sample_set(&sample, "config", "StopSignal", "\"SIGQUIT\"");
	bundle_sample_set(&sample, "", "annotations", "{\"a\":\"b\"}");
	bundle_sample_plan(&sample);
	cr_expect_null(bundle_annotation(&sample, "run.oci.hooks.stdout"));
	cr_expect_null(bundle_annotation(&sample, "a"));
	cr_expect_str_eq(bundle_annotation(&sample, BUNDLE_STOP_SIGNAL), "SIGQUIT");
	bundle_expect_row(&sample, PLAN_DROPPED, "config.Labels");
	bundle_sample_close(&sample);
}

/* An image that carries members of a config.json gains nothing by it. */
Test(bundle_image, an_image_cannot_write_the_document)
{
	struct bundle_sample sample, plain;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_open_image(&plain, "image.json");
	bundle_sample_set(&sample, "", "mounts",
	                  "[{\"destination\":\"/host\",\"source\":\"/\",\"options\":[\"rbind\"]}]");
	bundle_sample_set(&sample, "", "hooks", "{\"prestart\":[{\"path\":\"/bin/nvidia-x\"}]}");
	bundle_sample_set(&sample, "", "hostname", "\"evil\"");
	bundle_sample_set(&sample, "", "root", "{\"path\":\"/\"}");
	bundle_sample_set(
		&sample, "", "process",
		"{\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\"]},\"terminal\":true}");
	bundle_sample_set(&sample, "", "linux",
	                  "{\"namespaces\":[],\"cgroupsPath\":\"/x\",\"resources\":{\"cpu\":{}},"
	                  "\"devices\":[{}]}");
	bundle_sample_plan(&sample);
	bundle_sample_plan(&plain);
	cr_expect(json_equal(sample.plan.document, plain.plan.document));
	bundle_sample_close(&sample);
	bundle_sample_close(&plain);
}

Test(bundle_image, unknown_members_are_reported_and_ignored)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_set(&sample, "", "warp", "9");
	bundle_sample_set(&sample, "config", "Warp", "9");
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_UNKNOWN, "warp");
	bundle_expect_row(&sample, PLAN_UNKNOWN, "config.Warp");
	bundle_sample_close(&sample);
}

Test(bundle_image, volumes_are_said_to_be_thrown_away)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_set(&sample, "config", "Volumes", "{\"/data\":{}}");
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_DROPPED, "config.Volumes");
	cr_expect_not_null(strstr(bundle_reason(&sample, "config.Volumes"), "thrown away"));
	bundle_sample_close(&sample);
}

Test(bundle_image, a_relative_working_folder_starts_at_the_root)
{
	struct bundle_sample sample;

	bundle_sample_open_image(&sample, "image.json");
	bundle_sample_set(&sample, "config", "WorkingDir", "\"srv/app\"");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.cwd", "\"/srv/app\"");
	bundle_sample_close(&sample);
}

Test(bundle_image, images_of_other_systems_and_damaged_ones_are_refused)
{
	static const struct {
		const char *object, *key, *json;
		enum err_kind kind;
	} damages[] = {
		{"", "os", "\"windows\"", ERR_REFUSED},
		{"", "os", "1", ERR_PROTOCOL},
		{"", "config", "[]", ERR_PROTOCOL},
		{"config", "Env", "[1]", ERR_PROTOCOL},
		{"config", "Entrypoint", "\"sh\"", ERR_PROTOCOL},
		{"config", "Cmd", "[{}]", ERR_PROTOCOL},
		{"config", "WorkingDir", "[]", ERR_PROTOCOL},
		{"config", "User", "5", ERR_PROTOCOL},
		{"config", "StopSignal", "15", ERR_PROTOCOL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		struct bundle_sample sample;

		bundle_sample_open_image(&sample, "image.json");
		bundle_sample_set(&sample, damages[i].object, damages[i].key, damages[i].json);
		bundle_sample_fails(&sample, damages[i].kind, damages[i].key);
		bundle_sample_close(&sample);
	}
}
