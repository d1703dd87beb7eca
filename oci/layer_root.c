/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#define FOLDER (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* A path on its way: `rest` from `at` on is still to be followed, from `place` on. */
struct walk {
	struct layer_root *root;
	bool create;
	struct layer_place place;
	struct strbuf rest;
	size_t at;
	unsigned links;
};

static void walk_release(struct walk *walk)
{
	layer_place_close(&walk->place);
	strbuf_release(&walk->rest);
}

void layer_place_close(struct layer_place *place)
{
	cleanup_fd(&place->fd);
	place->fd = -1;
}

static void enter(struct walk *walk, int fd, struct layer_folder *folder)
{
	layer_place_close(&walk->place);
	walk->place = (struct layer_place){.fd = fd, .folder = folder};
}

static int enter_top(struct walk *walk, struct err *err)
{
	int fd = openat(walk->root->fd, ".", FOLDER);

	if (fd < 0)
		return err_errno(err, "cannot open the root folder");
	enter(walk, fd, walk->root->top);
	return 1;
}

/* The folder above; above the root is the root. The tree is ours alone, so ".." is where we came
 * from. */
static int enter_parent(struct walk *walk, struct err *err)
{
	int fd;

	if (!walk->place.folder->parent)
		return 1;
	fd = openat(walk->place.fd, "..", FOLDER);
	if (fd < 0)
		return err_errno(err, "cannot open a parent folder");
	enter(walk, fd, walk->place.folder->parent);
	return 1;
}

/* Without privileges a folder of a lower layer may be closed to us: opened now, restored in the end.
 * What cannot be opened makes trouble later. */
static void make_accessible(const struct walk *walk, const char *name, struct layer_folder *folder,
                            mode_t mode)
{
	if (walk->root->privileged || folder->restores_mode || (mode & 0700) == 0700)
		return;
	if (fchmodat(walk->place.fd, name, (mode & 07777) | 0700, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	folder->mode = mode & 07777;
	folder->restores_mode = true;
}

static int enter_child(struct walk *walk, int opened, const char *name, bool fresh, struct err *err)
{
	_cleanup_fd_ int fd = opened;
	struct layer_folder *folder;
	struct stat status;

	if (fstat(fd, &status) < 0)
		return err_errno(err, "cannot look at the folder '%s'", name);
	if (status.st_dev != walk->root->device)
		return err_set(err, ERR_REFUSED, "'%s' is another file system", name);
	folder = fresh ? NULL : layer_root_touched(walk->root, status.st_ino);
	if (!folder) {
		folder =
			layer_root_touch(walk->root, walk->place.folder, name, &status, fresh, err);
		if (!folder)
			return -1;
		folder->default_acl = !fresh && layer_attributes_inherit(fd);
	}
	make_accessible(walk, name, folder, status.st_mode);
	enter(walk, TAKE_FD(fd), folder);
	return 1;
}

static int make_child(struct walk *walk, const char *name, struct err *err)
{
	struct layer_folder *above = walk->place.folder;
	int fd;

	if (!walk->create)
		return 0;
	if (layer_charge_entry(walk->root->usage, err) < 0)
		return -1;
	if (mkdirat(walk->place.fd, name, 0700) < 0)
		return err_errno(err, "cannot make the folder '%s'", name);
	above->changed = true;
	if (above->default_acl)
		layer_attributes_clear_folder(walk->place.fd, name);
	/* Not by mkdirat, which takes the umask off. */
	if (fchmodat(walk->place.fd, name, 0755, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(err, "cannot set the mode of '%s'", name);
	fd = tree_open_folder(walk->place.fd, name, O_PATH);
	if (fd < 0)
		return err_errno(err, "cannot open the folder '%s'", name);
	return enter_child(walk, fd, name, true, err);
}

/* `name` is no folder: when it is a link, its target comes before the rest of the path. */
static int follow_link(struct walk *walk, const char *name, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf rest = STRBUF_INIT;
	char target[4096];
	ssize_t length = readlinkat(walk->place.fd, name, target, sizeof(target));

	if (length < 0 && errno == EINVAL)
		return walk->create ? err_set(err, ERR_REFUSED, "'%s' is no folder", name) : 0;
	if (length < 0)
		return err_errno(err, "cannot read the link '%s'", name);
	if (++walk->links > LAYER_LINKS_MAX)
		return walk->create ? err_set(err, ERR_REFUSED, "too many links in its path") : 0;
	strbuf_add(&rest, target, (size_t)length);
	strbuf_addc(&rest, '/');
	strbuf_adds(&rest, strbuf_str(&walk->rest) + walk->at);
	if (rest.failed)
		return err_no_memory(err);
	strbuf_release(&walk->rest);
	walk->rest = rest;
	rest = (struct strbuf)STRBUF_INIT;
	walk->at = 0;
	return target[0] == '/' ? enter_top(walk, err) : 1;
}

static int step(struct walk *walk, const char *name, struct err *err)
{
	int fd;

	if (!*name || !strcmp(name, "."))
		return 1;
	if (!strcmp(name, ".."))
		return enter_parent(walk, err);
	fd = tree_open_folder(walk->place.fd, name, O_PATH);
	if (fd >= 0)
		return enter_child(walk, fd, name, false, err);
	if (errno == EXDEV)
		return err_set(err, ERR_REFUSED, "'%s' is another file system", name);
	if (errno == ENOENT)
		return make_child(walk, name, err);
	if (errno == ENOTDIR || errno == ELOOP)
		return follow_link(walk, name, err);
	if (errno == ENAMETOOLONG)
		return err_set(err, ERR_REFUSED, "a link in its path has a name that is too long");
	return err_errno(err, "cannot open the folder '%s'", name);
}

static int walk_on(struct walk *walk, struct err *err)
{
	int result = enter_top(walk, err);

	while (result > 0 && walk->at < walk->rest.length) {
		char *name = walk->rest.data + walk->at;
		size_t length = strcspn(name, "/");

		/* The last one is ended already. */
		walk->at += length + (name[length] == '/');
		name[length] = '\0';
		result = step(walk, name, err);
	}
	return result;
}

/* Most folders are known already: then the kernel follows the path in one step. */
static int find_known(const struct layer_root *root, const char *path, struct layer_place *ret)
{
	const struct open_how how = {
		.flags = FOLDER,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	_cleanup_fd_ int fd = (int)syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return 0;
	ret->folder = layer_root_touched(root, status.st_ino);
	if (!ret->folder)
		return 0;
	ret->fd = TAKE_FD(fd);
	return 1;
}

int layer_root_find(struct layer_root *root, const char *path, bool create, struct layer_place *ret,
                    struct err *err)
{
	_cleanup_(walk_release) struct walk walk = {
		.root = root, .create = create, .place = LAYER_PLACE_INIT};
	int result;

	if (*path && find_known(root, path, ret))
		return 1;
	strbuf_adds(&walk.rest, path);
	if (walk.rest.failed)
		return err_no_memory(err);
	result = walk_on(&walk, err);
	if (result <= 0)
		return result;
	*ret = walk.place;
	walk.place.fd = -1;
	return 1;
}

int layer_root_parent(struct layer_root *root, const char *path, bool create,
                      struct layer_place *ret, struct err *err)
{
	int result = 1;

	if (!root->last_path || strcmp(root->last_path, path) != 0) {
		layer_root_forget(root);
		layer_place_close(&root->last);
		result = layer_root_find(root, path, create, &root->last, err);
		if (result <= 0)
			return result;
		root->last_path = strdup(path);
		if (!root->last_path)
			return err_no_memory(err);
	}
	root->last.folder->changed = true;
	*ret = root->last;
	return 1;
}

void layer_root_forget(struct layer_root *root)
{
	free(root->last_path);
	root->last_path = NULL;
}

int layer_root_remove(struct layer_root *root, const struct layer_place *place, const char *name,
                      struct err *err)
{
	layer_root_forget(root);
	return tree_remove(place->fd, name, err);
}

/* The path to a folder, from its record and those above. False: one of them stands for another folder
 * by now. */
static bool build_path(const struct layer_folder *folder, char *path)
{
	size_t end = folder->path_length;
	const struct layer_folder *at = folder;

	path[end] = '\0';
	for (; at->parent; at = at->parent) {
		size_t length = strlen(at->name);

		if (length > end)
			return false;
		end -= length;
		memcpy(path + end, at->name, length);
		if (!at->parent->parent)
			return end == 0;
		if (!end)
			return false;
		path[--end] = '/';
	}
	return true;
}

int layer_root_reopen(struct layer_root *root, const struct layer_folder *folder, int *ret,
                      struct err *err)
{
	_cleanup_(layer_place_close) struct layer_place place = LAYER_PLACE_INIT;
	char path[LAYER_PATH_MAX + 1];
	int fd;
	int found = build_path(folder, path) ? layer_root_find(root, path, false, &place, err) : 0;

	if (found <= 0 || place.folder != folder)
		return found < 0 ? -1 : 0;
	fd = openat(place.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open the folder '%s'", folder->name);
	*ret = fd;
	return 1;
}
