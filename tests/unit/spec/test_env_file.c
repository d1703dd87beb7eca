/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "pkg/spec/env_file.h"

/* The list as "A=1|B=2" is what cases compare with. */
static void expect_list(const struct strv *list, const char *wanted, const char *about)
{
	char text[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < list->count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "|" : "",
		                         list->items[i]);
	cr_assert_str_eq(text, wanted, "%s gives %s", about, text);
	cr_assert(!list->items || !list->items[list->count]);
}

static int parse(const char *text, struct strv *env, struct err *err)
{
	return env_file_parse(text, strlen(text), "f.env", env, err);
}

static void set_local(void)
{
	setenv("LOCAL", "from here", 1);
	setenv("LOCAL_EMPTY", "", 1);
	unsetenv("NOT_LOCAL");
}

Test(env_option, adds_and_replaces)
{
	static const char *const texts[] = {"A=1", "B=", "C=x=y", " D=4", "E F=5", "A=2", "G= g "};
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		cr_assert_eq(env_option_add(texts[i], &env, &err), 0, "%s", texts[i]);
	expect_list(&env, "A=2|B=|C=x=y| D=4|E F=5|G= g ", "-e");
}

Test(env_option, takes_local_values)
{
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err;

	set_local();
	cr_assert_eq(env_option_add("LOCAL=x", &env, &err), 0);
	cr_assert_eq(env_option_add("NOT_LOCAL=kept", &env, &err), 0);
	cr_assert_eq(env_option_add("LOCAL", &env, &err), 0);
	cr_assert_eq(env_option_add("LOCAL_EMPTY", &env, &err), 0);
	expect_list(&env, "LOCAL=from here|NOT_LOCAL=kept|LOCAL_EMPTY=", "-e");
}

Test(env_option, bare_name_without_local_value_removes)
{
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err;

	set_local();
	cr_assert_eq(env_option_add("A=1", &env, &err), 0);
	cr_assert_eq(env_option_add("NOT_LOCAL=kept", &env, &err), 0);
	cr_assert_eq(env_option_add("NOT_LOCAL", &env, &err), 0);
	expect_list(&env, "A=1|NOT_LOCAL", "-e");
}

Test(env_option, needs_a_key)
{
	static const char *const texts[] = {"", "=", "=x"};
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err;

	cr_assert_eq(env_option_add("A=1", &env, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		err.kind = ERR_NONE;
		cr_assert_eq(env_option_add(texts[i], &env, &err), -1, "'%s'", texts[i]);
		cr_assert_eq(err.kind, ERR_USAGE);
		cr_assert_str_not_empty(err.hint);
	}
	expect_list(&env, "A=1", "-e");
}

Test(env_option, a_key_is_not_its_prefix)
{
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err;

	cr_assert_eq(env_option_add("AB=1", &env, &err), 0);
	cr_assert_eq(env_option_add("A=2", &env, &err), 0);
	cr_assert_eq(env_option_add("ABC=3", &env, &err), 0);
	cr_assert_eq(env_option_add("a=4", &env, &err), 0);
	cr_assert_eq(env_option_add("A=5", &env, &err), 0);
	expect_list(&env, "AB=1|A=5|ABC=3|a=4", "-e");
}

/* What docker 28.2.2 made of the same texts (docker create --env-file, inspect) is what is wanted.
 * The one difference: docker leaves repeated keys in its list; the last one counts there too. */
Test(env_file, follows_docker)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"", ""},
		{"\n\n", ""},
		{"A=1", "A=1"},
		{"A=1\nB=2\n", "A=1|B=2"},
		{"A=1\r\nB=2\r\n", "A=1|B=2"},
		{"A=1\r", "A=1"},
		{"A=1\r\r\nB=2\rX\n", "A=1\r|B=2\rX"},
		{"\ufeffA=1\n", "A=1"},
		{"\xef\xbb\xbf", ""},
		{"# comment\n  # indented\n#A=1\nB=2#no comment\n", "B=2#no comment"},
		{"  \t \nA=1\n   ", "A=1"},
		{"  A=1\n\tB=2\n\v\fC=3\n\u00a0D=4\n", "A=1|B=2|C=3|D=4"},
		{"A= x \nB=\t\n", "A= x |B=\t"},
		{"A=\"q\"\nB='q'\nC=$A\nD=a\\nb\n", "A=\"q\"|B='q'|C=$A|D=a\\nb"},
		{"A=x=y==\nB=\n", "A=x=y==|B="},
		{"A=gr\xc3\xbcn\n\xc3\xbc=1\n", "A=gr\xc3\xbcn|\xc3\xbc=1"},
		{"LOCAL\nNOT_LOCAL\nLOCAL_EMPTY\n", "LOCAL=from here|LOCAL_EMPTY="},
		{"  LOCAL\r\n", "LOCAL=from here"},
		{"A=1\nB=2\nA=3\nC=4\nA=5\n", "A=5|B=2|C=4"},
		{"A=1\nNOT_LOCAL=2\nNOT_LOCAL\n", "A=1|NOT_LOCAL=2"},
		{"1x-y.z/w=ok\n", "1x-y.z/w=ok"},
	};

	set_local();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(strv_release) struct strv env = STRV_INIT;
		struct err err;

		cr_assert_eq(parse(cases[i].text, &env, &err), 0, "case %zu: %s", i, err.message);
		expect_list(&env, cases[i].wanted, cases[i].text);
	}
}

Test(env_file, names_file_and_line)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{"A B=1\n", "env file 'f.env', line 1: white space in the key 'A B'"},
		{"A=1\n\n# x\nA =1\n", "env file 'f.env', line 4: white space in the key 'A '"},
		{"A\t=secret", "env file 'f.env', line 1: white space in the key 'A\t'"},
		{"export A=1", "env file 'f.env', line 1: white space in the key 'export A'"},
		{"LOCAL \n", "env file 'f.env', line 1: white space in the key 'LOCAL '"},
		{"A\xc2\xa0=1", "env file 'f.env', line 1: white space in the key 'A\xc2\xa0'"},
		{"A=1\r\n=x\r\n", "env file 'f.env', line 2: no key before the '='"},
		{"   =x", "env file 'f.env', line 1: no key before the '='"},
		{"\n\nA=\xff\n", "env file 'f.env', line 3: invalid UTF-8"},
		{"# \xc3(\n", "env file 'f.env', line 1: invalid UTF-8"},
		{"\n\xef\xbb\xbf =1\n\xef\xbb\n", "env file 'f.env', line 2: white space in the key"
	                                          " '\xef\xbb\xbf '"},
	};

	set_local();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(strv_release) struct strv env = STRV_INIT;
		struct err err = ERR_INIT;

		cr_assert_eq(env_option_add("KEPT=1", &env, &err), 0);
		cr_assert_eq(parse(cases[i].text, &env, &err), -1, "case %zu", i);
		cr_assert_eq(err.kind, ERR_USAGE);
		cr_assert_str_eq(err.message, cases[i].message);
		expect_list(&env, "KEPT=1", cases[i].text);
	}
}

Test(env_file, refuses_nul_bytes)
{
	static const char text[] = "A=1\nB=a\0b\nC=3\n";
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(env_file_parse(text, sizeof(text) - 1, "f", &env, &err), -1);
	cr_assert_str_eq(err.message, "env file 'f', line 2: a NUL byte");
	cr_assert_eq(env.count, 0);
}

Test(env_file, does_not_show_a_long_key)
{
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err = ERR_INIT;
	char text[600];

	memset(text, 'k', sizeof(text) - 1);
	text[1] = ' ';
	text[sizeof(text) - 1] = '\0';
	cr_assert_eq(parse(text, &env, &err), -1);
	cr_assert_lt(strlen(err.message), 150);
}

Test(env_file, later_files_and_options_win)
{
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err;

	cr_assert_eq(parse("A=1\nB=1\n", &env, &err), 0);
	cr_assert_eq(parse("C=2\nB=2\n", &env, &err), 0);
	cr_assert_eq(env_option_add("A=3", &env, &err), 0);
	expect_list(&env, "A=3|B=2|C=2", "three in a row");
	/* The list is still one that can be added to by its own means. */
	cr_assert_eq(strv_add(&env, "D=4"), 0);
	expect_list(&env, "A=3|B=2|C=2|D=4", "and one more");
}

Test(env_file, takes_very_many_lines)
{
	enum { COUNT = 100000 };
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	_cleanup_free_ char *text = malloc(COUNT * 16);
	struct err err;
	size_t used = 0;

	for (int i = 0; i < COUNT; i++)
		used += (size_t)snprintf(text + used, COUNT * 16 - used, "K%d=%d\n",
		                         i % (COUNT / 2), i);
	cr_assert_eq(env_file_parse(text, used, "f", &env, &err), 0);
	cr_assert_eq(env.count, COUNT / 2);
	for (int i = 0; i < COUNT / 2; i++) {
		char wanted[32];

		snprintf(wanted, sizeof(wanted), "K%d=%d", i, i + COUNT / 2);
		cr_assert_str_eq(env.items[i], wanted);
	}
}

/* A file with the given content in a folder that the test leaves empty. */
static void write_file(const char *path, const char *text, size_t length)
{
	FILE *file = fopen(path, "we");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(text, 1, length, file), length);
	cr_assert_eq(fclose(file), 0);
}

Test(env_file, reads_files)
{
	char folder[] = "/tmp/oneoff-env-XXXXXX";
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err = ERR_INIT;
	int status;

	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	write_file("-", "DASH=1\n", 7);
	status = env_file_read("-", &env, &err);
	unlink("-");
	cr_assert_eq(status, 0, "%s", err.message);
	expect_list(&env, "DASH=1", "-");
	cr_assert_eq(env_file_read("missing.env", &env, &err), -1);
	cr_assert_eq(err.kind, ERR_SYSTEM);
	cr_assert_eq(err.os_errno, ENOENT);
	cr_assert_not_null(strstr(err.message, "missing.env"));
	cr_assert_eq(env_file_read(".", &env, &err), -1);
	cr_assert_eq(err.os_errno, EISDIR);
	cr_assert_eq(rmdir(folder), 0);
}

Test(env_file, reads_pipes)
{
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err = ERR_INIT;
	char path[32];
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], "A=1\nB=2", 7), 7);
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	cr_assert_eq(env_file_read(path, &env, &err), 0, "%s", err.message);
	expect_list(&env, "A=1|B=2", path);
}

Test(env_file, holds_its_cap)
{
	char path[] = "/tmp/oneoff-env-XXXXXX";
	_cleanup_free_ char *text = malloc(ENV_FILE_MAX + 1);
	_cleanup_(strv_release) struct strv env = STRV_INIT;
	struct err err = ERR_INIT;
	int at_cap, over_cap;

	memset(text, 'x', ENV_FILE_MAX + 1);
	text[1] = '=';
	close(mkstemp(path));
	write_file(path, text, ENV_FILE_MAX);
	at_cap = env_file_read(path, &env, &err);
	write_file(path, text, ENV_FILE_MAX + 1);
	over_cap = env_file_read(path, &env, &err);
	unlink(path);
	cr_assert_eq(at_cap, 0);
	cr_assert_eq(env.count, 1);
	cr_assert_eq(strlen(env.items[0]), ENV_FILE_MAX);
	cr_assert_eq(over_cap, -1);
	cr_assert_eq(err.kind, ERR_USAGE);
	cr_assert_not_null(strstr(err.message, "larger than 4 MiB"), "%s", err.message);
}
