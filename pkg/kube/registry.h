/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one thing from an image registry: the config document of an image, by digest (OCI distribution-spec 1.1,
 * "Pulling manifests" and "Pulling blobs"; Docker's token authentication). Needed to know an image's ENTRYPOINT
 * when a pod's spec leaves it to the image.
 *
 *	_cleanup_(json_free) cJSON *config = NULL;
 *	if (registry_image_config(&settings, "shop.example/web@sha256:…", &config, err) < 0)
 *		return -1;
 */
#ifndef ONEOFF_KUBE_REGISTRY_H
#define ONEOFF_KUBE_REGISTRY_H

#include "pkg/base/report.h"
#include "pkg/json/json.h"

/* Bytes of a manifest or config that are read at most (the spec's own recommendation is 4 MiB). */
#define REGISTRY_MAX_BYTES ((size_t)4 << 20)

/* Borrowed. */
struct registry_settings {
	const cJSON *
		pull_secrets; /* array of decoded .dockerconfigjson documents ({"auths": {…}}) and .dockercfg ones
	                               (the map itself), in the order of the pod's imagePullSecrets; may be NULL */
	const char *architecture; /* "amd64"; which one of an index is meant */
	const char *ca_file;      /* PEM in addition to the system's authorities, or NULL */
	int64_t timeout_ms;       /* for all of it; 0: 5 s */
	bool plain_http;          /* http instead of https: only for loopback, in tests */
	struct reporter reporter; /* REPORT_DETAIL: what was asked */
};

/* Splits "[HOST[:PORT]/]REPOSITORY[:TAG]@sha256:HEX" as Docker does ("web" is docker.io/library/web, whose server is
 * registry-1.docker.io). ERR_USAGE when it has no digest or is no reference. Outputs are owned by the caller. */
int registry_split(const char *reference, char **ret_server, char **ret_repository,
                   char **ret_digest, struct err *err) _must_check_;

/* The config document of the image, every byte checked against the digests that lead to it. ERR_UNREACHABLE,
 * ERR_DENIED, ERR_NOT_FOUND, ERR_START_TIMEOUT, or ERR_PROTOCOL (wrong digest, not an image, too large). Credentials
 * are sent to the registry they were given for and to its token server, and nowhere else: never to another host that
 * a redirect names. */
int registry_image_config(const struct registry_settings *settings, const char *reference,
                          cJSON **ret_config, struct err *err) _must_check_;

#endif
