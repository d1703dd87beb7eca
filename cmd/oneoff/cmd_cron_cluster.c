/* SPDX-License-Identifier: Apache-2.0 */
/* apply, check, sync, suspend, resume, delete. */
#include "cmd/oneoff/cmd_cron_cluster.h"

#include <string.h>
#include "cmd/oneoff/exit_code.h"
#include "pkg/base/escape.h"

#define EXIT_CODE_DRIFT 1

static int failed(const struct err *err)
{
	message_error(err);
	return exit_code_of(err);
}

/* ---- apply ------------------------------------------------------------------------------------- */

static int apply(struct cron_options *options, struct err *err)
{
	_cleanup_(cron_made_release) struct cron_made made;
	struct reporter reporter;
	bool created;

	cron_made_init(&made);
	if (cron_make(options, &made, &reporter, err) < 0)
		return -1;
	if (!made.document) {
		err_set(err, ERR_USAGE, "'%s' is in no cluster", options->run.like);
		return err_hint(err,
		                "`oneoff cron generate` makes systemd units and crontab lines");
	}
	if (cronjobs_apply(made.chosen.backend, made.document, options->force, &created, err) < 0)
		return -1;
	report(&reporter, REPORT_NOTE, "cronjob/%s %s", options->run.name,
	       created ? "created" : "configured");
	cron_say_next(options, &reporter, true);
	return 0;
}

static int run_apply(const struct command *command, int argc, char **argv)
{
	_cleanup_(cron_options_release) struct cron_options options = {.schedule = NULL};
	struct err err = ERR_INIT;
	int result = cron_options_parse(command, argc, argv, &options, &err);

	if (result == 0)
		result = options.run.help ? command_print_help(command, &err)
		                          : apply(&options, &err);
	return result < 0 ? failed(&err) : 0;
}

/* ---- verbs on names ---------------------------------------------------------------------------- */

/* 0 when it is well, EXIT_CODE_DRIFT, or -1. */
typedef int cron_action(struct cron_session *session, const char *name, const cJSON *live,
                        struct err *err);

static int print_line(const char *name, const char *line, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	escape_add(&text, name);
	strbuf_adds(&text, ": ");
	escape_add(&text, line);
	strbuf_addc(&text, '\n');
	return text.failed ? err_no_memory(err) : message_output(&text, err);
}

static int check(struct cron_session *session, const char *name, const cJSON *live, struct err *err)
{
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	_cleanup_(json_free) cJSON *fresh = NULL;

	if (cron_again(session, live, &fresh, &lines, err) < 0)
		return -1;
	for (size_t i = 0; i < lines.count; i++)
		if (print_line(name, lines.items[i], err) < 0)
			return -1;
	if (lines.count > 0)
		return EXIT_CODE_DRIFT;
	return print_line(name, fresh ? "as the app is" : "follows the app", err);
}

static int sync_one(struct cron_session *session, const char *name, const cJSON *live,
                    struct err *err)
{
	_cleanup_(strv_release) struct strv lines = STRV_INIT;
	_cleanup_(json_free) cJSON *fresh = NULL;

	if (cron_again(session, live, &fresh, &lines, err) < 0)
		return -1;
	if (lines.count == 0) {
		report(&session->reporter, REPORT_NOTE, "%s: nothing to do, it %s", name,
		       fresh ? "is as the app is" : "follows the app");
		return 0;
	}
	/* Whoever suspended it since did not mean the release. */
	if (json_set_bool(json_member(fresh, "spec"), "suspend", json_true(live, "spec.suspend")) <
	    0)
		return err_no_memory(err);
	if (cronjobs_sync(session->backend, fresh, err) < 0)
		return -1;
	for (size_t i = 0; i < lines.count; i++)
		report(&session->reporter, REPORT_NOTE, "%s: %s", name, lines.items[i]);
	return 0;
}

static int set_suspend(struct cron_session *session, const char *name, bool suspend,
                       struct err *err)
{
	if (cronjobs_suspend(session->backend, name, suspend, err) < 0)
		return -1;
	report(&session->reporter, REPORT_NOTE, "cronjob/%s %s", name,
	       suspend ? "suspended; what runs goes on" : "resumed");
	return 0;
}

static int suspend_one(struct cron_session *session, const char *name, const cJSON *live,
                       struct err *err)
{
	(void)live;
	return set_suspend(session, name, true, err);
}

static int resume_one(struct cron_session *session, const char *name, const cJSON *live,
                      struct err *err)
{
	(void)live;
	return set_suspend(session, name, false, err);
}

static int delete_one(struct cron_session *session, const char *name, const cJSON *live,
                      struct err *err)
{
	(void)live;
	if (cronjobs_delete(session->backend, name, err) < 0)
		return -1;
	report(&session->reporter, REPORT_NOTE, "cronjob/%s deleted, with its jobs", name);
	return 0;
}

/* The worst of what came out: an error before drift before all well. */
static int act(struct cron_session *session, cron_action *action, const char *name,
               const cJSON *live, int worst)
{
	struct err err = ERR_INIT;
	int result = action(session, name, live, &err);

	if (result >= 0)
		return worst > result ? worst : result;
	err_wrap(&err, "%s", name);
	return failed(&err);
}

static int act_on_names(struct cron_session *session, cron_action *action)
{
	int worst = 0;

	for (int i = 0; i < session->options.operand_count; i++) {
		const char *name = session->options.operands[i];
		_cleanup_(json_free) cJSON *live = NULL;
		struct err err = ERR_INIT;

		if (cronjobs_get(session->backend, name, &live, &err) < 0)
			worst = failed(&err);
		else
			worst = act(session, action, name, live, worst);
	}
	return worst;
}

static int act_on_all(struct cron_session *session, cron_action *action)
{
	_cleanup_(json_free) cJSON *cronjobs = NULL, *jobs = NULL;
	struct err err = ERR_INIT;
	const cJSON *live;
	int worst = 0;

	if (cronjobs_list(session->backend, &cronjobs, &jobs, NULL, &err) < 0)
		return failed(&err);
	cJSON_ArrayForEach (live, cronjobs)
		worst = act(session, action, json_string(live, "metadata.name"), live, worst);
	return worst;
}

/* `all`: without a name, it concerns all of them. */
static int run_on(const struct command *command, int argc, char **argv, cron_action *action,
                  bool all)
{
	_cleanup_(cron_session_release) struct cron_session session = {.backend = NULL};
	struct err err = ERR_INIT;

	if (cron_session_open(command, argc, argv, &session, &err) < 0)
		return failed(&err);
	if (session.options.help)
		return 0;
	if (session.options.operand_count > 0)
		return act_on_names(&session, action);
	if (all)
		return act_on_all(&session, action);
	err_set(&err, ERR_USAGE, "which schedule? a NAME is missing");
	err_hint(&err, "see what there is with: oneoff cron list");
	return failed(&err);
}

static int run_check(const struct command *command, int argc, char **argv)
{
	return run_on(command, argc, argv, check, true);
}

static int run_sync(const struct command *command, int argc, char **argv)
{
	return run_on(command, argc, argv, sync_one, true);
}

static int run_suspend(const struct command *command, int argc, char **argv)
{
	return run_on(command, argc, argv, suspend_one, false);
}

static int run_resume(const struct command *command, int argc, char **argv)
{
	return run_on(command, argc, argv, resume_one, false);
}

static int run_delete(const struct command *command, int argc, char **argv)
{
	return run_on(command, argc, argv, delete_one, false);
}

const struct command cmd_cron_apply = {
	.name = "apply",
	.parent = "cron",
	.usage = "--like SOURCE --name NAME --schedule SCHEDULE [options] -- COMMAND [ARG...]",
	.summary = "make the CronJob in the cluster, or change it",
	.details = "The document is that of `cron generate`; it is sent by server-side apply, as\n"
		   "field manager 'oneoff'.",
	.options = cron_apply_option_table,
	.option_count = &cron_apply_option_count,
	.run = run_apply,
};

const struct command cmd_cron_check = {
	.name = "check",
	.parent = "cron",
	.operand = COMPLETE_SCHEDULE,
	.options_anywhere = true,
	.usage = "[options] [NAME...]",
	.summary = "tell whether schedules still are as their apps; code 1 if not",
	.details =
		"Image, variables, mounts, volumes, service account and the rest of the pod are\n"
		"compared with what `cron generate` would make now. Without a name: all.",
	.options = cron_option_table,
	.option_count = &cron_option_count,
	.run = run_check,
};

const struct command cmd_cron_sync = {
	.name = "sync",
	.parent = "cron",
	.operand = COMPLETE_SCHEDULE,
	.options_anywhere = true,
	.usage = "[options] [NAME...]",
	.summary = "bring schedules up to their apps' release of now",
	.details = "As made once, of the app as it is now. Without a name: all.",
	.options = cron_option_table,
	.option_count = &cron_option_count,
	.run = run_sync,
};

const struct command cmd_cron_suspend = {
	.name = "suspend",
	.parent = "cron",
	.operand = COMPLETE_SCHEDULE,
	.options_anywhere = true,
	.usage = "[options] NAME...",
	.summary = "no new runs until resume",
	.options = cron_option_table,
	.option_count = &cron_option_count,
	.run = run_suspend,
};

const struct command cmd_cron_resume = {
	.name = "resume",
	.parent = "cron",
	.operand = COMPLETE_SCHEDULE,
	.options_anywhere = true,
	.usage = "[options] NAME...",
	.summary = "run by the schedule again",
	.options = cron_option_table,
	.option_count = &cron_option_count,
	.run = run_resume,
};

const struct command cmd_cron_delete = {
	.name = "delete",
	.parent = "cron",
	.operand = COMPLETE_SCHEDULE,
	.options_anywhere = true,
	.usage = "[options] NAME...",
	.summary = "delete schedules, with their jobs",
	.options = cron_option_table,
	.option_count = &cron_option_count,
	.run = run_delete,
};
