/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

static int append(struct kube_selector **list, size_t *count, struct kube_selector selector)
{
	struct kube_selector *grown = reallocarray(*list, *count + 1, sizeof(*grown));

	if (grown == NULL)
		return -1;
	*list = grown;
	grown[(*count)++] = selector;
	return 0;
}

static const char *text_or(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

/* A ReplicationController's selector is a map; in a list its kind is not told. */
bool kube_is_plain_map(const cJSON *selector)
{
	return json_member(selector, "matchLabels") == NULL &&
	       json_member(selector, "matchExpressions") == NULL && selector != NULL &&
	       cJSON_IsString(selector->child);
}

static int add_objects(struct kube_state *state, const cJSON *objects, const char *kind,
                       bool services)
{
	const cJSON *object;

	cJSON_ArrayForEach (object, objects) {
		const cJSON *node = json_at(object, "spec.selector");
		struct kube_selector selector = {
			.kind = text_or(json_string(object, "kind"), kind),
			.name = text_or(json_string(object, "metadata.name"), "?"),
			.node = node,
			.map = services || kube_is_plain_map(node),
			.object = object,
		};

		if (cJSON_IsObject(node) &&
		    append(&state->selectors, &state->selector_count, selector) < 0)
			return -1;
	}
	return 0;
}

/* The workload itself, unless its namespace's list has it. */
static int add_workload(struct kube_state *state)
{
	const cJSON *workload = state->input->workload;
	const char *name = text_or(json_string(workload, "metadata.name"), "?");
	const cJSON *node = json_at(workload, "spec.selector");
	struct kube_selector selector = {
		.kind = text_or(json_string(workload, "kind"), "the workload"),
		.name = name,
		.node = node,
		.map = kube_is_plain_map(node),
		.object = workload,
	};

	for (size_t i = 0; i < state->selector_count; i++) {
		if (strcmp(state->selectors[i].name, name) == 0 &&
		    json_equal(state->selectors[i].node, node)) {
			state->selectors[i].kind = selector.kind;
			return 0;
		}
	}
	if (!cJSON_IsObject(node))
		return 0;
	return append(&state->selectors, &state->selector_count, selector);
}

/* The pods that a policy is for, and those that its rules let in or out. */
static int add_policy_peers(struct kube_state *state, const cJSON *policy, const char *direction,
                            const char *peers)
{
	const cJSON *rule, *peer;

	cJSON_ArrayForEach (rule, json_at(policy, direction)) {
		cJSON_ArrayForEach (peer, json_member(rule, peers)) {
			struct kube_selector selector = {
				.kind = "peer",
				.name = text_or(json_string(policy, "metadata.name"), "?"),
				.node = json_member(peer, "podSelector"),
				.object = policy,
			};

			if (cJSON_IsObject(selector.node) &&
			    append(&state->policies, &state->policy_count, selector) < 0)
				return -1;
		}
	}
	return 0;
}

static int add_policies(struct kube_state *state)
{
	const cJSON *policy;

	cJSON_ArrayForEach (policy, state->input->policies) {
		struct kube_selector selector = {
			.kind = "NetworkPolicy",
			.name = text_or(json_string(policy, "metadata.name"), "?"),
			.node = json_at(policy, "spec.podSelector"),
			.object = policy,
		};

		if (append(&state->policies, &state->policy_count, selector) < 0 ||
		    add_policy_peers(state, policy, "spec.ingress", "from") < 0 ||
		    add_policy_peers(state, policy, "spec.egress", "to") < 0)
			return -1;
	}
	return 0;
}

bool kube_selects(const struct kube_state *state, const struct kube_selector *selector)
{
	return kube_selector_matches(selector, state->labels, state->label_count);
}

bool kube_selects_source(const struct kube_state *state, const struct kube_selector *selector)
{
	const cJSON *labels = json_at(state->source, "metadata.labels");
	size_t count = state->source_label_count;
	_cleanup_free_ struct kube_label *all = calloc(count + 1, sizeof(*all));
	const cJSON *label;
	size_t i = 0;

	cJSON_ArrayForEach (label, labels) {
		if (all != NULL && i < count)
			all[i++] = (struct kube_label){label->string, label->valuestring, false,
			                               false};
	}
	return all != NULL && kube_selector_matches(selector, all, i);
}

/* A namespace may hold hundreds of others' selectors: what no choice of labels can
 * match is left out. A policy that spoke of the source stays: it is missed. */
static void sift(const struct kube_state *state, struct kube_selector *list, size_t *count,
                 bool policies)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		if (kube_selector_may_match(&list[i], state->labels, state->label_count) ||
		    (policies && kube_selects_source(state, &list[i])))
			list[kept++] = list[i];
	}
	*count = kept;
}

int kube_collect_selectors(struct kube_state *state, struct err *err)
{
	const struct kube_clone_input *input = state->input;

	if (add_objects(state, input->services, "Service", true) < 0 ||
	    add_objects(state, input->workloads, "the workload", false) < 0 ||
	    add_workload(state) < 0 ||
	    add_objects(state, input->budgets, "PodDisruptionBudget", false) < 0 ||
	    add_policies(state) < 0)
		return err_no_memory(err);
	sift(state, state->selectors, &state->selector_count, false);
	sift(state, state->policies, &state->policy_count, true);
	return 0;
}
