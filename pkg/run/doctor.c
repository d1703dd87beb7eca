/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/doctor.h"

#include <string.h>
#include "pkg/run/choose.h"

struct examination {
	const struct doctor_settings *settings;
	doctor_visitor *visit;
	void *context;
	const char *platform; /* whose findings come now */
	size_t meant, answered, bad;
	struct err absent; /* of the first that is not there */
	bool visitor_failed;
};

static int tell(struct examination *examination, const char *platform,
                const struct finding *finding, struct err *err)
{
	examination->bad += finding->level == FINDING_BAD;
	if (examination->visit(examination->context, platform, finding, err) == 0)
		return 0;
	examination->visitor_failed = true;
	return -1;
}

static int pass_on(void *context, const struct finding *finding, struct err *err)
{
	struct examination *examination = context;

	return tell(examination, examination->platform, finding, err);
}

static int tell_error(struct examination *examination, const char *subject,
                      enum finding_level level, const struct err *failure, struct err *err)
{
	struct finding finding = {
		.level = level,
		.subject = subject,
		.text = failure->message,
		.fix = failure->hint[0] ? failure->hint : NULL,
	};

	return tell(examination, examination->platform, &finding, err);
}

/* What opening or diagnosing failed with. Not being there counts only against one that was named. */
static int tell_failure(struct examination *examination, const struct err *failure, struct err *err)
{
	bool absent = failure->kind == ERR_UNREACHABLE;
	bool named = examination->settings->engines.runtime != NULL;

	if (absent && examination->absent.kind == ERR_NONE)
		examination->absent = *failure;
	if (!absent)
		examination->answered++;
	return tell_error(examination, "access", absent && !named ? FINDING_NOTE : FINDING_BAD,
	                  failure, err);
}

/* An error of the visitor is ours to return; everything else is a finding. */
static int diagnose(struct examination *examination, struct backend *backend,
                    const struct release *release, struct err *err)
{
	struct err failure = ERR_INIT;

	examination->platform = backend->ops->name;
	if (backend->ops->diagnose(backend, release, pass_on, examination, &failure) == 0) {
		examination->answered++;
		return 0;
	}
	if (!examination->visitor_failed)
		return tell_failure(examination, &failure, err);
	*err = failure;
	return -1;
}

static int examine_engine(struct examination *examination, const struct backend_ops *ops,
                          struct err *err)
{
	_cleanup_(engine_close) struct engine engine = {.backend = NULL};
	struct backend_settings settings = *examination->settings->backend_settings;
	struct err failure = ERR_INIT;

	examination->meant++;
	examination->platform = ops->name;
	/* Only who names it, or has containers there, waits for the start of an engine. */
	settings.may_spawn = examination->settings->engines.runtime != NULL;
	settings.may_spawn_used = true;
	if (engine_open(ops, &settings, &engine, &failure) < 0)
		return tell_failure(examination, &failure, err);
	return diagnose(examination, engine.backend, NULL, err);
}

/* With an address (-H) those are meant that an address can lead to. */
static bool is_meant(const struct doctor_settings *settings, const struct backend_ops *ops)
{
	if (settings->engines.runtime)
		return !strcmp(settings->engines.runtime, ops->name);
	return !settings->backend_settings->host || !(ops->capabilities & BACKEND_BY_NAME_ONLY);
}

static int examine_all(struct examination *examination, struct err *err)
{
	const struct engines *engines = &examination->settings->engines;

	for (size_t i = 0; i < engines->count; i++)
		if (is_meant(examination->settings, engines->items[i]) &&
		    examine_engine(examination, engines->items[i], err) < 0)
			return -1;
	examination->platform = "";
	if (!examination->meant) {
		err_set(err, ERR_USAGE, "this version has no runtime '%s'", engines->runtime);
		return err_hint(err, "it has: docker, podman, oci, kubernetes");
	}
	if (examination->answered || examination->bad)
		return 0;
	err_wrap(&examination->absent, "nothing answers");
	return tell_error(examination, "platforms", FINDING_BAD, &examination->absent, err);
}

/* Why it is not found shows in what the platforms say. */
static int examine_source(struct examination *examination, struct err *err)
{
	const struct doctor_settings *settings = examination->settings;
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};
	struct err failure = ERR_INIT;

	if (choose(settings->engines.items, settings->engines.count, settings->engines.runtime,
	           settings->source, settings->backend_settings, &chosen, &failure) == 0)
		return diagnose(examination, chosen.backend, &chosen.release, err);
	if (failure.kind == ERR_USAGE) {
		*err = failure;
		return -1;
	}
	examination->platform = "";
	if (tell_error(examination, "source", FINDING_BAD, &failure, err) < 0)
		return -1;
	return examine_all(examination, err);
}

int doctor_examine(const struct doctor_settings *settings, doctor_visitor *visit, void *context,
                   struct err *err)
{
	struct examination examination = {
		.settings = settings, .visit = visit, .context = context, .absent = ERR_INIT};

	return settings->source ? examine_source(&examination, err)
	                        : examine_all(&examination, err);
}
