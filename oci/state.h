/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers as their OCI runtime remembers them: one folder each below a state root (/run/crun,
 * /run/runc), with a file `status` (crun) or `state.json` (runc, youki) inside. Which containers there
 * are, whether they run, where their bundle is and which engine it belongs to
 * (research/docker-oci.md 5.2). Single thread.
 *
 *	_cleanup_(strv_release) struct strv roots = STRV_INIT;
 *	_cleanup_(container_state_release) struct container_state state = {.id = NULL};
 *	if (state_roots(NULL, &roots, err) < 0 || state_find(&roots, "web", &state, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_OCI_STATE_H
#define ONEOFF_OCI_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "pkg/base/err.h"
#include "pkg/base/strv.h"

struct container_state {
	char *id;            /* owned */
	char *root;          /* owned; the state root it was found in */
	char *bundle;        /* owned; the folder that holds config.json */
	char *rootfs;        /* owned; the root folder as the host sees it, or NULL */
	char *cgroup;        /* owned; "/web", or NULL when not known */
	const char *runtime; /* "crun", "runc" or "youki" */
	pid_t pid;           /* of its first process, or 0 */
	uint64_t start_time; /* field 22 of /proc/PID/stat when it was started */
	bool running;        /* that very process lives */
};

/* For _cleanup_: frees what is owned and zeroes the struct. */
void container_state_release(struct container_state *state);

/* Where to look: `oci_root` alone if given, else the usual roots that exist, this user's too. */
int state_roots(const char *oci_root, struct strv *ret, struct err *err) _must_check_;

/* The container of that id, or of the only id that begins so. ERR_NOT_FOUND with what is there in the
 * hint, ERR_AMBIGUOUS with the candidates. */
int state_find(const struct strv *roots, const char *name, struct container_state *ret,
               struct err *err) _must_check_;

/* Calls `visit` with every container below the roots, at most 10,000; those whose state cannot be read are passed
 * over. Below 0 ends it with that error. */
int state_each(const struct strv *roots,
               int (*visit)(void *context, const struct container_state *state, struct err *err),
               void *context, struct err *err) _must_check_;
/* From the text of a state file; `id`, `root` and `running` are left to the caller. Pure.
 * ERR_PROTOCOL when it is none that we know. */
int state_parse(const char *text, size_t length, struct container_state *ret,
                struct err *err) _must_check_;

/* The engine that owns a bundle ("podman", "docker", "kubernetes", "containerd"), told by its path;
 * NULL when the runtime was used directly. */
const char *state_owner(const char *bundle);

/* Field 22 of /proc/PID/stat, or 0 when there is no such process (a zombie is none). */
uint64_t process_start_time(pid_t pid);

#endif
