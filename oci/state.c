/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "oci/file.h"
#include "pkg/base/number.h"
#include "pkg/base/options.h"
#include "pkg/json/json.h"

#define MAX_STATE_FILE ((size_t)4 << 20)
#define MAX_CONTAINERS 10000

void container_state_release(struct container_state *state)
{
	free(state->id);
	free(state->root);
	free(state->bundle);
	free(state->rootfs);
	free(state->cgroup);
	*state = (struct container_state){.id = NULL};
}

uint64_t process_start_time(pid_t pid)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct err ignored = ERR_INIT;
	unsigned long long start = 0;
	const char *behind_name;
	char path[64], state = 'X';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (pid <= 0 || file_read(AT_FDCWD, path, 4096, &text, &ignored) < 0)
		return 0;
	/* The name may hold blanks and brackets. */
	behind_name = strrchr(strbuf_str(&text), ')');
	if (!behind_name ||
	    sscanf(behind_name + 1,
	           " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
	           &state, &start) != 2)
		return 0;
	return state == 'Z' || state == 'X' ? 0 : start;
}

static bool is_folder(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int add_root(struct strv *roots, const char *folder, const char *runtime, struct err *err)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", folder, runtime) < 0) {
		path = NULL;
		return err_no_memory(err);
	}
	if (is_folder(path) && strv_add(roots, path) < 0)
		return err_no_memory(err);
	return 0;
}

int state_roots(const char *oci_root, struct strv *ret, struct err *err)
{
	static const char *const runtimes[] = {"crun", "runc", "youki"};
	const char *own = getenv("XDG_RUNTIME_DIR");

	if (oci_root) {
		if (!is_folder(oci_root)) {
			err_set(err, ERR_NOT_FOUND, "there is no state root '%s'", oci_root);
			return err_hint(err, "--oci-root is what the runtime got as --root");
		}
		return strv_add(ret, oci_root) < 0 ? err_no_memory(err) : 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		if (geteuid() == 0 && add_root(ret, "/run", runtimes[i], err) < 0)
			return -1;
		if (own && own[0] == '/' && add_root(ret, own, runtimes[i], err) < 0)
			return -1;
	}
	return 0;
}

static int copy(char **ret, const char *text, struct err *err)
{
	if (!text || !*text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : err_no_memory(err);
}

static void read_number(const cJSON *document, const char *path, int64_t maximum, int64_t *ret)
{
	int64_t number;

	if (json_int64(document, path, &number) == 0 && number >= 0 && number <= maximum)
		*ret = number;
}

/* runc keeps the bundle among labels of the form "KEY=VALUE". */
static const char *label_value(const cJSON *labels, const char *key)
{
	size_t length = strlen(key);
	const cJSON *item;

	cJSON_ArrayForEach (item, labels) {
		const char *text = cJSON_GetStringValue(item);

		if (text && !strncmp(text, key, length) && text[length] == '=')
			return text + length + 1;
	}
	return NULL;
}

struct state_names {
	const char *runtime;
	const char *pid, *start, *bundle, *rootfs, *cgroup;
};

/* Told apart by a member that only one of them has. */
static const struct state_names crun_names = {"crun",   "pid",    "process-start-time",
                                              "bundle", "rootfs", "cgroup-path"};
static const struct state_names runc_names = {"runc", "init_process_pid", "init_process_start",
                                              NULL,   "config.rootfs",    "config.cgroups.path"};
static const struct state_names youki_names = {"youki", "pid", NULL, "bundle", NULL, NULL};

int state_parse(const char *text, size_t length, struct container_state *ret, struct err *err)
{
	_cleanup_(container_state_release) struct container_state state = {.id = NULL};
	_cleanup_(json_free) cJSON *document = NULL;
	const struct state_names *names = NULL;
	int64_t pid = 0, start = 0;

	if (json_parse(text, length, MAX_STATE_FILE, &document, err) < 0)
		return -1;
	if (json_member(document, "process-start-time"))
		names = &crun_names;
	else if (json_member(document, "init_process_pid"))
		names = &runc_names;
	else if (json_member(document, "bundle"))
		names = &youki_names;
	else
		return err_set(err, ERR_PROTOCOL, "this is no state of crun, runc or youki");
	state.runtime = names->runtime;
	read_number(document, names->pid, INT32_MAX, &pid);
	if (names->start)
		read_number(document, names->start, INT64_MAX, &start);
	state.pid = (pid_t)pid;
	state.start_time = (uint64_t)start;
	if (copy(&state.bundle,
	         names->bundle ? json_string(document, names->bundle)
	                       : label_value(json_at(document, "config.labels"), "bundle"),
	         err) < 0 ||
	    (names->rootfs && copy(&state.rootfs, json_string(document, names->rootfs), err) < 0) ||
	    (names->cgroup && copy(&state.cgroup, json_string(document, names->cgroup), err) < 0))
		return -1;
	if (!state.bundle || state.bundle[0] != '/')
		return err_set(err, ERR_PROTOCOL, "the state names no bundle");
	*ret = state;
	state = (struct container_state){.id = NULL};
	return 0;
}

static int state_read(const char *root, const char *id, struct container_state *ret,
                      struct err *err)
{
	_cleanup_(container_state_release) struct container_state state = {.id = NULL};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *crun = NULL, *runc = NULL;
	uint64_t now;

	if (asprintf(&crun, "%s/%s/status", root, id) < 0)
		crun = NULL;
	if (asprintf(&runc, "%s/%s/state.json", root, id) < 0)
		runc = NULL;
	if (!crun || !runc)
		return err_no_memory(err);
	if (file_read(AT_FDCWD, crun, MAX_STATE_FILE, &text, err) < 0 &&
	    (err->kind != ERR_NOT_FOUND ||
	     file_read(AT_FDCWD, runc, MAX_STATE_FILE, &text, err) < 0))
		return -1;
	if (state_parse(strbuf_str(&text), text.length, &state, err) < 0)
		return err_wrap(err, "state of '%s' in %s", id, root);
	if (copy(&state.id, id, err) < 0 || copy(&state.root, root, err) < 0)
		return -1;
	now = process_start_time(state.pid);
	state.running = now && (!state.start_time || now == state.start_time);
	*ret = state;
	state = (struct container_state){.id = NULL};
	return 0;
}

/* Every id below the roots as "ROOT/ID", in no order. */
static int list_all(const struct strv *roots, struct strv *ret, struct err *err)
{
	for (size_t i = 0; i < roots->count; i++) {
		DIR *folder = opendir(roots->items[i]);
		const struct dirent *entry;
		int result = 0;

		if (!folder)
			continue;
		while (result == 0 && ret->count < MAX_CONTAINERS && (entry = readdir(folder)))
			if (entry->d_name[0] != '.')
				result = strv_addf(ret, "%s/%s", roots->items[i], entry->d_name);
		closedir(folder);
		if (result < 0)
			return err_no_memory(err);
	}
	return 0;
}

static const char *id_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Docker and Podman run theirs by the same runtimes; nobody knows a container by such an id. */
static bool is_of_an_engine(const char *id)
{
	return strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
}

static int not_found(const struct strv *roots, const struct strv *all, const char *name,
                     struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;
	size_t own = 0;

	err_set(err, ERR_NOT_FOUND, "no container '%s'", name);
	if (!roots->count)
		return err_hint(err, "no OCI runtime has run anything here (looked for state in "
		                     "/run/crun and /run/runc; elsewhere: --oci-root DIR)");
	for (size_t i = 0; i < all->count; i++)
		if (!is_of_an_engine(id_of(all->items[i])) && own++ < 10)
			strbuf_addf(&list, "%s%s", own > 1 ? ", " : "", id_of(all->items[i]));
	if (own)
		return err_hint(err, "there are: %s%s", strbuf_str(&list), own > 10 ? ", …" : "");
	if (all->count)
		return err_hint(err, "there are only containers of engines: --like docker:NAME or "
		                     "podman:NAME");
	return err_hint(err, "%s has no containers; elsewhere: --oci-root DIR", roots->items[0]);
}

/* An exact id wins over prefixes; the same id in two roots is ambiguous like two ids. */
static const char *choose_one(const struct strv *all, const char *name, size_t *ret_count)
{
	const char *found = NULL;
	size_t exact = 0, prefixed = 0;

	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(id_of(all->items[i]), name)) {
			exact++;
			found = all->items[i];
		}
	for (size_t i = 0; !exact && i < all->count; i++)
		if (!strncmp(id_of(all->items[i]), name, strlen(name))) {
			prefixed++;
			found = all->items[i];
		}
	*ret_count = exact ? exact : prefixed;
	return found;
}

static int ambiguous(const struct strv *all, const char *name, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf list = STRBUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < all->count && count < 10; i++)
		if (!strncmp(id_of(all->items[i]), name, strlen(name)))
			strbuf_addf(&list, "%s%s", count++ ? ", " : "", all->items[i]);
	err_set(err, ERR_AMBIGUOUS, "'%s' means more than one container", name);
	return err_hint(err, "they are: %s; give the whole id, or the root with --oci-root",
	                strbuf_str(&list));
}

int state_find(const struct strv *roots, const char *name, struct container_state *ret,
               struct err *err)
{
	_cleanup_(strv_release) struct strv all = STRV_INIT;
	_cleanup_free_ char *root = NULL;
	const char *found;
	size_t count;

	if (list_all(roots, &all, err) < 0)
		return -1;
	found = choose_one(&all, name, &count);
	if (!count)
		return not_found(roots, &all, name, err);
	if (count > 1)
		return ambiguous(&all, name, err);
	root = strndup(found, (size_t)(id_of(found) - found) - 1);
	if (!root)
		return err_no_memory(err);
	return state_read(root, id_of(found), ret, err);
}

int state_each(const struct strv *roots,
               int (*visit)(void *context, const struct container_state *state, struct err *err),
               void *context, struct err *err)
{
	_cleanup_(strv_release) struct strv all = STRV_INIT;

	if (list_all(roots, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		_cleanup_(container_state_release) struct container_state state = {.id = NULL};
		const char *id = id_of(all.items[i]);
		_cleanup_free_ char *root = strndup(all.items[i], (size_t)(id - all.items[i]) - 1);
		struct err ignored = ERR_INIT;

		if (!root)
			return err_no_memory(err);
		if (state_read(root, id, &state, &ignored) == 0 && visit(context, &state, err) < 0)
			return -1;
	}
	return 0;
}

const char *state_owner(const char *bundle)
{
	static const struct {
		const char *part, *owner;
	} owners[] = {
		{"/overlay-containers/", "podman"},
		{"/vfs-containers/", "podman"},
		{"/btrfs-containers/", "podman"},
		{"/io.containerd.runtime.v2.task/moby/", "docker"},
		{"/io.containerd.runtime.v2.task/k8s.io/", "kubernetes"},
		{"/io.containerd.runtime.v2.task/", "containerd"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		if (strstr(bundle, owners[i].part))
			return owners[i].owner;
	return NULL;
}
