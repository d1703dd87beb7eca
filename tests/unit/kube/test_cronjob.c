/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CronJobs of all sources in tests/golden/pod. Some are held by golden files, tests/golden/cron/NAME.yaml;
 * ONEOFF_GOLDEN=write writes them anew, ONEOFF_CRON_OUT=DIR writes all of them there (tests/schedule/apply).
 */
#include "pkg/kube/cronjob.h"
#include "tests/unit/kube/test_clone_helper.h"

#define SOURCES "tests/golden/pod"

static const char *const held[] = {"deployment",  "sidecars", "statefulset",
                                   "every-field", "pinned",   "env"};

struct sample {
	struct clone_sample clone;
	struct strv argv, generate;
	struct cronjob_settings settings;
	struct err err;
};

static void sample_open(struct sample *sample, const char *name)
{
	static const char *const words[] = {"--like",   "deploy/web", "--",
	                                    "bin/task", "$(A)",       "a b"};
	char path[512];

	memset(sample, 0, sizeof(*sample));
	snprintf(path, sizeof(path), SOURCES "/%s/input.json", name);
	clone_init(&sample->clone, golden_read_json(path));
	sample->clone.request.stdin_open = false;
	sample->clone.request.kubernetes.gate = GATE_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		cr_assert_eq(strv_add(&sample->generate, words[i]), 0);
	for (size_t i = 3; i < ARRAY_SIZE(words); i++) {
		cr_assert_eq(strv_add(&sample->argv, words[i]), 0);
		cr_assert_eq(strv_add(&sample->clone.request.argv, words[i]), 0);
	}
	sample->settings = (struct cronjob_settings){
		.name = "nightly",
		.schedule = "30 3 * * *",
		.time_zone = "Europe/Berlin",
		.timeout = 1800,
		.start_timeout = 300,
		.retries = 2,
		.starting_deadline = CRONJOB_UNSET,
		.history_succeeded = 3,
		.history_failed = 1,
		.keep = 86400,
		.name_space = "default",
		.source = "deploy/web",
		.argv = &sample->argv,
		.generate = &sample->generate,
	};
}

static void sample_close(struct sample *sample)
{
	clone_close(&sample->clone);
	strv_release(&sample->argv);
	strv_release(&sample->generate);
}

/* NULL: the source cannot be cloned. Owned. */
static cJSON *pin(struct sample *sample)
{
	struct plan plan;
	cJSON *document = NULL;

	plan_init(&plan);
	if (kube_clone(&sample->clone.input, &plan, &sample->err) < 0)
		return NULL;
	cr_assert_eq(cronjob_pin(&sample->settings, plan.document,
	                         json_string(plan.extra, "container"), &document, &sample->err),
	             0, "%s", sample->err.message);
	plan_release(&plan);
	return document;
}

static void print(const cJSON *document, struct strbuf *text)
{
	_cleanup_(strv_release) struct strv head = STRV_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(strv_add(&head, "Made by a test\nin \033[1mone line"), 0);
	cr_assert_eq(cronjob_print(document, &head, text, &err), 0, "%s", err.message);
}

Test(cronjob, some_documents_are_held_byte_for_byte)
{
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
		struct sample sample;
		cJSON *document;
		char file[128];

		sample_open(&sample, held[i]);
		document = pin(&sample);
		cr_assert_not_null(document, "%s: %s", held[i], sample.err.message);
		print(document, &text);
		snprintf(file, sizeof(file), "%s.yaml", held[i]);
		golden_settle("tests/golden", "cron", file, &text);
		json_free(&document);
		sample_close(&sample);
	}
}

static int made; /* how many sources could be cloned */

/* The same bytes whoever asks, and whenever; no drift without a change; nothing of one run alone. */
static void check_source(const char *name)
{
	_cleanup_(strbuf_release) struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	_cleanup_(json_free) cJSON *one = NULL, *two = NULL;
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	struct sample sample;

	sample_open(&sample, name);
	sample.settings.name = name;
	one = pin(&sample);
	if (one == NULL) {
		sample_close(&sample);
		return;
	}
	sample.clone.input.now_unix_seconds += 86400;
	sample.clone.input.user = "joe";
	sample.clone.input.id = "aaaaaaaa";
	two = pin(&sample);
	print(one, &first);
	print(two, &second);
	cr_expect_str_eq(strbuf_str(&first), strbuf_str(&second), "%s", name);
	cr_expect_eq(cronjob_compare(one, two, &lines), 0);
	cr_expect_eq(lines.count, 0, "%s: %s", name, lines.count ? lines.items[0] : "");
	cr_expect_null(strstr(strbuf_str(&first), "k3v9x2ab"), "%s", name);
	cr_expect_null(strstr(strbuf_str(&first), "/.oneoff/gate"), "%s", name);
	if (getenv("ONEOFF_CRON_OUT") != NULL) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s.yaml", getenv("ONEOFF_CRON_OUT"), name);
		golden_write_text(path, &first);
	}
	sample_close(&sample);
	made++;
}

Test(cronjob, every_source_gives_the_same_bytes_again_and_no_drift)
{
	golden_for_each(SOURCES, check_source);
	cr_expect_geq(made, 50, "only %d sources could be cloned", made);
}

/* ---- what it says ------------------------------------------------------------------------------- */

Test(cronjob, limits_and_policies_are_those_that_were_asked)
{
	_cleanup_(json_free) cJSON *document = NULL;
	struct sample sample;

	sample_open(&sample, "deployment");
	sample.settings.concurrency = CRONJOB_REPLACE;
	sample.settings.starting_deadline = 120;
	sample.settings.suspend = true;
	document = pin(&sample);
	clone_expect(document, "spec.concurrencyPolicy", "\"Replace\"");
	clone_expect(document, "spec.startingDeadlineSeconds", "120");
	clone_expect(document, "spec.suspend", "true");
	clone_expect(document, "spec.jobTemplate.spec.backoffLimit", "2");
	clone_expect(document, "spec.jobTemplate.spec.ttlSecondsAfterFinished", "86400");
	/* Three tries of 1800 + 300 + 60 seconds, and pauses of 10 and 20 between them. */
	clone_expect(document, "spec.jobTemplate.spec.activeDeadlineSeconds", "6510");
	clone_expect(document, "spec.jobTemplate.spec.template.spec.restartPolicy", "\"Never\"");
	sample_close(&sample);
}

Test(cronjob, without_a_time_limit_there_is_no_deadline)
{
	_cleanup_(json_free) cJSON *document = NULL;
	struct sample sample;

	sample_open(&sample, "deployment");
	sample.settings.timeout = 0;
	sample.settings.keep = 0;
	document = pin(&sample);
	clone_expect(document, "spec.jobTemplate.spec.activeDeadlineSeconds", NULL);
	clone_expect(document, "spec.jobTemplate.spec.ttlSecondsAfterFinished", NULL);
	sample_close(&sample);
}

static void refused(struct cronjob_settings settings, const char *part)
{
	struct err err = ERR_INIT;

	cr_assert_eq(cronjob_check(&settings, &err), -1, "nothing was refused; wanted: %s", part);
	cr_expect_eq(err.kind, ERR_USAGE);
	cr_expect_not_null(strstr(err.message, part), "%s", err.message);
}

Test(cronjob, what_the_cluster_would_refuse_is_refused)
{
	const struct cronjob_settings good = {.name = "nightly",
	                                      .starting_deadline = CRONJOB_UNSET};
	struct cronjob_settings bad;
	struct err err = ERR_INIT;

	cr_assert_eq(cronjob_check(&good, &err), 0, "%s", err.message);
	bad = good, bad.name = "Nightly", refused(bad, "no name for a CronJob");
	bad = good, bad.name = "-a", refused(bad, "no name for a CronJob");
	bad = good, bad.name = "a.-b", refused(bad, "no name for a CronJob");
	bad = good, bad.name = "", refused(bad, "no name for a CronJob");
	bad = good, bad.name = "a23456789012345678901234567890123456789012345678901bc";
	refused(bad, "53 characters");
	bad = good, bad.starting_deadline = 5, refused(bad, "--starting-deadline");
	bad = good, bad.retries = 1001, refused(bad, "--retries");
	bad = good, bad.history_failed = INT64_C(1) << 31, refused(bad, "--history");
	bad = good, bad.timeout = INT64_C(1) << 31, refused(bad, "--timeout");
}

Test(cronjob, the_following_form_runs_oneoff_with_words_that_stay_as_they_are)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	_cleanup_(json_free) cJSON *document = NULL;
	struct sample sample;

	sample_open(&sample, "deployment");
	cr_assert_eq(strv_add(&words, "run"), 0);
	cr_assert_eq(strv_add(&words, "$(A)"), 0);
	cr_assert_eq(cronjob_follow(&sample.settings, "oneoff:1", "oneoff-cron", &words, &document,
	                            &sample.err),
	             0);
#define POD "spec.jobTemplate.spec.template.spec."
	clone_expect(document, POD "containers[0].args", "[\"run\",\"$$(A)\"]");
	clone_expect(document, POD "containers[0].image", "\"oneoff:1\"");
	clone_expect(document, POD "serviceAccountName", "\"oneoff-cron\"");
	clone_expect(document, POD "securityContext.runAsNonRoot", "true");
	/* oneoff must outlive its task. */
	clone_expect(document, POD "activeDeadlineSeconds", "2160");
	sample_close(&sample);
}

/* ---- drift -------------------------------------------------------------------------------------- */

/* Changes the live document at `path` to `value` (NULL: takes it out) and expects one line that holds `part`. */
static void drift(const char *parent, const char *key, const char *value, const char *part)
{
	_cleanup_(json_free) cJSON *live = NULL, *fresh = NULL;
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	struct sample sample;
	cJSON *object;

	sample_open(&sample, "sidecars");
	live = pin(&sample);
	fresh = pin(&sample);
	object = json_at(live, parent);
	cr_assert_not_null(object, "%s", parent);
	cJSON_DeleteItemFromObjectCaseSensitive(object, key);
	if (value != NULL)
		cr_assert_eq(json_set_node(object, key, golden_parse(value)), 0);
	cr_assert_eq(cronjob_compare(live, fresh, &lines), 0);
	cr_assert_eq(lines.count, 1, "%s.%s: %zu lines", parent, key, lines.count);
	cr_expect_not_null(strstr(lines.items[0], part), "%s", lines.items[0]);
	sample_close(&sample);
}

Test(cronjob, each_kind_of_drift_is_found_and_named)
{
	drift(POD "containers[0]", "image", "\"other:1\"", "image of container");
	drift(POD "containers[0].env[0]", "value", "\"other\"", "variable '");
	drift(POD "containers[0]", "envFrom", "[{\"configMapRef\":{\"name\":\"x\"}}]", "envFrom");
	drift(POD "containers[0]", "volumeMounts", "[{\"name\":\"x\",\"mountPath\":\"/x\"}]",
	      "mount '/x' of container");
	drift(POD "initContainers[0]", "image", "\"other:1\"", "image of container");
	drift("spec.jobTemplate.spec.template.spec", "serviceAccountName", "\"root\"",
	      "service account: root, now");
	drift("spec.jobTemplate.spec.template.spec", "nodeSelector", "{\"a\":\"b\"}", "node: ");
	drift("metadata.annotations", CRONJOB_TEMPLATE, "\"0\"", "something else of the pod");
	drift("metadata.annotations", CRONJOB_TEMPLATE, NULL, "no record");
}

Test(cronjob, defaults_of_the_server_are_no_drift)
{
	_cleanup_(json_free) cJSON *live = NULL, *fresh = NULL;
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	struct sample sample;
	cJSON *spec, *task;

	sample_open(&sample, "deployment");
	live = pin(&sample);
	fresh = pin(&sample);
	spec = json_at(live, "spec.jobTemplate.spec.template.spec");
	task = json_at(spec, "containers[0]");
	cr_assert_eq(json_set_string(spec, "schedulerName", "default-scheduler"), 0);
	cr_assert_eq(json_set_string(spec, "dnsPolicy", "ClusterFirst"), 0);
	cr_assert_eq(json_set_string(task, "terminationMessagePath", "/dev/termination-log"), 0);
	cr_assert_eq(json_set_node(task, "resources", cJSON_CreateObject()), 0);
	cr_assert_eq(cronjob_compare(live, fresh, &lines), 0);
	cr_expect_eq(lines.count, 0, "%s", lines.count ? lines.items[0] : "");
	sample_close(&sample);
}
