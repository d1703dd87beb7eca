/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clone rules are data: a constant table of rows, run by one engine over JSON trees, from the
 * document that describes the running app to the document that creates its clone. What `oneoff
 * plan` prints is the list of rows that fired; there is no second implementation.
 *
 *	static const struct rule rules[] = {
 *		{"Config.User", RULE_KEEP, "User", NULL, 0, "same user"},
 *		{"Config.Healthcheck", RULE_CALL, "Healthcheck", no_healthcheck, 0, "a task is not
 * probed"},
 *	};
 *
 * Order: rows run from top to bottom; each node of the source is claimed by the first row whose
 * path matches it. A row whose `when` flags are not all set in the context is skipped. Nodes that no
 * row claims go to the policy (dropped and reported, for Docker). Pure: no I/O, no clock, no
 * randomness.
 */
#ifndef ONEOFF_SPEC_RULE_H
#define ONEOFF_SPEC_RULE_H

#include "pkg/json/json.h"
#include "pkg/spec/plan.h"

enum rule_op {
	RULE_STATE, /* describes the running instance; never part of a release; not reported */
	RULE_KEEP,  /* copied to `to` unchanged; unset values (json_is_unset) are copied too,
	               silently */
	RULE_DROP,  /* not sent; reported when it was set */
	RULE_CALL,  /* `call` computes what is sent */
};

struct rule;

struct rule_context {
	const cJSON *source; /* the whole source document */
	cJSON *target;       /* the document being made */
	struct plan *plan;   /* where rows are reported */
	unsigned flags;      /* the `when` bits that hold */
	const void *extra;   /* the backend's own input, for its calls */
	bool *fired; /* NULL, or one for each row: set when it claimed a set value or was called */
};

/* A computation. `node` is what the path found (NULL when it is missing: a CALL row always runs,
 * once; with a wildcard: once for each member that no earlier row claimed, maybe never). It changes
 * context->target and reports by plan_add or rule_changed. 0 or -1. */
typedef int rule_call(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err);

struct rule {
	const char *path; /* in the source: dotted; "Config.*" matches each direct member not
	                     claimed yet */
	enum rule_op op;
	const char *to;  /* dotted path in the target, "X.*" for a wildcard; NULL: not sent, or the
	                    call knows */
	rule_call *call; /* RULE_CALL only */
	unsigned when;   /* bits that must all be set in context->flags; 0: always */
	const char *why; /* one sentence for a person; shown when the row fires */
};

enum rule_policy {
	RULE_UNMATCHED_DROP,   /* drop and report */
	RULE_UNMATCHED_KEEP,   /* copy and report */
	RULE_UNMATCHED_REFUSE, /* ERR_REFUSED naming the path */
};

/* Runs the table. 0, or -1 (out of memory, a refusal, or a call's own error). */
int rules_apply(const struct rule *rules, size_t count, enum rule_policy policy,
                struct rule_context *context, struct err *err) _must_check_;

/* Puts `value` at a dotted path of context->target, making objects on the way and replacing what is
 * there. Takes `value` (freed on failure too; NULL counts as out of memory). 0 or -1. */
int rule_put(struct rule_context *context, const char *path, cJSON *value,
             struct err *err) _must_check_;

/* For calls: reports the change from `was` to `now` under `path`: nothing when both are unset, KEPT
 * when they are equal, ADDED when `was` is unset, DROPPED when `now` is NULL, CHANGED otherwise. 0
 * or -1. */
int rule_changed(struct rule_context *context, const char *path, const cJSON *was, const cJSON *now,
                 const char *why, struct err *err) _must_check_;

/* For calls: puts `now` at rule->to, as rule_put, and reports it under rule->path, as rule_changed. 0 or -1. */
int rule_set(struct rule_context *context, const struct rule *rule, const cJSON *was, cJSON *now,
             const char *why, struct err *err) _must_check_;

/* For calls: a row of the plan under "PATH.KEY"; `was` and `now` are copied and may be NULL. 0 or -1. */
int rule_report(struct rule_context *context, enum plan_action action, const char *path,
                const char *key, const cJSON *was, const cJSON *now, const char *why,
                struct err *err) _must_check_;

/* The table's self-check, for a unit test: no row twice, every row with a reason, calls where they
 * belong, no row shadowed by an earlier wildcard. ERR_INTERNAL names the row. */
int rules_check(const struct rule *rules, size_t count, struct err *err);

#endif
