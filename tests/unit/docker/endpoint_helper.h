/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own and an environment of its own for tests of endpoint.h. */
#ifndef ONEOFF_TESTS_ENDPOINT_HELPER_H
#define ONEOFF_TESTS_ENDPOINT_HELPER_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "pkg/docker/endpoint.h"

struct bench {
	char folder[64];
	struct strv environment; /* NAME=value */
	struct endpoint_settings settings;
	struct endpoint endpoint;
	struct err err;
};

static inline const char *bench_get(void *context, const char *name)
{
	const struct bench *bench = context;
	const char *item = strv_find_key(&bench->environment, name);

	return item && item[strlen(name)] == '=' ? item + strlen(name) + 1 : NULL;
}

static inline void bench_open(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	snprintf(bench->folder, sizeof(bench->folder), "/tmp/test-endpoint-XXXXXX");
	cr_assert_not_null(mkdtemp(bench->folder));
	bench->settings.get = bench_get;
	bench->settings.context = bench;
	bench->settings.user_id = 1000;
	cr_assert_eq(strv_addf(&bench->environment, "HOME=%s", bench->folder), 0);
}

static inline int bench_remove(const char *path, const struct stat *status, int type,
                               struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

static inline void bench_close(struct bench *bench)
{
	nftw(bench->folder, bench_remove, 8, FTW_DEPTH | FTW_PHYS);
	endpoint_release(&bench->endpoint);
	strv_release(&bench->environment);
}

static inline void bench_set(struct bench *bench, const char *name, const char *value)
{
	cr_assert_eq(strv_addf(&bench->environment, "%s=%s", name, value), 0);
}

/* The path of something in the folder; valid until the next call with the same bench. */
static inline const char *bench_path(const struct bench *bench, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
	return path;
}

/* Writes a file below the folder; makes the folders that it needs. */
static inline void bench_write(const struct bench *bench, const char *name, const char *content)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
	for (char *slash = path + strlen(bench->folder) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = '\0';
		cr_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

/* Where docker is, or podman: expects that it is found. */
static inline const struct endpoint *bench_docker(struct bench *bench)
{
	endpoint_release(&bench->endpoint);
	cr_assert_eq(endpoint_docker(&bench->settings, &bench->endpoint, &bench->err), 0, "%s",
	             bench->err.message);
	return &bench->endpoint;
}

static inline const struct endpoint *bench_podman(struct bench *bench)
{
	endpoint_release(&bench->endpoint);
	cr_assert_eq(endpoint_podman(&bench->settings, &bench->endpoint, &bench->err), 0, "%s",
	             bench->err.message);
	return &bench->endpoint;
}

/* Expects a failure with a part of the message. */
static inline void bench_docker_fails(struct bench *bench, enum err_kind kind, const char *part)
{
	struct endpoint endpoint = {.port = -7};

	cr_assert_lt(endpoint_docker(&bench->settings, &endpoint, &bench->err), 0);
	cr_assert_eq(bench->err.kind, kind, "%s: %s", err_kind_name(bench->err.kind),
	             bench->err.message);
	cr_assert_not_null(strstr(bench->err.message, part), "%s", bench->err.message);
	cr_assert_eq(endpoint.port, -7);
}

#endif
