/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the Job of a one-off to a CronJob that runs it by a schedule, and what has changed since (design section 8;
 * research/kubernetes.md section 10; API reference v1.36, batch/v1 CronJob). Pure: JSON to JSON.
 *
 * There are two ways to stay like the app:
 *  - pinned: the pod template is the app's of now, the image by its digest. cronjob_compare tells whether the app has
 *    moved on.
 *  - following: the CronJob runs oneoff itself, with a service account of its own, so that each firing clones the
 *    release that is live then.
 *
 * The same input gives the same bytes: nothing of the clock, of who asks or of chance gets in.
 */
#ifndef ONEOFF_KUBE_CRONJOB_H
#define ONEOFF_KUBE_CRONJOB_H

#include "pkg/base/strv.h"
#include "pkg/json/json.h"

#define CRONJOB_MAX_NAME 52 /* the controller adds 11 characters, and 63 is the limit for a Job */

/* Annotations and labels of ours on a CronJob. */
#define CRONJOB_LABEL   "oneoff.dev/cron"    /* on it, its Jobs and pods: its name */
#define CRONJOB_MODE    "oneoff.dev/mode"    /* "pin" or "follow" */
#define CRONJOB_SOURCE  "oneoff.dev/source"  /* "deploy/web" */
#define CRONJOB_IMAGE   "oneoff.dev/image"   /* of the task's container */
#define CRONJOB_COMMAND "oneoff.dev/command" /* the task's argv as JSON */
#define CRONJOB_GENERATE                                                                           \
	"oneoff.dev/generate" /* the options that made it as JSON, without the namespace */
#define CRONJOB_TEMPLATE "oneoff.dev/template" /* SHA-256 of the pod template */
#define CRONJOB_REASON   "oneoff.dev/reason"

#define CRONJOB_UNSET INT64_C(-1)

enum cronjob_concurrency {
	CRONJOB_FORBID, /* a firing is left out while the last one runs */
	CRONJOB_ALLOW,
	CRONJOB_REPLACE, /* the last one is ended */
};

/* What a person decides; strings are borrowed. Times are in seconds. */
struct cronjob_settings {
	const char *name;      /* of the CronJob */
	const char *schedule;  /* as typed; checked by the caller (pkg/schedule) */
	const char *time_zone; /* NULL: the controller's own */
	enum cronjob_concurrency concurrency;
	int64_t timeout;           /* running time of one try; 0: none */
	int64_t start_timeout;     /* until it runs; 0: none */
	int64_t retries;           /* after the first try */
	int64_t starting_deadline; /* how late a missed firing may begin; CRONJOB_UNSET: any */
	int64_t history_succeeded, history_failed;
	int64_t keep; /* seconds until an ended Job is deleted; 0: history alone decides */
	bool suspend;
	const char *name_space, *source, *reason; /* reason: or NULL */
	const struct strv *argv;                  /* of the task */
	const struct strv *generate;              /* for CRONJOB_GENERATE */
};

/* Whether the cluster would take the name, the numbers and the concurrency. ERR_USAGE says what it would not, and why. */
int cronjob_check(const struct cronjob_settings *settings, struct err *err) _must_check_;

/* The pinned form. `job` is the plan of a one-off without gate, stdin and terminal; `container` is the name of the
 * task's container. *ret is owned by the caller. */
int cronjob_pin(const struct cronjob_settings *settings, const cJSON *job, const char *container,
                cJSON **ret, struct err *err) _must_check_;

/* The following form: `image` runs `oneoff WORDS…` (its ENTRYPOINT is oneoff) as `service_account`. */
int cronjob_follow(const struct cronjob_settings *settings, const char *image,
                   const char *service_account, const struct strv *words, cJSON **ret,
                   struct err *err) _must_check_;

/* The document as YAML behind lines of comment: `head` is a list of lines without their "# ". Bytes that a terminal
 * would act on are escaped. */
int cronjob_print(const cJSON *document, const struct strv *head, struct strbuf *ret,
                  struct err *err) _must_check_;

/* What of `live` (as the API server gives it) is not as in `fresh` (as cronjob_pin makes it now): one line each, such as
 * "image of container 'web': OLD, now NEW"; values of variables are not shown. Fields that the server fills in do not
 * count. No line: no drift. 0, or -1 without memory. */
int cronjob_compare(const cJSON *live, const cJSON *fresh, struct strv *ret) _must_check_;

#endif
