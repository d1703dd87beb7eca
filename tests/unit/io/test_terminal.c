/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include "pkg/io/terminal.h"

/* A pseudo-terminal without a process in its foreground. */
static int open_terminal(int *ret_master)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	cr_assert_geq(master, 0);
	cr_assert_eq(grantpt(master), 0);
	cr_assert_eq(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	cr_assert_geq(slave, 0);
	*ret_master = master;
	return slave;
}

Test(terminal, is_raw_and_put_back)
{
	struct terminal terminal = TERMINAL_INIT;
	struct termios before, now;
	struct err err = ERR_INIT;
	int master, slave = open_terminal(&master);
	char byte = 0;

	cr_assert_eq(tcgetattr(slave, &before), 0);
	cr_assert_eq(terminal_open(&terminal, slave, &err), 0);
	cr_assert_eq(terminal_make_raw(&terminal, &err), 0, "%s", err.message);
	cr_assert_eq(tcgetattr(slave, &now), 0);
	cr_expect_eq(now.c_lflag & (ICANON | ECHO | ISIG), 0);
	cr_expect_eq(now.c_oflag & OPOST, 0);
	/* Ctrl-C is a byte. */
	cr_assert_eq(write(master, "\3", 1), 1);
	cr_expect_eq(read(slave, &byte, 1), 1);
	cr_expect_eq(byte, 3);
	terminal_restore(&terminal);
	cr_expect_not(terminal.raw);
	cr_assert_eq(tcgetattr(slave, &now), 0);
	cr_expect_eq(now.c_lflag, before.c_lflag);
	cr_expect_eq(now.c_iflag, before.c_iflag);
	cr_expect_eq(now.c_oflag, before.c_oflag);
	close(slave);
	close(master);
}

Test(terminal, restoring_what_is_not_raw_changes_nothing)
{
	struct terminal terminal = TERMINAL_INIT;
	struct termios other, now;
	struct err err = ERR_INIT;
	int master, slave = open_terminal(&master);

	cr_assert_eq(terminal_open(&terminal, slave, &err), 0);
	cr_assert_eq(tcgetattr(slave, &other), 0);
	other.c_lflag &= ~(tcflag_t)ECHO;
	cr_assert_eq(tcsetattr(slave, TCSANOW, &other), 0);
	terminal_restore(&terminal);
	cr_assert_eq(tcgetattr(slave, &now), 0);
	cr_expect_eq(now.c_lflag & ECHO, 0);
	close(slave);
	close(master);
}

Test(terminal, the_size_is_told)
{
	struct winsize size = {.ws_row = 41, .ws_col = 137};
	int master, slave = open_terminal(&master), rows, columns;

	cr_assert_eq(ioctl(master, TIOCSWINSZ, &size), 0);
	terminal_size(slave, &rows, &columns);
	cr_expect_eq(rows, 41);
	cr_expect_eq(columns, 137);
	close(slave);
	close(master);
}

Test(terminal, what_is_none_has_no_size_and_no_settings)
{
	struct terminal terminal = TERMINAL_INIT;
	struct err err = ERR_INIT;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), rows = 7, columns = 7;

	terminal_size(fd, &rows, &columns);
	cr_expect_eq(rows, 0);
	cr_expect_eq(columns, 0);
	cr_expect_eq(terminal_open(&terminal, fd, &err), -1);
	cr_expect_eq(err.kind, ERR_SYSTEM);
	cr_expect_eq(terminal.fd, -1);
	close(fd);
}
