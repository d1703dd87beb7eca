/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From `GET /containers/ID/json` to the body of `POST /containers/create`: the rule table of the
 * Docker-compatible backend and the pure function that runs it (research/docker-oci.md section 2).
 */
#ifndef ONEOFF_DOCKER_CLONE_H
#define ONEOFF_DOCKER_CLONE_H

#include "pkg/spec/plan.h"
#include "pkg/spec/request.h"

struct docker_clone_input {
	const cJSON *container; /* the source's inspect document */
	const cJSON *image;     /* GET /images/ID/json of its image, or NULL when it is gone */
	const struct request *request; /* what the person asked */
	const char *id;                /* this one-off's id: 8 of [a-z0-9] */
	const char *name;              /* the container name to create */
	const char *source_name;       /* as shown in labels: "web" */
	const char *user;              /* who runs it: "ana@laptop" */
	int64_t now_unix_seconds;
	int api_major, api_minor; /* negotiated: 1, 41 */
	bool podman;              /* the engine is Podman's compatible API */
};

/*
 * Makes the plan. plan->document is the create body; plan->extra is an array of further networks to
 * connect before the start, [{"network": NAME, "body": {"EndpointConfig": {…}}}…] (the caller adds
 * "Container" to the body), when create does not take them all: API < 1.44, or networks besides
 * Docker's default bridge; never on Podman; else NULL.
 *
 * With request->image, what the source has only from its old image (environment, labels,
 * entrypoint, user…, told from input->image) is left to the new one. Labels of ours: dev.oneoff.id,
 * .source, .source-id, .user, .started, .deadline, .command, .reason, .keep, .keep-for (seconds),
 * .lock, .detached where they apply.
 *
 * ERR_PROTOCOL when the inspect document lacks what every engine sends (Id, Image, Config,
 * HostConfig) or has it in another type. ERR_USAGE when the request holds bytes that are no UTF-8
 * (JSON cannot carry them), a variable or label without a name, or a label dev.oneoff.*.
 */
int docker_clone(const struct docker_clone_input *input, struct plan *ret_plan,
                 struct err *err) _must_check_;

#endif
