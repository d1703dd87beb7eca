/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a layer, applied twice to one root: nothing outside it changes, not even a time; what
 * fails says why; no descriptor stays open; everything can be deleted again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "oci/layer.h"
#include "tests/unit/oci/layer_guard.h"
#include "tests/fuzz/fuzz.h"

#define BLOCK 512

static struct {
	int above;
	char name[32];
	int fd;
	struct stat top, folder, file;
} base;

static void remove_base(void)
{
	struct err err = ERR_INIT;

	CHECK(tree_remove(base.above, base.name, &err) == 0);
}

static void look(struct stat *top, struct stat *folder, struct stat *file)
{
	CHECK(fstat(base.fd, top) == 0);
	CHECK(fstatat(base.fd, "outside", folder, AT_SYMLINK_NOFOLLOW) == 0);
	CHECK(fstatat(base.fd, "outside/canary", file, AT_SYMLINK_NOFOLLOW) == 0);
}

static void make_base(void)
{
	const char *above = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	int fd;

	(void)layer_guard(above);
	base.above = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(base.name, sizeof(base.name), "oneoff-fuzz-%ld", (long)getpid());
	CHECK(base.above >= 0 && mkdirat(base.above, base.name, 0700) == 0);
	CHECK(atexit(remove_base) == 0);
	base.fd = openat(base.above, base.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(base.fd >= 0 && mkdirat(base.fd, "outside", 0755) == 0);
	CHECK(mkdirat(base.fd, "root", 0755) == 0);
	fd = openat(base.fd, "outside/canary", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	CHECK(fd >= 0 && write(fd, "sings", 5) == 5);
	close(fd);
	look(&base.top, &base.folder, &base.file);
	CHECK(unlinkat(base.fd, "root", AT_REMOVEDIR) == 0);
}

static bool is_same(const struct stat *one, const struct stat *two)
{
	return one->st_ino == two->st_ino && one->st_mode == two->st_mode &&
	       one->st_uid == two->st_uid && one->st_nlink == two->st_nlink &&
	       one->st_size == two->st_size &&
	       !memcmp(&one->st_mtim, &two->st_mtim, sizeof(one->st_mtim)) &&
	       !memcmp(&one->st_ctim, &two->st_ctim, sizeof(one->st_ctim));
}

static void check_outside(void)
{
	struct stat top, folder, file;

	look(&top, &folder, &file);
	/* Beside the root: tmpfs counts the names of a folder in its size. */
	CHECK(top.st_size == base.top.st_size && top.st_nlink == base.top.st_nlink);
	CHECK(is_same(&folder, &base.folder) && is_same(&file, &base.file));
}

struct memory {
	struct byte_source source;
	const uint8_t *bytes;
	size_t length;
};

static ssize_t read_memory(struct byte_source *source, void *buffer, size_t size, struct err *err)
{
	struct memory *memory = (struct memory *)source;

	(void)err;
	if (size > memory->length)
		size = memory->length;
	/* Pieces of odd lengths. */
	if (size > 1000)
		size = 777;
	if (size)
		memcpy(buffer, memory->bytes, size);
	memory->bytes += size;
	memory->length -= size;
	return (ssize_t)size;
}

/* A changed header would be refused for its sum; put it right, as an attacker would. */
static void fix_sums(uint8_t *data, size_t size)
{
	for (; size >= BLOCK; data += BLOCK, size -= BLOCK) {
		unsigned sum = 0;

		if (memcmp(data + 257, "ustar", 5) != 0)
			continue;
		memset(data + 148, ' ', 8);
		for (size_t i = 0; i < BLOCK; i++)
			sum += data[i];
		for (size_t i = 6; i-- > 0; sum >>= 3)
			data[148 + i] = (uint8_t)('0' + (sum & 7));
		data[154] = '\0';
	}
}

static void apply(const uint8_t *data, size_t size, int root, bool privileged)
{
	struct memory memory = {.source = {.read = read_memory}, .bytes = data, .length = size};
	struct layer_budget budget = {.bytes = 4 << 20, .entries = 1000};
	const struct layer_options options = {
		.root_fd = root, .budget = &budget, .privileged = privileged};
	struct err err = ERR_INIT;
	int next = dup(root);

	close(next);
	if (layer_apply(&memory.source, &options, &err) < 0)
		CHECK(*err.message && (err.kind == ERR_REFUSED || err.kind == ERR_PROTOCOL ||
		                       err.kind == ERR_SYSTEM || err.kind == ERR_NO_MEMORY));
	else
		CHECK(memory.length == 0);
	CHECK(budget.bytes <= 4 << 20 && budget.entries <= 1000);
	/* The lowest free number is what it was. */
	CHECK(dup(root) == next);
	close(next);
	check_outside();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	struct err err = ERR_INIT;
	bool privileged = geteuid() == 0 && size % 3 != 0;
	int root;

	CHECK(copy);
	if (!*base.name)
		make_base();
	memcpy(copy, data, size);
	fix_sums(copy, size);
	CHECK(mkdirat(base.fd, "root", 0755) == 0);
	root = openat(base.fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(root >= 0);
	apply(copy, size, root, privileged);
	apply(copy, size, root, privileged);
	close(root);
	CHECK(tree_remove(base.fd, "root", &err) == 0);
	free(copy);
	return 0;
}
