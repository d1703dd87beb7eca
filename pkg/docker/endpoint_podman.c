/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/endpoint_internal.h"

#include <string.h>
#include <sys/stat.h>

#define PODMAN_SOCKET "/run/podman/podman.sock"

/* True for a socket that we could connect to; any other is as good as none, since podman runs
 * without a daemon, too. */
static bool is_usable(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISSOCK(status.st_mode) && access(path, W_OK) == 0;
}

static int use_socket(const char *path, struct endpoint *ret, struct err *err)
{
	_cleanup_free_ char *url = endpoint_format("unix://%s", path);

	if (!url)
		return err_no_memory(err);
	return endpoint_from_setting("podman's socket", url, true, ENDPOINT_PLAIN, ret, err);
}

/* The socket of a user other than root. */
static char *rootless_socket(const struct endpoint_settings *settings)
{
	const char *folder = endpoint_setting(settings, "XDG_RUNTIME_DIR");

	if (folder && *folder == '/')
		return endpoint_format("%s/podman/podman.sock", folder);
	return endpoint_format("/run/user/%u/podman/podman.sock", settings->user_id);
}

bool endpoint_podman_was_used(const struct endpoint_settings *settings)
{
	static const char *const databases[] = {"libpod/bolt_state.db", "db.sql"};
	const char *data = endpoint_setting(settings, "XDG_DATA_HOME");
	const char *home = endpoint_setting(settings, "HOME");
	bool used = false;

	for (size_t i = 0; i < ARRAY_SIZE(databases) && !used; i++) {
		_cleanup_free_ char *path = NULL;

		if (settings->user_id == 0)
			path = endpoint_format("/var/lib/containers/storage/%s", databases[i]);
		else if (data && *data == '/')
			path = endpoint_format("%s/containers/storage/%s", data, databases[i]);
		else if (home && *home == '/')
			path = endpoint_format("%s/.local/share/containers/storage/%s", home,
			                       databases[i]);
		used = path && access(path, F_OK) == 0;
	}
	return used;
}

int endpoint_podman(const struct endpoint_settings *settings, struct endpoint *ret, struct err *err)
{
	const char *url = endpoint_setting(settings, "CONTAINER_HOST");

	if (settings->host_option && *settings->host_option)
		return endpoint_from_setting("-H", settings->host_option, true, ENDPOINT_PLAIN, ret,
		                             err);
	if (url)
		return endpoint_from_setting("CONTAINER_HOST", url, true, ENDPOINT_PLAIN, ret, err);
	if (settings->user_id != 0) {
		_cleanup_free_ char *path = rootless_socket(settings);

		if (!path)
			return err_no_memory(err);
		if (is_usable(path))
			return use_socket(path, ret, err);
	}
	if (is_usable(PODMAN_SOCKET))
		return use_socket(PODMAN_SOCKET, ret, err);
	err_set(err, ERR_UNREACHABLE, "no podman socket");
	return err_hint(err, "systemctl --user start podman.socket, or set CONTAINER_HOST");
}
