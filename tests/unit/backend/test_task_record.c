/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "pkg/backend/task_record.h"

#define NOW INT64_C(1795269600) /* 2026-11-21T14:00:00Z */

static const char *from_pairs(const void *context, const char *key)
{
	for (const char *const *pair = context; pair[0]; pair += 2)
		if (!strcmp(pair[0], key))
			return pair[1];
	return NULL;
}

static struct task_record read_pairs(const char *const *pairs)
{
	struct task_record record = TASK_RECORD_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(task_record_read(&record, from_pairs, pairs, &err), 0, "%s", err.message);
	return record;
}

Test(task_record, everything_that_stands_in_labels_is_read)
{
	static const char *const pairs[] = {"id",       "k3v9x2ab",
	                                    "source",   "web",
	                                    "user",     "ana@laptop",
	                                    "command",  "[\"true\"]",
	                                    "reason",   "a fix",
	                                    "started",  "2026-11-21T14:00:00Z",
	                                    "deadline", "2026-11-21T15:00:00Z",
	                                    "keep",     "failed",
	                                    "keep-for", "3600",
	                                    "detached", "true",
	                                    "lock",     "migrate",
	                                    NULL};
	struct task_record record = read_pairs(pairs);

	cr_expect_str_eq(record.id, "k3v9x2ab");
	cr_expect_str_eq(record.source, "web");
	cr_expect_str_eq(record.user, "ana@laptop");
	cr_expect_str_eq(record.command, "[\"true\"]");
	cr_expect_str_eq(record.reason, "a fix");
	cr_expect_str_eq(record.lock, "migrate");
	cr_expect_eq(record.created, NOW);
	cr_expect_eq(record.deadline, NOW + 3600);
	cr_expect_eq(record.keep, KEEP_FAILED);
	cr_expect_eq(record.keep_for, 3600);
	cr_expect(record.detached);
	task_record_release(&record);
	cr_expect_null(record.id);
}

Test(task_record, wrong_values_count_as_missing_ones)
{
	static const char *const pairs[] = {
		"id",   "k3v9x2ab", "started",  "yesterday", "deadline", "0001-01-01T00:00:00Z",
		"keep", "yes",      "keep-for", "-5",        "detached", "1",
		NULL};
	struct task_record record = read_pairs(pairs);

	cr_expect_eq(record.created, 0);
	cr_expect_eq(record.deadline, 0);
	cr_expect_eq(record.keep, KEEP_NEVER);
	cr_expect_eq(record.keep_for, 0);
	cr_expect_not(record.detached);
	task_record_release(&record);
}

static bool is_leftover(struct task_record record)
{
	char id[] = "k3v9x2ab";

	if (!record.id)
		record.id = id;
	return task_record_is_leftover(&record, NOW);
}

#define leftover(...) is_leftover((struct task_record){__VA_ARGS__})

Test(leftover, an_ended_task_that_nobody_keeps_has_five_minutes)
{
	cr_expect(leftover(.state = TASK_ENDED, .ended = NOW - 301));
	cr_expect_not(leftover(.state = TASK_ENDED, .ended = NOW - 300));
	cr_expect_not(leftover(.state = TASK_ENDED, .ended = NOW));
}

Test(leftover, a_task_is_kept_for_its_time_after_its_end)
{
	cr_expect_not(leftover(.state = TASK_ENDED, .ended = NOW - 3600, .keep = KEEP_ALWAYS,
	                       .keep_for = 3600));
	cr_expect(leftover(.state = TASK_ENDED, .ended = NOW - 3601, .keep = KEEP_ALWAYS,
	                   .keep_for = 3600));
	/* Shorter than what an unkept one has: it is what was asked for. */
	cr_expect(leftover(.state = TASK_ENDED, .ended = NOW - 11, .keep = KEEP_ALWAYS,
	                   .keep_for = 10));
}

Test(leftover, a_task_that_is_kept_for_good_stays)
{
	cr_expect_not(leftover(.state = TASK_ENDED, .ended = 1, .keep = KEEP_ALWAYS));
	cr_expect_not(leftover(.state = TASK_ENDED, .ended = 1, .keep = KEEP_FAILED,
	                       .status = {.known = true, .code = 1}));
}

Test(leftover, keep_failed_does_not_keep_a_success)
{
	cr_expect(leftover(.state = TASK_ENDED, .ended = NOW - 301, .keep = KEEP_FAILED,
	                   .keep_for = 86400, .status = {.known = true, .code = 0}));
	cr_expect_not(leftover(.state = TASK_ENDED, .ended = NOW - 301, .keep = KEEP_FAILED,
	                       .keep_for = 86400));
	cr_expect(leftover(.state = TASK_ENDED, .ended = NOW - 86401, .keep = KEEP_FAILED,
	                   .keep_for = 86400, .status = {.known = true, .code = 3}));
}

Test(leftover, what_was_never_started_has_five_minutes_however_it_is_kept)
{
	cr_expect(leftover(.state = TASK_CREATED, .created = NOW - 301, .keep = KEEP_ALWAYS));
	cr_expect_not(leftover(.state = TASK_CREATED, .created = NOW - 300));
	/* A deadline says nothing about a task that does not run. */
	cr_expect_not(leftover(.state = TASK_CREATED, .created = NOW - 1, .deadline = 1));
}

Test(leftover, a_live_task_is_never_one_before_its_deadline)
{
	cr_expect_not(leftover(.state = TASK_RUNNING, .created = 1, .started = 1));
	cr_expect_not(leftover(.state = TASK_RUNNING, .deadline = NOW + 1));
	cr_expect_not(leftover(.state = TASK_RUNNING, .deadline = NOW - 60));
	cr_expect(leftover(.state = TASK_RUNNING, .deadline = NOW - 61));
}

Test(leftover, what_the_platform_does_not_tell_is_never_old)
{
	cr_expect_not(leftover(.state = TASK_UNKNOWN, .created = 1, .ended = 1, .deadline = 1));
	cr_expect_not(leftover(.state = TASK_CREATED));
	cr_expect_not(leftover(.state = TASK_ENDED));
	cr_expect_not(leftover(.state = TASK_ENDED, .keep = KEEP_ALWAYS, .keep_for = 1));
	cr_expect_not(leftover(.state = TASK_ENDED, .ended = NOW + 1000));
	cr_expect_not(leftover(.state = TASK_ENDED, .ended = INT64_MIN));
	cr_expect_not(leftover(.state = (enum task_state)77, .ended = 1));
}

Test(leftover, only_an_id_of_ours_makes_it_ours)
{
	static char strangers[][12] = {"", "true", "k3v9x2a", "k3v9x2abc", "K3V9X2AB", "k3v9-2ab"};
	struct task_record record = {.state = TASK_ENDED, .ended = 1};

	cr_expect_not(task_record_is_leftover(&record, NOW));
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		cr_expect_not(leftover(.id = strangers[i], .state = TASK_ENDED, .ended = 1), "%s",
		              strangers[i]);
}

/* Ended at any time since it was made, with any code: what may not be one was none. */
Test(leftover, what_a_list_tells_never_rules_out_one)
{
	static const int64_t ages[] = {-100, 10, 200, 299, 301, 5000};
	static const int64_t kept[] = {0, 60, 300, 4000};
	size_t ruled_out = 0, count = 0;

	for (size_t i = 0; i < 6 * 6 * 4 * 3 * 2 * 4; i++) {
		struct task_record record = {
			.id = (char *)"k3v9x2ab",
			.state = (enum task_state)(i / 864),
			.created = NOW - ages[i % 6],
			.deadline = NOW - ages[5 - i % 6],
			.ended = NOW - ages[i / 6 % 6],
			.keep_for = kept[i / 36 % 4],
			.keep = (enum keep_mode)(i / 144 % 3),
			.status = {.known = true, .code = (int)(i / 432 % 2)},
		};
		struct task_record brief = record;

		if (record.ended < record.created)
			continue;
		brief.ended = 0;
		brief.status = (struct exit_status){.known = false};
		count++;
		ruled_out += !task_record_may_be_leftover(&brief, NOW);
		cr_expect(task_record_may_be_leftover(&brief, NOW) ||
		                  !task_record_is_leftover(&record, NOW),
		          "case %zu", i);
	}
	cr_expect(ruled_out > count / 3 && ruled_out < count, "%zu of %zu", ruled_out, count);
}

Test(leftover, what_is_kept_for_a_day_is_not_asked_for_before)
{
	struct task_record brief = {.id = (char *)"k3v9x2ab",
	                            .state = TASK_ENDED,
	                            .created = NOW - 86000,
	                            .keep = KEEP_ALWAYS,
	                            .keep_for = 86400};

	cr_expect_not(task_record_may_be_leftover(&brief, NOW));
	brief.created = NOW - 86401;
	cr_expect(task_record_may_be_leftover(&brief, NOW));
	brief.keep_for = 0;
	cr_expect_not(task_record_may_be_leftover(&brief, NOW), "for good");
	brief.keep = KEEP_NEVER;
	brief.id = (char *)"yes";
	cr_expect_not(task_record_may_be_leftover(&brief, NOW), "not ours");
}
