/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

static const char node_for_claim[] = "a ReadWriteOnce volume is only there";
static const char node_unknown_claim[] = "a volume may be only there; claims could not be read";
static const char own_claim[] = "the claim of the chosen replica, shared on its node";

/* How far a claim reaches. */
enum claim_reach {
	CLAIM_MANY_NODES,
	CLAIM_ONE_NODE,
	CLAIM_ONE_POD,
	CLAIM_UNKNOWN,
};

static bool has_mode(const cJSON *modes, const char *wanted)
{
	const cJSON *mode;

	cJSON_ArrayForEach (mode, modes) {
		if (cJSON_IsString(mode) && strcmp(mode->valuestring, wanted) == 0)
			return true;
	}
	return false;
}

static enum claim_reach reach_of(const cJSON *modes)
{
	if (!cJSON_IsArray(modes) || modes->child == NULL)
		return CLAIM_UNKNOWN;
	if (has_mode(modes, "ReadWriteOncePod"))
		return CLAIM_ONE_POD;
	if (has_mode(modes, "ReadWriteMany") || has_mode(modes, "ReadOnlyMany"))
		return CLAIM_MANY_NODES;
	return CLAIM_ONE_NODE;
}

/* The object of a list with this metadata.name, or NULL. */
static const cJSON *object_named(const cJSON *list, const char *name)
{
	const cJSON *object;

	cJSON_ArrayForEach (object, list) {
		const char *text = json_string(object, "metadata.name");

		if (text != NULL && strcmp(text, name) == 0)
			return object;
	}
	return NULL;
}

static const cJSON *claim_templates(const struct kube_state *state)
{
	return state->input->pod_template != NULL
	               ? json_at(state->input->workload, "spec.volumeClaimTemplates")
	               : NULL;
}

/* The node that a claim binds the one-off to, or a refusal. `volume` is its name in the pod. */
static int check_claim(struct kube_state *state, const char *volume, const char *claim,
                       struct err *err)
{
	const cJSON *object = object_named(state->input->claims, claim);
	const cJSON *from_template = object_named(claim_templates(state), volume);
	enum claim_reach reach =
		reach_of(json_at(object != NULL ? object : from_template, "spec.accessModes"));

	if (reach == CLAIM_ONE_POD && state->input->pod != NULL) {
		(void)err_set(
			err, ERR_REFUSED,
			"the volume '%s' (claim '%s') is ReadWriteOncePod: only the running pod "
			"may use it",
			volume, claim);
		return err_hint(err, "scale the app to zero first, or use a container without it");
	}
	if (reach == CLAIM_MANY_NODES || kube_node(state) == NULL)
		return 0;
	if (reach != CLAIM_UNKNOWN)
		state->pin_volume = node_for_claim;
	else if (state->pin_volume == NULL)
		state->pin_volume = node_unknown_claim;
	return 0;
}

/* ---- a StatefulSet's own claims ----------------------------------------------------------------- */

/* NAME-SET-N as the chosen pod has it; without a pod that of the first replica. Owned. */
static char *claim_name(const struct kube_state *state, const char *volume)
{
	const struct kube_clone_input *input = state->input;
	const cJSON *mounted = json_named(json_at(input->pod, "spec.volumes"), volume);
	const char *claim = json_string(mounted, "persistentVolumeClaim.claimName");
	const char *pod = json_string(input->pod, "metadata.name");
	const char *set = json_string(input->workload, "metadata.name");
	_cleanup_(strbuf_release) struct strbuf name = STRBUF_INIT;
	int64_t first = 0;

	if (claim != NULL)
		strbuf_adds(&name, claim);
	else if (pod != NULL)
		strbuf_addf(&name, "%s-%s", volume, pod);
	else {
		if (json_int64(input->workload, "spec.ordinals.start", &first) < 0)
			first = 0;
		strbuf_addf(&name, "%s-%s-%lld", volume, set != NULL ? set : "", (long long)first);
	}
	return name.failed ? NULL : strbuf_take(&name);
}

static cJSON *claim_volume(const char *volume, const char *claim)
{
	_cleanup_(json_free) cJSON *object = cJSON_CreateObject();
	cJSON *source;

	if (object == NULL || json_set_string(object, "name", volume) < 0)
		return NULL;
	source = json_object_for(object, "persistentVolumeClaim");
	if (source == NULL || json_set_string(source, "claimName", claim) < 0)
		return NULL;
	return TAKE_PTR(object);
}

static int add_own_claim(struct rule_context *context, const char *volume, cJSON *list,
                         struct err *err)
{
	struct kube_state *state = kube_state(context);
	_cleanup_free_ char *claim = claim_name(state, volume);
	_cleanup_(json_free) cJSON *object = NULL;

	if (claim == NULL)
		return err_no_memory(err);
	if (state->input->pod == NULL && state->input->claims != NULL &&
	    object_named(state->input->claims, claim) == NULL) {
		(void)err_set(err, ERR_REFUSED, "the claim '%s' for the volume '%s' does not exist",
		              claim, volume);
		return err_hint(err, "scale the app up once, so that it is made");
	}
	if (check_claim(state, volume, claim, err) < 0)
		return -1;
	object = claim_volume(volume, claim);
	if (object == NULL || rule_report(context, PLAN_ADDED, "spec.volumes", volume, NULL, object,
	                                  own_claim, err) < 0)
		return object == NULL ? err_no_memory(err) : -1;
	return json_add_node(list, TAKE_PTR(object)) < 0 ? err_no_memory(err) : 0;
}

static int add_own_claims(struct rule_context *context, cJSON *list, struct err *err)
{
	const cJSON *templates = claim_templates(kube_state(context));
	const cJSON *wanted;

	cJSON_ArrayForEach (wanted, templates) {
		const char *volume = json_string(wanted, "metadata.name");

		if (volume == NULL)
			return err_set(err, ERR_PROTOCOL, "a volumeClaimTemplate has no name");
		if (json_named(list, volume) == NULL &&
		    add_own_claim(context, volume, list, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the list ----------------------------------------------------------------------------------- */

/* Why a volume stays away, or NULL. */
static const char *absence(const struct kube_state *state, const cJSON *volume)
{
	const char *name = json_string(volume, "name");

	if (strcmp(name, KUBE_GATE_VOLUME) == 0)
		return kube_injected_volume(name);
	if (!(state->flags & KUBE_BARE)) {
		/* A StatefulSet's claim takes the place of a volume with its name. */
		return object_named(claim_templates(state), name) != NULL ? own_claim : NULL;
	}
	if (strncmp(name, "kube-api-access-", 16) == 0 && json_member(volume, "projected") != NULL)
		return "admission adds a fresh one";
	return state->mesh.istio || state->mesh.linkerd ? kube_injected_volume(name) : NULL;
}

static int take_volume(struct rule_context *context, const struct rule *rule, const cJSON *volume,
                       cJSON *list, struct err *err)
{
	struct kube_state *state = kube_state(context);
	const char *name = json_string(volume, "name");
	const char *claim = json_string(volume, "persistentVolumeClaim.claimName");
	const char *why = absence(state, volume);

	if (why == own_claim)
		return 0;
	if (why != NULL) {
		if (strv_add(&state->dropped_volumes, name) < 0)
			return err_no_memory(err);
		return rule_report(context, PLAN_DROPPED, rule->path, name, volume, NULL, why, err);
	}
	if (claim != NULL && check_claim(state, name, claim, err) < 0)
		return -1;
	why = rule->why;
	if (json_member(volume, "emptyDir") != NULL || json_member(volume, "ephemeral") != NULL)
		why = "one of its own, empty";
	if (rule_report(context, PLAN_KEPT, rule->path, name, volume, volume, why, err) < 0)
		return -1;
	return json_add_node(list, cJSON_Duplicate(volume, true)) < 0 ? err_no_memory(err) : 0;
}

/* The ConfigMap has the Job's name, and is removed with it. */
static cJSON *gate_volume(const char *name)
{
	_cleanup_(json_free) cJSON *volume = cJSON_CreateObject();
	cJSON *source;

	if (volume == NULL || json_set_string(volume, "name", KUBE_GATE_VOLUME) < 0)
		return NULL;
	source = json_object_for(volume, "configMap");
	if (source == NULL || json_set_string(source, "name", name) < 0 ||
	    json_set_int64(source, "defaultMode", 0755) < 0)
		return NULL;
	return TAKE_PTR(volume);
}

static int add_gate(struct rule_context *context, const struct rule *rule, cJSON *list,
                    struct err *err)
{
	_cleanup_(json_free) cJSON *volume = gate_volume(kube_state(context)->input->name);

	if (volume == NULL)
		return err_no_memory(err);
	if (rule_report(context, PLAN_ADDED, rule->path, KUBE_GATE_VOLUME, NULL, volume,
	                "brings the gate that waits until you are attached", err) < 0)
		return -1;
	return json_add_node(list, TAKE_PTR(volume)) < 0 ? err_no_memory(err) : 0;
}

int kube_volumes(struct rule_context *context, const struct rule *rule, const cJSON *node,
                 struct err *err)
{
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	const cJSON *volume;

	if (list == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (volume, node) {
		if (take_volume(context, rule, volume, list, err) < 0)
			return -1;
	}
	if (add_own_claims(context, list, err) < 0)
		return -1;
	if (kube_state(context)->gate != NULL && add_gate(context, rule, list, err) < 0)
		return -1;
	return list->child == NULL ? 0 : rule_put(context, rule->to, TAKE_PTR(list), err);
}

/* A template makes a claim for each pod; a claim by name is that of the pods that run. */
int kube_resource_claims(struct rule_context *context, const struct rule *rule, const cJSON *node,
                         struct err *err)
{
	struct kube_state *state = kube_state(context);
	_cleanup_(json_free) cJSON *list = cJSON_CreateArray();
	const cJSON *claim;

	if (list == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (claim, node) {
		const char *name = json_string(claim, "name");
		bool kept = json_string(claim, "resourceClaimTemplateName") != NULL;

		if (rule_report(context, kept ? PLAN_KEPT : PLAN_DROPPED, rule->path, name, claim,
		                kept ? claim : NULL,
		                kept ? rule->why : "these devices belong to the running pods",
		                err) < 0)
			return -1;
		if ((kept ? json_add_node(list, cJSON_Duplicate(claim, true))
		          : strv_add(&state->dropped_claims, name)) < 0)
			return err_no_memory(err);
	}
	return list->child == NULL ? 0 : rule_put(context, rule->to, TAKE_PTR(list), err);
}
