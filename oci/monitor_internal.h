/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the monitor: the process after the fork (monitor_child.c), the task in it (monitor_task.c), what a
 * detached one writes (monitor_output.c), the other clients (monitor_peers.c) and the end of everything
 * (monitor_remove.c). */
#ifndef ONEOFF_OCI_MONITOR_INTERNAL_H
#define ONEOFF_OCI_MONITOR_INTERNAL_H

#include "oci/monitor.h"
#include "oci/output_log.h"
#include "oci/task_file.h"

#define MONITOR_MAX_PEERS 32

struct monitor_child {
	const struct monitor_settings *settings;
	int client;                   /* the socket; -1 once the client is gone */
	int signals;                  /* signalfd for SIGCHLD */
	int console;                  /* listening socket that the runtime connects to, or -1 */
	int listener;                 /* listening socket for other clients, or -1 */
	int lock_fd;                  /* of --lock, or -1; freed with the task's end */
	int folder_fd;                /* the bundle, or -1 */
	int peers[MONITOR_MAX_PEERS]; /* other clients; -1: free */
	int master; /* the terminal's other end, kept while the task may outlive the client; or -1 */
	int outputs[CHUNK_STREAM_COUNT]; /* our ends of a detached task's pipes, or -1 */
	struct output_log log;
	int null_fds[3];       /* the task's descriptors that are the null device, or -1 */
	pid_t runtime_pid;     /* `run` is at work; 0: not */
	pid_t task_pid;        /* the task's first process; 0: none */
	struct task_file file; /* as it stands in the folder; started 0: not yet */
	bool ended;        /* the task's status was read, or the start failed: remove and leave */
	bool failed;       /* …the start failed: the client has to ask for the removal */
	bool unwanted;     /* no record is to be left */
	int64_t kill_at;   /* TERM was sent for the deadline; monotonic ms, 0: not */
	int64_t doomed_at; /* monotonic ms */
	bool doomed;       /* nobody waits for the task: end it as soon as it has a process */
};

/* Never returns. */
void monitor_child_run(const struct monitor_settings *settings, int client) _noreturn_;

/* Asked to remove, or left alone: what never started or may not go on ends now. May not return. */
void monitor_end_task(struct monitor_child *child);

/* Starts the runtime with the task's descriptors (-1: /dev/null); tells the client when that fails. */
void monitor_task_start(struct monitor_child *child, const int fds[3]);
/* After SIGCHLD: has the runtime ended, has the task? Tells the clients. */
void monitor_task_reap(struct monitor_child *child);
/* Ends the task with a signal; one that is not there is no error. */
void monitor_task_signal(struct monitor_child *child, int number);

/* A detached task's descriptors: pipes to us, or none with a terminal. The task's ends are the caller's. */
int monitor_output_open(struct monitor_child *child, int ret_fds[3], struct err *err) _must_check_;
/* The descriptor with that stream's output, or -1. */
int monitor_output_fd(const struct monitor_child *child, enum chunk_stream stream);
/* Takes what is there now of that stream; true when there may be more. */
bool monitor_output_take(struct monitor_child *child, enum chunk_stream stream);

/* The socket for other clients. */
int monitor_peers_listen(struct monitor_child *child, struct err *err) _must_check_;
/* False when all places are taken: the next ones wait in the queue. */
bool monitor_peers_room(struct monitor_child *child);
/* Takes new ones and greets them. */
void monitor_peers_accept(struct monitor_child *child);
/* What that one says. */
void monitor_peers_take(struct monitor_child *child, size_t index);
/* A message to the client and all others. */
void monitor_peers_tell(struct monitor_child *child, const struct message *message);
/* What to say of the task's start and end. */
struct message monitor_started_message(const struct monitor_child *child);
struct message monitor_exited_message(const struct monitor_child *child);

/* Whether the record and the output stay. */
bool monitor_keeps(const struct monitor_child *child);
/* Deletes container, mounts, cgroup and folder, but for what is kept. ERR_NOT_REMOVED names what is left. */
int monitor_remove(struct monitor_child *child, struct err *err) _must_check_;

/* Tells the client an error, or, with `err` of kind ERR_NONE, just the type. */
void monitor_tell(struct monitor_child *child, enum message_type type, int number,
                  const struct err *err);

#endif
