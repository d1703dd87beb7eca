/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a workload's pod template and a running pod to the Job (or Pod) of a one-off: the rule table of the
 * Kubernetes backend and the pure function that runs it (design sections 5 and 7; research/kubernetes.md sections
 * 3 to 8; API reference v1.36).
 */
#ifndef ONEOFF_KUBE_CLONE_H
#define ONEOFF_KUBE_CLONE_H

#include "pkg/spec/plan.h"
#include "pkg/spec/request.h"

/* The folder that the gate is mounted at, and its file there. */
#define KUBE_GATE_FOLDER "/.oneoff"
#define KUBE_GATE_PATH   "/.oneoff/gate"

struct kube_clone_input {
	/* The source. Documents as the API gives them; lists are arrays of whole objects. */
	const cJSON *
		pod_template; /* {metadata, spec} of the chosen revision; NULL: `pod` stands alone (bare) */
	const cJSON *pod;      /* the running pod of that revision; NULL: none runs */
	const cJSON *workload; /* Deployment, StatefulSet…, or NULL for a bare pod */
	const cJSON *services, *budgets, *policies, *workloads,
		*claims; /* of the namespace; NULL: we may not read
	                           them. workloads: ReplicaSets, Deployments, StatefulSets…; claims:
	                           PersistentVolumeClaims */
	const cJSON *
		image_config; /* the OCI config document ({"config":{"Entrypoint":…}}) of the image that
	                         will run (--image!), or NULL */

	const struct request *request; /* what the person asked, request->kubernetes included */
	const char *id;                /* this one-off's id: 8 of [a-z0-9] */
	const char *name;              /* of the Job or Pod: SOURCE-oneoff-ID, at most 63 bytes */
	const char *name_space;
	const char *source;       /* as typed, for people: "deploy/web" */
	const char *user;         /* who, as the server sees it: "jane" */
	const char *architecture; /* "amd64", "arm64": of the pod's node; NULL: not known */
	bool gate;                /* a gate for that architecture is at hand */
	int64_t now_unix_seconds;
};

/*
 * Makes the plan. plan->document is the Job, or the Pod with request->kubernetes.carrier CARRIER_POD.
 * plan->extra is
 *
 *	{"container": NAME of the task's container,
 *	 "gate": "stdin" | "tty" | "null", absent without a gate,
 *	 "configMap": NAME of the ConfigMap that the gate comes by, absent without a gate,
 *	 "imageID": what the running pod's container status says, and the new pod's must say, too; absent when
 *	            none runs and with --image,
 *	 "pinned": true when the image is named by a digest that a registry can be asked for,
 *	 "pod": the Pod document for a dry run (preflight)}
 *
 * The gate stands in front of the command as
 * ["/.oneoff/gate", "MODE:SECONDS", COMMAND...]: MODE is how it is released and what the task gets as stdin (gate/),
 * SECONDS its own time limit (start_timeout_ms, at least 60). It is used when the whole command is known: `command` is
 * in the spec or the request sets it, or image_config or the annotation oneoff.dev/entrypoint (a JSON array) tells the
 * ENTRYPOINT; else only with GATE_ARGS. A detached task has none: nobody would open it.
 *
 * Annotations of ours, on the Job (or Pod): oneoff.dev/image and those of pkg/backend/task_record.h. Labels:
 * oneoff.dev/id, oneoff.dev/lock with a lock, app.kubernetes.io/managed-by=oneoff, those asked for, and on the pod
 * what the label rules keep (not on the Job: a tool that prunes by the app's labels would find it).
 *
 * Rows are called as in the source ("spec.containers.NAME.image", "metadata.labels.KEY"), those of the Job
 * "Job.spec.FIELD". Rows that warn: "networkPolicies.NAME" (dropped: no longer for the clone), PLAN_UNKNOWN for
 * "services", "podDisruptionBudgets", "networkPolicies" that could not be read, "spec.containers.NAME.gate"
 * (dropped: a gate is at hand, but the command is not known), "spec.nodeSelector.kubernetes.io/hostname".
 *
 * ERR_USAGE when the request cannot be meant for Kubernetes (a container that is not there, user as a name,
 * labels that are not valid, stdin that cannot be), ERR_REFUSED with the reason where the rules say so
 * (ReadWriteOncePod, --network-identity with a percent budget…), ERR_PROTOCOL when documents lack what every API
 * server sends.
 */
int kube_clone(const struct kube_clone_input *input, struct plan *ret_plan,
               struct err *err) _must_check_;

/* The container that -c, the annotation kubectl.kubernetes.io/default-container or the order chooses, in a pod
 * spec's containers. Borrowed; NULL with err when the name is not there. */
const cJSON *kube_clone_container(const cJSON *pod_template, const char *wanted, struct err *err);

#endif
