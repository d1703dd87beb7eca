/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer may use: bytes, names, memory, and how far it may grow. */
#include "tests/unit/oci/layer_helper.h"

#include <inttypes.h>

static struct layer_bench bench;

static void open_bench(void)
{
	layer_bench_open(&bench);
}

static void close_bench(void)
{
	layer_bench_close(&bench);
}

TestSuite(layer_caps, .init = open_bench, .fini = close_bench, .timeout = 300);

Test(layer_caps, counts_bytes_down_over_all_layers)
{
	bench.budget.bytes = 10000;
	TAR(&bench.tar, .name = "a", .type = '0', .content = "x");
	layer_expect_applied(&bench);
	/* A header, a block of content, the two of the end. */
	cr_assert_eq(bench.budget.bytes, 10000 - 4 * TAR_BLOCK);
	for (size_t i = 0; i < 15; i++)
		TAR(&bench.tar, .name = "b", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "larger unpacked than it may be");
}

Test(layer_caps, counts_the_holes_of_a_sparse_file)
{
	uint8_t map[109] = "";
	struct stat status;

	(void)snprintf((char *)map, 12, "%011o", 0);
	(void)snprintf((char *)map + 12, 12, "%011o", 1);
	(void)snprintf((char *)map + 97, 12, "%011lo", 8000000000UL);
	bench.budget.bytes = 8000000000 - 1;
	TAR(&bench.tar, .name = "hole", .type = 'S', .content = "x", .gnu_sparse = map);
	layer_expect_failure(&bench, ERR_REFUSED, "'hole': the image is larger unpacked");
	layer_expect_none(&bench, "hole");
	bench.budget.bytes = 8000000000;
	TAR(&bench.tar, .name = "hole", .type = 'S', .content = "x", .gnu_sparse = map);
	layer_expect_applied(&bench);
	layer_status(&bench, "hole", &status);
	cr_assert_eq(status.st_size, 8000000000);
	cr_assert_eq(bench.budget.bytes, 0);
}

Test(layer_caps, counts_what_expands_before_it_is_written)
{
	_cleanup_(strbuf_release) struct strbuf packed = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf zeros = STRBUF_INIT;
	struct stat status;
	struct err err;

	tar_zeros(&zeros, 8 << 20);
	TAR(&bench.tar, .name = "f", .type = '0', .content = zeros.data, .length = zeros.length);
	tar_end(&bench.tar);
	layer_compress(&bench.tar, "gzip", &packed);
	bench.budget.bytes = 1 << 20;
	cr_assert_eq(layer_apply_bytes(&bench, packed.data, packed.length, &err), -1);
	cr_assert_eq(err.kind, ERR_REFUSED, "%s", err.message);
	cr_assert_eq(fstatat(bench.root_fd, "f", &status, 0), -1);
}

Test(layer_caps, counts_names_whiteouts_and_implied_parents)
{
	bench.budget.entries = 6;
	TAR(&bench.tar, .name = "a/b/c", .type = '0');
	TAR(&bench.tar, .name = "a/b/d", .type = '0');
	TAR(&bench.tar, .name = ".wh.x", .type = '0');
	layer_expect_applied(&bench);
	cr_assert_eq(bench.budget.entries, 1);
	TAR(&bench.tar, .name = "e", .type = '0');
	TAR(&bench.tar, .name = "one-too-many", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "'one-too-many': the image has more files");
	bench.budget.entries = 3;
	TAR(&bench.tar, .name = "p/q/r/s", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "the image has more files");
}

/* A frame of zstd by hand: `prefix` as it is, then zeros in blocks of four bytes each (RFC 8878). */
static void make_bomb(const struct strbuf *prefix, size_t zeros, struct strbuf *ret)
{
	const size_t block = 128 << 10;
	uint32_t head = (uint32_t)(prefix->length << 3);

	strbuf_add(ret, "\x28\xb5\x2f\xfd\x00\x38", 6);
	strbuf_add(ret, &head, 3);
	strbuf_add(ret, prefix->data, prefix->length);
	for (size_t done = 0; done < zeros; done += block) {
		head = (uint32_t)(block << 3 | 1 << 1 | (done + block >= zeros));
		strbuf_add(ret, &head, 3);
		strbuf_addc(ret, '\0');
	}
}

Test(layer_caps, refuses_what_grows_too_much)
{
	_cleanup_(strbuf_release) struct strbuf bomb = STRBUF_INIT;
	struct err err;

	/* Content that nobody wants is counted like any other. */
	TAR(&bench.tar, .name = ".wh.x", .type = '0', .size = "01000000000");
	make_bomb(&bench.tar, 135 << 20, &bomb);
	cr_assert_eq(layer_apply_bytes(&bench, bomb.data, bomb.length, &err), -1);
	cr_assert_eq(err.kind, ERR_REFUSED, "%s", err.message);
	cr_assert_not_null(strstr(err.message, "more than 1000 times"), "%s", err.message);
	cr_assert_leq((UINT64_C(20) << 30) - bench.budget.bytes, UINT64_C(101) << 20);
}

Test(layer_caps, lets_a_small_layer_grow_as_it_likes)
{
	_cleanup_(strbuf_release) struct strbuf bomb = STRBUF_INIT;
	struct stat status;
	struct err err;

	TAR(&bench.tar, .name = "zeros", .type = '0', .size = "00200000000"); /* 32 MiB */
	make_bomb(&bench.tar, (32 << 20) + (128 << 10), &bomb);
	cr_assert_eq(layer_apply_bytes(&bench, bomb.data, bomb.length, &err), 0, "%s", err.message);
	layer_status(&bench, "zeros", &status);
	cr_assert_eq(status.st_size, 32 << 20);
}

Test(layer_caps, refuses_attributes_that_are_too_much)
{
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;
	char value[2000];

	memset(value, 'v', sizeof(value));
	for (size_t i = 0; i < 40; i++) {
		char key[64];

		/* A namespace that no file system takes: only the cap can stop it. */
		(void)snprintf(key, sizeof(key), "SCHILY.xattr.none.%zu", i);
		tar_pax_record(&records, key, value, sizeof(value));
	}
	tar_pax_records(&bench.tar, &records);
	TAR(&bench.tar, .name = "f", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "'f': extended attributes of more than");
}

/* libarchive keeps a sparse file's map in memory, many times its size. */
Test(layer_caps, refuses_headers_that_are_too_much)
{
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf map = STRBUF_INIT;

	tar_pax_record(&records, "GNU.sparse.major", "1", 1);
	tar_pax_record(&records, "GNU.sparse.minor", "0", 1);
	tar_pax_record(&records, "GNU.sparse.realsize", "99999999", 8);
	tar_pax_records(&bench.tar, &records);
	strbuf_adds(&map, "5000000\n");
	for (size_t i = 0; i < 5000000; i++)
		strbuf_add(&map, "1\n1\n", 4);
	TAR(&bench.tar, .name = "map", .type = '0', .content = map.data, .length = map.length);
	layer_expect_failure(&bench, ERR_REFUSED, "the header of an entry has more than");
}

Test(layer_caps, refuses_folders_whose_path_no_system_call_takes)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	for (size_t i = 0; i < 1000; i++)
		strbuf_adds(&path, "d/");
	tar_gnu_long(&bench.tar, 'L', strbuf_str(&path));
	TAR(&bench.tar, .name = "d", .type = '5');
	tar_gnu_long(&bench.tar, 'K', strbuf_str(&path));
	TAR(&bench.tar, .name = "l", .type = '2', .link = "d");
	strbuf_reset(&path);
	for (size_t i = 0; i < 1040; i++)
		strbuf_adds(&path, "l/d/e/../../../");
	TAR(&bench.tar, .name = "l/l", .type = '2', .link = "/l");
	strbuf_reset(&path);
	strbuf_adds(&path, "l/");
	for (size_t i = 0; i < 1040; i++)
		strbuf_adds(&path, "e/");
	tar_gnu_long(&bench.tar, 'L', strbuf_str(&path));
	TAR(&bench.tar, .name = "d", .type = '5');
	layer_expect_applied(&bench);
	/* A second link from the bottom, and down again. */
	strbuf_reset(&path);
	strbuf_adds(&path, "l/");
	for (size_t i = 0; i < 1040; i++)
		strbuf_adds(&path, "e/");
	tar_gnu_long(&bench.tar, 'K', strbuf_str(&path));
	TAR(&bench.tar, .name = "m", .type = '2', .link = "d");
	TAR(&bench.tar, .name = "m/1/2/3/4/5/6/7/8/9/f", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "folders in folders");
}

Test(layer_caps, refuses_owners_that_chown_would_not_take)
{
	tar_pax(&bench.tar, "uid", "4294967295", 10);
	TAR(&bench.tar, .name = "f", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "'f': an owner beyond 32 bits");
	tar_pax(&bench.tar, "gid", "99999999999", 11);
	TAR(&bench.tar, .name = "f", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "'f': an owner beyond 32 bits");
}
