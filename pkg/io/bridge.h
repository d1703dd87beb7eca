/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unix socket that leads to a command, for libcurl, which can connect to a path and to nothing
 * that we spawned:
 *
 *	if (bridge_open(&endpoint.command, &bridge, err) < 0)
 *		return -1;
 *	target.socket_path = bridge_path(bridge);
 *	...
 *	bridge_close(bridge);
 *
 * The socket stands in a folder of mode 0700 under $XDG_RUNTIME_DIR or /tmp. One long-lived child
 * (no terminal, a session of its own, so Ctrl-C does not reach it; nothing open but what it needs;
 * default signals) accepts and runs the command once for each connection, several at a time. It ends
 * the commands and removes the folder when the bridge is closed and also when we die, however that
 * happens. Call it while the program has one thread.
 */
#ifndef ONEOFF_IO_BRIDGE_H
#define ONEOFF_IO_BRIDGE_H

#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"
#include "pkg/base/strv.h"

struct bridge;

/* Listens; the command (argv, looked for in PATH) runs for each connection, which is its stdin and
 * stdout. That it cannot be run shows when a connection ends at once, and in bridge_stderr. Owned
 * by the caller. */
int bridge_open(const struct strv *command, struct bridge **ret, struct err *err) _must_check_;

/* The same folder, socket and care for one server that takes the listening socket over as
 * descriptor 3 by the protocol of sd_listen_fds(3). Its stdin is /dev/null. ERR_UNREACHABLE when it
 * cannot be run. */
int bridge_open_service(const struct strv *command, struct bridge **ret,
                        struct err *err) _must_check_;

/* The socket's path. Borrowed until bridge_close. */
const char *bridge_path(const struct bridge *bridge);

/* Appends the last 4 KiB of what the commands wrote to stderr (a service: also to stdout). What
 * goes beyond 1 MiB in all is lost. All that was written before a connection ended is there. */
void bridge_stderr(const struct bridge *bridge, struct strbuf *text);

/* Ends the commands (TERM, then KILL; of a service only the process itself, not what it left
 * running), waits for them and removes the folder. NULL is fine. */
void bridge_close(struct bridge *bridge);

#endif
