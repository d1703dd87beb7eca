/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/oneoff/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include "pkg/base/escape.h"

/* One write for a line, so that it does not mix with the task's. In raw mode a newline alone would
 * not bring the cursor back. */
static void print_line(const char *text)
{
	_cleanup_(strbuf_release) struct strbuf line = STRBUF_INIT;
	struct termios settings;
	const char *bytes;
	size_t left;

	strbuf_adds(&line, "oneoff: ");
	escape_add(&line, text);
	if (tcgetattr(STDERR_FILENO, &settings) == 0 && !(settings.c_oflag & OPOST))
		strbuf_addc(&line, '\r');
	strbuf_addc(&line, '\n');
	bytes = strbuf_str(&line);
	left = line.length;
	while (left > 0) {
		ssize_t written = write(STDERR_FILENO, bytes, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* nobody is left to tell */
		bytes += written;
		left -= (size_t)written;
	}
}

static void say(void *context, enum report_level level, const char *line)
{
	const struct verbosity *verbosity = context;

	if (level == REPORT_DETAIL && !verbosity->verbose)
		return;
	if (level == REPORT_NOTE && verbosity->quiet)
		return;
	print_line(line);
}

struct reporter message_reporter(struct verbosity *verbosity)
{
	return (struct reporter){say, verbosity};
}

void message(const char *format, ...)
{
	char line[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	print_line(line);
}

void message_error(const struct err *err)
{
	print_line(err->message);
	if (err->hint[0])
		print_line(err->hint);
}

int message_output(const struct strbuf *text, struct err *err)
{
	size_t done = 0;

	while (done < text->length) {
		ssize_t written = write(STDOUT_FILENO, text->data + done, text->length - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_errno(err, "write to stdout");
		done += (size_t)written;
	}
	return 0;
}
