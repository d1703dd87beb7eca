/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several images is opened. */
#include "tests/unit/oci/image_helper.h"

#include <stdarg.h>

static struct image_bench bench;
static struct image_blob web, pause_image;

static void open_bench(void)
{
	image_bench_open(&bench);
	image_bench_image(&bench, "amd64", "web", &web);
	image_bench_image(&bench, "amd64", "pause", &pause_image);
}

static void close_bench(void)
{
	image_bench_close(&bench);
}

TestSuite(image_choice, .init = open_bench, .fini = close_bench, .timeout = 60);

static void write_index(const char *format, ...) _printf_(1, 2);
static void write_index(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	cr_assert_geq(vasprintf(&text, format, args), 0);
	va_end(args);
	image_bench_index(&bench, text);
	image_bench_write(&bench, false);
	free(text);
}

/* An entry as docker and containerd write it. */
static const char *named(const struct image_blob *blob, const char *name, const char *tag)
{
	char extra[512];

	snprintf(extra, sizeof(extra),
	         ",\"annotations\":{\"io.containerd.image.name\":\"%s\","
	         "\"org.opencontainers.image.ref.name\":\"%s\"}",
	         name, tag);
	return image_descriptor(OCI_MANIFEST, blob, extra);
}

static const char *for_platform(const char *media_type, const struct image_blob *blob,
                                const char *architecture, const char *variant)
{
	char extra[256];

	snprintf(extra, sizeof(extra),
	         ",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"%s%s%s}", architecture,
	         variant ? ",\"variant\":\"" : "", variant ? variant : "", variant ? "\"" : "");
	return image_descriptor(media_type, blob, extra);
}

Test(image_choice, takes_the_only_one)
{
	write_index("%s", image_entry(&web, NULL));
	image_bench_chosen(&bench, NULL, &web);
}

Test(image_choice, asks_which_when_there_are_several)
{
	write_index("%s,%s", image_entry(&web, "web"), image_entry(&pause_image, "pause"));
	image_bench_refused(&bench, NULL, ERR_AMBIGUOUS, "web, pause");
	image_bench_chosen(&bench, "web", &web);
	image_bench_chosen(&bench, "pause", &pause_image);
	image_bench_refused(&bench, "shop", ERR_NOT_FOUND, "web, pause");
}

Test(image_choice, takes_one_image_under_two_names_for_one)
{
	write_index("%s,%s", image_entry(&web, "1"), image_entry(&web, "latest"));
	image_bench_chosen(&bench, NULL, &web);
}

Test(image_choice, knows_a_name_in_all_its_spellings)
{
	static const char *const spellings[] = {
		"shop:1", "docker.io/library/shop:1",       "library/shop:1",
		"1",      "index.docker.io/library/shop:1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
		write_index("%s,%s", named(&web, "docker.io/library/shop:1", "1"),
		            named(&pause_image, "docker.io/library/pause:2", "2"));
		image_bench_chosen(&bench, spellings[i], &web);
		write_index("%s,%s", named(&web, "shop:1", "1"),
		            named(&pause_image, "pause:2", "2"));
		image_bench_chosen(&bench, spellings[i], &web);
	}
	image_bench_refused(&bench, "shop", ERR_NOT_FOUND, "shop:1");
	image_bench_refused(&bench, "hop:1", ERR_NOT_FOUND, "shop:1");
	image_bench_refused(&bench, "", ERR_NOT_FOUND, "shop:1");
	image_bench_refused(&bench, ":1", ERR_NOT_FOUND, "shop:1");
}

Test(image_choice, without_a_tag_latest_is_meant)
{
	write_index("%s,%s", named(&web, "docker.io/library/shop:latest", "latest"),
	            named(&pause_image, "docker.io/library/shop:1", "1"));
	image_bench_chosen(&bench, "shop", &web);
}

Test(image_choice, the_whole_name_wins_over_a_part_of_another)
{
	write_index("%s,%s", named(&web, "docker.io/example/shop:1", "1"),
	            named(&pause_image, "docker.io/library/shop:1", "1"));
	image_bench_chosen(&bench, "shop:1", &pause_image);
	image_bench_chosen(&bench, "example/shop:1", &web);
	image_bench_refused(&bench, "1", ERR_AMBIGUOUS, "example/shop:1");
}

Test(image_choice, a_port_is_no_tag)
{
	write_index("%s", named(&web, "localhost:5000/shop:1", "1"));
	image_bench_chosen(&bench, "localhost:5000/shop:1", &web);
	image_bench_refused(&bench, "5000/shop", ERR_NOT_FOUND, "localhost:5000/shop:1");
}

Test(image_choice, finds_a_manifest_by_its_digest)
{
	write_index("%s,%s", image_entry(&web, "web"), image_entry(&pause_image, "pause"));
	image_bench_chosen(&bench, pause_image.digest, &pause_image);
	image_bench_refused(&bench, "sha256:0123", ERR_NOT_FOUND, "web");
	image_bench_refused(
		&bench, "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		ERR_NOT_FOUND, "pause");
}

Test(image_choice, by_digest_it_does_not_matter_what_else_is_broken)
{
	write_index("%s,%s", image_entry(&web, "web"), image_entry(&pause_image, "pause"));
	image_bench_forget(&bench, image_blob_name(&web));
	write_index("%s,%s", image_entry(&web, "web"), image_entry(&pause_image, "pause"));
	image_bench_chosen(&bench, pause_image.digest, &pause_image);
}

static void config_digest(const struct image_blob *manifest, char ret[DIGEST_SIZE])
{
	const struct image_bench_file *file = image_bench_find(&bench, image_blob_name(manifest));
	const char *config = strstr(file->bytes.data, OCI_CONFIG);

	snprintf(ret, DIGEST_SIZE, "%.71s", strstr(config, "sha256:"));
}

Test(image_choice, finds_an_image_by_the_digest_of_its_config)
{
	char digest[DIGEST_SIZE];

	write_index("%s,%s", image_entry(&web, "web"), image_entry(&pause_image, "pause"));
	config_digest(&pause_image, digest);
	image_bench_chosen(&bench, digest, &pause_image);
}

/* An index of linux/amd64 and linux/arm64, and an attestation. */
static void make_index(struct image_blob *arm, struct image_blob *ret)
{
	image_bench_image(&bench, "arm64", "arm", arm);
	image_bench_blob_text(
		&bench, ret,
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"manifests\":[%s,%s,%s]}",
		for_platform(OCI_MANIFEST, arm, "arm64", "v8"),
		for_platform(OCI_MANIFEST, &web, "amd64", NULL),
		image_descriptor(OCI_MANIFEST, &pause_image,
	                         ",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"},"
	                         "\"annotations\":{\"vnd.docker.reference.type\":"
	                         "\"attestation-manifest\"}"));
}

Test(image_choice, goes_through_an_index_by_platform)
{
	struct image_blob arm, index;

	make_index(&arm, &index);
	write_index("%s", image_descriptor(OCI_INDEX, &index, NULL));
	image_bench_chosen(&bench, NULL, &web);
	bench.platform.architecture = "arm64";
	image_bench_chosen(&bench, NULL, &arm);
	bench.platform.architecture = "s390x";
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "linux/s390x");
}

Test(image_choice, other_platforms_need_not_be_there)
{
	struct image_blob arm, index;

	make_index(&arm, &index);
	image_bench_forget(&bench, image_blob_name(&arm));
	image_bench_forget(&bench, image_blob_name(&pause_image));
	write_index("%s", image_descriptor(OCI_INDEX, &index, NULL));
	image_bench_chosen(&bench, NULL, &web);
}

Test(image_choice, finds_what_is_below_an_index_by_digest)
{
	struct image_blob arm, index;
	char digest[DIGEST_SIZE];

	make_index(&arm, &index);
	write_index("%s", image_descriptor(OCI_INDEX, &index, NULL));
	image_bench_chosen(&bench, index.digest, &web);
	image_bench_chosen(&bench, web.digest, &web);
	config_digest(&web, digest);
	image_bench_chosen(&bench, digest, &web);
	/* Of another platform: it cannot run here. */
	image_bench_refused(&bench, arm.digest, ERR_NOT_FOUND, "linux/arm64");
}

Test(image_choice, looks_into_the_config_where_no_platform_is_given)
{
	struct image_blob arm, index;

	image_bench_image(&bench, "arm64", "arm", &arm);
	image_bench_blob_text(&bench, &index, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}",
	                      image_descriptor(OCI_MANIFEST, &arm, NULL),
	                      image_descriptor(OCI_MANIFEST, &web, NULL));
	write_index("%s", image_descriptor(OCI_INDEX, &index, NULL));
	image_bench_chosen(&bench, NULL, &web);
	bench.platform.architecture = "arm64";
	image_bench_chosen(&bench, NULL, &arm);
	write_index("%s", image_entry(&arm, "shop"));
	bench.platform.architecture = "amd64";
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "linux/arm64");
}

Test(image_choice, one_image_may_stand_in_index_json_for_each_platform)
{
	struct image_blob arm;

	image_bench_image(&bench, "arm64", "arm", &arm);
	write_index("%s,%s", for_platform(OCI_MANIFEST, &arm, "arm64", NULL),
	            for_platform(OCI_MANIFEST, &web, "amd64", NULL));
	image_bench_chosen(&bench, NULL, &web);
	bench.platform.architecture = "riscv64";
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "linux/riscv64");
}

Test(image_choice, skips_attestations_and_artifacts)
{
	struct image_blob chart, config;

	image_bench_blob_text(&bench, &config, "{\"name\":\"chart\"}");
	image_bench_blob_text(
		&bench, &chart,
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST
		"\",\"config\":%s,\"layers\":[]}",
		image_descriptor("application/vnd.cncf.helm.config.v1+json", &config, NULL));
	write_index(
		"%s,%s,%s,%s", image_entry(&chart, "chart"), image_entry(&web, "web"),
		image_descriptor(OCI_MANIFEST, &pause_image, ",\"artifactType\":\"application/x\""),
		image_descriptor("application/x", &pause_image, NULL));
	image_bench_chosen(&bench, NULL, &web);
	write_index("%s", image_entry(&chart, "chart"));
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "helm");
	write_index("%s", "");
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "no image");
}

Test(image_choice, goes_down_4_indexes_and_no_deeper)
{
	struct image_blob index = web;
	const char *type = OCI_MANIFEST;

	for (int depth = 1; depth <= 5; depth++) {
		struct image_blob above;

		write_index("%s", image_descriptor(type, &index, NULL));
		if (depth <= 4)
			image_bench_chosen(&bench, NULL, &web);
		else
			image_bench_refused(&bench, NULL, ERR_PROTOCOL, "nested");
		image_bench_blob_text(&bench, &above, "{\"schemaVersion\":2,\"manifests\":[%s]}",
		                      image_descriptor(type, &index, NULL));
		index = above;
		type = OCI_INDEX;
	}
}

Test(image_choice, does_not_read_for_ever)
{
	/* Each index names the one below 500 times. */
	struct image_blob index;
	const char *type = OCI_MANIFEST;
	struct image_blob at;

	image_bench_image(&bench, "arm64", "arm", &at);
	for (int depth = 0; depth < 3; depth++) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

		for (int i = 0; i < 500; i++)
			strbuf_addf(&text, "%s%s", i ? "," : "", image_descriptor(type, &at, NULL));
		image_bench_blob_text(&bench, &index, "{\"schemaVersion\":2,\"manifests\":[%s]}",
		                      strbuf_str(&text));
		at = index;
		type = OCI_INDEX;
	}
	write_index("%s", image_descriptor(type, &at, NULL));
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "linux/arm64");
	image_bench_refused(
		&bench, "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		ERR_NOT_FOUND, "no image");
}

/* ---- platforms ---- */

static void offer(const char *one, const char *one_variant, const char *two,
                  const char *two_variant)
{
	struct image_blob index, first = web, second = pause_image;

	image_bench_blob_text(&bench, &index, "{\"schemaVersion\":2,\"manifests\":[%s,%s]}",
	                      for_platform(OCI_MANIFEST, &first, one, one_variant),
	                      for_platform(OCI_MANIFEST, &second, two, two_variant));
	write_index("%s", image_descriptor(OCI_INDEX, &index, NULL));
}

/* Both configs are for this architecture. */
static void on(const char *architecture, const char *variant)
{
	image_bench_image(&bench, architecture, "web", &web);
	image_bench_image(&bench, architecture, "pause", &pause_image);
	bench.platform.architecture = architecture;
	bench.platform.variant = variant;
}

Test(image_choice, an_arm_machine_runs_what_is_older_but_best_the_newest)
{
	on("arm", "v7");
	offer("arm", "v6", "arm", "v7");
	image_bench_chosen(&bench, NULL, &pause_image);
	offer("arm", "v5", "arm", "v6");
	image_bench_chosen(&bench, NULL, &pause_image);
	offer("arm", "v8", "arm", "v6");
	image_bench_chosen(&bench, NULL, &pause_image);
	/* No variant stands for v7. */
	offer("arm", "v6", "arm", NULL);
	image_bench_chosen(&bench, NULL, &pause_image);
	bench.platform.variant = "v6";
	offer("arm", "v7", "arm", "v8");
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "linux/arm");
}

Test(image_choice, v8_is_what_arm64_is)
{
	on("arm64", NULL);
	offer("arm64", "v8", "arm", "v7");
	image_bench_chosen(&bench, NULL, &web);
	offer("aarch64", NULL, "arm", "v7");
	image_bench_chosen(&bench, NULL, &web);
	offer("arm", "v7", "arm64", NULL);
	image_bench_chosen(&bench, NULL, &pause_image);
}

Test(image_choice, does_not_take_what_needs_a_newer_processor)
{
	on("amd64", NULL);
	offer("amd64", "v3", "amd64", NULL);
	image_bench_chosen(&bench, NULL, &pause_image);
	offer("amd64", "v3", "amd64", "v1");
	image_bench_chosen(&bench, NULL, &pause_image);
	offer("amd64", "v3", "amd64", "v2");
	image_bench_refused(&bench, NULL, ERR_NOT_FOUND, "linux/amd64");
	bench.platform.variant = "v3";
	offer("amd64", NULL, "amd64", "v3");
	image_bench_chosen(&bench, NULL, &pause_image);
}

Test(image_choice, a_64_bit_machine_runs_32_bits_when_there_is_nothing_else)
{
	struct image_blob old;

	image_bench_image(&bench, "386", "old", &old);
	write_index("%s", image_entry(&old, "shop"));
	image_bench_chosen(&bench, NULL, &old);
	offer("386", NULL, "amd64", NULL);
	image_bench_chosen(&bench, NULL, &pause_image);
}
