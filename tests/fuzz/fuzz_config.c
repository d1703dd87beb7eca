/* SPDX-License-Identifier: Apache-2.0 */
/* Config files: whatever the bytes, a project's file sets nothing that it may not, and errors name the file. The
 * first byte says whose file it is. */
#include <string.h>

#include "pkg/config/config.h"
#include "tests/fuzz/fuzz.h"

struct target {
	char *like, *host, *name;
	struct strv env;
	int64_t timeout;
	bool no_log;
	int verbose, keep;
};

static const char *const keeps[] = {"never", "failed", "always", NULL};

#define AT(field) offsetof(struct target, field)

static const struct option options[] = {
	{0, "like", OPTION_STRING, AT(like), "S", NULL, "X_LIKE", "x", COMPLETE_SOURCE, true},
	{0, "host", OPTION_STRING, AT(host), "H", NULL, "X_HOST", "x"},
	{0, "name", OPTION_STRING, AT(name), "N", NULL, NULL, "x"},
	{0, "env", OPTION_LIST, AT(env), "E", NULL, "X_ENV", "x"},
	{0, "timeout", OPTION_DURATION, AT(timeout), "T", NULL, "X_TIMEOUT", "x", .project = true},
	{0, "no-log", OPTION_TRUE, AT(no_log), NULL, NULL, "X_NO_LOG", "x", .project = true},
	{0, "verbose", OPTION_COUNT, AT(verbose), NULL, NULL, "X_VERBOSE", "x"},
	{0, "keep", OPTION_CHOICE, AT(keep), NULL, keeps, "X_KEEP", "x", .project = true},
};
static const struct config_command commands[] = {
	{"run", options, ARRAY_SIZE(options)},
	{"version", NULL, 0},
};

static void release(struct target *target)
{
	free(target->like);
	free(target->host);
	free(target->name);
	strv_release(&target->env);
}

static void check_target(const struct target *target, bool project)
{
	CHECK(!target->name);
	CHECK(target->keep >= 0 && target->keep < 3 && target->timeout >= 0);
	CHECK(target->verbose >= 0 && target->verbose <= 100);
	if (!project)
		return;
	CHECK(!target->host && target->env.count == 0 && target->verbose == 0);
	CHECK(!target->like || strncmp(target->like, "oci-layout:", 11));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(release) struct target target = {.like = NULL};
	_cleanup_(config_release) struct config config = {.count = 0};
	struct err err = ERR_INIT;
	bool project = size && data[0] % 2;

	if (!size)
		return 0;
	if (config_parse((const char *)data + 1, size - 1, "FILE", project, &config.files[0],
	                 &err) < 0) {
		CHECK(err.kind != ERR_NONE && !strncmp(err.message, "FILE: ", 6));
		return 0;
	}
	config.count = 1;
	/* also without the check, which is what else keeps a project from it */
	if (config_check(&config, commands, ARRAY_SIZE(commands), &err) < 0)
		CHECK(err.kind == ERR_NO_MEMORY || !strncmp(err.message, "FILE: ", 6));
	err = (struct err)ERR_INIT;
	if (config_apply(&config, "run", options, ARRAY_SIZE(options), &target, &err) < 0)
		CHECK(err.kind == ERR_NO_MEMORY || !strncmp(err.message, "FILE: ", 6));
	check_target(&target, project);
	return 0;
}
