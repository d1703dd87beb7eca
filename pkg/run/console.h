/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `oneoff console` runs when nobody says: the app's own word first (label dev.oneoff.console,
 * then the line `console:` of a Procfile), then what its working folder shows, then the best shell
 * there is.
 */
#ifndef ONEOFF_RUN_CONSOLE_H
#define ONEOFF_RUN_CONSOLE_H

#include "pkg/backend/backend.h"

struct console {
	struct strv argv;
	char *why; /* owned; one line for a person: "console: bin/rails console (bin/rails is
	              there)" */
};

int console_choose(struct backend *backend, const struct release *release, struct console *ret,
                   struct err *err) _must_check_;
void console_release(struct console *console);

#endif
