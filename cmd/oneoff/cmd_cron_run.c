/* SPDX-License-Identifier: Apache-2.0 */
/* `cron run NAME [options] [-- COMMAND]`: what the schedule runs, now, attached; or something else in the same clone. */
#include <string.h>
#include "cmd/oneoff/cmd_cron_cluster.h"
#include "cmd/oneoff/exit_code.h"
#include "cmd/oneoff/perform.h"

/* The template as it is, with its own time limit. */
static int add_pinned(const cJSON *live, struct strv *words, struct err *err)
{
	int64_t seconds = 0;

	(void)!json_int64(live, "spec.jobTemplate.spec.template.spec.activeDeadlineSeconds",
	                  &seconds);
	if (strv_addf(words, "--like=cronjob/%s", json_string(live, "metadata.name")) < 0 ||
	    strv_addf(words, "--timeout=%llds", (long long)seconds) < 0)
		return err_no_memory(err);
	return 0;
}

/* The command line of `run` that it amounts to. */
static int add_source(const struct cron_session *session, const cJSON *live, struct strv *words,
                      struct err *err)
{
	const char *mode = cron_annotation(live, CRONJOB_MODE);
	_cleanup_(strv_release) struct strv recorded = STRV_INIT;
	_cleanup_(cron_options_release) struct cron_options options = {.schedule = NULL};

	/* What follows runs oneoff itself: its task is the app's clone. */
	if (!mode || strcmp(mode, "follow") != 0)
		return add_pinned(live, words, err);
	if (cron_recorded(session, live, &recorded, &options, err) < 0)
		return -1;
	return cron_task_words(&options, words, err);
}

/* `run` reads variables and files itself: what adds up must not come from there and from the words, too. */
static bool is_for_run(const struct option *option)
{
	return strcmp(option->long_name, "output") != 0 && option->kind != OPTION_COUNT &&
	       option->kind != OPTION_LIST;
}

static void take_what_adds_up(struct run_options *here, struct run_options *options)
{
	options->verbosity = here->verbosity;
	strv_release(&options->as_groups);
	options->as_groups = here->as_groups;
	here->as_groups = (struct strv)STRV_INIT;
}

static int add_here(const struct run_options *here, struct strv *words, struct err *err)
{
	struct run_options defaults = {.like = NULL};

	if (options_print(cron_option_table, cron_option_count, here, &defaults, is_for_run,
	                  words) < 0)
		return err_no_memory(err);
	return 0;
}

/* The command behind the name, else the recorded one of a schedule that follows. */
static int add_command(const struct run_options *here, const cJSON *live, struct strv *words,
                       struct err *err)
{
	const char *mode = cron_annotation(live, CRONJOB_MODE);
	const char *text = cron_annotation(live, CRONJOB_COMMAND);
	int first = here->operand_count > 1 && !strcmp(here->operands[1], "--") ? 2 : 1;
	_cleanup_(json_free) cJSON *list = NULL;
	struct err ignored = ERR_INIT;
	const cJSON *item;

	if (strv_add(words, "--") < 0)
		return err_no_memory(err);
	for (int i = first; i < here->operand_count; i++)
		if (strv_add(words, here->operands[i]) < 0)
			return err_no_memory(err);
	if (here->operand_count > first || !mode || strcmp(mode, "follow") || !text ||
	    json_parse(text, strlen(text), JSON_MAX_BYTES, &list, &ignored) < 0)
		return 0;
	cJSON_ArrayForEach (item, list)
		if (!cJSON_IsString(item) || strv_add(words, item->valuestring) < 0)
			return err_no_memory(err);
	return 0;
}

/* `--concurrency forbid` holds for runs by hand, too. What follows its app has a lock for that; and another command is
 * not what the schedule runs. */
static int check_alone(const cJSON *live, const struct run_options *here, struct err *err)
{
	const char *mode = cron_annotation(live, CRONJOB_MODE);
	const char *policy = json_string(live, "spec.concurrencyPolicy");
	const char *name = json_string(live, "metadata.name");
	const cJSON *active = cJSON_GetArrayItem(json_at(live, "status.active"), 0);

	if (!active || !policy || strcmp(policy, "Forbid") != 0 || here->operand_count > 1 ||
	    (mode && !strcmp(mode, "follow")))
		return 0;
	err_set(err, ERR_LOCKED, "'%s' runs already, as job/%s", name, json_string(active, "name"));
	return err_hint(err, "beside it: oneoff run --like cronjob/%s", name);
}

static int make_words(struct cron_session *session, struct strv *words, struct err *err)
{
	_cleanup_(json_free) cJSON *live = NULL;
	const struct run_options *here = &session->options;

	if (here->operand_count == 0) {
		err_set(err, ERR_USAGE, "which schedule? a NAME is missing");
		return err_hint(err, "see what there is with: oneoff cron list");
	}
	if (cronjobs_get(session->backend, here->operands[0], &live, err) < 0 ||
	    check_alone(live, here, err) < 0)
		return -1;
	if (strv_add(words, "run") < 0)
		return err_no_memory(err);
	if (add_source(session, live, words, err) < 0 || add_here(here, words, err) < 0)
		return -1;
	return add_command(here, live, words, err);
}

static int run_words(const struct strv *words, struct run_options *here)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	_cleanup_(request_release) struct request request;
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};
	struct backend_settings settings;
	struct err err = ERR_INIT;

	request_init(&request);
	if (run_options_parse(run_option_table, run_option_count, (int)words->count, words->items,
	                      &options, &err) < 0)
		return perform_failed(&options, &err);
	take_what_adds_up(here, &options);
	if (run_options_request(&options, false, &request, &err) < 0 ||
	    run_options_choose(&options, &settings, &chosen, &err) < 0)
		return perform_failed(&options, &err);
	return perform(&options, &settings, &chosen, &request);
}

static int run(const struct command *command, int argc, char **argv)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	_cleanup_(run_options_release) struct run_options here = {.like = NULL};
	struct err err = ERR_INIT;
	int result;

	/* the connection is closed before the task has its own */
	{
		_cleanup_(cron_session_release) struct cron_session session = {.backend = NULL};

		result = cron_session_open(command, argc, argv, &session, &err);
		if (result == 0 && !session.options.help)
			result = make_words(&session, &words, &err);
		here = session.options;
		session.options = (struct run_options){.like = NULL};
	}
	if (result < 0) {
		message_error(&err);
		return exit_code_of(&err);
	}
	return here.help ? 0 : run_words(&words, &here);
}

const struct command cmd_cron_run = {
	.name = "run",
	.parent = "cron",
	.operand = COMPLETE_SCHEDULE,
	.usage = "[options] NAME [-- COMMAND [ARG...]]",
	.summary = "run it now, attached; or another command in the same clone",
	.details =
		"A one-off like any other, from the schedule's own pod template: the same image,\n"
		"variables and volumes as at the next firing. The exit code is the task's. While a\n"
		"run of the schedule is under way it is refused, unless --concurrency lets them\n"
		"overlap; two runs by hand are not kept apart.",
	.options = cron_option_table,
	.option_count = &cron_option_count,
	.run = run,
	.options_anywhere = true,
};
