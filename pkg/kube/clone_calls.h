/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of pkg/kube/clone*.c: the tables, the bits their rows depend on, what is worked out before the
 * rules run, and the computations that rows call. Nobody else includes it but their tests.
 *
 * The order of kube_clone: check the documents and the request, make the source document {"metadata",
 * "spec"}, decide the command (and whether a gate stands in front of it) and the labels, then run the
 * pod's table over it. Its rows for containers run a container table each; the rows of those are reported
 * as "spec.containers.NAME.FIELD". At the end the Job or Pod is put around it.
 *
 * All calls are rule_call functions (pkg/spec/rule.h); kube_state(context) is what they work on.
 */
#ifndef ONEOFF_KUBE_CLONE_CALLS_H
#define ONEOFF_KUBE_CLONE_CALLS_H

#include "pkg/kube/clone.h"
#include "pkg/kube/clone_selector.h"
#include "pkg/spec/rule.h"

/* Names of ours in the cluster. */
#define KUBE_LABEL_ID        "oneoff.dev/id"
#define KUBE_LABEL_LOCK      "oneoff.dev/lock"
#define KUBE_LABEL_MANAGED   "app.kubernetes.io/managed-by"
#define KUBE_PREFIX          "oneoff.dev/"
#define KUBE_GATE_VOLUME     "oneoff-gate"
#define KUBE_NEVER_READY     "oneoff.dev/never-ready"
#define KUBE_NODE_LABEL      "kubernetes.io/hostname"
#define KUBE_ARCH_LABEL      "kubernetes.io/arch"
#define KUBE_DEFAULT_KEY     "kubectl.kubernetes.io/default-container"
#define KUBE_ENTRYPOINT_NOTE "oneoff.dev/entrypoint"

/* Bits of rule.when. */
enum kube_flag {
	KUBE_BARE = 1 << 0,         /* the source is a running pod: what admission added goes */
	KUBE_LIMITS_ASKED = 1 << 1, /* --cpu or --memory */
	KUBE_IMAGE_ASKED = 1 << 2,  /* --image */
	KUBE_GATED = 1 << 3,        /* a gate stands in front of the command */
};

enum kube_table {
	KUBE_TABLE_POD,
	KUBE_TABLE_TASK,
	KUBE_TABLE_SIDECAR,
	KUBE_TABLE_INIT,
	KUBE_TABLE_COUNT
};

struct kube_rules {
	const struct rule *rows;
	size_t count;
};

extern const struct kube_rules kube_rules[KUBE_TABLE_COUNT];

/* Which mesh injects a proxy into the source's pods, or neither. */
struct kube_mesh {
	bool istio, linkerd;
};

/* What is worked out on the way. */
struct kube_state {
	const struct kube_clone_input *input;
	cJSON *source;     /* owned: {"metadata", "spec"} of the template or the bare pod */
	const cJSON *task; /* the chosen container, in source */
	unsigned flags;
	struct kube_mesh mesh;

	cJSON *command, *args;      /* owned; what the task's container gets; NULL: not sent */
	const char *command_reason; /* static */
	const char *gate;           /* "stdin", "tty", "null"; NULL: no gate */

	cJSON *asked; /* owned: the request's labels as an object */
	struct kube_label
		*labels; /* owned array: the source's labels, then ours and the asked ones */
	size_t label_count;
	size_t source_label_count;       /* the first ones, in the order of the document */
	struct kube_selector *selectors; /* owned array: Services, workloads, budgets */
	size_t selector_count;
	struct kube_selector *policies; /* owned array: all selectors in NetworkPolicies */
	size_t policy_count;
	bool never_ready; /* --network-identity keeps a label that is selected on */

	struct strv dropped_volumes;        /* mounts of these go too */
	struct strv dropped_claims;         /* of resourceClaims */
	const char *pin_volume, *pin_image; /* static; why the node must be the source's, or NULL */
	bool pinned;                        /* the image is named by a digest that can be pulled */

	bool *const *fired; /* NULL, or one array for each table: for the tests */
};

/* kube_clone, and which rows of which table fired (arrays as long as the tables). */
int kube_clone_traced(const struct kube_clone_input *input, bool *const fired[KUBE_TABLE_COUNT],
                      struct plan *ret_plan, struct err *err) _must_check_;

static inline struct kube_state *kube_state(const struct rule_context *context)
{
	return *(struct kube_state *const *)context->extra;
}

/* clone.c: runs a table on one container of list "containers" or "initContainers". The clone's container
 * is owned by the caller. */
int kube_run_container(struct rule_context *context, enum kube_table table, const char *list,
                       const cJSON *container, cJSON **ret_container, struct err *err) _must_check_;

/* Milliseconds as whole seconds, rounded up. */
int64_t kube_seconds(int64_t milliseconds);

/* The node of the running pod; NULL: none runs. */
const char *kube_node(const struct kube_state *state);

/* clone_check.c: ERR_PROTOCOL and ERR_USAGE, before anything is made. */
int kube_check(const struct kube_clone_input *input, const cJSON *source,
               struct err *err) _must_check_;

/* clone_command.c: fills command, args, command_reason, gate. `$(X)` and `$$` of what a person typed are
 * escaped, since the kubelet would expand them. */
int kube_plan_command(struct kube_state *state, struct err *err) _must_check_;
rule_call kube_command, kube_args;

/* The text so that the kubelet's expansion gives it back unchanged. NULL: no memory. */
char *kube_escape(const char *text);

/* clone_image.c */
rule_call kube_image, kube_pull_policy, kube_other_image;

/* clone_env.c */
rule_call kube_env;

/* clone_container.c */
rule_call kube_workdir, kube_security, kube_resources, kube_stdio, kube_termination,
	kube_message_path;
rule_call kube_mounts, kube_claimed_resources;

/* clone_sidecars.c */
rule_call kube_containers, kube_init_containers, kube_sidecar_restart, kube_probe;

/* Why a running pod's container or volume is not copied: a mesh put it there. NULL: it did not. */
const char *kube_injected_container(const char *name);
const char *kube_injected_volume(const char *name);

/* clone_volumes.c */
rule_call kube_volumes, kube_resource_claims;

/* clone_collect.c: fills selectors and policies with those that some choice of labels can match. */
int kube_collect_selectors(struct kube_state *state, struct err *err) _must_check_;

/* Whether it selects the pod with the labels as they stand, or as the source has them. */
bool kube_selects(const struct kube_state *state, const struct kube_selector *selector);
bool kube_selects_source(const struct kube_state *state, const struct kube_selector *selector);

/* True for a ReplicationController's selector, which has no matchLabels around it. */
bool kube_is_plain_map(const cJSON *selector);

/* clone_labels.c and clone_select.c: fills labels, selectors, policies, never_ready. */
int kube_plan_labels(struct kube_state *state, struct err *err) _must_check_;
rule_call kube_labels;
int kube_choose_labels(struct kube_state *state, struct err *err) _must_check_;
int kube_report_selectors(struct rule_context *context, struct err *err) _must_check_;

/* Why a label never comes along, or NULL. `bare`: it stands on a running pod. */
const char *kube_label_refused(const char *key, bool bare);

/* ERR_USAGE when a request's label is none for Kubernetes, or not the person's to set. */
int kube_check_label(const char *pair, struct err *err) _must_check_;

/* clone_annotations.c */
rule_call kube_annotations;
struct kube_mesh kube_find_mesh(const struct kube_clone_input *input, const cJSON *source);

/* clone_pod.c: scalar fields of the pod, and the node that it is pinned to. */
rule_call kube_restart_policy, kube_deadline, kube_grace, kube_tolerations, kube_readiness;
int kube_pin_node(struct rule_context *context, struct err *err) _must_check_;

/* clone_job.c: puts the Job or Pod around the template (taken) and fills plan->document and extra. */
int kube_wrap(struct kube_state *state, cJSON *pod_template, struct plan *plan,
              struct err *err) _must_check_;

#endif
