/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Deletes `name` unless this layer wrote it. Of a folder that this layer touched only what is of lower
 * layers goes: it comes on the list. */
static int prune_name(struct layer_root *root, const struct layer_place *place, const char *name,
                      struct layer_folder **work, struct err *err)
{
	struct layer_folder *folder = NULL;
	struct stat status;

	if (fstatat(place->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENAMETOOLONG
		               ? 0
		               : err_errno(err, "cannot look at '%s'", name);
	if (S_ISDIR(status.st_mode))
		folder = layer_root_touched(root, status.st_ino);
	else if (layer_root_has_name(root, place->folder, name))
		return 0;
	if (folder) {
		folder->work = *work;
		*work = folder;
		return 0;
	}
	return layer_root_remove(root, place, name, err);
}

static int prune_names(struct layer_root *root, const struct layer_place *place, DIR *names,
                       struct layer_folder **work, struct err *err)
{
	const struct dirent *entry;

	while ((errno = 0, entry = readdir(names)) != NULL) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (prune_name(root, place, entry->d_name, work, err) < 0)
			return -1;
	}
	return errno ? err_errno(err, "cannot read a folder") : 0;
}

static int prune_folder(struct layer_root *root, struct layer_folder *folder,
                        struct layer_folder **work, struct err *err)
{
	struct layer_place place = {.fd = -1, .folder = folder};
	DIR *names;
	int result;

	/* Once is enough, or a layer of nothing but markers would take for ever. */
	if (folder->pruned)
		return 0;
	result = layer_root_reopen(root, folder, &place.fd, err);
	if (result <= 0)
		return result;
	names = fdopendir(place.fd);
	if (!names) {
		layer_place_close(&place);
		return err_no_memory(err);
	}
	folder->changed = folder->pruned = true;
	result = prune_names(root, &place, names, work, err);
	closedir(names);
	return result;
}

/* Folder by folder, not one in the other: however deep it goes, one descriptor is open. */
static int prune(struct layer_root *root, struct layer_folder *work, struct err *err)
{
	while (work) {
		struct layer_folder *folder = work;

		work = folder->work;
		if (prune_folder(root, folder, &work, err) < 0)
			return -1;
	}
	return 0;
}

int layer_whiteout(struct layer_unpacker *unpacker, struct err *err)
{
	const struct layer_path *path = &unpacker->entry.path;
	struct layer_folder *work = NULL;
	struct layer_place place;
	int found;

	if (unpacker->entry.whiteout == LAYER_IGNORED)
		return 0;
	found = layer_root_parent(&unpacker->root, layer_path_parent(path), false, &place, err);
	/* A parent that is not there has nothing to delete. */
	if (found <= 0)
		return found;
	if (unpacker->entry.whiteout == LAYER_OPAQUE) {
		work = place.folder;
		work->work = NULL;
	} else if (prune_name(&unpacker->root, &place,
	                      layer_path_name(path) + strlen(LAYER_WHITEOUT_PREFIX), &work,
	                      err) < 0) {
		return -1;
	}
	return prune(&unpacker->root, work, err);
}
