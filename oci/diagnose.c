/* SPDX-License-Identifier: Apache-2.0 */
/* What of this machine decides whether a one-off without a daemon can run here. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include "oci/cgroup.h"
#include "oci/file.h"
#include "oci/namespace.h"
#include "oci/oci_internal.h"

#define MAX_VERSION 4096
#define MIB         ((uint64_t)1 << 20)
#define LOW_MIB     512

struct diagnosis {
	struct oci *oci;
	finding_visitor *visit;
	void *context;
};

static int _printf_(5, 6)
	say(const struct diagnosis *diagnosis, struct err *err, const struct finding *finding,
            const char *fix, const char *format, ...)
{
	struct finding full = *finding;
	char text[1024];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	full.text = text;
	full.fix = fix;
	return diagnosis->visit(diagnosis->context, &full, err);
}

#define GOOD(subject) (&(const struct finding){FINDING_GOOD, subject, NULL, NULL})
#define NOTE(subject) (&(const struct finding){FINDING_NOTE, subject, NULL, NULL})
#define BAD(subject)  (&(const struct finding){FINDING_BAD, subject, NULL, NULL})

/* The first line of `RUNTIME --version`: "crun version 1.8.1". */
static int read_version(const char *path, char *ret, size_t size, struct err *err)
{
	_cleanup_(strv_release) struct strv argv = STRV_INIT;
	int pipes[2], fds[3] = {-1, -1, -1}, status = 0;
	size_t used = 0;
	ssize_t got;
	pid_t pid;

	ret[0] = '\0';
	if (strv_add(&argv, path) < 0 || strv_add(&argv, "--version") < 0)
		return err_no_memory(err);
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return err_errno(err, "pipe");
	fds[STDOUT_FILENO] = pipes[1];
	pid = runtime_spawn(&argv, "/", fds, err);
	close(pipes[1]);
	while (pid > 0 && used < size - 1 &&
	       (got = read(pipes[0], ret + used, size - 1 - used)) > 0)
		used += (size_t)got;
	close(pipes[0]);
	if (pid < 0)
		return -1;
	ret[used] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int diagnose_runtime(const struct diagnosis *diagnosis, struct err *err)
{
	const struct oci *oci = diagnosis->oci;
	_cleanup_free_ char *path = NULL;
	struct err missing = ERR_INIT;
	char version[MAX_VERSION];
	int result;

	if (oci->runtime.path)
		path = strdup(oci->runtime.path);
	else if (runtime_find(oci->settings.oci_runtime, NULL, &path, &missing) < 0)
		return say(diagnosis, err, BAD("runtime"), missing.hint[0] ? missing.hint : NULL,
		           "%s", missing.message);
	if (!path)
		return err_no_memory(err);
	result = read_version(path, version, sizeof(version), err);
	if (result < 0)
		return -1;
	if (result > 0)
		return say(diagnosis, err, BAD("runtime"), "choose another: --oci-runtime",
		           "%s does not run", path);
	return say(diagnosis, err, GOOD("runtime"), NULL, "%s (%s)", version, path);
}

static bool has_subordinate_ids(void)
{
	return access("/etc/subuid", R_OK) == 0 && access("/etc/subgid", R_OK) == 0;
}

/* In a child: what it enters, it is in for good. */
static int try_namespaces(bool user, const char *folder)
{
	struct err ignored = ERR_INIT;
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (user && namespace_enter_user(0, &ignored) < 0)
			_exit(1);
		if (namespace_enter_mount(&ignored) < 0)
			_exit(2);
		_exit(rootfs_try_overlay(folder) < 0 ? 3 : 0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
		return 2;
	return WEXITSTATUS(status);
}

static int diagnose_namespaces(const struct diagnosis *diagnosis, struct err *err)
{
	const struct oci *oci = diagnosis->oci;
	int result = try_namespaces(oci->needs_user_namespace, "/tmp");

	if (result == 1)
		return say(diagnosis, err, BAD("user namespace"),
		           "run oneoff as root, or allow it (sysctl "
		           "kernel.unprivileged_userns_clone, user.max_user_namespaces)",
		           "this machine allows none without root");
	if (result == 2)
		return say(diagnosis, err, BAD("mount namespace"),
		           "a container needs CAP_SYS_ADMIN for it", "we may make none here");
	if (oci->needs_user_namespace &&
	    (has_subordinate_ids()
	             ? say(diagnosis, err, GOOD("user namespace"), NULL, "allowed without root")
	             : say(diagnosis, err, NOTE("user namespace"),
	                   "give the user a range in /etc/subuid and /etc/subgid",
	                   "one id only: files of others in the image cannot be kept apart")) < 0)
		return -1;
	if (result == 3)
		return say(diagnosis, err, NOTE("overlay"), NULL,
		           "not allowed: the app's root is copied for each task");
	return say(diagnosis, err, GOOD("overlay"), NULL, "allowed");
}

static int diagnose_cgroup(const struct diagnosis *diagnosis, struct err *err)
{
	const char *version = cgroup_is_unified() ? "version 2" : "version 1";

	if (diagnosis->oci->rootless)
		return say(diagnosis, err, NOTE("cgroup"), NULL,
		           "%s; without root the task gets none, so --memory and --cpu do "
		           "nothing and the app's limits do not count",
		           version);
	if (access("/sys/fs/cgroup", W_OK) < 0)
		return say(diagnosis, err, BAD("cgroup"),
		           "mount it read-write into the container that oneoff runs in",
		           "%s, but /sys/fs/cgroup cannot be written", version);
	return say(diagnosis, err, GOOD("cgroup"), NULL, "%s", version);
}

/* The nearest folder that is there: what is missing will be made below it. */
static int free_space(const char *path, uint64_t *ret_mib)
{
	_cleanup_free_ char *folder = strdup(path);
	struct statvfs info;

	while (folder && statvfs(folder, &info) < 0) {
		char *slash = strrchr(folder, '/');

		if (!slash || errno != ENOENT)
			return -1;
		slash[slash == folder] = '\0';
	}
	if (!folder)
		return -1;
	*ret_mib = info.f_bavail * (uint64_t)info.f_frsize / MIB;
	return 0;
}

static int diagnose_store(const struct diagnosis *diagnosis, struct err *err)
{
	const char *asked = diagnosis->oci->settings.store;
	_cleanup_free_ char *path = NULL;
	struct err ignored = ERR_INIT;
	uint64_t mib = 0;

	if (asked)
		path = strdup(asked);
	else if (store_default_path(&path, &ignored) < 0)
		return say(diagnosis, err, NOTE("store"), "name a folder: --store", "%s",
		           ignored.message);
	if (!path)
		return err_no_memory(err);
	if (free_space(path, &mib) < 0)
		return say(diagnosis, err, NOTE("store"), "choose another: --store",
		           "%s cannot be read: %s", path, strerror(errno));
	return say(diagnosis, err, mib < LOW_MIB ? NOTE("store") : GOOD("store"),
	           mib < LOW_MIB ? "oneoff gc, or another folder: --store" : NULL,
	           "%s, %llu MiB free for images", path, (unsigned long long)mib);
}

static int diagnose_run_folder(const struct diagnosis *diagnosis, struct err *err)
{
	const char *path = diagnosis->oci->run_folder;
	struct err fault = ERR_INIT;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return say(diagnosis, err, GOOD("run folder"), NULL, "%s, not made yet", path);
	if (oci_check_run_folder(diagnosis->oci, &fault) < 0)
		return say(diagnosis, err, BAD("run folder"),
		           "choose another: ONEOFF_OCI_RUN=/folder/of/yours", "%s", fault.message);
	return say(diagnosis, err, GOOD("run folder"), NULL, "%s", path);
}

static int diagnose_source(const struct diagnosis *diagnosis, const struct release *release,
                           struct err *err)
{
	const char *root = diagnosis->oci->rootfs.merged;

	if (!release)
		return 0;
	if (!release->running && !diagnosis->oci->image &&
	    say(diagnosis, err, NOTE("source"), "start it, if its volumes are needed",
	        "'%s' does not run: its mounts are not there", release->name) < 0)
		return -1;
	if (faccessat(diagnosis->oci->root_fd, ".", R_OK | X_OK, 0) < 0)
		return say(diagnosis, err, BAD("source"),
		           "run oneoff as the user whose container it is",
		           "the app's root %s cannot be read: %s", root, strerror(errno));
	return say(diagnosis, err, GOOD("source"), NULL, "'%s', its root %s can be read",
	           release->name, root);
}

int oci_diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                 void *context, struct err *err)
{
	const struct diagnosis diagnosis = {(struct oci *)backend, visit, context};

	if (diagnose_runtime(&diagnosis, err) < 0 || diagnose_namespaces(&diagnosis, err) < 0 ||
	    diagnose_cgroup(&diagnosis, err) < 0 || diagnose_store(&diagnosis, err) < 0 ||
	    diagnose_run_folder(&diagnosis, err) < 0)
		return -1;
	return diagnose_source(&diagnosis, release, err);
}
