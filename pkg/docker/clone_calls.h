/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of pkg/docker/clone*.c: the table, the bits its rows depend on, and the computations it
 * calls. Nobody else includes it but their tests. All calls are rule_call functions
 * (pkg/spec/rule.h), with the struct docker_clone_input in context->extra.
 */
#ifndef ONEOFF_DOCKER_CLONE_CALLS_H
#define ONEOFF_DOCKER_CLONE_CALLS_H

#include "pkg/docker/clone.h"
#include "pkg/spec/rule.h"

/* Bits of rule.when. */
enum clone_flag {
	CLONE_DOCKER = 1 << 0,
	CLONE_PODMAN = 1 << 1,
	CLONE_JOINED = 1 << 2,     /* the source lives in another container's network */
	CLONE_HOST_NAMED = 1 << 3, /* its hostname is the node's: host network, or the host's UTS */
	CLONE_NAME_DERIVED = 1 << 4,  /* its hostname was made from its id */
	CLONE_NO_LOG = 1 << 5,        /* --no-log */
	CLONE_CPU_ASKED = 1 << 6,     /* --cpu */
	CLONE_MEMORY_ASKED = 1 << 7,  /* --memory */
	CLONE_NANO_CPUS = 1 << 8,     /* the source has NanoCpus */
	CLONE_FRESH_VOLUMES = 1 << 9, /* --fresh-volumes */
	CLONE_LOG_RENAMED = 1 << 10,  /* Podman shows its k8s-file as "json-file" */
};

extern const struct rule clone_rules[];
extern const size_t clone_rules_count;

/* The bits that hold for this input. */
unsigned clone_flags(const struct docker_clone_input *input);

static inline const struct docker_clone_input *clone_input(const struct rule_context *context)
{
	return context->extra;
}

/* True when another image was asked for and the source's value is only what its old image brought:
 * it is then not sent, and the new image decides. `key` is a member of the image's Config. */
bool clone_from_old_image(const struct rule_context *context, const char *key, const cJSON *node);

/* clone_process.c: what runs, as whom, where. */
rule_call clone_image, clone_cmd, clone_entrypoint, clone_user, clone_workdir, clone_image_field;
rule_call clone_stop_timeout, clone_stdio, clone_healthcheck, clone_console_size;
rule_call clone_restart_policy, clone_auto_remove;

/* clone_env.c */
rule_call clone_env;

/* clone_labels.c */
rule_call clone_labels;

/* clone_mounts.c */
rule_call clone_binds, clone_mounts;

/* clone_network.c */
rule_call clone_network_mode, clone_networks;

/* True for "container:X", the network of another container. */
bool clone_network_is_joined(const char *mode);

/* clone_limits.c: limits, devices, security, and what Podman says differently. */
rule_call clone_cpu, clone_memory, clone_reservation, clone_swappiness, clone_keep_if_set;
rule_call clone_engine_default, clone_devices, clone_ulimits, clone_security, clone_log;
rule_call clone_user_namespace;

#endif
