/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the registry reader, from the bottom up; private to registry*.c and their tests. Everything but the
 * connection is pure and reads outside bytes: each parser refuses what it does not understand.
 *
 *	reference → logins that fit it → GET manifest → 401 with a challenge → token → GET again → index → manifest → config
 */
#ifndef ONEOFF_KUBE_REGISTRY_INTERNAL_H
#define ONEOFF_KUBE_REGISTRY_INTERNAL_H

#include "pkg/kube/registry.h"
#include "pkg/net/http.h"

/* ---- references (registry_reference.c) ---- */

/* What Docker Hub is called in references and pull secrets, and the server that answers for it. */
#define REGISTRY_HUB        "docker.io"
#define REGISTRY_HUB_SERVER "registry-1.docker.io"

/* "sha256:" and 64 lower-case hexadecimal digits: the only digest that registries still use. */
bool registry_is_digest(const char *text);

/* ---- challenges (registry_challenge.c; RFC 9110 section 11, Docker's token authentication) ---- */

/* What a 401 asks for. Strings are owned; NULL when not said. */
struct registry_challenge {
	bool basic;
	bool bearer;
	char *realm, *service, *scope; /* of Bearer */
};

/* Adds what one WWW-Authenticate value says, which may hold several challenges. A value that is malformed adds what
 * stands before the fault. 0, or -1 when memory ran out. */
int registry_challenge_add(struct registry_challenge *challenge, const char *value,
                           struct err *err) _must_check_;
/* Adds all such lines of a reply's head. */
int registry_challenge_read(struct registry_challenge *challenge, const char *head,
                            struct err *err) _must_check_;
void registry_challenge_release(struct registry_challenge *challenge);

/* ---- pull secrets (registry_login.c, registry_match.c) ---- */

/* One login. Strings are owned, wiped when released; NULL when not given. */
struct registry_login {
	char *key; /* "quay.io/team": what it was given for, without scheme */
	char *username, *password;
	char *identity_token; /* for the token server, by POST */
	char *registry_token; /* for the registry itself, as a bearer token */
};

struct registry_logins {
	struct registry_login *items;
	size_t count;
};

/* All logins that the kubelet would try for "HOST[:PORT]/REPOSITORY", in its order: keys sorted backwards, so that a
 * longer path comes before a shorter one, and secrets in the order given; Docker Hub's other names last. Entries
 * without anything usable are passed over. 0, or -1 when memory ran out. */
int registry_logins_find(const cJSON *pull_secrets, const char *server, const char *repository,
                         struct registry_logins *ret, struct err *err) _must_check_;
void registry_logins_release(struct registry_logins *logins);

/* Whether a pull secret's key fits, as the kubelet compares: each label of the host is a pattern, the port is equal,
 * the path is a prefix. Neither has a scheme. */
bool registry_match(const char *key, const char *image);
/* Go's path.Match for text[0..length) and pattern[0..pattern_length): "*", "?", "[a-z]", "\". Takes time
 * proportional to the product of the lengths. */
bool registry_match_pattern(const char *pattern, size_t pattern_length, const char *text,
                            size_t length);

/* ---- URLs (registry_url.c) ---- */

struct registry_url {
	char *origin; /* owned; "https://HOST[:PORT]", lower case, without a port that goes without saying */
	char *host; /* owned; "HOST[:PORT]", for messages */
	char *path; /* owned; path and query, begins with '/', no fragment */
};

/* Reads an absolute http or https URL without user information. 0, or -1 with ERR_PROTOCOL; the message quotes
 * nothing of the URL, whose query may be a secret. */
int registry_url_parse(const char *text, struct registry_url *ret, struct err *err) _must_check_;
/* Where a Location header leads, seen from `base`: an absolute URL, "//host/path" or "/path". */
int registry_url_resolve(const struct registry_url *base, const char *location,
                         struct registry_url *ret, struct err *err) _must_check_;
void registry_url_release(struct registry_url *url);

/* ---- documents (registry_manifest.c; OCI image-spec) ---- */

enum registry_document { REGISTRY_INDEX, REGISTRY_MANIFEST };

/* What a parsed body is. ERR_PROTOCOL when it is neither, or could be taken for both. */
int registry_document_kind(const cJSON *document, enum registry_document *ret,
                           struct err *err) _must_check_;
/* The digest of the index's Linux manifest for an architecture (NULL: of the first one), plain before variants.
 * Borrowed from the document. ERR_NOT_FOUND when it has none. */
int registry_choose_manifest(const cJSON *index, const char *architecture, const char **ret_digest,
                             struct err *err) _must_check_;
/* The digest of a manifest's config, when it is that of an image. Borrowed. */
int registry_config_digest(const cJSON *manifest, const char **ret_digest,
                           struct err *err) _must_check_;

/* ---- connections (registry_connection.c) ---- */

/* A server that requests go to with one set of headers; kept open between them. */
struct registry_connection {
	const struct registry_settings *settings; /* borrowed */
	int64_t deadline;                         /* clock_monotonic_ms */
	char *origin, *host;                      /* owned */
	struct strv headers;                      /* may hold a secret: wiped when closed */
	struct loop loop;
	struct http_target target;
	struct http_client *client;
};

/* `authorization` is the header's value, or NULL. ERR_PROTOCOL when the scheme is http and may not be. */
int registry_connection_open(const struct registry_settings *settings, int64_t deadline,
                             const struct registry_url *url, const char *authorization,
                             struct registry_connection **ret, struct err *err) _must_check_;
/* NULL is fine. */
void registry_connection_close(struct registry_connection *connection);
/* One GET. Any status is a reply. ERR_UNREACHABLE, ERR_START_TIMEOUT, ERR_PROTOCOL (too large). */
int registry_connection_get(struct registry_connection *connection, const char *path,
                            struct http_reply *reply, struct err *err) _must_check_;
/* One POST of a form, which pkg/net has no call for. */
int registry_connection_post(struct registry_connection *connection, const char *path,
                             const char *form, struct http_reply *reply,
                             struct err *err) _must_check_;
/* The GET, and at most 5 redirects after it; other servers get no Authorization. */
int registry_connection_follow(struct registry_connection *connection, const char *path,
                               struct http_reply *reply, struct err *err) _must_check_;
/* Milliseconds that are left, at least 1; -1 with ERR_START_TIMEOUT when none are. */
int64_t registry_time_left(int64_t deadline, const char *host, struct err *err);

/* ---- tokens (registry_token.c) ---- */

/* What the registry is to get as Authorization, for a challenge and a login (NULL: nobody in particular): asks the
 * token server where the challenge is Bearer. *ret is owned by the caller, who wipes it. ERR_DENIED when the token
 * server says so or nothing fits. */
int registry_authorize(const struct registry_settings *settings, int64_t deadline,
                       const struct registry_challenge *challenge,
                       const struct registry_login *login, const char *repository, char **ret,
                       struct err *err) _must_check_;

/* For _cleanup_: overwrites and frees a string that is a secret. */
void registry_wipe(char **secret);

#endif
