/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "oci/file.h"
#include "pkg/base/number.h"

struct id_range {
	int64_t first, count; /* count 0: none */
};

/* The user's line in /etc/subuid or /etc/subgid: "NAME-OR-ID:FIRST:COUNT" (subuid(5)). */
static struct id_range subordinate_ids(const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct passwd *entry = getpwuid(geteuid());
	struct err ignored = ERR_INIT;
	char name[256], first[32], count[32], own[16];

	snprintf(own, sizeof(own), "%u", (unsigned)geteuid());
	if (file_read(AT_FDCWD, path, 1 << 20, &text, &ignored) < 0)
		return (struct id_range){0, 0};
	for (const char *line = strbuf_str(&text); *line; line += *line == '\n') {
		struct id_range range;

		if (sscanf(line, "%255[^:\n]:%31[0-9]:%31[0-9]", name, first, count) == 3 &&
		    (!strcmp(name, own) || (entry && !strcmp(name, entry->pw_name))) &&
		    parse_int64(first, 1, UINT32_MAX - 1, &range.first) == 0 &&
		    parse_int64(count, 1, UINT32_MAX - 1, &range.count) == 0)
			return range;
		line += strcspn(line, "\n");
	}
	return (struct id_range){0, 0};
}

/* newuidmap PID 0 OWN 1 1 FIRST COUNT: the only way for a user to map more than one id. */
static int map_by_program(const char *program, pid_t pid, unsigned own, struct id_range range)
{
	char texts[5][24];
	int status;
	pid_t child;

	snprintf(texts[0], sizeof(texts[0]), "%d", (int)pid);
	snprintf(texts[1], sizeof(texts[1]), "%u", own);
	snprintf(texts[2], sizeof(texts[2]), "%lld", (long long)range.first);
	snprintf(texts[3], sizeof(texts[3]), "%lld", (long long)range.count);
	child = fork();
	if (child == 0) {
		execlp(program, program, texts[0], "0", texts[1], "1", "1", texts[2], texts[3],
		       (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int write_text(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/* One id only: everything in the image seems to belong to it. */
static int map_alone(uid_t user, gid_t group)
{
	char uids[48], gids[48];

	snprintf(uids, sizeof(uids), "0 %u 1\n", (unsigned)user);
	snprintf(gids, sizeof(gids), "0 %u 1\n", (unsigned)group);
	if (write_text("/proc/self/setgroups", "deny") < 0 ||
	    write_text("/proc/self/uid_map", uids) < 0 ||
	    write_text("/proc/self/gid_map", gids) < 0)
		return -1;
	return 0;
}

/* The child that maps us from outside: it waits until we are in the namespace. */
static pid_t start_mapper(int wait_fd, uid_t user, gid_t group)
{
	struct id_range users = subordinate_ids("/etc/subuid");
	struct id_range groups = subordinate_ids("/etc/subgid");
	pid_t self = getpid(), child;
	char byte;

	if (!users.count || !groups.count)
		return 0;
	child = fork();
	if (child != 0)
		return child;
	if (read(wait_fd, &byte, 1) != 1 || map_by_program("newuidmap", self, user, users) < 0 ||
	    map_by_program("newgidmap", self, group, groups) < 0)
		_exit(1);
	_exit(0);
}

static int forbidden(struct err *err)
{
	err_errno(err, "this machine allows no user namespace without root");
	err->kind = ERR_DENIED;
	return err_hint(err,
	                "run oneoff as root, or allow it (sysctl kernel.unprivileged_userns_clone, "
	                "user.max_user_namespaces)");
}

static int enter_new(struct err *err)
{
	uid_t user = geteuid();
	gid_t group = getegid();
	int status = -1, fds[2];
	bool mapped = false;
	pid_t mapper;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, "pipe");
	mapper = start_mapper(fds[0], user, group);
	if (unshare(CLONE_NEWUSER) < 0) {
		forbidden(err);
	} else if (mapper > 0 && write(fds[1], "", 1) == 1 && waitpid(mapper, &status, 0) >= 0) {
		mapped = status == 0;
		mapper = 0;
	}
	close(fds[0]);
	close(fds[1]);
	if (mapper > 0)
		waitpid(mapper, NULL, 0);
	if (err->kind != ERR_NONE)
		return -1;
	if (!mapped && map_alone(user, group) < 0)
		return err_errno(err, "cannot map the user's id");
	return 0;
}

static int join(pid_t pid, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWUSER) < 0)
		return err_errno(err, "cannot join the app's user namespace");
	return 0;
}

int namespace_enter_user(pid_t source_pid, struct err *err)
{
	if ((source_pid ? join(source_pid, err) : enter_new(err)) < 0)
		return -1;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_errno(err, "cannot become root of the user namespace");
	return 0;
}

bool namespace_is_other_user(pid_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return stat("/proc/self/ns/user", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_ino != other.st_ino;
}

int namespace_enter_mount(struct err *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return err_errno(err, "cannot make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_errno(err, "cannot cut the mount namespace off");
	return 0;
}
