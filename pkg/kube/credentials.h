/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What proves who we are, fresh: the token of a kubeconfig, of a token file, or of a credential plugin (exec),
 * which is run when it is needed, at most once for as long as its answer is valid, and again after a 401.
 *
 *	struct credentials *credentials;
 *	if (credentials_open(&config, &reporter, &credentials, err) < 0 ||
 *	    credentials_refresh(credentials, false, err) < 0)
 *		return -1;
 *	headers = credentials_headers(credentials);
 *
 * A plugin that cannot ask runs in a session of its own: it and its children end with it when it takes too long, and
 * it finds no /dev/tty. One that may ask stays in ours, where Ctrl-C reaches it. Either ends when we die, and when
 * SIGINT, SIGTERM, SIGHUP or SIGQUIT arrives that the caller has blocked; the signal stays pending for the caller.
 *
 * Single thread. The plugin never sees our stdin unless that is a terminal and the plugin may use it, never our
 * stdout; what it writes to stderr is collected and reported, escaped by whoever prints it.
 */
#ifndef ONEOFF_KUBE_CREDENTIALS_H
#define ONEOFF_KUBE_CREDENTIALS_H

#include "pkg/base/report.h"
#include "pkg/kube/kubeconfig.h"

/* How long a plugin may take when it cannot ask anybody; with a terminal it gets ten times as long. */
#define CREDENTIALS_PLUGIN_TIMEOUT_MS INT64_C(60000)

struct credentials;

/* `config` is borrowed and outlives it. Runs nothing. */
int credentials_open(const struct kubeconfig *config, const struct reporter *reporter,
                     struct credentials **ret, struct err *err) _must_check_;
/* NULL is fine. */
void credentials_close(struct credentials *credentials);

/* Makes them valid now: reads the token file again when it is a minute old, runs the plugin when it never ran,
 * when its answer expired, or when `refused` (the server said 401). 1 when they changed, 0 when they are the same,
 * -1: ERR_DENIED when the plugin failed or gave nothing usable (with its words, and installHint as the hint when it
 * is not there) or the token file gives none, ERR_START_TIMEOUT when it took too long, ERR_INTERRUPTED by a signal or
 * Ctrl-C, ERR_USAGE for a token of the kubeconfig that no header may hold. Headers stay as they were then. */
int credentials_refresh(struct credentials *credentials, bool refused,
                        struct err *err) _must_check_;

/* Header lines for every request: "Authorization: …" and the impersonation. Borrowed until the next refresh. */
const struct strv *credentials_headers(const struct credentials *credentials);
/* A plugin's client certificate and key, PEM, or NULL. Borrowed until the next refresh. */
const char *credentials_certificate(const struct credentials *credentials);
const char *credentials_key(const struct credentials *credentials);

#endif
