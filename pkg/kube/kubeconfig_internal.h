/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the kubeconfig reader share. Private to kubeconfig*.c and credentials*.c.
 *
 * The files stay trees of JSON nodes; "merging" is looking a name up in one file after the other. What is read from
 * an entry goes through the getters below, which refuse a value of another type, as kubectl's decoder does. Messages
 * name files, entries and keys, never a value that may be a secret (tokens, passwords, proxies with passwords).
 */
#ifndef ONEOFF_KUBE_KUBECONFIG_INTERNAL_H
#define ONEOFF_KUBE_KUBECONFIG_INTERNAL_H

#include "pkg/kube/kubeconfig.h"

/* One file that is there. All owned. */
struct kubeconfig_file {
	char *path;   /* absolute */
	char *folder; /* that relative paths in it start from */
	cJSON *document;
};

struct kubeconfig_files {
	struct kubeconfig_file *items; /* owned */
	size_t count;
	char *origin; /* owned; as struct kubeconfig has it */
};

/* One cluster, user or context. Borrowed from the files. */
struct kubeconfig_entry {
	const char *kind; /* "cluster", "user", "context" */
	const char *name;
	const cJSON *body; /* an object, or NULL when the entry has none */
	const struct kubeconfig_file *file;
};

/* The value of an environment variable, or NULL when it is not set or empty. Borrowed. */
const char *kubeconfig_environment(const struct kubeconfig_settings *settings, const char *name);

/* Reads the files that the settings name, those that exist, and checks their shape. ERR_USAGE: the file of
 * --kubeconfig is missing. ERR_PROTOCOL: a file is not YAML, no kubeconfig, or has a name twice. */
int kubeconfig_files_read(const struct kubeconfig_settings *settings, struct kubeconfig_files *ret,
                          struct err *err) _must_check_;
void kubeconfig_files_release(struct kubeconfig_files *files);

/* The first non-empty current-context, borrowed, or NULL. */
const char *kubeconfig_current_context(const struct kubeconfig_files *files);
/* The first entry of that name in `kind`s ("cluster"…). ERR_USAGE with near and existing names in the hint. */
int kubeconfig_find(const struct kubeconfig_files *files, const char *kind, const char *name,
                    struct kubeconfig_entry *ret, struct err *err) _must_check_;
/* True when some file has an entry of that kind. */
bool kubeconfig_has_any(const struct kubeconfig_files *files, const char *kind);
/* Makes "there are: a, b, c" the hint; with `near`, "did you mean" goes before it. */
void kubeconfig_hint_names(const struct kubeconfig_files *files, const char *kind, const char *near,
                           struct err *err);

/* "FILE: KIND 'NAME': " before the message. -1. */
int kubeconfig_wrap(const struct kubeconfig_entry *entry, struct err *err);

/* Getters of an entry's members. Missing, null and "" give NULL or false; another type is ERR_PROTOCOL.
 * kubeconfig_copy's, _path's and _data's results are owned: a path is absolute and can be read, data is decoded from
 * base64 and text without NUL. */
int kubeconfig_text(const struct kubeconfig_entry *entry, const char *key, const char **ret,
                    struct err *err) _must_check_;
int kubeconfig_true(const struct kubeconfig_entry *entry, const char *key, bool *ret,
                    struct err *err) _must_check_;
int kubeconfig_copy(const struct kubeconfig_entry *entry, const char *key, char **ret,
                    struct err *err) _must_check_;
int kubeconfig_path(const struct kubeconfig_entry *entry, const char *key, char **ret,
                    struct err *err) _must_check_;
int kubeconfig_data(const struct kubeconfig_entry *entry, const char *key, char **ret,
                    struct err *err) _must_check_;
/* A file and its …-data twin; both at once are ERR_USAGE. */
int kubeconfig_file_or_data(const struct kubeconfig_entry *entry, const char *file_key,
                            char **ret_file, char **ret_data, struct err *err) _must_check_;
/* `path`, or FOLDER/path when it is relative. Owned; NULL when memory ran out. */
char *kubeconfig_absolute(const char *folder, const char *path);

/* The parts of a configuration, each into its fields of *config. */
int kubeconfig_read_cluster(const struct kubeconfig_entry *entry, struct kubeconfig *config,
                            struct err *err) _must_check_;
int kubeconfig_read_user(const struct kubeconfig_entry *entry, struct kubeconfig *config,
                         struct err *err) _must_check_;
/* `cluster` is told to the plugin when it wants to know; config's own cluster part is read by then. */
int kubeconfig_read_exec(const struct kubeconfig_entry *user,
                         const struct kubeconfig_entry *cluster, struct kubeconfig *config,
                         struct err *err) _must_check_;
void kubeconfig_release_exec(struct kubeconfig_exec *exec);
/* `user` may be NULL; the settings win. */
int kubeconfig_read_impersonation(const struct kubeconfig_entry *user,
                                  const struct kubeconfig_settings *settings,
                                  struct kubeconfig *config, struct err *err) _must_check_;
/* The account of the pod we run in. 1 when there is one, 0 when not. */
int kubeconfig_read_pod(const struct kubeconfig_settings *settings, struct kubeconfig *config,
                        struct err *err) _must_check_;

/* Where a server is. */
struct kubeconfig_address {
	bool tls;
	char *host;   /* owned; without the brackets of IPv6 */
	char port[8]; /* decimal; the scheme's own when the URL has none */
};

/* Takes "https://host:port/path" apart. ERR_USAGE when it is none, or holds what no server's URL should: a user, a
 * query, blanks. */
int kubeconfig_parse_server(const char *url, struct kubeconfig_address *ret,
                            struct err *err) _must_check_;
/* proxy-url: http, https or socks5 with a host. */
int kubeconfig_check_proxy(const char *url, struct err *err) _must_check_;
/* HTTPS_PROXY (HTTP_PROXY without TLS) and NO_PROXY as Go's net/http has them. *ret stays NULL: straight. */
int kubeconfig_environment_proxy(const struct kubeconfig_settings *settings, const char *server,
                                 char **ret, struct err *err) _must_check_;

/* Reads a whole file of at most `cap` bytes. ERR_SYSTEM with os_errno; ERR_NO_MEMORY when it is larger. */
int kubeconfig_read_file(const char *path, size_t cap, struct strbuf *ret,
                         struct err *err) _must_check_;
/* True when the text may stand in a header's value: no control bytes. */
bool kubeconfig_is_header_value(const char *text);

#endif
