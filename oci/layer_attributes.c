/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define LIST_MAX ((size_t)64 << 10)

/* Room for "/proc/self/fd/N/" and a name. */
#define PROC_PATH_MAX (LAYER_NAME_MAX + 40)

/* What attributes are set on: an open file, or (fd -1) a path whose last component is not followed. */
struct target {
	int fd;
	char path[PROC_PATH_MAX];
};

static struct target target_by_name(int folder_fd, const char *name)
{
	struct target target = {.fd = -1};

	(void)snprintf(target.path, sizeof(target.path), "/proc/self/fd/%d/%s", folder_fd, name);
	return target;
}

static int set_attribute(const struct target *target, const char *name, const void *value,
                         size_t size)
{
	return target->fd >= 0 ? fsetxattr(target->fd, name, value, size, 0)
	                       : lsetxattr(target->path, name, value, size, 0);
}

static int remove_attribute(const struct target *target, const char *name)
{
	return target->fd >= 0 ? fremovexattr(target->fd, name) : lremovexattr(target->path, name);
}

/* Attributes of the host's, and those with which a layer could forge whiteouts for overlayfs. */
static bool is_foreign(const char *name)
{
	static const char *const prefixes[] = {"trusted.overlay.", "user.overlay."};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return !strcmp(name, "security.selinux") || !strcmp(name, "system.nfs4_acl");
}

/* What is there already: of a folder in a lower layer, or an ACL that was inherited. */
static int clear_attributes(const struct target *target, struct err *err)
{
	_cleanup_free_ char *names = malloc(LIST_MAX);
	ssize_t length;

	if (!names)
		return err_no_memory(err);
	length = target->fd >= 0 ? flistxattr(target->fd, names, LIST_MAX)
	                         : llistxattr(target->path, names, LIST_MAX);
	if (length < 0)
		return errno == ENOTSUP ? 0 : err_errno(err, "cannot list extended attributes");
	for (const char *name = names; name < names + length; name += strlen(name) + 1) {
		if (is_foreign(name) || remove_attribute(target, name) == 0)
			continue;
		/* EPERM: trusted and security attributes, without privileges. */
		if (errno != ENODATA && errno != ENOTSUP && errno != EPERM)
			return err_errno(err, "cannot remove the extended attribute '%s'", name);
	}
	return 0;
}

/* A file system without such attributes, a value that the kernel does not take, a right that we do
 * not have: the file is good without. */
static bool is_tolerable(int number)
{
	return number == ENOTSUP || number == EPERM || number == EINVAL;
}

static int set_attributes(struct layer_unpacker *unpacker, const struct target *target,
                          struct err *err)
{
	const struct archive_library *library = &unpacker->library;
	struct archive_entry *entry = unpacker->entry.archive_entry;
	const char *name;
	const void *value;
	size_t size, total = 0;

	if (!library->archive_entry_xattr_reset(entry))
		return 0;
	while (library->archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		if (!name)
			continue;
		total += strlen(name) + size;
		if (total > LAYER_XATTRS_MAX)
			return err_set(err, ERR_REFUSED,
			               "extended attributes of more than %zu bytes",
			               LAYER_XATTRS_MAX);
		if (is_foreign(name) || set_attribute(target, name, value, size) == 0)
			continue;
		if (!is_tolerable(errno))
			return err_errno(err, "cannot set the extended attribute '%s'", name);
		unpacker->attributes_left_out++;
	}
	return 0;
}

static int owner_failed(struct err *err)
{
	return err_errno(err, "cannot set the owner");
}

/* Owner before attributes and mode: chown takes setuid and security.capability off. */
int layer_attributes_file(struct layer_unpacker *unpacker, int fd, bool inherits, struct err *err)
{
	const struct layer_entry *entry = &unpacker->entry;
	const struct target target = {.fd = fd};

	if (unpacker->root.privileged && fchown(fd, entry->user, entry->group) < 0)
		return owner_failed(err);
	if ((inherits && clear_attributes(&target, err) < 0) ||
	    set_attributes(unpacker, &target, err) < 0)
		return -1;
	if (fchmod(fd, entry->mode) < 0)
		return err_errno(err, "cannot set the mode");
	return futimens(fd, entry->times) < 0 ? err_errno(err, "cannot set the times") : 0;
}

int layer_attributes_folder(struct layer_unpacker *unpacker, int fd, struct layer_folder *folder,
                            bool existing, struct err *err)
{
	const struct layer_entry *entry = &unpacker->entry;
	const struct target target = {.fd = fd};
	/* We go on writing below it. */
	mode_t mode = unpacker->root.privileged ? entry->mode : entry->mode | 0700;

	if (unpacker->root.privileged && fchown(fd, entry->user, entry->group) < 0)
		return owner_failed(err);
	if ((existing && clear_attributes(&target, err) < 0) ||
	    set_attributes(unpacker, &target, err) < 0)
		return -1;
	if (fchmod(fd, mode) < 0)
		return err_errno(err, "cannot set the mode");
	folder->restores_mode = mode != entry->mode;
	folder->mode = entry->mode;
	folder->has_times = folder->changed = true;
	memcpy(folder->times, entry->times, sizeof(folder->times));
	folder->default_acl = layer_attributes_inherit(fd);
	return 0;
}

int layer_attributes_name(struct layer_unpacker *unpacker, const struct layer_place *place,
                          const char *name, struct err *err)
{
	const struct layer_entry *entry = &unpacker->entry;
	const struct target target = target_by_name(place->fd, name);

	if (unpacker->root.privileged &&
	    fchownat(place->fd, name, entry->user, entry->group, AT_SYMLINK_NOFOLLOW) < 0)
		return owner_failed(err);
	if ((place->folder->default_acl && clear_attributes(&target, err) < 0) ||
	    set_attributes(unpacker, &target, err) < 0)
		return -1;
	if (entry->type != S_IFLNK &&
	    fchmodat(place->fd, name, entry->mode, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot set the mode");
	return utimensat(place->fd, name, entry->times, AT_SYMLINK_NOFOLLOW) < 0
	               ? err_errno(err, "cannot set the times")
	               : 0;
}

bool layer_attributes_inherit(int folder_fd)
{
	const struct target target = target_by_name(folder_fd, ".");

	return lgetxattr(target.path, "system.posix_acl_default", NULL, 0) > 0;
}

void layer_attributes_clear_folder(int parent_fd, const char *name)
{
	const struct target target = target_by_name(parent_fd, name);
	struct err ignored = ERR_INIT;

	(void)clear_attributes(&target, &ignored);
}
