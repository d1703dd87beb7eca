/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "oci/command.h"
#include "oci/file.h"
#include "oci/layer.h"

static char root[64];
static int root_fd;

static void make_root(void)
{
	struct err err = ERR_INIT;

	snprintf(root, sizeof(root), "/tmp/oneoff-command-XXXXXX");
	cr_assert(mkdtemp(root));
	root_fd = open(root, O_RDONLY | O_DIRECTORY);
	cr_assert_eq(mkdirat(root_fd, "bin", 0755), 0);
	cr_assert_eq(mkdirat(root_fd, "app", 0755), 0);
	cr_assert_eq(file_write_new(root_fd, "bin/plain", "x", 1, &err), 0);
	cr_assert_eq(file_write_new(root_fd, "bin/tool", "x", 1, &err), 0);
	cr_assert_eq(fchmodat(root_fd, "bin/tool", 0755, 0), 0);
	cr_assert_eq(symlinkat("/bin/tool", root_fd, "app/link"), 0);
	cr_assert_eq(symlinkat("/bin/gone", root_fd, "app/dead"), 0);
}

static void remove_root(void)
{
	struct err err = ERR_INIT;
	int fd = open("/tmp", O_RDONLY | O_DIRECTORY);

	cr_assert_eq(tree_remove(fd, root + 5, &err), 0, "%s", err.message);
	close(fd);
	close(root_fd);
}

TestSuite(command, .init = make_root, .fini = remove_root);

static enum err_kind check(const char *name, const char *path)
{
	struct err err = ERR_INIT;
	cJSON *config = NULL;
	char text[512];

	snprintf(text, sizeof(text),
	         "{\"process\":{\"cwd\":\"/app\",\"args\":[\"%s\"],\"env\":[%s%s%s]}}", name,
	         path ? "\"PATH=" : "", path ? path : "", path ? "\"" : "");
	cr_assert_eq(json_parse(text, strlen(text), JSON_MAX_BYTES, &config, &err), 0);
	if (command_check(root_fd, config, &err) == 0)
		cr_assert_eq(err.kind, ERR_NONE);
	json_free(&config);
	return err.kind;
}

Test(command, is_found_where_execvp_finds_it)
{
	cr_expect_eq(check("tool", "/usr/bin:/bin"), ERR_NONE);
	cr_expect_eq(check("link", "/bin:."), ERR_NONE);
	cr_expect_eq(check("/bin/tool", NULL), ERR_NONE);
	cr_expect_eq(check("./link", NULL), ERR_NONE);
	cr_expect_eq(check("../bin/tool", "/bin"), ERR_NONE);
}

Test(command, is_missing_for_sure)
{
	cr_expect_eq(check("tool", "/usr/bin:/app"), ERR_COMMAND_NOT_FOUND);
	cr_expect_eq(check("nonexist", "/bin"), ERR_COMMAND_NOT_FOUND);
	cr_expect_eq(check("/nonexist", "/bin"), ERR_COMMAND_NOT_FOUND);
	cr_expect_eq(check("./dead", "/bin"), ERR_COMMAND_NOT_FOUND);
	/* A file of the machine's own is none of the image's. */
	cr_expect_eq(check("/bin/sh", "/bin"), ERR_COMMAND_NOT_FOUND);
	cr_expect_eq(check("../../../../../../bin/sh", "/bin"), ERR_COMMAND_NOT_FOUND);
}

Test(command, cannot_be_executed_for_sure)
{
	cr_expect_eq(check("/bin", "/bin"), ERR_CANNOT_EXECUTE);
	cr_expect_eq(check("plain", "/usr/bin:/bin"), ERR_CANNOT_EXECUTE);
	cr_expect_eq(check("/bin/plain", NULL), ERR_CANNOT_EXECUTE);
}

/* Without PATH the runtime has a default of its own. */
Test(command, is_left_to_the_runtime_when_in_doubt)
{
	cr_expect_eq(check("nonexist", NULL), ERR_NONE);
	cr_expect_eq(check("", "/bin"), ERR_NONE);
}
