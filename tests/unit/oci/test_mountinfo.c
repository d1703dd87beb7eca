/* SPDX-License-Identifier: Apache-2.0 */
/* The root line of /proc/PID/mountinfo (proc(5)), recorded and made up. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include "oci/file.h"
#include "oci/mountinfo.h"

#define LINE(options) "289 163 0:93 / / rw,relatime master:10 - overlay overlay " options "\n"

static struct root_mount mount;
static struct err err;

static void fini(void)
{
	root_mount_release(&mount);
}

TestSuite(mountinfo, .fini = fini);

Test(mountinfo, reads_a_recorded_docker_root)
{
	struct strbuf text = STRBUF_INIT;

	cr_assert_eq(file_read(AT_FDCWD, "tests/fixtures/oci/state/docker-mountinfo.txt", 1 << 20,
	                       &text, &err),
	             0);
	cr_assert_eq(root_mount_parse(strbuf_str(&text), &mount, &err), 0, "%s", err.message);
	cr_assert(mount.overlay);
	cr_assert_eq(mount.lower.count, 2);
	cr_assert_str_eq(mount.lower.items[0],
	                 "/var/lib/docker/overlay2/l/RHT7DIR24GRZVNB5SZK7CXKNYV");
	cr_assert_eq(mount.options.count, 0);
	strbuf_release(&text);
}

Test(mountinfo, reads_a_recorded_podman_root)
{
	struct strbuf text = STRBUF_INIT;

	cr_assert_eq(file_read(AT_FDCWD, "tests/fixtures/oci/state/podman-mountinfo.txt", 1 << 20,
	                       &text, &err),
	             0);
	cr_assert_eq(root_mount_parse(strbuf_str(&text), &mount, &err), 0, "%s", err.message);
	cr_assert(mount.overlay);
	cr_assert_geq(mount.lower.count, 1);
	cr_assert(strstr(mount.lower.items[0], "/overlay/"), "%s", mount.lower.items[0]);
	strbuf_release(&text);
}

Test(mountinfo, leaves_the_upper_folder_out)
{
	cr_assert_eq(
		root_mount_parse(LINE("rw,lowerdir=/a:/b,upperdir=/u,workdir=/w"), &mount, &err),
		0);
	cr_assert_eq(mount.lower.count, 2);
	cr_assert_str_eq(mount.lower.items[1], "/b");
}

Test(mountinfo, undoes_both_kinds_of_escapes)
{
	cr_assert_eq(root_mount_parse(
			     LINE("rw,lowerdir=/with\\040blank\\:colon:/comma\\054,upperdir=/u"),
			     &mount, &err),
	             0);
	cr_assert_eq(mount.lower.count, 2);
	cr_assert_str_eq(mount.lower.items[0], "/with blank:colon");
	cr_assert_str_eq(mount.lower.items[1], "/comma,");
}

Test(mountinfo, repeats_the_options_that_matter)
{
	cr_assert_eq(root_mount_parse(LINE("rw,lowerdir=/a,upperdir=/u,workdir=/w,userxattr,"
	                                   "redirect_dir=on,volatile"),
	                              &mount, &err),
	             0);
	cr_assert_eq(mount.options.count, 2);
	cr_assert_str_eq(mount.options.items[0], "userxattr");
	cr_assert_str_eq(mount.options.items[1], "redirect_dir=on");
}

Test(mountinfo, reads_the_kernel_s_newer_form)
{
	cr_assert_eq(
		root_mount_parse(LINE("rw,lowerdir+=/a,lowerdir+=/b:c,upperdir=/u"), &mount, &err),
		0);
	cr_assert_eq(mount.lower.count, 2);
	cr_assert_str_eq(mount.lower.items[1], "/b:c");
}

Test(mountinfo, takes_the_last_mount_on_the_root)
{
	cr_assert_eq(
		root_mount_parse("1 0 8:1 / / rw - ext4 /dev/sda rw\n" LINE(
					 "rw,lowerdir=/a") "3 2 0:5 / /proc rw - proc proc rw\n",
	                         &mount, &err),
		0);
	cr_assert(mount.overlay);
	root_mount_release(&mount);
	cr_assert_eq(root_mount_parse(LINE("rw,lowerdir=/a") "1 0 8:1 / / rw - ext4 /dev/sda rw",
	                              &mount, &err),
	             0);
	cr_assert(!mount.overlay);
	cr_assert_eq(mount.lower.count, 0);
}

Test(mountinfo, an_overlay_that_does_not_tell_its_layers_is_none)
{
	cr_assert_eq(root_mount_parse(LINE("rw,upperdir=/u"), &mount, &err), 0);
	cr_assert_not(mount.overlay);
	cr_assert_eq(root_mount_parse("26 1 0:2 / / rw - overlay overlay\n", &mount, &err), 0);
	cr_assert_not(mount.overlay);
}

Test(mountinfo, refuses_a_text_without_a_root)
{
	cr_assert_eq(root_mount_parse("", &mount, &err), -1);
	cr_assert_eq(err.kind, ERR_PROTOCOL);
	cr_assert_eq(root_mount_parse("3 2 0:5 / /proc rw - proc proc rw\n", &mount, &err), -1);
	cr_assert_eq(root_mount_parse("1 0 8:1 / / rw ext4 /dev/sda rw\n", &mount, &err), -1);
}
