/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A one-off as its folder RUN/NAME tells of it, whoever started it: config.json's annotations say what it is,
 * task.json whether it was started and how it ended, the lock whether its monitor lives. Numbers of processes
 * prove nothing: they are used again. Folders that are half made or another's are passed over.
 *
 *	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
 *	if (one_off_read(run_folder, "web-oneoff-k3v8m2qa", &one_off, err) == 1)
 *		…
 */
#ifndef ONEOFF_OCI_ONE_OFF_H
#define ONEOFF_OCI_ONE_OFF_H

#include "oci/runtime.h"
#include "oci/task_file.h"

struct one_off {
	struct task_record record;
	struct task_file file;  /* started 0: it was not */
	char *cgroup;           /* owned, or NULL */
	struct runtime runtime; /* what started it; its state root is ours */
	bool guarded;           /* its monitor lives */
	bool running;           /* …or does not, but the task runs */
};

#define ONE_OFF_INIT                                                                               \
	{                                                                                          \
		.record = TASK_RECORD_INIT                                                         \
	}

/* For _cleanup_. */
void one_off_release(struct one_off *one_off);

/* 1; 0 when there is none of that name that is ours and whole; -1. */
int one_off_read(const char *run_folder, const char *name, struct one_off *ret, struct err *err);

/* Its folder, opened: a descriptor, and its path in *ret_path (owned by the caller) unless that is NULL; or -1 with
 * errno. A link is none. */
int one_off_open(const char *run_folder, const char *name, char **ret_path);

/* 1 when a monitor holds that folder's lock, 0 when none does; -1 when there is no lock file or it cannot be
 * told. */
int one_off_is_guarded(int folder_fd);

/* The folder's lock for ourselves, so that nobody else deletes it: a descriptor, or -1 when somebody has it. With
 * no lock file in it, *ret_missing. */
int one_off_take(int folder_fd, bool *ret_missing);

#endif
