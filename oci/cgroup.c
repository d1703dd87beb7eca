/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <time.h>
#include "oci/file.h"
#include "pkg/base/number.h"

#define MOUNT   "/sys/fs/cgroup"
#define UNIFIED MOUNT "/unified"

static bool is_cgroup2(const char *path)
{
	struct statfs info;

	return statfs(path, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

bool cgroup_is_unified(void)
{
	return is_cgroup2(MOUNT);
}

/* Covered, not taken away: crun takes every folder beside it for a controller and makes its own in it, which
 * is to vanish with our namespace. */
void cgroup_hide_hybrid(void)
{
	if (is_cgroup2(UNIFIED) && !cgroup_is_unified())
		(void)mount("oneoff", UNIFIED, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		            "size=256k");
}

static int64_t read_counter(const char *path)
{
	static const char key[] = "oom_kill ";
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err ignored = ERR_INIT;
	const char *line;
	char digits[24];
	int64_t count;

	if (file_read(AT_FDCWD, path, 65536, &text, &ignored) < 0)
		return -1;
	for (line = strbuf_str(&text); *line; line += *line == '\n') {
		size_t length = strcspn(line, "\n");

		if (!strncmp(line, key, strlen(key))) {
			snprintf(digits, sizeof(digits), "%.*s", (int)(length - strlen(key)),
			         line + strlen(key));
			return parse_int64(digits, 0, INT64_MAX, &count) == 0 ? count : -1;
		}
		line += length;
	}
	return -1;
}

int64_t cgroup_out_of_memory_kills(const char *path)
{
	char file[4096];

	if (!path || path[0] != '/')
		return -1;
	snprintf(file, sizeof(file), "%s%s/%s", cgroup_is_unified() ? MOUNT : MOUNT "/memory", path,
	         cgroup_is_unified() ? "memory.events" : "memory.oom_control");
	return read_counter(file);
}

void cgroup_sibling(const char *path, const char *id, struct strbuf *ret)
{
	const char *slash = strrchr(path, '/');
	const char *colon = strchr(path, ':');

	if (colon && strchr(colon + 1, ':') && !slash) {
		strbuf_add(ret, path, (size_t)(colon - path));
		strbuf_addf(ret, ":oneoff:%s", id);
		return;
	}
	strbuf_add(ret, path, slash ? (size_t)(slash - path) : 0);
	strbuf_addf(ret, "/oneoff-%s", id);
}

static bool remove_folder(const char *path)
{
	return rmdir(path) == 0 || errno == ENOENT;
}

bool cgroup_remove(const char *path)
{
	struct dirent *entry;
	char folder[4096];
	bool gone = true;
	DIR *mounts;

	if (!path || path[0] != '/')
		return false;
	if (cgroup_is_unified()) {
		snprintf(folder, sizeof(folder), "%s%s", MOUNT, path);
		return remove_folder(folder);
	}
	mounts = opendir(MOUNT);
	while (mounts && (entry = readdir(mounts))) {
		/* "cpu" may be a link to "cpu,cpuacct". */
		if (entry->d_name[0] == '.' || entry->d_type == DT_LNK ||
		    (!strcmp(entry->d_name, "unified") && !is_cgroup2(UNIFIED)))
			continue;
		snprintf(folder, sizeof(folder), "%s/%s%s", MOUNT, entry->d_name, path);
		gone &= remove_folder(folder);
	}
	if (mounts)
		closedir(mounts);
	return mounts && gone;
}

static int read_processes(const char *path, struct strbuf *ret)
{
	struct err ignored = ERR_INIT;
	char file[4096];

	snprintf(file, sizeof(file), "%s%s/cgroup.procs",
	         cgroup_is_unified() ? MOUNT : MOUNT "/pids", path);
	return file_read(AT_FDCWD, file, 1 << 20, ret, &ignored);
}

bool cgroup_is_populated(const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	return path && path[0] == '/' && read_processes(path, &text) == 0 && text.length > 0;
}

static void kill_all(const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char digits[24];
	int64_t pid;

	if (read_processes(path, &text) < 0)
		return;
	for (const char *line = strbuf_str(&text); *line; line += *line == '\n') {
		size_t length = strcspn(line, "\n");

		snprintf(digits, sizeof(digits), "%.*s", (int)length, line);
		/* Ours are not in it; a process of another namespace shows as 0. */
		if (parse_int64(digits, 2, INT32_MAX, &pid) == 0)
			(void)kill((pid_t)pid, SIGKILL);
		line += length;
	}
}

void cgroup_destroy(const char *path)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	if (!path || path[0] != '/')
		return;
	for (int i = 0; i < 50 && !cgroup_remove(path); i++) {
		kill_all(path);
		(void)nanosleep(&pause, NULL);
	}
}
