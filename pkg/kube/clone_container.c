/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/base/number.h"
#include "pkg/kube/clone_calls.h"

#define ID_MAX INT32_MAX /* runAsUser and runAsGroup, by validation */

static int put_same(struct rule_context *context, const struct rule *rule, const cJSON *node,
                    struct err *err)
{
	if (node == NULL)
		return 0;
	return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
}

int kube_workdir(struct rule_context *context, const struct rule *rule, const cJSON *node,
                 struct err *err)
{
	const char *asked = kube_state(context)->input->request->workdir;

	if (asked == NULL)
		return put_same(context, rule, node, err);
	return rule_set(context, rule, node, cJSON_CreateString(asked), "asked with -w", err);
}

/* "UID" or "UID:GID"; *ret_gid is -1 without a group. */
static int parse_user(const char *user, int64_t *ret_uid, int64_t *ret_gid, struct err *err)
{
	const char *colon = strchr(user, ':');
	_cleanup_free_ char *first = strndup(user, strcspn(user, ":"));

	if (first == NULL)
		return err_no_memory(err);
	*ret_gid = -1;
	if (parse_int64(first, 0, ID_MAX, ret_uid) == 0 &&
	    (colon == NULL || parse_int64(colon + 1, 0, ID_MAX, ret_gid) == 0))
		return 0;
	(void)err_set(err, ERR_USAGE, "Kubernetes knows users by number, and '%s' is none", user);
	return err_hint(err, "say -u UID or -u UID:GID; `id` inside the app tells them");
}

int kube_security(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	const char *asked = kube_state(context)->input->request->user;
	_cleanup_(json_free) cJSON *now = NULL;
	int64_t uid, gid;

	if (asked == NULL)
		return put_same(context, rule, node, err);
	if (parse_user(asked, &uid, &gid, err) < 0)
		return -1;
	now = cJSON_IsObject(node) ? cJSON_Duplicate(node, true) : cJSON_CreateObject();
	/* As docker has it: another user does not take the app's group along. */
	if (now == NULL || json_set_int64(now, "runAsUser", uid) < 0 ||
	    json_set_int64(now, "runAsGroup", gid >= 0 ? gid : 0) < 0)
		return err_no_memory(err);
	return rule_set(context, rule, node, TAKE_PTR(now), "asked with -u", err);
}

/* ---- resources ---------------------------------------------------------------------------------- */

/* Thousandths of a processor are the finest that a quantity may have. */
static void add_cpu(struct strbuf *text, int64_t nano)
{
	int64_t milli = nano / 1000000 + (nano % 1000000 > 0);

	if (milli % 1000 == 0)
		strbuf_addf(text, "%lld", (long long)(milli / 1000));
	else
		strbuf_addf(text, "%lldm", (long long)milli);
}

static void add_memory(struct strbuf *text, int64_t bytes)
{
	static const struct {
		const char *unit;
		int shift;
	} units[] = {{"Gi", 30}, {"Mi", 20}, {"Ki", 10}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (bytes > 0 && bytes % (INT64_C(1) << units[i].shift) == 0) {
			strbuf_addf(text, "%lld%s", (long long)(bytes >> units[i].shift),
			            units[i].unit);
			return;
		}
	}
	strbuf_addf(text, "%lld", (long long)bytes);
}

/* The same number as limit and as request, so that the node has room for it. */
static int set_quantity(cJSON *resources, const char *key, const struct strbuf *text)
{
	static const char *const lists[] = {"limits", "requests"};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		cJSON *list = json_object_for(resources, lists[i]);

		if (text->failed || list == NULL ||
		    json_set_string(list, key, strbuf_str(text)) < 0)
			return -1;
	}
	return 0;
}

/* Claims that the pod no longer has cannot be used. */
static void drop_claims(const struct kube_state *state, cJSON *resources)
{
	cJSON *claims = json_member(resources, "claims");

	for (size_t i = 0; i < state->dropped_claims.count; i++) {
		cJSON *claim = json_named(claims, state->dropped_claims.items[i]);

		for (; claim != NULL; claim = json_named(claims, state->dropped_claims.items[i]))
			cJSON_Delete(cJSON_DetachItemViaPointer(claims, claim));
	}
	if (cJSON_IsArray(claims) && claims->child == NULL)
		cJSON_DeleteItemFromObjectCaseSensitive(resources, "claims");
}

static int put_resources(struct rule_context *context, const struct rule *rule, const cJSON *node,
                         const struct request *request, struct err *err)
{
	_cleanup_(json_free) cJSON *now =
		cJSON_IsObject(node) ? cJSON_Duplicate(node, true) : cJSON_CreateObject();
	_cleanup_(strbuf_release) struct strbuf cpu = STRBUF_INIT;
	_cleanup_(strbuf_release) struct strbuf memory = STRBUF_INIT;
	const char *why = rule->why;

	if (now == NULL)
		return err_no_memory(err);
	drop_claims(kube_state(context), now);
	if (!json_equal(now, node))
		why = "without the devices of the running pods";
	if (request != NULL && request->cpu_nano != REQUEST_AS_SOURCE) {
		add_cpu(&cpu, request->cpu_nano);
		if (set_quantity(now, "cpu", &cpu) < 0)
			return err_no_memory(err);
		why = "asked with --cpu or --memory";
	}
	if (request != NULL && request->memory_bytes != REQUEST_AS_SOURCE) {
		add_memory(&memory, request->memory_bytes);
		if (set_quantity(now, "memory", &memory) < 0)
			return err_no_memory(err);
		why = "asked with --cpu or --memory";
	}
	if (node == NULL && now->child == NULL)
		return 0;
	return rule_set(context, rule, node, TAKE_PTR(now), why, err);
}

int kube_resources(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	return put_resources(context, rule, node, kube_state(context)->input->request, err);
}

int kube_claimed_resources(struct rule_context *context, const struct rule *rule, const cJSON *node,
                           struct err *err)
{
	return put_resources(context, rule, node, NULL, err);
}

/* ---- streams and mounts ------------------------------------------------------------------------- */

/* The gate is released by a byte on stdin, even if the task itself gets none. */
int kube_stdio(struct rule_context *context, const struct rule *rule, const cJSON *node,
               struct err *err)
{
	struct kube_state *state = kube_state(context);
	const struct request *request = state->input->request;
	bool needed = state->gate != NULL && strcmp(state->gate, "tty") != 0;
	bool value = request->stdin_open || needed;
	const char *why = rule->why;

	if (strcmp(rule->to, "tty") == 0)
		value = request->tty;
	else if (!request->stdin_open && needed)
		why = "opens the gate; the task itself reads nothing";
	if (!value && json_is_unset(node))
		return 0;
	return rule_set(context, rule, node, cJSON_CreateBool(value), why, err);
}

/* Where the gate writes, without asking the spec. */
int kube_message_path(struct rule_context *context, const struct rule *rule, const cJSON *node,
                      struct err *err)
{
	static const char usual[] = "/dev/termination-log";
	bool same = cJSON_IsString(node) && strcmp(node->valuestring, usual) == 0;

	if (json_is_unset(node))
		return 0;
	return rule_set(context, rule, node, cJSON_CreateString(usual),
	                same ? "same place for its last words" : rule->why, err);
}

int kube_termination(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	return rule_set(context, rule, node, cJSON_CreateString("FallbackToLogsOnError"), rule->why,
	                err);
}

static bool is_dropped(const struct kube_state *state, const cJSON *mount)
{
	const char *name = json_string(mount, "name");

	for (size_t i = 0; i < state->dropped_volumes.count; i++) {
		if (strcmp(state->dropped_volumes.items[i], name) == 0)
			return true;
	}
	return false;
}

static int add_gate_mount(struct rule_context *context, const struct rule *rule, cJSON *list,
                          struct err *err)
{
	_cleanup_(json_free) cJSON *mount = cJSON_CreateObject();

	if (mount == NULL || json_set_string(mount, "name", KUBE_GATE_VOLUME) < 0 ||
	    json_set_string(mount, "mountPath", KUBE_GATE_FOLDER) < 0 ||
	    json_set_bool(mount, "readOnly", true) < 0)
		return err_no_memory(err);
	if (rule_report(context, PLAN_ADDED, rule->path, KUBE_GATE_FOLDER, NULL, mount,
	                "the gate that waits until you are attached", err) < 0)
		return -1;
	return json_add_node(list, TAKE_PTR(mount)) < 0 ? err_no_memory(err) : 0;
}

static int take_mount(struct rule_context *context, const struct rule *rule, const cJSON *mount,
                      bool gate, cJSON *list, struct err *err)
{
	const char *path = json_string(mount, "mountPath");
	const char *key = path != NULL ? path : json_string(mount, "name");

	if (is_dropped(kube_state(context), mount))
		return rule_report(context, PLAN_DROPPED, rule->path, key, mount, NULL,
		                   "its volume does not come along", err);
	if (gate && path != NULL && strcmp(path, KUBE_GATE_FOLDER) == 0)
		return rule_report(context, PLAN_DROPPED, rule->path, key, mount, NULL,
		                   "the gate is mounted there", err);
	if (json_add_node(list, cJSON_Duplicate(mount, true)) < 0)
		return err_no_memory(err);
	return rule_report(context, PLAN_KEPT, rule->path, key, mount, mount, rule->why, err);
}

int kube_mounts(struct rule_context *context, const struct rule *rule, const cJSON *node,
                struct err *err)
{
	struct kube_state *state = kube_state(context);
	bool gate = state->gate != NULL && context->source == state->task;
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	const cJSON *mount;

	if (list == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (mount, node) {
		if (take_mount(context, rule, mount, gate, list, err) < 0)
			return -1;
	}
	if (gate && add_gate_mount(context, rule, list, err) < 0)
		return -1;
	if (list->child == NULL)
		return 0;
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}
