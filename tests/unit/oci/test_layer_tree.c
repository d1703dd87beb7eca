/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/oci/layer_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

static struct layer_bench bench;

static void open_bench(void)
{
	layer_bench_open(&bench);
}

static void close_bench(void)
{
	layer_bench_close(&bench);
}

TestSuite(layer_tree, .init = open_bench, .fini = close_bench, .timeout = 60);

static void expect_removed(const char *name)
{
	struct err err = ERR_INIT;

	cr_assert_eq(tree_remove(bench.root_fd, name, &err), 0, "%s", err.message);
	layer_expect_none(&bench, name);
}

Test(layer_tree, removes_everything_and_follows_no_link)
{
	TAR(&bench.tar, .name = "d/a/b/c", .type = '0');
	TAR(&bench.tar, .name = "d/a/empty", .type = '5');
	TAR(&bench.tar, .name = "d/z/y", .type = '6');
	TAR(&bench.tar, .name = "d/out", .type = '2', .link = bench.outside);
	TAR(&bench.tar, .name = "keep/f", .type = '0');
	TAR(&bench.tar, .name = "link", .type = '2', .link = "keep");
	layer_expect_applied(&bench);
	expect_removed("d");
	expect_removed("link");
	layer_expect_names(&bench, "", "keep");
	layer_expect_names(&bench, "keep", "f");
}

Test(layer_tree, what_is_not_there_is_no_error)
{
	expect_removed("none");
}

Test(layer_tree, removes_folders_of_many_names)
{
	for (int i = 0; i < 3000; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "d/%d", i);
		TAR(&bench.tar, .name = name, .type = '0');
		(void)snprintf(name, sizeof(name), "d/s%d/f", i % 500);
		TAR(&bench.tar, .name = name, .type = '0');
	}
	layer_expect_applied(&bench);
	expect_removed("d");
}

Test(layer_tree, goes_deeper_than_a_path_may_be_long_and_than_files_may_be_open)
{
	struct rlimit limit = {.rlim_cur = 32, .rlim_max = 32};
	int fd = dup(bench.root_fd);

	for (int i = 0; i < 5000; i++) {
		int next;

		cr_assert_eq(mkdirat(fd, "deep", 0700), 0);
		next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = next;
	}
	close(fd);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_removed("deep");
}

/* Were the unpacker broken, these tests must not break the machine of who runs them. */
Test(layer_tree, these_tests_see_a_host_that_is_read_only)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNS) < 0)
		return;
	cr_assert_eq(faccessat(AT_FDCWD, "/etc", W_OK, AT_EACCESS), -1);
	cr_assert_eq(faccessat(AT_FDCWD, "/usr/lib", W_OK, AT_EACCESS), -1);
}

/* A mount namespace of our own; without the right to one there is nothing to see. The descriptor that
 * was open before belongs to the old one. */
static bool enter_namespace(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	close(bench.root_fd);
	bench.root_fd = open(bench.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench.options.root_fd = bench.root_fd;
	return true;
}

static void expect_mount_untouched(void)
{
	struct err err = ERR_INIT;

	cr_assert_eq(tree_remove(bench.root_fd, "d", &err), -1);
	cr_assert_eq(err.kind, ERR_SYSTEM);
	cr_assert_not_null(strstr(err.message, "'m'"), "%s", err.message);
	/* Nor does a layer write on it, or a whiteout delete what is there. */
	TAR(&bench.tar, .name = "d/m/etc/passwd", .type = '0', .content = "x");
	layer_expect_failure(&bench, ERR_REFUSED, "'m' is another file system");
	TAR(&bench.tar, .name = "d/m/.wh.secret", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "'m' is another file system");
	TAR(&bench.tar, .name = "d/.wh.m", .type = '0');
	layer_expect_failure(&bench, ERR_SYSTEM, "'m'");
}

Test(layer_tree, does_not_cross_a_mount)
{
	char path[128];

	if (!enter_namespace())
		return;
	TAR(&bench.tar, .name = "d/m", .type = '5');
	layer_expect_applied(&bench);
	(void)snprintf(path, sizeof(path), "%s/d/m", bench.root);
	cr_assert_eq(mount(bench.outside, path, NULL, MS_BIND, NULL), 0);
	expect_mount_untouched();
	layer_expect_file(&bench, "d/m/secret", "keep me");
	cr_assert_eq(umount(path), 0);
}

/* Without openat2 at least another file system is noticed. */
Test(layer_tree, does_not_cross_to_another_file_system_without_openat2)
{
	char path[128];

	if (!enter_namespace())
		return;
	TAR(&bench.tar, .name = "d/m", .type = '5');
	layer_expect_applied(&bench);
	(void)snprintf(path, sizeof(path), "%s/d/m", bench.root);
	cr_assert_eq(mount("none", path, "tmpfs", 0, "mode=0755"), 0);
	(void)snprintf(path, sizeof(path), "%s/d/m/secret", bench.root);
	cr_assert_eq(mkdir(path, 0755), 0);
	layer_forbid_openat2();
	expect_mount_untouched();
	layer_expect_folder(&bench, "d/m/secret");
	*strrchr(path, '/') = '\0';
	cr_assert_eq(umount(path), 0);
}
