/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the monitor: the process after the fork (monitor_child.c), the task in it (monitor_task.c) and
 * the end of everything (monitor_remove.c). */
#ifndef ONEOFF_OCI_MONITOR_INTERNAL_H
#define ONEOFF_OCI_MONITOR_INTERNAL_H

#include "oci/monitor.h"

struct monitor_child {
	const struct monitor_settings *settings;
	int client;  /* the socket; -1 once the client is gone */
	int signals; /* signalfd for SIGCHLD */
	int console; /* listening socket that the runtime connects to, or -1 */
	int master; /* the terminal's other end, kept while the task may outlive the client; or -1 */
	pid_t runtime_pid; /* `run` is at work; 0: not */
	pid_t task_pid;    /* the task's first process; 0: none */
	bool ended;        /* the task's status was read, or the start failed: remove and leave */
	bool failed;       /* …the start failed: the client has to ask for the removal */
	int64_t doomed_at; /* monotonic ms */
	bool doomed;       /* nobody waits for the task: end it as soon as it has a process */
};

/* Never returns. */
void monitor_child_run(const struct monitor_settings *settings, int client) _noreturn_;

/* Starts the runtime with the task's descriptors (-1: /dev/null); tells the client when that fails. */
void monitor_task_start(struct monitor_child *child, const int fds[3]);
/* After SIGCHLD: has the runtime ended, has the task? Tells the client. */
void monitor_task_reap(struct monitor_child *child);
/* Ends the task with a signal; one that is not there is no error. */
void monitor_task_signal(struct monitor_child *child, int number);

/* Deletes container, mounts, cgroup and folder. ERR_NOT_REMOVED names what is left. */
int monitor_remove(struct monitor_child *child, struct err *err) _must_check_;

/* Tells the client an error, or, with `err` of kind ERR_NONE, just the type. */
void monitor_tell(struct monitor_child *child, enum message_type type, int number,
                  const struct err *err);

#endif
