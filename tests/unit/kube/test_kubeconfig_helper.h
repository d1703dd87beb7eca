/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of one's own with files in it, an environment as a table, and loading from them. */
#ifndef ONEOFF_TESTS_UNIT_KUBE_TEST_KUBECONFIG_HELPER_H
#define ONEOFF_TESTS_UNIT_KUBE_TEST_KUBECONFIG_HELPER_H

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "pkg/kube/kubeconfig.h"

struct bench {
	char folder[64];
	struct strv environment; /* "NAME=VALUE" */
	struct kubeconfig_settings settings;
	struct kubeconfig config;
	struct err err;
};

static const char *bench_get(void *context, const char *name)
{
	const struct bench *bench = context;
	const char *item = strv_find_key(&bench->environment, name);

	return item && strchr(item, '=') ? strchr(item, '=') + 1 : NULL;
}

static void bench_set(struct bench *bench, const char *name, const char *value)
{
	cr_assert_eq(strv_addf(&bench->environment, "%s=%s", name, value), 0);
}

_unused_ static void bench_open(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	snprintf(bench->folder, sizeof(bench->folder), "/tmp/oneoff-kube-XXXXXX");
	cr_assert_not_null(mkdtemp(bench->folder));
	bench->settings.get = bench_get;
	bench->settings.get_context = bench;
	bench->settings.service_account = bench->folder;
	bench_set(bench, "HOME", bench->folder);
}

static int bench_remove(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

_unused_ static void bench_close(struct bench *bench)
{
	kubeconfig_release(&bench->config);
	strv_release(&bench->environment);
	nftw(bench->folder, bench_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* FOLDER/name; the text is good until the next call but three. */
_unused_ static const char *bench_path(const struct bench *bench, const char *name)
{
	static char paths[4][256];
	static size_t next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", bench->folder, name);
	return path;
}

_unused_ static void bench_write(const struct bench *bench, const char *name, const char *text)
{
	FILE *file;
	char path[256];

	snprintf(path, sizeof(path), "%s", bench_path(bench, name));
	for (char *at = path + 5; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mkdir(path, 0700);
	}
	file = fopen(bench_path(bench, name), "w");
	cr_assert_not_null(file);
	cr_assert_geq(fputs(text, file), 0);
	cr_assert_eq(fclose(file), 0);
}

/* Loads, which has to work. */
_unused_ static struct kubeconfig *bench_load(struct bench *bench)
{
	kubeconfig_release(&bench->config);
	cr_assert_eq(kubeconfig_load(&bench->settings, &bench->config, &bench->err), 0, "%s (%s)",
	             bench->err.message, bench->err.hint);
	return &bench->config;
}

/* Loads, which has to fail with these words in the message or the hint. */
_unused_ static void bench_refuse(struct bench *bench, enum err_kind kind, const char *words)
{
	kubeconfig_release(&bench->config);
	cr_assert_eq(kubeconfig_load(&bench->settings, &bench->config, &bench->err), -1,
	             "it loads, without '%s'", words);
	cr_assert(strstr(bench->err.message, words) || strstr(bench->err.hint, words),
	          "no '%s' in: %s (%s)", words, bench->err.message, bench->err.hint);
	cr_assert_eq(bench->err.kind, kind, "%s: %s", err_kind_name(bench->err.kind),
	             bench->err.message);
	cr_assert_null(bench->config.server);
}

/* One cluster and one user, whose fields are given in YAML flow style, as the file ~/.kube/config. */
_unused_ static void bench_write_pair(const struct bench *bench, const char *cluster,
                                      const char *user)
{
	char text[4096];

	snprintf(text, sizeof(text),
	         "apiVersion: v1\nkind: Config\ncurrent-context: one\n"
	         "contexts:\n- {name: one, context: {cluster: c, user: u}}\n"
	         "clusters:\n- name: c\n  cluster: {%s}\nusers:\n- name: u\n  user: {%s}\n",
	         cluster, user);
	bench_write(bench, ".kube/config", text);
}

#define SERVER "server: 'https://h:6443'"

_unused_ static struct kubeconfig *bench_user(struct bench *bench, const char *user)
{
	bench_write_pair(bench, SERVER, user);
	return bench_load(bench);
}

_unused_ static void bench_refuse_user(struct bench *bench, const char *user, enum err_kind kind,
                                       const char *words)
{
	bench_write_pair(bench, SERVER, user);
	bench_refuse(bench, kind, words);
}

#endif
