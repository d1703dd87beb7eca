/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "oci/layer.h"
#include "oci/store_internal.h"
#include "pkg/base/clock.h"

struct pruning {
	const char *store;
	int tmp_fd; /* -1 when there is none, with dry_run */
	int64_t unused_seconds;
	bool dry_run;
	struct store_pruned result;
};

/* Bytes on the disk below a path; each name of a file counts for its share. */
static uint64_t size_of(const char *path)
{
	char *const paths[] = {(char *)path, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	uint64_t bytes = 0;
	FTSENT *entry;

	while (walk && (entry = fts_read(walk)))
		if (entry->fts_info == FTS_F)
			bytes += (uint64_t)entry->fts_statp->st_blocks * 512 /
			         (uint64_t)entry->fts_statp->st_nlink;
	if (walk)
		fts_close(walk);
	return bytes;
}

/* A locked one is in use, or being unpacked. On false it is ours: *fd is its lock, or -1 with dry_run when there
 * is none. */
static bool is_held(const struct pruning *pruning, const char *kind, const char *hex, int *fd)
{
	struct err err = ERR_INIT;

	*fd = store_open_lock(pruning->store, kind, hex, !pruning->dry_run, &err);
	if (*fd < 0)
		return err.kind != ERR_NOT_FOUND;
	return flock(*fd, LOCK_EX | LOCK_NB) < 0;
}

static bool is_unused(const struct pruning *pruning, int lock_fd)
{
	struct stat info;

	return !pruning->unused_seconds || lock_fd < 0 ||
	       (fstat(lock_fd, &info) == 0 &&
	        clock_unix_seconds() - info.st_mtim.tv_sec >= pruning->unused_seconds);
}

/* Moved away first: half of a root folder must not be taken for one. */
static int delete_root(struct pruning *pruning, int folder_fd, const char *kind, const char *hex,
                       struct err *err)
{
	char name[128];

	snprintf(name, sizeof(name), "%s-%.64s", kind, hex);
	if (tree_remove(pruning->tmp_fd, name, err) < 0)
		return -1;
	if (store_move(folder_fd, hex, pruning->tmp_fd, name, err) < 0)
		return -1;
	return tree_remove(pruning->tmp_fd, name, err);
}

static int prune_root(struct pruning *pruning, int folder_fd, const char *kind, const char *hex,
                      struct err *err)
{
	_cleanup_fd_ int lock_fd = -1;
	_cleanup_free_ char *path = NULL;
	uint64_t bytes;

	if (is_held(pruning, kind, hex, &lock_fd)) {
		pruning->result.busy++;
		return 0;
	}
	if (!is_unused(pruning, lock_fd))
		return 0;
	if (asprintf(&path, "%s/%s/sha256/%s", pruning->store, kind, hex) < 0) {
		path = NULL;
		return err_no_memory(err);
	}
	bytes = size_of(path);
	if (!pruning->dry_run && delete_root(pruning, folder_fd, kind, hex, err) < 0)
		return -1;
	pruning->result.bytes += bytes;
	pruning->result.count++;
	return 0;
}

static bool is_hex(const char *name)
{
	return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

static int prune_kind(struct pruning *pruning, const char *kind, struct err *err)
{
	char below[64];
	_cleanup_fd_ int folder_fd = -1;
	const struct dirent *entry;
	int result = 0;
	DIR *folder;

	snprintf(below, sizeof(below), "%s/sha256", kind);
	folder_fd = store_open_folder(pruning->store, below, false, err);
	if (folder_fd < 0)
		return err->kind == ERR_NOT_FOUND ? 0 : -1;
	folder = fdopendir(dup(folder_fd));
	if (!folder)
		return err_errno(err, "cannot read %s", below);
	while (result == 0 && (entry = readdir(folder)))
		if (is_hex(entry->d_name))
			result = prune_root(pruning, folder_fd, kind, entry->d_name, err);
	closedir(folder);
	return result;
}

/* "KIND-HEX" of an interrupted unpack: stale when its lock is free. */
static int prune_unfinished(struct pruning *pruning, const char *name, struct err *err)
{
	const char *dash = strrchr(name, '-');
	_cleanup_fd_ int lock_fd = -1;
	_cleanup_free_ char *path = NULL;
	char kind[32];

	if (!dash || !is_hex(dash + 1) || (size_t)(dash - name) >= sizeof(kind))
		return 0;
	snprintf(kind, sizeof(kind), "%.*s", (int)(dash - name), name);
	if (is_held(pruning, kind, dash + 1, &lock_fd))
		return 0;
	if (asprintf(&path, "%s/tmp/%s", pruning->store, name) < 0) {
		path = NULL;
		return err_no_memory(err);
	}
	pruning->result.bytes += size_of(path);
	pruning->result.count++;
	return pruning->dry_run ? 0 : tree_remove(pruning->tmp_fd, name, err);
}

static int prune_tmp(struct pruning *pruning, struct err *err)
{
	const struct dirent *entry;
	int result = 0;
	DIR *folder;

	if (pruning->tmp_fd < 0)
		return 0;
	folder = fdopendir(dup(pruning->tmp_fd));
	if (!folder)
		return err_errno(err, "cannot read the store's tmp");
	while (result == 0 && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			result = prune_unfinished(pruning, entry->d_name, err);
	closedir(folder);
	return result;
}

int store_prune(const char *store, int64_t unused_seconds, bool dry_run, struct store_pruned *ret,
                struct err *err)
{
	struct pruning pruning = {
		.store = store, .tmp_fd = -1, .unused_seconds = unused_seconds, .dry_run = dry_run};
	_cleanup_fd_ int store_fd = store_open_folder(store, "", false, err);
	_cleanup_fd_ int lock_fd = -1, tmp_fd = -1;

	if (store_fd < 0 && err->kind != ERR_NOT_FOUND)
		return -1;
	*ret = pruning.result;
	if (store_fd >= 0) {
		lock_fd = store_open_folder(store, "lock", false, err);
		if (lock_fd < 0 && err->kind != ERR_NOT_FOUND)
			return -1;
		tmp_fd = store_open_folder(store, "tmp", !dry_run, err);
		if (tmp_fd < 0 && err->kind != ERR_NOT_FOUND)
			return -1;
	}
	*err = (struct err)ERR_INIT;
	if (store_fd < 0)
		return 0;
	pruning.tmp_fd = tmp_fd;
	if (prune_tmp(&pruning, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(store_kinds); i++) {
		if (prune_kind(&pruning, store_kinds[i], err) < 0)
			return -1;
		*err = (struct err)ERR_INIT;
	}
	*ret = pruning.result;
	return 0;
}
