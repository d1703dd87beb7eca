/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

int kube_restart_policy(struct rule_context *context, const struct rule *rule, const cJSON *node,
                        struct err *err)
{
	return rule_set(context, rule, node, cJSON_CreateString("Never"), rule->why, err);
}

/* The pod's own deadline ends the task and keeps its log; the Job's would take both away. */
int kube_deadline(struct rule_context *context, const struct rule *rule, const cJSON *node,
                  struct err *err)
{
	int64_t seconds = kube_seconds(kube_state(context)->input->request->timeout_ms);

	if (seconds <= 0)
		return rule_changed(context, rule->path, node, NULL, "no --timeout", err);
	if (seconds > INT32_MAX)
		seconds = INT32_MAX;
	return rule_set(context, rule, node, json_new_int64(seconds), rule->why, err);
}

int kube_grace(struct rule_context *context, const struct rule *rule, const cJSON *node,
               struct err *err)
{
	int64_t grace = kube_state(context)->input->request->grace_ms;

	if (grace != REQUEST_AS_SOURCE)
		return rule_set(context, rule, node, json_new_int64(kube_seconds(grace)),
		                "asked with --grace", err);
	if (node == NULL)
		return 0;
	return rule_set(context, rule, node, cJSON_Duplicate(node, true), rule->why, err);
}

/* The two that admission gives every pod, and gives again. */
static bool is_default(const cJSON *toleration)
{
	const char *key = json_string(toleration, "key");
	const char *effect = json_string(toleration, "effect");
	int64_t seconds;

	if (key == NULL || effect == NULL || strcmp(effect, "NoExecute") != 0 ||
	    json_int64(toleration, "tolerationSeconds", &seconds) < 0 || seconds != 300)
		return false;
	return strcmp(key, "node.kubernetes.io/not-ready") == 0 ||
	       strcmp(key, "node.kubernetes.io/unreachable") == 0;
}

int kube_tolerations(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	_cleanup_(json_free) cJSON *kept = cJSON_CreateArray();
	const cJSON *toleration;

	if (kept == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (toleration, node) {
		if (!is_default(toleration) &&
		    json_add_node(kept, cJSON_Duplicate(toleration, true)) < 0)
			return err_no_memory(err);
	}
	if (kept->child == NULL)
		return rule_changed(context, rule->path, node, NULL, "admission adds them again",
		                    err);
	return rule_set(context, rule, node, TAKE_PTR(kept), rule->why, err);
}

int kube_readiness(struct rule_context *context, const struct rule *rule, const cJSON *node,
                   struct err *err)
{
	_cleanup_(json_free) cJSON *list = NULL;
	cJSON *gate = cJSON_CreateObject();

	if (!kube_state(context)->never_ready) {
		json_free(&gate);
		return rule_changed(context, rule->path, node, NULL, rule->why, err);
	}
	list = cJSON_CreateArray();
	if (list == NULL) {
		json_free(&gate);
		return err_no_memory(err);
	}
	if (json_add_node(list, gate) < 0 ||
	    json_set_string(list->child, "conditionType", KUBE_NEVER_READY) < 0)
		return err_no_memory(err);
	return rule_set(context, rule, node, TAKE_PTR(list),
	                "nobody sets it: the pod is never ready and gets no traffic", err);
}

/* ---- the node ----------------------------------------------------------------------------------- */

static int select_node(struct rule_context *context, const char *key, const char *value,
                       const char *why, struct err *err)
{
	cJSON *selector = json_object_for(json_member(context->target, "spec"), "nodeSelector");
	_cleanup_(json_free) cJSON *now = cJSON_CreateString(value);
	const cJSON *was = json_member(selector, key);

	if (selector == NULL || now == NULL)
		return err_no_memory(err);
	if (rule_report(context, plan_difference(was, now), "spec.nodeSelector", key, was, now, why,
	                err) < 0)
		return -1;
	return json_set_node(selector, key, TAKE_PTR(now)) < 0 ? err_no_memory(err) : 0;
}

int kube_pin_node(struct rule_context *context, struct err *err)
{
	const struct kube_state *state = kube_state(context);
	const char *node = kube_node(state);
	bool both = state->pin_volume != NULL && state->pin_image != NULL;
	_cleanup_(strbuf_release) struct strbuf why = STRBUF_INIT;

	strbuf_addf(&why, "%s%s%s", state->pin_volume != NULL ? state->pin_volume : "",
	            both ? "; " : "", state->pin_image != NULL ? state->pin_image : "");
	if (why.failed)
		return err_no_memory(err);
	if (why.length > 0 && node != NULL &&
	    select_node(context, KUBE_NODE_LABEL, node, strbuf_str(&why), err) < 0)
		return -1;
	if (state->gate == NULL || state->input->architecture == NULL)
		return 0;
	return select_node(context, KUBE_ARCH_LABEL, state->input->architecture,
	                   "the gate is a program for it", err);
}
