/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cluster, as whom: the kubeconfig files merged as kubectl does (client-go/tools/clientcmd;
 * research/kubernetes.md section 9), one context picked from them, or the service account of the pod we run in.
 *
 *	_cleanup_(kubeconfig_release) struct kubeconfig config = KUBECONFIG_INIT;
 *	if (kubeconfig_load(&settings, &config, err) < 0)
 *		return -1;
 *
 * Files are only read, nothing is connected to or run. Single thread.
 */
#ifndef ONEOFF_KUBE_KUBECONFIG_H
#define ONEOFF_KUBE_KUBECONFIG_H

#include "pkg/base/strv.h"
#include "pkg/json/json.h"

#define KUBECONFIG_MAX_BYTES ((size_t)4 << 20)

/* What the person said. Borrowed; NULL when not said. */
struct kubeconfig_settings {
	const char *kubeconfig;       /* --kubeconfig: this file only */
	const char *context;          /* --context */
	const char *name_space;       /* -n */
	const char *as;               /* --as */
	const char *as_uid;           /* --as-uid */
	const struct strv *as_groups; /* --as-group */
	/* getenv(3) for the process, a table for tests: KUBECONFIG, HOME, KUBERNETES_SERVICE_HOST and _PORT,
	 * HTTPS_PROXY, NO_PROXY and their lower-case twins; for a server without TLS HTTP_PROXY, unless
	 * REQUEST_METHOD says that a web client could have set it. */
	const char *(*get)(void *context, const char *name);
	void *get_context;
	/* The folder that stands for /var/run/secrets/kubernetes.io/serviceaccount; NULL: that one. */
	const char *service_account;
};

/* A credential plugin (client.authentication.k8s.io). */
struct kubeconfig_exec {
	char *command; /* owned; NULL: no plugin. A relative path with a slash is made absolute */
	struct strv args;
	struct strv env;    /* "NAME=VALUE" in addition to ours */
	char *api_version;  /* owned; "client.authentication.k8s.io/v1" or …/v1beta1 */
	char *install_hint; /* owned, or NULL */
	enum kubeconfig_interactive {
		KUBECONFIG_INTERACTIVE_IF_AVAILABLE,
		KUBECONFIG_INTERACTIVE_ALWAYS,
		KUBECONFIG_INTERACTIVE_NEVER,
	} interactive;
	cJSON *cluster; /* owned; spec.cluster for the plugin when provideClusterInfo is set, else NULL */
};

/* One cluster and one user, resolved. Every string is owned; NULL or empty when not set. */
struct kubeconfig {
	char *context; /* its name; "in-cluster" for a service account */
	char *origin; /* for messages: the file's path, "KUBECONFIG (A:B)", "the pod's service account" */
	/* "https://host[:port][/path]", no slash at the end. With "http://", nothing secret is set below, as kubectl
	 * has it: only the impersonation stays, so that nobody gets more rights than asked for. */
	char *server;
	char *name_space; /* never NULL: -n, else the context's, else "default" */

	char *ca_file, *ca_data; /* PEM; at most one of them */
	char *tls_server_name;   /* for SNI and the name check instead of the URL's host */
	bool insecure;           /* insecure-skip-tls-verify */
	char *proxy_url;         /* proxy-url, else by HTTPS_PROXY and NO_PROXY; NULL: none */

	char *cert_file, *cert_data; /* client certificate, PEM */
	char *key_file, *key_data;
	char *token;                 /* bearer token */
	char *token_file;            /* read again every minute and after a 401; wins over token */
	char *username, *password;   /* basic */
	struct kubeconfig_exec exec; /* used only when none of the above is set */

	struct strv impersonation; /* header lines: "Impersonate-User: jane"… */
};

#define KUBECONFIG_INIT                                                                            \
	{                                                                                          \
		.context = NULL                                                                    \
	}

/* Merges the files and resolves the context. With no file that names a context or cluster, the pod's service account
 * counts, but for --kubeconfig. Certificates' files must be readable; a token file is opened by credentials.h.
 * ERR_USAGE for what a person wrote wrong (an unknown context with
 * those there are in the hint, a missing --kubeconfig file, two authentication methods, an auth-provider),
 * ERR_UNREACHABLE with a hint when there is no configuration at all, ERR_PROTOCOL for a file that cannot be
 * parsed (names it). A half-written setting is an error, never a guess. */
int kubeconfig_load(const struct kubeconfig_settings *settings, struct kubeconfig *ret,
                    struct err *err) _must_check_;

/* Appends the names of all contexts, and the namespaces that they name, each once and in the files' order, for
 * completion. Errors as kubeconfig_load has them for the files; no file is no error. */
int kubeconfig_names(const struct kubeconfig_settings *settings, struct strv *ret_contexts,
                     struct strv *ret_namespaces, struct err *err) _must_check_;

/* Frees what is owned and leaves KUBECONFIG_INIT. */
void kubeconfig_release(struct kubeconfig *config);

#endif
