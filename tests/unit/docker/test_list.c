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

/* ---- what the list alone tells ----------------------------------------------------------------- */

static bool is_b(void *context, const struct task_record *brief)
{
	(void)context;
	return *brief->id == 'b';
}

static size_t count_looks(struct docker_bench *bench)
{
	return fake_engine_count(bench->engine, "GET", "/containers/000");
}

/* Whoever has ten thousand ended ones asks for none of them, unless it is to be told. */
Test(list, only_what_is_wanted_is_asked_for, .timeout = 20)
{
	struct list_query query = {.all = true, .wanted = is_b};
	struct docker_bench bench;
	struct seen seen = {.count = 0};

	docker_bench_open(&bench, NULL, NULL, 0);
	fake_engine_add(bench.engine, "a", LABELS("aaaa2222", ""), ENDED(0));
	fake_engine_add(bench.engine, "b", LABELS("bbbb3333", ""), ENDED(7));
	fake_engine_add(bench.engine, "c", LABELS("cccc4444", ""), RUNNING);
	cr_assert_eq(docker_list(bench.backend, &query, remember, &seen, &bench.err), 0);
	cr_assert_eq(seen.count, 1);
	cr_expect_eq(seen.records[0].status.code, 7);
	cr_expect_eq(count_looks(&bench), 1);
	forget(&seen);
	query = (struct list_query){.all = true, .brief = true};
	cr_assert_eq(docker_list(bench.backend, &query, remember, &seen, &bench.err), 0);
	cr_assert_eq(seen.count, 3);
	cr_expect_str_eq(seen.records[1].name, "b");
	cr_expect_eq(seen.records[1].state, TASK_ENDED);
	cr_expect_not(seen.records[1].status.known);
	cr_expect_eq(count_looks(&bench), 1);
	forget(&seen);
	cr_assert_eq(list(&bench, false, &seen), 0);
	cr_expect_eq(seen.count, 1);
	cr_expect_eq(count_looks(&bench), 2);
	forget(&seen);
	docker_bench_close(&bench);
}

/* Docker leaves ended ones out itself; Podman knows other states by version, and refuses what it does not know. */
Test(list, docker_is_told_which_states_are_wanted, .timeout = 40)
{
	static const struct fake_task podman = {.podman = true};

	for (int i = 0; i < 2; i++) {
		struct docker_bench bench;
		struct seen seen = {.count = 0};

		docker_bench_open(&bench, i ? &podman : NULL, NULL, 0);
		cr_assert_eq(list(&bench, false, &seen), 0);
		cr_expect_eq(fake_engine_count(bench.engine, "GET", "%22status%22"), i ? 0 : 1);
		cr_assert_eq(list(&bench, true, &seen), 0);
		cr_expect_eq(fake_engine_count(bench.engine, "GET", "%22status%22"), i ? 0 : 1);
		docker_bench_close(&bench);
	}
}

static struct task_record brief_of(struct docker_bench *bench, const char *json)
{
	_cleanup_(json_free) cJSON *item = NULL;
	struct task_record record = TASK_RECORD_INIT;

	cr_assert_eq(json_parse(json, strlen(json), JSON_MAX_BYTES, &item, &bench->err), 0);
	cr_assert_eq(docker_brief(bench->docker, item, &record, &bench->err), 1, "%s",
	             bench->err.message);
	return record;
}

Test(list, an_item_tells_names_labels_and_age, .timeout = 20)
{
	struct task_record record;
	struct docker_bench bench;

	docker_bench_open(&bench, NULL, NULL, 0);
	record = brief_of(&bench,
	                  "{\"Id\":\"77\",\"Names\":[\"/web/db\",\"/one\"],\"Image\":\"shop\","
	                  "\"ImageID\":\"sha256:1\",\"Created\":1795283191,\"State\":\"exited\","
	                  "\"Labels\":" LABELS("aaaa2222", ",\"dev.oneoff.keep\":\"always\"") "}");
	cr_expect_str_eq(record.handle, "77");
	cr_expect_str_eq(record.name, "one");
	cr_expect_str_eq(record.image, "shop");
	cr_expect_str_eq(record.digest, "sha256:1");
	cr_expect_eq(record.created, 1795283191);
	cr_expect_eq(record.state, TASK_ENDED);
	cr_expect_eq(record.keep, KEEP_ALWAYS);
	task_record_release(&record);
	record = brief_of(&bench,
	                  "{\"Id\":\"77\",\"Names\":null,\"State\":\"removing\",\"Labels\":" LABELS(
				  "aaaa2222", "") "}");
	cr_expect_str_eq(record.name, "77");
	cr_expect_eq(record.state, TASK_UNKNOWN, "it may run until then");
	task_record_release(&record);
	docker_bench_close(&bench);
}

/* ---- long lists -------------------------------------------------------------------------------- */

/* A list of `count` that is some times the window long. */
static void write_list(struct strbuf *text, size_t count)
{
	char filler[1024];

	memset(filler, 'x', sizeof(filler));
	strbuf_addc(text, '[');
	for (size_t i = 0; i < count; i++)
		strbuf_addf(text, "%s{\"Id\":\"%zu\",\"Filler\":\"%.*s\"}", i ? "," : "", i,
		            (int)sizeof(filler), filler);
	strbuf_addc(text, ']');
}

struct counting {
	struct docker *docker;
	size_t count;
};

/* Each in its order, and now and then a question in between, as the list has it. */
static int count_item(void *context, const cJSON *item, struct err *err)
{
	struct counting *counting = context;
	_cleanup_(json_free) cJSON *web = NULL;
	char id[32];

	snprintf(id, sizeof(id), "%zu", counting->count++);
	if (strcmp(json_string(item, "Id"), id) != 0)
		return err_set(err, ERR_INTERNAL, "%s is not %s", json_string(item, "Id"), id);
	if (counting->count % 500 == 7)
		return docker_json(counting->docker, "GET", "/containers/web/json", NULL, &web,
		                   err);
	return 0;
}

static int each(struct docker_bench *bench, size_t *ret_count)
{
	struct counting counting = {.docker = bench->docker};
	int result =
		docker_each(bench->docker, "/containers/json", count_item, &counting, &bench->err);

	*ret_count = counting.count;
	return result;
}

Test(each, a_list_that_is_longer_than_the_window, .timeout = 30)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct fake_rule rule = {"GET", "/containers/json", FAKE_REPLY, 200, NULL, 0, 0};
	struct docker_bench bench;
	size_t count;

	write_list(&text, 2000);
	rule.body = strbuf_str(&text);
	docker_bench_open(&bench, NULL, &rule, 1);
	cr_assert_eq(each(&bench, &count), 0, "%s", bench.err.message);
	cr_expect_eq(count, 2000);
	cr_expect_eq(fake_engine_count(bench.engine, "GET", "/containers/web/json"), 4);
	docker_bench_close(&bench);
}

Test(each, what_is_no_list_and_a_refusal_are_errors, .timeout = 60)
{
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} cases[] = {
		{200, "{\"message\":\"hello\"}", ERR_PROTOCOL},
		{200, "[{\"Id\":\"0\"},{\"Id\":\"1\"}", ERR_PROTOCOL},
		{200, "", ERR_PROTOCOL},
		{500, "{\"message\":\"disk on fire\"}", ERR_REFUSED},
		{403, "[]", ERR_DENIED},
		{302, "[]", ERR_REFUSED},
		{200, "null\n", ERR_NONE},
		{200, "[]\n", ERR_NONE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_rule rule = {
			"GET", "/containers/json", FAKE_REPLY, cases[i].status, cases[i].body, 0,
			0};
		struct docker_bench bench;
		size_t count;

		docker_bench_open(&bench, NULL, &rule, 1);
		cr_expect_eq(each(&bench, &count), cases[i].kind ? -1 : 0, "case %zu", i);
		cr_expect_eq(bench.err.kind, cases[i].kind, "case %zu: %s", i, bench.err.message);
		docker_bench_close(&bench);
	}
}

Test(each, an_engine_that_falls_silent_is_told, .timeout = 30)
{
	const struct fake_rule rule = {"GET", "/containers/json", FAKE_FREEZE, 0, NULL, 0, 0};
	struct docker_bench bench;
	size_t count;

	docker_bench_open(&bench, NULL, &rule, 1);
	bench.docker->call_timeout_ms = 200;
	cr_expect_eq(each(&bench, &count), -1);
	cr_expect_eq(bench.err.kind, ERR_START_TIMEOUT);
	docker_bench_close(&bench);
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
