/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

/* A folder that we went into, by its name in the one above. */
struct level {
	char *name;
	ino_t inode;
};

/* Where we are below the tree's top. Only one descriptor is open at a time, however deep it goes:
 * back up we go by "..", which nobody changes meanwhile. */
struct descent {
	int fd;
	struct level *levels;
	size_t count, allocated;
};

static void release(struct descent *descent)
{
	while (descent->count)
		free(descent->levels[--descent->count].name);
	free(descent->levels);
	cleanup_fd(&descent->fd);
}

int tree_open_folder(int folder_fd, const char *name, int flags)
{
	const struct open_how how = {
		.flags = (unsigned)(flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, folder_fd, name, &how, sizeof(how));

	/* An old kernel, or a container's seccomp filter that does not know the call. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(folder_fd, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/* A folder that its owner may not read or change hinders us only when we are not root. */
static int open_writable(int folder_fd, const char *name)
{
	_cleanup_fd_ int fd = tree_open_folder(folder_fd, name, O_RDONLY);
	struct stat status;

	if (fd < 0 && errno == EACCES && fchmodat(folder_fd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
		fd = tree_open_folder(folder_fd, name, O_RDONLY);
	if (fd < 0 || fstat(fd, &status) < 0)
		return -1;
	if ((status.st_mode & 0700) != 0700)
		(void)fchmod(fd, 0700);
	return TAKE_FD(fd);
}

static int go_down(struct descent *descent, const char *name, struct err *err)
{
	_cleanup_fd_ int fd = open_writable(descent->fd, name);
	_cleanup_free_ char *copy = NULL;
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return err_errno(err, "cannot open the folder '%s' to delete it", name);
	if (descent->count == descent->allocated) {
		size_t more = descent->allocated ? descent->allocated * 2 : 16;
		struct level *levels = reallocarray(descent->levels, more, sizeof(*levels));

		if (!levels)
			return err_no_memory(err);
		descent->levels = levels;
		descent->allocated = more;
	}
	copy = strdup(name);
	if (!copy)
		return err_no_memory(err);
	descent->levels[descent->count++] =
		(struct level){.name = TAKE_PTR(copy), .inode = status.st_ino};
	close(descent->fd);
	descent->fd = TAKE_FD(fd);
	return 0;
}

/* Back to the folder above, where the one that we leave, empty now, is deleted. */
static int go_up(struct descent *descent, struct err *err)
{
	_cleanup_free_ char *name = NULL;
	struct level *level = &descent->levels[descent->count - 1];
	int fd = openat(descent->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	name = TAKE_PTR(level->name);
	descent->count--;
	if (fd < 0)
		return err_errno(err, "cannot leave the folder '%s'", name);
	close(descent->fd);
	descent->fd = fd;
	/* Somebody else may be deleting the same. */
	if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot delete '%s'", name);
	if (status.st_ino != level->inode)
		return err_set(err, ERR_CONFLICT, "'%s' was moved while it was deleted", name);
	if (unlinkat(fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	return err_errno(err, "cannot delete '%s'", name);
}

/* 1: gone, 0: a folder that is not empty. */
static int remove_simple(int folder_fd, const char *name, struct err *err)
{
	if (unlinkat(folder_fd, name, 0) == 0 || errno == ENOENT)
		return 1;
	if (errno != EISDIR)
		return err_errno(err, "cannot delete '%s'", name);
	if (unlinkat(folder_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 1;
	return errno == ENOTEMPTY || errno == EEXIST ? 0
	                                             : err_errno(err, "cannot delete '%s'", name);
}

/* Deletes what it can: 1 with a folder entered, 0 when nothing is left here. */
static int empty_folder(struct descent *descent, struct err *err)
{
	int fd = openat(descent->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int result = 1;

	if (!folder) {
		cleanup_fd(&fd);
		return err_errno(err, "cannot read a folder to delete it");
	}
	while (result > 0 && (errno = 0, entry = readdir(folder)) != NULL) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		result = remove_simple(descent->fd, entry->d_name, err);
		if (result == 0) {
			result = go_down(descent, entry->d_name, err);
			closedir(folder);
			return result < 0 ? -1 : 1;
		}
	}
	if (result > 0 && errno)
		result = err_errno(err, "cannot read a folder to delete it");
	closedir(folder);
	return result < 0 ? -1 : 0;
}

int tree_remove(int folder_fd, const char *name, struct err *err)
{
	_cleanup_(release) struct descent descent = {.fd = -1};
	int result = remove_simple(folder_fd, name, err);

	if (result != 0)
		return result < 0 ? -1 : 0;
	descent.fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descent.fd < 0)
		return err_errno(err, "cannot delete '%s'", name);
	if (go_down(&descent, name, err) < 0)
		return -1;
	while (descent.count) {
		result = empty_folder(&descent, err);
		if (result < 0 || (result == 0 && go_up(&descent, err) < 0))
			return -1;
	}
	return 0;
}
