/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

static int make_file(struct layer_unpacker *unpacker, int folder_fd, const char *name)
{
	(void)unpacker;
	return openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static int make_folder(struct layer_unpacker *unpacker, int folder_fd, const char *name)
{
	(void)unpacker;
	return mkdirat(folder_fd, name, 0700);
}

static int make_symlink(struct layer_unpacker *unpacker, int folder_fd, const char *name)
{
	return symlinkat(unpacker->entry.symlink, folder_fd, name);
}

static int make_special(struct layer_unpacker *unpacker, int folder_fd, const char *name)
{
	const struct archive_library *library = &unpacker->library;
	const struct layer_entry *entry = &unpacker->entry;
	dev_t device = 0;

	if (entry->type != S_IFIFO)
		device = makedev((unsigned)library->archive_entry_rdevmajor(entry->archive_entry),
		                 (unsigned)library->archive_entry_rdevminor(entry->archive_entry));
	return mknodat(folder_fd, name, entry->type | 0600, device);
}

/* What is in the way goes first. */
static int make(struct layer_unpacker *unpacker, const struct layer_place *place,
                int (*maker)(struct layer_unpacker *, int, const char *), struct err *err)
{
	const char *name = layer_path_name(&unpacker->entry.path);
	int made = maker(unpacker, place->fd, name);

	if (made < 0 && errno == EEXIST) {
		if (layer_root_remove(&unpacker->root, place, name, err) < 0)
			return -1;
		made = maker(unpacker, place->fd, name);
	}
	return made < 0 ? err_errno(err, "cannot make it") : made;
}

static int write_piece(int fd, const char *bytes, size_t length, int64_t offset, struct err *err)
{
	while (length) {
		ssize_t written = pwrite(fd, bytes, length, offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_errno(err, "cannot write it");
		bytes += written;
		length -= (size_t)written;
		offset += written;
	}
	return 0;
}

/* Only what stands in the tar is written; the rest of a sparse file stays a hole. */
static int write_content(struct layer_unpacker *unpacker, int fd, struct err *err)
{
	uint64_t size = unpacker->entry.size, end = 0;
	const void *bytes;
	int64_t offset;
	size_t length;
	int result;

	while ((result = layer_reader_data(&unpacker->reader, &bytes, &length, &offset, err)) > 0) {
		if (offset < 0 || (uint64_t)offset > size || length > size - (uint64_t)offset)
			return err_set(err, ERR_REFUSED, "its content goes beyond its size");
		if (write_piece(fd, bytes, length, offset, err) < 0)
			return -1;
		if ((uint64_t)offset + length > end)
			end = (uint64_t)offset + length;
	}
	if (result == 0 && end < size && ftruncate(fd, (off_t)size) < 0)
		return err_errno(err, "cannot set its size");
	return result;
}

static int write_file(struct layer_unpacker *unpacker, const struct layer_place *place,
                      struct err *err)
{
	_cleanup_fd_ int fd = -1;

	if (layer_charge_bytes(&unpacker->usage, 0, unpacker->entry.size, err) < 0)
		return -1;
	fd = make(unpacker, place, make_file, err);
	if (fd < 0 || write_content(unpacker, fd, err) < 0)
		return -1;
	return layer_attributes_file(unpacker, fd, place->folder->default_acl, err);
}

/* Whether a folder is there already, which then only gets new attributes. */
static int is_folder(const struct layer_root *root, const struct layer_place *place,
                     const char *name, struct err *err)
{
	struct stat status;

	if (fstatat(place->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_errno(err, "cannot look at it");
	if (!S_ISDIR(status.st_mode))
		return 0;
	/* A lower layer may have closed it to its owner. */
	if (!root->privileged && (status.st_mode & 0700) != 0700 &&
	    fchmodat(place->fd, name, 0700, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot set its mode");
	return 1;
}

static int write_folder(struct layer_unpacker *unpacker, const struct layer_place *place,
                        struct err *err)
{
	struct layer_root *root = &unpacker->root;
	const char *name = layer_path_name(&unpacker->entry.path);
	int existing = is_folder(root, place, name, err);
	_cleanup_fd_ int fd = -1;
	struct layer_folder *folder;
	struct stat status;

	if (existing < 0 || (!existing && make(unpacker, place, make_folder, err) < 0))
		return -1;
	fd = tree_open_folder(place->fd, name, O_RDONLY);
	if (fd < 0 || fstat(fd, &status) < 0)
		return err_errno(err, "cannot open it");
	folder = existing ? layer_root_touched(root, status.st_ino) : NULL;
	if (!folder)
		folder = layer_root_touch(root, place->folder, name, &status, !existing, err);
	if (!folder)
		return -1;
	return layer_attributes_folder(unpacker, fd, folder, existing || place->folder->default_acl,
	                               err);
}

/* "./" is the root itself: its attributes, never another type (CVE-2021-29136). */
static int write_root(struct layer_unpacker *unpacker, struct err *err)
{
	_cleanup_fd_ int fd = -1;

	if (unpacker->entry.type != S_IFDIR)
		return err_set(err, ERR_REFUSED, "the root can only be a folder");
	fd = openat(unpacker->root.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open the root folder");
	return layer_attributes_folder(unpacker, fd, unpacker->root.top, true, err);
}

static int leave_out(struct layer_unpacker *unpacker, const struct layer_place *place,
                     struct err *err)
{
	unpacker->devices_left_out++;
	return layer_root_remove(&unpacker->root, place, layer_path_name(&unpacker->entry.path),
	                         err);
}

/* ENOENT may only mean that it is a link to a device that was left out. */
static int link_failed(struct layer_unpacker *unpacker, const struct layer_place *place,
                       const char *target, struct err *err)
{
	if (errno != ENOENT)
		return err_errno(err, "cannot link it to '%.300s'", target);
	if (unpacker->devices_left_out)
		return leave_out(unpacker, place, err);
	return err_set(err, ERR_REFUSED, "a hard link to '%.300s', which is not there", target);
}

/* Both names are below the root, and neither is followed; content that the entry may have is not
 * looked at (CVE-2016-5418), attributes are those of the first name. */
static int link_to(struct layer_unpacker *unpacker, const struct layer_place *place,
                   const struct layer_place *from, const char *target, struct err *err)
{
	const char *name = layer_path_name(&unpacker->entry.path);
	struct stat status;

	if (from->folder == place->folder && !strcmp(target, name))
		return err_set(err, ERR_REFUSED, "a hard link to itself");
	if (fstatat(from->fd, target, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return link_failed(unpacker, place, target, err);
	if (S_ISDIR(status.st_mode))
		return err_set(err, ERR_REFUSED, "a hard link to the folder '%.300s'", target);
	if (linkat(from->fd, target, place->fd, name, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return link_failed(unpacker, place, target, err);
	if (layer_root_remove(&unpacker->root, place, name, err) < 0)
		return -1;
	return linkat(from->fd, target, place->fd, name, 0) < 0
	               ? link_failed(unpacker, place, target, err)
	               : 0;
}

static int write_link(struct layer_unpacker *unpacker, const struct layer_place *place,
                      struct err *err)
{
	_cleanup_(layer_place_close) struct layer_place from = LAYER_PLACE_INIT;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct layer_path target = {.text = text};
	int result = layer_path_clean(&target, unpacker->entry.hard_link, err);

	text = target.text;
	if (result < 0)
		return -1;
	if (!*layer_path_name(&target))
		return err_set(err, ERR_REFUSED, "a hard link to the root");
	result = layer_root_find(&unpacker->root, layer_path_parent(&target), false, &from, err);
	if (result < 0)
		return -1;
	if (result == 0) {
		errno = ENOENT;
		return link_failed(unpacker, place, unpacker->entry.hard_link, err);
	}
	return link_to(unpacker, place, &from, layer_path_name(&target), err);
}

static int write_special(struct layer_unpacker *unpacker, const struct layer_place *place,
                         struct err *err)
{
	bool is_device = unpacker->entry.type != S_IFIFO;

	if (is_device && !unpacker->root.privileged)
		return leave_out(unpacker, place, err);
	if (make(unpacker, place, make_special, err) < 0) {
		/* Root in a container without the capability. */
		if (is_device && err->os_errno == EPERM)
			return leave_out(unpacker, place, err);
		return -1;
	}
	return layer_attributes_name(unpacker, place, layer_path_name(&unpacker->entry.path), err);
}

static int write_symlink(struct layer_unpacker *unpacker, const struct layer_place *place,
                         struct err *err)
{
	if (make(unpacker, place, make_symlink, err) < 0)
		return -1;
	return layer_attributes_name(unpacker, place, layer_path_name(&unpacker->entry.path), err);
}

static int write_at(struct layer_unpacker *unpacker, const struct layer_place *place,
                    struct err *err)
{
	switch (unpacker->entry.type) {
	case 0:
		return write_link(unpacker, place, err);
	case S_IFREG:
		return write_file(unpacker, place, err);
	case S_IFDIR:
		return write_folder(unpacker, place, err);
	case S_IFLNK:
		return write_symlink(unpacker, place, err);
	default:
		return write_special(unpacker, place, err);
	}
}

int layer_write(struct layer_unpacker *unpacker, struct err *err)
{
	const struct layer_entry *entry = &unpacker->entry;
	struct layer_place place;

	/* A socket is nothing without the program that listens. */
	if (entry->type == S_IFSOCK)
		return 0;
	if (!*layer_path_name(&entry->path))
		return write_root(unpacker, err);
	if (layer_root_parent(&unpacker->root, layer_path_parent(&entry->path), true, &place, err) <
	            0 ||
	    write_at(unpacker, &place, err) < 0)
		return -1;
	if (entry->type == S_IFDIR)
		return 0;
	return layer_root_add_name(&unpacker->root, place.folder, layer_path_name(&entry->path),
	                           err);
}
