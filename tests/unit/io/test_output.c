/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include "pkg/io/output.h"

/* Fills until it would block; how much went in. */
static size_t fill(struct output *output)
{
	static char block[1 << 16];
	size_t total = 0, written = 0;

	while (output_write(output, block, sizeof(block), &written) == IO_OK)
		total += written;
	return total;
}

Test(output, a_pipe_never_blocks_and_keeps_its_flags, .timeout = 10)
{
	struct output output;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	output_open(&output, fds[1]);
	cr_expect_geq(fill(&output), 4096);
	cr_expect_eq(output.failure, 0);
	cr_expect_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0, "others share the description");
	output_close(&output);
	cr_expect_neq(fcntl(fds[1], F_GETFD), -1, "it was not ours to close");
	close(fds[0]);
	close(fds[1]);
}

Test(output, a_socket_never_blocks_and_keeps_its_flags, .timeout = 10)
{
	struct output output;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	output_open(&output, fds[1]);
	cr_expect(output.is_socket);
	cr_expect_gt(fill(&output), 0);
	cr_expect_eq(output.failure, 0);
	cr_expect_eq(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	output_close(&output);
	close(fds[0]);
	close(fds[1]);
}

Test(output, a_reader_that_went_away_is_epipe)
{
	struct output output;
	size_t written = 99;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe(fds), 0);
	output_open(&output, fds[1]);
	close(fds[0]);
	cr_expect_eq(output_write(&output, "x", 1, &written), IO_ERROR);
	cr_expect_eq(output.failure, EPIPE);
	cr_expect_eq(output_write(&output, "x", 1, &written), IO_ERROR);
	cr_expect_eq(written, 99);
	output_close(&output);
	close(fds[1]);
}

Test(output, a_full_device_is_enospc)
{
	struct output output;
	size_t written;
	int fd = open("/dev/full", O_WRONLY);

	output_open(&output, fd);
	cr_expect_eq(output_write(&output, "x", 1, &written), IO_ERROR);
	cr_expect_eq(output.failure, ENOSPC);
	output_close(&output);
	close(fd);
}

Test(output, a_closed_descriptor_fails_at_the_first_write)
{
	struct output output;
	size_t written;

	output_open(&output, 987);
	cr_expect_eq(output.failure, 0);
	cr_expect_eq(output_write(&output, "x", 1, &written), IO_ERROR);
	cr_expect_eq(output.failure, EBADF);
	output_close(&output);
}

Test(output, without_a_second_opening_writes_are_small)
{
	static char block[1 << 16];
	struct output output;
	size_t written = 0;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	output = (struct output){.fd = fds[1], .limit = 4096};
	cr_expect_eq(output_write(&output, block, sizeof(block), &written), IO_OK);
	cr_expect_eq(written, 4096);
	output_close(&output);
	close(fds[0]);
	close(fds[1]);
}
