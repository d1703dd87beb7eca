/* SPDX-License-Identifier: Apache-2.0 */
/* The input is "USER\nPASSWD\0GROUP", in a folder in memory as an image's root: names that no line
 * carries are never found, and what is found is an id that fits. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "oci/user.h"
#include "tests/fuzz/fuzz.h"

static int root_fd = -1;
static char root[] = "/dev/shm/oneoff-fuzz-passwd-XXXXXX";

static void remove_root(void)
{
	(void)unlinkat(root_fd, "etc/passwd", 0);
	(void)unlinkat(root_fd, "etc/group", 0);
	(void)unlinkat(root_fd, "etc", AT_REMOVEDIR);
	(void)rmdir(root);
}

static void make_root(void)
{
	CHECK(mkdtemp(root));
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(root_fd >= 0 && mkdirat(root_fd, "etc", 0755) == 0);
	CHECK(atexit(remove_root) == 0);
}

static void write_file(const char *path, const uint8_t *bytes, size_t length)
{
	int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	close(fd);
}

static bool holds(const uint8_t *bytes, size_t length, const char *word)
{
	return memmem(bytes, length, word, strlen(word)) != NULL;
}

static void check(const struct bundle_user *user, const char *text, const uint8_t *passwd,
                  size_t length)
{
	size_t name_length = strcspn(text, ":");
	char name[256];

	CHECK(user->uid <= INT32_MAX && user->gid <= INT32_MAX);
	CHECK(user->additional_count >= 1 && user->additional_count <= BUNDLE_MAX_GROUPS);
	CHECK(user->additional[0] == user->gid);
	CHECK(memchr(user->home, '\0', sizeof(user->home)));
	snprintf(name, sizeof(name), "%.*s", (int)name_length, text);
	if (*name && name[strspn(name, "0123456789")])
		CHECK(holds(passwd, length, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = memchr(data, '\n', size);
	size_t text_length = line_end ? (size_t)(line_end - data) : size;
	const uint8_t *passwd = line_end ? line_end + 1 : data + size;
	size_t rest = (size_t)(data + size - passwd);
	const uint8_t *zero = memchr(passwd, '\0', rest);
	size_t passwd_length = zero ? (size_t)(zero - passwd) : rest;
	struct bundle_user user = {.uid = 4711};
	struct err err = ERR_INIT;
	char text[200];

	if (root_fd < 0)
		make_root();
	if (text_length >= sizeof(text) || memchr(data, '\0', text_length))
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)text_length, (const char *)data);
	write_file("etc/passwd", passwd, passwd_length);
	write_file("etc/group", zero ? zero + 1 : passwd,
	           zero ? rest - passwd_length - 1 : passwd_length);
	if (user_resolve(root_fd, text, &user, &err) == 0)
		check(&user, text, passwd, passwd_length);
	else
		CHECK(user.uid == 4711 && err.kind != ERR_NONE && err.kind != ERR_INTERNAL);
	return 0;
}
