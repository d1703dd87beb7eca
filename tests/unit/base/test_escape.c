/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "pkg/base/compat.h"
#include "pkg/base/escape.h"

static void expect(void (*add)(struct strbuf *buffer, const char *text), const char *text,
                   const char *wanted)
{
	_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT;

	strbuf_adds(&out, "<");
	add(&out, text);
	strbuf_adds(&out, ">");
	cr_assert_not(out.failed);
	strbuf_consume(&out, 1);
	cr_assert_eq(out.data[out.length - 1], '>');
	out.data[out.length - 1] = '\0';
	cr_assert_str_eq(strbuf_str(&out), wanted);
}

Test(escape, leaves_printable_text)
{
	expect(escape_add, "", "");
	expect(escape_add, "plain text, 'quotes' and a \\ backslash",
	       "plain text, 'quotes' and a \\ backslash");
	expect(escape_add, "gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2 \xf0\x9f\x98\x80",
	       "gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2 \xf0\x9f\x98\x80");
	/* a family: three faces with zero width joiners */
	expect(escape_add, "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9",
	       "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9");
}

Test(escape, shows_control_bytes)
{
	expect(escape_add, "a\nb\tc\rd", "a\\nb\\tc\\rd");
	expect(escape_add, "\x1b[31mred\x07\x7f", "\\x1b[31mred\\x07\\x7f");
	expect(escape_add,
	       "\xc2\x9b"
	       "31m",
	       "\\xc2\\x9b31m");
}

Test(escape, shows_what_hides_text)
{
	expect(escape_add,
	       "a\xe2\x80\xae"
	       "b",
	       "a\\xe2\\x80\\xaeb");                                    /* override */
	expect(escape_add, "\xe2\x81\xa6", "\\xe2\\x81\\xa6");          /* isolate */
	expect(escape_add, "\xd8\x9c", "\\xd8\\x9c");                   /* Arabic letter mark */
	expect(escape_add, "\xe2\x80\xa8", "\\xe2\\x80\\xa8");          /* line separator */
	expect(escape_add, "\xef\xbb\xbf", "\\xef\\xbb\\xbf");          /* byte order mark */
	expect(escape_add, "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"); /* tag */
}

Test(escape, shows_invalid_utf8_byte_by_byte)
{
	expect(escape_add, "\xff\xfe", "\\xff\\xfe");
	expect(escape_add, "x\xe2\x82", "x\\xe2\\x82");
	expect(escape_add, "\xc0\xaf", "\\xc0\\xaf");
	expect(escape_add, "\xed\xa0\x80!", "\\xed\\xa0\\x80!");
	/* the good character behind a bad byte stays */
	expect(escape_add, "\xe2\xc3\xbc", "\\xe2\xc3\xbc");
}

Test(escape, no_byte_below_space_ever_gets_out)
{
	for (int first = 1; first < 256; first++) {
		for (int second = 1; second < 256; second++) {
			char text[] = {(char)first, (char)second, '\0'};
			_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT;

			escape_add(&out, text);
			for (size_t i = 0; i < out.length; i++)
				cr_assert((unsigned char)out.data[i] >= 0x20 && out.data[i] != 0x7f,
				          "%02x %02x", first, second);
		}
	}
}

Test(escape, adds_all_or_nothing)
{
	for (size_t cap = 4; cap < 4 + 6; cap++) {
		_cleanup_(strbuf_release) struct strbuf out = STRBUF_INIT_CAP(cap);

		strbuf_adds(&out, "text");
		escape_add(&out, "ab\x01");
		cr_assert_eq(out.failed, cap < 4 + 6);
		cr_assert_str_eq(strbuf_str(&out), "text");
		strbuf_release(&out);
		strbuf_adds(&out, "text");
		escape_add_shell(&out, "a b'c");
		cr_assert(out.failed);
		cr_assert_str_eq(strbuf_str(&out), "text");
	}
}

Test(escape_shell, leaves_safe_words_bare)
{
	expect(escape_add_shell, "rake", "rake");
	expect(escape_add_shell, "db:migrate", "db:migrate");
	expect(escape_add_shell, "--env=A=1,2", "--env=A=1,2");
	expect(escape_add_shell, "./bin/x_1%+@", "./bin/x_1%+@");
}

Test(escape_shell, quotes_the_rest)
{
	expect(escape_add_shell, "", "''");
	expect(escape_add_shell, "a b", "'a b'");
	expect(escape_add_shell, "A=1", "'A=1'");
	expect(escape_add_shell, "~", "'~'");
	expect(escape_add_shell, "it's", "'it'\\''s'");
	expect(escape_add_shell, "$(x)`y`\\", "'$(x)`y`\\'");
	expect(escape_add_shell, "gr\xc3\xbcn", "'gr\xc3\xbcn'");
}

Test(escape_shell, shows_control_bytes)
{
	expect(escape_add_shell, "a\nb", "$'a\\nb'");
	expect(escape_add_shell, "\x1b'\\", "$'\\033\\'\\\\'");
	/* a digit behind the escape must not become part of it */
	expect(escape_add_shell,
	       "\x01"
	       "7",
	       "$'\\0017'");
	expect(escape_add_shell, "\xff", "$'\\377'");
}

/* Runs bash on the quoted words; what it prints, each word ended by a NUL, has to be the words. */
Test(escape_shell, comes_back_from_a_shell_unchanged)
{
	static const char *const words[] = {
		"",
		"-",
		"a b",
		"it's",
		"''",
		"\\",
		"\\n",
		"$HOME",
		"`id`",
		"*",
		"~root",
		"#x",
		"a\nb",
		"\t",
		"\r\n",
		"!!",
		"\x01\x02"
		"3",
		"\x1b[0m",
		"\xff\xfe",
		"gr\xc3\xbcn",
		"\xe2\x80\xae"
		"7",
		"a'\n'\\b",
		"{a,b}",
		"x;y",
		"<z>",
		"a&b|c",
		"[ab]",
		"\x7f",
		"$'x'",
	};
	_cleanup_(strbuf_release) struct strbuf script = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf wanted = STRBUF_INIT;
	char got[2048];
	size_t length;
	FILE *file;
	int fds[2];
	pid_t child;

	strbuf_adds(&script, "printf '%s\\0'");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		strbuf_addc(&script, ' ');
		escape_add_shell(&script, words[i]);
		strbuf_add(&wanted, words[i], strlen(words[i]) + 1);
	}
	cr_assert_eq(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		dup2(fds[1], 1);
		close(fds[0]);
		execlp("bash", "bash", "-c", strbuf_str(&script), NULL);
		_exit(127);
	}
	close(fds[1]);
	file = fdopen(fds[0], "r");
	length = fread(got, 1, sizeof(got), file);
	fclose(file);
	waitpid(child, NULL, 0);
	cr_assert_eq(length, wanted.length);
	cr_assert_arr_eq(got, wanted.data, length);
}
