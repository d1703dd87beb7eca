/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/io/loop.h"

#include <errno.h>
#include <poll.h>

int loop_poll(struct loop_item *items, size_t count, int timeout_ms, struct err *err)
{
	struct pollfd polled[LOOP_MAX_ITEMS];

	if (count > LOOP_MAX_ITEMS)
		return err_set(err, ERR_INTERNAL, "too many descriptors to wait for");
	for (size_t i = 0; i < count; i++) {
		items[i].ready = 0;
		polled[i].fd = items[i].want ? items[i].fd : -1;
		polled[i].revents = 0;
		polled[i].events = (short)((items[i].want & LOOP_READ ? POLLIN : 0) |
		                           (items[i].want & LOOP_WRITE ? POLLOUT : 0));
	}
	if (poll(polled, count, timeout_ms) < 0)
		return errno == EINTR ? 0 : err_errno(err, "poll");
	for (size_t i = 0; i < count; i++) {
		short got = polled[i].revents;

		if (polled[i].fd < 0)
			continue;
		if (got & (POLLERR | POLLHUP | POLLNVAL))
			items[i].ready = items[i].want;
		if (got & POLLIN)
			items[i].ready |= LOOP_READ;
		if (got & POLLOUT)
			items[i].ready |= LOOP_WRITE;
	}
	return 0;
}

int loop_wait(struct loop *loop, struct loop_item *items, size_t count, int timeout_ms,
              struct err *err)
{
	if (loop->driver.wait)
		return loop->driver.wait(loop->driver.context, items, count, timeout_ms, err);
	return loop_poll(items, count, timeout_ms, err);
}

int loop_wait_answer(struct loop *loop, int timeout_ms, struct err *err)
{
	struct loop_item item = {.fd = loop->interrupt_fd, .want = LOOP_READ};
	size_t count = loop->interrupted ? 1 : 0;

	if (loop_wait(loop, &item, count, timeout_ms, err) < 0)
		return -1;
	if (count && item.ready && loop->interrupted(loop->interrupt_context))
		return err_set(err, ERR_INTERRUPTED, "interrupted");
	return 0;
}
