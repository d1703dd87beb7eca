/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/docker/clone_helper.h"

#define WEB       "docker/image-web.d28.json"
#define PLAIN     "docker/inspect-plain.d28.json"
#define OVERRIDES "docker/inspect-overrides.d28.json"

static void ask(struct sample *sample, const char *text)
{
	cr_assert_eq(strv_add(&sample->request.env, text), 0);
}

Test(clone_env, exactly_the_app_s_and_ours)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_plan(&sample);
	expect_sent(
		&sample.plan, "Env",
		"[\"PATH=/bin\",\"RELEASE=v42\",\"APP_HOME=/app\",\"ONEOFF=1\",\"ONEOFF_ID=k3v9x2ab\"]");
	expect_row(&sample.plan, PLAN_KEPT, "Config.Env");
	expect_row(&sample.plan, PLAN_ADDED, "Config.Env.ONEOFF");
	sample_close(&sample);
}

Test(clone_env, odd_values_stay_byte_for_byte)
{
	struct sample sample;

	sample_open(&sample, OVERRIDES, WEB);
	sample_set(&sample, "Config", "Env",
	           "[\"Q=\\\"a' $b\",\"M=a\\nb\",\"U=żółć\",\"E=\",\"BARE\",\"D=a=b\"]");
	sample_plan(&sample);
	cr_expect(env_has(&sample.plan, "Q=\"a' $b"));
	cr_expect(env_has(&sample.plan, "M=a\nb"));
	cr_expect(env_has(&sample.plan, "U=żółć"));
	cr_expect(env_has(&sample.plan, "E="));
	cr_expect(env_has(&sample.plan, "BARE"));
	cr_expect(env_has(&sample.plan, "D=a=b"));
	sample_close(&sample);
}

Test(clone_env, asked_values_replace_in_place)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	ask(&sample, "RELEASE=first");
	ask(&sample, "NEW=a=b");
	ask(&sample, "RELEASE=mine");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Env",
	            "[\"PATH=/bin\",\"RELEASE=mine\",\"APP_HOME=/app\",\"ONEOFF=1\","
	            "\"ONEOFF_ID=k3v9x2ab\",\"NEW=a=b\"]");
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Env.RELEASE");
	expect_row(&sample.plan, PLAN_ADDED, "Config.Env.NEW");
	cr_expect_str_eq(golden_row(&sample.plan, "Config.Env.NEW")->reason, "asked with -e");
	sample_close(&sample);
}

Test(clone_env, an_empty_value_is_a_value)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	ask(&sample, "RELEASE=");
	sample_plan(&sample);
	cr_expect(env_has(&sample.plan, "RELEASE="));
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Env.RELEASE");
	sample_close(&sample);
}

/* Docker unsets by a bare name what the image would bring back; Podman can only make it empty. */
Test(clone_env, a_bare_name_removes)
{
	struct sample sample;

	sample_open(&sample, OVERRIDES, WEB);
	ask(&sample, "EMPTY");
	ask(&sample, "RELEASE");
	ask(&sample, "ABSENT");
	sample_plan(&sample);
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Env.EMPTY");
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Env.RELEASE");
	cr_expect_not(env_has(&sample.plan, "EMPTY="));
	cr_expect_not(env_has(&sample.plan, "EMPTY"));
	cr_expect(env_has(&sample.plan, "RELEASE"));
	cr_expect_not(env_has(&sample.plan, "ABSENT"));
	sample_close(&sample);
	sample_open(&sample, "podman/inspect-overrides.compat.json",
	            "podman/image-web.compat.json");
	ask(&sample, "RELEASE");
	ask(&sample, "EMPTY");
	sample_plan(&sample);
	cr_expect(env_has(&sample.plan, "RELEASE="));
	cr_expect_not(env_has(&sample.plan, "EMPTY="));
	cr_expect_not(env_has(&sample.plan, "EMPTY"));
	sample_close(&sample);
}

Test(clone_env, without_the_image_a_bare_name_is_sent_to_be_sure)
{
	struct sample sample;

	sample_open(&sample, PLAIN, NULL);
	ask(&sample, "RELEASE");
	sample_plan(&sample);
	cr_expect(env_has(&sample.plan, "RELEASE"));
	sample_close(&sample);
}

Test(clone_env, orders_to_proxies_go)
{
	static const char *const gone[] = {"VIRTUAL_HOST",     "VIRTUAL_PORT", "VIRTUAL_PROTO",
	                                   "LETSENCRYPT_HOST", "SERVICE_TAGS", "SERVICE_8080_NAME",
	                                   "SERVICE_80_TAGS"};
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_set(
		&sample, "Config", "Env",
		"[\"VIRTUAL_HOST=x\",\"VIRTUAL_PORT=x\",\"VIRTUAL_PROTO=x\",\"LETSENCRYPT_HOST=x\","
		"\"SERVICE_TAGS=x\",\"SERVICE_8080_NAME=x\",\"SERVICE_80_TAGS=x\","
		"\"SERVICE_NAME=x\",\"VIRTUAL_ENV=x\",\"MY_VIRTUAL_HOST=x\"]");
	sample_plan(&sample);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		char path[64], entry[64];

		snprintf(path, sizeof(path), "Config.Env.%s", gone[i]);
		snprintf(entry, sizeof(entry), "%s=x", gone[i]);
		expect_row(&sample.plan, PLAN_DROPPED, path);
		cr_expect_not(env_has(&sample.plan, entry));
	}
	cr_expect(env_has(&sample.plan, "SERVICE_NAME=x"));
	cr_expect(env_has(&sample.plan, "VIRTUAL_ENV=x"));
	cr_expect(env_has(&sample.plan, "MY_VIRTUAL_HOST=x"));
	sample_close(&sample);
}

Test(clone_env, what_podman_derives_goes)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-plain.compat.json", "podman/image-web.compat.json");
	sample_plan(&sample);
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Env.HOSTNAME");
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Env.container");
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Env.TERM");
	cr_expect(env_has(&sample.plan, "HOME=/"));
	cr_expect_not(env_has(&sample.plan, "container="));
	sample_close(&sample);
	sample_open(&sample, "podman/inspect-plain.compat.json", "podman/image-web.compat.json");
	sample.request.user = strdup("app");
	sample_set(&sample, "Config", "Env",
	           "[\"HOME=/\",\"HOSTNAME=mine\",\"TERM=dumb\",\"container=x\"]");
	sample_plan(&sample);
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Env.HOME");
	cr_expect(env_has(&sample.plan, "HOSTNAME=mine"));
	cr_expect(env_has(&sample.plan, "TERM=dumb"));
	cr_expect(env_has(&sample.plan, "container=x"));
	sample_close(&sample);
}

Test(clone_env, what_podman_s_image_says_itself_stays)
{
	struct sample sample;

	sample_open(&sample, "podman/inspect-plain.compat.json", "podman/image-web.compat.json");
	cr_assert_eq(json_set_node(json_at(sample.image, "Config"), "Env",
	                           cJSON_Parse("[\"TERM=xterm\",\"container=podman\"]")),
	             0);
	sample_plan(&sample);
	cr_expect(env_has(&sample.plan, "TERM=xterm"));
	cr_expect(env_has(&sample.plan, "container=podman"));
	sample_close(&sample);
}

Test(clone_env, terminal_kind)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample.request.term = strdup("xterm-kitty");
	sample_plan(&sample);
	cr_expect_not(env_has(&sample.plan, "TERM=xterm-kitty"), "no terminal, no TERM");
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample.request.term = strdup("xterm-kitty");
	sample.request.tty = true;
	sample_plan(&sample);
	cr_expect(env_has(&sample.plan, "TERM=xterm-kitty"));
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample_set(&sample, "Config", "Env", "[\"TERM=vt100\"]");
	sample.request.term = strdup("xterm-kitty");
	sample.request.tty = true;
	sample_plan(&sample);
	cr_expect(env_has(&sample.plan, "TERM=vt100"));
	cr_expect_not(env_has(&sample.plan, "TERM=xterm-kitty"));
	sample_close(&sample);
}

Test(clone_env, a_one_off_of_a_one_off_gets_its_own_id)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_set(&sample, "Config", "Env", "[\"ONEOFF=1\",\"ONEOFF_ID=old\"]");
	sample_plan(&sample);
	expect_sent(&sample.plan, "Env", "[\"ONEOFF=1\",\"ONEOFF_ID=k3v9x2ab\"]");
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Env.ONEOFF_ID");
	sample_close(&sample);
}

Test(clone_env, reasons_hold_no_values)
{
	struct sample sample;

	sample_open(&sample, OVERRIDES, WEB);
	sample_set(&sample, "Config", "Env", "[\"VIRTUAL_HOST=s3cret\",\"A=s3cret\",\"B=s3cret\"]");
	ask(&sample, "A=s3cret2");
	ask(&sample, "B");
	ask(&sample, "C=s3cret");
	sample_plan(&sample);
	for (size_t i = 0; i < sample.plan.count; i++) {
		cr_expect_null(strstr(sample.plan.rows[i].reason, "s3cret"));
		cr_expect_null(strstr(sample.plan.rows[i].path, "s3cret"));
	}

	struct strbuf text = STRBUF_INIT;
	plan_print_table(&sample.plan, false, true, &text);
	cr_expect_null(strstr(strbuf_str(&text), "s3cret"));
	strbuf_release(&text);
	sample_close(&sample);
}

Test(clone_env, a_variable_needs_a_name)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	ask(&sample, "=x");
	cr_expect_lt(docker_clone(&sample.input, &sample.plan, &sample.err), 0);
	cr_expect_eq(sample.err.kind, ERR_USAGE);
	sample_close(&sample);
}
