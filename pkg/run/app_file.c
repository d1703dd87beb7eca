/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/run/app_file.h"

static bool is_not_there(const struct err *err)
{
	switch (err->kind) {
	case ERR_NOT_FOUND:
	case ERR_DENIED:
	case ERR_CONFLICT:
	case ERR_REFUSED: /* what Docker says when a parent folder is a file */
		return true;
	default:
		return false;
	}
}

static int full_path(const struct release *release, const char *path, struct strbuf *full,
                     struct err *err)
{
	const char *told = json_string(release->document, "Config.WorkingDir");
	const char *folder = release->workdir ? release->workdir : told;

	if (*path != '/') {
		strbuf_adds(full, folder && *folder ? folder : "/");
		if (!full->failed && full->data[full->length - 1] != '/')
			strbuf_addc(full, '/');
	}
	strbuf_adds(full, path);
	return full->failed ? err_no_memory(err) : 0;
}

int app_file_read(struct backend *backend, const struct release *release, const char *path,
                  size_t cap, struct strbuf *ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf full = STRBUF_INIT;
	struct err failure = ERR_INIT;

	if (!(backend->ops->capabilities & BACKEND_READS_FILES))
		return 0;
	if (full_path(release, path, &full, err) < 0)
		return -1;
	if (backend->ops->read_file(backend, release, strbuf_str(&full), cap, ret, &failure) == 0)
		return 1;
	if (is_not_there(&failure))
		return 0;
	*err = failure;
	return err_wrap(err, "look for %s", strbuf_str(&full));
}
