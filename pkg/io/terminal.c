/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/io/terminal.h"

#include <sys/ioctl.h>

int terminal_open(struct terminal *terminal, int fd, struct err *err)
{
	if (tcgetattr(fd, &terminal->saved) < 0)
		return err_errno(err, "read the terminal's settings");
	terminal->fd = fd;
	terminal->raw = false;
	return 0;
}

int terminal_make_raw(struct terminal *terminal, struct err *err)
{
	pid_t foreground = tcgetpgrp(terminal->fd);
	struct termios raw = terminal->saved;

	if (foreground >= 0 && foreground != getpgrp()) {
		err_set(err, ERR_USAGE, "the terminal belongs to another job");
		return err_hint(err, "run it in the foreground, or with -T");
	}
	cfmakeraw(&raw);
	if (tcsetattr(terminal->fd, TCSADRAIN, &raw) < 0)
		return err_errno(err, "make the terminal raw");
	terminal->raw = true;
	return 0;
}

void terminal_restore(struct terminal *terminal)
{
	if (!terminal->raw)
		return;
	terminal->raw = false;
	if (tcsetattr(terminal->fd, TCSADRAIN, &terminal->saved) < 0)
		return; /* the terminal is gone: nothing is left to restore */
}

void terminal_size(int fd, int *ret_rows, int *ret_columns)
{
	struct winsize size = {0};

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		size = (struct winsize){0};
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
}
