/* SPDX-License-Identifier: Apache-2.0 */
/* Which files count, and whether they have the shape of a kubeconfig. */
#include "pkg/kube/kubeconfig_internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include "pkg/json/yaml.h"

static const struct {
	const char *list, *body;
} sections[] = {
	{"clusters", "cluster"},
	{"users", "user"},
	{"contexts", "context"},
};

static void file_release(struct kubeconfig_file *file)
{
	free(file->path);
	free(file->folder);
	json_free(&file->document);
}

void kubeconfig_files_release(struct kubeconfig_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		file_release(&files->items[i]);
	free(files->items);
	free(files->origin);
	memset(files, 0, sizeof(*files));
}

const char *kubeconfig_environment(const struct kubeconfig_settings *settings, const char *name)
{
	const char *value = settings->get ? settings->get(settings->get_context, name) : NULL;

	return value && *value ? value : NULL;
}

char *kubeconfig_absolute(const char *folder, const char *path)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (*path != '/')
		strbuf_addf(&text, "%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/");
	strbuf_adds(&text, path);
	return text.failed ? NULL : strbuf_take(&text);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* kubectl refuses a name that a file has twice. */
static int check_unique(const cJSON *list, const char *kind, struct err *err)
{
	_cleanup_free_ const char **names = NULL;
	size_t count = 0;
	const cJSON *item;

	names = reallocarray(NULL, (size_t)cJSON_GetArraySize(list) + 1, sizeof(*names));
	if (!names)
		return err_no_memory(err);
	cJSON_ArrayForEach (item, list) {
		const char *name = json_string(item, "name");

		names[count++] = name ? name : "";
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(names[i - 1], names[i]) == 0)
			return err_set(err, ERR_PROTOCOL, "the %s '%.200s' stands there twice",
			               kind, names[i]);
	}
	return 0;
}

static int check_item(const cJSON *item, const char *kind, struct err *err)
{
	const cJSON *name = json_member(item, "name"), *body = json_member(item, kind);

	if (!cJSON_IsObject(item))
		return err_set(err, ERR_PROTOCOL, "a %s is not a mapping", kind);
	if (name && !cJSON_IsNull(name) && !cJSON_IsString(name)) {
		err_set(err, ERR_PROTOCOL, "the name of a %s is not a string", kind);
		return err_hint(err, "put it in quotes: unquoted y, no, on, 1 and the like are "
		                     "booleans and numbers in YAML");
	}
	if (body && !cJSON_IsNull(body) && !cJSON_IsObject(body))
		return err_set(err, ERR_PROTOCOL, "a '%s' is not a mapping", kind);
	return 0;
}

static int check_list(const cJSON *document, const char *key, const char *kind, struct err *err)
{
	const cJSON *list = json_member(document, key), *item;

	if (!list || cJSON_IsNull(list))
		return 0;
	if (!cJSON_IsArray(list))
		return err_set(err, ERR_PROTOCOL, "'%s' is not a list", key);
	cJSON_ArrayForEach (item, list)
		if (check_item(item, kind, err) < 0)
			return -1;
	return check_unique(list, kind, err);
}

/* A string member that is missing, null, "" or `wanted`; any when that is NULL. */
static int check_word(const cJSON *document, const char *key, const char *wanted, struct err *err)
{
	const cJSON *node = json_member(document, key);

	if (!node || cJSON_IsNull(node))
		return 0;
	if (!cJSON_IsString(node))
		return err_set(err, ERR_PROTOCOL, "'%s' is not a string", key);
	if (wanted && *node->valuestring && strcmp(node->valuestring, wanted) != 0)
		return err_set(err, ERR_PROTOCOL, "'%s' is '%.100s', not '%s'", key,
		               node->valuestring, wanted);
	return 0;
}

static int check_document(const cJSON *document, struct err *err)
{
	if (cJSON_IsNull(document))
		return 0;
	if (!cJSON_IsObject(document))
		return err_set(err, ERR_PROTOCOL, "it is not a mapping");
	if (check_word(document, "kind", "Config", err) < 0 ||
	    check_word(document, "apiVersion", "v1", err) < 0 ||
	    check_word(document, "current-context", NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (check_list(document, sections[i].list, sections[i].body, err) < 0)
			return -1;
	}
	return 0;
}

static int locate_file(const char *path, struct kubeconfig_file *file, struct err *err)
{
	char here[PATH_MAX] = "/";
	const char *slash;

	if (*path != '/' && !getcwd(here, sizeof(here)))
		return err_errno(err, "the current folder");
	file->path = kubeconfig_absolute(here, path);
	if (!file->path)
		return err_no_memory(err);
	slash = strrchr(file->path, '/');
	file->folder = strndup(file->path, slash == file->path ? 1 : (size_t)(slash - file->path));
	return file->folder ? 0 : err_no_memory(err);
}

static int parse_file(struct kubeconfig_file *file, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (kubeconfig_read_file(file->path, KUBECONFIG_MAX_BYTES, &text, err) < 0)
		return -1;
	if (yaml_parse(strbuf_str(&text), text.length, KUBECONFIG_MAX_BYTES, &file->document, err) <
	            0 ||
	    check_document(file->document, err) < 0)
		return err_wrap(err, "%s", file->path);
	return 0;
}

/* Adds a file, unless it is there already, or is missing and need not exist. */
static int add_file(struct kubeconfig_files *files, const char *path, bool must_exist,
                    struct err *err)
{
	struct kubeconfig_file file = {.path = NULL};
	struct kubeconfig_file *grown;
	int result = locate_file(path, &file, err);

	for (size_t i = 0; result == 0 && i < files->count; i++)
		result = strcmp(files->items[i].path, file.path) == 0;
	if (result == 0)
		result = parse_file(&file, err);
	if (result < 0 && err->kind == ERR_SYSTEM && err->os_errno == ENOENT && !must_exist)
		result = 1;
	else if (result < 0 && err->kind == ERR_SYSTEM && must_exist)
		err->kind = ERR_USAGE;
	grown = result == 0 ? reallocarray(files->items, files->count + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		file_release(&file);
		return result == 0 ? err_no_memory(err) : result < 0 ? -1 : 0;
	}
	files->items = grown;
	files->items[files->count++] = file;
	return 0;
}

static int add_listed(struct kubeconfig_files *files, const char *list, struct err *err)
{
	while (*list) {
		size_t length = strcspn(list, ":");
		_cleanup_free_ char *path = strndup(list, length);

		if (!path)
			return err_no_memory(err);
		if (length && add_file(files, path, false, err) < 0)
			return -1;
		list += length + (list[length] == ':');
	}
	return 0;
}

static int add_default(struct kubeconfig_files *files, const char *home, struct err *err)
{
	_cleanup_free_ char *path = kubeconfig_absolute(home, ".kube/config");

	return path ? add_file(files, path, false, err) : err_no_memory(err);
}

static int name_origin(struct kubeconfig_files *files, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (files->count == 1)
		strbuf_adds(&text, files->items[0].path);
	for (size_t i = 0; files->count > 1 && i < files->count; i++)
		strbuf_addf(&text, "%s%s", i ? ":" : "KUBECONFIG (", files->items[i].path);
	if (files->count > 1)
		strbuf_addc(&text, ')');
	files->origin = text.failed ? NULL : strdup(strbuf_str(&text));
	return files->origin ? 0 : err_no_memory(err);
}

int kubeconfig_files_read(const struct kubeconfig_settings *settings, struct kubeconfig_files *ret,
                          struct err *err)
{
	_cleanup_(kubeconfig_files_release) struct kubeconfig_files files = {.items = NULL};
	const char *list = kubeconfig_environment(settings, "KUBECONFIG");
	const char *home = kubeconfig_environment(settings, "HOME");
	int result = 0;

	if (settings->kubeconfig && *settings->kubeconfig)
		result = add_file(&files, settings->kubeconfig, true, err);
	else if (list)
		result = add_listed(&files, list, err);
	else if (home)
		result = add_default(&files, home, err);
	if (result < 0 || name_origin(&files, err) < 0)
		return -1;
	*ret = files;
	files = (struct kubeconfig_files){.items = NULL};
	return 0;
}
