/* SPDX-License-Identifier: Apache-2.0 */
/* Files, variables and command line in their order, with the real ones of a process. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "cmd/oneoff/defaults.h"
#include "cmd/oneoff/run_options.h"

static char root[] = "/tmp/oneoff-defaults-XXXXXX";

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert_geq(fd, 0, "%s", name);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void begin(void)
{
	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(chdir(root), 0);
	cr_assert_eq(mkdir("oneoff", 0755), 0);
	unsetenv("ONEOFF_CONFIG");
	setenv("XDG_CONFIG_HOME", root, 1);
}

static void end(void)
{
	unlink("oneoff/config.yaml");
	unlink(".oneoff.yaml");
	rmdir("oneoff");
	rmdir(root);
}

#define WORD(text)               ((char *)(text))
#define PARSE(options, err, ...) parse(options, err, (char *[]){WORD("run"), __VA_ARGS__, NULL})

static int parse(struct run_options *options, struct err *err, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return run_options_parse(run_option_table, run_option_count, argc, argv, options, err);
}

Test(defaults, each_place_beats_the_one_before, .init = begin, .fini = end)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	struct err err = ERR_INIT;

	write_file("oneoff/config.yaml",
	           "like: a\nreason: a\nuser: a\nimage: a\nenv: [A=a]\nno-log: yes\n"
	           "console: {reason: not this}\n");
	write_file(".oneoff.yaml", "like: b\nreason: b\nworkdir: /b\n");
	setenv("ONEOFF_REASON", "c", 1);
	setenv("ONEOFF_USER", "c", 1);
	setenv("ONEOFF_WORKDIR", "", 1);
	cr_assert_eq(PARSE(&options, &err, WORD("-u"), WORD("d"), WORD("-eB=d"),
	                   WORD("--no-log=no"), WORD("env")),
	             0, "%s", err.message);
	cr_expect_str_eq(options.image, "a");
	cr_expect_str_eq(options.like, "b");
	cr_expect_str_eq(options.workdir, "/b");
	cr_expect_str_eq(options.reason, "c");
	cr_expect_str_eq(options.user, "d");
	cr_expect_not(options.no_log);
	cr_assert_eq(options.env.count, 2);
	cr_expect_str_eq(options.env.items[0], "A=a");
	cr_expect_eq(options.operand_count, 1);
}

Test(defaults, a_bad_file_stops_all_but_help, .init = begin, .fini = end)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	struct err err = ERR_INIT;

	write_file(".oneoff.yaml", "oci-runtime: ./evil\n");
	cr_expect_eq(PARSE(&options, &err, WORD("--like=x"), WORD("env")), -1);
	cr_expect_eq(err.kind, ERR_USAGE);
	cr_expect_not_null(strstr(err.message, "/.oneoff.yaml: oci-runtime: "), "%s", err.message);
	cr_expect_eq(PARSE(&options, &err, WORD("--help")), 0);
	cr_expect(options.help);
	setenv("ONEOFF_CONFIG", "none", 1);
	cr_expect_eq(PARSE(&options, &err, WORD("--like=x"), WORD("env")), 0, "%s", err.message);
}

/* In one's own file, then in a project's, which may say less. */
static void expect_default(const struct option *row, const char *before, const char *after)
{
	struct err err = ERR_INIT;
	char text[128];

	snprintf(text, sizeof(text), "%s%s: %s%s\n", before, row->long_name,
	         row->choices ? row->choices[0] : "\"1\"", after);
	for (int project = 0; project < 2; project++) {
		_cleanup_(run_options_release) struct run_options options = {.like = NULL};
		const char *path = project ? ".oneoff.yaml" : "oneoff/config.yaml";

		write_file(path, text);
		cr_expect_eq(PARSE(&options, &err, WORD("--like=x"), WORD("env")),
		             project && !row->project ? -1 : 0, "%s: %s", text, err.message);
		unlink(path);
	}
}

/* What every command may be told for good can be told in a file, for one command and for all that have it. */
Test(defaults, every_default_can_stand_in_a_file, .init = begin, .fini = end)
{
	for (size_t i = 0; i < run_option_count; i++) {
		if (!run_option_table[i].environment)
			continue;
		expect_default(&run_option_table[i], "run: {", "}");
		expect_default(&run_option_table[i], "", "");
	}
}

Test(defaults, verbose_names_the_files, .init = begin, .fini = end)
{
	_cleanup_(run_options_release) struct run_options options = {.like = NULL};
	struct err err = ERR_INIT;
	char text[512] = "";
	int file = open(".", O_RDWR | O_TMPFILE, 0600);

	cr_assert_geq(file, 0);
	dup2(file, STDERR_FILENO);
	write_file(".oneoff.yaml", "like: b\n");
	cr_assert_eq(PARSE(&options, &err, WORD("-v"), WORD("env")), 0);
	cr_assert_gt(pread(file, text, sizeof(text) - 1, 0), 0);
	cr_expect_eq(strncmp(text, "oneoff: defaults from ", 22), 0);
	cr_expect_not_null(strstr(text, "/.oneoff.yaml\n"));
	close(file);
}
