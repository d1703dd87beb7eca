/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drives any program with the OCI runtime command line (crun, runc, youki, runsc): which one, how it is
 * called, and what its failures mean (research/docker-oci.md 5.1). One process a call; nothing is kept.
 *
 *	_cleanup_(strv_release) struct strv argv = STRV_INIT;
 *	if (runtime_argv(&runtime, log, &argv, err) < 0 || strv_add(&argv, "delete") < 0 || …)
 *		return -1;
 *	pid = runtime_spawn(&argv, folder, (const int[]){-1, -1, -1}, err);
 */
#ifndef ONEOFF_OCI_RUNTIME_H
#define ONEOFF_OCI_RUNTIME_H

#include <stdbool.h>
#include <sys/types.h>
#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"
#include "pkg/base/strv.h"

struct runtime {
	char *path;          /* owned; the program, absolute */
	char *state_root;    /* owned; --root: our own, so that it lists only one-offs */
	bool systemd_cgroup; /* the cgroup path has systemd's form slice:prefix:name */
	bool no_cgroup;      /* no cgroup is to be made */
};

/* For _cleanup_. */
void runtime_release(struct runtime *runtime);

/* The program: `option` (--oci-runtime: a path, or a name looked up in PATH), else `preferred` (the one
 * that runs the source) when it is installed, else the first of crun, runc, youki. *ret_path is owned by
 * the caller. ERR_UNREACHABLE with the package to install when there is none. */
int runtime_find(const char *option, const char *preferred, char **ret_path,
                 struct err *err) _must_check_;

/* The program and the options that every call has; its own messages go to the file `log` as JSON. */
int runtime_argv(const struct runtime *runtime, const char *log, struct strv *argv,
                 struct err *err) _must_check_;

/* Starts it in `folder` with the descriptors as 0, 1 and 2 (-1: /dev/null) and all signals as usual.
 * The process id, or -1. The caller waits for it. */
pid_t runtime_spawn(const struct strv *argv, const char *folder, const int fds[3], struct err *err);

/* What a failed call said in its log, as an error: ERR_COMMAND_NOT_FOUND and ERR_CANNOT_EXECUTE where it
 * means the task's command, else ERR_REFUSED. Pure. Returns -1. */
int runtime_failure(const char *runtime_path, const char *log_text, int code, struct err *err);

#endif
