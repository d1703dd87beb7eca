/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layer_internal.h"

#include <errno.h>
#include <string.h>

#define NANOSECONDS 1000000000L

const char *layer_path_parent(const struct layer_path *path)
{
	return path->name_at ? strbuf_str(&path->text) : "";
}

const char *layer_path_name(const struct layer_path *path)
{
	return strbuf_str(&path->text) + path->name_at;
}

static void pop_component(struct strbuf *text)
{
	const char *slash = text->length ? memrchr(text->data, '/', text->length) : NULL;

	if (text->length) {
		text->length = slash ? (size_t)(slash - text->data) : 0;
		text->data[text->length] = '\0';
	}
}

static int push_component(struct strbuf *text, const char *component, size_t length,
                          struct err *err)
{
	if (!length || (length == 1 && component[0] == '.'))
		return 0;
	if (length == 2 && !memcmp(component, "..", 2)) {
		pop_component(text);
		return 0;
	}
	if (length > LAYER_NAME_MAX)
		return err_set(err, ERR_REFUSED, "a name of %zu bytes (at most %zu)", length,
		               LAYER_NAME_MAX);
	if (text->length)
		strbuf_addc(text, '/');
	strbuf_add(text, component, length);
	return text->failed ? err_no_memory(err) : 0;
}

int layer_path_clean(struct layer_path *path, const char *raw, struct err *err)
{
	size_t length = strlen(raw);
	char *slash;

	if (length > LAYER_PATH_MAX)
		return err_set(err, ERR_REFUSED, "a path of %zu bytes (at most %zu)", length,
		               LAYER_PATH_MAX);
	strbuf_reset(&path->text);
	path->name_at = 0;
	while (*raw) {
		size_t component = strcspn(raw, "/");

		if (push_component(&path->text, raw, component, err) < 0)
			return -1;
		raw += component + (raw[component] == '/');
	}
	slash = path->text.length ? strrchr(path->text.data, '/') : NULL;
	if (slash) {
		*slash = '\0';
		path->name_at = (size_t)(slash + 1 - path->text.data);
	}
	return 0;
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* What aufs kept for itself, in whatever folder. */
static bool is_aufs(const char *parent)
{
	while (*parent) {
		if (begins(parent, LAYER_WHITEOUT_PREFIX LAYER_WHITEOUT_PREFIX))
			return true;
		parent += strcspn(parent, "/");
		parent += *parent == '/';
	}
	return false;
}

/* image-spec layer.md, Whiteouts: only the last component can be one. */
static int find_whiteout(const struct layer_path *path, enum layer_whiteout *ret, struct err *err)
{
	const char *name = layer_path_name(path);

	*ret = LAYER_NO_WHITEOUT;
	if (is_aufs(layer_path_parent(path)))
		*ret = LAYER_IGNORED;
	if (*ret == LAYER_IGNORED || !begins(name, LAYER_WHITEOUT_PREFIX))
		return 0;
	name += strlen(LAYER_WHITEOUT_PREFIX);
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return err_set(err, ERR_REFUSED, "a whiteout that names no file");
	if (!strcmp(name, LAYER_WHITEOUT_PREFIX ".opq"))
		*ret = LAYER_OPAQUE;
	else if (begins(name, LAYER_WHITEOUT_PREFIX))
		*ret = LAYER_IGNORED;
	else
		*ret = LAYER_WHITEOUT;
	return 0;
}

/* Headers of hard links may carry any. */
static bool is_type(mode_t type)
{
	static const mode_t types[] = {0,       S_IFREG, S_IFDIR, S_IFLNK,
	                               S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (type == types[i])
			return true;
	return false;
}

static int read_owner(int64_t number, uint32_t *ret, struct err *err)
{
	/* -1 means "unchanged" to chown. */
	if (number < 0 || number >= UINT32_MAX)
		return err_set(err, ERR_REFUSED, "an owner beyond 32 bits");
	*ret = (uint32_t)number;
	return 0;
}

static int read_links(struct layer_entry *entry, struct err *err)
{
	const char *target = entry->hard_link ? entry->hard_link : entry->symlink;

	/* No type and no other name: a hard link to nothing. */
	if (!target && entry->type && entry->type != S_IFLNK)
		return 0;
	if (!target || !*target)
		return err_set(err, ERR_REFUSED, "a link without a target");
	if (strlen(target) > LAYER_TARGET_MAX)
		return err_set(err, ERR_REFUSED, "a link's target of %zu bytes (at most %zu)",
		               strlen(target), LAYER_TARGET_MAX);
	return 0;
}

/* Nanoseconds beyond a second would mean "now" or "leave" to utimensat. */
static struct timespec read_time(time_t seconds, long nanoseconds)
{
	if (nanoseconds < 0 || nanoseconds >= NANOSECONDS)
		nanoseconds = 0;
	return (struct timespec){.tv_sec = seconds, .tv_nsec = nanoseconds};
}

static void read_times(const struct archive_library *library, struct archive_entry *from,
                       struct layer_entry *entry)
{
	entry->times[1] = read_time(library->archive_entry_mtime(from),
	                            library->archive_entry_mtime_nsec(from));
	entry->times[0] = entry->times[1];
	if (library->archive_entry_atime_is_set(from))
		entry->times[0] = read_time(library->archive_entry_atime(from),
		                            library->archive_entry_atime_nsec(from));
}

static void read_type(const struct archive_library *library, struct archive_entry *from,
                      const char *raw, struct layer_entry *entry)
{
	entry->hard_link = library->archive_entry_hardlink(from);
	entry->symlink = NULL;
	entry->type = entry->hard_link ? 0 : library->archive_entry_filetype(from);
	/* Old tars write folders so; libarchive looks only where the locale knows the name. */
	if (entry->type == S_IFREG && *raw && raw[strlen(raw) - 1] == '/')
		entry->type = S_IFDIR;
	if (entry->type == S_IFLNK)
		entry->symlink = library->archive_entry_symlink(from);
}

int layer_entry_read(const struct archive_library *library, struct archive_entry *from,
                     struct layer_entry *entry, struct err *err)
{
	const char *raw = library->archive_entry_pathname(from);
	int64_t size = library->archive_entry_size(from);

	if (!raw)
		return err_set(err, ERR_PROTOCOL, "an entry without a name");
	entry->archive_entry = from;
	read_type(library, from, raw, entry);
	if (layer_path_clean(&entry->path, raw, err) < 0 ||
	    find_whiteout(&entry->path, &entry->whiteout, err) < 0 || read_links(entry, err) < 0)
		return -1;
	if (read_owner(library->archive_entry_uid(from), &entry->user, err) < 0 ||
	    read_owner(library->archive_entry_gid(from), &entry->group, err) < 0)
		return -1;
	if (size < 0 || !is_type(entry->type))
		return err_set(err, ERR_REFUSED, "a size or a type that is none");
	entry->size = entry->type == S_IFREG ? (uint64_t)size : 0;
	entry->mode = library->archive_entry_perm(from) & 07777;
	read_times(library, from, entry);
	return 0;
}
