/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels that are made of two others: pkg/docker/output.c says when. Private to pkg/docker.
 */
#ifndef ONEOFF_DOCKER_LOG_CHANNEL_H
#define ONEOFF_DOCKER_LOG_CHANNEL_H

#include "pkg/docker/docker.h"

/* The whole log (or its tail) as a channel; with request->follow it ends when the task does. Always
 * ERR_OUTPUT_INCOMPLETE when the engine refuses. */
int docker_log_open(struct docker *docker, const struct output_request *request, bool tty,
                    struct channel **ret, struct err *err) _must_check_;

/* First all of `log` (NULL: nothing), then `live`, which was attached before the log was asked for:
 * what stands in both, as far as it has arrived when the log ends, is shown once. Input goes to
 * `live`. Takes both channels, on failure too. */
int docker_join_open(struct channel *log, struct channel *live, struct channel **ret,
                     struct err *err) _must_check_;

/* Podman's follower (k8s-file, seen with 4.3.1) drops lines once the task has ended. So as soon as the end
 * is known the followed log is left, and the rest is read from the log as it stands, behind the bytes
 * that were handed over. The end is IO_ERROR when that log is gone already, or begins otherwise. Takes `log`, on
 * failure too; `request` is copied. */
int docker_follow_open(struct docker *docker, const struct output_request *request, bool tty,
                       struct channel *log, struct channel **ret, struct err *err) _must_check_;

#endif
