/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/oci/image_helper.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "oci/layer.h"
#include "tests/unit/oci/layer_helper.h"

static void keep_report(void *context, enum report_level level, const char *line)
{
	strbuf_addf(context, "%d %s\n", level, line);
}

void image_bench_open(struct image_bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	snprintf(bench->base, sizeof(bench->base), "/tmp/oneoff-image-XXXXXX");
	cr_assert_not_null(mkdtemp(bench->base));
	snprintf(bench->store, sizeof(bench->store), "%s/store", bench->base);
	bench->platform = (struct platform){.os = "linux", .architecture = "amd64"};
	bench->reporter = (struct reporter){.say = keep_report, .context = &bench->reports};
}

void image_bench_close(struct image_bench *bench)
{
	struct err err = ERR_INIT;

	cr_assert_eq(tree_remove(AT_FDCWD, bench->base, &err), 0, "%s", err.message);
	for (size_t i = 0; i < bench->count; i++)
		strbuf_release(&bench->files[i].bytes);
	strbuf_release(&bench->reports);
}

struct image_bench_file *image_bench_find(struct image_bench *bench, const char *name)
{
	for (size_t i = 0; i < bench->count; i++)
		if (!strcmp(bench->files[i].name, name))
			return &bench->files[i];
	return NULL;
}

static struct image_bench_file *file_for(struct image_bench *bench, const char *name)
{
	struct image_bench_file *file = image_bench_find(bench, name);

	if (!file) {
		cr_assert_lt(bench->count, IMAGE_BENCH_FILES);
		file = &bench->files[bench->count++];
		snprintf(file->name, sizeof(file->name), "%s", name);
	}
	strbuf_reset(&file->bytes);
	return file;
}

void image_bench_file(struct image_bench *bench, const char *name, const void *bytes, size_t length)
{
	strbuf_add(&file_for(bench, name)->bytes, bytes, length);
}

void image_bench_text(struct image_bench *bench, const char *name, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	cr_assert_geq(vasprintf(&text, format, args), 0);
	va_end(args);
	image_bench_file(bench, name, text, strlen(text));
	free(text);
}

void image_bench_link(struct image_bench *bench, const char *name, const char *target)
{
	file_for(bench, name)->link = target;
}

void image_bench_forget(struct image_bench *bench, const char *name)
{
	struct image_bench_file *file = image_bench_find(bench, name);

	cr_assert_not_null(file, "%s", name);
	strbuf_release(&file->bytes);
	*file = bench->files[--bench->count];
	memset(&bench->files[bench->count], 0, sizeof(*file));
}

void image_digest_of(const void *bytes, size_t length, char ret[DIGEST_SIZE])
{
	char hex[SHA256_HEX_SIZE];
	struct err err = ERR_INIT;

	cr_assert_eq(sha256_hex(bytes, length, hex, &err), 0, "%s", err.message);
	snprintf(ret, DIGEST_SIZE, "sha256:%s", hex);
}

const char *image_blob_name(const struct image_blob *blob)
{
	static char name[128];

	snprintf(name, sizeof(name), "blobs/sha256/%s", blob->digest + 7);
	return name;
}

void image_bench_blob(struct image_bench *bench, const void *bytes, size_t length,
                      struct image_blob *ret)
{
	image_digest_of(bytes, length, ret->digest);
	ret->size = length;
	image_bench_file(bench, image_blob_name(ret), bytes, length);
}

void image_bench_blob_text(struct image_bench *bench, struct image_blob *ret, const char *format,
                           ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	cr_assert_geq(vasprintf(&text, format, args), 0);
	va_end(args);
	image_bench_blob(bench, text, strlen(text), ret);
	free(text);
}

const char *image_descriptor(const char *media_type, const struct image_blob *blob,
                             const char *extra)
{
	static char texts[8][2048];
	static size_t next;
	char *text = texts[next++ % ARRAY_SIZE(texts)];

	snprintf(text, sizeof(texts[0]), "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu%s}",
	         media_type, blob->digest, blob->size, extra ? extra : "");
	return text;
}

void image_bench_layer(struct image_bench *bench, const char *content, struct image_blob *ret)
{
	_cleanup_(strbuf_release) struct strbuf tar = STRBUF_INIT;

	TAR(&tar, .name = "data", .type = '0', .content = content);
	tar_end(&tar);
	image_bench_blob(bench, tar.data, tar.length, ret);
}

void image_bench_config(struct image_bench *bench, const char *architecture, const char *diff_ids,
                        struct image_blob *ret)
{
	image_bench_blob_text(bench, ret,
	                      "{\"os\":\"linux\",\"architecture\":\"%s\",\"config\":{\"Env\":"
	                      "[\"A=b\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[%s]}}",
	                      architecture, diff_ids);
}

void image_bench_manifest(struct image_bench *bench, const struct image_blob *config,
                          const char *layers, struct image_blob *ret)
{
	image_bench_blob_text(bench, ret,
	                      "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST
	                      "\",\"config\":%s,\"layers\":[%s]}",
	                      image_descriptor(OCI_CONFIG, config, NULL), layers);
}

void image_bench_image(struct image_bench *bench, const char *architecture, const char *content,
                       struct image_blob *ret)
{
	struct image_blob layer, config;
	char diff_id[DIGEST_SIZE + 2];

	image_bench_layer(bench, content, &layer);
	snprintf(diff_id, sizeof(diff_id), "\"%s\"", layer.digest);
	image_bench_config(bench, architecture, diff_id, &config);
	image_bench_manifest(bench, &config, image_descriptor(OCI_LAYER, &layer, NULL), ret);
}

void image_bench_index(struct image_bench *bench, const char *entries)
{
	image_bench_text(bench, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	image_bench_text(bench, "index.json", "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
}

const char *image_entry(const struct image_blob *manifest, const char *ref_name)
{
	char extra[512] = "";

	if (ref_name)
		snprintf(extra, sizeof(extra),
		         ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}",
		         ref_name);
	return image_descriptor(OCI_MANIFEST, manifest, extra);
}

/* ---- writing ---- */

static void write_file(const char *path, const struct strbuf *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert_geq(fd, 0, "%s", path);
	if (bytes->length)
		cr_assert_eq(write(fd, bytes->data, bytes->length), (ssize_t)bytes->length);
	close(fd);
}

static void write_folder(struct image_bench *bench)
{
	struct err err = ERR_INIT;
	char path[512];

	cr_assert_eq(tree_remove(AT_FDCWD, bench->path, &err), 0, "%s", err.message);
	cr_assert_eq(mkdir(bench->path, 0755), 0);
	for (size_t i = 0; i < bench->count; i++) {
		const struct image_bench_file *file = &bench->files[i];

		snprintf(path, sizeof(path), "%s/%s", bench->path, file->name);
		for (char *slash = strchr(path + strlen(bench->path) + 1, '/'); slash;
		     slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			(void)mkdir(path, 0755);
			*slash = '/';
		}
		if (file->link)
			cr_assert_eq(symlink(file->link, path), 0);
		else
			write_file(path, &file->bytes);
	}
}

void image_bench_write(struct image_bench *bench, bool tar)
{
	_cleanup_(strbuf_release) struct strbuf bytes = STRBUF_INIT;

	snprintf(bench->path, sizeof(bench->path), "%s/image%s", bench->base, tar ? ".tar" : "");
	if (!tar) {
		write_folder(bench);
		return;
	}
	for (size_t i = 0; i < bench->count; i++) {
		const struct image_bench_file *file = &bench->files[i];

		TAR(&bytes, .name = file->name, .type = file->link ? '2' : '0', .link = file->link,
		    .content = file->link ? NULL : strbuf_str(&file->bytes),
		    .length = file->bytes.length);
	}
	tar_end(&bytes);
	write_file(bench->path, &bytes);
}

/* ---- looking ---- */

struct image *image_bench_expect(struct image_bench *bench, const char *reference)
{
	struct image *image = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(image_open(bench->path, reference, &bench->platform, &image, &err), 0,
	             "%s (%s)", err.message, err.hint);
	return image;
}

void image_bench_refused(struct image_bench *bench, const char *reference, enum err_kind kind,
                         const char *words)
{
	struct image *image = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(image_open(bench->path, reference, &bench->platform, &image, &err), -1,
	             "it was opened: %s", words);
	cr_assert_null(image);
	cr_assert_eq(err.kind, kind, "%s: %s (%s)", err_kind_name(err.kind), err.message, err.hint);
	cr_assert(strstr(err.message, words) || strstr(err.hint, words), "'%s' is not in: %s (%s)",
	          words, err.message, err.hint);
}

void image_bench_chosen(struct image_bench *bench, const char *reference,
                        const struct image_blob *manifest)
{
	struct image *image = image_bench_expect(bench, reference);

	cr_assert_str_eq(image_digest(image), manifest->digest, "for '%s'",
	                 reference ? reference : "");
	image_free(&image);
}

int image_read_all(struct byte_source *source, struct strbuf *ret, struct err *err)
{
	char bytes[1000];
	ssize_t got;

	while ((got = source->read(source, bytes, sizeof(bytes), err)) > 0)
		strbuf_add(ret, bytes, (size_t)got);
	return got < 0 ? -1 : 0;
}
