/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a one-off: what the monitor does when all goes well, and what the next run does for one whose
 * monitor was killed too.
 */
#ifndef ONEOFF_OCI_REMOVE_H
#define ONEOFF_OCI_REMOVE_H

#include "oci/runtime.h"

/* `RUNTIME delete --force NAME`, if the runtime still knows it; waits for its end. For crun and runc a task
 * that ended and left nothing in its cgroup is deleted without them (a third of a short run's time): their
 * state is a folder below our own state root. ERR_NOT_REMOVED with the runtime's words. */
int container_delete(const struct runtime *runtime, const char *name, const char *folder,
                     const char *cgroup, bool ended, struct err *err) _must_check_;

/* Deletes a bundle's folder, absolute, with all in it; nothing may be mounted there any more. */
int bundle_folder_remove(const char *folder, struct err *err) _must_check_;

/* Deletes what only a living task needs; the record of its end, its configuration and its output stay. */
int bundle_folder_strip(int folder_fd, struct err *err) _must_check_;

#endif
