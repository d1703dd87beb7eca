/* SPDX-License-Identifier: Apache-2.0 */
/* What the documents of an image may not be: each refusal by name. */
#include "tests/unit/oci/image_helper.h"

#include <stdarg.h>

static struct image_bench bench;
static struct image_blob layer, config;

static void open_bench(void)
{
	char diff_id[DIGEST_SIZE + 2];

	image_bench_open(&bench);
	image_bench_layer(&bench, "hello", &layer);
	snprintf(diff_id, sizeof(diff_id), "\"%s\"", layer.digest);
	image_bench_config(&bench, "amd64", diff_id, &config);
}

static void close_bench(void)
{
	image_bench_close(&bench);
}

TestSuite(image_document, .init = open_bench, .fini = close_bench, .timeout = 60);

/* A manifest as it is written, in a layout of its own. */
static void refuse_manifest(const char *text, enum err_kind kind, const char *words)
{
	struct image_blob manifest;

	image_bench_blob_text(&bench, &manifest, "%s", text);
	image_bench_index(&bench, image_entry(&manifest, NULL));
	image_bench_write(&bench, true);
	image_bench_refused(&bench, NULL, kind, words);
}

static void refuse_entry(const char *entry, enum err_kind kind, const char *words)
{
	image_bench_index(&bench, entry);
	image_bench_write(&bench, true);
	image_bench_refused(&bench, NULL, kind, words);
}

static char *text_of(const char *format, ...) _printf_(1, 2);
static char *text_of(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	cr_assert_geq(vasprintf(&text, format, args), 0);
	va_end(args);
	return text;
}

/* {"schemaVersion":2 MIDDLE,"config":…,"layers":[LAYERS]} */
static char *manifest_text(const char *middle, const char *layers)
{
	return text_of("{\"schemaVersion\":2%s,\"config\":%s,\"layers\":[%s]}", middle,
	               image_descriptor(OCI_CONFIG, &config, NULL), layers);
}

static const char *plain_layer(void)
{
	return image_descriptor(OCI_LAYER, &layer, NULL);
}

Test(image_document, refuses_a_manifest_that_is_an_index_too)
{
	_cleanup_free_ char *text = manifest_text(",\"manifests\":[]", plain_layer());

	refuse_manifest(text, ERR_PROTOCOL, "both");
}

Test(image_document, refuses_an_index_that_is_a_manifest_too)
{
	struct image_blob manifest;
	_cleanup_free_ char *text = manifest_text("", plain_layer());

	image_bench_blob_text(&bench, &manifest, "%s", text);
	image_bench_index(&bench, "");
	image_bench_text(&bench, "index.json",
	                 "{\"schemaVersion\":2,\"manifests\":[%s],\"layers\":[]}",
	                 image_entry(&manifest, NULL));
	image_bench_write(&bench, true);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "both");
}

Test(image_document, refuses_a_media_type_that_contradicts)
{
	_cleanup_free_ char *index =
		manifest_text(",\"mediaType\":\"" OCI_INDEX "\"", plain_layer());
	_cleanup_free_ char *other =
		manifest_text(",\"mediaType\":\"" DOCKER_TYPE("distribution.manifest.v2+json") "\"",
	                      plain_layer());
	_cleanup_free_ char *number = manifest_text(",\"mediaType\":7", plain_layer());
	struct image_blob manifest;

	refuse_manifest(index, ERR_PROTOCOL, "type");
	refuse_manifest(other, ERR_PROTOCOL, "type");
	refuse_manifest(number, ERR_PROTOCOL, "type");
	/* A manifest that is announced as an index. */
	image_bench_manifest(&bench, &config, plain_layer(), &manifest);
	refuse_entry(image_descriptor(OCI_INDEX, &manifest, NULL), ERR_PROTOCOL, "type");
}

Test(image_document, refuses_other_schema_versions)
{
	_cleanup_free_ char *text =
		text_of("{\"schemaVersion\":1,\"config\":%s,\"layers\":[%s]}",
	                image_descriptor(OCI_CONFIG, &config, NULL), plain_layer());

	refuse_manifest(text, ERR_PROTOCOL, "schemaVersion");
	refuse_manifest("{\"schemaVersion\":1,\"fsLayers\":[]}", ERR_PROTOCOL, "manifest");
}

Test(image_document, refuses_digests_that_are_none)
{
	static const char *const bad[] = {
		"sha256:../../../../../../../../../../../../../../../../../../../etc/pass",
		"sha256:0123",
		"md5:0123456789abcdef",
		"",
		("sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *entry =
			text_of("{\"mediaType\":\"" OCI_MANIFEST "\",\"size\":5,\"digest\":\"%s\"}",
		                bad[i]);

		refuse_entry(entry, ERR_PROTOCOL, "no sha256 digest");
	}
	refuse_entry("{\"mediaType\":\"" OCI_MANIFEST "\",\"size\":5}", ERR_PROTOCOL,
	             "no sha256 digest");
}

Test(image_document, refuses_descriptors_without_a_size)
{
	static const char *const bad[] = {"", ",\"size\":-1", ",\"size\":\"5\"", ",\"size\":1e30"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *entry =
			text_of("{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"%s\"%s}",
		                config.digest, bad[i]);

		refuse_entry(entry, ERR_PROTOCOL, "size");
	}
}

Test(image_document, refuses_a_document_of_another_size_or_content)
{
	struct image_blob manifest;
	struct image_bench_file *file;

	image_bench_manifest(&bench, &config, plain_layer(), &manifest);
	file = image_bench_find(&bench, image_blob_name(&manifest));
	strbuf_addc(&file->bytes, ' ');
	refuse_entry(image_entry(&manifest, NULL), ERR_PROTOCOL, "its descriptor says");
	file->bytes.data[--file->bytes.length] = '\0';
	image_bench_index(&bench, image_entry(&manifest, NULL));
	image_bench_write(&bench, false);
	image_bench_chosen(&bench, NULL, &manifest);
	/* The change must be invisible to the parser. */
	cr_assert_eq(file->bytes.data[file->bytes.length - 1], '}');
	file->bytes.data[1] = '\n';
	refuse_entry(image_entry(&manifest, NULL), ERR_PROTOCOL, "digest");
	/* The config, too. */
	image_bench_manifest(&bench, &config, plain_layer(), &manifest);
	file = image_bench_find(&bench, image_blob_name(&config));
	memcpy(strstr(file->bytes.data, "A=b"), "A=c", 3);
	refuse_entry(image_entry(&manifest, NULL), ERR_PROTOCOL, "digest");
}

Test(image_document, refuses_documents_of_more_than_4_mib)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct image_blob manifest;
	_cleanup_free_ char *small = manifest_text("", plain_layer());

	strbuf_adds(&text, small);
	while (text.length < (4 << 20) + 10)
		strbuf_adds(&text,
		            "                                                                ");
	image_bench_blob(&bench, text.data, text.length, &manifest);
	refuse_entry(image_entry(&manifest, NULL), ERR_REFUSED, "larger than");
	/* index.json has no descriptor. */
	image_bench_file(&bench, "index.json", text.data, text.length);
	image_bench_write(&bench, true);
	image_bench_refused(&bench, NULL, ERR_REFUSED, "larger than");
}

Test(image_document, refuses_nesting_and_doubled_keys)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *twice = manifest_text(",\"layers\":[]", plain_layer());

	strbuf_adds(&text, "{\"schemaVersion\":2,\"manifests\":");
	for (int i = 0; i < 100; i++)
		strbuf_addc(&text, '[');
	refuse_manifest(strbuf_str(&text), ERR_PROTOCOL, "deep");
	refuse_manifest(twice, ERR_PROTOCOL, "layers");
	refuse_manifest("[]", ERR_PROTOCOL, "manifest");
	refuse_manifest("", ERR_PROTOCOL, "blobs");
}

Test(image_document, refuses_other_layout_versions)
{
	struct image_blob manifest;

	image_bench_manifest(&bench, &config, plain_layer(), &manifest);
	image_bench_index(&bench, image_entry(&manifest, NULL));
	image_bench_text(&bench, "oci-layout", "{\"imageLayoutVersion\":\"1.9.9\"}");
	image_bench_write(&bench, true);
	image_bench_chosen(&bench, NULL, &manifest);
	image_bench_text(&bench, "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	image_bench_write(&bench, true);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "version 1");
	image_bench_text(&bench, "oci-layout", "{}");
	image_bench_write(&bench, true);
	image_bench_refused(&bench, NULL, ERR_PROTOCOL, "version 1");
}

Test(image_document, refuses_diff_ids_that_do_not_fit)
{
	_cleanup_free_ char *none = manifest_text("", "");
	_cleanup_free_ char *layers = text_of("%s,%s", plain_layer(), plain_layer());
	_cleanup_free_ char *two = manifest_text("", layers);
	_cleanup_free_ char *bad = NULL;

	refuse_manifest(two, ERR_PROTOCOL, "diff_ids");
	refuse_manifest(none, ERR_PROTOCOL, "diff_ids");
	image_bench_config(&bench, "amd64", "\"sha256:../../x\"", &config);
	bad = manifest_text("", plain_layer());
	refuse_manifest(bad, ERR_PROTOCOL, "no sha256 digest");
}

Test(image_document, refuses_too_many_layers)
{
	_cleanup_(strbuf_release) struct strbuf layers = STRBUF_INIT, diff_ids = STRBUF_INIT;
	_cleanup_free_ char *text = NULL;
	struct image_blob manifest;

	for (int i = 0; i < 513; i++) {
		strbuf_addf(&layers, "%s%s", i ? "," : "", plain_layer());
		strbuf_addf(&diff_ids, "%s\"%s\"", i ? "," : "", layer.digest);
		if (i == 511) {
			image_bench_config(&bench, "amd64", strbuf_str(&diff_ids), &config);
			image_bench_manifest(&bench, &config, strbuf_str(&layers), &manifest);
			image_bench_index(&bench, image_entry(&manifest, NULL));
			image_bench_write(&bench, true);
			image_bench_chosen(&bench, NULL, &manifest);
		}
	}
	image_bench_config(&bench, "amd64", strbuf_str(&diff_ids), &config);
	text = manifest_text("", strbuf_str(&layers));
	refuse_manifest(text, ERR_REFUSED, "more than 512 layers");
}

Test(image_document, refuses_layers_of_unknown_types)
{
	static const char *const bad[] = {
		OCI_TYPE("layer.v1.tar+invalid"),
		OCI_TYPE("layer.v1.tar+gzip+encrypted"),
		OCI_TYPE("layer.v1.tar.xz"),
		"text/plain",
		"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *text =
			manifest_text("", image_descriptor(bad[i], &layer, NULL));

		refuse_manifest(text, ERR_PROTOCOL, "type");
	}
}

Test(image_document, fails_alike_when_the_error_was_used_before)
{
	struct image *image = NULL;
	struct err err = ERR_INIT;

	image_bench_index(&bench, "");
	image_bench_write(&bench, true);
	err_set(&err, ERR_UNREACHABLE, "an old one");
	cr_assert_eq(image_open(bench.path, NULL, NULL, &image, &err), -1);
	cr_assert_eq(err.kind, ERR_NOT_FOUND, "%s", err.message);
}
