/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which engine has the source. A name without a prefix is looked for in every engine that answers,
 * in the array's order; two different hits are an error that lists both. An engine that would have
 * to be started (Podman without a socket) is asked only when no other has it.
 */
#ifndef ONEOFF_RUN_CHOOSE_H
#define ONEOFF_RUN_CHOOSE_H

#include "pkg/backend/backend.h"

struct chosen {
	struct backend *backend; /* owned; close with chosen_release */
	struct loop *loop;       /* owned */
	struct release release;  /* owned */
};

/* `runtime` (--runtime, ONEOFF_RUNTIME, or what the source's prefix says) may be NULL. */
int choose(const struct backend_ops *const *engines, size_t count, const char *runtime,
           const struct source *source, const struct backend_settings *settings, struct chosen *ret,
           struct err *err) _must_check_;
void chosen_release(struct chosen *chosen);

#endif
