/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/cmd_cron.h"

#include <string.h>
#include "cmd/oneoff/version.h"
#include "pkg/base/escape.h"

#define DEFAULT_KEEP_SECONDS (INT64_C(30) * 24 * 3600)
/* A name without a registry's is nobody's: who wants another one says so. */
#define DEFAULT_IMAGE   "oneoff:" ONEOFF_VERSION
#define DEFAULT_ACCOUNT "oneoff-cron"

void cron_made_init(struct cron_made *made)
{
	*made = (struct cron_made){.document = NULL};
	request_init(&made->request);
}

void cron_made_release(struct cron_made *made)
{
	json_free(&made->document);
	strv_release(&made->head);
	request_release(&made->request);
	chosen_release(&made->chosen);
}

static int64_t seconds_of(int64_t milliseconds)
{
	return milliseconds < 0 ? milliseconds : (milliseconds + 999) / 1000;
}

/* What only a run by hand has. A following one is such a run in the end. */
static int check_pinned(const struct cron_options *options, struct err *err)
{
	if (options->follow)
		return 0;
	if (options->run.carrier != CARRIER_JOB)
		return err_set(err, ERR_USAGE, "--carrier pod: a CronJob makes Jobs");
	if (options->run.keep != KEEP_NEVER)
		return err_set(err, ERR_USAGE,
		               "--keep: ended Jobs stay by --history, at most for --keep-for");
	return 0;
}

/* Nobody is attached to a firing. */
static int make_request(struct cron_options *options, struct request *request, struct err *err)
{
	options->run.no_tty = true;
	options->run.no_stdin = true;
	if (run_options_request(&options->run, false, request, err) < 0)
		return -1;
	request->kubernetes.gate = GATE_NONE;
	return 0;
}

static int make_plan(const struct cron_options *options, struct cron_made *made, struct plan *plan,
                     struct err *err)
{
	struct identity identity = {
		.id = "schedule", .name = options->run.name, .user = (char[]){""}};

	return made->chosen.backend->ops->plan(made->chosen.backend, &made->chosen.release,
	                                       &made->request, &identity, plan, err);
}

/* "oneoff cron generate …", as it can be typed. */
static int add_made_by(const struct strv *words, const char *name_space, struct strv *head,
                       struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;

	strbuf_adds(&line, "    oneoff cron generate -n ");
	escape_add_shell(&line, name_space);
	for (size_t i = 0; i < words->count; i++) {
		strbuf_addc(&line, ' ');
		escape_add_shell(&line, words->items[i]);
	}
	if (line.failed || strv_add(head, "Made by oneoff " ONEOFF_VERSION ":") < 0 ||
	    strv_take(head, strbuf_take(&line)) < 0)
		return err_no_memory(err);
	return 0;
}

static int add_pinned(const struct cron_options *options, const struct cron_made *made,
                      const char *image, bool pinned, struct strv *head)
{
	const char *digest = made->chosen.release.digest;

	if (strv_addf(head, "Source: %s, image %s", options->run.like, image ? image : "unknown") <
	            0 ||
	    strv_addf(head, "Digest of the running pod: %s", digest ? digest : "none") < 0)
		return -1;
	return strv_addf(head,
	                 "It stays at this %s: `oneoff cron check %s` tells when the app has "
	                 "moved on, `oneoff cron sync %s` brings it up.",
	                 pinned ? "release" : "tag", options->run.name, options->run.name);
}

static int add_following(const struct cron_options *options, struct strv *head)
{
	return strv_addf(head,
	                 "Source: %s; each run clones the release that is live then. The service "
	                 "account needs the rights of k8s-manifests/cron-follow.yaml.",
	                 options->run.like);
}

static struct cronjob_settings settings_of(const struct cron_options *options,
                                           const struct cron_made *made, const char *name_space,
                                           const struct strv *words)
{
	return (struct cronjob_settings){
		.name = options->run.name,
		.schedule = options->schedule,
		.time_zone = options->time_zone,
		.concurrency = (enum cronjob_concurrency)options->concurrency,
		.timeout = seconds_of(options->run.timeout),
		.start_timeout = seconds_of(options->run.start_timeout),
		.retries = options->retry_count,
		.starting_deadline = seconds_of(options->starting_deadline),
		.history_succeeded = options->history_succeeded,
		.history_failed = options->history_failed,
		.keep = options->run.keep_for ? seconds_of(options->run.keep_for)
	                                      : DEFAULT_KEEP_SECONDS,
		.suspend = options->suspend,
		.name_space = name_space,
		.source = options->run.like,
		.reason = options->run.reason,
		.argv = &made->request.argv,
		.generate = words,
	};
}

static int make_following(const struct cron_options *options,
                          const struct cronjob_settings *settings, struct cron_made *made,
                          const struct reporter *reporter, struct err *err)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	const char *image = options->oneoff_image ? options->oneoff_image : DEFAULT_IMAGE;
	const char *account = options->service_account ? options->service_account : DEFAULT_ACCOUNT;

	if (cron_run_words(options, &made->request, false, &words, err) < 0)
		return -1;
	if (!options->oneoff_image)
		report(reporter, REPORT_NOTE,
		       "no --oneoff-image was given: the cluster must have '%s'", image);
	if (add_following(options, &made->head) < 0)
		return err_no_memory(err);
	return cronjob_follow(settings, image, account, &words, &made->document, err);
}

static int make_pinned(const struct cron_options *options, const struct cronjob_settings *settings,
                       const struct plan *plan, struct cron_made *made,
                       const struct reporter *reporter, struct err *err)
{
	const char *node;
	bool pinned = json_true(plan->extra, "pinned");

	if (cronjob_pin(settings, plan->document, json_string(plan->extra, "container"),
	                &made->document, err) < 0)
		return -1;
	if (!pinned)
		report(reporter, REPORT_NOTE,
		       "no registry can be asked for the digest of '%s': the tag stays",
		       options->run.like);
	node = cJSON_GetStringValue(json_member(
		json_at(made->document, "spec.jobTemplate.spec.template.spec.nodeSelector"),
		"kubernetes.io/hostname"));
	if (node)
		report(reporter, REPORT_WARNING,
		       "it runs on node '%s' only, where the app's volume or image is now", node);
	return add_pinned(options, made,
	                  cJSON_GetStringValue(json_member(
				  json_at(made->document, "metadata.annotations"), CRONJOB_IMAGE)),
	                  pinned, &made->head) < 0
	               ? err_no_memory(err)
	               : 0;
}

static int make_cronjob(const struct cron_options *options, struct cron_made *made,
                        const struct reporter *reporter, struct err *err)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	_cleanup_(plan_release) struct plan plan;
	struct cronjob_settings settings;
	const char *name_space;

	plan_init(&plan);
	if (check_pinned(options, err) < 0 || make_plan(options, made, &plan, err) < 0 ||
	    cron_options_words(options, &made->request, &words, err) < 0)
		return -1;
	name_space = json_string(plan.document, "metadata.namespace");
	settings = settings_of(options, made, name_space ? name_space : "default", &words);
	if (add_made_by(&words, settings.name_space, &made->head, err) < 0)
		return -1;
	if (options->follow)
		return make_following(options, &settings, made, reporter, err);
	return make_pinned(options, &settings, &plan, made, reporter, err);
}

int cron_make(struct cron_options *options, struct cron_made *ret, struct reporter *ret_reporter,
              struct err *err)
{
	struct backend_settings settings;

	*ret_reporter = message_reporter(&options->run.verbosity);
	if (cron_options_check(options, err) < 0 || make_request(options, &ret->request, err) < 0)
		return -1;
	if (run_options_choose(&options->run, &settings, &ret->chosen, err) < 0)
		return -1;
	if (!(ret->chosen.backend->ops->capabilities & BACKEND_MANIFEST))
		return 0;
	return make_cronjob(options, ret, ret_reporter, err);
}
