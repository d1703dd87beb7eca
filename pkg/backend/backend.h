/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A platform (Docker, Podman, an OCI runtime, Kubernetes) is a struct of functions. pkg/run owns
 * the steps of a run and calls the slots in this order; it never asks which platform it talks to,
 * only for capability bits:
 *
 *	open → find → plan → [create → attach → arm → start → (signal, resize, exited)* → remove] →
 * close
 *
 * With -d: create → start, and that is all; what comes later, from any machine, is
 *
 *	open → list → [adopt → output → arm → (signal, resize, exited)* → remove] → close
 *
 * All slots are mandatory; every fallible one takes `struct err *err` last and returns 0 or -1.
 * Unless a slot says otherwise it may block on the network, within the limits it names.
 */
#ifndef ONEOFF_BACKEND_BACKEND_H
#define ONEOFF_BACKEND_BACKEND_H

#include "pkg/backend/task_record.h"
#include "pkg/base/report.h"
#include "pkg/io/channel.h"
#include "pkg/io/loop.h"
#include "pkg/json/json.h"
#include "pkg/spec/plan.h"
#include "pkg/spec/request.h"
#include "pkg/spec/source.h"

enum backend_capability {
	BACKEND_SEPARATE_STREAMS = 1 << 0, /* stdout and stderr arrive apart without a terminal */
	BACKEND_HALF_CLOSE = 1 << 1,       /* the end of stdin can be told without a terminal */
	BACKEND_REMOVES_ITSELF = 1 << 2, /* the platform deletes the task when the client is gone */
	BACKEND_READS_FILES = 1 << 3,    /* read_file works */
	BACKEND_GUARDS_ITSELF = 1 << 4,  /* a process of its own cleans up after our death */
	BACKEND_KEEPS = 1 << 5,          /* an ended object can be kept (--keep) */
	BACKEND_NETWORK_CHOICE = 1 << 6, /* request.network is honoured */
	BACKEND_BY_NAME_ONLY = 1 << 7, /* not asked for a bare name: only when it is named itself */
	BACKEND_MANIFEST = 1 << 8, /* plan->document is what people keep in files (kubectl apply) */
	BACKEND_HOLDS_OUTPUT =
		1 << 9, /* an ended task's output waits for a slow reader, however long */
	BACKEND_LOCK_IS_NAME = 1 << 10, /* names are unique: the object's name is the lock */
	BACKEND_DETACHES = 1 << 11,     /* -d: the task runs on and its end can be read later */
};

/* What the person said about where to look. Borrowed strings; NULL when not said. */
struct backend_settings {
	const char *host;        /* -H */
	const char *context;     /* --context */
	int64_t call_timeout_ms; /* of one ordinary request; 0: the backend's own */
	const char *oci_runtime; /* --oci-runtime: a path, or a name in PATH */
	const char *oci_root;    /* --oci-root: where the app's runtime keeps its state */
	const char *store;       /* --store: where images are unpacked */
	const char *kubeconfig, *name_space; /* --kubeconfig, -n */
	const char *as;                      /* --as */
	const struct strv *as_groups;        /* --as-group; or NULL */
	const char *container;               /* -c */
	int revision;                        /* enum revision_choice */
	bool may_spawn;      /* false: an engine that would have to be started does not answer */
	bool may_spawn_used; /* …unless this user has containers there */
	struct reporter reporter;
};

/* The running app, as found. Release with release_release. */
struct release {
	char *id;        /* owned; full id of the source container, uid of the pod… */
	char *name;      /* owned; "web" */
	char *image;     /* owned; human name of the image, may be NULL */
	char *digest;    /* owned; what identifies the image */
	char *workdir;   /* owned; the app's working folder where `document` does not tell it */
	char *console;   /* owned; the app's word for its console (an annotation), or NULL */
	cJSON *declared; /* owned; labels or annotations under our prefix, by whole key; or NULL */
	char *user;      /* owned; who we are to the platform, where it tells; or NULL */
	bool running;    /* false: it stopped; cloned all the same */
	char *status;    /* owned; "running", "exited (3)"… */
	cJSON *document; /* owned; the platform's own description */
	cJSON *image_document; /* owned; of its image, or NULL */
};

void release_release(struct release *release);

/* Copies those members of an object of labels or annotations (or NULL) whose keys begin with `prefix` to
 * release->declared; a key that is there already stays. */
int release_declare(struct release *release, const cJSON *labels, const char *prefix,
                    struct err *err) _must_check_;

/* Whether such a key, behind its prefix, tells of an app ("console", "task.NAME") and not of a one-off. */
bool release_is_declaration(const char *key);

/* This run's own names, chosen before anything is created, so that it can be found again. */
struct identity {
	char id[16];     /* 8 of [a-z0-9] */
	char *name;      /* owned; SOURCE-oneoff-ID, or --name */
	char *user;      /* owned; who, for labels: "ana@laptop" */
	char *lock;      /* owned; --lock, or NULL */
	int64_t started; /* unix seconds */
};

void identity_release(struct identity *identity);

/* What the guardian is to clean up. A name alone is not enough: with --name another client's task
 * may have it. */
struct burial {
	const char *name; /* borrowed */
	const char *id;   /* borrowed; identity.id */
	bool stop;        /* end it even when it runs */
	int64_t deadline; /* unix seconds; 0: none */
	bool started;     /* it may run already; until then it is deleted in any case */
	bool detached; /* nobody is to wait for it: our end is no reason to do anything before its deadline */
};

/* Which one-offs list is to tell of. */
struct list_query {
	bool all;            /* ended ones too */
	bool all_namespaces; /* where there are any */
	const char *id; /* only this one (a whole id), where that makes the list shorter; or NULL */
	/* Where the list alone does not tell all, so that each one-off has to be asked for: whether this one is wanted,
	 * by what the list tells of it (never its end, its code, its start). With the visitor's context. A hint, to
	 * save questions: the visitor gets unwanted ones, too. NULL: all are wanted. */
	bool (*wanted)(void *context, const struct task_record *brief);
	bool brief; /* what the list tells is enough for the visitor */
};

/* The record is the caller's: it may be moved from. Below 0 ends the list with that error. */
typedef int list_visitor(void *context, struct task_record *record, struct err *err);
/* One name that `--like` takes, for completion and near names. Below 0 ends the list. */
typedef int source_visitor(void *context, const char *name, struct err *err);

/* What of an adopted task's output is wanted. */
struct output_request {
	bool follow;     /* go on until it ends */
	int64_t tail;    /* the last so many lines; -1: all that the platform still has */
	bool timestamps; /* each line behind the time the platform noted */
	bool join;       /* with `follow`: our input and terminal too, as attach gives them */
	bool stdin_open; /* with `join` */
	const char *detach_keys; /* with `join`; or NULL */
};

/* One line of `doctor`. */
enum finding_level {
	FINDING_GOOD,
	FINDING_NOTE, /* worth knowing, stops nothing */
	FINDING_BAD,  /* a run would fail */
};

struct finding {
	enum finding_level level;
	const char *subject; /* "docker", "quota" */
	const char *text;    /* what is, in a few words; borrowed, unescaped */
	const char *fix;     /* what to do; or NULL */
};

typedef int finding_visitor(void *context, const struct finding *finding, struct err *err);

/* What a person can type to see to an object without us. */
enum backend_command {
	BACKEND_COMMAND_LIST,   /* whether it is there, whether it runs */
	BACKEND_COMMAND_REMOVE, /* ends and deletes it */
};

struct backend; /* the platform's own; begins with `const struct backend_ops *ops` */

struct backend_ops {
	const char *name; /* "docker" */
	unsigned capabilities;

	/* Connects or proves that it could. ERR_UNREACHABLE when nothing answers, ERR_DENIED when
	 * the socket refuses us. The loop outlives the backend. */
	int (*open)(const struct backend_settings *settings, struct loop *loop,
	            struct backend **ret, struct err *err);
	/* Reads the running app. ERR_NOT_FOUND with near names in the hint, ERR_AMBIGUOUS with all
	 * hits. */
	int (*find)(struct backend *backend, const struct source *source, struct release *ret,
	            struct err *err);
	/* Pure: source + request → plan. */
	int (*plan)(struct backend *backend, const struct release *release,
	            const struct request *request, const struct identity *identity,
	            struct plan *ret, struct err *err);
	/* Makes the object, does not start it. After a lost reply it finds its own object by name:
	 * there is never a second one. `burial` is what is to be done when we die from now on, for
	 * platforms that see to it themselves. With identity->lock: ERR_LOCKED while another's task
	 * holds it (the message says who, since when, doing what) and nothing is left; the caller tries
	 * again. The lock is held until the task has ended, whatever happens to us. */
	int (*create)(struct backend *backend, const struct plan *plan,
	              const struct identity *identity, const struct burial *burial,
	              struct err *err);
	/* Connects every stream. The channel is owned by the backend until close; NULL when the task
	 * has our own descriptors, so that nothing is to be moved. */
	int (*attach)(struct backend *backend, bool tty, bool stdin_open, const char *detach_keys,
	              struct channel **ret, struct err *err);
	/* Registers the wait; returns only when the platform has confirmed it. */
	int (*arm)(struct backend *backend, struct err *err);
	/* Starts the task. ERR_COMMAND_NOT_FOUND and ERR_CANNOT_EXECUTE where the platform says so.
	 */
	int (*start)(struct backend *backend, struct err *err);
	/* After the loop turned: 1 and *ret when the status is known or never will be, else 0. -1
	 * when the wait broke and the task may still run: call recover. Does not block. */
	int (*exited)(struct backend *backend, struct exit_status *ret, struct err *err);
	/* After the wait broke: asks for the state. 1 and *ret when it ended, 0 when it runs (armed
	 * again), -1 when nobody can tell now (try later). */
	int (*recover)(struct backend *backend, struct exit_status *ret, struct err *err);
	/* After the streams broke while the task runs: a new channel for its output (no input) that
	 * goes on exactly behind the bytes received so far, counted per stream. The old channel is
	 * closed. ERR_OUTPUT_INCOMPLETE when the platform kept no exact copy; anything else may be
	 * tried again. */
	int (*reattach)(struct backend *backend, const uint64_t received[CHUNK_STREAM_COUNT],
	                struct channel **ret, struct err *err);
	/* While our stdout is blocked, every 100 ms or so: true once the task has probably ended,
	 * so that the rest of its output must be read now or be lost. Does not block. */
	bool (*may_have_ended)(struct backend *backend);
	/* Sends a signal, by number, without waiting for the answer. */
	int (*signal)(struct backend *backend, int signal_number, struct err *err);
	/* Tells the terminal's size, without waiting for the answer. */
	int (*resize)(struct backend *backend, int rows, int columns, struct err *err);
	/* Removes the object, killing it if need be, and confirms that it is gone (≤ 10 s).
	 * Removing what is not there succeeds. `keep`: leave the ended object. ERR_NOT_REMOVED
	 * names it. */
	int (*remove)(struct backend *backend, struct err *err);
	/* Deletes what earlier clients left: only ours, only ended and unkept or past its deadline.
	 * Started while the task runs; errors are not reported. Does not block. */
	void (*sweep)(struct backend *backend);
	/* A file of the source (console: Procfile), at most `cap` bytes. ERR_NOT_FOUND when there
	 * is none. */
	int (*read_file)(struct backend *backend, const struct release *release, const char *path,
	                 size_t cap, struct strbuf *ret, struct err *err);
	/* What is left after a client's death is cleaned up by the guardian: a fresh process that
	 * opens the backend and calls this. Removes the object when it never started; with `stop`
	 * also when it runs; else watches it until `deadline` and kills it then. Blocks. */
	int (*bury)(struct backend *backend, const struct burial *burial, struct err *err);
	/* Appends the command line of the platform's own tool. */
	void (*command)(const struct backend *backend, enum backend_command command,
	                const char *name, struct strbuf *ret);

	/* Tells of every one-off of the platform, whoever started it, page by page in constant memory.
	 * A partial list is an error. */
	int (*list)(struct backend *backend, const struct list_query *query, list_visitor *visit,
	            void *context, struct err *err);
	/* Makes a one-off from the list the backend's own task: output, arm, exited, recover, signal,
	 * resize and remove then work as if we had created it. ERR_NOT_FOUND when it is gone. */
	int (*adopt)(struct backend *backend, const struct task_record *record, struct err *err);
	/* The adopted task's output as a channel, from its beginning (or tail), in order and without a
	 * gap to what follows. Owned by the backend until close. Where the platform has only part:
	 * ERR_OUTPUT_INCOMPLETE, or a report and exit_status.output_incomplete. */
	int (*output)(struct backend *backend, const struct output_request *request,
	              struct channel **ret, struct err *err);
	/* Deletes a one-off from the list, unless it runs (`force`: even then) or a start has taken
	 * effect meanwhile. 1: deleted, 0: it runs, or was gone already; -1. Two may try at once. */
	int (*discard)(struct backend *backend, const struct task_record *record, bool force,
	               struct err *err);
	/* Every name that --like takes here: containers; workloads in a cluster. */
	int (*sources)(struct backend *backend, source_visitor *visit, void *context,
	               struct err *err);
	/* What would stop a run here: versions, rights, quota, policies; about the source too when
	 * `release` is not NULL. */
	int (*diagnose)(struct backend *backend, const struct release *release,
	                finding_visitor *visit, void *context, struct err *err);
	void (*close)(struct backend *backend);
};

struct backend {
	const struct backend_ops *ops;
};

#endif
