/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacked images by chain id: STORE/rootfs/sha256/HEX, complete or not there at all. Unpacking goes
 * to a temporary name and is renamed when it is done and on disk; several processes may do it at
 * once, one of them unpacks and the others wait for it. A root folder in use is held by a shared lock
 * (flock on STORE/lock/sha256-HEX) that the snapshot's descriptor carries: it may be handed to a child, and lasts as
 * long as any copy of it is open. Nothing ever writes below a finished root folder: tasks get an overlay.
 *
 *	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_INIT;
 *	if (store_unpack(store_path, image, privileged, reporter, &snapshot, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_OCI_STORE_H
#define ONEOFF_OCI_STORE_H

#include "oci/image.h"
#include "pkg/base/report.h"

struct snapshot {
	char *path;  /* owned; the root folder, absolute */
	int lock_fd; /* owned, close-on-exec; holds the root folder against store_prune */
};

#define SNAPSHOT_INIT                                                                              \
	{                                                                                          \
		.path = NULL, .lock_fd = -1                                                        \
	}

void snapshot_release(struct snapshot *snapshot);

/* `--store`, else $XDG_DATA_HOME/oneoff, else ~/.local/share/oneoff; as root without those
 * /var/lib/oneoff. *ret is owned by the caller. */
int store_default_path(char **ret, struct err *err) _must_check_;

/* The image's root folder, unpacked now if it is not there yet (reported as a REPORT_NOTE, with its
 * size, since it takes a while). `privileged` as in layer.h; folders made with and without it are
 * kept apart. */
int store_unpack(const char *store, const struct image *image, bool privileged,
                 const struct reporter *reporter, struct snapshot *ret,
                 struct err *err) _must_check_;

struct store_pruned {
	uint64_t count, bytes; /* root folders and unfinished ones deleted */
	uint64_t busy;         /* root folders that are in use and stay */
};

/* Deletes what nobody holds and nobody used for `unused_seconds` (0: all), and what an interrupted
 * unpack left. With dry_run only counts. A store that does not exist is empty. */
int store_prune(const char *store, int64_t unused_seconds, bool dry_run, struct store_pruned *ret,
                struct err *err) _must_check_;

#endif
