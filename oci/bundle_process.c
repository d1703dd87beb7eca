/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <string.h>
#include "oci/bundle_calls.h"
#include "pkg/base/utf8.h"

#define HOSTNAME_MAX 63 /* bytes; the kernel takes 64, a DNS label 63 */

int bundle_root_path(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	return rule_set(context, rule, bundle_was(context, node), cJSON_CreateString("rootfs"),
	                rule->why, err);
}

int bundle_foreign(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	(void)context;
	if (json_is_unset(node))
		return 0;
	return err_set(err, ERR_REFUSED, "%s: %s", rule->path, rule->why);
}

int bundle_terminal(struct rule_context *context, const struct rule *rule, const cJSON *node,
                    struct err *err)
{
	return rule_set(context, rule, bundle_was(context, node),
	                cJSON_CreateBool(bundle_input(context)->request->tty), rule->why, err);
}

int bundle_console_size(struct rule_context *context, const struct rule *rule, const cJSON *node,
                        struct err *err)
{
	const struct request *request = bundle_input(context)->request;
	const cJSON *was = bundle_was(context, node);
	_cleanup_(json_free) cJSON *size = NULL;

	if (!request->tty || request->tty_rows <= 0 || request->tty_columns <= 0)
		return rule_changed(context, rule->path, was, NULL, rule->why, err);
	size = cJSON_CreateObject();
	if (!size || json_set_int64(size, "height", request->tty_rows) < 0 ||
	    json_set_int64(size, "width", request->tty_columns) < 0)
		return err_no_memory(err);
	return rule_set(context, rule, was, TAKE_PTR(size), rule->why, err);
}

/* ---- the command ------------------------------------------------------------------------------ */

static int count_of(const cJSON *list)
{
	return cJSON_GetArraySize(list);
}

static bool word_is(const cJSON *list, int index, const char *word)
{
	const cJSON *item = cJSON_GetArrayItem(list, index);

	return cJSON_IsString(item) && !strcmp(item->valuestring, word);
}

/* How many words at the front are the init process that the engine put there: "/sbin/docker-init",
 * "--". It stays, as the app has it. */
static int init_words(const cJSON *args)
{
	static const char *const inits[] = {"/sbin/docker-init", "/run/podman-init", "/dev/init"};

	for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
		if (word_is(args, 0, inits[i]) && word_is(args, 1, "--"))
			return 2;
	}
	return 0;
}

/* True when the words of `part` stand in `list` from `start` on. */
static bool stands_at(const cJSON *list, int start, const cJSON *part)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, part) {
		if (!word_is(list, start++, item->valuestring))
			return false;
	}
	return true;
}

/* Appends list[from..to) of words to `target`. */
static int add_words(cJSON *target, const cJSON *list, int from, int to)
{
	for (int i = from; i < to; i++) {
		if (json_add_string(target, cJSON_GetArrayItem(list, i)->valuestring) < 0)
			return -1;
	}
	return 0;
}

static int add_argv(cJSON *target, const struct strv *argv)
{
	for (size_t i = 0; i < argv->count; i++) {
		if (json_add_string(target, argv->items[i]) < 0)
			return -1;
	}
	return 0;
}

/* The source's words, taken apart: init, entrypoint, command. */
struct words {
	const cJSON *args;
	int init;        /* the first word after the init process */
	int command;     /* the first word after the entrypoint; = init when it is not known */
	bool known;      /* the image's entrypoint, maybe none, stands at `init` */
	bool has_config; /* the image's config is there */
};

static struct words take_apart(const struct rule_context *context, const cJSON *args)
{
	const cJSON *image = bundle_sources(context)->image;
	const cJSON *entrypoint = json_at(image, "config.Entrypoint");
	struct words words = {.args = args, .init = init_words(args), .has_config = image != NULL};

	words.known = image != NULL && stands_at(args, words.init, entrypoint);
	words.command = words.init + (words.known ? count_of(entrypoint) : 0);
	return words;
}

/* Another command behind the source's entrypoint. */
static int replace_command(const struct words *words, const struct strv *argv, cJSON *list,
                           const char **ret_why)
{
	if (words->known && words->command > words->init)
		*ret_why = "the command that was asked for, after the image's entrypoint";
	else if (words->known)
		*ret_why = "the command that was asked for; the image has no entrypoint";
	else if (words->has_config)
		*ret_why = "the whole command: the source was started without its image's "
			   "entrypoint";
	else
		*ret_why = "the whole command: without the image's config its entrypoint is not "
			   "known";
	return add_words(list, words->args, words->init, words->command) < 0 ? -1
	                                                                     : add_argv(list, argv);
}

/* The words after the init process. */
static int choose_words(const struct words *words, const struct request *request, cJSON *list,
                        const char **ret_why, struct err *err)
{
	int end = count_of(words->args);
	int result = 0;

	if (request->entrypoint_mode == ENTRYPOINT_REPLACE) {
		*ret_why = "asked with --entrypoint";
		result = !request->entrypoint || json_add_string(list, request->entrypoint) < 0 ||
		         add_argv(list, &request->argv) < 0;
	} else if (request->entrypoint_mode == ENTRYPOINT_CLEAR) {
		*ret_why = "asked with --entrypoint";
		if (request->argv.count == 0 && !words->known)
			return err_set(err, ERR_USAGE,
			               "--entrypoint clear needs a command: the source's own "
			               "cannot be told from its entrypoint");
		result = request->argv.count > 0
		                 ? add_argv(list, &request->argv)
		                 : add_words(list, words->args, words->command, end);
	} else if (request->argv.count > 0) {
		result = replace_command(words, &request->argv, list, ret_why);
	} else {
		*ret_why = "no other command was asked for";
		result = add_words(list, words->args, words->init, end);
	}
	return result != 0 ? err_no_memory(err) : 0;
}

int bundle_args(struct rule_context *context, const struct rule *rule, const cJSON *node,
                struct err *err)
{
	struct words words = take_apart(context, node);
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	const char *why = rule->why;

	if (!list || add_words(list, node, 0, words.init) < 0)
		return err_no_memory(err);
	if (choose_words(&words, bundle_input(context)->request, list, &why, err) < 0)
		return -1;
	if (count_of(list) <= words.init)
		return err_set(err, ERR_USAGE, "there is no command to run");
	return rule_set(context, rule, node, TAKE_PTR(list), why, err);
}

cJSON *bundle_command(const struct rule_context *context)
{
	const struct request *request = bundle_input(context)->request;
	const char *path = bundle_sources(context)->from_image ? "config.Cmd" : "process.args";
	const cJSON *own = json_at(context->source, path);

	if (request->argv.count > 0)
		return json_new_strings(&request->argv);
	return cJSON_IsArray(own) ? cJSON_Duplicate(own, true) : cJSON_CreateArray();
}

/* ---- who and where ---------------------------------------------------------------------------- */

static int add_groups(cJSON *user, const struct bundle_user *asked)
{
	_cleanup_(json_free) cJSON *groups = cJSON_CreateArray();

	if (!groups)
		return -1;
	for (size_t i = 0; i < asked->additional_count; i++) {
		if (json_add_node(groups, json_new_int64(asked->additional[i])) < 0)
			return -1;
	}
	return json_set_node(user, "additionalGids", TAKE_PTR(groups));
}

/* The asked user's numbers; what else `was` says (umask) stays. NULL: no memory. */
static cJSON *make_user(const cJSON *was, const struct bundle_user *asked)
{
	_cleanup_(json_free) cJSON *user = was ? cJSON_Duplicate(was, true) : cJSON_CreateObject();

	if (!user || json_set_int64(user, "uid", asked ? asked->uid : 0) < 0 ||
	    json_set_int64(user, "gid", asked ? asked->gid : 0) < 0)
		return NULL;
	cJSON_DeleteItemFromObjectCaseSensitive(user, "additionalGids");
	if (asked && asked->additional_count > 0 && add_groups(user, asked) < 0)
		return NULL;
	return TAKE_PTR(user);
}

int bundle_user(struct rule_context *context, const struct rule *rule, const cJSON *node,
                struct err *err)
{
	const struct bundle_user *asked = bundle_input(context)->user;

	if (asked)
		return rule_set(context, rule, node, make_user(node, asked), "asked with -u", err);
	/* The specification demands a user; none means root. */
	return rule_set(context, rule, node,
	                node ? cJSON_Duplicate(node, true) : make_user(NULL, NULL), rule->why, err);
}

int bundle_image_user(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err)
{
	const struct bundle_input *input = bundle_input(context);

	return rule_set(context, rule, node, make_user(NULL, input->user),
	                input->request->user ? "asked with -u" : rule->why, err);
}

int bundle_cwd(struct rule_context *context, const struct rule *rule, const cJSON *node,
               struct err *err)
{
	const char *asked = bundle_input(context)->request->workdir;

	if (!asked)
		return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
	return rule_set(context, rule, node, cJSON_CreateString(asked), "asked with -w", err);
}

int bundle_hostname(struct rule_context *context, const struct rule *rule, const cJSON *node,
                    struct err *err)
{
	const char *name = bundle_input(context)->name;
	_cleanup_free_ char *hostname = NULL;
	size_t length = strnlen(name, HOSTNAME_MAX);

	while (length > 0 && !utf8_valid(name, length))
		length--;
	hostname = strndup(name, length);
	if (!hostname)
		return err_no_memory(err);
	return rule_set(context, rule, bundle_was(context, node), cJSON_CreateString(hostname),
	                rule->why, err);
}

/* ---- hooks ------------------------------------------------------------------------------------ */

/* Hooks that give a container its devices act on whatever container they are called for. */
static bool is_device_hook(const char *path)
{
	static const char *const patterns[] = {"nvidia-*", "*-cdi-hook", "amd-ctk"};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	}
	return false;
}

int bundle_hooks(struct rule_context *context, const struct rule *rule, const cJSON *node,
                 struct err *err)
{
	_cleanup_(json_free) cJSON *kept = cJSON_CreateArray();
	const cJSON *hook;

	if (!kept)
		return err_no_memory(err);
	cJSON_ArrayForEach (hook, node) {
		const char *path = json_string(hook, "path");
		bool keep = path && is_device_hook(path);

		if (keep && json_add_node(kept, cJSON_Duplicate(hook, true)) < 0)
			return err_no_memory(err);
		if (plan_add(context->plan, keep ? PLAN_KEPT : PLAN_DROPPED, rule->path, hook,
		             keep ? hook : NULL,
		             keep ? "gives the container its devices" : rule->why) < 0)
			return err_no_memory(err);
	}
	if (count_of(kept) == 0)
		return 0;
	return rule_put(context, rule->to, TAKE_PTR(kept), err);
}
