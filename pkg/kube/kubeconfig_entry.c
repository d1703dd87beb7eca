/* SPDX-License-Identifier: Apache-2.0 */
/* Finding an entry in the files, and reading its members. */
#include "pkg/kube/kubeconfig_internal.h"

#include <errno.h>
#include <string.h>
#include "pkg/base/base64.h"
#include "pkg/base/options.h"

/* Names in a hint; the rest is counted. */
#define NAMES_SHOWN 12

static const cJSON *list_of(const struct kubeconfig_file *file, const char *kind)
{
	const cJSON *list;

	if (strcmp(kind, "cluster") == 0)
		list = json_member(file->document, "clusters");
	else if (strcmp(kind, "user") == 0)
		list = json_member(file->document, "users");
	else
		list = json_member(file->document, "contexts");
	return cJSON_IsArray(list) ? list : NULL;
}

const char *kubeconfig_current_context(const struct kubeconfig_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		const char *name = NULL;
		const cJSON *node = json_member(files->items[i].document, "current-context");

		if (cJSON_IsString(node))
			name = node->valuestring;
		if (name && *name)
			return name;
	}
	return NULL;
}

bool kubeconfig_has_any(const struct kubeconfig_files *files, const char *kind)
{
	for (size_t i = 0; i < files->count; i++) {
		const cJSON *list = list_of(&files->items[i], kind);

		if (list && list->child)
			return true;
	}
	return false;
}

/* All names of a kind, borrowed, in an array that is owned; NULL when there is none. */
static const char **all_names(const struct kubeconfig_files *files, const char *kind,
                              size_t *ret_count)
{
	const char **names = NULL;
	size_t count = 0;

	for (size_t i = 0; i < files->count; i++) {
		const cJSON *item, *list = list_of(&files->items[i], kind);

		cJSON_ArrayForEach (item, list) {
			const char *name = json_string(item, "name");
			const char **grown =
				name && *name ? reallocarray(names, count + 1, sizeof(*names))
					      : NULL;

			if (!grown)
				continue;
			names = grown;
			names[count++] = name;
		}
	}
	*ret_count = count;
	return names;
}

void kubeconfig_hint_names(const struct kubeconfig_files *files, const char *kind, const char *near,
                           struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(sizeof(err->hint) - 1);
	size_t count = 0;
	_cleanup_free_ const char **names = all_names(files, kind, &count);
	const char *nearest = near && count ? nearest_name(near, names, count) : NULL;

	if (!count)
		return;
	if (nearest)
		strbuf_addf(&text, "did you mean '%s'? ", nearest);
	strbuf_adds(&text, "there are: ");
	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : "", names[i]);
	if (count > NAMES_SHOWN)
		strbuf_addf(&text, " and %zu more", count - NAMES_SHOWN);
	err_hint(err, "%s", strbuf_str(&text));
}

int kubeconfig_find(const struct kubeconfig_files *files, const char *kind, const char *name,
                    struct kubeconfig_entry *ret, struct err *err)
{
	for (size_t i = 0; i < files->count; i++) {
		const cJSON *item, *list = list_of(&files->items[i], kind);

		cJSON_ArrayForEach (item, list) {
			const char *found = json_string(item, "name");
			const cJSON *body = json_member(item, kind);

			if (!found || strcmp(found, name) != 0)
				continue;
			*ret = (struct kubeconfig_entry){
				.kind = kind,
				.name = found,
				.body = cJSON_IsObject(body) ? body : NULL,
				.file = &files->items[i],
			};
			return 0;
		}
	}
	err_set(err, ERR_USAGE, "the %s '%.200s' does not exist in %s", kind, name,
	        files->count ? files->origin : "any kubeconfig: there is none");
	kubeconfig_hint_names(files, kind, name, err);
	return -1;
}

int kubeconfig_wrap(const struct kubeconfig_entry *entry, struct err *err)
{
	return err_wrap(err, "%s: %s '%.200s'", entry->file->path, entry->kind, entry->name);
}

int kubeconfig_text(const struct kubeconfig_entry *entry, const char *key, const char **ret,
                    struct err *err)
{
	const cJSON *node = json_member(entry->body, key);

	*ret = NULL;
	if (!node || cJSON_IsNull(node))
		return 0;
	if (!cJSON_IsString(node)) {
		err_set(err, ERR_PROTOCOL, "'%s' is not a string", key);
		return err_hint(err, "put it in quotes: unquoted y, no, on, 1 and the like are "
		                     "booleans and numbers in YAML");
	}
	*ret = *node->valuestring ? node->valuestring : NULL;
	return 0;
}

int kubeconfig_true(const struct kubeconfig_entry *entry, const char *key, bool *ret,
                    struct err *err)
{
	const cJSON *node = json_member(entry->body, key);

	if (node && !cJSON_IsNull(node) && !cJSON_IsBool(node))
		return err_set(err, ERR_PROTOCOL, "'%s' is neither true nor false", key);
	*ret = cJSON_IsTrue(node);
	return 0;
}

int kubeconfig_copy(const struct kubeconfig_entry *entry, const char *key, char **ret,
                    struct err *err)
{
	const char *text;

	if (kubeconfig_text(entry, key, &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : err_no_memory(err);
}

int kubeconfig_path(const struct kubeconfig_entry *entry, const char *key, char **ret,
                    struct err *err)
{
	_cleanup_free_ char *path = NULL;
	const char *text;

	if (kubeconfig_text(entry, key, &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	path = kubeconfig_absolute(entry->file->folder, text);
	if (!path)
		return err_no_memory(err);
	if (access(path, R_OK) < 0)
		return err_set(err, ERR_USAGE, "%s: %.300s: %s", key, path, strerror(errno));
	*ret = TAKE_PTR(path);
	return 0;
}

int kubeconfig_data(const struct kubeconfig_entry *entry, const char *key, char **ret,
                    struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf data = STRBUF_INIT;
	const char *text;

	if (kubeconfig_text(entry, key, &text, err) < 0)
		return -1;
	if (!text)
		return 0;
	if (base64_decode(text, true, &data) < 0)
		return err_set(err, ERR_USAGE, "'%s' is not base64", key);
	if (data.failed)
		return err_no_memory(err);
	if (!data.length || memchr(data.data, '\0', data.length))
		return err_set(err, ERR_USAGE, "'%s' is not PEM text in base64", key);
	*ret = strbuf_take(&data);
	return 0;
}

int kubeconfig_file_or_data(const struct kubeconfig_entry *entry, const char *file_key,
                            char **ret_file, char **ret_data, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf data_key = STRBUF_INIT;
	const char *file, *data;

	strbuf_addf(&data_key, "%s-data", file_key);
	if (data_key.failed)
		return err_no_memory(err);
	if (kubeconfig_text(entry, file_key, &file, err) < 0 ||
	    kubeconfig_text(entry, data_key.data, &data, err) < 0)
		return -1;
	if (file && data)
		return err_set(err, ERR_USAGE, "both '%s' and '%s' are set, only one may be",
		               file_key, data_key.data);
	if (data)
		return kubeconfig_data(entry, data_key.data, ret_data, err);
	return kubeconfig_path(entry, file_key, ret_file, err);
}
