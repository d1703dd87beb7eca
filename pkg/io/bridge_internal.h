/* SPDX-License-Identifier: Apache-2.0 */
/* What the two processes of bridge.h share. */
#ifndef ONEOFF_IO_BRIDGE_INTERNAL_H
#define ONEOFF_IO_BRIDGE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "pkg/base/strv.h"

/* What the child works with; everything is borrowed from the parent's memory as it was at the fork.
 */
struct bridge_child {
	const struct strv *command;
	bool service;
	pid_t parent;
	const char *folder, *path;
	int listener;
	int control; /* end-of-file: the parent closed the bridge or is gone */
	int log;     /* stderr of the commands */
	int status;  /* errno of a service that cannot be run goes there; else -1 */

	/* The child's own. */
	int signals;
	size_t running;
	pid_t service_pid;
};

/* The child's whole life. All signals are blocked when it begins. */
_noreturn_ void bridge_child_run(struct bridge_child *child);

#endif
