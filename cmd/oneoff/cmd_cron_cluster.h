/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs on CronJobs that are there share: the way to the cluster, and making one again from its own record.
 *
 *	_cleanup_(cron_session_release) struct cron_session session = {.backend = NULL};
 *	if (cron_session_open(command, argc, argv, &session, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_CMD_CMD_CRON_CLUSTER_H
#define ONEOFF_CMD_CMD_CRON_CLUSTER_H

#include "cmd/oneoff/cmd_cron.h"
#include "pkg/kube/cronjobs.h"

enum cron_list_format {
	CRON_LIST_TABLE,
	CRON_LIST_JSON,
};

struct cron_session {
	struct run_options options; /* where and how loud; format: enum cron_list_format */
	struct reporter reporter;
	struct loop loop;        /* must not move while the backend is open */
	struct backend *backend; /* owned; the cluster */
};

extern const struct option cron_option_table[];
extern const size_t cron_option_count;

/* Reads the options and connects; with --help it does not. */
int cron_session_open(const struct command *command, int argc, char **argv,
                      struct cron_session *ret, struct err *err) _must_check_;
void cron_session_release(struct cron_session *session);

/* Makes a pinned CronJob as its record says, of the app as it is now, and compares. *ret_lines is empty when nothing
 * has changed; *ret_fresh is owned by the caller. One that follows has no drift, and no *ret_fresh (NULL). */
int cron_again(struct cron_session *session, const cJSON *live, cJSON **ret_fresh,
               struct strv *ret_lines, struct err *err) _must_check_;

/* The options that are recorded in it, reached as the session is. `words` is filled and must outlive them. */
int cron_recorded(const struct cron_session *session, const cJSON *live, struct strv *words,
                  struct cron_options *ret, struct err *err) _must_check_;

/* An annotation of a document, or NULL. Borrowed. */
const char *cron_annotation(const cJSON *document, const char *key);

#endif
