/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a person typed to a one-off, wherever it is: its id, the unique beginning of one, or
 * the object's whole name.
 */
#ifndef ONEOFF_RUN_TASK_FIND_H
#define ONEOFF_RUN_TASK_FIND_H

#include "pkg/run/engines.h"

struct found_task {
	struct engine engine;      /* owned; where it is */
	struct task_record record; /* owned */
};

void found_task_release(struct found_task *found);

/* Asks every engine for live and ended one-offs. ERR_NOT_FOUND; ERR_AMBIGUOUS lists the ids; an engine that
 * fails is an error only when no other has it. */
int task_find(const struct engines *engines, const struct backend_settings *settings,
              const char *text, bool all_namespaces, struct found_task *ret,
              struct err *err) _must_check_;

#endif
