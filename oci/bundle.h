/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The throwaway bundle's config.json (OCI runtime-spec 1.x), made by a rule table from the config.json
 * of a container that runs (research/docker-oci.md 5.3), or from an image's config. Pure: everything
 * that has to be looked up on the machine stands in the input.
 *
 * plan->document is the config.json. root.path is "rootfs", relative to the bundle. plan->extra is left
 * NULL for the caller. An element that no row names is refused with its path.
 */
#ifndef ONEOFF_OCI_BUNDLE_H
#define ONEOFF_OCI_BUNDLE_H

#include <sys/types.h>
#include "pkg/spec/plan.h"
#include "pkg/spec/request.h"

#define BUNDLE_MAX_GROUPS 64

/* A user as numbers, looked up in the image's /etc/passwd and /etc/group. */
struct bundle_user {
	uid_t uid;
	gid_t gid;
	gid_t additional[BUNDLE_MAX_GROUPS];
	size_t additional_count;
	char home[256]; /* "" when not known */
};

enum bundle_network {
	BUNDLE_NETWORK_SOURCE, /* the source's; for an image: none */
	BUNDLE_NETWORK_NONE,   /* a new namespace with nothing but a loopback */
	BUNDLE_NETWORK_HOST,   /* the namespace that we are in */
};

/* RLIMIT_… by their names in the specification ("RLIMIT_NOFILE"), and what we may set at most. */
struct bundle_rlimit {
	const char *type;
	uint64_t hard; /* UINT64_MAX: unlimited */
};

struct bundle_input {
	const struct request *request;
	const char *id;          /* this one-off's id: 8 of [a-z0-9] */
	const char *name;        /* its container id: SOURCE-oneoff-ID */
	const char *source_name; /* "web", "./shop:1" */
	const char *source_id;   /* the source container's id, or the image's digest */
	const char *user_name;   /* who runs it: "ana@laptop" */
	int64_t now_unix_seconds;

	pid_t source_pid; /* the source's init; 0: it does not run, or there is none */
	const struct bundle_user *user; /* NULL: as the source's process.user */
	enum bundle_network network;
	const char *network_path; /* path of the source's network namespace, or NULL */

	bool user_namespace; /* we are already in the user namespace that the task is to have: neither
	                        a user namespace nor mappings are written */
	const char *user_path; /* path of the source's user namespace when the task is to join it
	                          through the runtime; NULL: as the source's configuration has it */
	bool rootless; /* no right to: devices' cgroup rules, oom_score_adj below ours, real devices */
	const char *cgroups_path; /* where the task's cgroup goes, or NULL: none, and no limits */
	const struct bundle_rlimit
		*rlimits; /* what we may set at most; rlimit_count 0: everything */
	size_t rlimit_count;
	int oom_score_adj_floor; /* the lowest we may set */
	bool cgroup2;            /* the machine has the unified hierarchy only */
};

/* From a running or stopped container. `config` is its config.json; `image_config` the config of its
 * image or NULL: without one the entrypoint cannot be told from the command, so argv replaces all.
 * ERR_REFUSED naming the element that no row knows; ERR_PROTOCOL when config lacks what the
 * specification requires; ERR_USAGE for what the request asks and this backend cannot do. */
int bundle_from_container(const cJSON *config, const cJSON *image_config,
                          const struct bundle_input *input, struct plan *ret,
                          struct err *err) _must_check_;

/* From an image: its Env, Entrypoint, Cmd, WorkingDir, User; the rest as the engines' defaults have it
 * (mounts, capabilities, masked paths, seccomp none). */
int bundle_from_image(const cJSON *image_config, const struct bundle_input *input, struct plan *ret,
                      struct err *err) _must_check_;

#endif
