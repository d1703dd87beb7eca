/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/oci/layer_helper.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static struct layer_bench bench;

static void open_bench(void)
{
	layer_bench_open(&bench);
}

static void close_bench(void)
{
	layer_bench_close(&bench);
}

TestSuite(layer, .init = open_bench, .fini = close_bench, .timeout = 60);

Test(layer, writes_files_folders_and_links)
{
	TAR(&bench.tar, .name = "./", .type = '5', .mode = 0750);
	TAR(&bench.tar, .name = "./etc/", .type = '5', .mode = 0711);
	TAR(&bench.tar, .name = "./etc/motd", .type = '0', .content = "hello", .mode = 0604);
	TAR(&bench.tar, .name = "/oneoff-usr/bin/sh", .type = '0', .content = "#!", .mode = 04755);
	TAR(&bench.tar, .name = "bin", .type = '2', .link = "oneoff-usr/bin");
	TAR(&bench.tar, .name = "oneoff-usr/bin/ash", .type = '1', .link = "oneoff-usr/bin/sh");
	TAR(&bench.tar, .name = "run/pipe", .type = '6', .mode = 0622);
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "bin etc oneoff-usr run");
	layer_expect_file(&bench, "etc/motd", "hello");
	layer_expect_file(&bench, "oneoff-usr/bin/sh", "#!");
	layer_expect_link(&bench, "bin", "oneoff-usr/bin");
	layer_expect_same(&bench, "oneoff-usr/bin/ash", "oneoff-usr/bin/sh");
}

Test(layer, keeps_modes_owners_and_times_whatever_the_umask)
{
	static const struct {
		const char *path;
		mode_t mode;
		time_t time;
	} expected[] = {
		{"", S_IFDIR | 0511, 1000},
		{"d", S_IFDIR | 03777, 2000},
		{"d/f", S_IFREG | 06755, 3000},
		{"d/fifo", S_IFIFO | 0622, TAR_TIME},
		{"d/none", S_IFREG | 0, TAR_TIME},
		{"d/link", S_IFLNK | 0777, 4000},
		{"implied", S_IFDIR | 0755, -1},
		{"implied/deep", S_IFDIR | 0755, -1},
		{"implied/deep/f", S_IFREG | 0644, TAR_TIME},
	};
	mode_t before = umask(0177);

	TAR(&bench.tar, .name = ".", .type = '5', .mode = 0511, .time = 1000);
	TAR(&bench.tar, .name = "d", .type = '5', .mode = 03777, .time = 2000, .user = 7);
	TAR(&bench.tar, .name = "d/f", .type = '0', .content = "x", .mode = 06755, .time = 3000,
	    .user = 1234, .group = 99);
	TAR(&bench.tar, .name = "d/fifo", .type = '6', .mode = 0622);
	TAR(&bench.tar, .name = "d/none", .type = '0', .no_mode = true);
	TAR(&bench.tar, .name = "d/link", .type = '2', .link = "f", .time = 4000, .user = 5);
	TAR(&bench.tar, .name = "implied/deep/f", .type = '0');
	layer_expect_applied(&bench);
	umask(before);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		struct stat status;

		layer_status(&bench, expected[i].path, &status);
		cr_assert_eq(status.st_mode, expected[i].mode, "%s: %o", expected[i].path,
		             status.st_mode);
		if (expected[i].time >= 0)
			cr_assert_eq(status.st_mtim.tv_sec, expected[i].time, "%s",
			             expected[i].path);
	}
	if (bench.options.privileged) {
		struct stat status;

		layer_status(&bench, "d/f", &status);
		cr_assert(status.st_uid == 1234 && status.st_gid == 99);
		layer_status(&bench, "d/link", &status);
		cr_assert_eq(status.st_uid, 5);
	}
}

Test(layer, keeps_nanoseconds_and_times_before_1970)
{
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;
	struct stat status;

	tar_pax_record(&records, "mtime", "1234567890.123456789", 20);
	tar_pax_record(&records, "atime", "99.5", 4);
	tar_pax_records(&bench.tar, &records);
	TAR(&bench.tar, .name = "f", .type = '0');
	tar_pax(&bench.tar, "mtime", "-1000", 5);
	TAR(&bench.tar, .name = "old", .type = '5');
	layer_expect_applied(&bench);
	layer_status(&bench, "f", &status);
	cr_assert_eq(status.st_mtim.tv_sec, 1234567890);
	cr_assert_eq(status.st_mtim.tv_nsec, 123456789);
	cr_assert_eq(status.st_atim.tv_sec, 99);
	cr_assert_eq(status.st_atim.tv_nsec, 500000000);
	layer_status(&bench, "old", &status);
	cr_assert_eq(status.st_mtim.tv_sec, -1000);
}

Test(layer, replaces_one_type_by_another)
{
	static const char types[] = "0256";

	for (size_t from = 0; types[from]; from++) {
		for (size_t to = 0; types[to]; to++) {
			char name[3] = {types[from], types[to], '\0'};

			TAR(&bench.tar, .name = name, .type = types[from], .link = "old",
			    .content = types[from] == '0' ? "old and longer" : NULL);
		}
	}
	layer_expect_applied(&bench);
	for (size_t from = 0; types[from]; from++) {
		for (size_t to = 0; types[to]; to++) {
			char name[3] = {types[from], types[to], '\0'};

			TAR(&bench.tar, .name = name, .type = types[to], .link = "new",
			    .content = types[to] == '0' ? "new" : NULL);
		}
	}
	layer_expect_applied(&bench);
	for (size_t from = 0; types[from]; from++) {
		char file[3] = {types[from], '0', '\0'}, link[3] = {types[from], '2', '\0'};
		char folder[3] = {types[from], '5', '\0'};

		layer_expect_file(&bench, file, "new");
		layer_expect_link(&bench, link, "new");
		layer_expect_folder(&bench, folder);
		layer_expect_names(&bench, folder, "");
	}
}

Test(layer, gives_a_folder_that_is_there_only_new_attributes)
{
	struct stat before, after;

	TAR(&bench.tar, .name = "d", .type = '5', .mode = 0755, .time = 1000);
	TAR(&bench.tar, .name = "d/below", .type = '0', .content = "stays");
	layer_expect_applied(&bench);
	layer_status(&bench, "d", &before);
	TAR(&bench.tar, .name = "d", .type = '5', .mode = 0700, .time = 2000);
	layer_expect_applied(&bench);
	layer_status(&bench, "d", &after);
	cr_assert_eq(before.st_ino, after.st_ino);
	cr_assert_eq(after.st_mode & 07777, 0700);
	cr_assert_eq(after.st_mtim.tv_sec, 2000);
	layer_expect_file(&bench, "d/below", "stays");
}

Test(layer, keeps_the_time_of_a_folder_that_it_only_passes_through)
{
	struct stat status;

	TAR(&bench.tar, .name = "./", .type = '5', .time = 500);
	TAR(&bench.tar, .name = "d", .type = '5', .time = 1000);
	TAR(&bench.tar, .name = "d/sub", .type = '5', .time = 1500);
	TAR(&bench.tar, .name = "d/sub/gone", .type = '0');
	layer_expect_applied(&bench);
	TAR(&bench.tar, .name = "d/new", .type = '0');
	TAR(&bench.tar, .name = "d/sub/.wh.gone", .type = '0');
	TAR(&bench.tar, .name = "top", .type = '0');
	layer_expect_applied(&bench);
	layer_status(&bench, "d", &status);
	cr_assert_eq(status.st_mtim.tv_sec, 1000);
	layer_status(&bench, "d/sub", &status);
	cr_assert_eq(status.st_mtim.tv_sec, 1500);
	layer_status(&bench, "", &status);
	cr_assert_eq(status.st_mtim.tv_sec, 500);
}

Test(layer, writes_through_the_links_of_a_merged_usr)
{
	TAR(&bench.tar, .name = "oneoff-usr/bin", .type = '5');
	TAR(&bench.tar, .name = "oneoff-usr/lib", .type = '5');
	TAR(&bench.tar, .name = "bin", .type = '2', .link = "oneoff-usr/bin");
	TAR(&bench.tar, .name = "lib", .type = '2', .link = "/oneoff-usr/lib");
	TAR(&bench.tar, .name = "lib64", .type = '2', .link = "oneoff-usr/lib64");
	TAR(&bench.tar, .name = "oneoff-usr/bin/old", .type = '0', .content = "1");
	layer_expect_applied(&bench);
	TAR(&bench.tar, .name = "bin/tool", .type = '0', .content = "2");
	TAR(&bench.tar, .name = "lib/x/libx.so", .type = '0', .content = "3");
	TAR(&bench.tar, .name = "lib64/ld.so", .type = '0', .content = "4");
	TAR(&bench.tar, .name = "bin/.wh.old", .type = '0');
	TAR(&bench.tar, .name = "bin/again", .type = '1', .link = "bin/tool");
	layer_expect_applied(&bench);
	layer_expect_link(&bench, "bin", "oneoff-usr/bin");
	layer_expect_link(&bench, "lib", "/oneoff-usr/lib");
	layer_expect_names(&bench, "oneoff-usr/bin", "again tool");
	layer_expect_file(&bench, "oneoff-usr/lib/x/libx.so", "3");
	layer_expect_file(&bench, "oneoff-usr/lib64/ld.so", "4");
	layer_expect_same(&bench, "oneoff-usr/bin/again", "oneoff-usr/bin/tool");
}

Test(layer, puts_a_folder_in_the_place_of_a_link_to_one)
{
	TAR(&bench.tar, .name = "real", .type = '5');
	TAR(&bench.tar, .name = "l", .type = '2', .link = "real");
	layer_expect_applied(&bench);
	TAR(&bench.tar, .name = "l", .type = '5', .mode = 0700);
	TAR(&bench.tar, .name = "l/f", .type = '0', .content = "in l");
	layer_expect_applied(&bench);
	layer_expect_folder(&bench, "l");
	layer_expect_names(&bench, "real", "");
	layer_expect_file(&bench, "l/f", "in l");
}

Test(layer, links_to_files_of_lower_layers)
{
	TAR(&bench.tar, .name = "a", .type = '0', .content = "one");
	TAR(&bench.tar, .name = "b", .type = '1', .link = "a");
	TAR(&bench.tar, .name = "s", .type = '2', .link = "a");
	layer_expect_applied(&bench);
	TAR(&bench.tar, .name = "c", .type = '1', .link = "/a");
	TAR(&bench.tar, .name = "t", .type = '1', .link = "./s");
	layer_expect_applied(&bench);
	layer_expect_same(&bench, "a", "c");
	layer_expect_link(&bench, "t", "a");
	layer_expect_same(&bench, "s", "t");
	/* A new file breaks the group, and the others keep their content. */
	TAR(&bench.tar, .name = "a", .type = '0', .content = "two");
	layer_expect_applied(&bench);
	layer_expect_file(&bench, "a", "two");
	layer_expect_file(&bench, "b", "one");
	layer_expect_same(&bench, "b", "c");
	/* The same name again is no error. */
	TAR(&bench.tar, .name = "c", .type = '1', .link = "b");
	layer_expect_applied(&bench);
	layer_expect_same(&bench, "b", "c");
}

Test(layer, takes_no_content_from_a_hard_link)
{
	TAR(&bench.tar, .name = "a", .type = '0', .content = "original");
	tar_pax(&bench.tar, "comment", "content is allowed here", 23);
	TAR(&bench.tar, .name = "b", .type = '1', .link = "a", .content = "overwritten",
	    .mode = 0777);
	TAR(&bench.tar, .name = "after", .type = '0', .content = "x");
	layer_expect_applied(&bench);
	layer_expect_file(&bench, "a", "original");
	layer_expect_same(&bench, "a", "b");
	layer_expect_file(&bench, "after", "x");
}

Test(layer, makes_devices_with_privileges_and_counts_them_without)
{
	struct stat status;

	TAR(&bench.tar, .name = "dev/null", .type = '3', .major = 1, .minor = 3, .mode = 0666);
	TAR(&bench.tar, .name = "dev/big", .type = '4', .major = 259, .minor = 70000);
	TAR(&bench.tar, .name = "dev/null2", .type = '1', .link = "dev/null");
	if (bench.options.privileged) {
		struct strbuf copy = STRBUF_INIT;

		strbuf_add(&copy, bench.tar.data, bench.tar.length);
		layer_expect_applied(&bench);
		layer_status(&bench, "dev/null", &status);
		cr_assert(S_ISCHR(status.st_mode) && (status.st_mode & 07777) == 0666);
		cr_assert_eq(status.st_rdev, makedev(1, 3));
		layer_status(&bench, "dev/big", &status);
		cr_assert(S_ISBLK(status.st_mode) && status.st_rdev == makedev(259, 70000));
		layer_expect_same(&bench, "dev/null", "dev/null2");
		bench.tar = copy;
	}
	bench.options.privileged = false;
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "dev", "");
	cr_assert_str_eq(strbuf_str(&bench.reports),
	                 "1 3 device files of the image were left out: making them takes "
	                 "privileges\n");
}

Test(layer, keeps_extended_attributes_except_those_that_would_forge)
{
	/* VFS_CAP_REVISION_2 with CAP_NET_RAW, permitted and effective. */
	static const char capability[] = "\x01\x00\x00\x02\x00\x20\x00\x00\0\0\0\0\0\0\0\0\0\0\0";
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;
	char path[128], value[64];
	int fd;

	tar_pax_record(&records, "SCHILY.xattr.user.note", "a\0b\n", 4);
	tar_pax_record(&records, "SCHILY.xattr.user.overlay.opaque", "y", 1);
	tar_pax_record(&records, "SCHILY.xattr.trusted.overlay.opaque", "y", 1);
	tar_pax_record(&records, "SCHILY.xattr.security.selinux", "x:y:z", 5);
	tar_pax_record(&records, "SCHILY.xattr.security.capability", capability, 20);
	tar_pax_records(&bench.tar, &records);
	TAR(&bench.tar, .name = "ping", .type = '0', .content = "x", .user = 3, .mode = 0755);
	tar_pax(&bench.tar, "SCHILY.xattr.user.old", "1", 1);
	TAR(&bench.tar, .name = "d", .type = '5');
	layer_expect_applied(&bench);
	fd = openat(bench.root_fd, "ping", O_RDONLY);
	cr_assert_eq(fgetxattr(fd, "user.note", value, sizeof(value)), 4);
	cr_assert_eq(memcmp(value, "a\0b\n", 4), 0);
	if (bench.options.privileged) {
		cr_assert_eq(fgetxattr(fd, "security.capability", value, sizeof(value)), 20);
		cr_assert_eq(memcmp(value, capability, 20), 0);
	}
	cr_assert_eq(fgetxattr(fd, "user.overlay.opaque", value, sizeof(value)), -1);
	cr_assert_eq(fgetxattr(fd, "trusted.overlay.opaque", value, sizeof(value)), -1);
	close(fd);
	/* A folder loses what the upper layer does not name. */
	tar_pax(&bench.tar, "SCHILY.xattr.user.new", "2", 1);
	TAR(&bench.tar, .name = "d", .type = '5');
	layer_expect_applied(&bench);
	(void)snprintf(path, sizeof(path), "%s/d", bench.root);
	cr_assert_eq(getxattr(path, "user.old", value, sizeof(value)), -1);
	cr_assert_eq(getxattr(path, "user.new", value, sizeof(value)), 1);
}

Test(layer, lets_nothing_inherit_an_acl)
{
	/* user::rwx user:1:rwx group::r-x mask::rwx other::r-x, as the kernel stores it. */
	static const char acl[] =
		"\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x07\0\x01\0\0\0\x04\0\x05\0\xff\xff"
		"\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\x05\0\xff\xff\xff\xff";
	static const char *const names[] = {"d/f", "d/sub", "d/implied", "d/implied/g", "d/fifo"};
	char path[128];

	tar_pax(&bench.tar, "SCHILY.xattr.system.posix_acl_default", acl, sizeof(acl) - 1);
	TAR(&bench.tar, .name = "d", .type = '5');
	TAR(&bench.tar, .name = "d/f", .type = '0', .mode = 0640);
	layer_expect_applied(&bench);
	TAR(&bench.tar, .name = "d/sub", .type = '5');
	TAR(&bench.tar, .name = "d/implied/g", .type = '0');
	TAR(&bench.tar, .name = "d/fifo", .type = '6');
	layer_expect_applied(&bench);
	(void)snprintf(path, sizeof(path), "%s/d", bench.root);
	if (getxattr(path, "system.posix_acl_default", NULL, 0) < 0)
		return; /* no ACLs on this file system */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", bench.root, names[i]);
		cr_assert_eq(getxattr(path, "system.posix_acl_access", NULL, 0), -1, "%s", path);
		cr_assert_eq(getxattr(path, "system.posix_acl_default", NULL, 0), -1, "%s", path);
	}
}
