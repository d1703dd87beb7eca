/* SPDX-License-Identifier: Apache-2.0 */
/* Which docker contexts there are, for completion. */
#include <dirent.h>
#include "pkg/docker/endpoint_internal.h"
#include "pkg/json/json.h"

#define CONTEXTS_MAX 200

/* One folder per context, called after the hash of its name; meta.json tells the name itself. */
static int add_name(const char *folder, const char *hash, struct strv *ret, struct err *err)
{
	_cleanup_free_ char *path = endpoint_format("%s/contexts/meta/%s/meta.json", folder, hash);
	_cleanup_(json_free) cJSON *document = NULL;
	struct err ignored = ERR_INIT;
	const char *name;

	if (!path)
		return err_no_memory(err);
	if (docker_config_load(path, &document, &ignored) < 0)
		return 0; /* a broken one does not hide the others */
	name = json_string(document, "Name");
	return name && *name && strv_add(ret, name) < 0 ? err_no_memory(err) : 0;
}

int docker_context_names(const struct endpoint_settings *settings, struct strv *ret,
                         struct err *err)
{
	_cleanup_(docker_config_release) struct docker_config config = DOCKER_CONFIG_INIT;
	_cleanup_free_ char *path = NULL;
	const struct dirent *entry;
	int result = 0;
	DIR *folder;

	if (docker_config_read(settings, &config, err) < 0)
		return -1;
	if (!config.folder)
		return 0;
	path = endpoint_format("%s/contexts/meta", config.folder);
	if (!path)
		return err_no_memory(err);
	folder = opendir(path);
	if (!folder)
		return 0;
	while (result == 0 && ret->count < CONTEXTS_MAX && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			result = add_name(config.folder, entry->d_name, ret, err);
	closedir(folder);
	return result;
}
