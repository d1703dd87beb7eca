/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The throwaway root: the app's root under an overlay whose upper layer is on a tmpfs (research/
 * docker-oci.md 5.3; kernel Documentation/filesystems/overlayfs.rst). Where no overlay is allowed the
 * root is copied into the tmpfs. Call it in a mount namespace of our own.
 */
#ifndef ONEOFF_OCI_ROOTFS_H
#define ONEOFF_OCI_ROOTFS_H

#include <stdbool.h>
#include "pkg/base/err.h"
#include "pkg/base/strv.h"

struct rootfs {
	struct strv lower;   /* folders, the topmost first, absolute; at least one */
	struct strv options; /* further overlay options: "userxattr" */
	char *merged;        /* owned; the whole root as the host sees it, for the copy; or NULL */
};

void rootfs_release(struct rootfs *rootfs);

/* Mounts it at FOLDER/rootfs, with the tmpfs at FOLDER/upper; both folders exist. *ret_copied is true when
 * no overlay could be made. */
int rootfs_mount(const struct rootfs *rootfs, const char *folder, bool *ret_copied,
                 struct err *err) _must_check_;

/* Whether an overlay can be mounted at all: tries it over `folder`, in this mount namespace, which is to be thrown
 * away. 0 or -1. */
int rootfs_try_overlay(const char *folder) _must_check_;

/* Takes both mounts away again, so that the folders can be deleted. */
void rootfs_unmount(const char *folder);

#endif
