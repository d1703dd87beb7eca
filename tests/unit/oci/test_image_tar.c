/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a tar, as oci/tar_index.h finds them. */
#include "tests/unit/oci/image_helper.h"

#include <sys/mman.h>

/* The tar writer of the layers' tests has a struct of that name, too. */
#define tar_member tar_index_member
#include "oci/tar_index.h"
#undef tar_member
#include "tests/unit/oci/layer_helper.h"

static struct strbuf tar;
static struct tar_index members;
static int fd;

static void open_tar(void)
{
	fd = memfd_create("tar", MFD_CLOEXEC);
	cr_assert_geq(fd, 0);
}

static void close_tar(void)
{
	close(fd);
	strbuf_release(&tar);
	tar_index_release(&members);
}

TestSuite(image_tar, .init = open_tar, .fini = close_tar, .timeout = 60);

static int read_tar(struct err *err)
{
	*err = (struct err)ERR_INIT;
	tar_index_release(&members);
	cr_assert_eq(ftruncate(fd, 0), 0);
	if (tar.length)
		cr_assert_eq(pwrite(fd, tar.data, tar.length, 0), (ssize_t)tar.length);
	return tar_index_read(fd, tar.length, &members, err);
}

static void expect_tar(void)
{
	struct err err;

	cr_assert_eq(read_tar(&err), 0, "%s", err.message);
}

static void expect_refusal(const char *words)
{
	struct err err;

	cr_assert_eq(read_tar(&err), -1, "%s", words);
	cr_assert_not_null(strstr(err.message, words), "%s", err.message);
	strbuf_reset(&tar);
}

static void expect_file(const char *name, const char *content)
{
	const struct tar_index_member *member = tar_index_find(&members, name);
	char bytes[64] = "";

	cr_assert_not_null(member, "%s", name);
	cr_assert_eq(member->size, strlen(content), "%s", name);
	cr_assert_eq(pread(fd, bytes, member->size, (off_t)member->offset), (ssize_t)member->size);
	cr_assert_str_eq(bytes, content, "%s", name);
}

static void expect_none(const char *name)
{
	cr_assert_null(tar_index_find(&members, name), "%s", name);
}

Test(image_tar, finds_plain_files_by_all_kinds_of_names)
{
	char long_name[300];

	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	TAR(&tar, .name = "./b", .type = '0', .content = "two");
	TAR(&tar, .name = "dir/", .type = '5');
	tar_gnu_long(&tar, 'L', long_name);
	TAR(&tar, .name = "short", .type = '0', .content = "three");
	tar_pax(&tar, "path", "d/from-pax", strlen("d/from-pax"));
	TAR(&tar, .name = "short", .type = '0', .content = "four");
	TAR(&tar, .name = "old", .type = '\0', .content = "five");
	tar_end(&tar);
	expect_tar();
	expect_file("a", "one");
	expect_file("b", "two");
	expect_file(long_name, "three");
	expect_file("d/from-pax", "four");
	expect_file("old", "five");
	expect_none("short");
	expect_none("dir");
	expect_none("dir/");
}

Test(image_tar, of_two_with_one_name_the_later_counts)
{
	TAR(&tar, .name = "a", .type = '0', .content = "old");
	TAR(&tar, .name = "b", .type = '0', .content = "x");
	TAR(&tar, .name = "a", .type = '0', .content = "new");
	tar_end(&tar);
	expect_tar();
	expect_file("a", "new");
}

Test(image_tar, follows_links_inside)
{
	TAR(&tar, .name = "blobs/x", .type = '0', .content = "x");
	TAR(&tar, .name = "id/one", .type = '2', .link = "../blobs/x");
	TAR(&tar, .name = "id/two", .type = '2', .link = "./one");
	tar_pax(&tar, "linkpath", "id/two", strlen("id/two"));
	TAR(&tar, .name = "three", .type = '2', .link = "no");
	TAR(&tar, .name = "loop", .type = '2', .link = "loop");
	TAR(&tar, .name = "hole", .type = '2', .link = "none");
	tar_end(&tar);
	expect_tar();
	expect_file("id/one", "x");
	expect_file("id/two", "x");
	expect_file("three", "x");
	expect_none("loop");
	expect_none("hole");
}

Test(image_tar, follows_8_links_at_most)
{
	char name[32], target[32];

	TAR(&tar, .name = "0", .type = '0', .content = "x");
	for (int i = 1; i < 20; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(target, sizeof(target), "%d", i - 1);
		TAR(&tar, .name = name, .type = '2', .link = target);
	}
	tar_end(&tar);
	expect_tar();
	expect_file("7", "x");
	expect_none("10");
}

Test(image_tar, takes_a_pax_size)
{
	tar_pax(&tar, "size", "3", 1);
	TAR(&tar, .name = "a", .type = '0', .content = "one", .size = "00000000000\0");
	TAR(&tar, .name = "b", .type = '0', .content = "two");
	tar_end(&tar);
	expect_tar();
	expect_file("a", "one");
	expect_file("b", "two");
}

Test(image_tar, ignores_global_headers)
{
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;

	tar_pax_record(&records, "path", "other", 5);
	TAR(&tar, .name = "global", .type = 'g', .content = records.data, .length = records.length);
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	tar_end(&tar);
	expect_tar();
	expect_file("a", "one");
}

Test(image_tar, refuses_what_is_cut_off)
{
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	tar.length -= 512;
	expect_refusal("ends too early");
	TAR(&tar, .name = "a", .type = '0', .content = "one", .size = "77777777777\0");
	tar_end(&tar);
	expect_refusal("ends too early");
	TAR(&tar, .name = "a", .type = '0', .content = "one",
	    .size = "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
	expect_refusal("ends too early");
}

Test(image_tar, refuses_sizes_that_are_none)
{
	TAR(&tar, .name = "a", .type = '0', .content = "one",
	    .size = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	expect_refusal("no size");
	TAR(&tar, .name = "a", .type = '0', .content = "one", .size = "0000x000003\0");
	expect_refusal("no size");
	tar_pax(&tar, "size", "-1", 2);
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	expect_refusal("pax");
}

Test(image_tar, refuses_bad_headers)
{
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	TAR(&tar, .name = "b", .type = '0', .content = "two", .breaks_checksum = true);
	expect_refusal("bad header");
	TAR(&tar, .name = "b", .type = '0', .content = "two", .breaks_checksum = true);
	expect_refusal("no tar");
	TAR(&tar, .name = "x", .type = 'x', .content = "7 path\n");
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	expect_refusal("pax");
	TAR(&tar, .name = "x", .type = 'x', .content = "99 path=a\n");
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	expect_refusal("pax");
	TAR(&tar, .name = "x", .type = 'x', .content = "0 path=a\n");
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	expect_refusal("pax");
	expect_refusal("no tar");
}

Test(image_tar, refuses_headers_of_more_than_1_mib)
{
	_cleanup_free_ char *name = malloc((1 << 20) + 2);

	memset(name, 'n', (1 << 20) + 1);
	name[(1 << 20) + 1] = '\0';
	tar_gnu_long(&tar, 'L', name);
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	expect_refusal("header of");
}

Test(image_tar, refuses_too_many_members)
{
	for (int i = 0; i <= TAR_MAX_MEMBERS; i++)
		TAR(&tar, .name = "a", .type = '0');
	expect_refusal("members");
}

Test(image_tar, a_member_of_links_or_folders_has_no_bytes)
{
	TAR(&tar, .name = "a", .type = '0', .content = "one");
	TAR(&tar, .name = "l", .type = '2', .link = "a", .size = "00000001000\0");
	TAR(&tar, .name = "b", .type = '0', .content = "two");
	tar_end(&tar);
	expect_tar();
	expect_file("b", "two");
	expect_file("l", "one");
}
