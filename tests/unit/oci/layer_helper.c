/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/oci/layer_helper.h"
#include "tests/unit/oci/layer_guard.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <dirent.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* ---- tars ---- */

static void put_octal(char *field, size_t width, uint64_t value)
{
	for (size_t i = width - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static void put_header(const struct tar_member *member, size_t length, char block[TAR_BLOCK])
{
	unsigned mode = member->mode ? member->mode : member->type == '5' ? 0755 : 0644;

	memcpy(block, member->name, strnlen(member->name, 100));
	put_octal(block + 100, 8, member->no_mode ? 0 : mode);
	put_octal(block + 108, 8, member->user);
	put_octal(block + 116, 8, member->group);
	put_octal(block + 124, 12, length);
	if (member->size)
		memcpy(block + 124, member->size, 12);
	put_octal(block + 136, 12, member->time ? member->time : TAR_TIME);
	block[156] = member->type;
	if (member->link)
		memcpy(block + 157, member->link, strnlen(member->link, 100));
	memcpy(block + 257, member->gnu_sparse ? "ustar  " : "ustar\00000", 8);
	put_octal(block + 329, 8, member->major);
	put_octal(block + 337, 8, member->minor);
	if (member->gnu_sparse)
		memcpy(block + 386, member->gnu_sparse, 109);
}

void tar_add(struct strbuf *tar, const struct tar_member *member)
{
	size_t length =
		member->content && !member->length ? strlen(member->content) : member->length;
	char block[TAR_BLOCK] = "";
	unsigned sum = 0;

	put_header(member, length, block);
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)block[i];
	put_octal(block + 148, 7, sum + member->breaks_checksum);
	strbuf_add(tar, block, TAR_BLOCK);
	strbuf_add(tar, member->content, member->content ? length : 0);
	tar_zeros(tar, (TAR_BLOCK - tar->length % TAR_BLOCK) % TAR_BLOCK);
}

void tar_zeros(struct strbuf *tar, size_t count)
{
	static const char zeros[TAR_BLOCK];

	for (; count > TAR_BLOCK; count -= TAR_BLOCK)
		strbuf_add(tar, zeros, TAR_BLOCK);
	strbuf_add(tar, zeros, count);
}

void tar_end(struct strbuf *tar)
{
	tar_zeros(tar, (size_t)2 * TAR_BLOCK);
	cr_assert_not(tar->failed);
}

/* "LENGTH key=value\n", whose length counts itself. */
void tar_pax_record(struct strbuf *records, const char *key, const void *value, size_t length)
{
	size_t rest = strlen(key) + length + strlen(" =\n");
	size_t total = rest + 1;

	while ((size_t)snprintf(NULL, 0, "%zu", total) + rest != total)
		total++;
	strbuf_addf(records, "%zu %s=", total, key);
	strbuf_add(records, value, length);
	strbuf_addc(records, '\n');
}

void tar_pax_records(struct strbuf *tar, const struct strbuf *records)
{
	TAR(tar, .name = "PaxHeaders.0/x", .type = 'x', .content = records->data,
	    .length = records->length);
}

void tar_pax(struct strbuf *tar, const char *key, const void *value, size_t length)
{
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;

	tar_pax_record(&records, key, value, length);
	tar_pax_records(tar, &records);
}

void tar_gnu_long(struct strbuf *tar, char type, const char *text)
{
	TAR(tar, .name = "././@LongLink", .type = type, .content = text,
	    .length = strlen(text) + 1);
}

/* ---- compression ---- */

struct writer {
	__typeof__(archive_write_new) *new;
	__typeof__(archive_write_free) *free;
	__typeof__(archive_write_close) *close;
	__typeof__(archive_write_set_format_raw) *set_format_raw;
	__typeof__(archive_write_add_filter_by_name) *add_filter_by_name;
	__typeof__(archive_write_open_memory) *open_memory;
	__typeof__(archive_write_header) *header;
	__typeof__(archive_write_data) *data;
	__typeof__(archive_entry_new) *entry_new;
	__typeof__(archive_entry_free) *entry_free;
	__typeof__(archive_entry_set_filetype) *entry_set_filetype;
};

static void *find(void *handle, const char *name)
{
	void *address = dlsym(handle, name);

	cr_assert_not_null(address, "%s", name);
	return address;
}

static void load_writer(struct writer *ret)
{
	void *handle = dlopen("libarchive.so.13", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);

	cr_assert_not_null(handle);
	ret->new = find(handle, "archive_write_new");
	ret->free = find(handle, "archive_write_free");
	ret->close = find(handle, "archive_write_close");
	ret->set_format_raw = find(handle, "archive_write_set_format_raw");
	ret->add_filter_by_name = find(handle, "archive_write_add_filter_by_name");
	ret->open_memory = find(handle, "archive_write_open_memory");
	ret->header = find(handle, "archive_write_header");
	ret->data = find(handle, "archive_write_data");
	ret->entry_new = find(handle, "archive_entry_new");
	ret->entry_free = find(handle, "archive_entry_free");
	ret->entry_set_filetype = find(handle, "archive_entry_set_filetype");
}

void layer_compress(const struct strbuf *from, const char *filter, struct strbuf *ret)
{
	size_t room = from->length + 65536, used = 0;
	char *packed = malloc(room);
	struct writer writer;
	struct archive *archive;
	struct archive_entry *entry;

	load_writer(&writer);
	archive = writer.new();
	entry = writer.entry_new();
	cr_assert(packed && archive && entry);
	writer.entry_set_filetype(entry, AE_IFREG);
	cr_assert_eq(writer.set_format_raw(archive), ARCHIVE_OK);
	cr_assert_eq(writer.add_filter_by_name(archive, filter), ARCHIVE_OK);
	cr_assert_eq(writer.open_memory(archive, packed, room, &used), ARCHIVE_OK);
	cr_assert_eq(writer.header(archive, entry), ARCHIVE_OK);
	cr_assert_eq(writer.data(archive, from->data, from->length), (ssize_t)from->length);
	cr_assert_eq(writer.close(archive), ARCHIVE_OK);
	writer.entry_free(entry);
	writer.free(archive);
	strbuf_add(ret, packed, used);
	free(packed);
}

/* ---- looking ---- */

static void add_content(const char *path, struct strbuf *ret)
{
	char bytes[4096];
	int fd = open(path, O_RDONLY | O_NOFOLLOW);
	ssize_t got;

	cr_assert_geq(fd, 0, "%s", path);
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		strbuf_add(ret, bytes, (size_t)got);
	close(fd);
}

static int by_name(const FTSENT **one, const FTSENT **two)
{
	return strcmp((*one)->fts_name, (*two)->fts_name);
}

void layer_snapshot(const char *path, struct strbuf *ret)
{
	char *paths[] = {(char *)path, NULL};
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT *at;

	cr_assert_not_null(tree);
	while ((at = fts_read(tree)) != NULL) {
		const struct stat *status = at->fts_statp;

		if (at->fts_info == FTS_DP)
			continue;
		strbuf_addf(ret, "%s %o %u:%u %lld %ld %lld.%09ld\n", at->fts_path, status->st_mode,
		            status->st_uid, status->st_gid, (long long)status->st_size,
		            (long)status->st_nlink, (long long)status->st_mtim.tv_sec,
		            status->st_mtim.tv_nsec);
		if (S_ISREG(status->st_mode))
			add_content(at->fts_path, ret);
	}
	fts_close(tree);
}

/* ---- the bench ---- */

void layer_forbid_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
	cr_assert_eq(syscall(SYS_openat2, -1, "", NULL, 0), -1);
	cr_assert_eq(errno, ENOSYS);
}

struct piece_source {
	struct byte_source source;
	const char *bytes;
	size_t length, piece;
	const char *broken;
};

static ssize_t read_piece(struct byte_source *source, void *buffer, size_t size, struct err *err)
{
	struct piece_source *piece = (struct piece_source *)source;

	if (piece->piece && size > piece->piece)
		size = piece->piece;
	if (size > piece->length)
		size = piece->length;
	if (!size && piece->broken)
		return err_set(err, ERR_LOST, "%s", piece->broken);
	if (size)
		memcpy(buffer, piece->bytes, size);
	piece->bytes += size;
	piece->length -= size;
	return (ssize_t)size;
}

static void close_piece(struct byte_source *source)
{
	(void)source;
}

static void keep_report(void *context, enum report_level level, const char *line)
{
	struct strbuf *reports = context;

	strbuf_addf(reports, "%d %s\n", level, line);
}

static void make_canaries(const struct layer_bench *bench)
{
	int outside = open(bench->outside, O_DIRECTORY | O_RDONLY);
	int fd;

	cr_assert_geq(outside, 0);
	cr_assert_eq(mkdirat(outside, "etc", 0711), 0);
	fd = openat(outside, "etc/passwd", O_CREAT | O_WRONLY, 0640);
	cr_assert_eq(write(fd, "canary", 6), 6);
	close(fd);
	fd = openat(outside, "secret", O_CREAT | O_WRONLY, 0600);
	cr_assert_eq(write(fd, "keep me", 7), 7);
	close(fd);
	cr_assert_eq(symlinkat("secret", outside, "link"), 0);
	close(outside);
}

void layer_bench_open(struct layer_bench *bench)
{
	/* Root in a container may lack the right; it is not the host that it is root of. */
	(void)layer_guard("/tmp");
	memset(bench, 0, sizeof(*bench));
	(void)snprintf(bench->base, sizeof(bench->base), "/tmp/oneoff-layer-XXXXXX");
	cr_assert_not_null(mkdtemp(bench->base));
	(void)snprintf(bench->root, sizeof(bench->root), "%s/root", bench->base);
	(void)snprintf(bench->outside, sizeof(bench->outside), "%s/outside", bench->base);
	cr_assert_eq(chmod(bench->base, 0755), 0);
	cr_assert_eq(mkdir(bench->root, 0755), 0);
	cr_assert_eq(mkdir(bench->outside, 0755), 0);
	make_canaries(bench);
	layer_snapshot(bench->outside, &bench->canary);
	bench->root_fd = open(bench->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(bench->root_fd, 0);
	bench->budget = (struct layer_budget)LAYER_BUDGET_DEFAULT;
	bench->options = (struct layer_options){
		.root_fd = bench->root_fd,
		.budget = &bench->budget,
		.privileged = geteuid() == 0,
		.reporter = {.say = keep_report, .context = &bench->reports},
	};
}

static void check_canaries(const struct layer_bench *bench)
{
	_cleanup_(strbuf_release) struct strbuf now = STRBUF_INIT;

	layer_snapshot(bench->outside, &now);
	cr_assert_str_eq(strbuf_str(&now), strbuf_str(&bench->canary));
}

void layer_bench_close(struct layer_bench *bench)
{
	int above = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = ERR_INIT;

	check_canaries(bench);
	close(bench->root_fd);
	cr_assert_eq(tree_remove(above, strrchr(bench->base, '/') + 1, &err), 0, "%s", err.message);
	close(above);
	strbuf_release(&bench->tar);
	strbuf_release(&bench->canary);
	strbuf_release(&bench->reports);
}

int layer_apply_bytes(struct layer_bench *bench, const void *bytes, size_t length, struct err *err)
{
	struct piece_source source = {
		.source = {.read = read_piece, .close = close_piece},
		.bytes = bytes,
		.length = length,
		.piece = bench->piece,
		.broken = bench->broken,
	};
	int result;

	*err = (struct err)ERR_INIT;
	result = layer_apply(&source.source, &bench->options, err);
	check_canaries(bench);
	layer_expect_names(bench, "..", "outside root");
	if (result == 0)
		cr_assert_eq(source.length, 0, "the source was not read to its end");
	return result;
}

int layer_apply_tar(struct layer_bench *bench, struct err *err)
{
	int result;

	tar_end(&bench->tar);
	result = layer_apply_bytes(bench, bench->tar.data, bench->tar.length, err);
	strbuf_reset(&bench->tar);
	return result;
}

void layer_expect_applied(struct layer_bench *bench)
{
	struct err err;

	cr_assert_eq(layer_apply_tar(bench, &err), 0, "%s", err.message);
}

void layer_expect_failure(struct layer_bench *bench, enum err_kind kind, const char *words)
{
	struct err err;

	cr_assert_eq(layer_apply_tar(bench, &err), -1, "it was applied: %s", words);
	cr_assert_eq(err.kind, kind, "%s: %s", err_kind_name(err.kind), err.message);
	cr_assert_not_null(strstr(err.message, words), "%s", err.message);
}

void layer_status(struct layer_bench *bench, const char *path, struct stat *ret)
{
	cr_assert_eq(fstatat(bench->root_fd, *path ? path : ".", ret, AT_SYMLINK_NOFOLLOW), 0,
	             "%s: %s", path, strerror(errno));
}

void layer_expect_file(struct layer_bench *bench, const char *path, const char *content)
{
	struct stat status;
	char bytes[4096];
	ssize_t got;
	int fd;

	layer_status(bench, path, &status);
	cr_assert(S_ISREG(status.st_mode), "%s is no file", path);
	fd = openat(bench->root_fd, path, O_RDONLY | O_NOFOLLOW);
	cr_assert_geq(fd, 0, "%s", path);
	got = read(fd, bytes, sizeof(bytes) - 1);
	close(fd);
	cr_assert_geq(got, 0);
	bytes[got] = '\0';
	cr_assert_str_eq(bytes, content, "%s", path);
}

void layer_expect_link(struct layer_bench *bench, const char *path, const char *target)
{
	char bytes[4097];
	ssize_t got = readlinkat(bench->root_fd, path, bytes, sizeof(bytes) - 1);

	cr_assert_geq(got, 0, "%s is no link", path);
	bytes[got] = '\0';
	cr_assert_str_eq(bytes, target, "%s", path);
}

void layer_expect_folder(struct layer_bench *bench, const char *path)
{
	struct stat status;

	layer_status(bench, path, &status);
	cr_assert(S_ISDIR(status.st_mode), "%s is no folder", path);
}

void layer_expect_none(struct layer_bench *bench, const char *path)
{
	struct stat status;

	cr_assert_eq(fstatat(bench->root_fd, path, &status, AT_SYMLINK_NOFOLLOW), -1, "%s is there",
	             path);
}

void layer_expect_same(struct layer_bench *bench, const char *one, const char *two)
{
	struct stat first, second;

	layer_status(bench, one, &first);
	layer_status(bench, two, &second);
	cr_assert(first.st_ino == second.st_ino && first.st_dev == second.st_dev, "%s, %s", one,
	          two);
}

static int is_name(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void layer_expect_names(struct layer_bench *bench, const char *path, const char *names)
{
	_cleanup_(strbuf_release) struct strbuf found = STRBUF_INIT;
	struct dirent **entries;
	int count = scandirat(bench->root_fd, *path ? path : ".", &entries, is_name, alphasort);

	cr_assert_geq(count, 0, "%s", path);
	for (int i = 0; i < count; i++) {
		strbuf_addf(&found, "%s%s", i ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	cr_assert_str_eq(strbuf_str(&found), names, "in '%s'", path);
}
