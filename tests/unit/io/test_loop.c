/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include "pkg/io/loop.h"

Test(loop, tells_what_is_ready)
{
	struct loop loop = LOOP_INIT;
	struct err err = ERR_INIT;
	struct loop_item items[3];
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	items[0] = (struct loop_item){fds[0], LOOP_READ, 0};
	items[1] = (struct loop_item){fds[1], LOOP_WRITE, 0};
	items[2] = (struct loop_item){-1, LOOP_READ, 7};
	cr_assert_eq(loop_wait(&loop, items, 3, 1000, &err), 0);
	cr_expect_eq(items[0].ready, 0);
	cr_expect_eq(items[1].ready, LOOP_WRITE);
	cr_expect_eq(items[2].ready, 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_assert_eq(loop_wait(&loop, items, 1, 1000, &err), 0);
	cr_expect_eq(items[0].ready, LOOP_READ);
	close(fds[0]);
	close(fds[1]);
}

Test(loop, what_nobody_wants_is_passed_over)
{
	struct loop loop = LOOP_INIT;
	struct err err = ERR_INIT;
	struct loop_item item;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	close(fds[1]); /* a hang-up that would turn a careless loop for ever */
	item = (struct loop_item){fds[0], 0, 0};
	cr_assert_eq(loop_wait(&loop, &item, 1, 10, &err), 0);
	cr_expect_eq(item.ready, 0);
	close(fds[0]);
}

Test(loop, hang_up_and_error_count_as_what_was_wanted)
{
	struct loop loop = LOOP_INIT;
	struct err err = ERR_INIT;
	struct loop_item item;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	close(fds[0]);
	item = (struct loop_item){fds[1], LOOP_WRITE, 0};
	cr_assert_eq(loop_wait(&loop, &item, 1, 1000, &err), 0);
	cr_expect(item.ready & LOOP_WRITE);
	close(fds[1]);
	cr_assert_eq(pipe(fds), 0);
	close(fds[1]);
	item = (struct loop_item){fds[0], LOOP_READ, 0};
	cr_assert_eq(loop_wait(&loop, &item, 1, 1000, &err), 0);
	cr_expect(item.ready & LOOP_READ);
	close(fds[0]);
}

Test(loop, too_many_items_are_refused)
{
	struct loop_item items[LOOP_MAX_ITEMS + 1] = {{0}};
	struct loop loop = LOOP_INIT;
	struct err err = ERR_INIT;

	cr_expect_eq(loop_wait(&loop, items, LOOP_MAX_ITEMS + 1, 0, &err), -1);
	cr_expect_eq(err.kind, ERR_INTERNAL);
}

static bool was_asked(void *context)
{
	++*(int *)context;
	return true;
}

Test(loop, a_waiting_call_is_interrupted_only_when_asked_and_ready)
{
	struct loop loop = LOOP_INIT;
	struct err err = ERR_INIT;
	int fds[2], asked = 0;

	cr_assert_eq(pipe(fds), 0);
	loop.interrupt_fd = fds[0];
	loop.interrupt_context = &asked;
	loop.interrupted = was_asked;
	cr_expect_eq(loop_wait_answer(&loop, 5, &err), 0);
	cr_expect_eq(asked, 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_expect_eq(loop_wait_answer(&loop, 1000, &err), -1);
	cr_expect_eq(err.kind, ERR_INTERRUPTED);
	cr_expect_eq(asked, 1);
	loop.interrupted = NULL;
	cr_expect_eq(loop_wait_answer(&loop, 5, &err), 0);
	cr_expect_eq(asked, 1);
	close(fds[0]);
	close(fds[1]);
}

static int drive(void *context, struct loop_item *items, size_t count, int timeout_ms,
                 struct err *err)
{
	(void)items;
	(void)timeout_ms;
	*(size_t *)context = count;
	return err_set(err, ERR_SYSTEM, "the driver says no");
}

Test(loop, a_driver_takes_over)
{
	size_t seen = 0;
	struct loop loop = {.driver = {drive, &seen}, .interrupt_fd = -1};
	struct loop_item items[2] = {{-1, 0, 0}, {-1, 0, 0}};
	struct err err = ERR_INIT;

	cr_expect_eq(loop_wait(&loop, items, 2, 0, &err), -1);
	cr_expect_eq(seen, 2);
	cr_expect_str_eq(err.message, "the driver says no");
}
