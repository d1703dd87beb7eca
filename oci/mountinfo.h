/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's root file system is made of, read from its /proc/PID/mountinfo (proc(5)). An
 * overlay names its lower folders there, so that a clone can start from the image's state without
 * the changes of the running container.
 */
#ifndef ONEOFF_OCI_MOUNTINFO_H
#define ONEOFF_OCI_MOUNTINFO_H

#include <stdbool.h>
#include "pkg/base/err.h"
#include "pkg/base/strv.h"

struct root_mount {
	bool overlay;        /* false: something else; the lists are empty then */
	struct strv lower;   /* lower folders, the topmost first, unescaped; maybe relative */
	struct strv options; /* what an overlay of the same folders needs again: "userxattr",
	                        "redirect_dir=on", "metacopy=on"… */
};

void root_mount_release(struct root_mount *mount);

/* Finds the last mount on "/" in the text. ERR_PROTOCOL when there is none or it cannot be read. */
int root_mount_parse(const char *mountinfo, struct root_mount *ret, struct err *err) _must_check_;

#endif
