/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/operate.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "tests/integration/engine.h"

void run_with_code(struct run *run, int code, const char *const *arguments)
{
	run_all(run, &(struct run_spec){.argv = arguments, .deadline_ms = 60000});
	cr_assert_eq(run->code, code, "%s: " RUN_FORMAT, arguments[0], RUN_ARGS(run));
}

void expect_code(int code, const char *const *arguments)
{
	struct run run;

	run_with_code(&run, code, arguments);
	run_release(&run);
}

void start_detached(char id[ID_SIZE], const char *const *arguments)
{
	struct run run;

	run_with_code(&run, 0, arguments);
	cr_assert(!run.held_open, "somebody holds its stdout: " RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(run.out.count, 9, RUN_FORMAT, RUN_ARGS(&run));
	cr_assert_eq(strspn(run.out.text, "abcdefghijklmnopqrstuvwxyz0123456789"), 8, RUN_FORMAT,
	             RUN_ARGS(&run));
	cr_assert_eq(run.out.text[8], '\n');
	cr_assert(chatter_only(&run.err), RUN_FORMAT, RUN_ARGS(&run));
	snprintf(id, ID_SIZE, "%.8s", run.out.text);
	run_release(&run);
}

cJSON *listed(const char *id, bool all)
{
	cJSON *list, *item, *found = NULL;
	struct run run;

	run_with_code(&run, 0, ARGUMENTS("list", "-q", "-o", "json", all ? "--all" : NULL));
	list = cJSON_Parse(run.out.text);
	cr_assert(cJSON_IsArray(list), "no JSON: " RUN_FORMAT, RUN_ARGS(&run));
	cJSON_ArrayForEach (item, list) {
		if (strcmp(text_of(item, "id"), id) != 0)
			continue;
		cr_assert_null(found, "%s stands twice: %s", id, run.out.text);
		found = item;
	}
	if (found)
		found = cJSON_Duplicate(found, true);
	cJSON_Delete(list);
	run_release(&run);
	return found;
}

bool wait_listed(const char *id, const char *state)
{
	int64_t until = now_ms() + 10000;
	bool is_there = false;

	while (!is_there && now_ms() < until) {
		cJSON *item = listed(id, true);

		is_there = strcmp(text_of(item, "state"), state) == 0;
		cJSON_Delete(item);
		if (!is_there)
			pause_ms(50);
	}
	return is_there;
}

void wait_logged(const char *id, const char *words)
{
	struct run run;

	for (int tries = 0;; tries++) {
		run_all(&run, &(struct run_spec){ARGV("logs", id)});
		if (strstr(run.out.text, words)) {
			run_release(&run);
			return;
		}
		cr_assert_lt(tries, 100, RUN_FORMAT, RUN_ARGS(&run));
		run_release(&run);
		pause_ms(100);
	}
}
