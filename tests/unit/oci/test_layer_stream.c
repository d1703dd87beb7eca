/* SPDX-License-Identifier: Apache-2.0 */
/* From the stored bytes to the headers: compression, digest, long and odd names, damage. */
#include "tests/unit/oci/layer_helper.h"

#include <dirent.h>
#include <locale.h>
#include "pkg/base/sha256.h"

static struct layer_bench bench;

static void open_bench(void)
{
	layer_bench_open(&bench);
}

static void close_bench(void)
{
	layer_bench_close(&bench);
}

TestSuite(layer_stream, .init = open_bench, .fini = close_bench, .timeout = 120);

static void digest_of(const struct strbuf *bytes, char ret[80])
{
	char hex[SHA256_HEX_SIZE];
	struct err err;

	cr_assert_eq(sha256_hex(bytes->data, bytes->length, hex, &err), 0);
	(void)snprintf(ret, 80, "sha256:%s", hex);
}

/* A tar with a file larger than all buffers, that does not compress to nothing. */
static void make_tar(struct strbuf *ret, size_t size)
{
	char *content = malloc(size);
	uint32_t state = 1;

	cr_assert_not_null(content);
	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		content[i] = (char)(state >> 28);
	}
	TAR(ret, .name = "before", .type = '0', .content = "first");
	TAR(ret, .name = "big", .type = '0', .content = content, .length = size);
	TAR(ret, .name = "after", .type = '0', .content = "last");
	tar_end(ret);
	free(content);
}

static void expect_tar(size_t size)
{
	struct stat status;

	layer_expect_names(&bench, "", "after before big");
	layer_expect_file(&bench, "before", "first");
	layer_expect_file(&bench, "after", "last");
	layer_status(&bench, "big", &status);
	cr_assert_eq(status.st_size, (off_t)size);
}

static void expect_bytes(const struct strbuf *bytes, const char *refused)
{
	struct err err;
	int result = layer_apply_bytes(&bench, bytes->data, bytes->length, &err);

	if (!refused)
		cr_assert_eq(result, 0, "%s", err.message);
	if (refused) {
		cr_assert_eq(result, -1, "it was applied: %s", refused);
		cr_assert_not_null(strstr(err.message, refused), "%s", err.message);
	}
}

Test(layer_stream, tells_gzip_zstd_and_plain_by_their_first_bytes)
{
	static const char *const filters[] = {NULL, "gzip", "zstd"};
	static const size_t pieces[] = {0, 1000, 7, 1};
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	char digest[80];

	make_tar(&tar, 700000);
	digest_of(&tar, digest);
	bench.options.diff_id = digest;
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_(strbuf_release) struct strbuf packed = STRBUF_INIT;

		if (filters[i])
			layer_compress(&tar, filters[i], &packed);
		for (size_t j = 0; j < ARRAY_SIZE(pieces); j++) {
			bench.piece = pieces[j];
			expect_bytes(filters[i] ? &packed : &tar, NULL);
			expect_tar(700000);
		}
	}
}

Test(layer_stream, reads_gzip_members_and_zstd_frames_one_after_another)
{
	static const char *const filters[] = {"gzip", "zstd"};
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	char digest[80];

	make_tar(&tar, 300000);
	digest_of(&tar, digest);
	bench.options.diff_id = digest;
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_(strbuf_release) struct strbuf packed = STRBUF_INIT;
		size_t cuts[] = {0, 100, 512, 250001, tar.length - 100, tar.length};

		for (size_t j = 0; j + 1 < ARRAY_SIZE(cuts); j++) {
			_cleanup_(strbuf_release) struct strbuf part = STRBUF_INIT;

			strbuf_add(&part, tar.data + cuts[j], cuts[j + 1] - cuts[j]);
			layer_compress(&part, filters[i], &packed);
		}
		expect_bytes(&packed, NULL);
		expect_tar(300000);
	}
}

Test(layer_stream, checks_the_digest_of_all_bytes_also_behind_the_end_of_the_tar)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf packed = STRBUF_INIT;
	char digest[80];

	make_tar(&tar, 100);
	tar_zeros(&tar, 9000);
	strbuf_adds(&tar, "what stands here is no entry but is hashed");
	tar_zeros(&tar, 700000);
	digest_of(&tar, digest);
	layer_compress(&tar, "gzip", &packed);
	bench.options.diff_id = digest;
	expect_bytes(&tar, NULL);
	expect_bytes(&packed, NULL);
	digest[20] = digest[20] == '0' ? '1' : '0';
	expect_bytes(&tar, "its content is sha256:");
	expect_bytes(&packed, "its content is sha256:");
	bench.options.diff_id = "sha512:00";
	expect_bytes(&tar, "is no sha256");
}

Test(layer_stream, hands_on_what_the_source_says)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf packed = STRBUF_INIT;
	struct err err;

	make_tar(&tar, 300000);
	layer_compress(&tar, "gzip", &packed);
	bench.broken = "the digest is wrong";
	for (size_t length = 0; length <= packed.length; length += packed.length / 7) {
		cr_assert_eq(layer_apply_bytes(&bench, packed.data, length, &err), -1);
		cr_assert_eq(err.kind, ERR_LOST, "%zu: %s", length, err.message);
		cr_assert_not_null(strstr(err.message, "the digest is wrong"));
	}
	/* Also what comes only after everything was applied. */
	cr_assert_eq(layer_apply_bytes(&bench, tar.data, tar.length, &err), -1);
	cr_assert_eq(err.kind, ERR_LOST);
}

Test(layer_stream, reads_the_source_to_its_end_whatever_stands_there)
{
	static const char *const filters[] = {"gzip", "zstd"};
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	make_tar(&tar, 3000);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_(strbuf_release) struct strbuf packed = STRBUF_INIT;
		struct err err;

		layer_compress(&tar, filters[i], &packed);
		for (size_t j = 0; j < 100000; j++)
			strbuf_adds(&packed, "neither header nor end ");
		/* Told or not, but read: its own digest is the source's to check. */
		if (layer_apply_bytes(&bench, packed.data, packed.length, &err) < 0)
			cr_assert_eq(err.kind, ERR_PROTOCOL, "%s", err.message);
		bench.broken = "the digest is wrong";
		cr_assert_eq(layer_apply_bytes(&bench, packed.data, packed.length, &err), -1);
		bench.broken = NULL;
	}
}

Test(layer_stream, notices_a_cut)
{
	static const char *const filters[] = {NULL, "gzip", "zstd"};
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	make_tar(&tar, 3000);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_(strbuf_release) struct strbuf packed = STRBUF_INIT;
		size_t step;

		if (filters[i])
			layer_compress(&tar, filters[i], &packed);
		else
			strbuf_add(&packed, tar.data, tar.length - (size_t)2 * TAR_BLOCK - 507);
		/* Plain: between two entries a cut cannot be told, there the digest does. */
		step = filters[i] ? packed.length / 20 : 300;
		for (size_t length = 0; length < packed.length; length += step) {
			struct err err;

			if (!filters[i] && length && length % TAR_BLOCK == 0)
				continue;
			cr_assert_eq(layer_apply_bytes(&bench, packed.data, length, &err), -1,
			             "%s cut to %zu", filters[i], length);
			cr_assert_eq(err.kind, ERR_PROTOCOL, "%s", err.message);
		}
	}
}

Test(layer_stream, refuses_what_is_no_layer)
{
	static const char *const words[] = {
		"{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}",
		"BZh91AY&SY",
		"\xfd\x37zXZ",
		"\x1f\x8b",
		"\x1f\x8b\x08",
		"\x28\xb5\x2f\xfd",
		"\x1f\x8b no gzip follows this magic number here",
		"x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct err err;

		cr_assert_eq(layer_apply_bytes(&bench, words[i], strlen(words[i]), &err), -1);
		cr_assert_eq(err.kind, ERR_PROTOCOL, "%zu: %s", i, err.message);
		cr_assert(*err.message);
	}
	layer_expect_names(&bench, "", "");
}

Test(layer_stream, refuses_damaged_headers)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	TAR(&bench.tar, .name = "first", .type = '0');
	TAR(&bench.tar, .name = "f", .type = '0', .breaks_checksum = true);
	layer_expect_failure(&bench, ERR_PROTOCOL, "Damaged tar archive");
	strbuf_adds(&text, "99 path=../../evil\n");
	tar_pax_records(&bench.tar, &text);
	TAR(&bench.tar, .name = "f", .type = '0');
	layer_expect_failure(&bench, ERR_PROTOCOL, "cannot be read");
	strbuf_reset(&text);
	strbuf_adds(&text, "no length at all\n");
	tar_pax_records(&bench.tar, &text);
	TAR(&bench.tar, .name = "f", .type = '0');
	layer_expect_failure(&bench, ERR_PROTOCOL, "cannot be read");
	TAR(&bench.tar, .name = "f", .type = '0', .size = "77777777777");
	layer_expect_failure(&bench, ERR_PROTOCOL, "Truncated");
	for (size_t i = 0; i < 40; i++)
		tar_pax(&bench.tar, "comment", "x", 1);
	TAR(&bench.tar, .name = "f", .type = '0');
	layer_expect_failure(&bench, ERR_PROTOCOL, "cannot be read");
	layer_expect_none(&bench, "../evil");
}

Test(layer_stream, an_empty_tar_is_a_layer_that_changes_nothing)
{
	struct stat status;

	layer_status(&bench, "", &status);
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "");
}

static void fill(char *text, size_t length, char byte)
{
	memset(text, byte, length);
	text[length] = '\0';
}

Test(layer_stream, takes_long_names_of_gnu_and_pax_to_the_last_byte)
{
	char name[256], deep[300], target[4096];

	fill(name, 255, 'n');
	fill(target, 4095, 't');
	(void)snprintf(deep, sizeof(deep), "gnu/%s", name);
	tar_gnu_long(&bench.tar, 'K', target);
	tar_gnu_long(&bench.tar, 'L', deep);
	TAR(&bench.tar, .name = "cut", .type = '2', .link = "cut");
	(void)snprintf(deep, sizeof(deep), "pax/%s", name);
	tar_pax(&bench.tar, "path", deep, strlen(deep));
	TAR(&bench.tar, .name = "cut", .type = '0', .content = "x");
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "gnu pax");
	layer_expect_file(&bench, deep, "x");
	(void)snprintf(deep, sizeof(deep), "gnu/%s", name);
	layer_expect_link(&bench, deep, target);
}

Test(layer_stream, refuses_names_and_targets_that_are_longer)
{
	char name[5001];

	fill(name, 256, 'n');
	tar_gnu_long(&bench.tar, 'L', name);
	TAR(&bench.tar, .name = "cut", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "a name of 256 bytes");
	for (size_t i = 0; i < 4097; i++)
		name[i] = i % 2 ? '/' : 'd';
	name[4097] = '\0';
	tar_pax(&bench.tar, "path", name, 4097);
	TAR(&bench.tar, .name = "cut", .type = '5');
	layer_expect_failure(&bench, ERR_REFUSED, "a path of 4097 bytes");
	fill(name, 4096, 't');
	tar_pax(&bench.tar, "linkpath", name, 4096);
	TAR(&bench.tar, .name = "l", .type = '2', .link = "cut");
	layer_expect_failure(&bench, ERR_REFUSED, "'l': a link's target of 4096 bytes");
	tar_pax(&bench.tar, "linkpath", name, 4096);
	TAR(&bench.tar, .name = "h", .type = '1', .link = "cut");
	layer_expect_failure(&bench, ERR_REFUSED, "'h': a link's target of 4096 bytes");
}

/* Composed and decomposed are two names, and bytes that are no UTF-8 are a name, too: whatever locale
 * the program has. */
static void expect_odd_names(void)
{
	static const char *const names[] = {"caf\xc3\xa9",  "cafe\xcc\x81", "\xff\xfe bad",
	                                    "\xe2\x82\xac", "new\nline",    "back\\slash"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		tar_pax(&bench.tar, "path", names[i], strlen(names[i]));
		TAR(&bench.tar, .name = "replaced", .type = '0', .content = names[i]);
		TAR(&bench.tar, .name = "plain", .type = '5');
	}
	tar_pax(&bench.tar, "linkpath", "cafe\xcc\x81", 6);
	TAR(&bench.tar, .name = "link", .type = '2', .link = "replaced");
	layer_expect_applied(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		layer_expect_file(&bench, names[i], names[i]);
	layer_expect_link(&bench, "link", "cafe\xcc\x81");
	layer_expect_none(&bench, "replaced");
}

Test(layer_stream, keeps_the_bytes_of_names_in_every_locale)
{
	expect_odd_names();
	cr_assert_not_null(setlocale(LC_ALL, "C.UTF-8"));
	expect_odd_names();
	cr_assert_str_eq(setlocale(LC_ALL, NULL), "C.UTF-8");
}

Test(layer_stream, a_folder_of_old_tars_ends_with_a_slash)
{
	tar_pax(&bench.tar, "path", "\xc3\xa4/", 3);
	TAR(&bench.tar, .name = "x", .type = '0', .mode = 0755);
	TAR(&bench.tar, .name = "old/", .type = '0', .mode = 0755);
	TAR(&bench.tar, .name = "old/f", .type = '0', .content = "x");
	layer_expect_applied(&bench);
	layer_expect_folder(&bench, "\xc3\xa4");
	layer_expect_file(&bench, "old/f", "x");
}

static void put_octal(uint8_t *field, unsigned long value)
{
	(void)snprintf((char *)field, 12, "%011lo", value);
}

Test(layer_stream, keeps_the_holes_of_sparse_files)
{
	_cleanup_(strbuf_release) struct strbuf records = STRBUF_INIT;
	uint8_t map[109] = "";
	char content[1024] = "1\n1048576\n4\n";
	struct stat status;
	static const char *const names[] = {"gnu", "pax01", "pax10"};

	put_octal(map, 1048576);
	put_octal(map + 12, 4);
	put_octal(map + 97, 2097152);
	TAR(&bench.tar, .name = "gnu", .type = 'S', .content = "data", .gnu_sparse = map);
	tar_pax_record(&records, "GNU.sparse.map", "1048576,4", 9);
	tar_pax_record(&records, "GNU.sparse.size", "2097152", 7);
	tar_pax_record(&records, "GNU.sparse.name", "pax01", 5);
	tar_pax_records(&bench.tar, &records);
	TAR(&bench.tar, .name = "x", .type = '0', .content = "data");
	strbuf_reset(&records);
	tar_pax_record(&records, "GNU.sparse.major", "1", 1);
	tar_pax_record(&records, "GNU.sparse.minor", "0", 1);
	tar_pax_record(&records, "GNU.sparse.name", "pax10", 5);
	tar_pax_record(&records, "GNU.sparse.realsize", "2097152", 7);
	tar_pax_records(&bench.tar, &records);
	memcpy(content + 512, "data", 4);
	TAR(&bench.tar, .name = "y", .type = '0', .content = content, .length = 516);
	layer_expect_applied(&bench);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[128], bytes[5] = "";
		FILE *file;

		layer_status(&bench, names[i], &status);
		cr_assert_eq(status.st_size, 2097152, "%s", names[i]);
		cr_assert_lt(status.st_blocks * 512, 65536, "%s has no holes", names[i]);
		(void)snprintf(path, sizeof(path), "%s/%s", bench.root, names[i]);
		file = fopen(path, "r");
		cr_assert(file && fseek(file, 1048576, SEEK_SET) == 0 &&
		          fread(bytes, 1, 4, file) == 4);
		(void)fclose(file);
		cr_assert_str_eq(bytes, "data", "%s", names[i]);
	}
}
