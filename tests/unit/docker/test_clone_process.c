/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/docker/clone_helper.h"

#define WEB   "docker/image-web.d28.json"
#define PLAIN "docker/inspect-plain.d28.json"

Test(clone_process, command_replaces_cmd_and_keeps_the_entrypoint)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	cr_assert_eq(strv_add(&sample.request.argv, "a b; $(c)"), 0);
	sample_plan(&sample);
	expect_sent(&sample.plan, "Cmd", "[\"true\",\"a b; $(c)\"]");
	expect_sent(&sample.plan, "Entrypoint", "[\"/entry.sh\"]");
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Cmd");
	expect_row(&sample.plan, PLAN_KEPT, "Config.Entrypoint");
	sample_close(&sample);
}

Test(clone_process, without_a_command_the_source_s_own_stays)
{
	struct sample sample;

	sample_init(&sample, read_fixture(PLAIN), NULL, false);
	sample_plan(&sample);
	expect_sent(&sample.plan, "Cmd", "[\"httpd\",\"-f\",\"-p\",\"8080\",\"-h\",\"/www\"]");
	expect_row(&sample.plan, PLAN_KEPT, "Config.Cmd");
	sample_close(&sample);
}

Test(clone_process, entrypoint_is_cleared_in_the_engine_s_way)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample.request.entrypoint_mode = ENTRYPOINT_CLEAR;
	sample_plan(&sample);
	expect_sent(&sample.plan, "Entrypoint", "[]");
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Entrypoint");
	sample_close(&sample);
	sample_open(&sample, "podman/inspect-plain.compat.json", NULL);
	sample.request.entrypoint_mode = ENTRYPOINT_CLEAR;
	sample_plan(&sample);
	expect_sent(&sample.plan, "Entrypoint", "[\"\"]");
	sample_close(&sample);
}

Test(clone_process, entrypoint_is_replaced)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample.request.entrypoint_mode = ENTRYPOINT_REPLACE;
	sample.request.entrypoint = strdup("/bin/sh");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Entrypoint", "[\"/bin/sh\"]");
	expect_sent(&sample.plan, "Cmd", "[\"true\"]");
	sample_close(&sample);
	/* Without arguments it runs bare: the source's Cmd belongs to the other entrypoint. */
	sample_init(&sample, read_fixture(PLAIN), NULL, false);
	sample.request.entrypoint_mode = ENTRYPOINT_REPLACE;
	sample.request.entrypoint = strdup("/bin/sh");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Cmd", "[]");
	sample_close(&sample);
}

/* docker run --entrypoint "" shows as null, and null would bring the image's back. */
Test(clone_process, an_entrypoint_that_the_source_cleared_stays_cleared)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_set(&sample, "Config", "Entrypoint", "null");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Entrypoint", "[]");
	expect_no_row(&sample.plan, "Config.Entrypoint");
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample_set(&sample, "Config", "Entrypoint", "null");
	json_free(&sample.image);
	sample.image = cJSON_CreateObject();
	sample.input.image = sample.image;
	sample_plan(&sample);
	expect_sent(&sample.plan, "Entrypoint", NULL);
	sample_close(&sample);
}

Test(clone_process, user_and_working_folder)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-overrides.d28.json", WEB);
	sample_plan(&sample);
	expect_sent(&sample.plan, "User", "\"65534:65534\"");
	expect_sent(&sample.plan, "WorkingDir", "\"/tmp\"");
	expect_sent(&sample.plan, "StopSignal", "\"SIGQUIT\"");
	expect_sent(&sample.plan, "StopTimeout", "3");
	sample_close(&sample);
	sample_open(&sample, "docker/inspect-overrides.d28.json", WEB);
	sample.request.user = strdup("app");
	sample.request.workdir = strdup("/srv");
	sample.request.grace_ms = 1001;
	sample_plan(&sample);
	expect_sent(&sample.plan, "User", "\"app\"");
	expect_sent(&sample.plan, "WorkingDir", "\"/srv\"");
	expect_sent(&sample.plan, "StopTimeout", "2");
	expect_row(&sample.plan, PLAN_CHANGED, "Config.User");
	cr_expect_str_eq(golden_row(&sample.plan, "Config.User")->reason, "asked with -u");
	cr_expect_str_eq(golden_row(&sample.plan, "Config.WorkingDir")->reason, "asked with -w");
	sample_close(&sample);
}

Test(clone_process, image_is_pinned_by_id_or_asked)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_plan(&sample);
	expect_row(&sample.plan, PLAN_KEPT, "Image");
	cr_expect_eq(strncmp(json_string(sample.plan.document, "Image"), "sha256:", 7), 0);
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample.request.image = strdup("example/web:2");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Image", "\"example/web:2\"");
	expect_row(&sample.plan, PLAN_CHANGED, "Image");
	sample_close(&sample);
}

Test(clone_process, another_image_brings_its_own_settings)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-overrides.d28.json", WEB);
	sample.request.image = strdup("example/web:2");
	sample_plan(&sample);
	/* Set by a person: kept. The old image's: left to the new one. */
	expect_sent(&sample.plan, "Entrypoint", "[\"/bin/sh\",\"-c\"]");
	cr_expect(env_has(&sample.plan, "RELEASE=override"));
	cr_expect_not(env_has(&sample.plan, "PATH=/bin"));
	sample_close(&sample);
	sample_open(&sample, "docker/inspect-volumes.d28.json", "docker/image-vol.d28.json");
	sample.request.image = strdup("example/web:2");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Entrypoint", NULL);
	expect_sent(&sample.plan, "WorkingDir", NULL);
	expect_sent(&sample.plan, "User", NULL);
	expect_sent(&sample.plan, "StopSignal", NULL);
	expect_row(&sample.plan, PLAN_DROPPED, "Config.User");
	sample_close(&sample);
}

Test(clone_process, streams_follow_the_request)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-tty.d28.json", WEB);
	sample.request.stdin_open = false;
	sample.request.tty_rows = 24;
	sample.request.tty_columns = 80;
	sample_plan(&sample);
	expect_sent(&sample.plan, "Tty", "false");
	expect_sent(&sample.plan, "OpenStdin", "false");
	expect_sent(&sample.plan, "StdinOnce", "false");
	expect_sent(&sample.plan, "AttachStdin", "false");
	expect_sent(&sample.plan, "AttachStdout", "true");
	expect_sent(&sample.plan, "HostConfig.ConsoleSize", NULL);
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Tty");
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample.request.tty = sample.request.stdin_open = true;
	sample.request.tty_rows = 24;
	sample.request.tty_columns = 80;
	sample_plan(&sample);
	expect_sent(&sample.plan, "Tty", "true");
	expect_sent(&sample.plan, "OpenStdin", "true");
	expect_sent(&sample.plan, "StdinOnce", "true");
	expect_sent(&sample.plan, "AttachStdin", "true");
	expect_sent(&sample.plan, "HostConfig.ConsoleSize", "[24,80]");
	sample_close(&sample);
}

Test(clone_process, hostname)
{
	static const struct {
		const char *fixture, *hostname;
	} cases[] = {
		{PLAIN, NULL},
		{"docker/inspect-overrides.d28.json", NULL},
		{"docker/inspect-hostnet.d28.json", NULL},
		{"docker/inspect-joined.d28.json", NULL},
		{"podman/inspect-plain.compat.json", NULL},
		{"podman/inspect-overrides.compat.json", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sample sample;

		sample_open(&sample, cases[i].fixture, NULL);
		sample_plan(&sample);
		expect_sent(&sample.plan, "Hostname", cases[i].hostname);
		sample_close(&sample);
	}
}

Test(clone_process, domain_name_goes_with_joined_and_host_networks)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-overrides.d28.json", NULL);
	sample_plan(&sample);
	expect_sent(&sample.plan, "Domainname", "\"example.org\"");
	sample_close(&sample);
	sample_open(&sample, "docker/inspect-overrides.d28.json", NULL);
	sample_set(&sample, "HostConfig", "UTSMode", "\"host\"");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Domainname", NULL);
	expect_sent(&sample.plan, "Hostname", NULL);
	sample_close(&sample);
}

Test(clone_process, health_check_is_off)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-health.d28.json", WEB);
	sample_plan(&sample);
	expect_sent(&sample.plan, "Healthcheck", "{\"Test\":[\"NONE\"]}");
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Healthcheck");
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample_plan(&sample);
	expect_sent(&sample.plan, "Healthcheck", NULL);
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample.request.image = strdup("other");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Healthcheck", "{\"Test\":[\"NONE\"]}");
	sample_close(&sample);
}

Test(clone_process, restart_and_removal)
{
	static const struct {
		enum keep_mode keep;
		const char *removed;
	} cases[] = {{KEEP_NEVER, "true"}, {KEEP_FAILED, "false"}, {KEEP_ALWAYS, "false"}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sample sample;

		sample_open(&sample, "docker/inspect-compose.d28.json", WEB);
		sample.request.keep = cases[i].keep;
		sample_plan(&sample);
		expect_sent(&sample.plan, "HostConfig.AutoRemove", cases[i].removed);
		expect_sent(&sample.plan, "HostConfig.RestartPolicy", "{\"Name\":\"no\"}");
		expect_row(&sample.plan, PLAN_CHANGED, "HostConfig.RestartPolicy");
		sample_close(&sample);
	}
}
