/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between client and monitor, and the streams that are not the task's own descriptors. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include "oci/message.h"
#include "oci/oci_internal.h"

Test(message, carries_text_and_descriptors)
{
	struct message sent = {.type = MESSAGE_STARTED, .number = 42, .text = "hello"};
	int pair[2], pipes[2], fds[MESSAGE_MAX_FDS];
	struct err err = ERR_INIT;
	struct message got;
	char byte = 0;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	cr_assert_eq(message_receive(pair[1], false, &got, fds, &err), 0);
	cr_assert_eq(pipe(pipes), 0);
	cr_assert_eq(message_send(pair[0], &sent, &pipes[1], 1, &err), 0);
	cr_assert_eq(message_receive(pair[1], true, &got, fds, &err), 1);
	cr_assert_eq(got.number, 42);
	cr_assert_str_eq(got.text, "hello");
	cr_assert_eq(fds[1], -1);
	cr_assert(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(write(fds[0], "x", 1), 1);
	cr_assert_eq(read(pipes[0], &byte, 1), 1);
	cr_assert_eq(byte, 'x');
	close(pair[0]);
	cr_assert_eq(message_receive(pair[1], true, &got, fds, &err), -1);
	cr_assert_eq(err.kind, ERR_LOST);
	cr_assert_eq(message_send(pair[1], &sent, NULL, 0, &err), -1);
}

Test(message, of_another_size_is_none)
{
	int pair[2], fds[MESSAGE_MAX_FDS];
	struct err err = ERR_INIT;
	struct message got;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	cr_assert_eq(write(pair[0], "short", 5), 5);
	cr_assert_eq(message_receive(pair[1], true, &got, fds, &err), -1);
	cr_assert_eq(err.kind, ERR_LOST);
}

static bool is_readable(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN};

	return poll(&item, 1, 0) == 1;
}

Test(channel, moves_both_outputs_and_ends_with_the_task)
{
	int out[2], error_output[2];
	struct channel *channel;
	struct chunk chunk;

	cr_assert_eq(pipe(out), 0);
	cr_assert_eq(pipe(error_output), 0);
	channel = oci_channel_new(-1, out[0], error_output[0], false);
	cr_assert_eq(channel->ops->read(channel, &chunk), IO_AGAIN);
	cr_assert(!is_readable(channel->ops->fd(channel)));
	cr_assert_eq(write(error_output[1], "oops", 4), 4);
	cr_assert(is_readable(channel->ops->fd(channel)));
	cr_assert_eq(channel->ops->read(channel, &chunk), IO_OK);
	cr_assert_eq(chunk.stream, CHUNK_STDERR);
	cr_assert_eq(chunk.length, 4);
	close(error_output[1]);
	close(out[1]);
	/* A task may close its output and work on; nothing is there to wake up for. */
	cr_assert_eq(channel->ops->read(channel, &chunk), IO_AGAIN);
	cr_assert(!is_readable(channel->ops->fd(channel)));
	oci_channel_set_ended(channel);
	cr_assert_eq(channel->ops->read(channel, &chunk), IO_EOF);
	channel->ops->close(channel);
}

Test(channel, takes_input_until_it_is_full_or_refused)
{
	static char bytes[1 << 20];
	struct channel *channel;
	size_t written = 0;
	int in[2];

	signal(SIGPIPE, SIG_IGN); /* as main does */
	cr_assert_eq(pipe(in), 0);
	channel = oci_channel_new(in[1], -1, -1, false);
	cr_assert_eq(channel->ops->write_fd(channel), in[1]);
	cr_assert_eq(channel->ops->write(channel, bytes, sizeof(bytes), &written), IO_OK);
	cr_assert_lt(written, sizeof(bytes));
	cr_assert_eq(channel->ops->write(channel, bytes, sizeof(bytes), &written), IO_AGAIN);
	close(in[0]);
	cr_assert_eq(channel->ops->write(channel, bytes, 1, &written), IO_EOF);
	cr_assert_eq(channel->ops->half_close(channel), IO_OK);
	cr_assert_eq(channel->ops->write_fd(channel), -1);
	channel->ops->close(channel);
}

Test(channel, ends_a_terminal_only_with_the_task)
{
	struct channel *channel = oci_channel_new(-1, -1, -1, true);
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct chunk chunk;
	int slave;

	cr_assert_eq(channel->ops->fd(channel), -1);
	cr_assert_eq(channel->ops->read(channel, &chunk), IO_AGAIN);
	cr_assert_eq(grantpt(master), 0);
	cr_assert_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	oci_channel_set_terminal(channel, master);
	cr_assert_eq(write(slave, "hi", 2), 2);
	cr_assert_eq(channel->ops->read(channel, &chunk), IO_OK);
	cr_assert_eq(chunk.length, 2);
	close(slave);
	cr_assert_eq(channel->ops->read(channel, &chunk), IO_AGAIN);
	oci_channel_set_ended(channel);
	cr_assert_eq(channel->ops->read(channel, &chunk), IO_EOF);
	channel->ops->close(channel);
}
