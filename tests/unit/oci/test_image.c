/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/oci/image_helper.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct image_bench bench;

static void open_bench(void)
{
	image_bench_open(&bench);
}

static void close_bench(void)
{
	image_bench_close(&bench);
}

TestSuite(image, .init = open_bench, .fini = close_bench, .timeout = 60);

static void simple(struct image_blob *manifest)
{
	image_bench_image(&bench, "amd64", "hello", manifest);
	image_bench_index(&bench, image_entry(manifest, "shop"));
}

static void check_simple(const struct image_blob *manifest)
{
	_cleanup_(image_free) struct image *image = image_bench_expect(&bench, NULL);
	_cleanup_(byte_source_close) struct byte_source *source = NULL;
	_cleanup_(strbuf_release) struct strbuf bytes = STRBUF_INIT;
	char digest[DIGEST_SIZE];
	struct err err = ERR_INIT;

	cr_assert_str_eq(image_digest(image), manifest->digest);
	cr_assert_str_eq(image_name(image), "shop");
	cr_assert_str_eq(json_string(image_config(image), "config.Env[0]"), "A=b");
	cr_assert_eq(image_layer_count(image), 1);
	cr_assert_eq(image_layer_open(image, 0, &source, &err), 0, "%s", err.message);
	cr_assert_eq(image_read_all(source, &bytes, &err), 0, "%s", err.message);
	image_digest_of(bytes.data, bytes.length, digest);
	cr_assert_str_eq(digest, image_layer_diff_id(image, 0));
	cr_assert_eq(image_layer_size(image, 0), bytes.length);
	/* The end stays the end. */
	cr_assert_eq(source->read(source, digest, sizeof(digest), &err), 0);
}

Test(image, opens_a_layout_in_a_folder)
{
	struct image_blob manifest;

	simple(&manifest);
	image_bench_write(&bench, false);
	check_simple(&manifest);
}

Test(image, opens_a_layout_in_a_tar)
{
	struct image_blob manifest;

	simple(&manifest);
	image_bench_write(&bench, true);
	check_simple(&manifest);
}

Test(image, a_layer_outlives_its_image)
{
	_cleanup_(byte_source_close) struct byte_source *source = NULL;
	_cleanup_(strbuf_release) struct strbuf bytes = STRBUF_INIT;
	struct image_blob manifest;
	struct err err = ERR_INIT;
	struct image *image;

	simple(&manifest);
	image_bench_write(&bench, true);
	image = image_bench_expect(&bench, NULL);
	cr_assert_eq(image_layer_open(image, 0, &source, &err), 0);
	image_free(&image);
	cr_assert_null(image);
	image_free(&image);
	cr_assert_eq(image_read_all(source, &bytes, &err), 0, "%s", err.message);
}

Test(image, takes_dockers_media_types)
{
	struct image_blob layer, config, manifest;
	char diff_id[DIGEST_SIZE + 2];

	image_bench_layer(&bench, "x", &layer);
	snprintf(diff_id, sizeof(diff_id), "\"%s\"", layer.digest);
	image_bench_config(&bench, "amd64", diff_id, &config);
	image_bench_blob_text(
		&bench, &manifest,
		"{\"schemaVersion\":2,\"mediaType\":\"" DOCKER_TYPE(
			"distribution.manifest.v2+json") "\",\"config\":%s,\"layers\":[%s]}",
		image_descriptor(DOCKER_TYPE("container.image.v1+json"), &config, NULL),
		image_descriptor(DOCKER_TYPE("image.rootfs.diff.tar.gzip"), &layer, NULL));
	image_bench_index(&bench, image_descriptor(DOCKER_TYPE("distribution.manifest.v2+json"),
	                                           &manifest, NULL));
	image_bench_write(&bench, false);
	image_bench_chosen(&bench, NULL, &manifest);
}

Test(image, says_that_nothing_is_there)
{
	snprintf(bench.path, sizeof(bench.path), "%s/none", bench.base);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "none");
}

Test(image, refuses_a_folder_that_holds_no_image)
{
	image_bench_text(&bench, "readme", "nothing");
	image_bench_write(&bench, false);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "is no image");
	image_bench_write(&bench, true);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "is no image");
}

Test(image, does_not_hang_on_a_fifo)
{
	struct image_blob manifest;
	char path[300];

	snprintf(bench.path, sizeof(bench.path), "%s/fifo", bench.base);
	cr_assert_eq(mkfifo(bench.path, 0600), 0);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "neither a folder nor a tar");
	/* A blob, too. */
	simple(&manifest);
	image_bench_write(&bench, false);
	snprintf(path, sizeof(path), "%s/%s", bench.path, image_blob_name(&manifest));
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "blobs/sha256");
}

Test(image, follows_no_link_out_of_a_folder)
{
	struct image_blob manifest;
	char path[300], away[300];

	simple(&manifest);
	image_bench_write(&bench, false);
	snprintf(path, sizeof(path), "%s/%s", bench.path, image_blob_name(&manifest));
	snprintf(away, sizeof(away), "%s/away", bench.base);
	cr_assert_eq(rename(path, away), 0);
	cr_assert_eq(symlink(away, path), 0);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "blobs/sha256");
	/* Nor a folder on the way. */
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(rename(away, path), 0);
	image_bench_chosen(&bench, NULL, &manifest);
	snprintf(path, sizeof(path), "%s/blobs", bench.path);
	cr_assert_eq(rename(path, away), 0);
	cr_assert_eq(symlink(away, path), 0);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "blobs/sha256");
}

Test(image, says_when_it_may_not_read)
{
	struct image_blob manifest;
	char path[300];

	if (geteuid() == 0)
		cr_skip_test("root may read everything");
	simple(&manifest);
	image_bench_write(&bench, false);
	snprintf(path, sizeof(path), "%s/%s", bench.path, image_blob_name(&manifest));
	cr_assert_eq(chmod(path, 0), 0);
	image_bench_refused(&bench, NULL, ERR_DENIED, "Permission denied");
}

Test(image, refuses_a_packed_tar_and_says_how_to_unpack_it)
{
	struct strbuf *bytes;

	image_bench_text(&bench, "x", "x");
	image_bench_write(&bench, true);
	bytes = &bench.files[0].bytes;
	strbuf_reset(bytes);
	strbuf_add(bytes, "\x1f\x8b\x08\0", 4);
	for (int i = 0; i < 1000; i++)
		strbuf_addc(bytes, 'z');
	snprintf(bench.path, sizeof(bench.path), "%s/image", bench.base);
	image_bench_write(&bench, false);
	snprintf(bench.path, sizeof(bench.path), "%s/image/x", bench.base);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "gunzip");
}

Test(image, refuses_what_is_no_tar)
{
	image_bench_text(&bench, "x", "%0600d", 7);
	image_bench_text(&bench, "empty", "%s", "");
	image_bench_write(&bench, false);
	snprintf(bench.path, sizeof(bench.path), "%s/image/x", bench.base);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "no tar");
	snprintf(bench.path, sizeof(bench.path), "%s/image/empty", bench.base);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "no tar");
}

/* ---- layers ---- */

static int read_layer(struct image *image, struct err *err)
{
	_cleanup_(byte_source_close) struct byte_source *source = NULL;
	_cleanup_(strbuf_release) struct strbuf bytes = STRBUF_INIT;
	char byte;
	int result;

	if (image_layer_open(image, 0, &source, err) < 0)
		return -1;
	result = image_read_all(source, &bytes, err);
	/* What failed once stays so: nobody may take the next call's 0 for a good end. */
	if (result < 0)
		cr_assert_eq(source->read(source, &byte, 1, &(struct err)ERR_INIT), -1);
	return result;
}

static void refuse_layer(enum err_kind kind, const char *words)
{
	_cleanup_(image_free) struct image *image = image_bench_expect(&bench, NULL);
	struct err err = ERR_INIT;

	cr_assert_eq(read_layer(image, &err), -1, "%s", words);
	cr_assert_eq(err.kind, kind, "%s", err.message);
	cr_assert_not_null(strstr(err.message, words), "%s", err.message);
}

static struct image_bench_file *layer_file(void)
{
	struct image_blob layer;

	image_bench_layer(&bench, "hello", &layer);
	return image_bench_find(&bench, image_blob_name(&layer));
}

Test(image, refuses_a_layer_with_a_wrong_hash_and_the_right_length)
{
	struct image_blob manifest;
	struct image_bench_file *file;

	simple(&manifest);
	file = layer_file();
	file->bytes.data[600] ^= 1;
	for (int tar = 0; tar < 2; tar++) {
		image_bench_write(&bench, tar);
		refuse_layer(ERR_PROTOCOL, "digest");
	}
}

Test(image, refuses_a_layer_with_trailing_bytes)
{
	struct image_blob manifest;

	simple(&manifest);
	strbuf_addc(&layer_file()->bytes, '\0');
	image_bench_write(&bench, false);
	refuse_layer(ERR_PROTOCOL, "its descriptor says");
}

Test(image, refuses_a_layer_that_is_cut_off)
{
	struct image_blob manifest;

	simple(&manifest);
	layer_file()->bytes.length -= 512;
	image_bench_write(&bench, false);
	refuse_layer(ERR_PROTOCOL, "its descriptor says");
}

Test(image, refuses_a_layer_that_is_not_there)
{
	struct image_blob manifest;

	simple(&manifest);
	image_bench_forget(&bench, layer_file()->name);
	image_bench_write(&bench, false);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "layer");
}

Test(image, says_where_a_layer_that_is_not_distributed_comes_from)
{
	struct image_blob layer, config, manifest;
	char diff_id[DIGEST_SIZE + 2];

	image_bench_layer(&bench, "hello", &layer);
	snprintf(diff_id, sizeof(diff_id), "\"%s\"", layer.digest);
	image_bench_config(&bench, "amd64", diff_id, &config);
	image_bench_manifest(&bench, &config,
	                     image_descriptor(OCI_TYPE("layer.nondistributable.v1.tar"), &layer,
	                                      ",\"urls\":[\"https://example.com/base\"]"),
	                     &manifest);
	image_bench_index(&bench, image_entry(&manifest, NULL));
	image_bench_write(&bench, false);
	image_bench_chosen(&bench, NULL, &manifest);
	image_bench_forget(&bench, image_blob_name(&layer));
	image_bench_write(&bench, false);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "https://example.com/base");
}

Test(image, tells_the_machines_platform)
{
	struct platform platform;

	platform_host(&platform);
	cr_assert_str_eq(platform.os, "linux");
	cr_assert_str_neq(platform.architecture, "unknown");
}
