/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "pkg/base/strbuf.h"
#include "pkg/spec/words.h"

/* The words as "a|b|c"; a word that holds '|' makes the line need a shell or is quoted. */
static void join(const struct strv *words, struct strbuf *text)
{
	for (size_t i = 0; i < words->count; i++)
		strbuf_addf(text, "%s%s", i ? "|" : "", words->items[i]);
	cr_assert_null(words->items[words->count]);
}

static void expect_words(const char *line, const char *wanted)
{
	_cleanup_(strv_release) struct strv words = STRV_INIT;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	bool needs_shell = true;
	struct err err = ERR_INIT;

	cr_assert_eq(words_split(line, &words, &needs_shell, &err), 0, "%s: %s", line, err.message);
	cr_assert_not(needs_shell, "%s", line);
	join(&words, &text);
	cr_assert_str_eq(strbuf_str(&text), wanted, "'%s' gives %s", line, strbuf_str(&text));
}

static void expect_shell(const char *line)
{
	struct strv words = STRV_INIT;
	bool needs_shell = false;
	struct err err = ERR_INIT;

	cr_assert_eq(words_split(line, &words, &needs_shell, &err), 0, "%s: %s", line, err.message);
	cr_assert(needs_shell, "'%s' was taken for plain words", line);
	cr_assert_null(words.items);
}

Test(words, splits_at_blanks)
{
	expect_words("bin/rails console", "bin/rails|console");
	expect_words("  iex \t -S  mix  ", "iex|-S|mix");
	expect_words("irb", "irb");
	expect_words("irb\n", "irb");
	expect_words("\r\n irb -r app\r\n", "irb|-r|app");
	expect_words("caf\xc3\xa9 \xff", "caf\xc3\xa9|\xff");
}

Test(words, leaves_plain_characters_alone)
{
	expect_words("a@b:c%d^e-f+g=h,i./j!k{l}m]n", "a@b:c%d^e-f+g=h,i./j!k{l}m]n");
	expect_words("rails console --env=production", "rails|console|--env=production");
	expect_words("env A=1 irb", "env|A=1|irb");
	expect_words("./a=b c", "./a=b|c");
	expect_words("1A=b", "1A=b");
	expect_words("=b", "=b");
	expect_words("a#b c#", "a#b|c#");
}

Test(words, single_quotes_keep_everything)
{
	expect_words("'a b' c", "a b|c");
	expect_words("'$HOME `x` \\ \" | & ; < > ( ) * ? [ ~ #'",
	             "$HOME `x` \\ \" | & ; < > ( ) * ? [ ~ #");
	expect_words("'a\nb'", "a\nb");
	expect_words("a'b'c'd'", "abcd");
	expect_words("x ''", "x|");
	expect_words("''", "");
	expect_words("'' ''", "|");
}

Test(words, double_quotes_keep_all_but_four)
{
	expect_words("\"a b\" c", "a b|c");
	expect_words("\"it's\"", "it's");
	expect_words("\"a\\\"b\\\\c\\$d\\`e\"", "a\"b\\c$d`e");
	expect_words("\"a\\b\\'c\\n\"", "a\\b\\'c\\n");
	expect_words("\"| & ; < > ( ) * ? [ ~ #\"", "| & ; < > ( ) * ? [ ~ #");
	expect_words("\"a\nb\"", "a\nb");
	expect_words("x\"\"y", "xy");
}

Test(words, a_backslash_quotes_one_character)
{
	expect_words("a\\ b c", "a b|c");
	expect_words("\\$HOME \\* \\~ \\#x \\\\", "$HOME|*|~|#x|\\");
	expect_words("\\'a \\\"b", "'a|\"b");
	expect_words("a\\bc", "abc");
	expect_words("a\\ ", "a ");
	expect_words("a\\  ", "a ");
	expect_words("a\\\\ ", "a\\");
}

Test(words, tells_what_needs_a_shell)
{
	static const char characters[] = "$`|&;<>()*?[~\n";

	for (const char *at = characters; *at; at++) {
		char line[16];

		snprintf(line, sizeof(line), "a b%cc", *at);
		expect_shell(line);
		snprintf(line, sizeof(line), "a %c b", *at);
		expect_shell(line);
		snprintf(line, sizeof(line), "'a'%c b", *at);
		expect_shell(line);
	}
	expect_shell("cd /app && bin/console");
	expect_shell("echo \"$HOME\"");
	expect_shell("echo \"`x`\"");
	expect_shell("a \\\nb");
	expect_shell("a \"\\\nb\"");
	expect_shell("a \\");
	expect_shell("irb # interactive");
	expect_shell("# nothing");
}

Test(words, tells_the_shells_own_words)
{
	static const char *const lines[] = {
		"RAILS_ENV=production bin/rails c",
		"_x=",
		"A1=2 b",
		"exec bin/rails console",
		". ./env.sh",
		": x",
		"cd x",
		"! true",
		"'exec' irb",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		expect_shell(lines[i]);
	expect_words("executor x", "executor|x");
	expect_words("env exec", "env|exec");
}

/* What a shell has to judge is not judged here. */
Test(words, leaves_open_quotes_behind_a_metacharacter_to_the_shell)
{
	expect_shell("a; echo 'b");
	expect_shell("$(echo \"");
}

static void expect_failure(const char *line, const char *wanted)
{
	struct strv words = STRV_INIT;
	bool needs_shell = true;
	struct err err = ERR_INIT;

	cr_assert_eq(words_split(line, &words, &needs_shell, &err), -1, "'%s'", line);
	cr_assert_eq(err.kind, ERR_USAGE);
	cr_assert_not_null(strstr(err.message, wanted), "'%s': %s", line, err.message);
	cr_assert(needs_shell && !words.items && !words.count, "outputs changed by '%s'", line);
}

Test(words, refuses_open_quotes_and_nothing)
{
	static const char *const open[] = {"'",         "\"",   "a 'b", "a \"b",
	                                   "a \"b\\\"", "it's", "'a' '"};
	static const char *const nothing[] = {"", " ", "\t\r\n "};

	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		expect_failure(open[i], "quote has no end");
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
		expect_failure(nothing[i], "empty");
}

/* ---- the same as sh ------------------------------------------------------------------------- */

#define LINES 4000

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

/* Blanks, quotes and backslashes are likely; anything else is there to be quoted. */
static void make_line(uint32_t *state, char line[16])
{
	static const char bytes[] = "abc  \t\\\\\\''\"\"$`#~*=.-\n";
	size_t length = next_random(state) % 15;

	for (size_t i = 0; i < length; i++)
		line[i] = bytes[next_random(state) % (sizeof(bytes) - 1)];
	line[length] = '\0';
}

static void run_sh(FILE *script, struct strbuf *output)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = {(char[]){"sh"}, NULL};
	char *environment[] = {NULL};
	FILE *result = tmpfile();
	char bytes[4096];
	size_t got;
	pid_t pid;
	int status;

	cr_assert_not_null(result);
	cr_assert_eq(fflush(script), 0);
	rewind(script);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(script), 0);
	posix_spawn_file_actions_adddup2(&actions, fileno(result), 1);
	cr_assert_eq(posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environment), 0);
	posix_spawn_file_actions_destroy(&actions);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	rewind(result);
	while ((got = fread(bytes, 1, sizeof(bytes), result)) > 0)
		strbuf_add(output, bytes, got);
	fclose(result);
}

/* Each word in angle brackets, a line feed behind the last: what the script prints, too. */
static void add_words(const struct strv *words, struct strbuf *text)
{
	for (size_t i = 0; i < words->count; i++)
		strbuf_addf(text, "<%s>", words->items[i]);
	strbuf_addc(text, '\n');
}

Test(words, splits_as_sh_does)
{
	_cleanup_(strbuf_release) struct strbuf wanted = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf output = STRBUF_INIT;
	FILE *script = tmpfile();
	uint32_t state = 20;
	size_t split = 0;

	cr_assert_not_null(script);
	for (size_t i = 0; i < LINES; i++) {
		_cleanup_(strv_release) struct strv words = STRV_INIT;
		bool needs_shell = false;
		struct err err = ERR_INIT;
		char line[16];

		make_line(&state, line);
		if (words_split(line, &words, &needs_shell, &err) < 0 || needs_shell)
			continue;
		split++;
		add_words(&words, &wanted);
		/* Only trailing white space that is not quoted is no part of the words. */
		fprintf(script, "printf '<%%s>' %s%s", line + strspn(line, "\t\n "),
		        line[strlen(line) - 1] == '\n' ? "" : "\n");
		fprintf(script, "echo\n");
	}
	run_sh(script, &output);
	fclose(script);
	cr_assert(split > LINES / 20, "only %zu lines were split", split);
	cr_assert_str_eq(strbuf_str(&output), strbuf_str(&wanted));
}

Test(words, a_command_is_its_words_or_a_shell_s_line)
{
	_cleanup_(strv_release) struct strv plain = STRV_INIT;
	_cleanup_(strv_release) struct strv piped = STRV_INIT;
	struct strv none = STRV_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(words_command("a 'b c'", &plain, &err), 0);
	cr_assert_eq(plain.count, 2);
	cr_assert_str_eq(plain.items[1], "b c");
	cr_assert_eq(words_command("a | b", &piped, &err), 0);
	cr_assert_eq(piped.count, 3);
	cr_assert_str_eq(piped.items[0], "sh");
	cr_assert_str_eq(piped.items[1], "-c");
	cr_assert_str_eq(piped.items[2], "a | b");
	cr_assert_eq(words_command(" ", &none, &err), -1);
	cr_assert_eq(err.kind, ERR_USAGE);
	cr_assert_null(none.items);
}
