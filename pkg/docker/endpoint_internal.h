/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of endpoint.h share. */
#ifndef ONEOFF_DOCKER_ENDPOINT_INTERNAL_H
#define ONEOFF_DOCKER_ENDPOINT_INTERNAL_H

#include "pkg/docker/endpoint.h"

#define DOCKER_SOCKET "/var/run/docker.sock"

#define ENDPOINT_INIT                                                                              \
	{                                                                                          \
		.kind = ENDPOINT_UNIX                                                              \
	}

enum endpoint_tls {
	ENDPOINT_PLAIN,
	ENDPOINT_TLS,        /* encrypted, to whomever */
	ENDPOINT_TLS_VERIFY, /* encrypted, to the server whose certificate we trust */
};

/* The part between scheme and path, taken apart. */
struct authority {
	char *user; /* owned; decoded; or NULL */
	char *host; /* owned; without brackets; "" when it is not given */
	int port;   /* 0: not given */
	bool v6;
};

#define AUTHORITY_INIT                                                                             \
	{                                                                                          \
		.user = NULL                                                                       \
	}

void authority_release(struct authority *authority);

/* Reads [user@]host[:port]; *ret_path is what follows, borrowed from text. ERR_USAGE; messages
 * quote only what cannot be a password. *ret has to be released after a failure, too. */
int authority_parse(const char *text, struct authority *ret, const char **ret_path,
                    struct err *err) _must_check_;

/* Percent-decodes a user name or a path; refuses what endpoint_is_printable refuses. */
int authority_decode(const char *text, size_t length, char **ret, struct err *err) _must_check_;

/* True for text that a terminal and a shell's quotes take for nothing but its characters. */
bool endpoint_is_printable(const char *text);

/* Fills the command of an ssh:// address; `rest` is what follows the scheme. */
int endpoint_parse_ssh(const char *rest, bool podman, struct endpoint *endpoint,
                       struct err *err) _must_check_;

/* A new formatted string; NULL when memory ran out. */
char *endpoint_format(const char *format, ...) _printf_(1, 2);

/* As endpoint_parse, with what the settings say about TLS, which concerns tcp:// and bare forms. */
int endpoint_parse_tls(const char *url, bool podman, enum endpoint_tls tls, struct endpoint *ret,
                       struct err *err) _must_check_;

/* Parses the URL of a setting; `origin` (a name for messages) begins the message on failure. */
int endpoint_from_setting(const char *origin, const char *url, bool podman, enum endpoint_tls tls,
                          struct endpoint *ret, struct err *err) _must_check_;

/* A setting that is not empty, or NULL. */
const char *endpoint_setting(const struct endpoint_settings *settings, const char *name);

/* What the docker command line's config.json says. */
struct docker_config {
	char *folder;          /* owned; $DOCKER_CONFIG, ~/.docker, or NULL when there is neither */
	char *current_context; /* owned; or NULL */
	char *detach_keys;     /* owned; or NULL */
	struct strv headers;   /* "Name: value" */
};

#define DOCKER_CONFIG_INIT                                                                         \
	{                                                                                          \
		.folder = NULL                                                                     \
	}

void docker_config_release(struct docker_config *config);

/* Reads config.json (none is as good as an empty one) and DOCKER_CUSTOM_HEADERS. */
int docker_config_read(const struct endpoint_settings *settings, struct docker_config *ret,
                       struct err *err) _must_check_;

struct cJSON;

/* Reads a small JSON object. *ret is NULL when the file does not exist or is empty. Faults name the
 * file; a broken document is ERR_USAGE. */
int docker_config_load(const char *path, struct cJSON **ret, struct err *err) _must_check_;

#endif
