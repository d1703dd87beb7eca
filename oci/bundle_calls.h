/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of oci/bundle*.c: the two tables (a container's config.json, an image's config), the bits
 * that their rows depend on, and the computations that they call. Nobody else includes it but their
 * tests. All calls are rule_call functions (pkg/spec/rule.h) with a struct bundle_sources in
 * context->extra.
 *
 * Both tables make a config.json, so most calls serve both; for an image there is no value "before",
 * and what is written is reported as added. The namespaces' rows stand near the top of both tables:
 * later calls read in context->target what the task shares (bundle_namespace_is_new).
 */
#ifndef ONEOFF_OCI_BUNDLE_CALLS_H
#define ONEOFF_OCI_BUNDLE_CALLS_H

#include "oci/bundle.h"
#include "pkg/spec/rule.h"

/* The annotation that carries an image's StopSignal (image-spec conversion.md). */
#define BUNDLE_STOP_SIGNAL "org.opencontainers.image.stopSignal"

/* Bits of rule.when. */
enum bundle_flag {
	BUNDLE_ROOTLESS = 1 << 0,     /* no right to devices and their cgroup rules */
	BUNDLE_NO_CGROUP = 1 << 1,    /* the task gets no cgroup of its own, so no limits */
	BUNDLE_SHARED_UTS = 1 << 2,   /* its host name is another's */
	BUNDLE_MAPPED = 1 << 3,       /* its user namespace is joined: mappings are made already */
	BUNDLE_CGROUP2 = 1 << 4,      /* only what version 2 of control groups can do */
	BUNDLE_CPU_ASKED = 1 << 5,    /* --cpu */
	BUNDLE_MEMORY_ASKED = 1 << 6, /* --memory */
};

/* What the calls work from. */
struct bundle_sources {
	const struct bundle_input *input;
	const cJSON *image; /* the image's config document, or NULL when it is not known */
	bool from_image;    /* context->source is that document, and no container is cloned */
};

extern const struct rule bundle_rules[];
extern const size_t bundle_rules_count;
extern const struct rule bundle_image_rules[];
extern const size_t bundle_image_rules_count;

/* The bits that hold. `config` is the container's config.json, or NULL for an image. */
unsigned bundle_flags(const cJSON *config, const struct bundle_input *input);

static inline const struct bundle_sources *bundle_sources(const struct rule_context *context)
{
	return context->extra;
}

static inline const struct bundle_input *bundle_input(const struct rule_context *context)
{
	return bundle_sources(context)->input;
}

/* The source's value, or NULL when an image is the source: its config holds none of config.json. */
static inline const cJSON *bundle_was(const struct rule_context *context, const cJSON *node)
{
	return bundle_sources(context)->from_image ? NULL : node;
}

/* A copy of a constant document. NULL: no memory, or text that is no JSON (a bug). */
cJSON *bundle_constant(const char *json);

/* True when the document being made gives the task a new namespace of this type ("ipc"); false when
 * it joins one or has none in its list, and so shares the one that the runtime is in. */
bool bundle_namespace_is_new(const struct rule_context *context, const char *type);

/* The entry of this type in a list of namespaces, or NULL. */
const cJSON *bundle_namespace(const cJSON *namespaces, const char *type);

/* bundle_process.c: what runs, as whom, where. */
rule_call bundle_root_path, bundle_terminal, bundle_console_size, bundle_args, bundle_user;
rule_call bundle_cwd, bundle_hostname, bundle_hooks, bundle_foreign;

/* bundle_env.c, bundle_annotations.c: each serves both tables. */
rule_call bundle_env, bundle_annotations;

/* The command that is asked for, or the source's own, as a list of words. NULL: no memory. */
cJSON *bundle_command(const struct rule_context *context);

/* bundle_mounts.c */
rule_call bundle_mounts;

/* bundle_namespaces.c */
rule_call bundle_namespaces, bundle_sysctl;

/* bundle_limits.c, bundle_seccomp.c */
rule_call bundle_rlimits, bundle_oom_score, bundle_cgroup, bundle_memory, bundle_cpu;
rule_call bundle_unified, bundle_seccomp;

/* bundle_version.c: looks at the finished document, so its row stands behind the others. */
rule_call bundle_version;

/* bundle_image.c: what an image says, and what engines add to it. */
rule_call bundle_default, bundle_image_os, bundle_image_entrypoint, bundle_image_command;
rule_call bundle_image_user, bundle_image_cwd, bundle_image_mounts, bundle_image_namespaces;

#endif
