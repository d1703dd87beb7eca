/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The named tasks that ship with an app (forms: pkg/spec/tasks.h), collected from where its authors can put them.
 * A name that stands in several places means what the first of these says:
 *
 *	1. .oneoff.yaml in the app's working folder     the app's own word, in its repository
 *	2. labels dev.oneoff.task.NAME of the container, then of its image; in a cluster the annotations
 *	   oneoff.dev/task.NAME of the pod template, then of the workload
 *	3. the lines of its Procfile
 *
 * Only sources that the platform can read count: in a cluster annotations alone. Single thread.
 *
 *	_cleanup_(named_tasks_release) struct named_tasks tasks = NAMED_TASKS_INIT;
 *
 *	if (app_tasks_collect(backend, release, &reporter, &tasks, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_RUN_TASKS_H
#define ONEOFF_RUN_TASKS_H

#include "pkg/backend/backend.h"
#include "pkg/spec/tasks.h"

/* Adds them all to *tasks, in the order above. What is wrong in any of them is an error that names file or label and
 * key (ERR_USAGE, ERR_PROTOCOL), also of a task that an earlier source has already; so is a file of more than
 * NAMED_TASKS_MAX_BYTES. A file that is not there is none. What the platform cannot read is reported as a detail.
 * *tasks may be filled in part when it fails. */
int app_tasks_collect(struct backend *backend, const struct release *release,
                      const struct reporter *reporter, struct named_tasks *tasks,
                      struct err *err) _must_check_;

/* Their names alone, appended to *ret: for completion. */
int app_tasks_names(struct backend *backend, const struct release *release, struct strv *ret,
                    struct err *err) _must_check_;

#endif
