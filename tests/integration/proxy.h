/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relay between the program and the engine that breaks connections: a unix socket in a folder of its
 * own, forwarding to $ONEOFF_TEST_SOCKET. Forked; ended by proxy_close.
 *
 *	struct proxy proxy;
 *	proxy_open(&proxy, "/attach", 5000);
 *	… DOCKER_HOST = proxy.url …
 *	proxy_close(&proxy);
 */
#ifndef ONEOFF_TESTS_PROXY_H
#define ONEOFF_TESTS_PROXY_H

#include <stdint.h>
#include <sys/types.h>

struct proxy {
	char folder[64];
	char url[128]; /* "DOCKER_HOST=unix://…" or "CONTAINER_HOST=unix://…", for run_spec.env */
	pid_t pid;
};

/* The first connection whose request line holds `path` is closed both ways after that many bytes of the
 * engine's answer. */
void proxy_open(struct proxy *proxy, const char *path, uint64_t after);
void proxy_close(struct proxy *proxy);

#endif
