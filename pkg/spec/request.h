/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the person asked for, the same for every platform: the command, the changes to the clone,
 * the limits. cmd/oneoff fills it from the option table; a backend's plan turns it, together with
 * the source's document, into the request document. It knows nothing of any platform.
 */
#ifndef ONEOFF_SPEC_REQUEST_H
#define ONEOFF_SPEC_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include "pkg/base/err.h"
#include "pkg/base/strv.h"

enum entrypoint_mode {
	ENTRYPOINT_KEEP,  /* the source's ENTRYPOINT stays, its CMD is replaced (docker compose run)
	                   */
	ENTRYPOINT_CLEAR, /* argv is the whole command */
	ENTRYPOINT_REPLACE, /* request.entrypoint stands in front of argv */
};

enum keep_mode {
	KEEP_NEVER,
	KEEP_FAILED,
	KEEP_ALWAYS,
};

enum network_mode {
	NETWORK_AS_SOURCE,
	NETWORK_NONE, /* nothing but a loopback */
	NETWORK_HOST, /* the machine's own */
};

/* Which revision of a workload, while a rollout is under way. */
enum revision_choice {
	REVISION_CURRENT, /* the newest that is ready */
	REVISION_OLD,
	REVISION_NEW,
};

/* What only means something in a cluster. */
struct request_kubernetes {
	char *container; /* owned; -c, or NULL: the pod's default one */
	enum sidecar_mode {
		SIDECARS_NATIVE, /* classic ones become init containers that restart: they end with the task */
		SIDECARS_NONE,
	} sidecars;
	enum carrier_mode {
		CARRIER_JOB,
		CARRIER_POD,
	} carrier;
	enum gate_mode {
		GATE_AUTO, /* in front of a command that is known */
		GATE_ARGS, /* behind the image's ENTRYPOINT, which executes its arguments */
		GATE_NONE,
	} gate;
	bool no_init;          /* leave init containers out */
	bool network_identity; /* keep the labels that network policies need, never ready */
};

#define REQUEST_AS_SOURCE INT64_C(-1) /* a number that is not set: as the app has it */

struct request {
	struct strv argv;   /* byte-exact; may be empty: then the source's own command */
	struct strv env;    /* "KEY=VALUE", or "KEY": not in the clone; each key once, see
	                       pkg/spec/env_file.h */
	struct strv labels; /* "KEY=VALUE" */

	char *image;      /* owned; NULL: the source's own image, by digest or id */
	char *user;       /* owned; NULL: as the source */
	char *workdir;    /* owned; NULL: as the source */
	char *entrypoint; /* owned; one program, with ENTRYPOINT_REPLACE */
	enum entrypoint_mode entrypoint_mode;
	int64_t cpu_nano;     /* billionths of a processor, or REQUEST_AS_SOURCE */
	int64_t memory_bytes; /* or REQUEST_AS_SOURCE */
	enum network_mode network;
	bool no_log;        /* log driver none */
	bool fresh_volumes; /* do not share the source's anonymous volumes */

	bool tty;
	bool stdin_open; /* false: the task reads /dev/null */
	int tty_rows;    /* 0 when unknown */
	int tty_columns;
	char *term; /* owned; our TERM for the task's terminal; NULL without one */

	struct request_kubernetes kubernetes;

	bool detach; /* start it and go; it has no input, and is kept for a while when it ends */
	char *lock;  /* owned; only one holder at a time, or NULL */
	int64_t lock_wait_ms; /* how long to wait for it; 0: not at all */

	char *name;   /* owned; the object's name as the person wants it, or NULL */
	char *reason; /* owned; --reason, for the audit trail, or NULL */

	int64_t timeout_ms;       /* running time; 0: none */
	int64_t start_timeout_ms; /* 0: none */
	int64_t grace_ms;         /* between TERM and KILL, or REQUEST_AS_SOURCE */
	enum keep_mode keep;
	int64_t keep_for_ms; /* 0: for good */
};

/* It becomes part of a name on every platform: a DNS label, as a cluster wants it. */
#define REQUEST_LOCK_RULE "a name of at most 52 of a-z, 0-9 and - inside"
bool request_lock_is_valid(const char *name);

/* JSON carries text only: other bytes would arrive as something else, silently. ERR_USAGE names what of the request is
 * not UTF-8 and says that `carrier` ("the engine") takes nothing else, or which variable or label has no name. */
int request_check_text(const struct request *request, const char *carrier,
                       struct err *err) _must_check_;

/* True when a later item of `env` (request.env) speaks of the same variable as the one at `index`: that one counts. */
bool request_env_is_overruled(const struct strv *env, size_t index);

/* Everything unset: the app's own, with stdin open, 24 hours to run and 5 minutes to start. */
void request_init(struct request *request);

/* Frees what is owned and leaves the request as after request_init. */
void request_release(struct request *request);

#endif
