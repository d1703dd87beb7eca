/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>
#include "pkg/docker/clone_calls.h"

static const char not_filled[] = "the same volume; what was deleted from it stays deleted (nocopy)";
static const char fresh[] = "asked with --fresh-volumes";

struct span {
	const char *start;
	size_t length;
};

/* A bind "source:destination[:modes]" in its parts; without a colon all of it is the destination.
 */
struct bind {
	struct span source, destination, modes;
};

static struct bind bind_split(const char *text)
{
	const char *colon = strchr(text, ':');
	struct bind bind = {.destination = {text, strlen(text)}};

	if (colon == NULL)
		return bind;
	bind.source = (struct span){text, (size_t)(colon - text)};
	bind.destination = (struct span){colon + 1, strcspn(colon + 1, ":")};

	const char *end = bind.destination.start + bind.destination.length;
	if (*end == ':')
		bind.modes = (struct span){end + 1, strlen(end + 1)};
	return bind;
}

/* Paths are the same with and without slashes at the end. */
static bool same_place(struct span left, const char *right)
{
	size_t length = strlen(right);

	while (left.length > 1 && left.start[left.length - 1] == '/')
		left.length--;
	while (length > 1 && right[length - 1] == '/')
		length--;
	return left.length == length && strncmp(left.start, right, length) == 0;
}

static bool is_volume(struct span source)
{
	return source.length > 0 && source.start[0] != '/' && source.start[0] != '.' &&
	       source.start[0] != '~';
}

/* Engines name an anonymous volume with 64 hexadecimal digits. */
static bool is_anonymous(struct span name)
{
	if (name.length != 64)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (!isxdigit((unsigned char)name.start[i]))
			return false;
	}
	return true;
}

static struct span span_of(const char *text)
{
	return (struct span){text, strlen(text)};
}

/* Appends ":modes" without Z (a private relabelling would lock the source out of its own files),
 * with nocopy for volumes (an emptied one would be filled from the image again). */
static void add_modes(struct strbuf *text, struct span modes, bool volume)
{
	char separator = ':';
	bool nocopy = false;

	for (size_t at = 0; at < modes.length;) {
		const char *mode = modes.start + at;
		size_t length = strcspn(mode, ",");

		at += length + 1;
		nocopy = nocopy || (length == 6 && strncmp(mode, "nocopy", 6) == 0);
		if (length == 0 || (length == 1 && mode[0] == 'Z'))
			continue;
		strbuf_addc(text, separator);
		strbuf_add(text, mode, length);
		separator = ',';
	}
	if (volume && !nocopy) {
		strbuf_addc(text, separator);
		strbuf_adds(text, "nocopy");
	}
}

static bool has_mode(struct span modes, const char *word)
{
	size_t word_length = strlen(word);

	for (size_t at = 0; at < modes.length;) {
		size_t length = strcspn(modes.start + at, ",");

		if (length == word_length && strncmp(modes.start + at, word, length) == 0)
			return true;
		at += length + 1;
	}
	return false;
}

static const char *bind_reason(const struct rule *rule, const struct bind *bind)
{
	static const char *const shared[] = {"shared", "rshared", "slave", "rslave"};

	if (has_mode(bind->modes, "Z"))
		return "without Z, which would lock the source out of its own files";
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		if (has_mode(bind->modes, shared[i]))
			return "same mount; its propagation needs a shared mount on the host";
	}
	return is_volume(bind->source) && !has_mode(bind->modes, "nocopy") ? not_filled : rule->why;
}

static int report_item(struct rule_context *context, const char *list, int index, const cJSON *was,
                       const cJSON *now, const char *why, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s[%d]", list, index);
	if (path.failed)
		return err_no_memory(err);
	return rule_changed(context, strbuf_str(&path), was, now, why, err);
}

/* Asks for a new anonymous volume at the place. */
static int add_fresh(struct rule_context *context, struct span destination, struct err *err)
{
	_cleanup_free_ char *key = strndup(destination.start, destination.length);
	cJSON *volumes = json_object_for(context->target, "Volumes");

	if (key == NULL || volumes == NULL || json_set_node(volumes, key, cJSON_CreateObject()) < 0)
		return err_no_memory(err);
	return 0;
}

static int take_bind(struct rule_context *context, const struct rule *rule, const cJSON *item,
                     int index, cJSON *list, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (!cJSON_IsString(item))
		return err_set(err, ERR_PROTOCOL, "%s[%d] is no text", rule->path, index);

	struct bind bind = bind_split(item->valuestring);
	/* Podman lists anonymous volumes here, with their names. */
	if (clone_input(context)->podman && (context->flags & CLONE_FRESH_VOLUMES) &&
	    is_anonymous(bind.source)) {
		if (add_fresh(context, bind.destination, err) < 0)
			return -1;
		return report_item(context, rule->path, index, item, NULL, fresh, err);
	}
	strbuf_add(&text, item->valuestring,
	           (size_t)(bind.destination.start - item->valuestring) + bind.destination.length);
	add_modes(&text, bind.modes, is_volume(bind.source));
	if (text.failed || json_add_string(list, strbuf_str(&text)) < 0)
		return err_no_memory(err);
	return report_item(context, rule->path, index, item,
	                   cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1),
	                   bind_reason(rule, &bind), err);
}

/* True when the source's own settings mount something at the place. */
static bool is_covered(const cJSON *host, const char *destination)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, json_member(host, "Binds")) {
		if (cJSON_IsString(item) &&
		    same_place(bind_split(item->valuestring).destination, destination))
			return true;
	}
	cJSON_ArrayForEach (item, json_member(host, "Mounts")) {
		const char *target = json_string(item, "Target");

		if (target != NULL && same_place(span_of(target), destination))
			return true;
	}
	cJSON_ArrayForEach (item, json_member(host, "Tmpfs")) {
		if (item->string != NULL && same_place(span_of(item->string), destination))
			return true;
	}
	return false;
}

/* One entry of the top-level Mounts as a bind; nothing when it is of another kind. */
static void mount_to_bind(const cJSON *mount, struct strbuf *text)
{
	const char *type = json_string(mount, "Type");
	const char *destination = json_string(mount, "Destination");
	const char *propagation = json_string(mount, "Propagation");
	bool volume = type != NULL && strcmp(type, "volume") == 0;
	const char *source = json_string(mount, volume ? "Name" : "Source");
	_cleanup_(strbuf_release) struct strbuf modes = STRBUF_INIT;

	if (type == NULL || (!volume && strcmp(type, "bind") != 0))
		return;
	if (source == NULL || source[0] == '\0' || destination == NULL || destination[0] == '\0')
		return;
	if (!json_true(mount, "RW"))
		strbuf_adds(&modes, "ro");
	if (!volume && propagation != NULL && propagation[0] != '\0' &&
	    strcmp(propagation, "rprivate") != 0)
		strbuf_addf(&modes, "%s%s", modes.length > 0 ? "," : "", propagation);
	strbuf_addf(text, "%s:%s", source, destination);
	add_modes(text, (struct span){strbuf_str(&modes), modes.length}, volume);
	text->failed = text->failed || modes.failed;
}

/* What the source mounts without a word in its settings: the image's VOLUMEs, -v /path,
 * --volumes-from. Shared by name, or the clone would see other files than the app. */
static int take_mount(struct rule_context *context, const cJSON *mount, int index, cJSON *list,
                      struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const char *destination = json_string(mount, "Destination");
	const char *name = json_string(mount, "Name");

	if (destination == NULL ||
	    is_covered(json_member(context->source, "HostConfig"), destination))
		return 0;
	mount_to_bind(mount, &text);
	if (text.failed)
		return err_no_memory(err);
	if (text.length == 0)
		return 0;
	if ((context->flags & CLONE_FRESH_VOLUMES) && name != NULL && is_anonymous(span_of(name)))
		return report_item(context, "Mounts", index, mount, NULL, fresh, err);
	if (json_add_string(list, strbuf_str(&text)) < 0)
		return err_no_memory(err);
	return report_item(context, "Mounts", index, mount, mount,
	                   "not in the settings, but mounted: shared with the source by name", err);
}

int clone_binds(struct rule_context *context, const struct rule *rule, const cJSON *node,
                struct err *err)
{
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	const cJSON *item;
	int index = 0;

	if (list == NULL)
		return err_no_memory(err);
	if (!json_is_unset(node) && !cJSON_IsArray(node))
		return err_set(err, ERR_PROTOCOL, "%s is no list", rule->path);
	cJSON_ArrayForEach (item, node) {
		if (take_bind(context, rule, item, index++, list, err) < 0)
			return -1;
	}
	index = 0;
	cJSON_ArrayForEach (item, json_member(context->source, "Mounts")) {
		if (take_mount(context, item, index++, list, err) < 0)
			return -1;
	}
	if (cJSON_GetArraySize(list) == 0)
		return 0;
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}

/* The name of the volume that the running source has at the place, or NULL. */
static const char *volume_at(const cJSON *source, const char *destination)
{
	const cJSON *mount;

	cJSON_ArrayForEach (mount, json_member(source, "Mounts")) {
		const char *place = json_string(mount, "Destination");

		if (place != NULL && same_place(span_of(place), destination))
			return json_string(mount, "Name");
	}
	return NULL;
}

/* Names an anonymous volume, unless fresh ones were asked for, and protects it from being filled.
 */
static int fix_mount(struct rule_context *context, cJSON *mount, struct err *err)
{
	const char *type = json_string(mount, "Type");
	const char *target = json_string(mount, "Target");

	if (type == NULL || strcmp(type, "volume") != 0 || target == NULL)
		return 0;
	if (json_is_unset(json_member(mount, "Source"))) {
		const char *name = volume_at(context->source, target);

		if (name == NULL || (context->flags & CLONE_FRESH_VOLUMES))
			return 0;
		if (json_set_string(mount, "Source", name) < 0)
			return err_no_memory(err);
	}

	cJSON *options = json_object_for(mount, "VolumeOptions");
	if (options == NULL || json_set_bool(options, "NoCopy", true) < 0)
		return err_no_memory(err);
	return 0;
}

int clone_mounts(struct rule_context *context, const struct rule *rule, const cJSON *node,
                 struct err *err)
{
	_cleanup_(json_free) cJSON *list = NULL;
	cJSON *mount;
	int index = 0;

	if (json_is_unset(node))
		return 0;
	if (!cJSON_IsArray(node))
		return err_set(err, ERR_PROTOCOL, "%s is no list", rule->path);
	list = cJSON_Duplicate(node, true);
	if (list == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (mount, list) {
		const cJSON *was = cJSON_GetArrayItem(node, index);

		if (fix_mount(context, mount, err) < 0)
			return -1;
		if (report_item(context, rule->path, index++, was, mount,
		                json_equal(was, mount) ? rule->why : not_filled, err) < 0)
			return -1;
	}
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}
