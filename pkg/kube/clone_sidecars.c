/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

static const char mesh_proxy[] = "a mesh put it there, and does so again";
static const char other_gate[] = "the gate of another one-off";

const char *kube_injected_container(const char *name)
{
	static const char *const names[] = {
		"istio-proxy",   "istio-init",   "istio-validation",          "enable-core-dump",
		"linkerd-proxy", "linkerd-init", "linkerd-network-validator", "linkerd-debug",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return mesh_proxy;
	}
	return NULL;
}

const char *kube_injected_volume(const char *name)
{
	static const char *const names[] = {
		"istio-envoy",
		"istio-data",
		"istio-podinfo",
		"istio-token",
		"istiod-ca-cert",
		"istio-ca-crl",
		"workload-socket",
		"credential-socket",
		"workload-certs",
		"linkerd-proxy-init-xtables-lock",
		"linkerd-identity-end-entity",
		"linkerd-identity-token",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return mesh_proxy;
	}
	return strcmp(name, KUBE_GATE_VOLUME) == 0 ? other_gate : NULL;
}

static bool is_native(const cJSON *container)
{
	const char *policy = json_string(container, "restartPolicy");

	return policy != NULL && strcmp(policy, "Always") == 0;
}

/* ---- named ports: a sidecar's ports go, so its probes must not name them ------------------------ */

static const cJSON *port_number(const cJSON *container, const cJSON *port)
{
	const cJSON *found;

	if (!cJSON_IsString(port))
		return NULL;
	found = json_named(json_member(container, "ports"), port->valuestring);
	return json_member(found, "containerPort");
}

/* Puts the number of a named port in `action` ({"httpGet": {"port": …}} and the like). */
static int resolve_ports(const cJSON *container, cJSON *action)
{
	static const char *const kinds[] = {"httpGet", "tcpSocket"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		cJSON *kind = json_member(action, kinds[i]);
		const cJSON *number = port_number(container, json_member(kind, "port"));

		if (number != NULL &&
		    json_set_node(kind, "port", cJSON_Duplicate(number, true)) < 0)
			return -1;
	}
	return 0;
}

int kube_probe(struct rule_context *context, const struct rule *rule, const cJSON *node,
               struct err *err)
{
	_cleanup_(json_free) cJSON *now = NULL;

	if (node == NULL)
		return 0;
	now = cJSON_Duplicate(node, true);
	if (now == NULL || resolve_ports(context->source, now) < 0 ||
	    resolve_ports(context->source, json_member(now, "preStop")) < 0 ||
	    resolve_ports(context->source, json_member(now, "postStart")) < 0)
		return err_no_memory(err);

	bool same = json_equal(node, now);
	return rule_set(context, rule, node, TAKE_PTR(now), same ? rule->why : "its port by number",
	                err);
}

int kube_sidecar_restart(struct rule_context *context, const struct rule *rule, const cJSON *node,
                         struct err *err)
{
	return rule_set(context, rule, node, cJSON_CreateString("Always"),
	                is_native(context->source) ? "a native sidecar, as it was" : rule->why,
	                err);
}

/* ---- the two lists ------------------------------------------------------------------------------ */

/* Why a container beside the task stays away, or NULL. */
static const char *absence(const struct kube_state *state, const cJSON *container, bool init)
{
	const struct request_kubernetes *asked = &state->input->request->kubernetes;
	const char *why = NULL;

	if (state->flags & KUBE_BARE)
		why = kube_injected_container(json_string(container, "name"));
	if (why != NULL)
		return why;
	if (init && !is_native(container))
		return asked->no_init ? "asked with --no-init" : NULL;
	return asked->sidecars == SIDECARS_NONE ? "asked with --sidecars none" : NULL;
}

static int report_absence(struct rule_context *context, const struct rule *rule,
                          const cJSON *container, const char *why, struct err *err)
{
	return rule_report(context, PLAN_DROPPED, rule->path, json_string(container, "name"),
	                   container, NULL, why, err);
}

int kube_init_containers(struct rule_context *context, const struct rule *rule, const cJSON *node,
                         struct err *err)
{
	struct kube_state *state = kube_state(context);
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	const cJSON *container;

	if (list == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (container, node) {
		const char *why = absence(state, container, true);
		enum kube_table table = is_native(container) ? KUBE_TABLE_SIDECAR : KUBE_TABLE_INIT;
		cJSON *copy = NULL;

		if (why != NULL) {
			if (report_absence(context, rule, container, why, err) < 0)
				return -1;
			continue;
		}
		if (kube_run_container(context, table, "initContainers", container, &copy, err) < 0)
			return -1;
		if (json_add_node(list, copy) < 0)
			return err_no_memory(err);
	}
	return list->child == NULL ? 0 : rule_put(context, rule->to, TAKE_PTR(list), err);
}

/* A sidecar that was a plain container: behind the init containers, as it started behind them. */
static int add_sidecar(struct rule_context *context, const cJSON *container, struct err *err)
{
	cJSON *spec = json_member(context->target, "spec");
	cJSON *copy = NULL;

	if (kube_run_container(context, KUBE_TABLE_SIDECAR, "containers", container, &copy, err) <
	    0)
		return -1;
	if (json_member(spec, "initContainers") == NULL &&
	    json_set_node(spec, "initContainers", cJSON_CreateArray()) < 0) {
		json_free(&copy);
		return err_no_memory(err);
	}
	if (json_add_node(json_member(spec, "initContainers"), copy) < 0)
		return err_no_memory(err);
	return 0;
}

static int add_other(struct rule_context *context, const struct rule *rule, const cJSON *container,
                     struct err *err)
{
	const char *why = absence(kube_state(context), container, false);

	if (why != NULL)
		return report_absence(context, rule, container, why, err);
	return add_sidecar(context, container, err);
}

int kube_containers(struct rule_context *context, const struct rule *rule, const cJSON *node,
                    struct err *err)
{
	struct kube_state *state = kube_state(context);
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	const cJSON *container;
	cJSON *task = NULL;

	if (list == NULL)
		return err_no_memory(err);
	if (kube_run_container(context, KUBE_TABLE_TASK, "containers", state->task, &task, err) < 0)
		return -1;
	if (json_add_node(list, task) < 0)
		return err_no_memory(err);
	cJSON_ArrayForEach (container, node) {
		if (container != state->task && add_other(context, rule, container, err) < 0)
			return -1;
	}
	return rule_put(context, rule->to, TAKE_PTR(list), err);
}
