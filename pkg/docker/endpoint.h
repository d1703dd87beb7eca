/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the engine is: DOCKER_HOST, docker contexts, CONTAINER_HOST, the usual sockets, ssh, as the
 * docker and podman command lines decide it (research/docker-oci.md sections 4 "Reach" and 7).
 */
#ifndef ONEOFF_DOCKER_ENDPOINT_H
#define ONEOFF_DOCKER_ENDPOINT_H

#include <stdbool.h>
#include "pkg/base/err.h"
#include "pkg/base/strv.h"

enum endpoint_kind {
	ENDPOINT_UNIX,  /* socket_path */
	ENDPOINT_TCP,   /* host and port, TLS when tls is set */
	ENDPOINT_SPAWN, /* command: its stdin and stdout are the connection (ssh … dial-stdio) */
};

struct endpoint {
	enum endpoint_kind kind;
	char *origin;      /* owned; where it is from, for messages: "DOCKER_HOST", "context 'x'" */
	char *text;        /* owned; as a person writes it: "unix:///var/run/docker.sock" */
	char *socket_path; /* owned; ENDPOINT_UNIX */
	char *host;        /* owned; ENDPOINT_TCP: name or address, IPv6 without brackets */
	int port;
	bool tls, tls_verify;
	char *ca_file, *cert_file, *key_file; /* owned; NULL when not given */
	struct strv command;                  /* ENDPOINT_SPAWN: argv */
	struct strv headers; /* "Name: value", from HttpHeaders and DOCKER_CUSTOM_HEADERS */
	char *detach_keys;   /* owned; config.json detachKeys, or NULL */
};

void endpoint_release(struct endpoint *endpoint);

/* What decides: the environment is read through `get`, so that tests need not change their own. */
struct endpoint_settings {
	const char *(*get)(void *context, const char *name); /* as getenv; borrowed result */
	void *context;
	const char *host_option;    /* -H, or NULL */
	const char *context_option; /* --context, or NULL */
	unsigned user_id;           /* for rootless paths */
};

/* The Docker endpoint: -H, DOCKER_HOST, DOCKER_CONTEXT, currentContext, default socket; in the
 * order the docker CLI has. Reads config.json, meta.json and looks for TLS files; connects to
 * nothing. */
int endpoint_docker(const struct endpoint_settings *settings, struct endpoint *ret,
                    struct err *err) _must_check_;

/* Appends the names of the contexts that docker's folder holds, at most 200, in no order, for completion. Broken ones
 * are passed over. */
int docker_context_names(const struct endpoint_settings *settings, struct strv *ret,
                         struct err *err) _must_check_;

/* The Podman endpoint: -H, CONTAINER_HOST, the rootless socket, the root socket. When no setting
 * names one and no socket file exists: ERR_UNREACHABLE (the caller may then spawn `podman system
 * service`). */
int endpoint_podman(const struct endpoint_settings *settings, struct endpoint *ret,
                    struct err *err) _must_check_;

/* Whether this user has had containers of Podman on this machine, running or not: its database is where Podman puts it
 * by default (libpod/bolt_state.db, since 4.8 db.sql). To ask a Podman that nobody uses would make its folders. */
bool endpoint_podman_was_used(const struct endpoint_settings *settings);

/* Reads one URL form (unix://, tcp://, http://, https://, ssh://, bare host:port). `podman` chooses
 * the remote command for ssh. ERR_USAGE for anything else, a password, a query or a fragment;
 * messages never quote what may be a password. The origin is "-H". */
int endpoint_parse(const char *url, bool podman, struct endpoint *ret,
                   struct err *err) _must_check_;

/* Looks at the socket file of an ENDPOINT_UNIX before anything is sent there (symbolic links are
 * followed); other kinds pass. ERR_UNREACHABLE when it is missing or no socket; ERR_DENIED when we
 * may not connect, or when it belongs to someone who is neither root nor user_id: he would read all
 * that the task gets. */
int endpoint_check_socket(const struct endpoint *endpoint, unsigned user_id,
                          struct err *err) _must_check_;

#endif
