/* SPDX-License-Identifier: Apache-2.0 */
/* The tars of docker save and podman save. */
#include "tests/unit/oci/image_helper.h"

#include <stdarg.h>
#include <sys/stat.h>

#define ID1 "b9701be99c7a4c687194ce64afc339d18369257199629b01b998cc6537e0945a"
#define ID2 "c742a75615b5e084be26ae87cdeedcf6406beffa6b6ebe3a4e23b087654022e6"

static struct image_bench bench;
static struct image_blob config, other;
static char config_name[256], other_name[256];

/* An image of docker 20.10: HEX.json and ID/layer.tar. */
static void add_image(const char *architecture, const char *content, const char *id,
                      struct image_blob *ret, char name[256])
{
	struct image_blob layer;
	char diff_id[DIGEST_SIZE + 2], path[128];
	struct image_bench_file *file;

	image_bench_layer(&bench, content, &layer);
	snprintf(diff_id, sizeof(diff_id), "\"%s\"", layer.digest);
	image_bench_config(&bench, architecture, diff_id, ret);
	snprintf(path, sizeof(path), "%s/layer.tar", id);
	file = image_bench_find(&bench, image_blob_name(&layer));
	snprintf(file->name, sizeof(file->name), "%s", path);
	file = image_bench_find(&bench, image_blob_name(ret));
	snprintf(name, 256, "%.64s.json", digest_hex(ret->digest));
	snprintf(file->name, sizeof(file->name), "%s", name);
}

static void open_bench(void)
{
	image_bench_open(&bench);
	add_image("amd64", "web", ID1, &config, config_name);
	add_image("amd64", "pause", ID2, &other, other_name);
}

static void close_bench(void)
{
	image_bench_close(&bench);
}

TestSuite(image_docker, .init = open_bench, .fini = close_bench, .timeout = 60);

static void write_both(const char *tags, const char *other_tags)
{
	image_bench_text(&bench, "manifest.json",
	                 "[{\"Config\":\"%s\",\"RepoTags\":%s,\"Layers\":[\"" ID1 "/layer.tar\"]},"
	                 "{\"Config\":\"%s\",\"RepoTags\":%s,\"Layers\":[\"" ID2 "/layer.tar\"]}]",
	                 config_name, tags, other_name, other_tags);
	image_bench_write(&bench, true);
}

static void write_one(const char *config_file, const char *layer)
{
	image_bench_text(
		&bench, "manifest.json",
		"[{\"Config\":\"%s\",\"RepoTags\":[\"example/web:1\"],\"Layers\":[\"%s\"]}]",
		config_file, layer);
	image_bench_write(&bench, true);
}

static void check_layer(const char *reference)
{
	_cleanup_(image_free) struct image *image = image_bench_expect(&bench, reference);
	_cleanup_(byte_source_close) struct byte_source *source = NULL;
	_cleanup_(strbuf_release) struct strbuf bytes = STRBUF_INIT;
	char digest[DIGEST_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(image_layer_open(image, 0, &source, &err), 0, "%s", err.message);
	cr_assert_eq(image_read_all(source, &bytes, &err), 0, "%s", err.message);
	image_digest_of(bytes.data, bytes.length, digest);
	cr_assert_str_eq(digest, image_layer_diff_id(image, 0));
}

Test(image_docker, opens_what_docker_20_saves)
{
	_cleanup_(image_free) struct image *image = NULL;

	write_one(config_name, ID1 "/layer.tar");
	image = image_bench_expect(&bench, NULL);
	cr_assert_str_eq(image_digest(image), config.digest);
	cr_assert_str_eq(image_name(image), "example/web:1");
	check_layer(NULL);
	check_layer("1");
	check_layer("docker.io/example/web:1");
	check_layer(config.digest);
}

Test(image_docker, opens_what_podman_saves_with_links_to_layers)
{
	struct image_bench_file *file = image_bench_find(&bench, ID1 "/layer.tar");

	snprintf(file->name, sizeof(file->name), "layer-file.tar");
	image_bench_link(&bench, ID1 "/layer.tar", "../layer-file.tar");
	write_one(config_name, "layer-file.tar");
	check_layer(NULL);
	write_one(config_name, ID1 "/layer.tar");
	check_layer(NULL);
}

Test(image_docker, refuses_links_that_leave_the_archive_or_never_end)
{
	static const char *const bad[] = {"/etc/hostname", "../../etc/hostname", "layer.tar",
	                                  "../" ID1 "/layer.tar", "../none"};

	image_bench_forget(&bench, ID1 "/layer.tar");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		image_bench_link(&bench, ID1 "/layer.tar", bad[i]);
		write_one(config_name, ID1 "/layer.tar");
		image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "lacks the layer");
	}
}

Test(image_docker, prefers_the_layout_that_docker_25_writes_beside)
{
	struct image_blob manifest;

	image_bench_image(&bench, "amd64", "new", &manifest);
	image_bench_index(&bench, image_entry(&manifest, "1"));
	write_one(config_name, ID1 "/layer.tar");
	image_bench_chosen(&bench, NULL, &manifest);
}

Test(image_docker, asks_which_when_there_are_several)
{
	write_both("[\"example/web:1\",\"example/web:latest\"]", "[\"example/pause:2\"]");
	image_bench_refused(&bench, NULL, ERR_AMBIGUOUS, "example/web:1, example/pause:2");
	image_bench_chosen(&bench, "example/web", &config);
	image_bench_chosen(&bench, "pause:2", &other);
	image_bench_chosen(&bench, "2", &other);
	image_bench_chosen(&bench, other.digest, &other);
	image_bench_refused(&bench, "shop", ERR_NOT_FOUND, "example/pause:2");
	image_bench_refused(
		&bench, "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		ERR_NOT_FOUND, "example/pause:2");
	write_both("null", "null");
	image_bench_refused(&bench, NULL, ERR_AMBIGUOUS, config_name);
	image_bench_chosen(&bench, config.digest, &config);
}

Test(image_docker, the_whole_name_wins_over_a_part_of_another)
{
	_cleanup_(image_free) struct image *image = NULL;

	write_both("[\"example/shop:1\"]", "[\"docker.io/library/shop:1\",\"shop:2\"]");
	image_bench_chosen(&bench, "shop:1", &other);
	image_bench_refused(&bench, "1", ERR_AMBIGUOUS, "example/shop:1");
	image = image_bench_expect(&bench, "shop:2");
	cr_assert_str_eq(image_name(image), "shop:2");
}

Test(image_docker, refuses_a_config_that_is_not_what_its_name_says)
{
	struct image_bench_file *file = image_bench_find(&bench, config_name);

	memcpy(strstr(file->bytes.data, "A=b"), "A=c", 3);
	write_one(config_name, ID1 "/layer.tar");
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "digest");
}

Test(image_docker, refuses_another_number_of_layers)
{
	image_bench_text(&bench, "manifest.json",
	                 "[{\"Config\":\"%s\",\"Layers\":[\"" ID1 "/layer.tar\",\"" ID2
	                 "/layer.tar\"]}]",
	                 config_name);
	image_bench_write(&bench, true);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "diff_ids");
}

Test(image_docker, refuses_manifests_that_are_none)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"7",
		"[7]",
		"[{}]",
		"[{\"Config\":7,\"Layers\":[]}]",
		"[{\"Config\":\"none.json\",\"Layers\":[]}]",
		"[",
		"{\"a\":{\"Config\":\"c\",\"Layers\":[]}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct image *image = NULL;
		struct err err = ERR_INIT;

		image_bench_text(&bench, "manifest.json", "%s", bad[i]);
		image_bench_write(&bench, true);
		cr_assert_eq(image_open(bench.path, NULL, NULL, &image, &err), -1, "%s", bad[i]);
		cr_assert(err.kind == ERR_PROTOCOL || err.kind == ERR_NOT_FOUND, "%s: %s", bad[i],
		          err.message);
	}
}

Test(image_docker, refuses_layers_and_configs_that_are_not_there)
{
	write_one(config_name, "none/layer.tar");
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "none/layer.tar");
	write_one("none.json", ID1 "/layer.tar");
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "none.json");
	write_one("../../etc/passwd", ID1 "/layer.tar");
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "passwd");
}

/* Unpacked by hand, names lead through the file system, but not out of the folder. */
Test(image_docker, reads_nothing_outside_of_a_folder)
{
	char away[512];

	write_one(config_name, ID1 "/layer.tar");
	image_bench_write(&bench, false);
	check_layer(NULL);
	snprintf(away, sizeof(away), "%s/image/%s", bench.base, config_name);
	write_one(away, ID1 "/layer.tar");
	image_bench_write(&bench, false);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, config_name);
	snprintf(away, sizeof(away), "../image/%s", config_name);
	write_one(away, ID1 "/layer.tar");
	image_bench_write(&bench, false);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, config_name);
	write_one(config_name, "../image/" ID1 "/layer.tar");
	image_bench_write(&bench, false);
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "lacks the layer");
}

Test(image_docker, refuses_what_is_made_for_another_machine)
{
	write_one(config_name, ID1 "/layer.tar");
	bench.platform.architecture = "arm64";
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "linux/amd64");
}
