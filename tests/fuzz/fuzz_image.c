/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says which document of an image layout the rest is: index.json, a manifest, a config, or the
 * manifest.json of a docker-archive. The others are good ones that lead to it, by its true digest. What opens has
 * layers with valid digests; what does not is refused with a reason. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "oci/digest.h"
#include "oci/image.h"
#include "oci/layer.h"
#include "pkg/base/sha256.h"
#include "tests/fuzz/fuzz.h"

#define CONFIG                                                                                     \
	"{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":{},\"rootfs\":{\"type\":"         \
	"\"layers\",\"diff_ids\":[\"sha256:"                                                       \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"]}}"

static char folder[] = "/dev/shm/oneoff-fuzz-image-XXXXXX";
static int folder_fd = -1;

static void remove_folder(void)
{
	struct err ignored = ERR_INIT;

	close(folder_fd);
	(void)tree_remove(AT_FDCWD, folder, &ignored);
}

static void make_folder(void)
{
	CHECK(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(folder_fd >= 0 && atexit(remove_folder) == 0);
}

static void write_file(const char *path, const void *bytes, size_t length)
{
	int fd = openat(folder_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	close(fd);
}

/* Writes a blob and leaves its descriptor's fields. */
static void write_blob(const void *bytes, size_t length, char *ret, size_t ret_size)
{
	struct err err = ERR_INIT;
	char hex[SHA256_HEX_SIZE], path[128];

	CHECK(sha256_hex(bytes, length, hex, &err) == 0);
	snprintf(path, sizeof(path), "blobs/sha256/%s", hex);
	write_file(path, bytes, length);
	snprintf(ret, ret_size, "\"digest\":\"sha256:%s\",\"size\":%zu", hex, length);
}

static void write_layout(uint8_t choice, const uint8_t *bytes, size_t length)
{
	char descriptor[256], text[2048];
	struct err ignored = ERR_INIT;

	(void)tree_remove(folder_fd, "blobs", &ignored);
	CHECK(mkdirat(folder_fd, "blobs", 0755) == 0);
	CHECK(mkdirat(folder_fd, "blobs/sha256", 0755) == 0);
	write_file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30);
	write_blob(choice == 2 ? (const void *)bytes : CONFIG,
	           choice == 2 ? length : strlen(CONFIG), descriptor, sizeof(descriptor));
	snprintf(text, sizeof(text),
	         "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
	         "vnd.oci.image.config.v1+json\",%s},\"layers\":[{\"mediaType\":\"application/"
	         "vnd.oci.image.layer.v1.tar\",%s}]}",
	         descriptor, descriptor);
	write_blob(choice == 1 ? (const void *)bytes : text, choice == 1 ? length : strlen(text),
	           descriptor, sizeof(descriptor));
	snprintf(text, sizeof(text),
	         "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/"
	         "vnd.oci.image.manifest.v1+json\",%s}]}",
	         descriptor);
	write_file("index.json", choice == 0 ? (const void *)bytes : text,
	           choice == 0 ? length : strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct platform platform = {.os = "linux", .architecture = "amd64"};
	struct image *image = NULL;
	struct err err = ERR_INIT;

	if (size < 1)
		return 0;
	if (folder_fd < 0)
		make_folder();
	write_layout(data[0] % 3, data + 1, size - 1);
	if (image_open(folder, data[0] & 4 ? "shop" : NULL, &platform, &image, &err) < 0) {
		CHECK(!image && err.kind != ERR_NONE && err.kind != ERR_INTERNAL);
		return 0;
	}
	CHECK(digest_is_valid(image_digest(image)) && image_name(image) && image_config(image));
	for (size_t i = 0; i < image_layer_count(image); i++)
		CHECK(digest_is_valid(image_layer_diff_id(image, i)));
	image_free(&image);
	return 0;
}
