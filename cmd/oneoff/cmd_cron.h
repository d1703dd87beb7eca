/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `oneoff cron VERB`: its options, and what its files share.
 *
 *	cmd_cron.c           which verb
 *	cmd_cron_options.c   the options of generate and apply, checked, and back into words
 *	cmd_cron_make.c      from the options to a CronJob document
 *	cmd_cron_generate.c  prints it; the next times
 *	cmd_cron_host.c      systemd units and crontab lines instead, for sources that are in no cluster
 *	cmd_cron_cluster.c   apply, list, check, sync, suspend, resume, delete
 *	cmd_cron_run.c       run: now, attached
 */
#ifndef ONEOFF_CMD_CMD_CRON_H
#define ONEOFF_CMD_CMD_CRON_H

#include "cmd/oneoff/command.h"
#include "cmd/oneoff/run_options.h"
#include "pkg/kube/cronjob.h"
#include "pkg/schedule/schedule.h"

enum cron_output {
	CRON_OUTPUT_AUTO, /* yaml for a cluster, systemd for a host */
	CRON_OUTPUT_YAML,
	CRON_OUTPUT_JSON,
	CRON_OUTPUT_SYSTEMD,
	CRON_OUTPUT_CRONTAB,
};

struct cron_options {
	struct run_options run; /* first: the rows of its table are used with this struct, too */
	char *schedule, *time_zone, *retries, *history, *oneoff_image, *service_account;
	char *program, *output_folder;
	int64_t starting_deadline; /* milliseconds; CRONJOB_UNSET: not said */
	int concurrency;           /* enum cronjob_concurrency */
	int output;                /* enum cron_output */
	bool suspend, pin, follow, force;

	/* What cron_options_check makes of them. */
	struct schedule parsed;
	struct zone *zone; /* owned; NULL: UTC, or none said */
	int64_t retry_count, history_succeeded, history_failed;
};

/* clang-format off */
#define CRON_ROW(letter, name, kind, field, argument, choices, variable, help) \
	{letter, name, kind, offsetof(struct cron_options, field), argument, choices, variable, help}

/* What a schedule is made of; rows for the tables in option_table.c. */
#define CRON_OPTIONS \
	CRON_ROW(0, "name", OPTION_STRING, run.name, "NAME", NULL, NULL, \
	    "the schedule's name, at most 52 characters"), \
	CRON_ROW(0, "schedule", OPTION_STRING, schedule, "SCHEDULE", NULL, NULL, \
	    "when: MINUTE HOUR DAY MONTH WEEKDAY as in '30 3 * * mon-fri', or @daily, @hourly, " \
	    "@every 1h30m"), \
	CRON_ROW(0, "time-zone", OPTION_STRING, time_zone, "ZONE", NULL, NULL, \
	    "where the clock stands: Europe/Berlin (default: the cluster's, or the machine's)"), \
	CRON_ROW(0, "retries", OPTION_STRING, retries, "N", NULL, NULL, \
	    "kubernetes: try a failed task so often again (default 0)"), \
	CRON_ROW(0, "concurrency", OPTION_CHOICE, concurrency, "WHAT", \
	    ((const char *const[]){"forbid", "allow", "replace", NULL}), NULL, \
	    "while the last one runs: forbid the next (default), allow it, or replace the last"), \
	CRON_ROW(0, "starting-deadline", OPTION_DURATION, starting_deadline, "TIME", NULL, NULL, \
	    "how late a missed run may begin (default: at any time)"), \
	CRON_ROW(0, "history", OPTION_STRING, history, "OK,FAILED", NULL, NULL, \
	    "kubernetes: how many ended jobs are kept (default 3,1)"), \
	CRON_ROW(0, "suspend", OPTION_TRUE, suspend, NULL, NULL, NULL, \
	    "kubernetes: do not run until `cron resume`"), \
	CRON_ROW(0, "pin", OPTION_TRUE, pin, NULL, NULL, NULL, \
	    "kubernetes: run the release of now (default); `cron check` tells when the app has " \
	    "moved on"), \
	CRON_ROW(0, "follow", OPTION_TRUE, follow, NULL, NULL, NULL, \
	    "kubernetes: each run clones the release that is live then; oneoff runs in the " \
	    "cluster for it"), \
	CRON_ROW(0, "oneoff-image", OPTION_STRING, oneoff_image, "IMAGE", NULL, \
	    "ONEOFF_ONEOFF_IMAGE", "with --follow: an image whose entrypoint is oneoff"), \
	CRON_ROW(0, "service-account", OPTION_STRING, service_account, "NAME", NULL, NULL, \
	    "with --follow: whose rights it has (default oneoff-cron)")

/* For generate alone. */
#define CRON_OUTPUT_OPTIONS \
	CRON_ROW('o', "output", OPTION_CHOICE, output, "FORMAT", \
	    ((const char *const[]){"auto", "yaml", "json", "systemd", "crontab", NULL}), NULL, \
	    "yaml or json for a cluster, systemd or crontab for a container host (default: yaml " \
	    "or systemd)"), \
	CRON_ROW(0, "output-folder", OPTION_STRING, output_folder, "DIR", NULL, NULL, \
	    "systemd: write oneoff-NAME.service and oneoff-NAME.timer there"), \
	CRON_ROW(0, "program", OPTION_STRING, program, "PATH", NULL, NULL, \
	    "systemd and crontab: where oneoff is (default: this one)")

/* For apply alone. */
#define CRON_APPLY_OPTIONS \
	CRON_ROW(0, "force", OPTION_TRUE, force, NULL, NULL, NULL, \
	    "take over fields that another program has set")
/* clang-format on */

extern const struct option cron_generate_option_table[];
extern const size_t cron_generate_option_count;
extern const struct option cron_apply_option_table[];
extern const size_t cron_apply_option_count;

/* The verbs. */
extern const struct command cmd_cron_generate, cmd_cron_apply, cmd_cron_list, cmd_cron_check,
	cmd_cron_sync, cmd_cron_run, cmd_cron_suspend, cmd_cron_resume, cmd_cron_delete;

/* ---- cmd_cron_options.c ---- */
void cron_options_release(struct cron_options *options);
/* Config files, environment, argv. */
int cron_options_parse(const struct command *command, int argc, char **argv,
                       struct cron_options *ret, struct err *err) _must_check_;
/* From words that CRONJOB_GENERATE holds: nothing of the environment. `words` must outlive the options. */
int cron_options_read(const struct strv *words, struct cron_options *ret,
                      struct err *err) _must_check_;
/* Schedule, zone and numbers; what excludes each other. */
int cron_options_check(struct cron_options *options, struct err *err) _must_check_;
/* The words that make the same schedule again, without where and how loud. */
int cron_options_words(const struct cron_options *options, const struct request *request,
                       struct strv *ret, struct err *err) _must_check_;
/* The words of the `oneoff run` that a firing executes; `where`: with the options that say how to reach the source. */
int cron_run_words(const struct cron_options *options, const struct request *request, bool where,
                   struct strv *ret, struct err *err) _must_check_;
/* The options that make a `run` of what is scheduled, started by hand. */
int cron_task_words(const struct cron_options *options, struct strv *ret,
                    struct err *err) _must_check_;
/* Says the next five times. */
void cron_say_next(struct cron_options *options, const struct reporter *reporter, bool cluster);

/* ---- cmd_cron_make.c ---- */
struct cron_made {
	struct chosen chosen;
	struct request request;
	cJSON *document;  /* owned; NULL: the source is in no cluster */
	struct strv head; /* lines of comment */
};
void cron_made_init(struct cron_made *made);
void cron_made_release(struct cron_made *made);
/* Looks the source up and makes the CronJob. `reporter` is how it says what one may not expect. */
int cron_make(struct cron_options *options, struct cron_made *ret, struct reporter *ret_reporter,
              struct err *err) _must_check_;

/* ---- cmd_cron_host.c ---- */
int cron_print_host(const struct cron_options *options, const struct cron_made *made,
                    const struct reporter *reporter, struct err *err) _must_check_;

#endif
