/* SPDX-License-Identifier: Apache-2.0 */
/* What a detached task writes goes through us into its log: the task's own files would have no order, no
 * times and no limit. */
#include <errno.h>
#include <fcntl.h>
#include "oci/monitor_internal.h"

static int open_pipe(struct monitor_child *child, enum chunk_stream stream, int *ret_fd,
                     struct err *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "pipe");
	/* Only our end: the task must wait when it is faster than we are. */
	(void)fcntl(fds[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	child->outputs[stream] = fds[0];
	*ret_fd = fds[1];
	return 0;
}

int monitor_output_open(struct monitor_child *child, int ret_fds[3], struct err *err)
{
	if (child->settings->tty)
		return 0;
	if (open_pipe(child, CHUNK_STDOUT, &ret_fds[STDOUT_FILENO], err) < 0)
		return -1;
	return open_pipe(child, CHUNK_STDERR, &ret_fds[STDERR_FILENO], err);
}

int monitor_output_fd(const struct monitor_child *child, enum chunk_stream stream)
{
	if (child->outputs[stream] >= 0 || stream != CHUNK_STDOUT)
		return child->outputs[stream];
	/* A client that lives reads the terminal itself, unless nobody is to. */
	return child->settings->detached || child->client < 0 ? child->master : -1;
}

bool monitor_output_take(struct monitor_child *child, enum chunk_stream stream)
{
	int fd = monitor_output_fd(child, stream);
	char bytes[OUTPUT_FRAME_MAX];
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, bytes, sizeof(bytes));
	if (got > 0 && child->settings->detached)
		output_log_append(&child->log, child->folder_fd, stream, bytes, (size_t)got);
	if (got > 0)
		return true;
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	close(fd);
	if (fd == child->master)
		child->master = -1;
	else
		child->outputs[stream] = -1;
	return false;
}
