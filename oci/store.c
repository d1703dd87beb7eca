/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "oci/layer.h"
#include "oci/store_internal.h"
#include "pkg/base/sha256.h"

#define MAX_TRIES 5

void snapshot_release(struct snapshot *snapshot)
{
	free(snapshot->path);
	if (snapshot->lock_fd >= 0) {
		(void)futimens(snapshot->lock_fd, NULL);
		close(snapshot->lock_fd);
	}
	*snapshot = (struct snapshot)SNAPSHOT_INIT;
}

/* ChainID of image-spec config.md: the digest of "CHAIN-BELOW DIFF-ID", the first one's own digest. */
static int chain_id(const struct image *image, char hex[SHA256_HEX_SIZE], struct err *err)
{
	char text[2 * DIGEST_SIZE];

	snprintf(hex, SHA256_HEX_SIZE, "%s", digest_hex(image_layer_diff_id(image, 0)));
	for (size_t i = 1; i < image_layer_count(image); i++) {
		int length = snprintf(text, sizeof(text), "sha256:%s %s", hex,
		                      image_layer_diff_id(image, i));

		if (sha256_hex(text, (size_t)length, hex, err) < 0)
			return -1;
	}
	return 0;
}

struct unpacking {
	const char *store, *kind;
	const struct image *image;
	const struct reporter *reporter;
	char hex[SHA256_HEX_SIZE];
	bool privileged;
};

static int apply_layers(const struct unpacking *unpacking, int root_fd, struct err *err)
{
	struct layer_budget budget = LAYER_BUDGET_DEFAULT;

	for (size_t i = 0; i < image_layer_count(unpacking->image); i++) {
		_cleanup_(byte_source_close) struct byte_source *source = NULL;
		struct layer_options options = {
			.root_fd = root_fd,
			.diff_id = image_layer_diff_id(unpacking->image, i),
			.budget = &budget,
			.privileged = unpacking->privileged,
			.reporter = *unpacking->reporter,
		};

		if (image_layer_open(unpacking->image, i, &source, err) < 0 ||
		    layer_apply(source, &options, err) < 0)
			return err_wrap(err, "layer %zu (%s)", i + 1, options.diff_id);
	}
	return 0;
}

static int unpack_at(const struct unpacking *unpacking, int tmp_fd, const char *name,
                     struct err *err)
{
	_cleanup_fd_ int folder = -1, root_fd = -1, target = -1;
	char kind_folder[64];

	if (mkdirat(tmp_fd, name, 0700) < 0)
		return err_errno(err, "cannot make %s in the store", name);
	folder = openat(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0 || mkdirat(folder, "rootfs", 0755) < 0)
		return err_errno(err, "cannot make a root folder in the store");
	root_fd = openat(folder, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (root_fd < 0 || fchmod(root_fd, 0755) < 0)
		return err_errno(err, "cannot open the root folder in the store");
	if (apply_layers(unpacking, root_fd, err) < 0)
		return -1;
	/* The name promises that all of it is there, after a power failure, too. */
	if (syncfs(root_fd) < 0)
		return err_errno(err, "cannot write the root folder to the disk");
	snprintf(kind_folder, sizeof(kind_folder), "%s/sha256", unpacking->kind);
	target = store_open_folder(unpacking->store, kind_folder, true, err);
	if (target < 0)
		return -1;
	return store_move(folder, "rootfs", target, unpacking->hex, err);
}

static int unpack(const struct unpacking *unpacking, struct err *err)
{
	_cleanup_fd_ int tmp_fd = store_open_folder(unpacking->store, "tmp", true, err);
	struct err ignored = ERR_INIT;
	uint64_t size = 0;
	char name[128];
	int result;

	if (tmp_fd < 0)
		return -1;
	snprintf(name, sizeof(name), "%s-%s", unpacking->kind, unpacking->hex);
	/* An interrupted unpack's; we have its lock, so it is nobody's. */
	if (tree_remove(tmp_fd, name, err) < 0)
		return err_wrap(err, "what an interrupted unpack left");
	for (size_t i = 0; i < image_layer_count(unpacking->image); i++)
		size += image_layer_size(unpacking->image, i);
	report(unpacking->reporter, REPORT_NOTE, "unpacking %s (%" PRIu64 " MiB) into %s",
	       image_name(unpacking->image), (size >> 20) + 1, unpacking->store);
	result = unpack_at(unpacking, tmp_fd, name, err);
	if (tree_remove(tmp_fd, name, result < 0 ? &ignored : err) < 0)
		return -1;
	return result;
}

static bool is_there(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int lock(const struct unpacking *unpacking, int fd, int how, struct err *err)
{
	int result = flock(fd, how | LOCK_NB);

	if (result < 0 && errno == EWOULDBLOCK)
		report(unpacking->reporter, REPORT_NOTE, "waiting for another unpack of %s",
		       image_name(unpacking->image));
	while (result < 0 && (errno == EWOULDBLOCK || errno == EINTR))
		result = flock(fd, how);
	return result < 0 ? err_errno(err, "cannot lock the store") : 0;
}

/* All folders first: a store that is not as it should be is refused before anything is made in it. */
static int make_store(const struct unpacking *unpacking, struct err *err)
{
	const char *const names[] = {"tmp", "lock", unpacking->kind};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_fd_ int fd = store_open_folder(unpacking->store, names[i], true, err);

		if (fd < 0)
			return -1;
	}
	return 0;
}

int store_unpack(const char *store, const struct image *image, bool privileged,
                 const struct reporter *reporter, struct snapshot *ret, struct err *err)
{
	_cleanup_(snapshot_release) struct snapshot snapshot = SNAPSHOT_INIT;
	struct unpacking unpacking = {
		.store = store,
		.kind = store_kinds[!privileged],
		.image = image,
		.reporter = reporter,
		.privileged = privileged,
	};
	_cleanup_free_ char *absolute = NULL;

	if (make_store(&unpacking, err) < 0 || chain_id(image, unpacking.hex, err) < 0)
		return -1;
	absolute = realpath(store, NULL);
	if (!absolute || asprintf(&snapshot.path, "%s/%s/sha256/%s", absolute, unpacking.kind,
	                          unpacking.hex) < 0) {
		snapshot.path = NULL;
		return err_no_memory(err);
	}
	snapshot.lock_fd = store_open_lock(store, unpacking.kind, unpacking.hex, true, err);
	if (snapshot.lock_fd < 0)
		return -1;
	/* A lock cannot be weakened in one step: somebody may prune in between. */
	for (int i = 0; i < MAX_TRIES; i++) {
		if (lock(&unpacking, snapshot.lock_fd, LOCK_SH, err) < 0)
			return -1;
		if (is_there(snapshot.path)) {
			(void)futimens(snapshot.lock_fd, NULL);
			*ret = snapshot;
			snapshot = (struct snapshot)SNAPSHOT_INIT;
			return 0;
		}
		if (lock(&unpacking, snapshot.lock_fd, LOCK_EX, err) < 0)
			return -1;
		if (!is_there(snapshot.path) && unpack(&unpacking, err) < 0)
			return -1;
	}
	return err_set(err, ERR_CONFLICT, "the unpacked image was deleted again and again");
}
