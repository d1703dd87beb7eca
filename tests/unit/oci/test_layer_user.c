/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking without privileges, as a user that is bound by modes. Root becomes one first. */
#include "tests/unit/oci/layer_helper.h"

#include <fcntl.h>
#include <grp.h>

static struct layer_bench bench;

static void open_bench(void)
{
	if (geteuid() == 0) {
		cr_assert_eq(setgroups(0, NULL), 0);
		cr_assert_eq(setgid(65534), 0);
		cr_assert_eq(setuid(65534), 0);
	}
	layer_bench_open(&bench);
}

static void close_bench(void)
{
	layer_bench_close(&bench);
}

TestSuite(layer_user, .init = open_bench, .fini = close_bench, .timeout = 60);

static mode_t mode_of(const char *path)
{
	struct stat status;

	layer_status(&bench, path, &status);
	return status.st_mode & 07777;
}

static void apply_closed(void)
{
	TAR(&bench.tar, .name = "./", .type = '5', .mode = 0555, .time = 10);
	TAR(&bench.tar, .name = "ro", .type = '5', .mode = 0555, .user = 0, .time = 20);
	TAR(&bench.tar, .name = "ro/sub", .type = '5', .mode = 0100, .time = 30);
	TAR(&bench.tar, .name = "ro/sub/f", .type = '0', .content = "lower", .mode = 0400);
	TAR(&bench.tar, .name = "none", .type = '5', .no_mode = true, .time = 40);
	TAR(&bench.tar, .name = "none/deep", .type = '5', .no_mode = true);
	TAR(&bench.tar, .name = "none/deep/f", .type = '0', .no_mode = true);
	layer_expect_applied(&bench);
}

Test(layer_user, sets_modes_that_close_a_folder_to_its_owner)
{
	apply_closed();
	cr_assert_eq(mode_of(""), 0555);
	cr_assert_eq(mode_of("ro"), 0555);
	cr_assert_eq(mode_of("ro/sub"), 0100);
	cr_assert_eq(mode_of("none"), 0);
}

Test(layer_user, writes_below_closed_folders_of_lower_layers_and_closes_them_again)
{
	struct stat status;

	apply_closed();
	TAR(&bench.tar, .name = "ro/sub/g", .type = '0', .content = "upper");
	TAR(&bench.tar, .name = "none/deep/g", .type = '0', .content = "upper");
	TAR(&bench.tar, .name = "ro/sub/.wh.f", .type = '0');
	TAR(&bench.tar, .name = "top", .type = '0');
	layer_expect_applied(&bench);
	cr_assert_eq(mode_of(""), 0555);
	cr_assert_eq(mode_of("ro"), 0555);
	cr_assert_eq(mode_of("ro/sub"), 0100);
	cr_assert_eq(mode_of("none"), 0);
	layer_expect_file(&bench, "ro/sub/g", "upper");
	layer_expect_none(&bench, "ro/sub/f");
	layer_status(&bench, "ro", &status);
	cr_assert_eq(status.st_mtim.tv_sec, 20);
	layer_status(&bench, "", &status);
	cr_assert_eq(status.st_mtim.tv_sec, 10);
	cr_assert_eq(fchmodat(bench.root_fd, "none", 0700, 0), 0);
	cr_assert_eq(mode_of("none/deep"), 0);
}

Test(layer_user, replaces_and_deletes_closed_folders)
{
	apply_closed();
	TAR(&bench.tar, .name = "none", .type = '0', .content = "file");
	TAR(&bench.tar, .name = ".wh.ro", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "none");
	apply_closed();
	TAR(&bench.tar, .name = "none", .type = '5', .mode = 0711);
	TAR(&bench.tar, .name = "ro/.wh..wh..opq", .type = '0');
	layer_expect_applied(&bench);
	cr_assert_eq(mode_of("none"), 0711);
	cr_assert_eq(mode_of("none/deep"), 0);
	layer_expect_names(&bench, "ro", "");
}

Test(layer_user, sets_no_owners_and_leaves_devices_out)
{
	struct stat status;

	TAR(&bench.tar, .name = "f", .type = '0', .user = 0, .group = 0, .mode = 04755);
	TAR(&bench.tar, .name = "zero", .type = '3', .major = 1, .minor = 5);
	TAR(&bench.tar, .name = "l", .type = '2', .link = "f", .user = 0);
	layer_expect_applied(&bench);
	layer_status(&bench, "f", &status);
	cr_assert_eq(status.st_uid, geteuid());
	cr_assert_eq(status.st_mode & 07777, 04755);
	layer_expect_names(&bench, "", "f l");
	cr_assert_not_null(strstr(strbuf_str(&bench.reports), "1 device files"));
}
