/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan: the document that will be sent to the platform, and every difference from the source with
 * its reason. Made by a backend's pure plan function; run executes it, `oneoff plan` prints it.
 */
#ifndef ONEOFF_SPEC_PLAN_H
#define ONEOFF_SPEC_PLAN_H

#include "pkg/json/json.h"

enum plan_action {
	PLAN_KEPT,
	PLAN_CHANGED,
	PLAN_ADDED,
	PLAN_DROPPED,
	PLAN_UNKNOWN, /* a field this version does not know; see the table's policy */
};

struct plan_row {
	enum plan_action action;
	char *path;   /* owned; where in the source's document, or in the target for PLAN_ADDED */
	cJSON *was;   /* owned; the source's value, or NULL */
	cJSON *now;   /* owned; what is sent, or NULL */
	char *reason; /* owned; one sentence */
};

struct plan {
	cJSON *document; /* owned; what is sent */
	cJSON *extra;    /* owned; further steps of a backend (networks to connect…), or NULL */
	struct plan_row *rows;
	size_t count;
	size_t allocated;
};

void plan_init(struct plan *plan);
void plan_release(struct plan *plan);

/* What became of a value: NULL where there is none. Kept, when both are equal or missing. */
enum plan_action plan_difference(const cJSON *was, const cJSON *now);

/* Appends a row; `was` and `now` are copied and may be NULL. 0 or -1 (out of memory). */
int plan_add(struct plan *plan, enum plan_action action, const char *path, const cJSON *was,
             const cJSON *now, const char *reason) _must_check_;

/* "kept", "changed", "added", "dropped", "unknown". */
const char *plan_action_name(enum plan_action action);

/* True when an environment variable's value should not be shown: all but a short list of harmless
 * names (PATH, LANG, …). */
bool plan_is_secret_variable(const char *name);

/* True when the value of a label or option should not be shown: its name says password, secret,
 * token or key ("registry-password", "api_key"). */
bool plan_is_secret_option(const char *name);

/* The plan as a document for -o json and -o yaml: {"document": …, "extra": …, "differences":
 * [{action, path, was, now, reason}…]}; without show_secrets secret values are "***", in arrays
 * "NAME=VALUE" and
 * {"name", "value"} under "Env" or "env", in rows below such a path, and under secret options.
 * Owned by the caller; NULL when memory ran out. */
cJSON *plan_to_json(const struct plan *plan, bool show_secrets);

/* Appends a table for people: one line a row that is not PLAN_KEPT (all rows with `all`), then a
 * count of the kept ones. Escapes every value. */
void plan_print_table(const struct plan *plan, bool show_secrets, bool all, struct strbuf *out);

#endif
