/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --lock NAME: a file RUN/locks/NAME under flock(2). Its descriptor goes from the client to the monitor and to
 * nobody else, so the kernel frees it when the task's monitor is gone, which is after the task's end. The file
 * tells who holds it. A monitor that is killed while its task runs on frees it too early: therefore whoever
 * gets it asks first whether the holder that stands in the file still runs.
 *
 * Files stay: to delete one that another is about to lock would make
 * two holders.
 */
#ifndef ONEOFF_OCI_LOCK_H
#define ONEOFF_OCI_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/err.h"

/* What stands in the file. Borrowed strings; NULL when not known. */
struct lock_holder {
	const char *task;    /* its container's name */
	const char *id;      /* of the one-off */
	const char *user;    /* "ana@laptop" */
	const char *command; /* a JSON list */
	const char *cgroup;  /* path, or NULL: none */
	int64_t since;       /* unix seconds */
};

/* Takes the lock without waiting and writes the holder down. The descriptor (close-on-exec), or -1: ERR_LOCKED
 * with the holder in the message. The run folder exists and is ours. */
int lock_take(const char *run_folder, const char *name, const struct lock_holder *holder,
              struct err *err);

#endif
