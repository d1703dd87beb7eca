/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `oneoff console` runs when nobody says: the app's own word first (label dev.oneoff.console
 * of the container, then of its image; then the line `console:` of the Procfile in its working
 * folder), then what that folder shows, then the best shell there is. Single thread.
 *
 *	_cleanup_(console_release) struct console console = CONSOLE_INIT;
 *
 *	if (console_choose(backend, &release, &console, err) < 0)
 *		return err_wrap(err, "choose a console");
 */
#ifndef ONEOFF_RUN_CONSOLE_H
#define ONEOFF_RUN_CONSOLE_H

#include "pkg/backend/backend.h"

#define CONSOLE_MAX_PROCFILE ((size_t)64 << 10)
#define CONSOLE_MAX_PACKAGE  ((size_t)1 << 20)

struct console {
	struct strv argv; /* owned */
	char *why; /* owned; one line for a person: "console: bin/rails console (from the Procfile)" */
};

#define CONSOLE_INIT                                                                               \
	{                                                                                          \
		.why = NULL                                                                        \
	}

/* Fills *ret, whose contents the caller releases. The image's ENTRYPOINT stays, as `docker compose
 * run` has it, since it is often what sets the app's environment up. A line of a label or the
 * Procfile is split into words, or run as `sh -c LINE` when it needs a shell.
 *
 * A file that is missing, too large (CONSOLE_MAX_…), no regular file or that the engine will not
 * hand out counts as not there, and so do all of them where the backend cannot read files. Other
 * faults of read_file are returned: they say nothing about the app, and a shell instead of its
 * console would hide them. ERR_USAGE for a label or Procfile line that cannot be split. */
int console_choose(struct backend *backend, const struct release *release, struct console *ret,
                   struct err *err) _must_check_;

/* For _cleanup_: frees the contents. */
void console_release(struct console *console);

#endif
