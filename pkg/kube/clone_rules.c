/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/clone_calls.h"

/* clang-format off */
#define STATE(path, why) {path, RULE_STATE, NULL, NULL, 0, why}
#define DROP(path, when, why) {path, RULE_DROP, NULL, NULL, when, why}
#define KEEP(path, why) {path, RULE_KEEP, path, NULL, 0, why}
#define CALL(path, call, when, why) {path, RULE_CALL, path, call, when, why}

static const char state[] = "describes the running instance";
static const char same_rights[] = "same rights";
static const char same_limit[] = "same limit";
static const char same_network[] = "same network";
static const char same_names[] = "same name servers and names";
static const char same_mode[] = "same namespace";
static const char same_place[] = "the same kind of node";
static const char replica[] = "a replica's own name";
static const char no_traffic[] = "a one-off takes no traffic";
static const char not_probed[] = "a task is not probed";
static const char by_class[] = "follows from priorityClassName, and another value is refused";
static const char gang[] = "replicas that are placed together";
static const char same_command[] = "same command";
static const char same_mount[] = "same mount";
static const char same_env[] = "same environment";
static const char same_stdio[] = "same streams";
static const char same_message[] = "same place for its last words";
static const char not_allowed_there[] = "an init container has none";

/* One row for every field of PodTemplateSpec, API v1.36 (research/kubernetes.md 6). Labels and
 * annotations come last: they depend on the containers that stay. */
static const struct rule pod_rows[] = {
	STATE("metadata.name", state),
	STATE("metadata.generateName", state),
	STATE("metadata.namespace", state),
	STATE("metadata.uid", state),
	STATE("metadata.resourceVersion", state),
	STATE("metadata.generation", state),
	STATE("metadata.creationTimestamp", state),
	STATE("metadata.deletionTimestamp", state),
	STATE("metadata.deletionGracePeriodSeconds", state),
	STATE("metadata.managedFields", state),
	STATE("metadata.selfLink", state),
	STATE("metadata.ownerReferences", "a workload must not adopt the one-off"),
	DROP("metadata.finalizers", 0, "they would hold up the removal"),

	CALL("spec.volumes", kube_volumes, 0, "same volume"),
	CALL("spec.resourceClaims", kube_resource_claims, 0, "same devices"),
	CALL("spec.initContainers", kube_init_containers, 0, "prepares what the app needs"),
	CALL("spec.containers", kube_containers, 0, "the task"),
	DROP("spec.ephemeralContainers", 0, "somebody's debugging session"),

	CALL("spec.restartPolicy", kube_restart_policy, 0, "a task runs once"),
	CALL("spec.activeDeadlineSeconds", kube_deadline, 0, "--timeout, held by the cluster"),
	CALL("spec.terminationGracePeriodSeconds", kube_grace, 0, "same time to stop"),

	STATE("spec.serviceAccount", "the old name of serviceAccountName"),
	KEEP("spec.serviceAccountName", "same service account"),
	KEEP("spec.automountServiceAccountToken", "same service account"),
	KEEP("spec.imagePullSecrets", "same right to pull"),
	KEEP("spec.securityContext", same_rights),
	KEEP("spec.hostUsers", same_rights),

	KEEP("spec.hostNetwork", same_network),
	KEEP("spec.hostPID", same_mode),
	KEEP("spec.hostIPC", same_mode),
	KEEP("spec.shareProcessNamespace", same_mode),
	KEEP("spec.dnsPolicy", same_names),
	KEEP("spec.dnsConfig", same_names),
	KEEP("spec.hostAliases", same_names),
	KEEP("spec.enableServiceLinks", same_env),
	DROP("spec.hostname", 0, replica),
	DROP("spec.subdomain", 0, replica),
	DROP("spec.hostnameOverride", 0, replica),
	KEEP("spec.setHostnameAsFQDN", same_names),

	{"spec.nodeName", RULE_STATE, NULL, NULL, KUBE_BARE, state},
	DROP("spec.nodeName", 0, "the scheduler finds a node"),
	KEEP("spec.nodeSelector", same_place),
	DROP("spec.affinity.podAntiAffinity", 0, "keeps replicas apart; a one-off is none"),
	KEEP("spec.affinity.podAffinity", "the same neighbours"),
	KEEP("spec.affinity.nodeAffinity", same_place),
	CALL("spec.tolerations", kube_tolerations, KUBE_BARE, same_place),
	KEEP("spec.tolerations", same_place),
	DROP("spec.topologySpreadConstraints", 0, "spreads replicas; a one-off is none"),
	KEEP("spec.schedulerName", "same scheduler"),
	DROP("spec.schedulingGates", 0, "nobody would open them, and it would wait for ever"),
	DROP("spec.schedulingGroup", 0, gang),
	DROP("spec.workloadRef", 0, gang),
	KEEP("spec.priorityClassName", "same priority"),
	DROP("spec.priority", 0, by_class),
	DROP("spec.preemptionPolicy", 0, by_class),
	CALL("spec.readinessGates", kube_readiness, 0, "nobody would ever set them"),

	KEEP("spec.runtimeClassName", "same runtime"),
	DROP("spec.overhead", KUBE_BARE, "the runtime class sets it again"),
	KEEP("spec.overhead", "same runtime"),
	KEEP("spec.os", "same system"),
	DROP("spec.resources", KUBE_LIMITS_ASKED, "--cpu or --memory replaces it"),
	KEEP("spec.resources", same_limit),

	CALL("metadata.labels", kube_labels, 0, "nothing selects on it"),
	CALL("metadata.annotations", kube_annotations, 0, "same annotation"),
};

/* One row for every field of Container, for the one that runs the task. */
static const struct rule task_rows[] = {
	KEEP("name", "same name"),
	CALL("image", kube_image, 0, "the same image, by its digest"),
	CALL("imagePullPolicy", kube_pull_policy, KUBE_IMAGE_ASKED, "the new image decides"),
	KEEP("imagePullPolicy", "pulled as the app's"),
	CALL("command", kube_command, 0, "the command that was asked for"),
	CALL("args", kube_args, 0, "the command that was asked for"),
	CALL("workingDir", kube_workdir, 0, "same working folder"),
	KEEP("envFrom", same_env),
	CALL("env", kube_env, 0, same_env),
	CALL("resources", kube_resources, 0, same_limit),
	CALL("volumeMounts", kube_mounts, 0, same_mount),
	KEEP("volumeDevices", same_mount),
	CALL("securityContext", kube_security, 0, same_rights),
	CALL("stdin", kube_stdio, 0, "your input is passed on"),
	CALL("stdinOnce", kube_stdio, 0, "the end of your input reaches the task"),
	CALL("tty", kube_stdio, 0, "a terminal if you have one"),
	CALL("terminationMessagePath", kube_message_path, KUBE_GATED, "the gate writes to the usual one"),
	KEEP("terminationMessagePath", same_message),
	CALL("terminationMessagePolicy", kube_termination, 0, "the last lines stay in the status when it fails"),
	DROP("ports", 0, no_traffic),
	DROP("livenessProbe", 0, not_probed),
	DROP("readinessProbe", 0, not_probed),
	DROP("startupProbe", 0, not_probed),
	DROP("lifecycle.postStart", 0, "belongs to the app's command"),
	DROP("lifecycle.preStop", 0, "belongs to the app's command"),
	KEEP("lifecycle.stopSignal", "same stop signal"),
	DROP("restartPolicy", 0, "a task runs once"),
	DROP("restartPolicyRules", 0, "a task runs once"),
	DROP("resizePolicy", 0, "nobody resizes a one-off"),
};

/* What all containers beside the task have. */
#define OTHER_ROWS \
	KEEP("name", "same name"), \
	CALL("image", kube_other_image, 0, "the same image, by its digest"), \
	KEEP("imagePullPolicy", "pulled as the app's"), \
	KEEP("command", same_command), \
	KEEP("args", same_command), \
	KEEP("workingDir", "same working folder"), \
	KEEP("envFrom", same_env), \
	KEEP("env", same_env), \
	CALL("resources", kube_claimed_resources, 0, same_limit), \
	CALL("volumeMounts", kube_mounts, 0, same_mount), \
	KEEP("volumeDevices", same_mount), \
	KEEP("securityContext", same_rights), \
	KEEP("stdin", same_stdio), \
	KEEP("stdinOnce", same_stdio), \
	KEEP("tty", same_stdio), \
	KEEP("terminationMessagePath", same_message), \
	KEEP("terminationMessagePolicy", same_message), \
	DROP("ports", 0, no_traffic)

/* The same for a container beside the task: it becomes, or already is, a native sidecar. */
static const struct rule sidecar_rows[] = {
	OTHER_ROWS,
	CALL("livenessProbe", kube_probe, 0, "same probe"),
	CALL("readinessProbe", kube_probe, 0, "same probe"),
	CALL("startupProbe", kube_probe, 0, "same probe; the task waits for it"),
	CALL("lifecycle", kube_probe, 0, "same hooks"),
	CALL("restartPolicy", kube_sidecar_restart, 0, "a native sidecar: starts before the task and ends with it"),
	DROP("restartPolicyRules", 0, "it restarts whenever it ends"),
	KEEP("resizePolicy", same_limit),
};

/* The same for an init container. */
static const struct rule init_rows[] = {
	OTHER_ROWS,
	DROP("livenessProbe", 0, not_allowed_there),
	DROP("readinessProbe", 0, not_allowed_there),
	DROP("startupProbe", 0, not_allowed_there),
	DROP("lifecycle", 0, not_allowed_there),
	KEEP("restartPolicy", "the same when it fails"),
	KEEP("restartPolicyRules", "the same when it fails"),
	KEEP("resizePolicy", same_limit),
};
/* clang-format on */

const struct kube_rules kube_rules[KUBE_TABLE_COUNT] = {
	[KUBE_TABLE_POD] = {pod_rows, ARRAY_SIZE(pod_rows)},
	[KUBE_TABLE_TASK] = {task_rows, ARRAY_SIZE(task_rows)},
	[KUBE_TABLE_SIDECAR] = {sidecar_rows, ARRAY_SIZE(sidecar_rows)},
	[KUBE_TABLE_INIT] = {init_rows, ARRAY_SIZE(init_rows)},
};
