/* SPDX-License-Identifier: Apache-2.0 */
/* Two scripted engines, "docker" and "podman", of which only open, list and discard matter. */
#ifndef TESTS_UNIT_RUN_LISTING_ENGINES_H
#define TESTS_UNIT_RUN_LISTING_ENGINES_H

#include "pkg/run/engines.h"

#define LISTING_MAX 8

struct listing_engine {
	enum err_kind open_fails, list_fails, discard_fails;
	struct task_record records[LISTING_MAX]; /* string literals: what is told is a copy */
	size_t count;
	int opened, closed, listed;
	const char *asked_id;  /* query.id of the last list */
	struct strv discarded; /* ids, with "!" behind where force was asked for */
	bool runs;             /* discard finds that it was started meanwhile */
};

extern struct listing_engine listing_engines[2];
extern const struct engines listing_both;

/* Two engines without any one-off. */
void listing_init(void);
/* A record of the form that the tests begin with: ended with 0 an hour ago, not kept. */
struct task_record listing_record(const char *id, const char *name);

#endif
