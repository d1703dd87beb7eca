/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CronJobs in a cluster, by its API: what `oneoff cron` does besides making documents (cronjob.h). Each takes the open
 * Kubernetes backend and works in the namespace that it was opened with.
 *
 *	_cleanup_(json_free) cJSON *job = NULL;
 *	if (cronjobs_get(backend, "nightly", &job, err) < 0)
 *		return -1;
 *
 * Refusals carry the server's own words; ERR_DENIED those about the Role.
 */
#ifndef ONEOFF_KUBE_CRONJOBS_H
#define ONEOFF_KUBE_CRONJOBS_H

#include "pkg/backend/backend.h"
#include "pkg/json/json.h"

/* Server-side apply, as field manager "oneoff". ERR_CONFLICT when another one owns a field and not `force`. *ret_created
 * says whether it is new. What others have added stays. */
int cronjobs_apply(struct backend *backend, const cJSON *document, bool force, bool *ret_created,
                   struct err *err) _must_check_;

/* Applies it by force to one that is there, and takes out of its job template what others have added. */
int cronjobs_sync(struct backend *backend, const cJSON *document, struct err *err) _must_check_;

/* One of ours. ERR_NOT_FOUND; ERR_REFUSED when oneoff did not make it, so that nobody else's is changed. */
int cronjobs_get(struct backend *backend, const char *name, cJSON **ret,
                 struct err *err) _must_check_;

/* All of ours, all Jobs of theirs that are still there, and the pods of those, as arrays. `ret_jobs` and `ret_pods` may be
 * NULL; without the right to list pods that becomes an empty array. */
int cronjobs_list(struct backend *backend, cJSON **ret_cronjobs, cJSON **ret_jobs, cJSON **ret_pods,
                  struct err *err) _must_check_;

/* Stops new runs, or lets them begin again. */
int cronjobs_suspend(struct backend *backend, const char *name, bool suspend,
                     struct err *err) _must_check_;

/* Deletes it with its Jobs and their pods, in the background. */
int cronjobs_delete(struct backend *backend, const char *name, struct err *err) _must_check_;

#endif
