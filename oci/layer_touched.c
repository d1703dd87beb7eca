/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer touched: folders by inode number, other names by folder and name. */
#include "oci/layer_internal.h"

#include <search.h>
#include <string.h>

struct layer_name {
	ino_t folder;
	const char *name; /* in the same piece of memory */
};

/* Room for the path in one system call. */
#define PHYSICAL_MAX ((size_t)4095)

static void free_folder(void *record)
{
	struct layer_folder *folder = record;

	free(folder->name);
	free(folder);
}

static int compare_inodes(const void *one, const void *two)
{
	const struct layer_folder *left = one, *right = two;

	return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static int compare_names(const void *one, const void *two)
{
	const struct layer_name *left = one, *right = two;

	if (left->folder != right->folder)
		return left->folder < right->folder ? -1 : 1;
	return strcmp(left->name, right->name);
}

struct layer_folder *layer_root_touched(const struct layer_root *root, ino_t inode)
{
	const struct layer_folder key = {.inode = inode};
	struct layer_folder *const *found = tfind(&key, &root->folders, compare_inodes);

	return found ? *found : NULL;
}

/* A new record, or the old one of a folder that is gone and left its number. */
static struct layer_folder *record_for(struct layer_root *root, ino_t inode)
{
	struct layer_folder *folder = layer_root_touched(root, inode);

	if (folder)
		return folder;
	folder = calloc(1, sizeof(*folder));
	if (!folder)
		return NULL;
	folder->inode = inode;
	if (!tsearch(folder, &root->folders, compare_inodes)) {
		free(folder);
		return NULL;
	}
	folder->next = root->all;
	root->all = folder;
	return folder;
}

struct layer_folder *layer_root_touch(struct layer_root *root, struct layer_folder *parent,
                                      const char *name, const struct stat *status, bool fresh,
                                      struct err *err)
{
	size_t length = strlen(name);
	_cleanup_free_ char *copy = strdup(name);
	struct layer_folder *folder = record_for(root, status->st_ino);

	if (parent)
		length += parent->path_length + (parent->parent ? 1 : 0);
	if (length > PHYSICAL_MAX) {
		err_set(err, ERR_REFUSED, "folders in folders with a path of %zu bytes", length);
		return NULL;
	}
	if (!copy || !folder) {
		err_no_memory(err);
		return NULL;
	}
	free(folder->name);
	*folder = (struct layer_folder){
		.inode = folder->inode,
		.next = folder->next,
		.parent = parent,
		.name = TAKE_PTR(copy),
		.path_length = length,
		.has_times = !fresh,
		.pruned = fresh,
		.times = {status->st_atim, status->st_mtim},
	};
	return folder;
}

int layer_root_add_name(struct layer_root *root, const struct layer_folder *folder,
                        const char *name, struct err *err)
{
	size_t size = strlen(name) + 1;
	_cleanup_free_ struct layer_name *record = malloc(sizeof(*record) + size);
	struct layer_name *const *found;

	if (!record)
		return err_no_memory(err);
	record->folder = folder->inode;
	record->name = memcpy(record + 1, name, size);
	found = tsearch(record, &root->names, compare_names);
	if (!found)
		return err_no_memory(err);
	if (*found == record)
		record = NULL;
	return 0;
}

bool layer_root_has_name(const struct layer_root *root, const struct layer_folder *folder,
                         const char *name)
{
	const struct layer_name key = {.folder = folder->inode, .name = name};

	return tfind(&key, &root->names, compare_names) != NULL;
}

int layer_root_open(struct layer_root *root, const struct layer_options *options,
                    struct layer_usage *usage, struct err *err)
{
	struct stat status;

	*root = (struct layer_root){.fd = options->root_fd,
	                            .privileged = options->privileged,
	                            .usage = usage,
	                            .last = LAYER_PLACE_INIT};
	if (fstat(root->fd, &status) < 0)
		return err_errno(err, "cannot look at the root folder");
	if (!S_ISDIR(status.st_mode))
		return err_set(err, ERR_INTERNAL, "the root is no folder");
	root->device = status.st_dev;
	root->top = layer_root_touch(root, NULL, "", &status, false, err);
	if (!root->top)
		return -1;
	/* The root folder of many images may not be written to by its owner. */
	if (!root->privileged && (status.st_mode & 0700) != 0700 &&
	    fchmod(root->fd, (status.st_mode & 07777) | 0700) == 0) {
		root->top->restores_mode = true;
		root->top->mode = status.st_mode & 07777;
	}
	root->top->default_acl = layer_attributes_inherit(root->fd);
	return 0;
}

void layer_root_close(struct layer_root *root)
{
	layer_root_forget(root);
	layer_place_close(&root->last);
	tdestroy(root->names, free);
	tdestroy(root->folders, free_folder);
	*root = (struct layer_root){.fd = -1, .last = LAYER_PLACE_INIT};
}

/* What lies in a folder has a longer path than the folder. */
static int compare_depth(const void *one, const void *two)
{
	const struct layer_folder *left = *(struct layer_folder *const *)one;
	const struct layer_folder *right = *(struct layer_folder *const *)two;

	return left->path_length > right->path_length ? -1 : left->path_length < right->path_length;
}

static int finish_folder(struct layer_root *root, const struct layer_folder *folder,
                         struct err *err)
{
	_cleanup_fd_ int fd = -1;
	int found;

	if (!folder->restores_mode && !(folder->has_times && folder->changed))
		return 0;
	found = layer_root_reopen(root, folder, &fd, err);
	if (found <= 0)
		return found;
	if ((folder->restores_mode && fchmod(fd, folder->mode) < 0) ||
	    (folder->has_times && futimens(fd, folder->times) < 0))
		return err_errno(err, "cannot set mode and times of the folder '%s'", folder->name);
	return 0;
}

int layer_root_finish(struct layer_root *root, struct err *err)
{
	_cleanup_free_ struct layer_folder **folders = NULL;
	size_t count = 0;

	for (const struct layer_folder *at = root->all; at; at = at->next)
		count++;
	folders = calloc(count, sizeof(*folders));
	if (!folders)
		return err_no_memory(err);
	count = 0;
	for (struct layer_folder *at = root->all; at; at = at->next)
		folders[count++] = at;
	qsort(folders, count, sizeof(*folders), compare_depth);
	for (size_t i = 0; i < count; i++)
		if (finish_folder(root, folders[i], err) < 0)
			return -1;
	return 0;
}
