/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/backend/command_text.h"
#include "tests/unit/docker/clone_helper.h"

#define WEB     "docker/image-web.d28.json"
#define PLAIN   "docker/inspect-plain.d28.json"
#define COMPOSE "docker/inspect-compose.d28.json"

static void expect_label(const struct sample *sample, const char *key, const char *wanted)
{
	const char *value = label_of(&sample->plan, key);

	if (wanted == NULL)
		cr_expect_null(value, "%s=%s", key, value);
	else
		cr_expect(value != NULL && strcmp(value, wanted) == 0, "%s=%s, not %s", key,
		          value != NULL ? value : "(none)", wanted);
}

Test(clone_labels, prefixes_that_lead_traffic_and_robots_go)
{
	static const char *const gone[] = {"traefik.http.routers.w.rule",
	                                   "caddy",
	                                   "caddy_1.x",
	                                   "dev.orbstack.domains",
	                                   "com.github.jrcs.x",
	                                   "nginx-proxy.x",
	                                   "haproxy.x",
	                                   "sablier.enable",
	                                   "ofelia.enabled",
	                                   "deck-chores.x",
	                                   "chadburn.x",
	                                   "swarm.cronjob.enable",
	                                   "com.centurylinklabs.watchtower",
	                                   "com.centurylinklabs.watchtower.enable",
	                                   "diun.enable",
	                                   "autoheal",
	                                   "autoheal.stop.timeout",
	                                   "prometheus.io/scrape",
	                                   "co.elastic.logs/x",
	                                   "com.docker.swarm.task.id",
	                                   "com.docker.stack.namespace",
	                                   "PODMAN_SYSTEMD_UNIT",
	                                   "io.containers.autoupdate",
	                                   "io.podman.compose.project",
	                                   "com.docker.compose.anything"};
	static const char *const stay[] = {"team",    "traefik",        "traefikish.x",
	                                   "x.caddy", "my.ofelia.x",    "com.docker.other",
	                                   "price$",  "a.dev.oneoff.id"};
	struct sample sample;
	cJSON *labels = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(gone); i++)
		cJSON_AddStringToObject(labels, gone[i], "v");
	for (size_t i = 0; i < ARRAY_SIZE(stay); i++)
		cJSON_AddStringToObject(labels, stay[i], "$v");
	sample_open(&sample, PLAIN, WEB);
	cr_assert_eq(json_set_node(json_at(sample.container, "Config"), "Labels", labels), 0);
	sample_plan(&sample);
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		char path[128];

		snprintf(path, sizeof(path), "Config.Labels.%s", gone[i]);
		expect_label(&sample, gone[i], NULL);
		expect_row(&sample.plan, PLAN_DROPPED, path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(stay); i++)
		expect_label(&sample, stay[i], "$v");
	expect_label(&sample, "traefik.enable", "false");
	sample_close(&sample);
}

/* The engine merges the image's labels in again: they can only be overwritten. */
Test(clone_labels, the_image_s_own_are_emptied)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_set(&sample, "Config", "Labels",
	           "{\"ofelia.enabled\":\"true\",\"own\":\"1\",\"diff\":\"a\"}");
	cr_assert_eq(
		json_set_node(
			json_at(sample.image, "Config"), "Labels",
			cJSON_Parse("{\"ofelia.enabled\":\"true\",\"own\":\"1\",\"diff\":\"b\"}")),
		0);
	sample_plan(&sample);
	expect_label(&sample, "ofelia.enabled", "");
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Labels.ofelia.enabled");
	expect_label(&sample, "own", NULL);
	expect_row(&sample.plan, PLAN_KEPT, "Config.Labels.own");
	expect_label(&sample, "diff", "a");
	sample_close(&sample);
}

Test(clone_labels, without_the_image_all_kept_labels_are_sent)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-volumes.d28.json", NULL);
	sample_plan(&sample);
	expect_label(&sample, "img.label", "1");
	sample_close(&sample);
}

Test(clone_labels, the_old_image_s_are_left_to_the_new_one)
{
	struct sample sample;

	sample_open(&sample, "docker/inspect-volumes.d28.json", "docker/image-vol.d28.json");
	sample.request.image = strdup("other");
	sample_plan(&sample);
	expect_label(&sample, "img.label", NULL);
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Labels.img.label");
	sample_close(&sample);
}

Test(clone_labels, compose_sees_a_run)
{
	static const char *const kept[] = {"com.docker.compose.project",
	                                   "com.docker.compose.service",
	                                   "com.docker.compose.config-hash",
	                                   "com.docker.compose.version",
	                                   "com.docker.compose.project.working_dir",
	                                   "com.docker.compose.project.config_files",
	                                   "com.docker.compose.image"};
	struct sample sample;
	const char *slug;

	sample_open(&sample, COMPOSE, WEB);
	sample_plan(&sample);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const cJSON *labels = json_at(sample.container, "Config.Labels");

		expect_label(&sample, kept[i], json_member(labels, kept[i])->valuestring);
	}
	expect_label(&sample, "com.docker.compose.oneoff", "True");
	expect_label(&sample, "com.docker.compose.container-number", NULL);
	expect_label(&sample, "com.docker.compose.depends_on", NULL);
	expect_label(&sample, "com.docker.compose.replace", NULL);
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Labels.com.docker.compose.oneoff");
	slug = label_of(&sample.plan, "com.docker.compose.slug");
	cr_assert_not_null(slug);
	cr_expect_eq(strlen(slug), 64);
	cr_expect_eq(strspn(slug, "0123456789abcdef"), 64);

	struct sample other;
	sample_open(&other, COMPOSE, WEB);
	other.input.id = "k3v9x2ac";
	sample_plan(&other);
	cr_expect_str_neq(slug, label_of(&other.plan, "com.docker.compose.slug"));
	sample_close(&other);
	sample_close(&sample);
}

Test(clone_labels, no_compose_labels_without_compose)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_plan(&sample);
	expect_label(&sample, "com.docker.compose.oneoff", NULL);
	expect_label(&sample, "com.docker.compose.slug", NULL);
	expect_label(&sample, "traefik.enable", NULL);
	sample_close(&sample);
}

Test(clone_labels, asked_labels)
{
	struct sample sample;

	sample_open(&sample, COMPOSE, WEB);
	cr_assert_eq(strv_add(&sample.request.labels, "team=a=b"), 0);
	cr_assert_eq(strv_add(&sample.request.labels, "bare"), 0);
	cr_assert_eq(strv_add(&sample.request.labels, "caddy=mine"), 0);
	sample_plan(&sample);
	expect_label(&sample, "team", "a=b");
	expect_label(&sample, "bare", "");
	expect_label(&sample, "caddy", "mine");
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Labels.caddy");
	cr_expect_str_eq(golden_row(&sample.plan, "Config.Labels.team")->reason, "asked with -l");
	sample_close(&sample);
	sample_open(&sample, COMPOSE, WEB);
	cr_assert_eq(strv_add(&sample.request.labels, "dev.oneoff.id=x"), 0);
	cr_expect_lt(docker_clone(&sample.input, &sample.plan, &sample.err), 0);
	cr_expect_eq(sample.err.kind, ERR_USAGE);
	sample_close(&sample);
}

Test(clone_labels, our_record)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample.request.timeout_ms = 90500;
	sample.request.reason = strdup("ticket 4711");
	sample_plan(&sample);
	expect_label(&sample, "dev.oneoff.id", "k3v9x2ab");
	expect_label(&sample, "dev.oneoff.source", "web");
	expect_label(&sample, "dev.oneoff.source-id", json_string(sample.container, "Id"));
	expect_label(&sample, "dev.oneoff.user", "ana@laptop");
	expect_label(&sample, "dev.oneoff.started", "2026-11-21T04:54:03Z");
	expect_label(&sample, "dev.oneoff.deadline", "2026-11-21T04:55:34Z");
	expect_label(&sample, "dev.oneoff.command", "[\"true\"]");
	expect_label(&sample, "dev.oneoff.reason", "ticket 4711");
	expect_label(&sample, "dev.oneoff.keep", NULL);
	expect_label(&sample, "dev.oneoff.keep-for", NULL);
	sample_close(&sample);
}

Test(clone_labels, detached_and_lock)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_plan(&sample);
	expect_label(&sample, "dev.oneoff.detached", NULL);
	expect_label(&sample, "dev.oneoff.lock", NULL);
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample.request.detach = true;
	sample.request.lock = strdup("migrate");
	sample_plan(&sample);
	expect_label(&sample, "dev.oneoff.detached", "true");
	expect_label(&sample, "dev.oneoff.lock", "migrate");
	sample_close(&sample);
}

Test(clone_labels, keeping)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample.request.timeout_ms = 0;
	sample.request.keep = KEEP_FAILED;
	sample.request.keep_for_ms = 3600000;
	sample_plan(&sample);
	expect_label(&sample, "dev.oneoff.deadline", NULL);
	expect_label(&sample, "dev.oneoff.keep", "failed");
	expect_label(&sample, "dev.oneoff.keep-for", "3600");
	expect_label(&sample, "dev.oneoff.reason", NULL);
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample.request.timeout_ms = 60000;
	sample.request.keep = KEEP_ALWAYS;
	sample.request.keep_for_ms = 60000;
	sample_plan(&sample);
	expect_label(&sample, "dev.oneoff.keep", "always");
	expect_label(&sample, "dev.oneoff.keep-for", "60");
	sample_close(&sample);
	sample_open(&sample, PLAIN, WEB);
	sample.request.keep = KEEP_ALWAYS;
	sample.request.keep_for_ms = 0;
	sample_plan(&sample);
	expect_label(&sample, "dev.oneoff.keep-for", NULL);
	sample_close(&sample);
}

Test(clone_labels, a_long_command_is_cut_between_characters)
{
	for (size_t shift = 0; shift < 4; shift++) {
		struct sample sample;
		struct strbuf text = STRBUF_INIT;

		for (size_t i = 0; i < shift; i++)
			strbuf_addc(&text, 'a');
		for (int i = 0; i < 2000; i++)
			strbuf_adds(&text, "€");
		sample_open(&sample, PLAIN, WEB);
		cr_assert_eq(strv_add(&sample.request.argv, strbuf_str(&text)), 0);
		sample_plan(&sample);

		const char *command = label_of(&sample.plan, "dev.oneoff.command");
		size_t length = strlen(command);
		cr_expect_leq(length, COMMAND_TEXT_BYTES);
		cr_expect_geq(length, COMMAND_TEXT_BYTES - 4);
		cr_expect_str_eq(command + length - 6, "€…");
		strbuf_release(&text);
		sample_close(&sample);
	}
}

Test(clone_labels, without_a_command_the_source_s_is_recorded)
{
	struct sample sample;

	sample_init(&sample, read_fixture("docker/inspect-exited.d28.json"), NULL, false);
	sample_plan(&sample);
	expect_label(&sample, "dev.oneoff.command", "[\"sh\",\"-c\",\"exit 3\"]");
	sample_close(&sample);
}

Test(clone_labels, a_one_off_s_record_does_not_pass_on)
{
	struct sample sample;

	sample_open(&sample, PLAIN, WEB);
	sample_set(
		&sample, "Config", "Labels",
		"{\"dev.oneoff.id\":\"old\",\"dev.oneoff.reason\":\"old\",\"dev.oneoff.keep\":\"always\"}");
	sample_plan(&sample);
	expect_label(&sample, "dev.oneoff.id", "k3v9x2ab");
	expect_label(&sample, "dev.oneoff.reason", NULL);
	expect_label(&sample, "dev.oneoff.keep", NULL);
	expect_row(&sample.plan, PLAN_CHANGED, "Config.Labels.dev.oneoff.id");
	expect_row(&sample.plan, PLAN_DROPPED, "Config.Labels.dev.oneoff.keep");
	sample_close(&sample);
}
