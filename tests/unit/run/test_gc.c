/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "listing_engines.h"
#include "pkg/base/clock.h"
#include "pkg/run/gc.h"

static struct task_record *put(size_t engine, const char *id)
{
	struct listing_engine *to = &listing_engines[engine];

	to->records[to->count] = listing_record(id, id);
	return &to->records[to->count++];
}

static int collect(bool dry_run, struct gc_count *count, struct err *err)
{
	const struct backend_settings settings = {.host = NULL};

	return gc_engines(&listing_both, &settings, false, dry_run, count, err);
}

static void expect_discarded(size_t engine, const char *first, const char *second)
{
	const struct strv *ids = &listing_engines[engine].discarded;
	size_t count = (first != NULL) + (second != NULL);

	cr_assert_eq(ids->count, count, "%zu", ids->count);
	if (first)
		cr_expect_str_eq(ids->items[0], first);
	if (second)
		cr_expect_str_eq(ids->items[1], second);
}

Test(gc, deletes_what_is_left_over_and_nothing_else, .init = listing_init)
{
	struct gc_count count;
	struct err err = ERR_INIT;

	put(0, "aaaaaaaa");
	put(0, "bbbbbbbb")->keep = KEEP_ALWAYS;
	put(1, "cccccccc")->ended = clock_unix_seconds() - 10;
	put(1, "dddddddd");
	cr_assert_eq(collect(false, &count, &err), 0, "%s", err.message);
	cr_expect_eq(count.deleted, 2);
	expect_discarded(0, "aaaaaaaa", NULL);
	expect_discarded(1, "dddddddd", NULL);
}

Test(gc, takes_force_only_past_a_deadline, .init = listing_init)
{
	struct gc_count count;
	struct err err = ERR_INIT;
	struct task_record *running = put(0, "aaaaaaaa");

	running->state = TASK_RUNNING;
	running->deadline = clock_unix_seconds() - 3600;
	running = put(0, "bbbbbbbb");
	running->state = TASK_RUNNING;
	running->deadline = clock_unix_seconds() + 3600;
	put(0, "cccccccc")->state = TASK_CREATED;
	cr_assert_eq(collect(false, &count, &err), 0, "%s", err.message);
	expect_discarded(0, "aaaaaaaa!", "cccccccc");
}

Test(gc, a_dry_run_only_counts, .init = listing_init)
{
	struct gc_count count;
	struct err err = ERR_INIT;

	put(0, "aaaaaaaa");
	cr_assert_eq(collect(true, &count, &err), 0);
	cr_expect_eq(count.deleted, 1);
	expect_discarded(0, NULL, NULL);
}

Test(gc, what_was_gone_or_runs_by_now_is_not_counted, .init = listing_init)
{
	struct gc_count count;
	struct err err = ERR_INIT;

	put(0, "aaaaaaaa");
	listing_engines[0].runs = true;
	cr_assert_eq(collect(false, &count, &err), 0);
	cr_expect_eq(count.deleted, 0);
	cr_expect_eq(count.failed, 0);
}

Test(gc, one_that_stays_does_not_stop_the_others, .init = listing_init)
{
	struct gc_count count;
	struct err err = ERR_INIT;

	put(0, "aaaaaaaa");
	listing_engines[0].discard_fails = ERR_DENIED;
	put(1, "bbbbbbbb");
	cr_assert_eq(collect(false, &count, &err), 0);
	cr_expect_eq(count.failed, 1);
	expect_discarded(1, "bbbbbbbb", NULL);
}

Test(gc, nothing_is_deleted_by_half_a_list, .init = listing_init)
{
	struct gc_count count;
	struct err err = ERR_INIT;

	put(0, "aaaaaaaa");
	listing_engines[0].list_fails = ERR_LOST;
	put(1, "bbbbbbbb");
	cr_expect_eq(collect(false, &count, &err), -1);
	cr_expect_eq(err.kind, ERR_LOST);
	expect_discarded(0, NULL, NULL);
	expect_discarded(1, "bbbbbbbb", NULL);
}
