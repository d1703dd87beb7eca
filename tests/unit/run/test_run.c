/* SPDX-License-Identifier: Apache-2.0 */
/* What a person does to a run: signals, limits, a reader that leaves. Engine faults:
 * docker/test_faults*. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include "../docker/fake_engine.h"
#include "../docker/fake_run.h"

/* The sweep's list comes right after the start's answer. */
#define RUNS "GET limit=100"

/* Sends signals to this process when the engine has seen certain requests. */
struct person {
	struct fake_engine *engine;
	const char *after[4]; /* "METHOD part of a path" */
	int signals[4];
	size_t count;
	pthread_t thread;
	bool stop;
};

static void *act(void *context)
{
	struct person *person = context;
	const struct timespec pause = {.tv_nsec = 1000000};

	for (size_t i = 0; i < person->count; i++) {
		const char *part = strchr(person->after[i], ' ') + 1;
		const char *method = *person->after[i] == 'G' ? "GET" : "POST";

		while (fake_engine_count(person->engine, method, part) == 0) {
			if (__atomic_load_n(&person->stop, __ATOMIC_RELAXED))
				return NULL;
			nanosleep(&pause, NULL);
		}
		/* What was asked shows before its answer is taken in. */
		for (int turn = 0; turn < 100; turn++)
			nanosleep(&pause, NULL);
		kill(getpid(), person->signals[i]);
	}
	return NULL;
}

static void go(struct person *person, struct fake_run *run)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	cr_assert_eq(pthread_create(&person->thread, NULL, act, person), 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	fake_run_go(run);
	__atomic_store_n(&person->stop, true, __ATOMIC_RELAXED);
	pthread_join(person->thread, NULL);
}

static void finish(struct fake_engine *engine, struct fake_run *run, int code, size_t left)
{
	cr_expect_eq(run->exit_code, code, "%s", fake_run_said(run));
	cr_expect_eq(fake_engine_left(engine), left);
	fake_engine_stop(engine);
	fake_run_release(run);
}

Test(run, one_interrupt_goes_to_the_task, .timeout = 20)
{
	const struct fake_task task = {.for_ever = true};
	struct fake_engine *engine = fake_engine_start(&task, NULL, 0);
	struct person person = {.engine = engine, .after = {RUNS}, .signals = {SIGINT}, .count = 1};
	struct fake_run run;

	fake_run_init(&run, NULL);
	go(&person, &run);
	cr_expect_eq(fake_engine_count(engine, "POST", "/kill?signal=2"), 1);
	cr_expect_eq(fake_engine_count(engine, "POST", "/kill?signal=9"), 0);
	finish(engine, &run, 130, 0);
}

Test(run, other_signals_are_passed_on, .timeout = 20)
{
	const struct fake_task task = {.for_ever = true, .ignores_term = true};
	struct fake_engine *engine = fake_engine_start(&task, NULL, 0);
	struct person person = {
		.engine = engine,
		.after = {RUNS, "POST signal=10", "POST signal=12", "POST signal=1"},
		.signals = {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM},
		.count = 4};
	struct fake_run run;

	fake_run_init(&run, NULL);
	run.request.grace_ms = 1;
	go(&person, &run);
	cr_expect_eq(fake_engine_count(engine, "POST", "/kill?signal=12"), 1);
	cr_expect_eq(fake_engine_count(engine, "POST", "/kill?signal=15"), 1);
	cr_expect_eq(fake_engine_count(engine, "POST", "/kill?signal=9"), 1, "after the grace");
	finish(engine, &run, 137, 0);
}

Test(run, the_second_interrupt_kills, .timeout = 20)
{
	const struct fake_task task = {.for_ever = true, .ignores_term = true};
	struct fake_engine *engine = fake_engine_start(&task, NULL, 0);
	struct person person = {.engine = engine,
	                        .after = {RUNS, "POST signal=2"},
	                        .signals = {SIGINT, SIGINT},
	                        .count = 2};
	struct fake_run run;

	fake_run_init(&run, NULL);
	go(&person, &run);
	cr_expect_lt(run.took_ms, 5000);
	finish(engine, &run, 137, 0);
}

Test(run, the_third_interrupt_leaves, .timeout = 20)
{
	const struct fake_task task = {.for_ever = true, .ignores_term = true};
	const struct fake_rule rules[] = {{"POST", "/kill", FAKE_REPLY, 204, "", 0, 0}};
	struct fake_engine *engine = fake_engine_start(&task, rules, 1);
	struct person person = {.engine = engine,
	                        .after = {RUNS, "POST signal=2", "POST signal=9"},
	                        .signals = {SIGINT, SIGINT, SIGTERM},
	                        .count = 3};
	struct fake_run run;

	fake_run_init(&run, NULL);
	go(&person, &run);
	cr_expect(run.outcome.left_behind);
	cr_expect_lt(run.took_ms, 5000);
	cr_expect_eq(fake_engine_count(engine, "DELETE", ""), 0);
	finish(engine, &run, 121, 1);
}

Test(run, a_signal_during_create_leaves_nothing, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/create", FAKE_FREEZE, 0, NULL, 0, 0}};
	const struct fake_task task = {.for_ever = true};
	struct fake_engine *engine = fake_engine_start(&task, rules, 1);
	struct person person = {
		.engine = engine, .after = {"POST /create"}, .signals = {SIGTERM}, .count = 1};
	struct fake_run run;

	fake_run_init(&run, NULL);
	go(&person, &run);
	cr_expect_not(run.outcome.started);
	cr_expect_eq(run.outcome.interrupted_by, SIGTERM);
	cr_expect_geq(fake_engine_count(engine, "GET", "-oneoff-"), 2, "it may come late");
	finish(engine, &run, 128 + SIGTERM, 0);
}

Test(run, a_signal_while_start_hangs_leaves_nothing, .timeout = 20)
{
	const struct fake_rule rules[] = {{"POST", "/start", FAKE_FREEZE, 0, NULL, 0, 0}};
	const struct fake_task task = {.for_ever = true};
	struct fake_engine *engine = fake_engine_start(&task, rules, 1);
	struct person person = {
		.engine = engine, .after = {"POST /start"}, .signals = {SIGINT}, .count = 1};
	struct fake_run run;

	fake_run_init(&run, NULL);
	go(&person, &run);
	finish(engine, &run, 130, 0);
}

Test(run, the_time_limit_ends_the_task, .timeout = 20)
{
	const struct fake_task task = {.for_ever = true, .ignores_term = true};
	struct fake_engine *engine = fake_engine_start(&task, NULL, 0);
	struct fake_run run;

	fake_run_init(&run, NULL);
	run.request.timeout_ms = 100;
	run.request.grace_ms = 100;
	fake_run_go(&run);
	cr_expect(run.outcome.timed_out);
	cr_expect_eq(fake_engine_count(engine, "POST", "/kill?signal=15"), 1);
	cr_expect_eq(fake_engine_count(engine, "POST", "/kill?signal=9"), 1);
	finish(engine, &run, 124, 0);
}

Test(run, a_reader_that_leaves_stops_the_task, .timeout = 20)
{
	const struct fake_task task = {
		.stream = "\1\0\0\0\0\0\0\5hello", .stream_length = 13, .for_ever = true};
	struct fake_engine *engine = fake_engine_start(&task, NULL, 0);
	struct fake_run run;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	close(fds[0]);
	fake_run_init(&run, NULL);
	run.output_fd = fds[1];
	fake_run_go(&run);
	cr_expect(run.outcome.reader_gone);
	cr_expect_eq(fake_engine_count(engine, "POST", "/kill?signal=15"), 1);
	finish(engine, &run, 128 + SIGPIPE, 0);
	close(fds[1]);
}

Test(run, a_full_disk_is_told, .timeout = 20)
{
	const struct fake_task task = {
		.stream = "\1\0\0\0\0\0\0\5hello", .stream_length = 13, .end_after_ms = 50};
	struct fake_engine *engine = fake_engine_start(&task, NULL, 0);
	struct fake_run run;

	fake_run_init(&run, NULL);
	run.output_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	fake_run_go(&run);
	cr_expect(run.outcome.output_lost);
	cr_expect_neq(run.exit_code, 0);
	cr_expect_not_null(strstr(fake_run_said(&run), "No space left"));
	close(run.output_fd);
	finish(engine, &run, run.exit_code, 0);
}

/* A reader that never reads again must not hold us when somebody wants us to end. */
Test(run, a_blocked_reader_is_left_by_a_signal_after_the_end, .timeout = 20)
{
	static char stream[70000];
	struct fake_task task = {.stream = stream, .code = 137};
	struct fake_engine *engine;
	/* With this code the events are asked for, which is when the verdict is in. */
	struct person person = {.after = {"GET /events"}, .signals = {SIGTERM}, .count = 1};
	struct fake_run run;
	int fds[2];

	for (int i = 0; i < 2; i++) {
		memcpy(stream + task.stream_length, "\1\0\0\0\0\0\x75\x30", 8);
		memset(stream + task.stream_length + 8, 'x', 30000);
		task.stream_length += 30008;
	}
	engine = fake_engine_start(&task, NULL, 0);
	person.engine = engine;
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
	fake_run_init(&run, NULL);
	run.output_fd = fds[1];
	go(&person, &run);
	cr_expect(run.outcome.output_lost);
	cr_expect_lt(run.took_ms, 5000);
	finish(engine, &run, 137, 0);
	close(fds[0]);
	close(fds[1]);
}

Test(run, kept_when_asked, .timeout = 60)
{
	static const struct {
		enum keep_mode keep;
		int code;
		size_t left;
	} cases[] = {
		{KEEP_NEVER, 0, 0},  {KEEP_NEVER, 3, 0},  {KEEP_FAILED, 0, 0},
		{KEEP_FAILED, 3, 1}, {KEEP_ALWAYS, 0, 1}, {KEEP_ALWAYS, 3, 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_task task = {.code = cases[i].code};
		struct fake_engine *engine = fake_engine_start(&task, NULL, 0);
		struct fake_run run;

		fake_run_init(&run, NULL);
		run.request.keep = cases[i].keep;
		fake_run_go(&run);
		finish(engine, &run, cases[i].code, cases[i].left);
	}
}

Test(run, the_way_goes_attach_wait_start, .timeout = 20)
{
	const struct fake_task task = {.code = 0};
	const struct fake_rule rules[] = {{"POST", "/wait", FAKE_REPLY, 500, "no", 0, 0}};
	struct fake_engine *engine = fake_engine_start(&task, rules, 1);
	struct fake_run run;

	fake_run_init(&run, NULL);
	fake_run_go(&run);
	cr_expect_eq(fake_engine_count(engine, "POST", "/attach"), 1);
	cr_expect_eq(fake_engine_count(engine, "POST", "/start"), 0);
	cr_expect_eq(fake_engine_count(engine, "DELETE", "force=1&v=1"), 1);
	finish(engine, &run, 125, 0);
}
