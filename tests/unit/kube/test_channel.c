/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as they were recorded from a real kubelet (research: kubernetes 1.2), over a socket pair. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "pkg/kube/channel.h"
#include "pkg/net/upgrade.h"

#define SUCCESS "\x82\x23\x03{\"metadata\":{},\"status\":\"Success\"}"
#define CLOSE   "\x88\x02\x03\xe8"

static int peer;
static struct channel *channel;

static void open_channel(void)
{
	struct websocket *websocket = NULL;
	struct upgrade *upgrade = NULL;
	struct err err = ERR_INIT;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	cr_assert_eq(upgrade_adopt(fds[0], &upgrade, &err), 0);
	cr_assert_eq(websocket_adopt(upgrade, &websocket, &err), 0);
	cr_assert_eq(kube_channel_open(websocket, true, &channel, &err), 0);
	peer = fds[1];
}

static void close_channel(void)
{
	channel->ops->close(channel);
	if (peer >= 0)
		close(peer);
}

TestSuite(kube_channel, .init = open_channel, .fini = close_channel, .timeout = 20);

#define SERVE(literal)                                                                             \
	cr_assert_eq(write(peer, literal, sizeof(literal) - 1), (ssize_t)(sizeof(literal) - 1))

static void expect(enum chunk_stream stream, const char *text)
{
	struct chunk chunk;

	cr_assert_eq(channel->ops->read(channel, &chunk), IO_OK);
	cr_assert_eq(chunk.stream, stream);
	cr_assert_eq(chunk.length, strlen(text));
	cr_assert_eq(memcmp(chunk.bytes, text, chunk.length), 0);
}

static void expect_end(enum io_result result)
{
	struct chunk chunk;

	cr_assert_eq(channel->ops->read(channel, &chunk), result);
	if (result == IO_ERROR)
		cr_assert_neq(channel->ops->error(channel)[0], '\0');
}

/* The payload of the next frame of ours. */
static size_t receive(char *payload, size_t size)
{
	unsigned char head[6];
	size_t length;

	cr_assert_eq(recv(peer, head, 6, MSG_WAITALL), 6);
	length = head[1] & 127;
	cr_assert_leq(length, size);
	cr_assert_eq(recv(peer, payload, length, MSG_WAITALL), (ssize_t)length);
	for (size_t i = 0; i < length; i++)
		payload[i] = (char)(payload[i] ^ (char)head[2 + i % 4]);
	return length;
}

Test(kube_channel, tells_the_streams_apart)
{
	/* The first message is always an empty one on stdout. */
	SERVE("\x82\x01\x01\x82\x0b\x01got:hello\n\x82\x0b\x02"
	      "err:hello\n");
	expect(CHUNK_STDOUT, "got:hello\n");
	expect(CHUNK_STDERR, "err:hello\n");
	expect_end(IO_AGAIN);
}

Test(kube_channel, ends_in_good_order)
{
	SERVE("\x82\x02\x01x" SUCCESS CLOSE);
	expect(CHUNK_STDOUT, "x");
	expect_end(IO_EOF);
}

Test(kube_channel, an_end_without_a_verdict_is_a_broken_connection)
{
	SERVE("\x82\x02\x01x" CLOSE);
	expect(CHUNK_STDOUT, "x");
	expect_end(IO_ERROR);
}

Test(kube_channel, a_connection_that_just_ends_is_broken)
{
	SERVE("\x82\x02\x01x");
	close(peer);
	peer = -1;
	expect(CHUNK_STDOUT, "x");
	expect_end(IO_ERROR);
}

Test(kube_channel, a_message_cut_in_the_middle_is_broken)
{
	SERVE("\x82\x06\x01"
	      "abc");
	close(peer);
	peer = -1;
	expect(CHUNK_STDOUT, "abc");
	expect_end(IO_ERROR);
}

Test(kube_channel, a_failure_tells_its_words)
{
	SERVE("\x82\x2e\x03{\"status\":\"Failure\",\"message\":\"node is gone\"}" CLOSE);
	expect_end(IO_ERROR);
	cr_assert_str_eq(channel->ops->error(channel), "node is gone");
}

Test(kube_channel, passes_over_channels_it_does_not_know)
{
	SERVE("\x82\x02\x07x\x82\x00\x82\x02\x01y");
	expect(CHUNK_STDOUT, "y");
}

Test(kube_channel, sends_input_and_its_end)
{
	char payload[64];
	size_t written = 0;

	cr_assert_eq(channel->ops->write(channel, "hello\n", 6, &written), IO_OK);
	cr_assert_eq(written, 6);
	cr_assert_eq(receive(payload, sizeof(payload)), 7);
	cr_assert_eq(memcmp(payload, "\0hello\n", 7), 0);
	cr_assert_eq(channel->ops->half_close(channel), IO_OK);
	cr_assert_eq(receive(payload, sizeof(payload)), 2);
	cr_assert_eq(memcmp(payload, "\xff\0", 2), 0);
}

Test(kube_channel, tells_the_terminal_s_size)
{
	char payload[64];
	size_t length;

	cr_assert(kube_channel_resize(channel, 43, 132));
	length = receive(payload, sizeof(payload));
	payload[length] = '\0';
	cr_assert_eq(payload[0], 4);
	cr_assert_str_eq(payload + 1, "{\"Width\":132,\"Height\":43}");
}

static uint64_t asked_with;

static const char *something_is_missing(void *context, uint64_t received, struct channel **ret_rest)
{
	(void)context;
	(void)ret_rest;
	asked_with = received;
	return "the first line";
}

Test(kube_channel, asks_at_the_end_whether_all_is_there)
{
	kube_channel_set_check(channel, (struct kube_channel_check){something_is_missing, NULL});
	SERVE("\x82\x03\x01xy" SUCCESS CLOSE);
	expect(CHUNK_STDOUT, "xy");
	expect_end(IO_ERROR);
	cr_assert_eq(asked_with, 2);
	cr_assert_str_eq(channel->ops->error(channel), "the first line");
}

Test(kube_channel, breaks_a_dead_connection_off)
{
	kube_channel_tick(channel, INT64_MAX / 2);
	expect_end(IO_ERROR);
}

Test(kube_log, an_empty_log_ends_at_once)
{
	struct channel *log = NULL;
	struct err err = ERR_INIT;
	struct chunk chunk;

	cr_assert_eq(kube_log_channel_open(NULL, 0, &log, &err), 0);
	cr_assert_eq(log->ops->read(log, &chunk), IO_EOF);
	log->ops->close(log);
}
