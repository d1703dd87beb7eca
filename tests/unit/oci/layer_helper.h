/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers made in memory, block by block, applied to a root folder beside which lies a folder of
 * canaries:
 *
 *	BASE/root       what layers are applied to
 *	BASE/outside    must stay as it is, to the byte
 *
 *	struct layer_bench bench;
 *	layer_bench_open(&bench);
 *	TAR(&bench.tar, .name = "a", .type = '0', .content = "x");
 *	layer_expect_applied(&bench);
 *	layer_bench_close(&bench);
 */
#ifndef ONEOFF_TESTS_LAYER_HELPER_H
#define ONEOFF_TESTS_LAYER_HELPER_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "oci/layer.h"
#include "pkg/base/strbuf.h"

#define TAR_BLOCK 512
#define TAR_TIME  1700000000

/* What a header says; PAX records that were added before belong to it. */
struct tar_member {
	const char *name;
	char type; /* '0' file, '1' hard link, '2' link, '3' '4' devices, '5' folder, '6' fifo */
	const char *link;    /* NULL: none */
	const char *content; /* NULL: none */
	size_t length;       /* of the content; 0: strlen */
	unsigned mode;       /* 0: 0644, of folders 0755 */
	bool no_mode;        /* the mode is to be 0 */
	unsigned user, group;
	uint64_t time; /* 0: TAR_TIME */
	unsigned major, minor;
	const char *size;          /* 12 bytes, when it is not to be the content's length */
	const uint8_t *gnu_sparse; /* 109 bytes at offset 386, with GNU's magic */
	bool breaks_checksum;
};

void tar_add(struct strbuf *tar, const struct tar_member *member);
#define TAR(tar, ...) tar_add((tar), &(const struct tar_member){__VA_ARGS__})
/* A PAX header with one record; more than one record: tar_pax_record into a buffer of one's own. */
void tar_pax(struct strbuf *tar, const char *key, const void *value, size_t length);
void tar_pax_record(struct strbuf *records, const char *key, const void *value, size_t length);
void tar_pax_records(struct strbuf *tar, const struct strbuf *records);
/* GNU's way to a long name ('L') or link target ('K'). */
void tar_gnu_long(struct strbuf *tar, char type, const char *text);
void tar_zeros(struct strbuf *tar, size_t count);
void tar_end(struct strbuf *tar);

/* The bytes packed by libarchive's own writer: "gzip" or "zstd". */
void layer_compress(const struct strbuf *from, const char *filter, struct strbuf *ret);

struct layer_bench {
	char base[64];
	char root[80], outside[80];
	int root_fd;
	struct strbuf tar;    /* the layer that is being made; emptied when it was applied */
	struct strbuf canary; /* what `outside` looked like */
	struct layer_options options;
	struct layer_budget budget;
	size_t piece;       /* bytes per read of the source; 0: as many as fit */
	const char *broken; /* an error that the source ends with; NULL: none */
	struct strbuf reports;
};

void layer_bench_open(struct layer_bench *bench);
/* Checks the canaries and deletes everything. */
void layer_bench_close(struct layer_bench *bench);

/* Ends the tar and applies it: 0 or -1. Canaries are checked, the tar is emptied. */
int layer_apply_tar(struct layer_bench *bench, struct err *err);
/* Applies bytes as they are; the same checks. */
int layer_apply_bytes(struct layer_bench *bench, const void *bytes, size_t length, struct err *err);
void layer_expect_applied(struct layer_bench *bench);
/* Fails with that kind, and a message that contains the words. */
void layer_expect_failure(struct layer_bench *bench, enum err_kind kind, const char *words);

/* What lies below the root: paths from there; "" stands for the root. */
void layer_status(struct layer_bench *bench, const char *path, struct stat *ret);
void layer_expect_file(struct layer_bench *bench, const char *path, const char *content);
void layer_expect_link(struct layer_bench *bench, const char *path, const char *target);
void layer_expect_folder(struct layer_bench *bench, const char *path);
void layer_expect_none(struct layer_bench *bench, const char *path);
void layer_expect_same(struct layer_bench *bench, const char *one, const char *two);
/* The names in a folder, sorted, with a space between. */
void layer_expect_names(struct layer_bench *bench, const char *path, const char *names);

/* From now on as in a container whose seccomp filter is older than that call. */
void layer_forbid_openat2(void);

/* Appends a line for everything below a path: type, owner, mode, size, times, content. */
void layer_snapshot(const char *path, struct strbuf *ret);

#endif
