/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include "cmd/oneoff/message.h"

static int begin(int number)
{
	int file = memfd_create("message", MFD_CLOEXEC);

	cr_assert_geq(file, 0);
	dup2(file, number);
	return file;
}

static void expect(int file, const char *expected)
{
	char text[4096] = "";

	cr_assert_geq(pread(file, text, sizeof(text) - 1, 0), 0);
	cr_expect_str_eq(text, expected);
	close(file);
}

Test(message, errors_have_their_hint_on_a_line_of_its_own)
{
	struct err err = ERR_INIT;
	int file = begin(2);

	err_set(&err, ERR_NOT_FOUND, "no container 'x'");
	message_error(&err);
	err_hint(&err, "did you mean 'y'?");
	message_error(&err);
	expect(file,
	       "oneoff: no container 'x'\noneoff: no container 'x'\noneoff: did you mean 'y'?\n");
}

Test(message, what_came_from_outside_is_escaped)
{
	struct err err = ERR_INIT;
	char text[256] = "";
	int file = begin(2);

	err_set(&err, ERR_REFUSED, "a\x1b[2Jb\nc\xff\r");
	message_error(&err);
	cr_assert_gt(pread(file, text, sizeof(text) - 1, 0), 0);
	cr_expect_null(strchr(text, '\x1b'));
	cr_expect_null(strchr(text, '\r'));
	cr_expect_null(strchr(text, '\xff'));
	cr_expect_eq(strchr(text, '\n'), text + strlen(text) - 1, "one line");
	close(file);
}

Test(message, verbosity_decides)
{
	static const struct {
		struct verbosity verbosity;
		const char *expected;
	} cases[] = {
		{{false, 0}, "oneoff: note\noneoff: warning\n"},
		{{true, 0}, "oneoff: warning\n"},
		{{false, 1}, "oneoff: detail\noneoff: note\noneoff: warning\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verbosity verbosity = cases[i].verbosity;
		struct reporter reporter = message_reporter(&verbosity);
		int file = begin(2);

		report(&reporter, REPORT_DETAIL, "detail");
		report(&reporter, REPORT_NOTE, "%s", "note");
		report(&reporter, REPORT_WARNING, "warning");
		expect(file, cases[i].expected);
	}
}

Test(message, output_is_whole_or_an_error)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	int file = begin(1), full;

	strbuf_add(&text, "bytes \x1b as they are", 19);
	cr_expect_eq(message_output(&text, &err), 0);
	expect(file, "bytes \x1b as they are");
	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	dup2(full, 1);
	close(full);
	cr_expect_eq(message_output(&text, &err), -1);
	cr_expect_eq(err.kind, ERR_SYSTEM);
}
