/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include "oci/cgroup.h"
#include "oci/file.h"
#include "oci/remove.h"
#include "oci/state.h"
#include "pkg/base/clock.h"
#include "pkg/json/json.h"

#define MAX_LEFTOVERS 100
#define MAX_CONFIG    ((size_t)4 << 20)

char *run_folder_path(void)
{
	const char *own = getenv("ONEOFF_OCI_RUN");
	const char *session = getenv("XDG_RUNTIME_DIR");
	char *folder = NULL;
	int length;

	if (own && own[0] == '/')
		return strdup(own);
	if (geteuid() == 0)
		return strdup("/run/oneoff");
	if (session && session[0] == '/')
		length = asprintf(&folder, "%s/oneoff", session);
	else
		length = asprintf(&folder, "/tmp/oneoff-%u", (unsigned)geteuid());
	return length < 0 ? NULL : folder;
}

int run_folder_lock(const char *run_folder, bool exclusive, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/state/.lock", run_folder) < 0) {
		path = NULL;
		return err_no_memory(err);
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, "cannot open %s", path);
	if (flock(fd, exclusive ? LOCK_EX | LOCK_NB : LOCK_SH) == 0)
		return fd;
	err_errno(err, "cannot lock %s", path);
	err->kind = ERR_CONFLICT;
	close(fd);
	return -1;
}

static bool is_abandoned(const char *run_folder, const char *name)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int fd = -1;

	if (asprintf(&path, "%s/%s/lock", run_folder, name) < 0) {
		path = NULL;
		return false;
	}
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? errno == ENOENT : flock(fd, LOCK_EX | LOCK_NB) == 0;
}

int leftovers_list(const char *run_folder, struct strv *ret, struct err *err)
{
	DIR *folder = opendir(run_folder);
	const struct dirent *entry;
	int result = 0;

	if (!folder)
		return 0;
	while (result == 0 && ret->count < MAX_LEFTOVERS && (entry = readdir(folder)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "state") != 0 &&
		    is_abandoned(run_folder, entry->d_name))
			result = strv_add(ret, entry->d_name);
	closedir(folder);
	return result < 0 ? err_no_memory(err) : 0;
}

struct leftover {
	bool may_run;           /* before its deadline a live task is not ours to end */
	char *cgroup;           /* owned, or NULL */
	struct runtime runtime; /* the one that started it, as the bundle's file `runtime` says */
};

static void leftover_release(struct leftover *leftover)
{
	free(leftover->cgroup);
	runtime_release(&leftover->runtime);
}

static int read_runtime(int folder_fd, const char *run_folder, struct runtime *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	/* A bundle that was never finished has none. */
	if (file_read(folder_fd, "runtime", 4096, &path, err) == 0)
		ret->path = strdup(strbuf_str(&path));
	else if (runtime_find(NULL, NULL, &ret->path, err) < 0)
		return -1;
	if (asprintf(&ret->state_root, "%s/state", run_folder) < 0)
		ret->state_root = NULL;
	return ret->path && ret->state_root ? 0 : err_no_memory(err);
}

static void read_config(int folder_fd, struct leftover *ret)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(json_free) cJSON *config = NULL;
	struct err ignored = ERR_INIT;
	const char *deadline, *cgroup;
	int64_t due;

	if (file_read(folder_fd, "config.json", MAX_CONFIG, &text, &ignored) < 0 ||
	    json_parse(strbuf_str(&text), text.length, MAX_CONFIG, &config, &ignored) < 0)
		return;
	deadline = cJSON_GetStringValue(
		json_member(json_member(config, "annotations"), "dev.oneoff.deadline"));
	ret->may_run =
		!deadline || clock_parse_rfc3339(deadline, &due) < 0 || due > clock_unix_seconds();
	cgroup = json_string(config, "linux.cgroupsPath");
	ret->cgroup = cgroup ? strdup(cgroup) : NULL;
	ret->runtime.systemd_cgroup = cgroup && strchr(cgroup, ':');
}

static bool is_running(const struct runtime *runtime, const char *name)
{
	_cleanup_(container_state_release) struct container_state state = {.id = NULL};
	_cleanup_(strv_release) struct strv roots = STRV_INIT;
	struct err ignored = ERR_INIT;

	return strv_add(&roots, runtime->state_root) == 0 &&
	       state_find(&roots, name, &state, &ignored) == 0 && !strcmp(state.id, name) &&
	       state.running;
}

/* 1 when it is (or would be) removed, 0 when it has to stay. */
static int remove_one(const char *run_folder, const char *name, bool dry_run, struct err *err)
{
	_cleanup_(leftover_release) struct leftover leftover = {.may_run = false};
	_cleanup_free_ char *folder = NULL;
	_cleanup_fd_ int fd = -1;

	if (asprintf(&folder, "%s/%s", run_folder, name) < 0) {
		folder = NULL;
		return err_no_memory(err);
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (read_runtime(fd, run_folder, &leftover.runtime, err) < 0)
		return -1;
	read_config(fd, &leftover);
	if (leftover.may_run && is_running(&leftover.runtime, name))
		return 0;
	if (dry_run)
		return 1;
	if (container_delete(&leftover.runtime, name, folder, leftover.cgroup, false, err) < 0)
		return -1;
	cgroup_destroy(leftover.cgroup);
	return bundle_folder_remove(folder, err) < 0 ? -1 : 1;
}

int leftovers_remove(const char *run_folder, bool dry_run, size_t *ret_count, struct err *err)
{
	_cleanup_(strv_release) struct strv names = STRV_INIT;
	_cleanup_fd_ int lock = -1;
	size_t count = 0;

	*ret_count = 0;
	if (access(run_folder, F_OK) < 0)
		return 0;
	lock = run_folder_lock(run_folder, true, err);
	if (lock < 0 || leftovers_list(run_folder, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		int result = remove_one(run_folder, names.items[i], dry_run, err);

		if (result < 0)
			return err_wrap(err, "leftover '%s'", names.items[i]);
		count += (size_t)result;
	}
	*ret_count = count;
	return 0;
}
