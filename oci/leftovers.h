/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leftovers: bundles whose monitor was killed as well as their client. A monitor holds its bundle's lock as
 * long as it lives, so a bundle that can be locked has none; its task, if one still runs, has nobody who
 * could read its status. It is left alone until its deadline (annotation dev.oneoff.deadline). The record of a
 * task that was to be kept stays for its time (task_record_is_leftover).
 */
#ifndef ONEOFF_OCI_LEFTOVERS_H
#define ONEOFF_OCI_LEFTOVERS_H

#include <stdbool.h>
#include "pkg/base/err.h"
#include "pkg/base/strv.h"

/* Where bundles are made: $ONEOFF_OCI_RUN, /run/oneoff, $XDG_RUNTIME_DIR/oneoff or /tmp/oneoff-UID. Owned by
 * the caller; NULL when memory ran out. */
char *run_folder_path(void);

/* A descriptor of the run folder's lock: shared while a bundle is made, exclusive while leftovers are deleted.
 * Waits for the others, who have it for a moment. -1 with *err. */
int run_folder_lock(const char *run_folder, bool exclusive, struct err *err) _must_check_;

/* Appends the names of bundles without a monitor, at most 100; not those that are kept and whose time has not
 * come. A folder that is not there has none. */
int leftovers_list(const char *run_folder, struct strv *ret, struct err *err) _must_check_;

/* Removes them, but for those whose task runs and may go on; with dry_run only counts. Blocks. */
int leftovers_remove(const char *run_folder, bool dry_run, size_t *ret_count,
                     struct err *err) _must_check_;

/* Removes the one-off of that name if it has that id and no monitor: 1, or 0 when it has to stay, is another's by
 * now or was gone already. A task that runs all the same is killed with `force`, else it stays. */
int leftovers_discard(const char *run_folder, const char *name, const char *id, bool force,
                      struct err *err);

#endif
