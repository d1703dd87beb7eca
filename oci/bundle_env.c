/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "oci/bundle_calls.h"
#include "pkg/base/utf8.h"

static const char asked_why[] = "asked with -e";
static const char default_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct environment {
	struct rule_context *context;
	const struct rule *rule;
	const cJSON *source; /* the source's list, or NULL */
	cJSON *list;         /* the task's, so far */
	struct strv touched; /* names that have a row of their own */
	struct err *err;
};

/* The entry of `name` in a list of "NAME=VALUE" and bare "NAME", or NULL. */
static cJSON *find_entry(const cJSON *list, const char *name)
{
	size_t length = strlen(name);
	cJSON *entry;

	cJSON_ArrayForEach (entry, list) {
		const char *text = entry->valuestring;

		if (strncmp(text, name, length) == 0 &&
		    (text[length] == '=' || text[length] == '\0'))
			return entry;
	}
	return NULL;
}

static char *entry_name(const char *text)
{
	return strndup(text, strcspn(text, "="));
}

static const char *entry_value(const cJSON *entry)
{
	const char *equals = entry ? strchr(entry->valuestring, '=') : NULL;

	return equals ? equals + 1 : "";
}

/* The row is made at the end, out of what the source had and what the task has then. */
static int touch(struct environment *environment, const char *name)
{
	for (size_t i = 0; i < environment->touched.count; i++) {
		if (!strcmp(environment->touched.items[i], name))
			return 0;
	}
	return strv_add(&environment->touched, name) < 0 ? err_no_memory(environment->err) : 0;
}

static int report_variable(struct environment *environment, const char *name, const char *why)
{
	const cJSON *was = find_entry(environment->source, name);
	const cJSON *now = find_entry(environment->list, name);
	_cleanup_(json_free) cJSON *was_value = cJSON_CreateString(entry_value(was));
	_cleanup_(json_free) cJSON *now_value = cJSON_CreateString(entry_value(now));

	if (!was_value || !now_value)
		return err_no_memory(environment->err);
	if (!was && !now)
		return 0;
	return rule_report(environment->context, plan_difference(was, now), environment->rule->path,
	                   name, was ? was_value : NULL, now ? now_value : NULL, why,
	                   environment->err);
}

/* Deletes all entries of `name` but `kept` (or NULL): a source may hold a name twice. */
static void delete_entries(cJSON *list, const char *name, const cJSON *kept)
{
	size_t length = strlen(name);
	cJSON *entry = list->child;

	while (entry) {
		const char *text = entry->valuestring;
		cJSON *next = entry->next;

		if (entry != kept && strncmp(text, name, length) == 0 &&
		    (text[length] == '=' || text[length] == '\0'))
			cJSON_Delete(cJSON_DetachItemViaPointer(list, entry));
		entry = next;
	}
}

static int set_variable(struct environment *environment, const char *text, const char *why)
{
	_cleanup_free_ char *name = entry_name(text);
	cJSON *entry;

	if (!name)
		return err_no_memory(environment->err);
	if (touch(environment, name) < 0)
		return -1;
	entry = find_entry(environment->list, name);
	if (entry ? !cJSON_SetValuestring(entry, text)
	          : json_add_string(environment->list, text) < 0)
		return err_no_memory(environment->err);
	delete_entries(environment->list, name, find_entry(environment->list, name));
	return report_variable(environment, name, why);
}

static int remove_variable(struct environment *environment, const char *name, const char *why)
{
	if (touch(environment, name) < 0)
		return -1;
	delete_entries(environment->list, name, NULL);
	return report_variable(environment, name, why);
}

static bool is_asked(const struct environment *environment, const char *name)
{
	const struct request *request = bundle_input(environment->context)->request;

	return strv_find_key(&request->env, name) != NULL;
}

/* True when the image's own environment says it, as far as that is known. */
static bool from_image(const struct environment *environment, const char *name)
{
	const cJSON *image = json_at(bundle_sources(environment->context)->image, "config.Env");

	return find_entry(image, name) != NULL;
}

static bool user_changes(const struct environment *environment)
{
	const struct bundle_input *input = bundle_input(environment->context);
	int64_t uid;

	if (!input->user)
		return false;
	if (bundle_sources(environment->context)->from_image)
		return true;
	return json_int64(environment->context->source, "process.user.uid", &uid) < 0 ||
	       uid != (int64_t)input->user->uid;
}

/* An image that names a HOME means it for everybody, as the engines have it. Without a known home
 * the runtime looks into the container's passwd file itself. */
static int settle_home(struct environment *environment)
{
	const struct bundle_user *user = bundle_input(environment->context)->user;
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (!user_changes(environment) || is_asked(environment, "HOME") ||
	    from_image(environment, "HOME"))
		return 0;
	if (!user->home[0] || !utf8_valid(user->home, strlen(user->home)))
		return remove_variable(environment, "HOME", "the home of another user");
	strbuf_addf(&text, "HOME=%s", user->home);
	if (text.failed)
		return err_no_memory(environment->err);
	return set_variable(environment, strbuf_str(&text), "the user's home");
}

/* "xterm" is what engines set for a terminal that they know nothing of. */
static int settle_term(struct environment *environment)
{
	const struct request *request = bundle_input(environment->context)->request;
	const cJSON *entry = find_entry(environment->list, "TERM");
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (!request->tty || is_asked(environment, "TERM") || from_image(environment, "TERM"))
		return 0;
	if (entry && (!request->term || strcmp(entry_value(entry), "xterm") != 0))
		return 0;
	strbuf_addf(&text, "TERM=%s", request->term ? request->term : "xterm");
	if (text.failed)
		return err_no_memory(environment->err);
	return set_variable(environment, strbuf_str(&text), "the kind of your terminal");
}

static int settle_path(struct environment *environment)
{
	if (!bundle_sources(environment->context)->from_image ||
	    find_entry(environment->list, "PATH") || is_asked(environment, "PATH"))
		return 0;
	return set_variable(environment, default_path, "as Docker and Podman have it");
}

/* -e may speak of our own variables too: then the row is that of -e. */
static int settle_ours(struct environment *environment)
{
	_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "ONEOFF_ID=%s", bundle_input(environment->context)->id);
	if (text.failed)
		return err_no_memory(environment->err);
	if (!is_asked(environment, "ONEOFF") &&
	    set_variable(environment, "ONEOFF=1", "tells the task that it is a one-off") < 0)
		return -1;
	return is_asked(environment, "ONEOFF_ID")
	               ? 0
	               : set_variable(environment, strbuf_str(&text), "tells the task its id");
}

static int settle_asked(struct environment *environment)
{
	const struct strv *list = &bundle_input(environment->context)->request->env;

	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->items[i];
		int result;

		if (request_env_is_overruled(list, i))
			continue;
		result = strchr(text, '=') ? set_variable(environment, text, asked_why)
		                           : remove_variable(environment, text, asked_why);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* One row for everything that stays. */
static int report_kept(struct environment *environment)
{
	_cleanup_(json_free) cJSON *kept = cJSON_CreateArray();
	const cJSON *entry;

	if (!kept)
		return err_no_memory(environment->err);
	cJSON_ArrayForEach (entry, environment->source) {
		_cleanup_free_ char *name = entry_name(entry->valuestring);
		bool touched = false;

		if (!name)
			return err_no_memory(environment->err);
		for (size_t i = 0; i < environment->touched.count; i++)
			touched = touched || !strcmp(environment->touched.items[i], name);
		if (!touched && json_add_string(kept, entry->valuestring) < 0)
			return err_no_memory(environment->err);
	}
	return rule_changed(environment->context, environment->rule->path, kept, kept,
	                    environment->rule->why, environment->err);
}

static int settle_all(struct environment *environment)
{
	static const char hostname_why[] = "a replica's own name";

	if (!is_asked(environment, "HOSTNAME") &&
	    !bundle_sources(environment->context)->from_image &&
	    remove_variable(environment, "HOSTNAME", hostname_why) < 0)
		return -1;
	if (settle_path(environment) < 0 || settle_home(environment) < 0 ||
	    settle_term(environment) < 0 || settle_ours(environment) < 0 ||
	    settle_asked(environment) < 0)
		return -1;
	return report_kept(environment);
}

int bundle_env(struct rule_context *context, const struct rule *rule, const cJSON *node,
               struct err *err)
{
	_cleanup_(json_free) cJSON *list = NULL;
	struct environment environment = {
		.context = context, .rule = rule, .source = node, .touched = STRV_INIT, .err = err};
	int result;

	list = cJSON_IsArray(node) ? cJSON_Duplicate(node, true) : cJSON_CreateArray();
	if (!list)
		return err_no_memory(err);
	environment.list = list;
	result = settle_all(&environment);
	strv_release(&environment.touched);
	if (result < 0)
		return -1;
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}
