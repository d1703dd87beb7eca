/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/clone_calls.h"

static const char injected[] = "tells what a mesh has put into the pod";
static const char network[] = "an address or interface of the running pod";
static const char applied[] = "how somebody applied it";
static const char scraped[] = "a collector would take the one-off for a replica";
static const char audit[] = "oneoff's own record";

/* First match decides; a '*' at the end stands for anything; what matches nothing is kept. */
static const struct {
	const char *pattern;
	bool bare_only;
	const char *why;
} refused_annotations[] = {
	{"kubectl.kubernetes.io/last-applied-configuration", false, applied},
	{"kubernetes.io/created-by", false, applied},
	{"kubernetes.io/config.*", false, "a static pod of a node"},
	{"prometheus.io/*", false, scraped},
	{"co.elastic.*", false, scraped},
	{"sidecar.istio.io/status", true, injected},
	{"istio.io/rev", true, injected},
	{"linkerd.io/created-by", true, injected},
	{"linkerd.io/proxy-version", true, injected},
	{"linkerd.io/identity-mode", true, injected},
	{"linkerd.io/trust-root-sha256", true, injected},
	{"viz.linkerd.io/tap-enabled", true, injected},
	{"cni.projectcalico.org/*", true, network},
	{"k8s.v1.cni.cncf.io/network-status", true, network},
	{"k8s.v1.cni.cncf.io/networks-status", true, network},
	{"k8s.ovn.org/*", true, network},
	{"kubernetes.io/limit-ranger", true, "admission sets it again"},
	{"openshift.io/scc", true, "admission sets it again"},
	{"resize.kubernetes.io/*", true, "the running pod's own"},
	{KUBE_PREFIX "source", false, audit},
	{KUBE_PREFIX "user", false, audit},
	{KUBE_PREFIX "reason", false, audit},
	{KUBE_PREFIX "command", false, audit},
	{KUBE_PREFIX "started", false, audit},
	{KUBE_PREFIX "image", false, audit},
	{KUBE_PREFIX "source-id", false, audit},
	{KUBE_PREFIX "deadline", false, audit},
	{KUBE_PREFIX "keep", false, audit},
	{KUBE_PREFIX "keep-for", false, audit},
	{KUBE_PREFIX "detached", false, audit},
	{KUBE_PREFIX "lock", false, audit},
	{KUBE_PREFIX "stopped", false, audit},
	{KUBE_PREFIX "exit-code", false, audit},
};

/* Annotations of this form name a container behind the slash; one that is not there is an error. */
static const char *const container_prefixes[] = {
	"container.apparmor.security.beta.kubernetes.io/",
	"container.seccomp.security.alpha.kubernetes.io/",
};

static bool pattern_matches(const char *pattern, const char *key)
{
	size_t length = strlen(pattern);

	if (length > 0 && pattern[length - 1] == '*')
		return strncmp(pattern, key, length - 1) == 0;
	return strcmp(pattern, key) == 0;
}

static bool has_container(const struct rule_context *context, const char *name)
{
	const cJSON *spec = json_member(context->target, "spec");

	return json_named(json_member(spec, "containers"), name) != NULL ||
	       json_named(json_member(spec, "initContainers"), name) != NULL;
}

static const char *refusal(const struct rule_context *context, const char *key)
{
	bool bare = context->flags & KUBE_BARE;

	for (size_t i = 0; i < ARRAY_SIZE(container_prefixes); i++) {
		size_t length = strlen(container_prefixes[i]);

		if (strncmp(key, container_prefixes[i], length) == 0 &&
		    !has_container(context, key + length))
			return "its container does not come along";
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused_annotations); i++) {
		if (pattern_matches(refused_annotations[i].pattern, key) &&
		    (bare || !refused_annotations[i].bare_only))
			return refused_annotations[i].why;
	}
	return NULL;
}

/* ---- what is set -------------------------------------------------------------------------------- */

static bool has_key(const cJSON *object, const char *path, const char *key)
{
	return json_member(json_at(object, path), key) != NULL;
}

static bool has_injected(const cJSON *pod, const char *name)
{
	return json_named(json_at(pod, "spec.containers"), name) != NULL ||
	       json_named(json_at(pod, "spec.initContainers"), name) != NULL;
}

struct kube_mesh kube_find_mesh(const struct kube_clone_input *input, const cJSON *source)
{
	bool own = input->pod_template != NULL;
	struct kube_mesh mesh = {
		.istio = has_injected(input->pod, "istio-proxy") ||
	                 has_key(input->pod, "metadata.annotations", "sidecar.istio.io/status"),
		.linkerd = has_injected(input->pod, "linkerd-proxy") ||
	                   has_key(input->pod, "metadata.annotations", "linkerd.io/proxy-version"),
	};

	/* A proxy that stands in the template itself is nobody's to inject. */
	mesh.istio = mesh.istio && !(own && has_injected(source, "istio-proxy"));
	mesh.linkerd = mesh.linkerd && !(own && has_injected(source, "linkerd-proxy"));
	return mesh;
}

struct fixed {
	const char *key, *value, *why;
};

/* Sets an annotation and reports it against the source's. */
static int set_fixed(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     cJSON *annotations, const struct fixed *fixed, struct err *err)
{
	const cJSON *was = json_member(node, fixed->key);
	const cJSON *now;

	if (json_set_string(annotations, fixed->key, fixed->value) < 0)
		return err_no_memory(err);
	now = json_member(annotations, fixed->key);
	return rule_report(context, plan_difference(was, now), rule->path, fixed->key, was, now,
	                   fixed->why, err);
}

static size_t list_fixed(const struct kube_state *state, struct fixed list[8])
{
	static const char lasting[] = "no autoscaler may move it in the middle";
	static const char native[] = "the mesh's proxy ends with the task";
	static const char outside[] = "asked with --sidecars none";
	bool none = state->input->request->kubernetes.sidecars == SIDECARS_NONE;
	size_t count = 0;

	list[count++] = (struct fixed){KUBE_DEFAULT_KEY, json_string(state->task, "name"),
	                               "the task's container"};
	list[count++] =
		(struct fixed){"cluster-autoscaler.kubernetes.io/safe-to-evict", "false", lasting};
	list[count++] = (struct fixed){"karpenter.sh/do-not-disrupt", "true", lasting};
	if (state->mesh.istio && !none)
		list[count++] = (struct fixed){"sidecar.istio.io/nativeSidecar", "true", native};
	if (state->mesh.linkerd && !none)
		list[count++] = (struct fixed){"config.beta.linkerd.io/proxy-enable-native-sidecar",
		                               "true", native};
	if (state->mesh.linkerd && none)
		list[count++] = (struct fixed){"linkerd.io/inject", "disabled", outside};
	return count;
}

static bool is_fixed(const struct fixed *list, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].key, key) == 0)
			return true;
	}
	return false;
}

int kube_annotations(struct rule_context *context, const struct rule *rule, const cJSON *node,
                     struct err *err)
{
	_cleanup_(json_free) cJSON *annotations = cJSON_CreateObject();
	struct fixed fixed[8];
	size_t count = list_fixed(kube_state(context), fixed);
	const cJSON *annotation;

	if (annotations == NULL)
		return err_no_memory(err);
	cJSON_ArrayForEach (annotation, node) {
		const char *why = refusal(context, annotation->string);

		if (is_fixed(fixed, count, annotation->string))
			continue;
		if (why == NULL &&
		    json_set_string(annotations, annotation->string, annotation->valuestring) < 0)
			return err_no_memory(err);
		if (rule_report(context, why != NULL ? PLAN_DROPPED : PLAN_KEPT, rule->path,
		                annotation->string, annotation, why != NULL ? NULL : annotation,
		                why != NULL ? why : rule->why, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++) {
		if (set_fixed(context, rule, node, annotations, &fixed[i], err) < 0)
			return -1;
	}
	return rule_put(context, rule->to, TAKE_PTR(annotations), err);
}
