/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files behind credentials.h share, and what tests reach to turn time themselves. Private to credentials*.c.
 *
 *	credentials.c          what is set, what is due, the header lines
 *	credentials_plugin.c   starts a plugin and waits for it
 *	credentials_output.c   what it says on stdout and stderr
 *	credentials_child.c    its process, between fork and exec
 *	credentials_answer.c   the ExecCredential it gives back
 */
#ifndef ONEOFF_KUBE_CREDENTIALS_INTERNAL_H
#define ONEOFF_KUBE_CREDENTIALS_INTERNAL_H

#include <sys/types.h>
#include "pkg/kube/credentials.h"

/* An ExecCredential is no longer than this, in bytes. */
#define CREDENTIALS_MAX_BYTES ((size_t)1 << 20)
/* Of what a plugin says on stderr, the last bytes are kept for the error. */
#define CREDENTIALS_TAIL_BYTES 4096

/* What a plugin gave. Owned; NULL when it did not say. */
struct credentials_answer {
	char *token;
	char *certificate, *key; /* PEM; both or none */
	bool expires;
	int64_t expires_at; /* seconds since 1970 */
};

void credentials_answer_release(struct credentials_answer *answer);
/* Reads the ExecCredential `text`. ERR_DENIED says what is wrong with it and quotes nothing of it. */
int credentials_parse_answer(const char *text, size_t length, const char *api_version,
                             struct credentials_answer *ret, struct err *err) _must_check_;

/* A plugin that runs. */
struct credentials_plugin {
	const struct kubeconfig_exec *exec;
	const struct reporter *reporter;
	bool interactive;    /* it has our terminal, and is in our session */
	int64_t deadline_ms; /* on the monotonic clock */
	pid_t pid;           /* 0: reaped */
	int status;          /* once reaped, as of waitpid(2) */
	int output, words;   /* our ends of its stdout and stderr; -1 once they ended */
	int process,
		signals; /* readable when it ended (-1: an old kernel) or a signal of ours pends */
	struct strbuf text;       /* its stdout */
	struct strbuf unreported; /* of its stderr */
	char tail[CREDENTIALS_TAIL_BYTES];
	size_t tail_length;
	size_t reported_lines;
};

/* Runs a plugin to its end; *ret is its stdout. timeout_ms 0 stands for CREDENTIALS_PLUGIN_TIMEOUT_MS, ten times that
 * with a terminal. ERR_DENIED, ERR_START_TIMEOUT, or ERR_INTERRUPTED when a signal that we blocked arrived or a
 * Ctrl-C ended it. Nothing of it is left running then. */
int credentials_run_plugin(const struct kubeconfig_exec *exec, const struct reporter *reporter,
                           int64_t timeout_ms, struct strbuf *ret, struct err *err) _must_check_;

/* Reads what is there from stdout and stderr, without waiting. -1: more than CREDENTIALS_MAX_BYTES of stdout. */
int credentials_read_output(struct credentials_plugin *plugin, struct err *err) _must_check_;
/* The number of bytes of stderr that were there, a few thousand at most. */
size_t credentials_read_words(struct credentials_plugin *plugin);
/* Hands its stderr so far to the reporter, line by line. */
void credentials_report_words(struct credentials_plugin *plugin);
/* The end of its stderr in one line; "" when it said nothing. */
void credentials_last_words(const struct credentials_plugin *plugin, struct strbuf *ret);

/* What the plugin's process starts with. */
struct credentials_child {
	pid_t parent;
	char **argv, **environment;
	int output, words; /* its stdout and stderr */
	int fault;         /* gets errno when the program cannot be run; closes when it runs */
	bool interactive;
};

/* Never returns; runs in a process just forked, with all signals blocked. */
_noreturn_ void credentials_child_run(const struct credentials_child *child);

/* credentials_refresh with the clocks in hand. */
int credentials_refresh_at(struct credentials *credentials, bool refused, int64_t monotonic_ms,
                           int64_t unix_seconds, struct err *err) _must_check_;

#endif
