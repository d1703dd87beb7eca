/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would keep a run from working, told line by line: which platforms answer and, by their diagnose slot, what is
 * wrong there. Without a source each platform is asked; with one, only that which has it, about the source too.
 *
 * A platform that is not there is no fault as long as nobody named it and another one answers. One that is there and
 * refuses us is a fault: a run might mean it. Single thread.
 */
#ifndef ONEOFF_RUN_DOCTOR_H
#define ONEOFF_RUN_DOCTOR_H

#include "pkg/run/engines.h"

struct doctor_settings {
	struct engines
		engines; /* .runtime: the one that was named, or that the source's prefix names */
	const struct source *source; /* --like; or NULL */
	const struct backend_settings *backend_settings;
};

/* `platform` is the engine's name, or "" for what concerns all of them. Below 0 ends it with that error. */
typedef int doctor_visitor(void *context, const char *platform, const struct finding *finding,
                           struct err *err);

/* Tells of everything that was found. Errors of platforms are findings: unreachable is a note unless the platform was
 * named, everything else is bad; a source that cannot be found is bad; and so is it when no platform answers at all.
 * -1 only when the visitor fails, memory runs out, or the runtime is not known (ERR_USAGE). */
int doctor_examine(const struct doctor_settings *settings, doctor_visitor *visit, void *context,
                   struct err *err) _must_check_;

#endif
