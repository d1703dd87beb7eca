/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include "pkg/io/pump.h"

/* A channel that says what it was told, step by step, and writes down what it hears. */
struct scripted_step {
	enum io_result result;
	enum chunk_stream stream;
	const char *text;
};

struct scripted {
	struct channel base;
	const struct scripted_step *steps;
	size_t count, next, reads;
	size_t write_limit; /* of one write; 0: none */
	int again_every;    /* every n-th write says IO_AGAIN */
	int writes, half_close_agains;
	bool refuses;
	struct strbuf heard;
	int half_closes;
	int pipe[2]; /* something to poll: always readable and writable enough */
};

static int scripted_fd(const struct channel *channel)
{
	return ((const struct scripted *)channel)->pipe[0];
}

static enum io_result scripted_read(struct channel *channel, struct chunk *ret)
{
	struct scripted *scripted = (struct scripted *)channel;
	const struct scripted_step *step;

	scripted->reads++;
	if (scripted->next == scripted->count)
		return IO_AGAIN;
	step = &scripted->steps[scripted->next++];
	if (step->result == IO_OK)
		*ret = (struct chunk){step->stream, step->text, strlen(step->text)};
	return step->result;
}

static enum io_result scripted_write(struct channel *channel, const void *bytes, size_t length,
                                     size_t *ret_written)
{
	struct scripted *scripted = (struct scripted *)channel;

	if (scripted->refuses)
		return IO_EOF;
	if (scripted->again_every && ++scripted->writes % scripted->again_every == 0)
		return IO_AGAIN;
	if (scripted->write_limit && length > scripted->write_limit)
		length = scripted->write_limit;
	strbuf_add(&scripted->heard, bytes, length);
	*ret_written = length;
	return IO_OK;
}

static enum io_result scripted_half_close(struct channel *channel)
{
	struct scripted *scripted = (struct scripted *)channel;

	if (scripted->half_close_agains-- > 0)
		return IO_AGAIN;
	scripted->half_closes++;
	return IO_OK;
}

static const char *scripted_error(const struct channel *channel)
{
	(void)channel;
	return "scripted";
}

static void scripted_close(struct channel *channel)
{
	(void)channel;
}

static const struct channel_ops scripted_ops = {
	.fd = scripted_fd,
	.read = scripted_read,
	.write = scripted_write,
	.half_close = scripted_half_close,
	.error = scripted_error,
	.close = scripted_close,
};

/* The pump's own stdout and stderr are pipes here; each test is a process of its own. */
struct bench {
	struct scripted channel;
	struct pump pump;
	int out, err_out; /* our ends */
	struct strbuf got[CHUNK_STREAM_COUNT];
};

static int replace_output(int number)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
	cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	dup2(fds[1], number);
	close(fds[1]);
	return fds[0];
}

static void bench_open(struct bench *bench, const struct scripted_step *steps, size_t count,
                       int input, bool tty)
{
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	memset(bench, 0, sizeof(*bench));
	bench->channel.base.ops = &scripted_ops;
	bench->channel.steps = steps;
	bench->channel.count = count;
	cr_assert_eq(pipe2(bench->channel.pipe, O_CLOEXEC), 0);
	bench->out = replace_output(1);
	bench->err_out = replace_output(2);
	cr_assert_eq(pump_open(&bench->pump, &bench->channel.base, input, tty, &err), 0);
}

static void turn(struct bench *bench)
{
	struct loop_item items[PUMP_MAX_ITEMS];
	struct err err = ERR_INIT;
	size_t count = pump_items(&bench->pump, items);

	cr_assert_leq(count, PUMP_MAX_ITEMS);
	cr_assert_eq(loop_poll(items, count, 0, &err), 0);
	pump_turn(&bench->pump, items, count);
}

static void drain(struct bench *bench)
{
	const int fds[] = {bench->out, bench->err_out};

	for (int i = 0; i < 2; i++) {
		char bytes[4096];
		ssize_t got;

		while ((got = read(fds[i], bytes, sizeof(bytes))) > 0)
			strbuf_add(&bench->got[i], bytes, (size_t)got);
	}
}

static void bench_close(struct bench *bench)
{
	pump_close(&bench->pump);
	strbuf_release(&bench->channel.heard);
	strbuf_release(&bench->got[0]);
	strbuf_release(&bench->got[1]);
	close(bench->out);
	close(bench->err_out);
	close(bench->channel.pipe[0]);
	close(bench->channel.pipe[1]);
}

static int input_of(const char *text)
{
	int fds[2];

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
	close(fds[1]);
	return fds[0];
}

Test(pump, streams_go_where_they_belong_in_order)
{
	static const struct scripted_step steps[] = {
		{IO_OK, CHUNK_STDOUT, "one "}, {IO_OK, CHUNK_STDERR, "e1"}, {IO_AGAIN, 0, NULL},
		{IO_OK, CHUNK_STDOUT, "two"},  {IO_EOF, 0, NULL},
	};
	struct bench bench;

	bench_open(&bench, steps, ARRAY_SIZE(steps), -1, false);
	turn(&bench);
	cr_expect_not(pump_is_done(&bench.pump));
	turn(&bench);
	cr_expect(pump_is_done(&bench.pump));
	drain(&bench);
	cr_expect_str_eq(strbuf_str(&bench.got[0]), "one two");
	cr_expect_str_eq(strbuf_str(&bench.got[1]), "e1");
	cr_expect_eq(bench.pump.bytes_out[CHUNK_STDOUT], 7);
	cr_expect_eq(bench.pump.bytes_out[CHUNK_STDERR], 2);
	cr_expect_eq(pump_output_failure(&bench.pump), 0);
	bench_close(&bench);
}

Test(pump, an_error_of_the_channel_keeps_what_came_before)
{
	static const struct scripted_step steps[] = {{IO_OK, CHUNK_STDOUT, "part"},
	                                             {IO_ERROR, 0, NULL}};
	struct bench bench;

	bench_open(&bench, steps, ARRAY_SIZE(steps), -1, false);
	turn(&bench);
	drain(&bench);
	cr_expect_str_eq(strbuf_str(&bench.got[0]), "part");
	cr_expect_eq(bench.pump.channel_state, IO_ERROR);
	cr_expect(pump_is_done(&bench.pump));
	bench_close(&bench);
}

static char big[10000];

static void make_big(struct scripted_step *steps, size_t count)
{
	memset(big, 'b', sizeof(big) - 1);
	for (size_t i = 0; i < count; i++)
		steps[i] = (struct scripted_step){IO_OK, CHUNK_STDOUT, big};
}

Test(pump, a_blocked_output_stops_the_reading)
{
	struct scripted_step steps[3];
	struct bench bench;
	size_t reads;

	make_big(steps, 2);
	steps[2] = (struct scripted_step){IO_EOF, 0, NULL};
	bench_open(&bench, steps, 3, -1, false);
	turn(&bench);
	reads = bench.channel.reads;
	cr_expect_eq(reads, 1);
	cr_expect_neq(bench.pump.blocked_since, 0);
	for (int i = 0; i < 5; i++)
		turn(&bench);
	cr_expect_eq(bench.channel.reads, reads, "back-pressure");
	for (int i = 0; i < 20 && !pump_is_done(&bench.pump); i++) {
		drain(&bench);
		turn(&bench);
	}
	drain(&bench);
	cr_expect_eq(bench.got[0].length, 2 * strlen(big));
	cr_expect_eq(bench.pump.blocked_since, 0);
	bench_close(&bench);
}

Test(pump, the_rest_of_an_ended_task_goes_to_the_spool)
{
	struct scripted_step steps[5];
	struct bench bench;

	make_big(steps, 3);
	steps[3] = (struct scripted_step){IO_OK, CHUNK_STDERR, "last words"};
	steps[4] = (struct scripted_step){IO_EOF, 0, NULL};
	bench_open(&bench, steps, 5, -1, false);
	turn(&bench);
	bench.pump.task_ended = true;
	turn(&bench);
	cr_expect_eq(bench.pump.channel_state, IO_EOF, "all was read though nothing was written");
	cr_expect_not(pump_is_done(&bench.pump));
	cr_expect_not(bench.pump.spool_full);
	for (int i = 0; i < 40 && !pump_is_done(&bench.pump); i++) {
		drain(&bench);
		turn(&bench);
	}
	drain(&bench);
	cr_expect(pump_is_done(&bench.pump));
	cr_expect_eq(bench.got[0].length, 3 * strlen(big));
	cr_expect_str_eq(strbuf_str(&bench.got[1]), "last words");
	bench_close(&bench);
}

Test(pump, a_full_spool_loses_nothing_while_the_channel_waits, .timeout = 60)
{
	static char huge[(4 << 20) + 1];
	struct scripted_step steps[7];
	struct bench bench;
	size_t total = 0;

	memset(huge, 'h', sizeof(huge) - 1);
	for (int i = 0; i < 6; i++)
		steps[i] = (struct scripted_step){IO_OK, CHUNK_STDOUT, huge};
	steps[6] = (struct scripted_step){IO_EOF, 0, NULL};
	bench_open(&bench, steps, 7, -1, false);
	turn(&bench);
	bench.pump.task_ended = true;
	turn(&bench);
	cr_expect(bench.pump.spool_full);
	cr_expect_eq(bench.pump.channel_state, IO_OK);
	while (!pump_is_done(&bench.pump)) {
		drain(&bench);
		total += bench.got[0].length;
		strbuf_reset(&bench.got[0]);
		turn(&bench);
		cr_assert_leq(bench.pump.spool.data.length, SPOOL_MAX_BYTES);
	}
	drain(&bench);
	total += bench.got[0].length;
	cr_expect_eq(total, 6 * (sizeof(huge) - 1));
	bench_close(&bench);
}

Test(pump, a_full_device_ends_an_output_but_not_the_task)
{
	static const struct scripted_step steps[] = {
		{IO_OK, CHUNK_STDOUT, "lost"}, {IO_OK, CHUNK_STDERR, "kept"}, {IO_EOF, 0, NULL}};
	struct bench bench;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	bench_open(&bench, steps, ARRAY_SIZE(steps), -1, false);
	output_close(&bench.pump.outputs[0]);
	dup2(full, 1);
	output_open(&bench.pump.outputs[0], 1);
	turn(&bench);
	drain(&bench);
	cr_expect(pump_is_done(&bench.pump));
	cr_expect_eq(pump_output_failure(&bench.pump), ENOSPC);
	cr_expect_eq(bench.pump.bytes_out[CHUNK_STDOUT], 0);
	cr_expect_str_eq(strbuf_str(&bench.got[1]), "kept");
	bench_close(&bench);
	close(full);
}

Test(pump, a_reader_that_leaves_while_it_is_blocked_is_noticed)
{
	struct scripted_step steps[2];
	struct bench bench;

	make_big(steps, 1);
	steps[1] = (struct scripted_step){IO_EOF, 0, NULL};
	bench_open(&bench, steps, 2, -1, false);
	turn(&bench);
	cr_expect_not(pump_is_done(&bench.pump));
	close(bench.out);
	bench.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
	turn(&bench);
	cr_expect_eq(pump_output_failure(&bench.pump), EPIPE);
	cr_expect(pump_is_done(&bench.pump));
	bench_close(&bench);
}

Test(pump, input_is_whole_through_short_writes)
{
	int input = input_of("some input that is cut into small pieces");
	struct bench bench;

	bench_open(&bench, NULL, 0, input, false);
	bench.channel.write_limit = 3;
	bench.channel.again_every = 4;
	for (int i = 0; i < 40; i++)
		turn(&bench);
	cr_expect_str_eq(strbuf_str(&bench.channel.heard),
	                 "some input that is cut into small pieces");
	cr_expect_eq(bench.pump.bytes_in, 40);
	cr_expect_eq(bench.channel.half_closes, 1);
	cr_expect_eq(bench.pump.input, PUMP_INPUT_CLOSED);
	bench_close(&bench);
	close(input);
}

Test(pump, the_end_of_input_is_told_once_it_can_be)
{
	int input = input_of("");
	struct bench bench;

	bench_open(&bench, NULL, 0, input, false);
	bench.channel.half_close_agains = 2;
	turn(&bench);
	cr_expect_eq(bench.pump.input, PUMP_INPUT_ENDING);
	turn(&bench);
	turn(&bench);
	turn(&bench);
	cr_expect_eq(bench.channel.half_closes, 1);
	cr_expect_eq(bench.pump.input, PUMP_INPUT_CLOSED);
	bench_close(&bench);
	close(input);
}

Test(pump, a_terminal_gets_end_of_transmission_and_no_half_close)
{
	int input = input_of("ls\n");
	struct bench bench;

	bench_open(&bench, NULL, 0, input, true);
	for (int i = 0; i < 5; i++)
		turn(&bench);
	cr_expect_str_eq(strbuf_str(&bench.channel.heard), "ls\n\x04");
	cr_expect_eq(bench.channel.half_closes, 0);
	cr_expect_eq(bench.pump.input, PUMP_INPUT_CLOSED);
	bench_close(&bench);
	close(input);
}

Test(pump, a_task_that_takes_no_input_is_no_error)
{
	static const struct scripted_step steps[] = {
		{IO_AGAIN, 0, NULL}, {IO_OK, CHUNK_STDOUT, "done"}, {IO_EOF, 0, NULL}};
	int input = input_of("nobody reads this");
	struct bench bench;

	bench_open(&bench, steps, ARRAY_SIZE(steps), input, false);
	bench.channel.refuses = true;
	turn(&bench);
	cr_expect_eq(bench.pump.input, PUMP_INPUT_CLOSED);
	turn(&bench);
	drain(&bench);
	cr_expect_str_eq(strbuf_str(&bench.got[0]), "done");
	cr_expect_eq(bench.pump.bytes_in, 0);
	bench_close(&bench);
	close(input);
}

Test(pump, input_that_is_not_forwarded_is_not_asked_for)
{
	struct loop_item items[PUMP_MAX_ITEMS];
	struct bench bench;

	bench_open(&bench, NULL, 0, -1, false);
	for (size_t i = 0, count = pump_items(&bench.pump, items); i < count; i++)
		cr_expect_neq(items[i].fd, 0);
	cr_expect_eq(bench.pump.input, PUMP_INPUT_CLOSED);
	bench_close(&bench);
}
