/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "docker_bench.h"

#define RUNNING                                                                                    \
	"{\"Status\":\"running\",\"Running\":true,\"StartedAt\":\"2026-11-21T03:10:00.5Z\","       \
	"\"FinishedAt\":\"0001-01-01T00:00:00Z\"}"
#define ENDED(code)                                                                                \
	"{\"Status\":\"exited\",\"Running\":false,\"ExitCode\":" #code                             \
	",\"StartedAt\":\"2026-11-21T03:10:00Z\",\"FinishedAt\":\"2026-11-21T03:10:27Z\"}"
#define LABELS(id, more) "{\"dev.oneoff.id\":\"" id "\"" more "}"

struct seen {
	struct task_record records[8];
	size_t count, stop_at;
};

static int remember(void *context, struct task_record *record, struct err *err)
{
	struct seen *seen = context;

	seen->records[seen->count++] = *record;
	*record = (struct task_record)TASK_RECORD_INIT;
	return seen->count == seen->stop_at ? err_set(err, ERR_INTERNAL, "enough") : 0;
}

static void forget(struct seen *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		task_record_release(&seen->records[i]);
	*seen = (struct seen){.count = 0};
}

static int list(struct docker_bench *bench, bool all, struct seen *seen)
{
	const struct list_query query = {.all = all};

	return docker_list(bench->backend, &query, remember, seen, &bench->err);
}

Test(list, live_ones_and_on_demand_ended_ones, .timeout = 20)
{
	struct docker_bench bench;
	struct seen seen = {.count = 0};
	const char *live;

	docker_bench_open(&bench, NULL, NULL, 0);
	live = fake_engine_add(bench.engine, "a",
	                       LABELS("aaaa2222", ",\"dev.oneoff.user\":\"ana\""), RUNNING);
	fake_engine_add(bench.engine, "b", LABELS("bbbb3333", ""), ENDED(7));
	fake_engine_add(bench.engine, "c", "{\"some\":\"label\"}", RUNNING);
	cr_assert_eq(list(&bench, false, &seen), 0, "%s", bench.err.message);
	cr_assert_eq(seen.count, 1);
	cr_expect_str_eq(seen.records[0].id, "aaaa2222");
	cr_expect_str_eq(seen.records[0].name, "a");
	cr_expect_str_eq(seen.records[0].handle, live);
	cr_expect_str_eq(seen.records[0].platform, "docker");
	cr_expect_str_eq(seen.records[0].user, "ana");
	cr_expect_eq(seen.records[0].state, TASK_RUNNING);
	cr_expect_gt(seen.records[0].started, 0);
	cr_expect_eq(seen.records[0].ended, 0);
	forget(&seen);
	cr_assert_eq(list(&bench, true, &seen), 0);
	cr_assert_eq(seen.count, 2);
	cr_expect_eq(seen.records[1].state, TASK_ENDED);
	cr_expect(seen.records[1].status.known);
	cr_expect_eq(seen.records[1].status.code, 7);
	cr_expect_eq(seen.records[1].ended - seen.records[1].started, 27);
	forget(&seen);
	docker_bench_close(&bench);
}

Test(list, one_that_goes_meanwhile_is_passed_over_but_a_failure_is_none, .timeout = 20)
{
	static const struct {
		int status;
		const char *body;
		int result;
	} cases[] = {
		{404, "{\"message\":\"No such container\"}", 0},
		{500, "{\"message\":\"container X: no such container\"}", 0},
		{500, "{\"message\":\"disk on fire\"}", -1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_rule rules[] = {{"GET", "/containers/000", FAKE_REPLY,
		                                   cases[i].status, cases[i].body, 0, 1}};
		struct docker_bench bench;
		struct seen seen = {.count = 0};

		docker_bench_open(&bench, NULL, rules, 1);
		fake_engine_add(bench.engine, "a", LABELS("aaaa2222", ""), RUNNING);
		fake_engine_add(bench.engine, "b", LABELS("bbbb3333", ""), RUNNING);
		cr_expect_eq(list(&bench, false, &seen), cases[i].result, "case %zu", i);
		cr_expect_eq(seen.count, cases[i].result == 0, "case %zu", i);
		forget(&seen);
		docker_bench_close(&bench);
	}
}

Test(list, the_visitor_can_end_it, .timeout = 20)
{
	struct docker_bench bench;
	struct seen seen = {.stop_at = 1};

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "a", LABELS("aaaa2222", ""), RUNNING);
	fake_engine_add(bench.engine, "b", LABELS("bbbb3333", ""), RUNNING);
	cr_expect_eq(list(&bench, false, &seen), -1);
	cr_expect_str_eq(bench.err.message, "enough");
	cr_expect_eq(seen.count, 1);
	forget(&seen);
	docker_bench_close(&bench);
}

static enum task_state state_of(const char *state, char detail[128])
{
	struct docker_bench bench;
	struct seen seen = {.count = 0};
	enum task_state result;

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "a", LABELS("aaaa2222", ""), state);
	cr_assert_eq(list(&bench, true, &seen), 0);
	cr_assert_eq(seen.count, 1);
	result = seen.records[0].state;
	snprintf(detail, 128, "%s", seen.records[0].detail);
	forget(&seen);
	docker_bench_close(&bench);
	return result;
}

Test(list, states_and_the_engine_s_words_for_them, .timeout = 60)
{
	static const struct {
		const char *state;
		enum task_state is;
		const char *detail;
	} cases[] = {
		{"{\"Status\":\"created\"}", TASK_CREATED, ""},
		{"{\"Status\":\"configured\"}", TASK_CREATED, ""},
		{"{\"Status\":\"paused\",\"Running\":true}", TASK_RUNNING, "paused"},
		{"{\"Status\":\"paused\"}", TASK_RUNNING, "paused"},
		{"{\"Status\":\"stopped\"}", TASK_ENDED, ""},
		{"{\"Status\":\"dead\"}", TASK_ENDED, "dead"},
		{"{\"Status\":\"hibernating\"}", TASK_UNKNOWN, "hibernating"},
		{"{}", TASK_UNKNOWN, ""},
	};
	char detail[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_expect_eq(state_of(cases[i].state, detail), cases[i].is, "%s", cases[i].state);
		cr_expect_str_eq(detail, cases[i].detail);
	}
}

/* The guardian comes at the second after the deadline; nobody else tells a detached task's time limit. */
Test(list, a_detached_task_that_ended_after_its_deadline_was_timed_out, .timeout = 20)
{
	static const struct {
		const char *deadline, *more;
		bool timed_out;
	} cases[] = {
		{"2026-11-21T03:10:26Z", ",\"dev.oneoff.detached\":\"true\"", true},
		{"2026-11-21T03:10:27Z", ",\"dev.oneoff.detached\":\"true\"", true},
		{"2026-11-21T03:10:28Z", ",\"dev.oneoff.detached\":\"true\"", false},
		{"2026-11-21T03:10:26Z", "", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct docker_bench bench;
		struct seen seen = {.count = 0};
		char labels[300];

		snprintf(labels, sizeof(labels),
		         LABELS("aaaa2222", ",\"dev.oneoff.deadline\":\"%s\"%s"), cases[i].deadline,
		         cases[i].more);
		docker_bench_open(&bench, NULL, NULL, 0);
		fake_engine_add(bench.engine, "a", labels, ENDED(137));
		cr_assert_eq(list(&bench, true, &seen), 0);
		cr_expect_eq(seen.records[0].status.timed_out, cases[i].timed_out, "case %zu", i);
		forget(&seen);
		docker_bench_close(&bench);
	}
}

static int note_name(void *context, const char *name, struct err *err)
{
	struct strbuf *names = context;

	(void)err;
	strbuf_addf(names, "%s ", name);
	return 0;
}

Test(sources, are_containers_and_services_but_no_one_offs, .timeout = 20)
{
	static const char service[] =
		"{\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"api\"}";
	_cleanup_(strbuf_release) struct strbuf names = STRBUF_INIT;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "shop-api-1", service, RUNNING);
	fake_engine_add(bench.engine, "shop-api-2", service, RUNNING);
	fake_engine_add(bench.engine, "web-oneoff-aaaa2222", LABELS("aaaa2222", ""), RUNNING);
	cr_assert_eq(docker_sources(bench.backend, note_name, &names, &bench.err), 0);
	cr_expect_str_eq(strbuf_str(&names), "web shop-api-1 compose:shop/api shop-api-2 ");
	docker_bench_close(&bench);
}
