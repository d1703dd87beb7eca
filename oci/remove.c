/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "oci/cgroup.h"
#include "oci/file.h"
#include "oci/layer.h"

static int wait_for(pid_t pid, int *ret_code, struct err *err)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(err, "waitpid");
	*ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

static bool is_known(const struct runtime *runtime, const char *name)
{
	_cleanup_fd_ int root = open(runtime->state_root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root >= 0 && faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* All its processes are gone when its cgroups could be removed. */
static bool delete_state(const struct runtime *runtime, const char *name, const char *cgroup)
{
	const char *slash = strrchr(runtime->path, '/');
	const char *program = slash ? slash + 1 : runtime->path;
	_cleanup_fd_ int root = -1;
	struct err ignored = ERR_INIT;

	if ((strcmp(program, "crun") != 0 && strcmp(program, "runc") != 0) ||
	    runtime->systemd_cgroup || !cgroup_remove(cgroup))
		return false;
	root = open(runtime->state_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root >= 0 && tree_remove(root, name, &ignored) == 0;
}

int container_delete(const struct runtime *runtime, const char *name, const char *folder,
                     const char *cgroup, bool ended, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_(strv_release) struct strv argv = STRV_INIT;
	const int nowhere[3] = {-1, -1, -1};
	struct err ignored = ERR_INIT;
	_cleanup_free_ char *log = NULL;
	pid_t pid;
	int code = 0;

	if (!is_known(runtime, name) || (ended && delete_state(runtime, name, cgroup)))
		return 0;
	if (asprintf(&log, "%s/log.delete", folder) < 0) {
		log = NULL;
		return err_no_memory(err);
	}
	if (runtime_argv(runtime, log, &argv, err) < 0)
		return -1;
	if (strv_add(&argv, "delete") < 0 || strv_add(&argv, "--force") < 0 ||
	    strv_add(&argv, name) < 0)
		return err_no_memory(err);
	pid = runtime_spawn(&argv, "/", nowhere, err);
	if (pid < 0 || wait_for(pid, &code, err) < 0)
		return -1;
	if (code == 0 || !is_known(runtime, name))
		return 0;
	(void)!file_read(AT_FDCWD, log, 1 << 20, &text, &ignored);
	runtime_failure(runtime->path, strbuf_str(&text), code, err);
	err->kind = ERR_NOT_REMOVED;
	return err_wrap(err, "cannot delete '%s'", name);
}

int bundle_folder_remove(const char *folder, struct err *err)
{
	const char *slash = strrchr(folder, '/');
	_cleanup_free_ char *parent = strndup(folder, (size_t)(slash - folder));
	_cleanup_fd_ int fd = -1;

	if (!parent)
		return err_no_memory(err);
	fd = open(*parent ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_errno(err, "cannot open %s", parent);
	if (tree_remove(fd, slash + 1, err) < 0) {
		err->kind = ERR_NOT_REMOVED;
		return -1;
	}
	return 0;
}

int bundle_folder_strip(int folder_fd, struct err *err)
{
	static const char *const names[] = {"rootfs",     "upper",   "pid",     "log",
	                                    "log.delete", "console", "control", "task.json.new"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (tree_remove(folder_fd, names[i], err) < 0) {
			err->kind = ERR_NOT_REMOVED;
			return -1;
		}
	return 0;
}
