/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include "pkg/kube/diagnose.h"
#include "pkg/kube/kube.h"

static const char get_role[] = "have the Role applied that this prints: oneoff doctor --role";

#define REVIEWS "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

/* What k8s-manifests/role.yaml grants; in the order in which a run needs it. */
static const struct right {
	enum finding_level without;
	const char *group, *resource, *subresource, *verb;
	const char *purpose;
} rights[] = {
	{FINDING_BAD, "apps", "deployments", "", "get", "to read the source"},
	{FINDING_BAD, "", "pods", "", "list", "to find the source's pods"},
	{FINDING_BAD, "", "pods", "", "watch", "to see the task start and end"},
	{FINDING_BAD, "batch", "jobs", "", "create", "to start a task (or: --carrier pod)"},
	{FINDING_BAD, "batch", "jobs", "", "delete", "to remove it"},
	{FINDING_BAD, "", "pods", "attach", "get", "for its streams"},
	{FINDING_BAD, "", "pods", "attach", "create", "for its streams"},
	{FINDING_BAD, "", "configmaps", "", "create", "for the gate (or: --gate none)"},
	{FINDING_NOTE, "apps", "replicasets", "", "list", "to tell revisions apart"},
	{FINDING_NOTE, "batch", "jobs", "", "get", "to find a task again"},
	{FINDING_NOTE, "batch", "jobs", "", "list", "for list, logs, attach, wait, stop, gc"},
	{FINDING_NOTE, "", "pods", "log", "get", "for logs and attach"},
	{FINDING_NOTE, "", "pods", "", "patch", "for stop, so that it keeps the log"},
	{FINDING_NOTE, "batch", "jobs", "", "patch", "for --lock"},
	{FINDING_NOTE, "coordination.k8s.io", "leases", "", "get", "for --lock"},
	{FINDING_NOTE, "coordination.k8s.io", "leases", "", "create", "for --lock"},
	{FINDING_NOTE, "coordination.k8s.io", "leases", "", "update", "for --lock"},
	{FINDING_NOTE, "coordination.k8s.io", "leases", "", "delete", "for --lock"},
	{FINDING_NOTE, "", "pods", "", "create", "for the dry run before the start"},
	{FINDING_NOTE, "", "services", "", "list", "to keep the labels that no service needs"},
	{FINDING_NOTE, "policy", "poddisruptionbudgets", "", "list", "to keep labels"},
	{FINDING_NOTE, "networking.k8s.io", "networkpolicies", "", "list", "to keep labels"},
	{FINDING_NOTE, "", "events", "", "list", "for the reasons of a pod that does not start"},
	{FINDING_NOTE, "", "events", "", "create", "to tell at the source who ran what"},
};

static cJSON *review_of(const struct kube *kube, const struct right *right)
{
	_cleanup_(json_free) cJSON *review = cJSON_CreateObject();
	cJSON *spec = review ? json_object_for(review, "spec") : NULL;
	cJSON *about = spec ? json_object_for(spec, "resourceAttributes") : NULL;

	if (!about || json_set_string(review, "apiVersion", "authorization.k8s.io/v1") < 0 ||
	    json_set_string(review, "kind", "SelfSubjectAccessReview") < 0 ||
	    json_set_string(about, "namespace", kube->config.name_space) < 0 ||
	    json_set_string(about, "verb", right->verb) < 0 ||
	    json_set_string(about, "group", right->group) < 0 ||
	    json_set_string(about, "resource", right->resource) < 0 ||
	    json_set_string(about, "subresource", right->subresource) < 0)
		return NULL;
	return TAKE_PTR(review);
}

/* 1: we may, 0: we may not, -1. */
static int may(struct kube *kube, const struct right *right, struct err *err)
{
	_cleanup_(json_free) cJSON *review = review_of(kube, right), *answer = NULL;

	if (!review)
		return err_no_memory(err);
	if (kube_call(kube, "POST", REVIEWS, review, &answer, err) < 0)
		return err_wrap(err, "which rights we have");
	return json_true(answer, "status.allowed");
}

static int tell_missing(const struct diagnosis *diagnosis, const struct right *right,
                        const char *fix, struct err *err)
{
	return kube_finding(diagnosis, right->without, "rights", fix, err,
	                    "may not %s %s%s%s%s%s, %s", right->verb, right->resource,
	                    *right->subresource ? "/" : "", right->subresource,
	                    *right->group ? "." : "", right->group, right->purpose);
}

int kube_diagnose_rights(const struct diagnosis *diagnosis, struct err *err)
{
	size_t missing = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
		int result = may(diagnosis->kube, &rights[i], err);

		if (result < 0)
			return -1;
		if (result > 0)
			continue;
		/* Once is enough. */
		if (tell_missing(diagnosis, &rights[i], missing ? NULL : get_role, err) < 0)
			return -1;
		missing++;
	}
	if (missing)
		return 0;
	return kube_finding(diagnosis, FINDING_GOOD, "rights", NULL, err,
	                    "all that a run, list, stop and --lock need in '%s'",
	                    diagnosis->kube->config.name_space);
}

/* Servers before 1.35 ask for the verb get alone. */
static bool needs_create(struct kube *kube)
{
	_cleanup_(json_free) cJSON *version = NULL;
	struct err ignored = ERR_INIT;

	return kube_call(kube, "GET", "/version", NULL, &version, &ignored) == 0 &&
	       kube_minor_of(version) >= 35;
}

int kube_check_attach(struct kube *kube, struct err *err)
{
	static const struct right attach[] = {
		{.group = "", .resource = "pods", .subresource = "attach", .verb = "get"},
		{.group = "", .resource = "pods", .subresource = "attach", .verb = "create"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(attach); i++) {
		struct err own = ERR_INIT;
		int result = may(kube, &attach[i], &own);

		if (own.kind == ERR_INTERRUPTED) {
			*err = own;
			return -1;
		}
		if (result != 0 || (i > 0 && !needs_create(kube)))
			continue;
		err_set(err, ERR_DENIED, "your role lacks the verb %s on pods/attach in '%s'",
		        attach[i].verb, kube->config.name_space);
		return err_hint(err,
		                "to attach, it needs get and create there: oneoff doctor --role");
	}
	return 0;
}
