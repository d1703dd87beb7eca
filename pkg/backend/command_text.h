/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task's command as the label `command` holds it (pkg/backend/task_record.h), there and back, and the one sentence about
 * a lock that is held.
 */
#ifndef ONEOFF_BACKEND_COMMAND_TEXT_H
#define ONEOFF_BACKEND_COMMAND_TEXT_H

#include "pkg/json/json.h"

#define COMMAND_TEXT_BYTES ((size_t)4096)

/* Appends the array of strings as JSON, cut to COMMAND_TEXT_BYTES between two characters with an ellipsis behind. 0, or
 * -1 when memory ran out. */
int command_text_add(const cJSON *argv, struct strbuf *text) _must_check_;

/* Appends the command as one would type it in a shell. What is no list of strings (any more, because it was cut) is
 * appended as it stands, escaped. NULL adds nothing. */
void command_text_show(const char *label, struct strbuf *line);

/* Who holds a lock. All borrowed; NULL where it is not known. */
struct lock_holder_text {
	const char *id; /* of its one-off */
	const char *user;
	const char *since;   /* RFC 3339 */
	const char *command; /* as the label holds it */
};

/* ERR_LOCKED: who holds it, since when, doing what; the hint says how to wait. Returns -1. */
int lock_is_held(const char *name, const struct lock_holder_text *holder, struct err *err);

#endif
