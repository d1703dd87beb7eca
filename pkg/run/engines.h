/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All platforms at once, for what is asked without a source: list, an id, gc, doctor. Each engine
 * that is meant is opened in the array's order, used and closed. One that is not there is passed
 * over, unless it was named; one that answers and refuses makes the whole a failure, because a part
 * of the truth must not look like all of it.
 */
#ifndef ONEOFF_RUN_ENGINES_H
#define ONEOFF_RUN_ENGINES_H

#include "pkg/backend/backend.h"

/* An open backend and the loop it turns in. */
struct engine {
	struct backend *backend; /* owned; NULL: moved away */
	struct loop *loop;       /* owned */
};

struct engines {
	const struct backend_ops *const *items;
	size_t count;
	const char *runtime; /* only this one (--runtime); or NULL */
	const char
		*expected; /* has to answer: the person spoke of it (-n, --kubeconfig); or NULL */
};

/* What is done with each. It may move from *engine. Below 0: it failed, the next one is asked all the
 * same. 1: enough, ask no other. */
typedef int engine_visitor(void *context, struct engine *engine, struct err *err);

int engine_open(const struct backend_ops *ops, const struct backend_settings *settings,
                struct engine *ret, struct err *err) _must_check_;
void engine_close(struct engine *engine);

/* 0 when every engine that answers was visited without a failure; *err then tells of one that is configured and does
 * not answer (ERR_UNREACHABLE), and is untouched when there is none. -1 with the error that says most,
 * also when none answers (ERR_UNREACHABLE) or the runtime is not known (ERR_USAGE). Failures of
 * engines beside that one are reported as warnings. */
int engines_visit(const struct engines *engines, const struct backend_settings *settings,
                  engine_visitor *visit, void *context, struct err *err) _must_check_;

#endif
