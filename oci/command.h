/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for the task's program before anything is started: runtimes say "not found" only on the task's own
 * stderr and with code 1. What cannot be told for sure is left to the runtime.
 */
#ifndef ONEOFF_OCI_COMMAND_H
#define ONEOFF_OCI_COMMAND_H

#include "pkg/json/json.h"

/* `config` is the task's config.json, root_fd the root that it will see. ERR_COMMAND_NOT_FOUND or
 * ERR_CANNOT_EXECUTE when it surely cannot run: not in PATH, no such file, a folder, no x for anybody. */
int command_check(int root_fd, const cJSON *config, struct err *err) _must_check_;

#endif
