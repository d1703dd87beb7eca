/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output of a detached task as a channel: its log from the beginning, then what is added, told by inotify(7)
 * on its folder. With `join` our input goes straight to its terminal, whose other end its monitor shares.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include "oci/oci_internal.h"
#include "oci/output_log.h"

#define MASTER_LIMIT_MS INT64_C(5000)
#define POLL_MS         200

struct log_channel {
	struct channel base;
	struct oci *oci;
	struct output_reader reader;
	int watch_fd; /* readable when there may be more */
	int input_fd; /* the terminal's other end, borrowed; -1: no input */
	bool follow;
	bool ended; /* nothing is added any more */
};

static struct log_channel *self(const struct channel *channel)
{
	return (struct log_channel *)channel;
}

static int log_fd(const struct channel *channel)
{
	return self(channel)->watch_fd;
}

static int log_write_fd(const struct channel *channel)
{
	return self(channel)->input_fd;
}

static enum io_result log_read(struct channel *channel, struct chunk *ret)
{
	struct log_channel *log = self(channel);
	bool ended = log->ended; /* before looking: what comes with the end is read */
	char events[4096];

	/* Taken first, so that what is added while we read is told again. */
	while (!ended && read(log->watch_fd, events, sizeof(events)) > 0)
		;
	if (output_reader_next(&log->reader, ret) == 1)
		return IO_OK;
	if (log->reader.corrupt)
		return IO_ERROR;
	if (!ended && log->follow)
		return IO_AGAIN;
	/* In the end, so that what there is was shown before. */
	return log->reader.incomplete ? IO_ERROR : IO_EOF;
}

static enum io_result log_write(struct channel *channel, const void *bytes, size_t length,
                                size_t *ret_written)
{
	struct log_channel *log = self(channel);
	ssize_t written;

	if (log->input_fd < 0)
		return IO_EOF;
	do
		written = write(log->input_fd, bytes, length);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return errno == EAGAIN ? IO_AGAIN : IO_EOF;
	*ret_written = (size_t)written;
	return IO_OK;
}

static enum io_result log_half_close(struct channel *channel)
{
	(void)channel;
	return IO_OK;
}

static const char *log_error(const struct channel *channel)
{
	return self(channel)->reader.corrupt
	               ? "the kept output is damaged"
	               : "only the last of its output is kept, what came before is gone";
}

static void log_close(struct channel *channel)
{
	struct log_channel *log = self(channel);

	output_reader_close(&log->reader);
	if (log->watch_fd >= 0)
		close(log->watch_fd);
	free(log);
}

static const struct channel_ops log_channel_ops = {
	.fd = log_fd,
	.write_fd = log_write_fd,
	.read = log_read,
	.write = log_write,
	.half_close = log_half_close,
	.error = log_error,
	.close = log_close,
};

static void set_ended(struct channel *channel)
{
	self(channel)->ended = true;
}

/* Users may have no more of these left (max_user_instances): then by the clock. */
static int open_timer(void)
{
	const struct itimerspec each = {.it_interval.tv_nsec = POLL_MS * 1000000L,
	                                .it_value.tv_nsec = POLL_MS * 1000000L};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		(void)timerfd_settime(fd, 0, &each, NULL);
	return fd;
}

static int open_watch(const struct oci *oci, struct err *err)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", oci->folder_fd);
	if (fd >= 0 && inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE) < 0) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		fd = open_timer();
	return fd < 0 ? err_errno(err, "cannot watch the output") : fd;
}

/* Always readable: there is nothing to wait for. */
static int open_ready(struct err *err)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? err_errno(err, "eventfd") : fd;
}

/* The terminal comes with the word that the task runs. */
static int find_terminal(struct oci *oci, struct err *err)
{
	int fds[MESSAGE_MAX_FDS];
	struct message message;

	if (oci->terminal_fd >= 0 || oci->ended || oci->lost)
		return 0;
	if (oci_wait_message(oci, MASTER_LIMIT_MS, &message, fds, err) < 0)
		return err->kind == ERR_INTERRUPTED ? -1 : 0;
	oci->terminal_fd = fds[0];
	return 0;
}

static struct log_channel *new_channel(struct oci *oci, const struct output_request *request,
                                       int watch_fd)
{
	const struct output_options options = {request->tail, request->timestamps};
	struct log_channel *log = malloc(sizeof(*log));

	if (!log)
		return NULL;
	*log = (struct log_channel){
		.base.ops = &log_channel_ops,
		.oci = oci,
		.reader = OUTPUT_READER_INIT,
		.watch_fd = watch_fd,
		.input_fd = request->join && request->stdin_open ? oci->terminal_fd : -1,
		.follow = request->follow,
		.ended = oci->ended,
	};
	output_reader_start(&log->reader, oci->folder_fd, &options);
	return log;
}

int oci_output(struct backend *backend, const struct output_request *request, struct channel **ret,
               struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	struct log_channel *log;
	int watch_fd;

	if (!oci->detached) {
		err_set(err, ERR_OUTPUT_INCOMPLETE,
		        "'%s' writes straight to where its own client was started: "
		        "nobody keeps a copy",
		        oci->name);
		return err_hint(err, "what is started with -d can be read later");
	}
	if (request->join && request->detach_keys)
		return err_set(err, ERR_USAGE, "--detach-keys: the oci runtime has none");
	if (request->join && oci->tty && find_terminal(oci, err) < 0)
		return -1;
	watch_fd = oci->ended || !request->follow ? open_ready(err) : open_watch(oci, err);
	if (watch_fd < 0)
		return -1;
	log = new_channel(oci, request, watch_fd);
	if (!log) {
		close(watch_fd);
		return err_no_memory(err);
	}
	*ret = oci->channel = &log->base;
	oci->channel_ended = set_ended;
	return 0;
}
