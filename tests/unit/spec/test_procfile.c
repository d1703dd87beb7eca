/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "pkg/spec/procfile.h"

static void expect_bytes(const char *text, size_t length, const char *name, const char *wanted)
{
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT;
	char *exact = malloc(length ? length : 1);
	int found;

	cr_assert_not_null(exact);
	memcpy(exact, text, length);
	strbuf_adds(&command, "> ");
	found = procfile_find(exact, length, name, &command);
	free(exact);
	cr_assert_eq(found, wanted != NULL, "'%s' in '%s' gives %d", name, text, found);
	cr_assert_str_eq(strbuf_str(&command) + 2, wanted ? wanted : "", "in '%s'", text);
	cr_assert_eq(memcmp(strbuf_str(&command), "> ", 2), 0);
}

static void expect(const char *text, const char *name, const char *wanted)
{
	expect_bytes(text, strlen(text), name, wanted);
}

Test(procfile, finds_each_name)
{
	static const char text[] = "web: bundle exec puma -C config/puma.rb\n"
				   "console: bin/rails console\n"
				   "release: bin/rails db:migrate";

	expect(text, "web", "bundle exec puma -C config/puma.rb");
	expect(text, "console", "bin/rails console");
	expect(text, "release", "bin/rails db:migrate");
	expect(text, "worker", NULL);
}

Test(procfile, a_name_is_not_its_neighbour)
{
	static const char text[] = "console2: two\nmy-console: mine\nconsol: short\nCONSOLE: loud\n"
				   "console extra: words\nweb: console: inner\n";

	expect(text, "console", NULL);
	expect(text, "console2", "two");
	expect(text, "my-console", "mine");
	expect(text, "CONSOLE", "loud");
	expect(text, "web", "console: inner");
}

Test(procfile, skips_comments_and_empty_lines)
{
	expect("# console: old\n\n  \n#console: older\nconsole: new\n", "console", "new");
	expect("# console: old\n", "console", NULL);
	/* What follows a command is the shell's to judge. */
	expect("console: psql # the database\n", "console", "psql # the database");
}

Test(procfile, tolerates_white_space_and_line_ends)
{
	expect("web: x\r\nconsole: irb\r\nlast: y\r\n", "console", "irb");
	expect("console:irb", "console", "irb");
	expect("console:\t irb -r ./app \t\n", "console", "irb -r ./app");
	expect("  console : irb\n", "console", "irb");
	expect("\xef\xbb\xbf"
	       "console: irb\n",
	       "console", "irb");
	expect("web: x\n\xef\xbb\xbf"
	       "console: irb\n",
	       "console", NULL);
}

Test(procfile, passes_over_lines_without_a_command)
{
	expect("console:\nconsole:   \r\nconsole: third\nconsole: fourth\n", "console", "third");
	expect("console\nconsole=x\n", "console", NULL);
	expect("console:\n  irb\n", "console", NULL);
	expect(":\n: x\n", "console", NULL);
}

Test(procfile, takes_any_bytes)
{
	static const char with_nul[] = "console: ir\0b\nconsole: safe\n";
	static const char behind_nul[] = "\0console: hidden\n";

	expect_bytes(with_nul, sizeof(with_nul) - 1, "console", "safe");
	expect_bytes(behind_nul, sizeof(behind_nul) - 1, "console", NULL);
	expect("console: \xff\xfe\n", "console", "\xff\xfe");
	expect_bytes("", 0, "console", NULL);
	expect_bytes("\xef\xbb", 2, "console", NULL);
}

Test(procfile, reads_no_byte_behind_the_text)
{
	static const char text[] = "console: irb --simple";

	for (size_t length = 0; length < sizeof(text); length++) {
		char wanted[sizeof(text)] = "";
		size_t start = strlen("console: ");

		if (length > start)
			memcpy(wanted, text + start, length - start);
		while (*wanted && wanted[strlen(wanted) - 1] == ' ')
			wanted[strlen(wanted) - 1] = '\0';
		expect_bytes(text, length, "console", *wanted ? wanted : NULL);
		if (length == sizeof(text) - 2)
			break;
	}
}

Test(procfile, says_when_there_is_no_room)
{
	_cleanup_(strbuf_release) struct strbuf command = STRBUF_INIT_CAP(5);
	static const char text[] = "console: irb-long\n";

	strbuf_adds(&command, "ab");
	cr_assert_eq(procfile_find(text, strlen(text), "console", &command), -1);
	cr_assert_str_eq(strbuf_str(&command), "ab");
}

Test(procfile, gives_every_line_that_names_a_command)
{
	static const char text[] = "\xef\xbb\xbf# note: no\nweb: a b\r\n\nempty:\n: none\n"
				   " db : c\nweb: again";
	static const char *const names[] = {"web", "db", "web"}, *const commands[] = {"a b", "c",
	                                                                              "again"};
	struct procfile_reader reader = procfile_begin(text, strlen(text));
	struct procfile_line line;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cr_assert_eq(procfile_next(&reader, &line), 1, "%zu", i);
		cr_assert(line.name_length == strlen(names[i]) &&
		          !memcmp(line.name, names[i], line.name_length));
		cr_assert(line.command_length == strlen(commands[i]) &&
		          !memcmp(line.command, commands[i], line.command_length));
	}
	cr_assert_eq(procfile_next(&reader, &line), 0);
	cr_assert_eq(procfile_next(&reader, &line), 0);
}
