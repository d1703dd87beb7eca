/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Podman without a daemon: `podman system service` of our own on a private socket, for the time of
 * a run. It gets the socket listening already, so nobody has to poll until it is ready. The
 * containers are conmon's and outlive it; when we die it is ended, and its folder removed, by
 * pkg/io/bridge.h. Call it while the program has one thread.
 *
 *	if (podman_service_start(&service, err) < 0)
 *		return -1;
 *	target.socket_path = podman_service_path(service);
 *	...
 *	podman_service_stop(service);
 */
#ifndef ONEOFF_DOCKER_PODMAN_SERVICE_H
#define ONEOFF_DOCKER_PODMAN_SERVICE_H

#include "pkg/base/err.h"
#include "pkg/base/strbuf.h"

struct podman_service;

/* Runs `podman` (or what the variable ONEOFF_PODMAN names) for us. ERR_UNREACHABLE when there is
 * none. It leaves by itself after 30 idle seconds. Owned by the caller. */
int podman_service_start(struct podman_service **ret, struct err *err) _must_check_;

/* The socket's path. Borrowed until podman_service_stop. */
const char *podman_service_path(const struct podman_service *service);

/* Appends the last 4 KiB of what podman had to say, for messages when it does not answer. */
void podman_service_stderr(const struct podman_service *service, struct strbuf *text);

/* Ends podman, and podman only; removes socket and folder. NULL is fine. */
void podman_service_stop(struct podman_service *service);

#endif
