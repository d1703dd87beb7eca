/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

/* More labels than this that something selects on are not weighed against each other: all go. */
#define CANDIDATES_MAX 12

/* ---- which labels go ---------------------------------------------------------------------------- */

struct search {
	struct kube_state *state;
	bool *spoke; /* owned: which of state->policies speak of the source */
	struct kube_label *candidates[CANDIDATES_MAX];
	size_t count;
};

struct cost {
	size_t policies; /* that no longer speak of the clone, or newly do */
	size_t selected; /* by Services, workloads, budgets that could be avoided */
	size_t labels;
};

static struct cost weigh(const struct search *search)
{
	const struct kube_state *state = search->state;
	struct cost cost = {0, 0, 0};

	for (size_t i = 0; i < state->policy_count; i++)
		cost.policies += kube_selects(state, &state->policies[i]) != search->spoke[i];
	for (size_t i = 0; i < state->selector_count; i++)
		cost.selected += !kube_selector_needs_nothing(&state->selectors[i]) &&
		                 kube_selects(state, &state->selectors[i]);
	for (size_t i = 0; i < search->count; i++)
		cost.labels += search->candidates[i]->gone;
	return cost;
}

static void take_away(const struct search *search, unsigned mask)
{
	for (size_t i = 0; i < search->count; i++)
		search->candidates[i]->gone = mask >> i & 1;
}

/* No selection is better than an untouched policy, except under --network-identity. */
static bool is_better(const struct search *search, struct cost left, struct cost right)
{
	bool identity = search->state->input->request->kubernetes.network_identity;
	size_t first_left = identity ? left.policies : left.selected;
	size_t first_right = identity ? right.policies : right.selected;
	size_t second_left = identity ? left.selected : left.policies;
	size_t second_right = identity ? right.selected : right.policies;

	if (first_left != first_right)
		return first_left < first_right;
	if (second_left != second_right)
		return second_left < second_right;
	return left.labels < right.labels;
}

static void find_best(const struct search *search)
{
	unsigned best = 0;
	struct cost least;

	take_away(search, 0);
	least = weigh(search);
	for (unsigned mask = 1; mask < 1U << search->count; mask++) {
		struct cost cost;

		take_away(search, mask);
		cost = weigh(search);
		if (is_better(search, cost, least)) {
			least = cost;
			best = mask;
		}
	}
	take_away(search, best);
}

static bool is_needed(const struct kube_state *state, const char *key)
{
	for (size_t i = 0; i < state->selector_count; i++) {
		if (kube_selector_needs(&state->selectors[i], key))
			return true;
	}
	return false;
}

/* Labels that something selects on, and that may go. Too many of them: all go. */
static void find_candidates(struct search *search)
{
	struct kube_state *state = search->state;
	size_t total = 0;

	for (size_t i = 0; i < state->source_label_count; i++) {
		struct kube_label *label = &state->labels[i];

		if (label->gone || !is_needed(state, label->key))
			continue;
		if (total++ < CANDIDATES_MAX)
			search->candidates[search->count++] = label;
	}
	if (total <= CANDIDATES_MAX)
		return;
	search->count = 0;
	for (size_t i = 0; i < state->source_label_count; i++) {
		struct kube_label *label = &state->labels[i];

		label->gone = label->gone || is_needed(state, label->key);
	}
}

/* Without a list of Services the workload's own selector is the best guess at theirs; without a
 * workload nothing is left to guess by. */
static void guess(struct kube_state *state)
{
	const cJSON *node = json_at(state->input->workload, "spec.selector");
	const struct kube_selector own = {NULL, NULL, node, kube_is_plain_map(node), NULL};

	for (size_t i = 0; i < state->source_label_count; i++) {
		struct kube_label *label = &state->labels[i];

		label->gone = label->gone || !cJSON_IsObject(node) ||
		              kube_selector_needs(&own, label->key);
	}
}

/* ---- what must not be --------------------------------------------------------------------------- */

static bool is_service(const struct kube_state *state, const struct kube_selector *selector)
{
	const cJSON *service;

	cJSON_ArrayForEach (service, state->input->services) {
		if (service == selector->object)
			return true;
	}
	return false;
}

static bool is_budget(const struct kube_state *state, const struct kube_selector *selector)
{
	const cJSON *budget;

	cJSON_ArrayForEach (budget, state->input->budgets) {
		if (budget == selector->object)
			return true;
	}
	return false;
}

/* A whole number of pods that must stay is the only budget that a Job's pod does not upset: for all
 * others the server looks for a number of replicas, finds none, and forbids every eviction. */
static bool is_upset(const cJSON *budget)
{
	int64_t number;

	return json_int64(budget, "spec.minAvailable", &number) < 0;
}

static bool publishes_unready(const cJSON *service)
{
	const cJSON *annotations = json_at(service, "metadata.annotations");
	const cJSON *old =
		json_member(annotations, "service.alpha.kubernetes.io/tolerate-unready-endpoints");

	return json_true(service, "spec.publishNotReadyAddresses") ||
	       (cJSON_IsString(old) && strcmp(old->valuestring, "true") == 0);
}

static int refuse(const struct kube_selector *selector, const char *why, struct err *err)
{
	(void)err_set(err, ERR_REFUSED, "--network-identity: %s %s %s", selector->kind,
	              selector->name, why);
	return err_hint(err, "without it the labels go, and the plan names the policies that no "
	                     "longer match");
}

static int check_identity(struct kube_state *state, struct err *err)
{
	const struct kube_clone_input *input = state->input;

	if (input->services == NULL || input->budgets == NULL) {
		(void)err_set(err, ERR_REFUSED,
		              "--network-identity: Services and "
		              "PodDisruptionBudgets could not be read");
		return err_hint(err, "the Role needs list on services and poddisruptionbudgets");
	}
	for (size_t i = 0; i < state->selector_count; i++) {
		const struct kube_selector *selector = &state->selectors[i];

		if (kube_selector_needs_nothing(selector) || !kube_selects(state, selector))
			continue;
		state->never_ready = true;
		if (is_service(state, selector)) {
			if (publishes_unready(selector->object))
				return refuse(selector, "publishes pods that are not ready", err);
		} else if (is_budget(state, selector)) {
			if (is_upset(selector->object))
				return refuse(selector, "would forbid all evictions", err);
		} else if (input->request->kubernetes.carrier == CARRIER_POD) {
			return refuse(selector, "would adopt a pod that no Job owns", err);
		}
	}
	return 0;
}

/* What still selects can only do so by a label that was asked for. */
static int check_selected(const struct kube_state *state, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < state->selector_count; i++) {
		const struct kube_selector *selector = &state->selectors[i];

		if (!kube_selector_needs_nothing(selector) && kube_selects(state, selector))
			strbuf_addf(&names, "%s%s %s", names.length > 0 ? ", " : "", selector->kind,
			            selector->name);
	}
	if (names.failed)
		return err_no_memory(err);
	if (names.length == 0)
		return 0;
	return err_set(err, ERR_REFUSED,
	               "with the labels of -l the one-off would be taken for a "
	               "replica by %s",
	               strbuf_str(&names));
}

int kube_choose_labels(struct kube_state *state, struct err *err)
{
	const struct kube_clone_input *input = state->input;
	bool identity = input->request->kubernetes.network_identity;
	struct search search = {.state = state};
	_cleanup_free_ bool *spoke = NULL;

	if (kube_collect_selectors(state, err) < 0)
		return -1;
	spoke = calloc(state->policy_count + 1, sizeof(*spoke));
	if (spoke == NULL)
		return err_no_memory(err);
	for (size_t i = 0; i < state->policy_count; i++)
		spoke[i] = kube_selects_source(state, &state->policies[i]);
	search.spoke = spoke;
	if (!identity && (input->services == NULL || input->budgets == NULL))
		guess(state);
	/* Without the policies every label may be one that they need. */
	if (!identity || input->policies != NULL) {
		find_candidates(&search);
		find_best(&search);
	}
	return identity ? check_identity(state, err) : check_selected(state, err);
}

/* ---- the rows ----------------------------------------------------------------------------------- */

static int report_unread(struct rule_context *context, const char *path, const char *why,
                         struct err *err)
{
	if (plan_add(context->plan, PLAN_UNKNOWN, path, NULL, NULL, why) < 0)
		return err_no_memory(err);
	return 0;
}

static int report_unread_lists(struct rule_context *context, struct err *err)
{
	const struct kube_state *state = kube_state(context);

	if (state->input->services == NULL &&
	    report_unread(context, "services",
	                  "could not be read: the workload's own labels are left out instead",
	                  err) < 0)
		return -1;
	if (state->input->budgets == NULL &&
	    report_unread(context, "podDisruptionBudgets",
	                  "could not be read: one may count the one-off", err) < 0)
		return -1;
	if (state->input->policies == NULL)
		return report_unread(context, "networkPolicies",
		                     "could not be read: one may need a label that is left out",
		                     err);
	return 0;
}

static int report_policy(struct rule_context *context, const struct kube_selector *policy,
                         bool speaks, struct err *err)
{
	bool peer = strcmp(policy->kind, "peer") == 0;
	const char *why = peer ? "a rule of it names the app's pods, and not the one-off; see "
	                         "--network-identity and -l"
	                       : "it is for the app's pods, and not for the one-off; see "
	                         "--network-identity and -l";

	if (speaks)
		why = peer ? "a rule of it names the one-off, and not the app's pods"
		           : "it is for the one-off, and not for the app's pods";
	return rule_report(context, speaks ? PLAN_ADDED : PLAN_DROPPED, "networkPolicies",
	                   policy->name, speaks ? NULL : policy->node, speaks ? policy->node : NULL,
	                   why, err);
}

int kube_report_selectors(struct rule_context *context, struct err *err)
{
	const struct kube_state *state = kube_state(context);

	if (report_unread_lists(context, err) < 0)
		return -1;
	for (size_t i = 0; i < state->policy_count; i++) {
		const struct kube_selector *policy = &state->policies[i];
		bool speaks = kube_selects(state, policy);

		if (speaks != kube_selects_source(state, policy) &&
		    report_policy(context, policy, speaks, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < state->selector_count; i++) {
		const struct kube_selector *selector = &state->selectors[i];

		if (kube_selector_needs_nothing(selector) && kube_selects(state, selector) &&
		    rule_report(context, PLAN_CHANGED, selector->kind, selector->name, NULL,
		                selector->node, "it selects every pod, the one-off too", err) < 0)
			return -1;
	}
	return 0;
}
