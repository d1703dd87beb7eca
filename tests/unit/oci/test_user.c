/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "oci/user.h"

static const char passwd[] = "# accounts\n"
			     "root:x:0:0:root:/root:/bin/sh\n"
			     "\n"
			     "  app:x:1000:1001:The app:/home/app:/bin/sh\r\n"
			     "app:x:0:0:second:/root:/bin/sh\n"
			     "broken:x:zero:0::/:\n"
			     "short:x\n"
			     "far:x:2147483648:0::/:\n"
			     "bare:x:9:10::/bare\n"
			     "7:x:70:71::/seven:/bin/sh\n";
static const char group[] = "root:x:0:\n"
			    "app:x:1001:\n"
			    "staff:x:50:ana,app\n"
			    "adm:x:4:app\n"
			    "audio:x:63:apple,xapp\n"
			    "broken:x:-1:app\n";

struct root {
	char path[64];
	int fd;
	struct bundle_user user;
	struct err err;
};

static void write_file(const struct root *root, const char *path, const char *text)
{
	char full[128];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root->path, path);
	file = fopen(full, "wb");
	cr_assert_not_null(file, "%s", full);
	fwrite(text, 1, strlen(text), file);
	fclose(file);
}

static void root_open(struct root *root)
{
	char full[128];

	memset(root, 0, sizeof(*root));
	strncpy(root->path, "/tmp/oneoff-user-XXXXXX", sizeof(root->path) - 1);
	cr_assert_not_null(mkdtemp(root->path));
	snprintf(full, sizeof(full), "%s/etc", root->path);
	cr_assert_eq(mkdir(full, 0755), 0);
	root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(root->fd, 0);
}

static void root_open_full(struct root *root)
{
	root_open(root);
	write_file(root, "etc/passwd", passwd);
	write_file(root, "etc/group", group);
}

static void root_close(struct root *root)
{
	static const char *const names[] = {"etc/passwd", "etc/group", "etc", ""};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char full[128];

		snprintf(full, sizeof(full), "%s/%s", root->path, names[i]);
		(void)remove(full);
	}
	close(root->fd);
}

static void expect(struct root *root, const char *text, uid_t uid, gid_t gid, const char *home,
                   const char *groups)
{
	char list[512] = "";
	size_t length = 0;

	memset(&root->user, 0, sizeof(root->user));
	cr_assert_eq(user_resolve(root->fd, text, &root->user, &root->err), 0, "%s: %s", text,
	             root->err.message);
	cr_expect_eq(root->user.uid, uid, "%s: uid %u", text, root->user.uid);
	cr_expect_eq(root->user.gid, gid, "%s: gid %u", text, root->user.gid);
	cr_expect_str_eq(root->user.home, home, "%s: home %s", text, root->user.home);
	for (size_t i = 0; i < root->user.additional_count; i++)
		length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%u",
		                           i > 0 ? "," : "", root->user.additional[i]);
	cr_expect_str_eq(list, groups, "%s: groups %s", text, list);
}

static void expect_failure(struct root *root, const char *text, enum err_kind kind)
{
	const struct bundle_user before = {.uid = 4711};

	root->user = before;
	cr_expect_eq(user_resolve(root->fd, text, &root->user, &root->err), -1, "%s", text);
	cr_expect_eq(root->err.kind, kind, "%s: %s", text, root->err.message);
	cr_expect_eq(memcmp(&root->user, &before, sizeof(before)), 0, "%s: touched", text);
}

Test(user, names_and_numbers_are_looked_up)
{
	struct root root;

	root_open_full(&root);
	expect(&root, "", 0, 0, "/root", "0");
	expect(&root, "root", 0, 0, "/root", "0");
	expect(&root, "app", 1000, 1001, "/home/app", "1001,50,4");
	expect(&root, "1000", 1000, 1001, "/home/app", "1001,50,4");
	/* A line may end before the shell. */
	expect(&root, "bare", 9, 10, "/bare", "10");
	root_close(&root);
}

Test(user, a_named_group_stands_alone)
{
	struct root root;

	root_open_full(&root);
	expect(&root, "app:staff", 1000, 50, "/home/app", "50");
	expect(&root, "app:4", 1000, 4, "/home/app", "4");
	expect(&root, "1000:777", 1000, 777, "/home/app", "777");
	expect(&root, "app:", 1000, 1001, "/home/app", "1001,50,4");
	expect(&root, ":staff", 0, 50, "/root", "50");
	root_close(&root);
}

Test(user, a_number_needs_no_entry)
{
	struct root root;

	root_open_full(&root);
	expect(&root, "12345", 12345, 0, "", "0");
	expect(&root, "12345:6", 12345, 6, "", "6");
	expect(&root, "2147483647", INT32_MAX, 0, "", "0");
	root_close(&root);
}

/* "7" is also the name of somebody with another id. */
Test(user, a_number_is_an_id_and_never_a_name)
{
	struct root root;

	root_open_full(&root);
	expect(&root, "7", 7, 0, "", "0");
	root_close(&root);
}

Test(user, unknown_names_are_not_found)
{
	struct root root;

	root_open_full(&root);
	expect_failure(&root, "nobody", ERR_NOT_FOUND);
	cr_expect_neq(root.err.hint[0], '\0');
	expect_failure(&root, "app:nogroup", ERR_NOT_FOUND);
	expect_failure(&root, "-1", ERR_NOT_FOUND);
	expect_failure(&root, "1e3", ERR_NOT_FOUND);
	root_close(&root);
}

/* A damaged line must never become root. */
Test(user, damaged_lines_are_nobodys)
{
	struct root root;

	root_open_full(&root);
	expect_failure(&root, "broken", ERR_NOT_FOUND);
	expect_failure(&root, "short", ERR_NOT_FOUND);
	expect_failure(&root, "far", ERR_NOT_FOUND);
	expect_failure(&root, "app:broken", ERR_NOT_FOUND);
	root_close(&root);
}

Test(user, ids_beyond_what_engines_take_are_refused)
{
	struct root root;

	root_open_full(&root);
	expect_failure(&root, "2147483648", ERR_USAGE);
	expect_failure(&root, "99999999999999999999", ERR_USAGE);
	expect_failure(&root, "app:4294967295", ERR_USAGE);
	root_close(&root);
}

Test(user, images_from_scratch_have_numbers_only)
{
	struct root root;

	root_open(&root);
	expect(&root, "", 0, 0, "", "0");
	expect(&root, "1000:20", 1000, 20, "", "20");
	expect_failure(&root, "app", ERR_NOT_FOUND);
	root_close(&root);
}

Test(user, links_lead_nowhere_but_into_the_root)
{
	struct root root;
	char full[128];

	root_open_full(&root);
	snprintf(full, sizeof(full), "%s/etc/passwd", root.path);
	cr_assert_eq(remove(full), 0);
	/* The machine's own file holds root's home; this root has no such file. */
	cr_assert_eq(symlink("../../../../../../etc/hostname", full), 0);
	expect(&root, "", 0, 0, "", "0");
	cr_assert_eq(remove(full), 0);
	cr_assert_eq(symlink("/etc/group", full), 0);
	expect_failure(&root, "nobody", ERR_NOT_FOUND);
	root_close(&root);
}

Test(user, a_home_that_does_not_fit_is_left_out)
{
	struct root root;
	char line[400];

	root_open_full(&root);
	snprintf(line, sizeof(line), "app:x:5:6::/%0300d:/bin/sh\n", 0);
	write_file(&root, "etc/passwd", line);
	expect(&root, "app", 5, 6, "", "6,50,4");
	root_close(&root);
}

Test(user, too_many_groups_are_an_error_not_fewer_rights)
{
	struct strbuf text = STRBUF_INIT;
	struct root root;

	root_open_full(&root);
	for (int i = 0; i < BUNDLE_MAX_GROUPS - 1; i++)
		strbuf_addf(&text, "g%d:x:%d:app\n", i, 5000 + i);
	write_file(&root, "etc/group", strbuf_str(&text));
	cr_expect_eq(user_resolve(root.fd, "app", &root.user, &root.err), 0);
	cr_expect_eq(root.user.additional_count, BUNDLE_MAX_GROUPS);
	strbuf_adds(&text, "more:x:9:app\n");
	write_file(&root, "etc/group", strbuf_str(&text));
	expect_failure(&root, "app", ERR_NO_MEMORY);
	strbuf_release(&text);
	root_close(&root);
}

static void write_many(const struct root *root, size_t count, const char *end)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < count; i++)
		strbuf_addc(&text, i % 1000 == 999 && !*end ? '\n' : '#');
	strbuf_adds(&text, end);
	write_file(root, "etc/passwd", strbuf_str(&text));
	strbuf_release(&text);
}

Test(user, long_lines_and_long_files_are_refused)
{
	struct root root;

	root_open_full(&root);
	write_many(&root, 64 << 10, "\nz:x:3:4::/z:\n");
	expect(&root, "z", 3, 4, "/z", "4");
	write_many(&root, (64 << 10) + 1, "\nz:x:3:4::/z:\n");
	expect_failure(&root, "z", ERR_NO_MEMORY);
	write_many(&root, 4 << 20, "");
	expect_failure(&root, "z", ERR_NOT_FOUND);
	write_many(&root, (4 << 20) + 1, "");
	expect_failure(&root, "z", ERR_NO_MEMORY);
	root_close(&root);
}
