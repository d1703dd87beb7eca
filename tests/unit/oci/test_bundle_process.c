/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/backend/command_text.h"
#include "tests/unit/oci/bundle_helper.h"

static void ask(struct bundle_sample *sample, const char *word)
{
	cr_assert_eq(strv_add(&sample->request.argv, word), 0);
}

static void use_user(struct bundle_sample *sample, uid_t uid, const char *home)
{
	sample->user = (struct bundle_user){.uid = uid, .gid = 50, .additional = {50, 60}};
	sample->user.additional_count = 2;
	strncpy(sample->user.home, home, sizeof(sample->user.home) - 1);
	sample->request.user = strdup("app");
	sample->input.user = &sample->user;
}

Test(bundle_process, argv_follows_the_images_entrypoint)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", "image.json");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"/entry.sh\",\"true\"]");
	bundle_sample_close(&sample);
}

Test(bundle_process, argv_replaces_all_without_the_images_config_and_says_so)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"true\"]");
	cr_expect_not_null(strstr(bundle_reason(&sample, "process.args"), "is not known"));
	bundle_sample_close(&sample);
}

Test(bundle_process, another_entrypoint_than_the_images_is_no_entrypoint)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", "image.json");
	bundle_sample_set(&sample, "process", "args", "[\"/other.sh\",\"httpd\"]");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"true\"]");
	cr_expect_not_null(strstr(bundle_reason(&sample, "process.args"), "without its image's"));
	bundle_sample_close(&sample);
}

Test(bundle_process, the_engines_init_stays_in_front)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", "image.json");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args",
	                   "[\"/sbin/docker-init\",\"--\",\"/entry.sh\",\"true\"]");
	cr_expect_not_null(bundle_mount(&sample, "/sbin/docker-init"));
	bundle_sample_close(&sample);
}

Test(bundle_process, no_command_means_the_sources_own)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", "image.json");
	strv_release(&sample.request.argv);
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_KEPT, "process.args");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.command"),
	                 "[\"/entry.sh\",\"httpd\",\"-f\",\"-p\",\"8080\",\"-h\",\"/www\"]");
	bundle_sample_close(&sample);
}

Test(bundle_process, a_cleared_entrypoint_leaves_the_command)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", "image.json");
	sample.request.entrypoint_mode = ENTRYPOINT_CLEAR;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"true\"]");
	strv_release(&sample.request.argv);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args",
	                   "[\"httpd\",\"-f\",\"-p\",\"8080\",\"-h\",\"/www\"]");
	json_free(&sample.image);
	bundle_sample_fails(&sample, ERR_USAGE, "--entrypoint clear needs a command");
	bundle_sample_close(&sample);
}

Test(bundle_process, an_own_entrypoint_replaces_the_images)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", "image.json");
	sample.request.entrypoint_mode = ENTRYPOINT_REPLACE;
	sample.request.entrypoint = strdup("sh");
	ask(&sample, "-c");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"sh\",\"true\",\"-c\"]");
	strv_release(&sample.request.argv);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.args", "[\"sh\"]");
	bundle_sample_close(&sample);
}

Test(bundle_process, nothing_to_run_is_a_usage_error)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	strv_release(&sample.request.argv);
	bundle_sample_set(&sample, "process", "args", NULL);
	bundle_sample_fails(&sample, ERR_USAGE, "no command");
	bundle_sample_close(&sample);
}

Test(bundle_process, another_user_brings_groups_and_home)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	use_user(&sample, 7, "/home/app");
	bundle_sample_plan(&sample);
	/* The umask is the app's, not the user's. */
	bundle_expect_sent(&sample, "process.user",
	                   "{\"uid\":7,\"gid\":50,\"umask\":18,\"additionalGids\":[50,60]}");
	cr_expect(bundle_env_has(&sample, "HOME=/home/app"));
	bundle_expect_row(&sample, PLAN_CHANGED, "process.env.HOME");
	bundle_sample_close(&sample);
}

Test(bundle_process, an_unknown_home_is_left_to_the_runtime)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	use_user(&sample, 7, "");
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_DROPPED, "process.env.HOME");
	strncpy(sample.user.home, "/\xff", 3);
	bundle_sample_plan(&sample);
	bundle_expect_row(&sample, PLAN_DROPPED, "process.env.HOME");
	bundle_sample_close(&sample);
}

Test(bundle_process, home_stays_for_the_same_user_and_when_it_is_asked_for)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	use_user(&sample, 1000, "/elsewhere");
	bundle_sample_plan(&sample);
	cr_expect(bundle_env_has(&sample, "HOME=/app"));
	sample.user.uid = 7;
	cr_assert_eq(strv_add(&sample.request.env, "HOME=/mine"), 0);
	bundle_sample_plan(&sample);
	cr_expect(bundle_env_has(&sample, "HOME=/mine"));
	bundle_expect_row(&sample, PLAN_CHANGED, "process.env.HOME");
	bundle_sample_close(&sample);
}

Test(bundle_process, a_terminal_has_a_size_and_a_kind)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	sample.request.tty = true;
	sample.request.tty_rows = 24;
	sample.request.tty_columns = 80;
	sample.request.term = strdup("screen");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.terminal", "true");
	bundle_expect_sent(&sample, "process.consoleSize", "{\"height\":24,\"width\":80}");
	cr_expect(bundle_env_has(&sample, "TERM=screen"));
	sample.request.tty_rows = 0;
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.consoleSize", NULL);
	bundle_sample_close(&sample);
}

Test(bundle_process, only_an_engines_guess_of_the_terminal_is_replaced)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	sample.request.tty = true;
	sample.request.term = strdup("screen");
	bundle_sample_set(&sample, "process", "env", "[\"TERM=xterm\"]");
	bundle_sample_plan(&sample);
	cr_expect(bundle_env_has(&sample, "TERM=screen"));
	bundle_sample_set(&sample, "process", "env", "[\"TERM=linux\"]");
	bundle_sample_plan(&sample);
	cr_expect(bundle_env_has(&sample, "TERM=linux"));
	free(sample.request.term);
	sample.request.term = NULL;
	bundle_sample_set(&sample, "process", "env", "[]");
	bundle_sample_plan(&sample);
	cr_expect(bundle_env_has(&sample, "TERM=xterm"));
	bundle_sample_close(&sample);
}

Test(bundle_process, variables_are_set_removed_and_ours_added)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	cr_assert_eq(strv_add(&sample.request.env, "A=new"), 0);
	cr_assert_eq(strv_add(&sample.request.env, "RELEASE"), 0);
	cr_assert_eq(strv_add(&sample.request.env, "X=1"), 0);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.env",
	                   "[\"PATH=/bin\",\"A=new\",\"APP_HOME=/app\",\"ONEOFF=1\","
	                   "\"ONEOFF_ID=k3v9x2ab\",\"X=1\"]");
	bundle_expect_row(&sample, PLAN_CHANGED, "process.env.A");
	bundle_expect_row(&sample, PLAN_DROPPED, "process.env.RELEASE");
	bundle_expect_row(&sample, PLAN_DROPPED, "process.env.HOSTNAME");
	bundle_expect_row(&sample, PLAN_ADDED, "process.env.X");
	bundle_sample_close(&sample);
}

Test(bundle_process, the_last_word_about_a_variable_counts)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "process", "env", "[\"A=1\"]");
	cr_assert_eq(strv_add(&sample.request.env, "A=2"), 0);
	cr_assert_eq(strv_add(&sample.request.env, "AB=3"), 0);
	cr_assert_eq(strv_add(&sample.request.env, "A"), 0);
	cr_assert_eq(strv_add(&sample.request.env, "HOSTNAME=mine"), 0);
	cr_assert_eq(strv_add(&sample.request.env, "ONEOFF_ID"), 0);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.env", "[\"ONEOFF=1\",\"AB=3\",\"HOSTNAME=mine\"]");
	bundle_expect_row(&sample, PLAN_DROPPED, "process.env.A");
	bundle_sample_close(&sample);
}

Test(bundle_process, a_variable_that_stands_twice_is_set_once)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "process", "env", "[\"A=1\",\"B=2\",\"A=3\",\"ONEOFF=no\"]");
	cr_assert_eq(strv_add(&sample.request.env, "A=4"), 0);
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "process.env",
	                   "[\"A=4\",\"B=2\",\"ONEOFF=1\",\"ONEOFF_ID=k3v9x2ab\"]");
	bundle_sample_close(&sample);
}

Test(bundle_process, the_host_name_is_the_one_offs_and_fits)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	sample.input.name =
		"0123456789012345678901234567890123456789012345678901234567890123456789";
	bundle_sample_plan(&sample);
	cr_expect_eq(strlen(json_string(sample.plan.document, "hostname")), 63);
	/* Never half a character, which JSON could not carry. */
	sample.input.name = "01234567890123456789012345678901234567890123456789012345678901é";
	bundle_sample_plan(&sample);
	cr_expect_eq(strlen(json_string(sample.plan.document, "hostname")), 62);
	bundle_sample_close(&sample);
}

Test(bundle_process, a_shared_host_name_is_left_alone)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-28.5-config.json", NULL);
	bundle_sample_set(&sample, "", "domainname", "\"example.org\"");
	bundle_sample_set(&sample, "linux", "namespaces", "[{\"type\":\"mount\"}]");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "hostname", NULL);
	bundle_expect_sent(&sample, "domainname", NULL);
	bundle_expect_row(&sample, PLAN_DROPPED, "hostname");
	bundle_sample_close(&sample);
}

Test(bundle_process, only_device_hooks_stay)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "docker-20.10-config.json", NULL);
	bundle_sample_set(&sample, "hooks", "createContainer",
	                  "[{\"path\":\"/usr/bin/nvidia-cdi-hook\",\"args\":[\"a\"]},"
	                  "{\"path\":\"/opt/nvidia-x/other\"},{\"args\":[]}]");
	bundle_sample_plan(&sample);
	bundle_expect_sent(&sample, "hooks",
	                   "{\"createContainer\":[{\"path\":\"/usr/bin/nvidia-cdi-hook\","
	                   "\"args\":[\"a\"]}]}");
	bundle_sample_close(&sample);
}

Test(bundle_process, annotations_are_ours_and_those_asked_for)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	cr_assert_eq(strv_add(&sample.request.labels, "team=ops"), 0);
	cr_assert_eq(strv_add(&sample.request.labels, "flag"), 0);
	sample.request.keep = KEEP_ALWAYS;
	sample.request.keep_for_ms = 3600000;
	sample.request.timeout_ms = 60000;
	sample.request.reason = strdup("ticket 7");
	bundle_sample_plan(&sample);
	cr_expect_str_eq(bundle_annotation(&sample, "team"), "ops");
	cr_expect_str_eq(bundle_annotation(&sample, "flag"), "");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.source"), "web");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.user"), "ana@laptop");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.command"), "[\"true\"]");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.reason"), "ticket 7");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.started"), "2026-11-21T04:54:03Z");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.deadline"), "2026-11-21T04:55:03Z");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.keep"), "always");
	cr_expect_str_eq(bundle_annotation(&sample, "dev.oneoff.keep-for"), "3600");
	cr_expect_str_eq(bundle_annotation(&sample, BUNDLE_STOP_SIGNAL), "15");
	cr_expect_null(bundle_annotation(&sample, "io.container.manager"));
	bundle_sample_close(&sample);
}

Test(bundle_process, our_own_annotations_cannot_be_asked_for)
{
	struct bundle_sample sample;

	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	cr_assert_eq(strv_add(&sample.request.labels, "dev.oneoff.id=x"), 0);
	bundle_sample_fails(&sample, ERR_USAGE, "oneoff's own");
	bundle_sample_close(&sample);
}

Test(bundle_process, a_long_command_is_cut_between_two_characters)
{
	struct bundle_sample sample;
	char word[5000];
	const char *text;

	memset(word, 0, sizeof(word));
	for (size_t i = 0; i + 2 < sizeof(word); i += 2)
		memcpy(word + i, "é", 2);
	bundle_sample_open(&sample, "podman-4.3.1-config.json", NULL);
	ask(&sample, word);
	bundle_sample_plan(&sample);
	text = bundle_annotation(&sample, "dev.oneoff.command");
	cr_expect_leq(strlen(text), COMMAND_TEXT_BYTES);
	cr_expect_str_eq(text + strlen(text) - 3, "…");
	bundle_sample_close(&sample);
}
