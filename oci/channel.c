/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The streams of a task that are not its own descriptors: a pseudo-terminal, or pipes in the place of each of
 * our descriptors that is a terminal or not open (a task without a terminal must not get ours: it could
 * read what is typed to the shell, and write to it).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include "oci/oci_internal.h"

#define READ_SIZE ((size_t)64 << 10)

struct oci_channel {
	struct channel base;
	bool tty;
	bool ended;   /* the task is gone: an empty stream has ended */
	int epoll_fd; /* over our ends of the output pipes */
	int input;    /* -1: none */
	int outputs[CHUNK_STREAM_COUNT];
	int master;
	int fault;
	char bytes[READ_SIZE];
};

static struct oci_channel *self(const struct channel *channel)
{
	return (struct oci_channel *)channel;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int channel_fd(const struct channel *channel)
{
	return self(channel)->tty ? self(channel)->master : self(channel)->epoll_fd;
}

static int channel_write_fd(const struct channel *channel)
{
	return self(channel)->tty ? self(channel)->master : self(channel)->input;
}

static enum io_result read_one(struct oci_channel *channel, int *fd, enum chunk_stream stream,
                               struct chunk *ret)
{
	ssize_t got;

	if (*fd < 0)
		return IO_EOF;
	do
		got = read(*fd, channel->bytes, READ_SIZE);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		*ret = (struct chunk){stream, channel->bytes, (size_t)got};
		return IO_OK;
	}
	if (got < 0 && errno == EAGAIN)
		return IO_AGAIN;
	/* EIO is how a terminal ends (pty(7)). */
	if (got < 0 && errno != EIO) {
		channel->fault = errno;
		return IO_ERROR;
	}
	close_fd(fd);
	return IO_EOF;
}

/* Streams that ended before the task did are waited for no more; the end of all is told when it is gone,
 * because a task may close its output and work on. */
static enum io_result channel_read(struct channel *channel, struct chunk *ret)
{
	struct oci_channel *own = self(channel);
	bool open = false;

	if (own->tty) {
		enum io_result result = read_one(own, &own->master, CHUNK_STDOUT, ret);

		return result == IO_EOF && !own->ended ? IO_AGAIN : result;
	}
	for (int i = 0; i < CHUNK_STREAM_COUNT; i++) {
		enum io_result result = read_one(own, &own->outputs[i], (enum chunk_stream)i, ret);

		if (result == IO_OK || result == IO_ERROR)
			return result;
		open |= result == IO_AGAIN;
	}
	return open || !own->ended ? IO_AGAIN : IO_EOF;
}

static enum io_result channel_write(struct channel *channel, const void *bytes, size_t length,
                                    size_t *ret_written)
{
	struct oci_channel *own = self(channel);
	int fd = own->tty ? own->master : own->input;
	ssize_t written;

	if (fd < 0)
		return own->tty && !own->ended ? IO_AGAIN : IO_EOF;
	do
		written = write(fd, bytes, length);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return errno == EAGAIN ? IO_AGAIN : IO_EOF;
	*ret_written = (size_t)written;
	return IO_OK;
}

static enum io_result channel_half_close(struct channel *channel)
{
	close_fd(&self(channel)->input);
	return IO_OK;
}

static const char *channel_error(const struct channel *channel)
{
	return strerror(self(channel)->fault);
}

static void channel_close(struct channel *channel)
{
	struct oci_channel *own = self(channel);

	close_fd(&own->input);
	close_fd(&own->outputs[CHUNK_STDOUT]);
	close_fd(&own->outputs[CHUNK_STDERR]);
	close_fd(&own->master);
	close_fd(&own->epoll_fd);
	free(own);
}

static const struct channel_ops oci_channel_ops = {
	.fd = channel_fd,
	.write_fd = channel_write_fd,
	.read = channel_read,
	.write = channel_write,
	.half_close = channel_half_close,
	.error = channel_error,
	.close = channel_close,
};

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

struct channel *oci_channel_new(int input, int output, int error_output, bool tty)
{
	struct oci_channel *own = malloc(sizeof(*own));
	struct epoll_event event = {.events = EPOLLIN};

	if (!own)
		return NULL;
	own->base.ops = &oci_channel_ops;
	own->tty = tty;
	own->ended = false;
	own->fault = 0;
	own->master = -1;
	own->input = input;
	own->outputs[CHUNK_STDOUT] = output;
	own->outputs[CHUNK_STDERR] = error_output;
	own->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (input >= 0)
		set_nonblocking(input);
	/* A closed pipe leaves the set by itself. */
	for (int i = 0; i < CHUNK_STREAM_COUNT; i++)
		if (own->outputs[i] >= 0) {
			set_nonblocking(own->outputs[i]);
			(void)epoll_ctl(own->epoll_fd, EPOLL_CTL_ADD, own->outputs[i], &event);
		}
	return &own->base;
}

void oci_channel_set_terminal(struct channel *channel, int master)
{
	self(channel)->master = master;
	set_nonblocking(master);
}

void oci_channel_set_ended(struct channel *channel)
{
	self(channel)->ended = true;
}

int oci_channel_terminal(const struct channel *channel)
{
	return self(channel)->master;
}
