/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "oci/digest.h"
#include "oci/file.h"
#include "oci/mountinfo.h"
#include "oci/oci_internal.h"

#define MAX_CONFIG    ((size_t)4 << 20)
#define MAX_MOUNTINFO ((size_t)8 << 20)

static int refuse_owned(const struct container_state *state, const char *owner, struct err *err)
{
	err_set(err, ERR_REFUSED, "'%s' belongs to %s", state->id, owner);
	if (!strcmp(owner, "kubernetes"))
		return err_hint(err, "name its workload: --like deploy/NAME");
	if (!strcmp(owner, "containerd"))
		return err_hint(err, "containers of nerdctl and ctr cannot be cloned yet");
	return err_hint(err, "ask its engine: --like %s:%.12s", owner, state->id);
}

static int read_config(const char *bundle, cJSON **ret, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/config.json", bundle) < 0) {
		path = NULL;
		return err_no_memory(err);
	}
	if (file_read(AT_FDCWD, path, MAX_CONFIG, &text, err) < 0)
		return err_wrap(err, "the app's bundle");
	if (json_parse(strbuf_str(&text), text.length, MAX_CONFIG, ret, err) < 0)
		return err_wrap(err, "%s", path);
	return 0;
}

/* root.path is relative to the bundle. */
static char *root_path(const struct container_state *state, const cJSON *config)
{
	const char *path = json_string(config, "root.path");
	char *full = NULL;

	if (!path || !*path)
		path = state->rootfs ? state->rootfs : "rootfs";
	if (path[0] == '/')
		return strdup(path);
	return asprintf(&full, "%s/%s", state->bundle, path) < 0 ? NULL : full;
}

static bool all_absolute(const struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i][0] != '/')
			return false;
	return list->count > 0;
}

/* The image's state: the overlay's own lower folders, without what the running app changed. Any other root
 * is taken as it is. */
static int find_rootfs(struct oci *oci, struct err *err)
{
	_cleanup_(root_mount_release) struct root_mount mount = {.overlay = false};
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)oci->state.pid);
	if (oci->state.running && file_read(AT_FDCWD, path, MAX_MOUNTINFO, &text, err) < 0)
		return -1;
	if (oci->state.running && root_mount_parse(strbuf_str(&text), &mount, err) < 0)
		return err_wrap(err, "%s", path);
	if (mount.overlay && all_absolute(&mount.lower)) {
		oci->rootfs.lower = mount.lower;
		oci->rootfs.options = mount.options;
		mount = (struct root_mount){.overlay = false};
		return 0;
	}
	return strv_add(&oci->rootfs.lower, oci->rootfs.merged) < 0 ? err_no_memory(err) : 0;
}

static int open_root(struct oci *oci, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", (int)oci->state.pid);
	oci->root_fd = open(oci->state.running ? path : oci->rootfs.merged,
	                    O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (oci->root_fd < 0)
		return err_errno(err, "cannot open the app's root %s", oci->rootfs.merged);
	return 0;
}

static char *copy_or_null(const char *text)
{
	return text ? strdup(text) : NULL;
}

static int find_container(struct oci *oci, const struct source *source, struct release *ret,
                          struct err *err)
{
	_cleanup_(release_release) struct release release = {.running = false};
	_cleanup_(strv_release) struct strv roots = STRV_INIT;
	const char *owner;

	if (state_roots(oci->settings.oci_root, &roots, err) < 0 ||
	    state_find(&roots, source->name, &oci->state, err) < 0)
		return -1;
	owner = state_owner(oci->state.bundle);
	if (owner)
		return refuse_owned(&oci->state, owner, err);
	if (runtime_find(oci->settings.oci_runtime, oci->state.runtime, &oci->runtime.path, err) <
	            0 ||
	    read_config(oci->state.bundle, &release.document, err) < 0)
		return -1;
	oci->rootfs.merged = root_path(&oci->state, release.document);
	if (!oci->rootfs.merged)
		return err_no_memory(err);
	if (find_rootfs(oci, err) < 0 || open_root(oci, err) < 0)
		return -1;
	release.id = strdup(oci->state.id);
	release.name = strdup(oci->state.id);
	release.image = copy_or_null(
		cJSON_GetStringValue(json_member(json_member(release.document, "annotations"),
	                                         "org.opencontainers.image.ref.name")));
	release.workdir = copy_or_null(json_string(release.document, "process.cwd"));
	release.running = oci->state.running;
	release.status = strdup(release.running ? "running" : "stopped");
	if (!release.id || !release.name || !release.status)
		return err_no_memory(err);
	if (release_declare(&release, json_member(release.document, "annotations"), "dev.oneoff.",
	                    err) < 0)
		return -1;
	*ret = release;
	release = (struct release){.running = false};
	return 0;
}

/* Fit for a container's id: "./shop:1" becomes "shop-1". */
static char *container_name(const char *image_name)
{
	const char *slash = strrchr(image_name, '/');
	char *name = strdup(slash && slash[1] ? slash + 1 : image_name);

	for (char *byte = name; byte && *byte; byte++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
		            *byte) ||
		    (byte == name && (*byte == '.' || *byte == '-')))
			*byte = byte == name ? 'x' : '-';
	return name;
}

/* In the form that engines give it, so that its labels are found where those of other images are. */
static cJSON *image_document(const cJSON *config)
{
	_cleanup_(json_free) cJSON *document = cJSON_CreateObject();
	const cJSON *inner = json_member(config, "config");

	if (!document ||
	    (inner && json_set_node(document, "Config", cJSON_Duplicate(inner, true)) < 0))
		return NULL;
	return TAKE_PTR(document);
}

static int unpack(struct oci *oci, struct err *err)
{
	_cleanup_free_ char *store = NULL;

	if (oci->settings.store)
		store = strdup(oci->settings.store);
	else if (store_default_path(&store, err) < 0)
		return -1;
	if (!store)
		return err_no_memory(err);
	if (store_unpack(store, oci->image, !oci->rootless, &oci->reporter, &oci->snapshot, err) <
	    0)
		return -1;
	oci->rootfs.merged = strdup(oci->snapshot.path);
	if (!oci->rootfs.merged || strv_add(&oci->rootfs.lower, oci->snapshot.path) < 0)
		return err_no_memory(err);
	return open_root(oci, err);
}

static bool is_there(const char *path)
{
	return *path && access(path, F_OK) == 0;
}

/* The name behind the path may have colons of its own ("shop:2", "registry:5000/shop:2"), and so may the path: it
 * ends at the last colon before which something is. Both parts are the caller's. */
static int split_place(const struct source *source, char **ret_path, char **ret_reference,
                       struct err *err)
{
	const char *tag = source->reference;
	_cleanup_free_ char *path = strdup(source->name), *text = NULL, *reference = NULL;
	char *colon;

	if (!path || asprintf(&text, "%s:%s", path, tag ? tag : "") < 0) {
		text = NULL;
		return err_no_memory(err);
	}
	if (!tag || digest_is_valid(tag) || is_there(path)) {
		text[strlen(path)] = '\0';
	} else if (is_there(text)) {
		tag = NULL;
	} else {
		while ((colon = strrchr(path, ':')) != NULL && !is_there(path))
			*colon = '\0';
		if (!is_there(path))
			memcpy(path, source->name, strlen(source->name));
		tag = text + strlen(path) + 1;
		text[strlen(path)] = '\0';
	}
	if (tag && !(reference = strdup(tag)))
		return err_no_memory(err);
	*ret_path = TAKE_PTR(text);
	*ret_reference = TAKE_PTR(reference);
	return 0;
}

static int find_image(struct oci *oci, const struct source *source, struct release *ret,
                      struct err *err)
{
	_cleanup_(release_release) struct release release = {.running = true};
	_cleanup_free_ char *path = NULL, *reference = NULL;

	if (split_place(source, &path, &reference, err) < 0 ||
	    runtime_find(oci->settings.oci_runtime, NULL, &oci->runtime.path, err) < 0 ||
	    image_open(path, reference, NULL, &oci->image, err) < 0 || unpack(oci, err) < 0)
		return -1;
	release.id = strdup(image_digest(oci->image));
	release.name = container_name(reference && !strchr(reference, ':') &&
	                                              !strchr(image_name(oci->image), '/')
	                                      ? path
	                                      : image_name(oci->image));
	release.image = strdup(image_name(oci->image));
	release.digest = strdup(image_digest(oci->image));
	release.status = strdup("an image");
	release.document = cJSON_Duplicate(image_config(oci->image), true);
	release.image_document = image_document(image_config(oci->image));
	release.workdir = copy_or_null(json_string(release.document, "config.WorkingDir"));
	if (!release.id || !release.name || !release.image || !release.digest || !release.status ||
	    !release.document || !release.image_document)
		return err_no_memory(err);
	if (release_declare(&release, json_at(release.image_document, "Config.Labels"),
	                    "dev.oneoff.", err) < 0)
		return -1;
	*ret = release;
	release = (struct release){.running = false};
	return 0;
}

int oci_find(struct backend *backend, const struct source *source, struct release *ret,
             struct err *err)
{
	struct oci *oci = (struct oci *)backend;

	if (source->kind == SOURCE_COMPOSE)
		return err_set(err, ERR_NOT_FOUND, "the oci runtime has no compose services");
	if (source->kind == SOURCE_OCI_LAYOUT)
		return find_image(oci, source, ret, err);
	return find_container(oci, source, ret, err);
}

int oci_read_file(struct backend *backend, const struct release *release, const char *path,
                  size_t cap, struct strbuf *ret, struct err *err)
{
	struct oci *oci = (struct oci *)backend;
	struct strbuf content = STRBUF_INIT;
	int result;

	(void)release;
	/* A cap of 0 only asks whether it is there. */
	result = file_read_in_root(oci->root_fd, path, cap ? cap : MAX_CONFIG, &content, err);
	if (!cap && result < 0 && err->kind == ERR_NO_MEMORY)
		result = 0;
	if (result == 0 && cap)
		strbuf_add(ret, strbuf_str(&content), content.length);
	strbuf_release(&content);
	return result < 0 ? -1 : ret->failed ? err_no_memory(err) : 0;
}
