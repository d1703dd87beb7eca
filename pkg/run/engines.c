/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/engines.h"

#include <string.h>

void engine_close(struct engine *engine)
{
	if (engine->backend)
		engine->backend->ops->close(engine->backend);
	free(engine->loop);
	*engine = (struct engine){.backend = NULL};
}

int engine_open(const struct backend_ops *ops, const struct backend_settings *settings,
                struct engine *ret, struct err *err)
{
	struct loop *loop = malloc(sizeof(*loop));

	if (!loop)
		return err_no_memory(err);
	*loop = (struct loop)LOOP_INIT;
	if (ops->open(settings, loop, &ret->backend, err) < 0) {
		ret->backend = NULL;
		free(loop);
		return -1;
	}
	ret->loop = loop;
	return 0;
}

struct visit {
	const struct engines *engines;
	const struct backend_settings *settings;
	engine_visitor *call;
	void *context;
	size_t meant, answered;
	struct err absent; /* why the last one did not answer */
	struct err silent; /* why a configured one did not; kind ERR_NONE: there is none */
	struct err failed; /* kind ERR_NONE: none failed */
};

/* The first failure is the answer, the others are said beside it. */
static void note_failure(struct visit *visit, const char *name, const struct err *err)
{
	if (visit->failed.kind == ERR_NONE) {
		visit->failed = *err;
		err_wrap(&visit->failed, "%s", name);
	} else {
		report(&visit->settings->reporter, REPORT_WARNING, "%s: %s", name, err->message);
	}
}

static void note_absent(struct visit *visit, const char *name, const struct err *err,
                        enum report_level level)
{
	visit->absent = *err;
	report(&visit->settings->reporter, level, "%s: %s", name, err->message);
}

/* 1: enough. */
static int visit_one(struct visit *visit, const struct backend_ops *ops)
{
	_cleanup_(engine_close) struct engine engine = {.backend = NULL};
	const char *expected = visit->engines->expected;
	bool named = visit->engines->runtime || (expected && !strcmp(expected, ops->name));
	struct err err = ERR_INIT;
	int result;

	visit->meant++;
	if (engine_open(ops, visit->settings, &engine, &err) < 0) {
		if (err.kind == ERR_UNREACHABLE && !named)
			note_absent(visit, ops->name, &err, REPORT_DETAIL);
		else
			note_failure(visit, ops->name, &err);
		return 0;
	}
	result = visit->call(visit->context, &engine, &err);
	/* It is configured and does not answer: worth a word, but no reason to fail the rest. */
	if (result < 0 && err.kind == ERR_UNREACHABLE && !named) {
		note_absent(visit, ops->name, &err, REPORT_NOTE);
		visit->silent = err;
	} else if (result < 0) {
		note_failure(visit, ops->name, &err);
	} else {
		visit->answered++;
	}
	return result;
}

int engines_visit(const struct engines *engines, const struct backend_settings *settings,
                  engine_visitor *call, void *context, struct err *err)
{
	struct visit visit = {
		.engines = engines,
		.settings = settings,
		.call = call,
		.context = context,
		.absent = ERR_INIT,
		.silent = ERR_INIT,
		.failed = ERR_INIT,
	};

	for (size_t i = 0; i < engines->count; i++) {
		const struct backend_ops *ops = engines->items[i];

		if (engines->runtime && strcmp(engines->runtime, ops->name))
			continue;
		if (visit_one(&visit, ops) > 0)
			return 0;
	}
	if (!visit.meant) {
		err_set(err, ERR_USAGE, "this version has no runtime '%s'", engines->runtime);
		return err_hint(err, "it has: docker, podman, oci, kubernetes");
	}
	if (visit.failed.kind != ERR_NONE) {
		*err = visit.failed;
		return -1;
	}
	if (!visit.answered) {
		*err = visit.absent;
		return -1;
	}
	if (visit.silent.kind != ERR_NONE)
		*err = visit.silent;
	return 0;
}
