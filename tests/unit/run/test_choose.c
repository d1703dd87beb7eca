/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/run/choose.h"

/* An engine of which only open and find matter; the settings are in globals of the test's own
 * process. */
struct script {
	enum err_kind open_fails, find_fails;
	const char *id;
	int opened, closed;
	bool spawn_only; /* answers only when it may be started */
};

static struct script scripts[2];

static int open_engine(size_t number, const struct backend_settings *settings, struct backend **ret,
                       const struct backend_ops *ops, struct err *err)
{
	struct script *script = &scripts[number];

	if (script->open_fails || (script->spawn_only && !settings->may_spawn))
		return err_set(err, script->open_fails ? script->open_fails : ERR_UNREACHABLE,
		               "engine %zu does not answer", number);
	*ret = malloc(sizeof(**ret));
	(*ret)->ops = ops;
	script->opened++;
	return 0;
}

static int find_in(size_t number, const struct source *source, struct release *ret, struct err *err)
{
	if (scripts[number].find_fails) {
		err_set(err, scripts[number].find_fails, "engine %zu knows no '%s'", number,
		        source->name);
		return scripts[number].id ? err_hint(err, "did you mean '%s'?", scripts[number].id)
		                          : -1;
	}
	*ret = (struct release){.id = strdup(scripts[number].id), .name = strdup(source->name)};
	return 0;
}

static const struct backend_ops first_engine, second_engine;

static int open_first(const struct backend_settings *settings, struct loop *loop,
                      struct backend **ret, struct err *err)
{
	(void)loop;
	return open_engine(0, settings, ret, &first_engine, err);
}

static int open_second(const struct backend_settings *settings, struct loop *loop,
                       struct backend **ret, struct err *err)
{
	(void)loop;
	return open_engine(1, settings, ret, &second_engine, err);
}

static int find_first(struct backend *backend, const struct source *source, struct release *ret,
                      struct err *err)
{
	(void)backend;
	return find_in(0, source, ret, err);
}

static int find_second(struct backend *backend, const struct source *source, struct release *ret,
                       struct err *err)
{
	(void)backend;
	return find_in(1, source, ret, err);
}

static void close_engine(struct backend *backend)
{
	scripts[backend->ops == &second_engine].closed++;
	free(backend);
}

static const struct backend_ops first_engine = {
	.name = "docker", .open = open_first, .find = find_first, .close = close_engine};
static const struct backend_ops second_engine = {
	.name = "podman", .open = open_second, .find = find_second, .close = close_engine};
static const struct backend_ops *const both[] = {&first_engine, &second_engine};

/* 0 with the engine's number, or -1 and the error. Everything opened is closed at the end. */
static int choose_among(const char *runtime, const char *host, size_t *ret_number, struct err *err)
{
	struct backend_settings settings = {.host = host, .may_spawn = true};
	struct source source = {.kind = SOURCE_BARE, .name = (char *)"web"};
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};

	if (choose(both, 2, runtime, &source, &settings, &chosen, err) < 0)
		return -1;
	cr_expect_not_null(chosen.loop);
	cr_expect_str_eq(chosen.release.name, "web");
	*ret_number = chosen.backend->ops == &second_engine;
	return 0;
}

static void set(size_t number, enum err_kind open_fails, enum err_kind find_fails, const char *id)
{
	scripts[number] = (struct script){open_fails, find_fails, id, 0, 0, false};
}

static void expect_all_closed(void)
{
	cr_expect_eq(scripts[0].opened, scripts[0].closed);
	cr_expect_eq(scripts[1].opened, scripts[1].closed);
}

Test(choose, the_only_engine_that_has_it)
{
	struct err err = ERR_INIT;
	size_t number = 9;

	set(0, ERR_NONE, ERR_NOT_FOUND, NULL);
	set(1, ERR_NONE, ERR_NONE, "b");
	cr_assert_eq(choose_among(NULL, NULL, &number, &err), 0);
	cr_expect_eq(number, 1);
	set(0, ERR_NONE, ERR_NONE, "a");
	set(1, ERR_UNREACHABLE, ERR_NONE, NULL);
	cr_assert_eq(choose_among(NULL, NULL, &number, &err), 0);
	cr_expect_eq(number, 0);
	expect_all_closed();
}

Test(choose, a_near_name_says_more_than_none)
{
	struct err err = ERR_INIT;
	size_t number;

	set(0, ERR_NONE, ERR_NOT_FOUND, NULL);
	set(1, ERR_NONE, ERR_NOT_FOUND, "wbe");
	cr_expect_eq(choose_among(NULL, NULL, &number, &err), -1);
	cr_expect_str_eq(err.hint, "did you mean 'wbe'?");
	expect_all_closed();
}

Test(choose, two_hits_are_an_error_that_names_both)
{
	struct err err = ERR_INIT;
	size_t number;

	set(0, ERR_NONE, ERR_NONE, "a");
	set(1, ERR_NONE, ERR_NONE, "b");
	cr_expect_eq(choose_among(NULL, NULL, &number, &err), -1);
	cr_expect_eq(err.kind, ERR_AMBIGUOUS);
	cr_expect_not_null(strstr(err.hint, "docker:web"));
	cr_expect_not_null(strstr(err.hint, "podman:web"));
	expect_all_closed();
}

Test(choose, one_engine_behind_two_addresses_is_one)
{
	struct err err = ERR_INIT;
	size_t number = 9;

	set(0, ERR_NONE, ERR_NONE, "a");
	set(1, ERR_NONE, ERR_NONE, "a");
	cr_expect_eq(choose_among(NULL, NULL, &number, &err), 0);
	cr_expect_eq(number, 0);
	expect_all_closed();
}

Test(choose, a_runtime_decides)
{
	struct err err = ERR_INIT;
	size_t number = 9;

	set(0, ERR_NONE, ERR_NONE, "a");
	set(1, ERR_NONE, ERR_NONE, "b");
	cr_expect_eq(choose_among("podman", NULL, &number, &err), 0);
	cr_expect_eq(number, 1);
	cr_expect_eq(scripts[0].opened, 0);
	cr_expect_eq(choose_among("oci", NULL, &number, &err), -1);
	cr_expect_eq(err.kind, ERR_USAGE);
}

Test(choose, the_error_that_says_most_is_told)
{
	static const struct {
		enum err_kind open[2], find[2], told;
	} cases[] = {
		{{ERR_UNREACHABLE, ERR_UNREACHABLE}, {ERR_NONE, ERR_NONE}, ERR_UNREACHABLE},
		{{ERR_DENIED, ERR_UNREACHABLE}, {ERR_NONE, ERR_NONE}, ERR_DENIED},
		{{ERR_UNREACHABLE, ERR_DENIED}, {ERR_NONE, ERR_NONE}, ERR_DENIED},
		{{ERR_DENIED, ERR_NONE}, {ERR_NONE, ERR_NOT_FOUND}, ERR_NOT_FOUND},
		{{ERR_NONE, ERR_UNREACHABLE}, {ERR_NOT_FOUND, ERR_NONE}, ERR_NOT_FOUND},
		{{ERR_NONE, ERR_NONE}, {ERR_AMBIGUOUS, ERR_NOT_FOUND}, ERR_AMBIGUOUS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		size_t number;

		set(0, cases[i].open[0], cases[i].find[0], "a");
		set(1, cases[i].open[1], cases[i].find[1], "b");
		cr_expect_eq(choose_among(NULL, NULL, &number, &err), -1);
		cr_expect_eq(err.kind, cases[i].told, "case %zu: %s", i, err.message);
		expect_all_closed();
	}
}

/* `--like deploy web`, and `--like web -n shop`: what is meant is in a cluster. */
Test(choose, a_word_of_kubectl_is_told_about_the_slash)
{
	struct backend_settings settings = {.name_space = "shop"};
	struct source source = {.kind = SOURCE_BARE, .name = (char *)"web"};
	_cleanup_(chosen_release) struct chosen chosen = {.backend = NULL};
	struct err err = ERR_INIT;

	set(0, 0, ERR_NOT_FOUND, NULL);
	set(1, ERR_UNREACHABLE, 0, NULL);
	cr_assert_lt(choose(both, 2, NULL, &source, &settings, &chosen, &err), 0);
	cr_expect(strstr(err.hint, "--like deploy/web"), "%s", err.hint);
	settings.name_space = NULL;
	source.name = (char *)"deployment";
	cr_assert_lt(choose(both, 2, NULL, &source, &settings, &chosen, &err), 0);
	cr_expect(strstr(err.hint, "--like deployment/NAME"), "%s", err.hint);
	expect_all_closed();
}

Test(choose, an_engine_is_started_only_when_no_other_has_it)
{
	struct err err = ERR_INIT;
	size_t number = 9;

	set(0, ERR_NONE, ERR_NONE, "a");
	set(1, ERR_NONE, ERR_NONE, "b");
	scripts[1].spawn_only = true;
	cr_expect_eq(choose_among(NULL, NULL, &number, &err), 0);
	cr_expect_eq(number, 0);
	cr_expect_eq(scripts[1].opened, 0);
	scripts[0].find_fails = ERR_NOT_FOUND;
	cr_expect_eq(choose_among(NULL, NULL, &number, &err), 0);
	cr_expect_eq(number, 1);
	/* An address was given: then nothing is started. */
	scripts[1].opened = scripts[1].closed = 0;
	cr_expect_eq(choose_among(NULL, "unix:///x", &number, &err), -1);
	cr_expect_eq(scripts[1].opened, 0);
}
