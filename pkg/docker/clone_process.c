/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/docker/clone_calls.h"

static const char new_image_decides[] = "came with the old image; the new one brings its own";

/* Reports a value that the new image will set, and sends none. */
static int leave_to_image(struct rule_context *context, const struct rule *rule, const cJSON *node,
                          struct err *err)
{
	return rule_changed(context, rule->path, node, NULL, new_image_decides, err);
}

static int put_same(struct rule_context *context, const struct rule *rule, const cJSON *node,
                    struct err *err)
{
	if (node == NULL)
		return 0;
	return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
}

int clone_image(struct rule_context *context, const struct rule *rule, const cJSON *node,
                struct err *err)
{
	const char *asked = clone_input(context)->request->image;

	if (asked == NULL)
		return put_same(context, rule, node, err);
	return rule_set(context, rule, node, cJSON_CreateString(asked), "asked with --image", err);
}

int clone_image_field(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err)
{
	if (clone_from_old_image(context, rule->to, node))
		return leave_to_image(context, rule, node, err);
	return put_same(context, rule, node, err);
}

static int put_asked(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     const char *asked, const char *why, struct err *err)
{
	if (asked == NULL)
		return clone_image_field(context, rule, node, err);
	return rule_set(context, rule, node, cJSON_CreateString(asked), why, err);
}

int clone_user(struct rule_context *context, const struct rule *rule, const cJSON *node,
               struct err *err)
{
	return put_asked(context, rule, node, clone_input(context)->request->user, "asked with -u",
	                 err);
}

int clone_workdir(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	return put_asked(context, rule, node, clone_input(context)->request->workdir,
	                 "asked with -w", err);
}

int clone_cmd(struct rule_context *context, const struct rule *rule, const cJSON *node,
              struct err *err)
{
	const struct request *request = clone_input(context)->request;

	if (request->argv.count > 0)
		return rule_set(context, rule, node, json_new_strings(&request->argv), rule->why,
		                err);
	/* An own entrypoint without arguments runs bare, as docker run --entrypoint has it. */
	if (request->entrypoint_mode == ENTRYPOINT_REPLACE)
		return rule_set(context, rule, node, cJSON_CreateArray(), "asked with --entrypoint",
		                err);
	if (clone_from_old_image(context, rule->to, node))
		return leave_to_image(context, rule, node, err);
	return node == NULL ? 0
	                    : rule_set(context, rule, node, cJSON_Duplicate(node, true),
	                               "no other command was asked for", err);
}

/* No entrypoint at all, not even the image's. Podman before 5.5.1 takes [] for "the image's". */
static cJSON *no_entrypoint(bool podman)
{
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();

	if (list == NULL || (podman && json_add_string(list, "") < 0))
		return NULL;
	return TAKE_PTR(list);
}

static int keep_entrypoint(struct rule_context *context, const struct rule *rule, const cJSON *node,
                           struct err *err)
{
	const struct docker_clone_input *input = clone_input(context);
	bool cleared = json_is_unset(node);

	if (clone_from_old_image(context, rule->to, node))
		return leave_to_image(context, rule, node, err);
	/* The source may run without the entrypoint that its image has: say so, or it comes back.
	 */
	if (cleared &&
	    (input->image == NULL || !json_is_unset(json_at(input->image, "Config.Entrypoint"))))
		return rule_put(context, rule->to, no_entrypoint(input->podman), err);
	return cleared ? 0 : put_same(context, rule, node, err);
}

int clone_entrypoint(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	const struct docker_clone_input *input = clone_input(context);
	_cleanup_(json_free) cJSON *list = NULL;

	if (input->request->entrypoint_mode == ENTRYPOINT_KEEP)
		return keep_entrypoint(context, rule, node, err);
	if (input->request->entrypoint_mode == ENTRYPOINT_CLEAR) {
		if (rule_changed(context, rule->path, node, NULL, "asked with --entrypoint", err) <
		    0)
			return -1;
		return rule_put(context, rule->to, no_entrypoint(input->podman), err);
	}
	list = cJSON_CreateArray();
	if (list == NULL || input->request->entrypoint == NULL ||
	    json_add_string(list, input->request->entrypoint) < 0)
		return err_no_memory(err);
	return rule_set(context, rule, node, TAKE_PTR(list), "asked with --entrypoint", err);
}

int clone_stop_timeout(struct rule_context *context, const struct rule *rule, const cJSON *node,
                       struct err *err)
{
	int64_t grace = clone_input(context)->request->grace_ms;

	if (grace == REQUEST_AS_SOURCE)
		return put_same(context, rule, node, err);
	return rule_set(context, rule, node, json_new_int64((grace + 999) / 1000),
	                "asked with --grace", err);
}

int clone_stdio(struct rule_context *context, const struct rule *rule, const cJSON *node,
                struct err *err)
{
	const struct request *request = clone_input(context)->request;
	const struct {
		const char *key;
		bool value;
	} fields[] = {
		{"Tty", request->tty},
		{"OpenStdin", request->stdin_open},
		/* The first who attaches to a detached task may leave again: its input stays open. */
		{"StdinOnce", request->stdin_open && !request->detach},
		{"AttachStdin", request->stdin_open && !request->detach},
		{"AttachStdout", !request->detach},
		{"AttachStderr", !request->detach},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcmp(rule->to, fields[i].key) == 0)
			return rule_set(context, rule, node, cJSON_CreateBool(fields[i].value),
			                rule->why, err);
	}
	return err_set(err, ERR_INTERNAL, "no stream is called '%s'", rule->to);
}

int clone_healthcheck(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err)
{
	_cleanup_(json_free) cJSON *none = cJSON_CreateObject();
	_cleanup_(json_free) cJSON *test = cJSON_CreateArray();

	/* Without one in the source its image has none either; another image may. */
	if (json_is_unset(node) && clone_input(context)->request->image == NULL)
		return 0;
	if (none == NULL || test == NULL || json_add_string(test, "NONE") < 0 ||
	    json_set_node(none, "Test", TAKE_PTR(test)) < 0)
		return err_no_memory(err);
	return rule_set(context, rule, node, TAKE_PTR(none), rule->why, err);
}

int clone_console_size(struct rule_context *context, const struct rule *rule, const cJSON *node,
                       struct err *err)
{
	const struct request *request = clone_input(context)->request;
	_cleanup_(json_free) cJSON *size = NULL;

	(void)node; /* [0,0] on every running container */
	if (!request->tty || request->tty_rows <= 0 || request->tty_columns <= 0)
		return 0;
	size = cJSON_CreateArray();
	if (size == NULL || json_add_node(size, json_new_int64(request->tty_rows)) < 0 ||
	    json_add_node(size, json_new_int64(request->tty_columns)) < 0)
		return err_no_memory(err);
	return rule_set(context, rule, NULL, TAKE_PTR(size), rule->why, err);
}

int clone_restart_policy(struct rule_context *context, const struct rule *rule, const cJSON *node,
                         struct err *err)
{
	const char *was = json_string(node, "Name");
	_cleanup_(json_free) cJSON *policy = cJSON_CreateObject();

	if (policy == NULL || json_set_string(policy, "Name", "no") < 0)
		return err_no_memory(err);
	/* "" and "no" mean the same: no difference to tell. */
	if (was == NULL || was[0] == '\0' || strcmp(was, "no") == 0)
		return rule_put(context, rule->to, TAKE_PTR(policy), err);
	return rule_set(context, rule, node, TAKE_PTR(policy), rule->why, err);
}

int clone_auto_remove(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err)
{
	bool never_kept = clone_input(context)->request->keep == KEEP_NEVER;

	return rule_set(context, rule, node, cJSON_CreateBool(never_kept),
	                never_kept ? rule->why : "asked with --keep", err);
}
