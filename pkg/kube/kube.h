/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Kubernetes backend: one-offs as Jobs in the cluster that runs the app (design section 7). Facts it is built
 * on: research/kubernetes.md; API reference v1.36.
 *
 * What other folders need is the table; the rest of this header is private to pkg/kube. A run:
 *
 *	find     the workload, its pod template of the current revision, a ready pod      (find.c, workload.c)
 *	plan     the Job                                                                   (clone*.c, pure)
 *	create   dry run of the pod, Job, ConfigMap with the gate; the watch on the pod   (task.c)
 *	attach   once the container runs: a WebSocket, tried again while it does not      (attach.c, channel.c)
 *	start    the image is compared, then the gate is opened                           (attach.c)
 *	exited   the container's own status from the watch                               (wait.c, pod_status.c)
 *	remove   the Job, in the background                                               (remove.c)
 */
#ifndef ONEOFF_KUBE_KUBE_H
#define ONEOFF_KUBE_KUBE_H

#include "pkg/backend/backend.h"
#include "pkg/kube/credentials.h"
#include "pkg/kube/kubeconfig.h"
#include "pkg/kube/lock.h"
#include "pkg/kube/pod_status.h"
#include "pkg/kube/watch.h"
#include "pkg/net/http.h"

extern const struct backend_ops kubernetes_backend;

/* How long an ordinary request may take. */
#define KUBE_CALL_TIMEOUT_MS INT64_C(30000)
/* Side by side; the watch takes one of them for long. */
#define KUBE_MAX_CONNECTIONS 4
#define KUBE_MAX_SIDE        8
#define KUBE_MAX_QUESTIONS   16

/* The task's object and what is known of its pod. */
struct kube_task {
	char *name;      /* owned; of the Job or Pod; NULL before create */
	char *container; /* owned; which container is the task */
	char *pod;       /* owned; NULL before it is there */
	char *image_id;  /* owned; what the source runs, or NULL */
	char id[16];     /* oneoff.dev/id */
	bool is_job;
	bool created; /* it is there, or may be */
	bool tty, stdin_open;
	int rows, columns; /* of our terminal, 0 when not known */
	char gate;         /* 0: none; 's'tdin, 't'ty, 'n'ull */
	bool gate_behind; /* …stands behind the image's ENTRYPOINT, whose own output comes before it */
	bool released; /* the gate was opened, or there is none */
	bool killed;   /* adopted: its pod was deleted by us; how it ended is to be written down */
	bool kept;     /* adopted: --keep, or -d: a stop deletes nothing of it */
	bool adopted;  /* started by others, or by us earlier */
	bool log_cut;  /* the log was asked for from the middle: its bytes cannot be counted */
	char log_query[32]; /* how its log was asked for, besides follow: "&timestamps=true" */
	bool over;          /* adopted: its Job is over and has no pod; `last` tells */
	struct exit_status last;
	struct strbuf last_output; /* adopted: the end of its log, when a stop wrote that down */
	int64_t asked_at;          /* monotonic ms when the Job was last asked for its end */
	bool from_start; /* attached before its first output: that is what its log begins with */
	bool by_log;     /* `channel` is its log: it has no more to do with a WebSocket */
	bool flawed;     /* output came, but not as it was written: in one stream, or not all */
	bool gone;       /* the pod was deleted */
	int64_t overdue_at; /* monotonic ms when a deleted pod should have ended for long; 0: not deleted */
	int64_t start_limit;      /* monotonic ms; 0: none */
	struct pod_status status; /* as the watch last said */
	bool seen;                /* status holds something */
};

struct kube {
	struct backend base;
	struct loop *loop;
	struct reporter reporter;
	struct kubeconfig config;
	struct credentials *credentials;
	struct strv headers; /* what the client sends; a copy of the credentials' */
	struct http_client *http;
	int64_t call_timeout_ms;

	struct backend_settings settings; /* what the person said; its strings are borrowed */
	char *source;                     /* owned; "deploy/web" */
	cJSON *workload;                  /* owned; of the source, for the audit; NULL: none */
	int rows, columns;                /* of our terminal, from the request */
	int64_t start_timeout_ms;         /* from the request; 0: none */
	bool detached;                    /* from the request: nobody will attach */
	char *user;                       /* owned; who we are to the server, or NULL */
	char *architecture;               /* owned; of the source pod's node, or NULL */
	cJSON *image_config; /* owned; what the registry said of the source's image, or NULL */
	bool registry_asked;
	struct kube_task task;
	struct kube_lock lock;
	struct watch *watch; /* of the task's pod; NULL before create */
	struct channel *channel;
	int64_t pinged; /* monotonic ms of the last ping */

	struct http_request *side[KUBE_MAX_SIDE]; /* answers that nobody waits for */
};

/* ---- api.c: one request ---- */

/* Answers ≥ 400 become errors with the server's own reason and err->http_status; 401 renews the credentials once;
 * 429 and 5xx of a GET, and 429 of anything, are tried again within the time limit as Retry-After says. `path`
 * begins with a slash and is encoded. */
int kube_call(struct kube *kube, const char *method, const char *path, const cJSON *body,
              cJSON **ret, struct err *err) _must_check_;
/* A GET's body as text, for what is too long to be a tree: replaces what is in *ret. With a refusal (err->http_status)
 * it is the refusal's. */
int kube_get_text(struct kube *kube, const char *path, struct strbuf *ret,
                  struct err *err) _must_check_;
/* A GET with a header line of its own. */
int kube_call_as(struct kube *kube, const char *path, const char *header, cJSON **ret,
                 struct err *err) _must_check_;
#define KUBE_MERGE_PATCH "application/merge-patch+json" /* RFC 7386 */
/* A PATCH; `type` says of which kind (KUBE_MERGE_PATCH). */
int kube_patch(struct kube *kube, const char *path, const char *type, const cJSON *body,
               cJSON **ret, struct err *err) _must_check_;
/* Credentials that are valid now, as the next request sends them. `refused`: the server said 401; 1 when there is
 * something new to try, 0 when there is not. */
int kube_renew(struct kube *kube, bool refused, struct err *err) _must_check_;
/* Starts one without a limit of time (a watch). */
int kube_start(struct kube *kube, const char *path, struct http_request **ret,
               struct err *err) _must_check_;
/* Fire and forget. */
void kube_send(struct kube *kube, const char *method, const char *path, const cJSON *body);
void kube_reap(struct kube *kube);
/* All items of a list, page by page, as an array. ERR_DENIED when we may not. */
int kube_list(struct kube *kube, const char *path, cJSON **ret, struct err *err) _must_check_;
/* Several GETs side by side; `list`: what is wanted are the items. Each has its own document or error. */
struct kube_question {
	char *path; /* owned; NULL: nothing to ask */
	bool list;
	cJSON *answer; /* owned; NULL with err */
	struct err err;
};
void kube_ask(struct kube *kube, struct kube_question *questions, size_t count);
void kube_questions_release(struct kube_question *questions, size_t count);
/* Fills err from a Status document or a plain body. Returns -1. */
int kube_refusal(long status, const char *text, size_t length, struct err *err);
/* "/api/v1/namespaces/NS/RESOURCE[/NAME]SUFFIX" of a group ("" or "apps/v1"); owned by the caller, NULL without
 * memory. */
char *kube_path(const char *group_version, const char *name_space, const char *resource,
                const char *name, const char *suffix);

/* ---- discover.c: kinds and where they are ---- */
struct kube_kind {
	char group_version[128];   /* "apps/v1"; "" for v1 */
	char resource[128];        /* "deployments" */
	char kind[128];            /* "Deployment" */
	const char *template_path; /* "spec.template"; NULL: its objects carry none */
};
/* What a person calls a kind: "deploy", "sts", "rollouts.argoproj.io". Asks the server only for kinds that are not
 * built in. ERR_USAGE with a hint when there is none of that name. */
int kube_discover(struct kube *kube, const char *name, struct kube_kind *ret,
                  struct err *err) _must_check_;
/* ---- revision.c: which pod and which template ---- */
struct kube_choice {
	cJSON *pod_template; /* owned; {metadata, spec}, or NULL for a bare pod */
	cJSON *pod;          /* owned; or NULL: none runs */
	cJSON *workload;     /* owned; or NULL */
	char note[400];      /* what a person should know about the choice; "" */
};
void kube_choice_release(struct kube_choice *choice);
/* For an object of a kind with a pod template. `workload` is taken. */
int kube_choose_of(struct kube *kube, const struct kube_kind *kind, cJSON *workload, int revision,
                   struct kube_choice *ret, struct err *err) _must_check_;
/* For one pod, whose owners are looked up. `pod` is taken. */
int kube_choose_pod(struct kube *kube, cJSON *pod, struct kube_choice *ret,
                    struct err *err) _must_check_;
/* Running and ready, and not on its way out. */
bool kube_is_ready(const cJSON *pod);
/* The query that lists what a selector ({matchLabels, matchExpressions}, or a plain map) selects, appended encoded. */
void kube_add_selector(const cJSON *selector, struct strbuf *query);
/* ---- find.c ---- */
int kube_find(struct backend *backend, const struct source *source, struct release *ret,
              struct err *err);
/* ---- plan.c ---- */
/* Fills kube->user once: who we are, as the server sees it. For the audit, not for rights. */
void kube_ask_user(struct kube *kube);
int kube_plan(struct backend *backend, const struct release *release, const struct request *request,
              const struct identity *identity, struct plan *ret, struct err *err);
/* ---- task.c ---- */
int kube_create(struct backend *backend, const struct plan *plan, const struct identity *identity,
                const struct burial *burial, struct err *err);
int kube_signal(struct backend *backend, int signal_number, struct err *err);
void kube_task_release(struct kube_task *task);
/* An ownerReference to the task's object, as the server answered it; owned by the caller, NULL without memory. */
cJSON *kube_owner_of(const struct kube *kube, const cJSON *object);
/* The events of the task's objects, the newest telling line of them; "" when there is none. */
void kube_newest_event(struct kube *kube, char *text, size_t size);
/* ---- attach.c ---- */
int kube_attach(struct backend *backend, bool tty, bool stdin_open, const char *detach_keys,
                struct channel **ret, struct err *err);
int kube_task_start(struct backend *backend, struct err *err);
int kube_resize(struct backend *backend, int rows, int columns, struct err *err);
/* To a container that runs already: 1 with *ret, 0 when it ended meanwhile, -1. */
int kube_attach_running(struct kube *kube, struct channel **ret, struct err *err) _must_check_;
/* ---- log.c ---- */
/* Begins to read the task's log; the head of a good answer is there. `more` is the rest of the query
 * ("&follow=true"). err->http_status 400: its container has not started. */
int kube_start_log(struct kube *kube, const char *more, struct http_request **ret,
                   struct err *err) _must_check_;
/* For a task that was over before anybody could attach. */
int kube_attach_by_log(struct kube *kube, struct channel **ret, struct err *err) _must_check_;
/* True when the task has surely written nothing so far. */
bool kube_log_is_empty(struct kube *kube);
/* kube_channel_check.missing; the context is the struct kube. */
const char *kube_missing_output(void *context, uint64_t received, struct channel **ret_rest);
int kube_reattach(struct backend *backend, const uint64_t received[CHUNK_STREAM_COUNT],
                  struct channel **ret, struct err *err);
/* ---- wait.c ---- */
int kube_arm(struct backend *backend, struct err *err);
int kube_exited(struct backend *backend, struct exit_status *ret, struct err *err);
int kube_recover(struct backend *backend, struct exit_status *ret, struct err *err);
bool kube_may_have_ended(struct backend *backend);
/* Takes what a pod's document says of the task; another pod than its own is passed over. */
int kube_take_pod(struct kube *kube, const cJSON *pod, bool deleted, struct err *err) _must_check_;
/* Takes what the watch has to say. 0, or -1 when it broke for good. */
int kube_turn(struct kube *kube, struct err *err) _must_check_;
/* ---- remove.c ---- */
int kube_remove(struct backend *backend, struct err *err);
void kube_sweep(struct backend *backend);
int kube_bury(struct backend *backend, const struct burial *burial, struct err *err);
/* ---- audit.c ---- */
/* An Event on the source's workload: who ran what. Nobody waits for it. */
void kube_audit(struct kube *kube, const struct plan *plan, const struct identity *identity);

/* ---- list.c ---- */
int kube_list_tasks(struct backend *backend, const struct list_query *query, list_visitor *visit,
                    void *context, struct err *err);
/* ---- adopt.c ---- */
/* For an adopted task without a pod: whether its Job is over. 1 with *ret, 0, -1; asks at most every 3 s. */
int kube_job_end(struct kube *kube, struct exit_status *ret, struct err *err) _must_check_;
/* Writes the task's code down at its Job, for those who ask when the pod is gone. */
void kube_note_code(struct kube *kube, int code);
/* ---- last_output.c ---- */
/* Writes the end of the log down at the Job, before its pod is deleted; what fails is reported. At most 3 s. */
void kube_save_output(struct kube *kube);
/* What was written down, into task->last_output; empty when nothing was. */
int kube_load_output(struct kube_task *task, const cJSON *job, struct err *err) _must_check_;
/* …as a channel: its last `tail` lines, -1: all. */
int kube_show_saved(struct kube *kube, int64_t tail, struct channel **ret,
                    struct err *err) _must_check_;
/* ---- adopt.c ---- */
/* Ends an adopted task so that its log and its code stay readable. */
int kube_stop_adopted(struct kube *kube, int signal_number, struct err *err);
int kube_adopt(struct backend *backend, const struct task_record *record, struct err *err);
int kube_output(struct backend *backend, const struct output_request *request, struct channel **ret,
                struct err *err);
/* ---- discard.c ---- */
/* DELETE with the object's uid and resourceVersion as preconditions: 409 when it is not what was seen any more. */
int kube_delete_as_seen(struct kube *kube, const char *path, const cJSON *object,
                        struct err *err) _must_check_;
int kube_discard(struct backend *backend, const struct task_record *record, bool force,
                 struct err *err);
/* ---- sources.c ---- */
int kube_sources(struct backend *backend, source_visitor *visit, void *context, struct err *err);
/* ---- diagnose.c ---- */
int kube_diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                  void *context, struct err *err);

#endif
