/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend for machines without an engine: the app is a container that crun or runc runs, or an image on
 * disk; the task runs in a throwaway bundle of its own (research/docker-oci.md sections 5 and 6).
 *
 * Run folder: $ONEOFF_OCI_RUN, else /run/oneoff as root, $XDG_RUNTIME_DIR/oneoff or /tmp/oneoff-UID for
 * others. In it `state` is the runtime's --root, so that it lists one-offs and nothing else; `locks` has the files
 * of --lock (lock.h); every other folder is the bundle of one task, gone when the task is.
 *
 * Of a task that was started with -d the folder stays when it ends, for as long as --keep-for says, with nothing but
 * config.json (who, what), task.json (when, how: task_file.h) and output.N (output_log.h) in it.
 */
#ifndef ONEOFF_OCI_OCI_H
#define ONEOFF_OCI_OCI_H

#include "pkg/backend/backend.h"

extern const struct backend_ops oci_backend;

#endif
