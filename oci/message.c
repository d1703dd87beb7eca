/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control {
	char bytes[CMSG_SPACE(MESSAGE_MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

int message_send(int fd, const struct message *message, const int *fds, size_t fd_count,
                 struct err *err)
{
	struct iovec piece = {.iov_base = (void *)message, .iov_len = sizeof(*message)};
	struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};
	union control control = {.bytes = {0}};
	ssize_t sent;

	if (fd_count) {
		struct cmsghdr *part;

		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		part = CMSG_FIRSTHDR(&header);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(part), fds, fd_count * sizeof(int));
	}
	do
		sent = sendmsg(fd, &header, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? err_errno(err, "the monitor does not listen") : 0;
}

static void take_fds(struct msghdr *header, int ret_fds[MESSAGE_MAX_FDS])
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS &&
		    count <= MESSAGE_MAX_FDS)
			memcpy(ret_fds, CMSG_DATA(part), count * sizeof(int));
	}
}

int message_receive(int fd, bool wait, struct message *ret, int ret_fds[MESSAGE_MAX_FDS],
                    struct err *err)
{
	struct message message;
	struct iovec piece = {.iov_base = &message, .iov_len = sizeof(message)};
	union control control;
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;

	for (int i = 0; i < MESSAGE_MAX_FDS; i++)
		ret_fds[i] = -1;
	do
		got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (got < 0 && errno != ECONNRESET)
		return err_errno(err, "the monitor's socket");
	if (got > 0)
		take_fds(&header, ret_fds);
	if (got != (ssize_t)sizeof(message))
		return err_set(err, ERR_LOST, "the task's monitor is gone");
	message.text[sizeof(message.text) - 1] = '\0';
	message.hint[sizeof(message.hint) - 1] = '\0';
	*ret = message;
	return 1;
}
