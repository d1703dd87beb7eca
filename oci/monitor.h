/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container monitor: one small process beside the client, made by fork, in a session and a mount
 * namespace of its own. It makes the throwaway root, starts the runtime, is the parent of the task's first
 * process (PR_SET_CHILD_SUBREAPER), so that the exit status comes from the kernel, and deletes container,
 * mounts, cgroup and folder in the end. It holds the other end of a socket pair: when the client dies at
 * any step it knows at once, and ends the task or sees it through, as asked.
 *
 *	monitor_start(&settings, &monitor, err)     the root stands
 *	message_send(monitor.fd, MESSAGE_START …)   → MESSAGE_STARTED … MESSAGE_EXITED … MESSAGE_REMOVED
 *	monitor_release(&monitor)
 *
 * A detached task has no client: the monitor is the reader of its output (oci/output_log.h), ends it at its
 * deadline, and leaves the record of its end (oci/task_file.h) in the folder. Other clients reach any monitor
 * by the socket FOLDER/control; the first one on a connection is MESSAGE_STARTED once the task runs, with the
 * terminal's other end if it is detached and has one.
 */
#ifndef ONEOFF_OCI_MONITOR_H
#define ONEOFF_OCI_MONITOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "oci/message.h"
#include "oci/rootfs.h"
#include "oci/runtime.h"
#include "pkg/spec/request.h"

struct monitor_settings {
	/* Makes `folder` with config.json, rootfs/ and upper/ in it; called in the monitor, so that what is
	 * made is removed however soon the client dies. On failure nothing of it is left. */
	int (*make_bundle)(void *context, struct err *err);
	void *context;
	const struct runtime *runtime; /* all borrowed: the fork has copies */
	const struct rootfs *rootfs;
	const char *name;   /* the container's id for the runtime */
	const char *folder; /* the bundle, absolute */
	const char *cgroup; /* its cgroup path, or NULL */
	bool tty;
	bool user_namespace; /* enter one: the source's, or a new one with source_pid 0 */
	pid_t source_pid;    /* of the app, when its user namespace is to be joined */
	bool stop;           /* when the client dies: end the task at once */
	int64_t deadline;    /* when no client sees to it: end it then; unix seconds, 0: never */
	int64_t grace_ms;    /* between TERM and KILL then */
	bool detached;       /* no client waits: the deadline and the output are ours */
	enum keep_mode keep; /* with detached: whether record and output outlive the task */
	int snapshot_fd;     /* locks that have to last as long as the task, or -1 */
	int lock_fd;
};

struct monitor {
	int fd; /* owned; the socket, or -1 */
	pid_t pid;
};

#define MONITOR_INIT                                                                               \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Forks it and waits until the root stands. On failure nothing is left. */
int monitor_start(const struct monitor_settings *settings, struct monitor *ret,
                  struct err *err) _must_check_;

/* Waits for its end, which follows at once when it has told the last thing it does. */
void monitor_wait(struct monitor *monitor);

/* Closes our end and reaps it if it has ended; one that still works goes on alone. */
void monitor_release(struct monitor *monitor);

#endif
