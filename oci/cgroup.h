/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little that we ask of cgroups ourselves: the runtime makes and deletes them. Version 1 (one
 * hierarchy a controller), version 2 (one for all) and hybrid machines (both), below /sys/fs/cgroup.
 */
#ifndef ONEOFF_OCI_CGROUP_H
#define ONEOFF_OCI_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"

/* True when /sys/fs/cgroup itself is the unified hierarchy. */
bool cgroup_is_unified(void);

/* crun refuses a machine with both versions: in a mount namespace of our own the unified one, which holds
 * no controller there, is covered. Does nothing on other machines. */
void cgroup_hide_hybrid(void);

/* How often the kernel killed something in the cgroup for memory; -1 when it cannot be told. `path` is
 * absolute in the hierarchy: "/web". */
int64_t cgroup_out_of_memory_kills(const char *path);

/* Whether a process is in it. False when it cannot be told: there is none of that path, or none at all. */
bool cgroup_is_populated(const char *path);

/* The path of a sibling: "/a/web" and "oneoff-x" give "/a/oneoff-x"; systemd's "slice:prefix:web" gives
 * "slice:oneoff:x". Appends. */
void cgroup_sibling(const char *path, const char *id, struct strbuf *ret);

/* Removes the cgroup in every hierarchy if it is empty. True when none is left; NULL, or a path of systemd's
 * form, is not ours to remove: false. */
bool cgroup_remove(const char *path);

/* Kills whatever is left in it (a runtime that was killed in the middle leaves halves of a container), then
 * removes it; waits up to half a second. */
void cgroup_destroy(const char *path);

#endif
