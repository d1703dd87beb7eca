/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "oci/store_internal.h"

const char *const store_kinds[2] = {"rootfs", "rootfs-user"};

int store_default_path(char **ret, struct err *err)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");
	char *path = NULL;
	int length;

	if (data && data[0] == '/')
		length = asprintf(&path, "%s/oneoff", data);
	else if (home && home[0] == '/' && home[1])
		length = asprintf(&path, "%s/.local/share/oneoff", home);
	else if (geteuid() == 0)
		length = asprintf(&path, "/var/lib/oneoff");
	else
		return err_set(err, ERR_USAGE,
		               "where is the store? neither HOME nor --store is set");
	if (length < 0)
		return err_no_memory(err);
	*ret = path;
	return 0;
}

/* mkdir -p with mode 0700 for what is made. */
static int make_folders(char *path, struct err *err)
{
	for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		int result;

		if (slash)
			*slash = '\0';
		result = mkdir(path, 0700);
		if (result < 0 && errno != EEXIST)
			return err_errno(err, "cannot make %s", path);
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int open_checked(int parent_fd, const char *name, const char *path, struct err *err)
{
	_cleanup_fd_ int fd =
		openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat info;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "there is no %s", path);
	if (fd < 0 || fstat(fd, &info) < 0)
		return err_errno(err, "cannot open %s", path);
	if (info.st_uid != geteuid() || (info.st_mode & 022)) {
		err_set(err, ERR_DENIED, "%s can be written by others", path);
		return err_hint(err, "give a folder of your own with --store");
	}
	return TAKE_FD(fd);
}

/* One folder after the other, so that none of them is reached through a link. */
int store_open_folder(const char *store, const char *below, bool make, struct err *err)
{
	_cleanup_free_ char *path = strdup(store), *names = strdup(below);
	_cleanup_fd_ int fd = -1;
	char *state = NULL;

	if (!path || !names)
		return err_no_memory(err);
	if (!*path)
		return err_set(err, ERR_USAGE, "the store's path is empty");
	if (make && make_folders(path, err) < 0)
		return -1;
	fd = open_checked(AT_FDCWD, path, path, err);
	for (char *name = strtok_r(names, "/", &state); fd >= 0 && name;
	     name = strtok_r(NULL, "/", &state)) {
		_cleanup_fd_ int parent_fd = TAKE_FD(fd);

		if (make && mkdirat(parent_fd, name, 0700) < 0 && errno != EEXIST)
			return err_errno(err, "cannot make %s/%s", store, below);
		fd = open_checked(parent_fd, name, below, err);
	}
	return TAKE_FD(fd);
}

/* To move a folder to another parent rewrites its "..": it needs the right to write to it. */
int store_move(int from_fd, const char *from, int to_fd, const char *to, struct err *err)
{
	_cleanup_fd_ int fd =
		openat(from_fd, from, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int result = renameat(from_fd, from, to_fd, to);
	struct stat info;

	if (result < 0 && errno == EACCES && fd >= 0 && fstat(fd, &info) == 0 &&
	    fchmod(fd, info.st_mode | S_IWUSR) == 0) {
		result = renameat(from_fd, from, to_fd, to);
		(void)fchmod(fd, info.st_mode & 07777);
	}
	return result < 0 ? err_errno(err, "cannot move %s to its place", from) : 0;
}

int store_open_lock(const char *store, const char *kind, const char *hex, bool make,
                    struct err *err)
{
	_cleanup_fd_ int folder = store_open_folder(store, "lock", make, err);
	char name[128];
	int fd;

	if (folder < 0)
		return -1;
	snprintf(name, sizeof(name), "%s-%s", kind, hex);
	fd = openat(folder, name, O_RDWR | (make ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "there is no lock %s", name);
	return fd < 0 ? err_errno(err, "cannot open the lock %s", name) : fd;
}
