/* SPDX-License-Identifier: Apache-2.0 */
/* Which files count, and reading them. */
#include "pkg/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "pkg/base/number.h"
#include "pkg/json/yaml.h"

#define WITHOUT "ONEOFF_CONFIG=none goes without config files"

void config_file_release(struct config_file *file)
{
	free(file->path);
	json_free(&file->document);
	memset(file, 0, sizeof(*file));
}

void config_release(struct config *config)
{
	for (size_t i = 0; i < config->count; i++)
		config_file_release(&config->files[i]);
	config->count = 0;
}

int config_parse(const char *text, size_t length, const char *path, bool project,
                 struct config_file *ret, struct err *err)
{
	_cleanup_(json_free) cJSON *document = NULL;

	if (yaml_parse(text, length, CONFIG_MAX_BYTES, &document, err) < 0) {
		err_wrap(err, "%s", path);
		return -1;
	}
	if (!cJSON_IsObject(document) && !cJSON_IsNull(document)) {
		err_set(err, ERR_USAGE, "%s: not a mapping of options", path);
		return err_hint(err, "write a line for each default: timeout: 1h");
	}
	ret->path = strdup(path);
	if (!ret->path)
		return err_no_memory(err);
	ret->project = project;
	ret->document = TAKE_PTR(document);
	return 0;
}

/* A project's file may lie in a folder where others can put one, such as /tmp. */
static int check_owner(const struct config_settings *settings, const struct stat *info,
                       const char *path, struct err *err)
{
	const char *sudo =
		settings->user == 0 ? settings->get(settings->get_context, "SUDO_UID") : NULL;
	int64_t behind = -1;

	if (sudo && parse_int64(sudo, 0, UINT32_MAX, &behind) < 0)
		behind = -1;
	if (info->st_uid != settings->user && info->st_uid != 0 && (int64_t)info->st_uid != behind)
		err_set(err, ERR_USAGE, "%s: it belongs to another user", path);
	else if (info->st_mode & S_IWOTH)
		err_set(err, ERR_USAGE, "%s: everybody may write to it", path);
	else
		return 0;
	return err_hint(err, WITHOUT);
}

static int read_text(int fd, const char *path, struct strbuf *text, struct err *err)
{
	char chunk[16384];
	ssize_t got;

	do {
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno != EINTR)
			return err_errno(err, "%s", path);
		if (got > 0)
			strbuf_add(text, chunk, (size_t)got);
		if (text->failed)
			return err_set(err, ERR_USAGE, "%s: larger than %zu KiB", path,
			               CONFIG_MAX_BYTES >> 10);
	} while (got);
	return 0;
}

/* Adds the file, if it is there: 1, else 0. */
static int add_file(const struct config_settings *settings, const char *path, bool project,
                    struct config *config, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(CONFIG_MAX_BYTES);
	/* a FIFO or a device must not hold us up */
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &info) < 0) {
		err_errno(err, "%s", path);
		return err_hint(err, WITHOUT);
	}
	if (!S_ISREG(info.st_mode)) {
		err_set(err, ERR_USAGE, "%s: not a regular file", path);
		return err_hint(err, WITHOUT);
	}
	if (project && check_owner(settings, &info, path, err) < 0)
		return -1;
	if (read_text(fd, path, &text, err) < 0 ||
	    config_parse(strbuf_str(&text), text.length, path, project,
	                 &config->files[config->count], err) < 0)
		return -1;
	config->count++;
	return 1;
}

static const char *variable(const struct config_settings *settings, const char *name)
{
	const char *value = settings->get(settings->get_context, name);

	return value && *value ? value : NULL;
}

static int add_own(const struct config_settings *settings, struct config *config, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
	const char *folder = variable(settings, "XDG_CONFIG_HOME");
	const char *home = variable(settings, "HOME");

	/* the base directory specification has relative paths ignored */
	if (folder && *folder == '/')
		strbuf_addf(&path, "%s/oneoff/config.yaml", folder);
	else if (home && *home == '/')
		strbuf_addf(&path, "%s/.config/oneoff/config.yaml", home);
	else
		return 0;
	if (path.failed)
		return err_no_memory(err);
	return add_file(settings, strbuf_str(&path), false, config, err);
}

/* As git has it, the search ends where another file system is mounted. */
static bool same_file_system(const char *folder, dev_t *device, bool first)
{
	struct stat info;

	if (stat(*folder ? folder : "/", &info) < 0)
		return false;
	if (first)
		*device = info.st_dev;
	return info.st_dev == *device;
}

static int add_project(const struct config_settings *settings, struct config *config,
                       struct err *err)
{
	_cleanup_free_ char *folder = NULL;
	dev_t device = 0;
	bool first = true;

	if (!settings->folder || *settings->folder != '/')
		return 0;
	/* "/" is kept as "", so that a slash can be put behind it */
	folder = strdup(strcmp(settings->folder, "/") ? settings->folder : "");
	if (!folder)
		return err_no_memory(err);
	while (same_file_system(folder, &device, first)) {
		_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;
		int found;

		strbuf_addf(&path, "%s/%s", folder, CONFIG_PROJECT_NAME);
		if (path.failed)
			return err_no_memory(err);
		found = add_file(settings, strbuf_str(&path), true, config, err);
		if (found || !*folder)
			return found;
		*strrchr(folder, '/') = '\0';
		first = false;
	}
	return 0;
}

int config_find(const struct config_settings *settings, struct config *ret, struct err *err)
{
	const char *only = variable(settings, "ONEOFF_CONFIG");
	struct config config = {.count = 0};
	int status;

	if (only && !strcmp(only, "none")) {
		*ret = config;
		return 0;
	}
	if (only) {
		status = add_file(settings, only, false, &config, err);
		if (status == 0)
			status = err_set(err, ERR_USAGE, "ONEOFF_CONFIG: no file '%s'", only);
	} else {
		status = add_own(settings, &config, err);
		if (status >= 0)
			status = add_project(settings, &config, err);
	}
	if (status < 0) {
		config_release(&config);
		return -1;
	}
	*ret = config;
	return 0;
}
