/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void output_open(struct output *output, int fd)
{
	struct stat info;
	char path[32];
	int own;

	*output = (struct output){.fd = fd};
	if (fstat(fd, &info) < 0)
		return;
	if (S_ISSOCK(info.st_mode)) {
		output->is_socket = true;
		return;
	}
	if (!S_ISFIFO(info.st_mode) && !(S_ISCHR(info.st_mode) && isatty(fd)))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (own >= 0) {
		output->fd = own;
		output->owned = true;
		return;
	}
	/* POSIX: after POLLOUT a pipe takes PIPE_BUF bytes at once. */
	output->limit = PIPE_BUF;
}

enum io_result output_write(struct output *output, const char *bytes, size_t length,
                            size_t *ret_written)
{
	ssize_t written;

	if (output->failure)
		return IO_ERROR;
	if (output->limit && length > output->limit)
		length = output->limit;
	do {
		if (output->is_socket)
			written = send(output->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			written = write(output->fd, bytes, length);
	} while (written < 0 && errno == EINTR);
	if (written >= 0) {
		*ret_written = (size_t)written;
		return IO_OK;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return IO_AGAIN;
	output->failure = errno;
	return IO_ERROR;
}

void output_close(struct output *output)
{
	if (output->owned && output->fd >= 0)
		close(output->fd);
	output->fd = -1;
	output->owned = false;
}
