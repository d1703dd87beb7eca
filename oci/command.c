/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum finding {
	FINDING_GOOD, /* or not to be told */
	FINDING_MISSING,
	FINDING_FOLDER,
	FINDING_NO_RIGHT,
};

static enum finding look(int root_fd, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	_cleanup_fd_ int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	struct stat info;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? FINDING_MISSING : FINDING_GOOD;
	if (fstat(fd, &info) < 0)
		return FINDING_GOOD;
	if (S_ISDIR(info.st_mode))
		return FINDING_FOLDER;
	return info.st_mode & 0111 ? FINDING_GOOD : FINDING_NO_RIGHT;
}

static const char *variable(const cJSON *config, const char *name)
{
	size_t length = strlen(name);
	const cJSON *item;

	cJSON_ArrayForEach (item, json_at(config, "process.env")) {
		const char *text = cJSON_GetStringValue(item);

		if (text && !strncmp(text, name, length) && text[length] == '=')
			return text + length + 1;
	}
	return NULL;
}

/* As execvp(3): the first folder that has it, and one that may not be executed only if none is better. */
static enum finding look_in_path(int root_fd, const char *search, const char *cwd, const char *name)
{
	enum finding best = FINDING_MISSING;
	char path[4096];

	while (*search) {
		size_t length = strcspn(search, ":");
		enum finding finding;

		snprintf(path, sizeof(path), "%s%s%.*s/%s", *search == '/' ? "" : cwd,
		         *search == '/' ? "" : "/", (int)length, search, name);
		finding = look(root_fd, path);
		if (finding == FINDING_GOOD)
			return finding;
		if (finding == FINDING_NO_RIGHT)
			best = finding;
		search += length;
		search += *search == ':';
	}
	return best;
}

static int tell(enum finding finding, const char *name, struct err *err)
{
	switch (finding) {
	case FINDING_MISSING:
		err_set(err, ERR_COMMAND_NOT_FOUND, "there is no command '%s' in the app's image",
		        name);
		return err_hint(err, "%s",
		                strchr(name, '/') ? "the path is one inside of the container"
		                                  : "it is looked for in the app's own PATH");
	case FINDING_FOLDER:
		return err_set(err, ERR_CANNOT_EXECUTE, "'%s' is a folder", name);
	case FINDING_NO_RIGHT:
		return err_set(err, ERR_CANNOT_EXECUTE, "'%s' may not be executed", name);
	default:
		return 0;
	}
}

int command_check(int root_fd, const cJSON *config, struct err *err)
{
	const char *name = json_string(config, "process.args[0]");
	const char *cwd = json_string(config, "process.cwd");
	const char *search = variable(config, "PATH");
	enum finding finding = FINDING_GOOD;
	char path[4096];

	if (!name || !*name || root_fd < 0 || !cwd)
		return 0;
	if (strchr(name, '/')) {
		snprintf(path, sizeof(path), "%s/%s", *name == '/' ? "" : cwd, name);
		finding = look(root_fd, path);
	} else if (search && *search) {
		finding = look_in_path(root_fd, search, cwd, name);
	}
	return tell(finding, name, err);
}
