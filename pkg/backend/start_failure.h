/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a runtime did not start a container: the task's own command, or everything else? Engines, clusters and runtimes
 * have no code for it, only words; those of runc, crun and youki, whoever passes them on, are known here.
 *
 *	err->kind = start_failure_kind(err->message);	// 127 or 126; if ERR_NONE, 125: nothing of ours to say
 *
 * A file that is missing or forbidden is the command's fault only where the words speak of executing: devices, mounts
 * and limits fail with the same "no such file or directory" and "permission denied".
 */
#ifndef ONEOFF_BACKEND_START_FAILURE_H
#define ONEOFF_BACKEND_START_FAILURE_H

#include "pkg/base/err.h"

/* ERR_COMMAND_NOT_FOUND, ERR_CANNOT_EXECUTE, or ERR_NONE when it was something else. */
enum err_kind start_failure_kind(const char *words);

#endif
