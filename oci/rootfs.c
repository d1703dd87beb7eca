/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/rootfs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "pkg/base/strbuf.h"

void rootfs_release(struct rootfs *rootfs)
{
	strv_release(&rootfs->lower);
	strv_release(&rootfs->options);
	free(rootfs->merged);
	*rootfs = (struct rootfs){.merged = NULL};
}

/* In lowerdir= a colon parts folders; mount(2) itself cuts at commas. */
static void add_escaped(struct strbuf *options, const char *path)
{
	for (; *path; path++) {
		if (*path == ':' || *path == '\\' || *path == ',')
			strbuf_addc(options, '\\');
		strbuf_addc(options, *path);
	}
}

static void add_options(struct strbuf *options, const struct rootfs *rootfs, const char *folder)
{
	strbuf_adds(options, "lowerdir=");
	for (size_t i = 0; i < rootfs->lower.count; i++) {
		if (i)
			strbuf_addc(options, ':');
		add_escaped(options, rootfs->lower.items[i]);
	}
	strbuf_adds(options, ",upperdir=");
	add_escaped(options, folder);
	strbuf_adds(options, "/upper/u,workdir=");
	add_escaped(options, folder);
	strbuf_adds(options, "/upper/w");
	for (size_t i = 0; i < rootfs->options.count; i++)
		strbuf_addf(options, ",%s", rootfs->options.items[i]);
}

/* The merged root takes mode and owner from its upper folder. */
static int make_upper(const struct rootfs *rootfs, const char *folder, struct err *err)
{
	char path[PATH_MAX];
	struct stat info;

	if (stat(rootfs->lower.items[0], &info) < 0)
		return err_errno(err, "cannot read the app's root %s", rootfs->lower.items[0]);
	snprintf(path, sizeof(path), "%s/upper", folder);
	if (mount("oneoff", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
		return err_errno(err, "cannot mount a tmpfs");
	snprintf(path, sizeof(path), "%s/upper/w", folder);
	if (mkdir(path, 0700) < 0)
		return err_errno(err, "mkdir %s", path);
	snprintf(path, sizeof(path), "%s/upper/u", folder);
	if (mkdir(path, 0755) < 0 || chmod(path, info.st_mode & 07777) < 0)
		return err_errno(err, "mkdir %s", path);
	if (chown(path, info.st_uid, info.st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return err_errno(err, "chown %s", path);
	return 0;
}

/* coreutils know every kind of file, sparse ones and hard links too. */
static int copy(const char *from, const char *to, struct err *err)
{
	_cleanup_free_ char *content = NULL;
	int status;
	pid_t pid;

	if (asprintf(&content, "%s/.", from) < 0) {
		content = NULL;
		return err_no_memory(err);
	}
	pid = fork();
	if (pid == 0) {
		execlp("cp", "cp", "--archive", "--one-file-system", "--", content, to,
		       (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return err_errno(err, "cannot start cp");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_SYSTEM, "cannot copy the app's root %s", from);
	return 0;
}

static int mount_copy(const struct rootfs *rootfs, const char *folder, struct err *err)
{
	const char *from = rootfs->merged ? rootfs->merged : rootfs->lower.items[0];
	char upper[PATH_MAX], root[PATH_MAX];

	snprintf(upper, sizeof(upper), "%s/upper/u", folder);
	snprintf(root, sizeof(root), "%s/rootfs", folder);
	if (copy(from, upper, err) < 0)
		return -1;
	if (mount(upper, root, NULL, MS_BIND, NULL) < 0)
		return err_errno(err, "cannot mount the copied root");
	/* The tmpfs was mounted without the rights that programs of the app may need. */
	if (mount(NULL, root, NULL, MS_REMOUNT | MS_BIND, NULL) < 0 && errno != EPERM)
		return err_errno(err, "cannot mount the copied root");
	return 0;
}

int rootfs_mount(const struct rootfs *rootfs, const char *folder, bool *ret_copied, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf options = STRBUF_INIT;
	char root[PATH_MAX];

	*ret_copied = false;
	snprintf(root, sizeof(root), "%s/rootfs", folder);
	if (make_upper(rootfs, folder, err) < 0)
		return -1;
	add_options(&options, rootfs, folder);
	if (options.failed)
		return err_no_memory(err);
	/* mount(2) takes one page of options. */
	if (options.length < 4096 &&
	    mount("overlay", root, "overlay", 0, strbuf_str(&options)) == 0)
		return 0;
	*ret_copied = true;
	return mount_copy(rootfs, folder, err);
}

int rootfs_try_overlay(const char *folder)
{
	char options[PATH_MAX];

	if (mount("oneoff", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0 ||
	    chdir(folder) < 0 || mkdir("l", 0700) < 0 || mkdir("u", 0700) < 0 ||
	    mkdir("w", 0700) < 0 || mkdir("m", 0700) < 0)
		return -1;
	snprintf(options, sizeof(options), "lowerdir=l,upperdir=u,workdir=w");
	return mount("overlay", "m", "overlay", 0, options);
}

void rootfs_unmount(const char *folder)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/rootfs", folder);
	(void)umount2(path, MNT_DETACH);
	snprintf(path, sizeof(path), "%s/upper", folder);
	(void)umount2(path, MNT_DETACH);
}
