/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The namespaces that a one-off's root file system and runtime live in: a mount namespace of our own
 * always, so that every mount vanishes with its last process; a user namespace where we are not root
 * (user_namespaces(7), newuidmap(1)).
 */
#ifndef ONEOFF_OCI_NAMESPACE_H
#define ONEOFF_OCI_NAMESPACE_H

#include <stdbool.h>
#include <sys/types.h>
#include "pkg/base/err.h"

/* Moves this process (single-threaded) into the user namespace of `source_pid`, or, with source_pid 0,
 * into a new one with this user's subordinate ids, or with its own id alone where it has none. ERR_DENIED
 * with what to do where the machine forbids it. */
int namespace_enter_user(pid_t source_pid, struct err *err) _must_check_;

/* Whether the process has another user namespace than we have. False when it cannot be told. */
bool namespace_is_other_user(pid_t pid);

/* A mount namespace of our own: what is mounted on the machine later is seen here, nothing of ours is seen
 * there. */
int namespace_enter_mount(struct err *err) _must_check_;

#endif
