/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int cannot_read(const char *path, struct err *err)
{
	int fault = errno;

	err_errno(err, "cannot read %s", path);
	if (fault == ENOENT || fault == ENOTDIR || fault == ELOOP)
		err->kind = ERR_NOT_FOUND;
	else if (fault == EACCES || fault == EPERM)
		err->kind = ERR_DENIED;
	return -1;
}

/* Files of /proc say that they have no bytes: only the end tells. */
static int read_all(int fd, const char *path, size_t cap, struct strbuf *ret, struct err *err)
{
	char bytes[16384];
	size_t total = 0;
	struct stat info;
	ssize_t got;

	if (fstat(fd, &info) < 0)
		return cannot_read(path, err);
	if (!S_ISREG(info.st_mode))
		return err_set(err, ERR_NOT_FOUND, "%s is no regular file", path);
	while ((got = read(fd, bytes, sizeof(bytes))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cannot_read(path, err);
		if ((size_t)got > cap - total)
			return err_set(err, ERR_NO_MEMORY, "%s is larger than %zu bytes", path,
			               cap);
		total += (size_t)got;
		strbuf_add(ret, bytes, (size_t)got);
	}
	return ret->failed ? err_no_memory(err) : 0;
}

int file_read(int folder_fd, const char *path, size_t cap, struct strbuf *ret, struct err *err)
{
	_cleanup_fd_ int fd = openat(folder_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return cannot_read(path, err);
	return read_all(fd, path, cap, ret, err);
}

int file_read_in_root(int root_fd, const char *path, size_t cap, struct strbuf *ret,
                      struct err *err)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_fd_ int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	if (fd < 0)
		return cannot_read(path, err);
	return read_all(fd, path, cap, ret, err);
}

int file_write_new(int folder_fd, const char *path, const void *bytes, size_t length,
                   struct err *err)
{
	_cleanup_fd_ int fd =
		openat(folder_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	const char *next = bytes;

	if (fd < 0)
		return err_errno(err, "cannot make %s", path);
	while (length > 0) {
		ssize_t written = write(fd, next, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_errno(err, "cannot write %s", path);
		next += written;
		length -= (size_t)written;
	}
	return 0;
}
