/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `task.json` in a one-off's folder: that its task was started, and how it ended. Its monitor writes
 * it twice (oci/monitor.h), each time whole or not at all, because anybody may read it at any moment, and
 * because what stands in it has to be true when the monitor is killed:
 *
 *	{"started": 1763730000, "pid": 4711, "pid-start-time": 3456789}
 *	{"started": …, "ended": 1763730060, "code": 1, "known": true, "timed-out": true, …}
 *
 * What the task is (who, what, until when) stands in config.json's annotations instead.
 */
#ifndef ONEOFF_OCI_TASK_FILE_H
#define ONEOFF_OCI_TASK_FILE_H

#include <sys/types.h>
#include "pkg/backend/task_record.h"

struct task_file {
	int64_t started;           /* unix seconds */
	int64_t ended;             /* unix seconds; 0: it has not */
	pid_t pid;                 /* of its first process */
	uint64_t pid_start_time;   /* field 22 of /proc/PID/stat: a number may be another's later */
	struct exit_status status; /* once it has ended */
};

/* Replaces the file in that folder. 0, or -1; then the old one, if any, is still there. */
int task_file_write(int folder_fd, const struct task_file *file, struct err *err) _must_check_;

/* ERR_NOT_FOUND when the task was never started, ERR_PROTOCOL when the file is not ours. */
int task_file_read(int folder_fd, struct task_file *ret, struct err *err) _must_check_;

/* From the file's text. Pure. ERR_PROTOCOL unless it says when the task started. */
int task_file_parse(const char *text, size_t length, struct task_file *ret,
                    struct err *err) _must_check_;

#endif
