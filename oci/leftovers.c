/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "oci/cgroup.h"
#include "oci/one_off.h"
#include "oci/remove.h"
#include "pkg/base/clock.h"

#define MAX_LEFTOVERS 100

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
	while (flock(fd, exclusive ? LOCK_EX : LOCK_SH) < 0)
		if (errno != EINTR) {
			err_errno(err, "cannot lock %s", path);
			close(fd);
			return -1;
		}
	return fd;
}

static bool is_abandoned(const char *run_folder, const char *name)
{
	_cleanup_fd_ int fd = one_off_open(run_folder, name, NULL);

	if (fd < 0)
		return false;
	return one_off_is_guarded(fd) == 0 || faccessat(fd, "lock", F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

/* The record of a task that ended, kept for as long as was asked: nothing to do before its time. */
static bool is_settled(const char *run_folder, const char *name)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
	struct err ignored = ERR_INIT;

	return one_off_read(run_folder, name, &one_off, &ignored) == 1 && one_off.file.ended &&
	       !task_record_is_leftover(&one_off.record, clock_unix_seconds());
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
		    strcmp(entry->d_name, "locks") != 0 &&
		    is_abandoned(run_folder, entry->d_name) &&
		    !is_settled(run_folder, entry->d_name))
			result = strv_add(ret, entry->d_name);
	closedir(folder);
	return result < 0 ? err_no_memory(err) : 0;
}

static int remove_all(const struct one_off *one_off, const char *name, const char *folder,
                      struct err *err)
{
	if (container_delete(&one_off->runtime, name, folder, one_off->cgroup, false, err) < 0)
		return -1;
	cgroup_destroy(one_off->cgroup);
	return bundle_folder_remove(folder, err);
}

/* A task that was to be kept ended without a monitor: what its monitor would have left. */
static int settle(const struct one_off *one_off, const char *name, const char *folder,
                  int folder_fd, struct err *err)
{
	struct task_file file = one_off->file;

	if (container_delete(&one_off->runtime, name, folder, one_off->cgroup, false, err) < 0)
		return -1;
	cgroup_destroy(one_off->cgroup);
	file.ended = clock_unix_seconds(); /* at the latest: its time to be kept begins now */
	file.status = one_off->record.status;
	if (task_file_write(folder_fd, &file, err) < 0)
		return -1;
	return bundle_folder_strip(folder_fd, err);
}

static bool may_run_on(const struct one_off *one_off)
{
	return one_off->running &&
	       (!one_off->record.deadline || one_off->record.deadline > clock_unix_seconds());
}

/* A bundle that was never finished names no runtime. */
static int guess_runtime(const char *run_folder, struct runtime *ret, struct err *err)
{
	if (runtime_find(NULL, NULL, &ret->path, err) < 0)
		return -1;
	if (asprintf(&ret->state_root, "%s/state", run_folder) < 0) {
		ret->state_root = NULL;
		return err_no_memory(err);
	}
	return 0;
}

/* Its end was to be kept, and nobody wrote it down. */
static bool must_settle(const struct one_off *one_off)
{
	return one_off->record.keep != KEEP_NEVER && one_off->file.started &&
	       !one_off->file.ended && !one_off->running;
}

static bool must_stay(const struct one_off *one_off)
{
	if (one_off->guarded || may_run_on(one_off))
		return true;
	return one_off->file.ended &&
	       !task_record_is_leftover(&one_off->record, clock_unix_seconds());
}

static bool is_same_folder(const char *path, int fd)
{
	struct stat now, then;

	return lstat(path, &now) == 0 && fstat(fd, &then) == 0 && now.st_ino == then.st_ino &&
	       now.st_dev == then.st_dev;
}

/* 1 when it is (or would be) removed, 0 when it has to stay. */
static int remove_one(const char *run_folder, const char *name, bool dry_run, struct err *err)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
	_cleanup_free_ char *folder = NULL;
	_cleanup_fd_ int fd = -1, lock = -1;
	bool missing;
	int known;

	fd = one_off_open(run_folder, name, &folder);
	if (fd < 0)
		return errno == ENOMEM ? err_no_memory(err) : 0;
	known = one_off_read(run_folder, name, &one_off, err);
	if (known < 0 || (!known && guess_runtime(run_folder, &one_off.runtime, err) < 0))
		return -1;
	if (known && must_stay(&one_off))
		return 0;
	lock = one_off_take(fd, &missing);
	if ((lock < 0 && !missing) || !is_same_folder(folder, fd))
		return 0; /* somebody else is at it */
	if (known && must_settle(&one_off))
		return dry_run ? 0 : settle(&one_off, name, folder, fd, err);
	if (dry_run)
		return 1;
	if (remove_all(&one_off, name, folder, err) == 0)
		return 1;
	return is_same_folder(folder, fd) ? -1 : 0; /* its monitor was at it, and is done */
}

int leftovers_discard(const char *run_folder, const char *name, const char *id, bool force,
                      struct err *err)
{
	_cleanup_(one_off_release) struct one_off one_off = ONE_OFF_INIT;
	_cleanup_free_ char *folder = NULL;
	_cleanup_fd_ int fd = -1, lock = -1, run_lock = -1;
	bool missing;
	int known;

	fd = one_off_open(run_folder, name, &folder);
	if (fd < 0)
		return errno == ENOMEM ? err_no_memory(err) : 0;
	known = one_off_read(run_folder, name, &one_off, err);
	if (known <= 0)
		return known;
	if (strcmp(one_off.record.id, id) != 0 || one_off.guarded || (one_off.running && !force))
		return 0;
	/* A folder that is being deleted would look half made to a sweep. */
	run_lock = run_folder_lock(run_folder, false, err);
	if (run_lock < 0)
		return -1;
	lock = one_off_take(fd, &missing);
	if (lock < 0 || !is_same_folder(folder, fd))
		return 0;
	return remove_all(&one_off, name, folder, err) < 0 ? -1 : 1;
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
