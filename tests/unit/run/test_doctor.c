/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/run/doctor.h"

/* Two engines by script; the third is only meant by name. Each test is a process of its own. */
struct script {
	enum err_kind open_fails, diagnose_fails, find_fails;
	enum finding_level level; /* of its one finding */
	int opened, closed, with_release;
	bool could_spawn;
};

static struct script scripts[3];
static const struct backend_ops ops[3];

static int number_of(const struct backend *backend)
{
	return (int)(backend->ops - ops);
}

static int open_number(int number, const struct backend_settings *settings, struct backend **ret,
                       struct err *err)
{
	struct script *script = &scripts[number];

	script->could_spawn = settings->may_spawn;
	if (script->open_fails) {
		err_set(err, script->open_fails, "engine %d: no way in", number);
		return err_hint(err, "open the door of %d", number);
	}
	*ret = malloc(sizeof(**ret));
	(*ret)->ops = &ops[number];
	script->opened++;
	return 0;
}

static int open_first(const struct backend_settings *settings, struct loop *loop,
                      struct backend **ret, struct err *err)
{
	(void)loop;
	return open_number(0, settings, ret, err);
}

static int open_second(const struct backend_settings *settings, struct loop *loop,
                       struct backend **ret, struct err *err)
{
	(void)loop;
	return open_number(1, settings, ret, err);
}

static int open_third(const struct backend_settings *settings, struct loop *loop,
                      struct backend **ret, struct err *err)
{
	(void)loop;
	return open_number(2, settings, ret, err);
}

static int find(struct backend *backend, const struct source *source, struct release *ret,
                struct err *err)
{
	int number = number_of(backend);

	if (scripts[number].find_fails)
		return err_set(err, scripts[number].find_fails, "no '%s'", source->name);
	*ret = (struct release){.id = strdup(ops[number].name), .name = strdup(source->name)};
	return 0;
}

static int diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                    void *context, struct err *err)
{
	struct script *script = &scripts[number_of(backend)];
	const struct finding finding = {script->level, "limits", "enough", NULL};

	script->with_release += release != NULL;
	if (visit(context, &finding, err) < 0)
		return -1;
	if (script->diagnose_fails)
		return err_set(err, script->diagnose_fails, "it broke");
	return 0;
}

static void close_engine(struct backend *backend)
{
	scripts[number_of(backend)].closed++;
	free(backend);
}

static const struct backend_ops ops[3] = {
	{.name = "one",
         .open = open_first,
         .find = find,
         .diagnose = diagnose,
         .close = close_engine},
	{.name = "two",
         .open = open_second,
         .find = find,
         .diagnose = diagnose,
         .close = close_engine},
	{.name = "three",
         .capabilities = BACKEND_BY_NAME_ONLY,
         .open = open_third,
         .find = find,
         .diagnose = diagnose,
         .close = close_engine},
};
static const struct backend_ops *const all[] = {&ops[0], &ops[1], &ops[2]};

struct case_of {
	const char *runtime, *host, *like;
	bool visitor_fails;
};

/* Every finding as one line "LEVEL PLATFORM SUBJECT: TEXT (FIX)". */
struct told {
	char text[4096];
	bool fail;
};

static int note(void *context, const char *platform, const struct finding *finding, struct err *err)
{
	struct told *told = context;
	size_t used = strlen(told->text);

	snprintf(told->text + used, sizeof(told->text) - used, "%d %s %s: %s (%s)\n",
	         (int)finding->level, platform, finding->subject, finding->text,
	         finding->fix ? finding->fix : "");
	return told->fail ? err_set(err, ERR_SYSTEM, "stdout is full") : 0;
}

static int examine(const struct case_of *wanted, struct told *told, struct err *err)
{
	struct backend_settings backend_settings = {.host = wanted->host, .may_spawn = true};
	struct source source = {.kind = SOURCE_BARE, .name = (char *)wanted->like};
	struct doctor_settings settings = {
		.engines = {all, 3, wanted->runtime},
		.source = wanted->like ? &source : NULL,
		.backend_settings = &backend_settings,
	};
	int result;

	*told = (struct told){.fail = wanted->visitor_fails};
	*err = (struct err)ERR_INIT;
	result = doctor_examine(&settings, note, told, err);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(scripts[i].opened, scripts[i].closed);
	return result;
}

#define EXAMINE(told, err, ...) examine(&(struct case_of){__VA_ARGS__}, told, err)

Test(doctor, asks_every_platform_and_passes_its_findings_on)
{
	struct told told;
	struct err err;

	scripts[1].level = FINDING_NOTE;
	cr_assert_eq(EXAMINE(&told, &err, .runtime = NULL), 0);
	cr_assert_str_eq(told.text, "0 one limits: enough ()\n1 two limits: enough ()\n"
	                            "0 three limits: enough ()\n");
	cr_assert_not(scripts[0].could_spawn);
}

Test(doctor, one_that_is_not_there_is_a_note_unless_it_is_named)
{
	struct told told;
	struct err err;

	scripts[0].open_fails = ERR_UNREACHABLE;
	cr_assert_eq(EXAMINE(&told, &err, .runtime = NULL), 0);
	cr_assert(strstr(told.text, "1 one access: engine 0: no way in (open the door of 0)\n"),
	          "%s", told.text);
	cr_assert(!strstr(told.text, "2 "));
	cr_assert_eq(EXAMINE(&told, &err, .runtime = "one"), 0);
	cr_assert_str_eq(told.text, "2 one access: engine 0: no way in (open the door of 0)\n");
	cr_assert(scripts[0].could_spawn);
}

Test(doctor, one_that_refuses_us_is_bad)
{
	struct told told;
	struct err err;

	scripts[1].open_fails = ERR_DENIED;
	cr_assert_eq(EXAMINE(&told, &err, .runtime = NULL), 0);
	cr_assert(strstr(told.text, "2 two access: engine 1: no way in (open the door of 1)\n"),
	          "%s", told.text);
}

Test(doctor, a_diagnosis_that_breaks_is_bad_and_one_that_finds_nobody_is_not)
{
	struct told told;
	struct err err;

	scripts[0].diagnose_fails = ERR_PROTOCOL;
	scripts[1].diagnose_fails = ERR_UNREACHABLE;
	cr_assert_eq(EXAMINE(&told, &err, .runtime = NULL), 0);
	cr_assert(strstr(told.text, "2 one access: it broke ()\n"), "%s", told.text);
	cr_assert(strstr(told.text, "1 two access: it broke ()\n"), "%s", told.text);
}

Test(doctor, it_is_bad_when_nothing_answers)
{
	struct told told;
	struct err err;

	for (int i = 0; i < 3; i++)
		scripts[i].open_fails = ERR_UNREACHABLE;
	cr_assert_eq(EXAMINE(&told, &err, .runtime = NULL), 0);
	cr_assert(strstr(told.text, "2  platforms: nothing answers: engine 0: no way in (open the "
	                            "door of 0)\n"),
	          "%s", told.text);
}

Test(doctor, an_address_does_not_mean_those_that_have_none)
{
	struct told told;
	struct err err;

	scripts[0].open_fails = scripts[1].open_fails = ERR_UNREACHABLE;
	cr_assert_eq(EXAMINE(&told, &err, .host = "unix:///x"), 0);
	cr_assert(!strstr(told.text, "three"), "%s", told.text);
	cr_assert(strstr(told.text, "2  platforms: nothing answers"), "%s", told.text);
}

Test(doctor, with_a_source_only_its_platform_is_asked)
{
	struct told told;
	struct err err;

	scripts[0].find_fails = ERR_NOT_FOUND;
	cr_assert_eq(EXAMINE(&told, &err, .like = "web"), 0);
	cr_assert_str_eq(told.text, "0 two limits: enough ()\n");
	cr_assert_eq(scripts[1].with_release, 1);
}

Test(doctor, a_source_that_is_not_found_is_bad_and_the_platforms_say_why)
{
	struct told told;
	struct err err;

	scripts[0].find_fails = ERR_NOT_FOUND;
	scripts[1].open_fails = ERR_UNREACHABLE;
	cr_assert_eq(EXAMINE(&told, &err, .like = "web"), 0);
	cr_assert(!strncmp(told.text, "2  source: no 'web' ()\n", 23), "%s", told.text);
	cr_assert(strstr(told.text, "0 one limits: enough ()\n1 two access: "), "%s", told.text);
	cr_assert_eq(scripts[0].with_release, 0);
}

Test(doctor, mistakes_and_the_visitor_s_own_errors_are_returned)
{
	struct told told;
	struct err err;

	cr_assert_eq(EXAMINE(&told, &err, .runtime = "four"), -1);
	cr_assert_eq(err.kind, ERR_USAGE);
	cr_assert_eq(EXAMINE(&told, &err, .runtime = "four", .like = "web"), -1);
	cr_assert_eq(err.kind, ERR_USAGE);
	cr_assert_eq(EXAMINE(&told, &err, .visitor_fails = true), -1);
	cr_assert_str_eq(err.message, "stdout is full");
	cr_assert_str_eq(told.text, "0 one limits: enough ()\n");
}
