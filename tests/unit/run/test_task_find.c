/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "listing_engines.h"
#include "pkg/run/task_find.h"

static void put(size_t engine, const char *id, const char *name)
{
	struct listing_engine *to = &listing_engines[engine];

	to->records[to->count++] = listing_record(id, name);
}

static void expect_all_closed(void)
{
	cr_expect_eq(listing_engines[0].opened, listing_engines[0].closed);
	cr_expect_eq(listing_engines[1].opened, listing_engines[1].closed);
}

/* The id that was found, or "" with the error. */
static void find(const char *text, char ret_id[16], struct err *err)
{
	const struct backend_settings settings = {.host = NULL};
	struct found_task found = {.record = TASK_RECORD_INIT};

	ret_id[0] = '\0';
	if (task_find(&listing_both, &settings, text, false, &found, err) < 0)
		return;
	cr_expect_not_null(found.engine.backend);
	cr_expect_str_eq(found.engine.backend->ops->name, found.record.platform);
	snprintf(ret_id, 16, "%s", found.record.id);
	found_task_release(&found);
}

static void expect_found(const char *text, const char *id)
{
	struct err err = ERR_INIT;
	char found[16];

	find(text, found, &err);
	cr_expect_str_eq(found, id, "'%s' is '%s': %s", text, found, err.message);
	expect_all_closed();
}

static void expect_error(const char *text, enum err_kind kind, const char *words)
{
	struct err err = ERR_INIT;
	char found[16];

	find(text, found, &err);
	cr_expect_str_eq(found, "");
	cr_expect_eq(err.kind, kind, "%s", err.message);
	cr_expect_not_null(strstr(err.message, words), "%s", err.message);
	expect_all_closed();
}

Test(task_find, by_id_by_its_beginning_and_by_name, .init = listing_init)
{
	put(0, "abcdefgh", "web-oneoff-abcdefgh");
	put(1, "abxyzxyz", "export");
	expect_found("abcdefgh", "abcdefgh");
	expect_found("abc", "abcdefgh");
	expect_found("abx", "abxyzxyz");
	expect_found("export", "abxyzxyz");
	expect_found("web-oneoff-abcdefgh", "abcdefgh");
}

Test(task_find, a_beginning_of_two_ids_is_an_error_that_lists_both, .init = listing_init)
{
	put(0, "abcdefgh", "one");
	put(1, "abxyzxyz", "two");
	expect_error("ab", ERR_AMBIGUOUS, "abcdefgh, abxyzxyz");
}

Test(task_find, a_whole_name_is_no_beginning, .init = listing_init)
{
	put(0, "abcdefgh", "one");
	put(1, "zzzzzzzz", "abc");
	expect_found("abc", "zzzzzzzz");
}

Test(task_find, one_object_behind_two_addresses_is_one, .init = listing_init)
{
	put(0, "abcdefgh", "one");
	put(1, "abcdefgh", "one");
	expect_found("abc", "abcdefgh");
	expect_found("one", "abcdefgh");
}

Test(task_find, a_whole_id_asks_for_it_alone_and_no_other_engine, .init = listing_init)
{
	put(0, "abcdefgh", "one");
	expect_found("abcdefgh", "abcdefgh");
	cr_expect_not_null(listing_engines[0].asked_id);
	cr_expect_eq(listing_engines[1].listed, 0);
	expect_found("abcd", "abcdefgh");
	cr_expect_null(listing_engines[0].asked_id);
	cr_expect_eq(listing_engines[1].listed, 1);
}

Test(task_find, nothing_is_not_found, .init = listing_init)
{
	put(0, "abcdefgh", "one");
	expect_error("b", ERR_NOT_FOUND, "no one-off 'b'");
	expect_error("", ERR_USAGE, "empty");
}

Test(task_find, an_engine_that_fails_matters_only_when_no_other_has_it, .init = listing_init)
{
	put(1, "abcdefgh", "one");
	listing_engines[0].list_fails = ERR_DENIED;
	expect_found("abc", "abcdefgh");
	expect_error("xyz", ERR_DENIED, "docker: the list broke");
}

Test(task_find, engines_that_do_not_answer_are_passed_over, .init = listing_init)
{
	put(1, "abcdefgh", "one");
	listing_engines[0].open_fails = ERR_UNREACHABLE;
	expect_found("abc", "abcdefgh");
	listing_engines[1].open_fails = ERR_UNREACHABLE;
	expect_error("abc", ERR_UNREACHABLE, "podman does not open");
}

Test(engines, a_named_engine_that_does_not_answer_is_a_failure, .init = listing_init)
{
	const struct backend_settings settings = {.host = NULL};
	struct engines named = listing_both;
	struct found_task found;
	struct err err = ERR_INIT;

	named.runtime = "docker";
	listing_engines[0].open_fails = ERR_UNREACHABLE;
	put(1, "abcdefgh", "one");
	cr_expect_eq(task_find(&named, &settings, "abc", false, &found, &err), -1);
	cr_expect_eq(err.kind, ERR_UNREACHABLE);
	cr_expect_eq(listing_engines[1].opened, 0);
	named.runtime = "lxc";
	cr_expect_eq(task_find(&named, &settings, "abc", false, &found, &err), -1);
	cr_expect_eq(err.kind, ERR_USAGE);
}
