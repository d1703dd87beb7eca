/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/endpoint.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>

static int set_missing(const char *path, const char *what, struct err *err)
{
	err_set(err, ERR_UNREACHABLE, "%s: %s", path, what);
	return err_hint(err,
	                "is the engine running? If it is elsewhere, name it by -H, or see "
	                "`%s`",
	                strstr(path, "podman") ? "systemctl --user status podman.socket"
	                                       : "docker context ls");
}

/* Who may connect is in the socket's mode: tell how to become one of them. */
static int set_denied(const char *path, const struct stat *status, struct err *err)
{
	const struct group *group = NULL;

	err_set(err, ERR_DENIED, "%s: we may not connect to it", path);
	if (!status || !(status->st_mode & S_IWGRP) || status->st_gid == 0)
		return err_hint(err, "use sudo");
	group = getgrgid(status->st_gid);
	if (group)
		return err_hint(err, "add yourself to the group %s, or use sudo", group->gr_name);
	return err_hint(err, "add yourself to the group %u, or use sudo", status->st_gid);
}

int endpoint_check_socket(const struct endpoint *endpoint, unsigned user_id, struct err *err)
{
	const char *path = endpoint->socket_path;
	struct stat status;

	if (endpoint->kind != ENDPOINT_UNIX)
		return 0;
	if (stat(path, &status) < 0) {
		if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
			return set_missing(path, "there is no such socket", err);
		if (errno == EACCES)
			return set_denied(path, NULL, err);
		return err_errno(err, "%s", path);
	}
	if (!S_ISSOCK(status.st_mode))
		return set_missing(path, "it is no socket", err);
	if (status.st_uid != 0 && status.st_uid != user_id) {
		err_set(err, ERR_DENIED, "%s: it belongs to user %u, neither to root nor to you",
		        path, status.st_uid);
		return err_hint(err, "whoever owns the socket would get the task's environment "
		                     "and input; run oneoff as that user");
	}
	if (access(path, W_OK) < 0) {
		if (errno == EACCES || errno == EPERM)
			return set_denied(path, &status, err);
		return err_errno(err, "%s", path);
	}
	return 0;
}
