/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

#define GATE_SECONDS_LEAST   60
#define GATE_SECONDS_DEFAULT 300 /* without --start-timeout: attaching takes seconds at most */

char *kube_escape(const char *text)
{
	_cleanup_(strbuf_release) struct strbuf escaped = STRBUF_INIT;

	for (; *text != '\0'; text++) {
		unsigned char next = (unsigned char)text[1];

		/* The expansion also breaks a letter of more than one byte behind a '$'. */
		if (text[0] == '$' && (next == '$' || next == '(' || next >= 0x80))
			strbuf_addc(&escaped, '$');
		strbuf_addc(&escaped, *text);
	}
	return escaped.failed ? NULL : strbuf_take(&escaped);
}

static int add_escaped(cJSON *list, const char *text)
{
	_cleanup_free_ char *escaped = kube_escape(text);

	return escaped == NULL ? -1 : json_add_string(list, escaped);
}

/* Appends a list of a document. What the kubelet has not seen before (an image's) must be escaped. */
static int add_list(cJSON *to, const cJSON *from, bool escape)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, from) {
		const char *text = cJSON_IsString(item) ? item->valuestring : "";
		int result = escape ? add_escaped(to, text) : json_add_string(to, text);

		if (result < 0)
			return -1;
	}
	return 0;
}

static int add_argv(cJSON *to, const struct strv *argv)
{
	for (size_t i = 0; i < argv->count; i++) {
		if (add_escaped(to, argv->items[i]) < 0)
			return -1;
	}
	return 0;
}

static bool is_own_gate(const cJSON *command)
{
	const cJSON *first = cJSON_GetArrayItem(command, 0);

	return cJSON_IsString(first) && strcmp(first->valuestring, KUBE_GATE_PATH) == 0 &&
	       cJSON_GetArraySize(command) > 2;
}

/* A list of the source's container without the gate of an earlier one-off; NULL when unset. Owned. */
static int source_list(const struct kube_state *state, const char *key, cJSON **ret_list)
{
	const cJSON *list = json_member(state->task, key);
	_cleanup_(json_free) cJSON *copy = NULL;

	*ret_list = NULL;
	if (json_is_unset(list))
		return 0;
	copy = cJSON_Duplicate(list, true);
	if (copy == NULL)
		return -1;
	if (is_own_gate(copy)) {
		cJSON_DeleteItemFromArray(copy, 0);
		cJSON_DeleteItemFromArray(copy, 0);
	}
	*ret_list = TAKE_PTR(copy);
	return 0;
}

/* The image's ENTRYPOINT by its config or by the annotation. *ret_list is owned, [] when it has none,
 * NULL when we do not know. 0, or -1 without memory. */
static int image_entrypoint(const struct kube_state *state, cJSON **ret_list)
{
	const cJSON *config = json_member(state->input->image_config, "config");
	const cJSON *annotations = json_at(state->source, "metadata.annotations");
	const cJSON *note = json_member(annotations, KUBE_ENTRYPOINT_NOTE);
	_cleanup_(json_free) cJSON *told = NULL;
	const cJSON *list = NULL;
	struct err ignored = ERR_INIT;

	*ret_list = NULL;
	if (cJSON_IsObject(config))
		list = json_member(config, "Entrypoint");
	else if (state->input->image_config != NULL || !cJSON_IsString(note))
		return 0;
	else if (json_parse(note->valuestring, strlen(note->valuestring), JSON_MAX_BYTES, &told,
	                    &ignored) == 0 &&
	         cJSON_IsArray(told))
		list = told;
	else
		return 0;
	*ret_list = cJSON_CreateArray();
	return *ret_list == NULL || add_list(*ret_list, list, true) < 0 ? -1 : 0;
}

/* "MODE:SECONDS" for the gate. */
static int gate_word(struct kube_state *state, cJSON *list)
{
	const struct request *request = state->input->request;
	int64_t seconds = kube_seconds(request->start_timeout_ms);
	_cleanup_(strbuf_release) struct strbuf word = STRBUF_INIT;

	state->gate = request->tty ? "tty" : request->stdin_open ? "stdin" : "null";
	if (seconds <= 0)
		seconds = GATE_SECONDS_DEFAULT;
	if (seconds < GATE_SECONDS_LEAST)
		seconds = GATE_SECONDS_LEAST;
	strbuf_addf(&word, "%s:%lld", state->gate, (long long)seconds);
	if (word.failed || json_add_string(list, KUBE_GATE_PATH) < 0)
		return -1;
	return json_add_string(list, strbuf_str(&word));
}

/* `list` with the gate in front; takes the list. NULL: no memory. */
static cJSON *behind_gate(struct kube_state *state, cJSON *list)
{
	_cleanup_(json_free) cJSON *owned = list;
	_cleanup_(json_free) cJSON *gated = cJSON_CreateArray();

	if (owned == NULL || gated == NULL || gate_word(state, gated) < 0 ||
	    add_list(gated, owned, false) < 0)
		return NULL;
	return TAKE_PTR(gated);
}

static bool may_gate(const struct kube_state *state)
{
	const cJSON *selector = json_at(state->source, "spec.nodeSelector");
	const cJSON *selected = json_member(selector, "kubernetes.io/os");
	const char *system = json_string(state->source, "spec.os.name");

	if (system == NULL)
		system = json_string(selected, "");
	/* Nobody would open it: a detached task starts by itself. */
	return state->input->gate && !state->input->request->detach &&
	       state->input->request->kubernetes.gate != GATE_NONE &&
	       (system == NULL || strcmp(system, "linux") == 0);
}

/* --entrypoint, or a command in the spec that argv replaces. */
static int new_command(struct kube_state *state, struct err *err)
{
	const struct request *request = state->input->request;

	state->command = cJSON_CreateArray();
	if (state->command == NULL)
		return err_no_memory(err);
	if (request->entrypoint_mode == ENTRYPOINT_REPLACE &&
	    (request->entrypoint == NULL || add_escaped(state->command, request->entrypoint) < 0))
		return err_no_memory(err);
	if (add_argv(state->command, &request->argv) < 0)
		return err_no_memory(err);
	state->command_reason = request->entrypoint_mode == ENTRYPOINT_KEEP
	                                ? "the command that was asked for"
	                                : "asked with --entrypoint";
	return 0;
}

/* --entrypoint clear without a command: the arguments that the spec or the image has. */
static int cleared_command(struct kube_state *state, struct err *err)
{
	const cJSON *config = json_member(state->input->image_config, "config");
	_cleanup_(json_free) cJSON *list = NULL;

	if (source_list(state, "args", &list) < 0)
		return err_no_memory(err);
	if (list == NULL) {
		list = cJSON_CreateArray();
		if (list == NULL || add_list(list, json_member(config, "Cmd"), true) < 0)
			return err_no_memory(err);
	}
	if (cJSON_GetArraySize(list) == 0) {
		(void)err_set(err, ERR_USAGE, "no command is left without the entrypoint");
		return err_hint(err, "name one behind --");
	}
	state->command = TAKE_PTR(list);
	state->command_reason = "asked with --entrypoint";
	return 0;
}

/* The image's ENTRYPOINT stays, with the asked arguments, the source's, or the image's own. */
static int kept_entrypoint(struct kube_state *state, cJSON **ret_whole, struct err *err)
{
	const struct strv *argv = &state->input->request->argv;
	const cJSON *config = json_member(state->input->image_config, "config");
	_cleanup_(json_free) cJSON *whole = NULL;

	if (source_list(state, "args", &state->args) < 0)
		return err_no_memory(err);
	state->command_reason = "no other command was asked for";
	if (argv->count > 0) {
		json_free(&state->args);
		state->args = cJSON_CreateArray();
		if (state->args == NULL || add_argv(state->args, argv) < 0)
			return err_no_memory(err);
		state->command_reason = "the command that was asked for";
	}
	if (image_entrypoint(state, &whole) < 0)
		return err_no_memory(err);
	if (whole == NULL || (state->args == NULL && !cJSON_IsObject(config)))
		return 0;
	if ((state->args != NULL ? add_list(whole, state->args, false)
	                         : add_list(whole, json_member(config, "Cmd"), true)) < 0)
		return err_no_memory(err);
	if (cJSON_GetArraySize(whole) > 0)
		*ret_whole = TAKE_PTR(whole);
	return 0;
}

/* The spec has a command and none was asked for. */
static int same_command(struct kube_state *state, cJSON **ret_whole, struct err *err)
{
	_cleanup_(json_free) cJSON *whole = cJSON_Duplicate(state->command, true);

	if (source_list(state, "args", &state->args) < 0 || whole == NULL ||
	    add_list(whole, state->args, false) < 0)
		return err_no_memory(err);
	state->command_reason = "no other command was asked for";
	*ret_whole = TAKE_PTR(whole);
	return 0;
}

/* Fills command and args as they would be without a gate, and *ret_whole (owned) with all of it when
 * it is known. */
static int without_gate(struct kube_state *state, cJSON **ret_whole, struct err *err)
{
	const struct request *request = state->input->request;
	_cleanup_(json_free) cJSON *command = NULL;
	bool asked = request->argv.count > 0;
	int result;

	if (source_list(state, "command", &command) < 0)
		return err_no_memory(err);
	if (request->entrypoint_mode == ENTRYPOINT_CLEAR && !asked)
		result = cleared_command(state, err);
	else if (request->entrypoint_mode != ENTRYPOINT_KEEP || (command != NULL && asked))
		result = new_command(state, err);
	else if (command == NULL)
		return kept_entrypoint(state, ret_whole, err);
	else {
		state->command = TAKE_PTR(command);
		return same_command(state, ret_whole, err);
	}
	if (result < 0)
		return -1;
	*ret_whole = cJSON_Duplicate(state->command, true);
	return *ret_whole != NULL ? 0 : err_no_memory(err);
}

int kube_plan_command(struct kube_state *state, struct err *err)
{
	_cleanup_(json_free) cJSON *whole = NULL;

	if (without_gate(state, &whole, err) < 0)
		return -1;
	if (!may_gate(state))
		return 0;
	if (whole != NULL) {
		json_free(&state->command);
		json_free(&state->args);
		state->command = behind_gate(state, TAKE_PTR(whole));
		return state->command != NULL ? 0 : err_no_memory(err);
	}
	if (state->input->request->kubernetes.gate != GATE_ARGS || state->args == NULL)
		return 0;
	state->args = behind_gate(state, TAKE_PTR(state->args));
	return state->args != NULL ? 0 : err_no_memory(err);
}

/* One of the two lists. The reason says what stands in front of the command, and why nothing does. */
static int put_list(struct rule_context *context, const struct rule *rule, const cJSON *was,
                    const cJSON *now, struct err *err)
{
	struct kube_state *state = kube_state(context);
	const char *why = state->command_reason;
	_cleanup_(strbuf_release) struct strbuf reason = STRBUF_INIT;

	if (now == NULL)
		return rule_changed(context, rule->path, was, NULL,
		                    state->gate != NULL ? "stands behind the gate in 'command'"
		                                        : rule->why,
		                    err);
	strbuf_adds(&reason, why);
	if (state->gate != NULL)
		strbuf_adds(&reason, ", behind a gate that opens when you are attached");
	if (reason.failed)
		return err_no_memory(err);
	return rule_set(context, rule, was, cJSON_Duplicate(now, true), strbuf_str(&reason), err);
}

int kube_command(struct rule_context *context, const struct rule *rule, const cJSON *node,
                 struct err *err)
{
	struct kube_state *state = kube_state(context);

	if (may_gate(state) && state->gate == NULL &&
	    plan_add(context->plan, PLAN_DROPPED, "gate", NULL, NULL,
	             "the image's ENTRYPOINT is not known: early output may be missing; "
	             "see --gate args and the annotation " KUBE_ENTRYPOINT_NOTE) < 0)
		return err_no_memory(err);
	return put_list(context, rule, node, state->command, err);
}

int kube_args(struct rule_context *context, const struct rule *rule, const cJSON *node,
              struct err *err)
{
	return put_list(context, rule, node, kube_state(context)->args, err);
}
