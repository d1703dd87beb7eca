/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client and its container monitor (oci/monitor.h) say to each other over a socket pair of
 * type SOCK_SEQPACKET: whole messages, descriptors beside them (unix(7), SCM_RIGHTS), and an end that
 * shows when the other side dies. Other clients say the same to a monitor over the socket `control` in the
 * task's folder: it tells them all of the start and the end, and takes all from them but MESSAGE_START.
 */
#ifndef ONEOFF_OCI_MESSAGE_H
#define ONEOFF_OCI_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include "pkg/base/err.h"

#define MESSAGE_MAX_FDS 3

enum message_type {
	/* From the monitor. */
	MESSAGE_READY = 1, /* the root file system stands */
	MESSAGE_FAILED,    /* kind, text: this step failed; nothing of the task runs */
	MESSAGE_STARTED,   /* number: the task's process id; with a terminal one descriptor */
	MESSAGE_EXITED,    /* number: exit code; out_of_memory, timed_out, output_incomplete */
	MESSAGE_REMOVED,   /* kind ERR_NONE, or text: what is left */
	/* From the client. */
	MESSAGE_START,   /* three descriptors for the task's 0, 1 and 2, or none with a terminal */
	MESSAGE_SIGNAL,  /* number */
	MESSAGE_REMOVE,  /* end it at once and remove everything, the record of its end too */
	MESSAGE_DISCARD, /* the same, unless it was started */
};

struct message {
	enum message_type type;
	int number;
	bool out_of_memory, timed_out, output_incomplete;
	enum err_kind kind;
	char text[sizeof(((struct err *)NULL)->message)];
	char hint[sizeof(((struct err *)NULL)->hint)];
};

/* Sends one message with fd_count descriptors. 0, or -1 when the other side is gone. */
int message_send(int fd, const struct message *message, const int *fds, size_t fd_count,
                 struct err *err) _must_check_;

/* Takes the next message: 1, 0 when there is none now (only with `wait` false), -1 with ERR_LOST when
 * the other side is gone. Descriptors go to ret_fds (close-on-exec; owned by the caller; the rest -1). */
int message_receive(int fd, bool wait, struct message *ret, int ret_fds[MESSAGE_MAX_FDS],
                    struct err *err) _must_check_;

#endif
