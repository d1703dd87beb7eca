/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Docker-compatible backend: Docker Engine and Podman's compatible API. Facts it is built on:
 * research/docker-oci.md sections 1 and 4; Engine API reference v1.41–v1.51; libpod API v4.
 *
 * What other folders need are the two tables; the rest of this header is private to pkg/docker.
 */
#ifndef ONEOFF_DOCKER_DOCKER_H
#define ONEOFF_DOCKER_DOCKER_H

#include "pkg/backend/backend.h"
#include "pkg/docker/endpoint.h"
#include "pkg/docker/podman_service.h"
#include "pkg/io/bridge.h"
#include "pkg/net/http.h"

extern const struct backend_ops docker_backend;
extern const struct backend_ops podman_backend;

#define DOCKER_MAX_SIDE 8

/* The greatest Engine API version whose documents the rule table knows. */
#define DOCKER_API_MAJOR     1
#define DOCKER_API_MINOR_MAX 51

/* How long an ordinary request may take. Creation may unpack nothing, but a busy engine is slow. */
#define DOCKER_CALL_TIMEOUT_MS INT64_C(60000)

/* Ways to learn that the task ended while our stdout is blocked (docker-oci.md 1.4). */
struct exit_probe {
	struct http_request *inspect;
	int64_t asked; /* monotonic ms */
	int pidfd;     /* -1: none */
	bool is_local; /* false: the process is not visible from here */
};

struct docker {
	struct backend base;
	struct loop *loop;
	struct reporter reporter;
	struct endpoint endpoint;
	struct strbuf base_url;
	struct http_client *http;
	struct bridge *bridge;          /* a spawned connection (ssh), or NULL */
	struct podman_service *service; /* a Podman without a socket, or NULL */
	bool podman;
	int api_minor;
	int64_t call_timeout_ms;

	/* The task; task_id is NULL before create. */
	char *task_id;
	char *task_name;
	char oneoff_id[16]; /* dev.oneoff.id of what is ours to remove */
	bool create_lost;   /* the create may still take effect */
	bool auto_remove;
	bool adopted; /* it is another client's: adopt.c */
	bool started;
	bool removed; /* the platform confirmed it */
	int64_t start_seconds;
	struct channel *channel;
	bool log_is_partial; /* only a part of the output was asked for: it cannot be taken up again */
	bool output_incomplete; /* the engine could not give all of it */
	bool ended;             /* adopted, and it had ended before: */
	struct exit_status ended_status;
	struct http_request *wait;
	bool verdict; /* the wait was answered */
	struct exit_probe probe;

	/* Requests whose answers only matter for the next step of the clean-up, or not at all. */
	struct http_request *side[DOCKER_MAX_SIDE];
	struct sweep *sweep;
};

/* api.c: one call. `path` begins with a slash and has no version; libpod paths keep their own. An
 * answer ≥ 300 (304 apart) becomes an error with the server's message and err->http_status. */
int docker_call(struct docker *docker, const char *method, const char *path, const char *body,
                struct http_reply *reply, struct err *err) _must_check_;
/* The same, parsed as JSON. */
int docker_json(struct docker *docker, const char *method, const char *path, const char *body,
                cJSON **ret, struct err *err) _must_check_;
/* Starts one without a limit of time, for waits. */
int docker_start(struct docker *docker, const char *method, const char *path, int64_t timeout_ms,
                 struct http_request **ret, struct err *err) _must_check_;
/* A GET without a limit of time whose body is taken piece by piece (http_message.window). */
int docker_start_window(struct docker *docker, const char *path, size_t window,
                        struct http_request **ret, struct err *err) _must_check_;
/* Fire and forget: the answer is collected by docker_reap. A full table drops the oldest. */
void docker_send(struct docker *docker, const char *method, const char *path);
void docker_reap(struct docker *docker);
/* Fills err from a reply ≥ 400 (JSON or plain text). Returns -1. */
int docker_refusal(const struct http_reply *reply, struct err *err);
/* "/containers/" + id, percent-encoded, + suffix; owned by the caller, NULL without memory. */
char *docker_path(const char *id, const char *suffix);

/* each.c: GET of an array, item by item, in memory that does not grow with it. Below 0 from `take` ends it with that
 * error; it may ask the engine for more. What came before a connection broke was told. */
typedef int docker_item(void *context, const cJSON *item, struct err *err);
int docker_each(struct docker *docker, const char *path, docker_item *take, void *context,
                struct err *err) _must_check_;

/* record.c: what an item of GET /containers/json says: 1 with *ret (released by the caller), 0 when it is no one-off,
 * -1. Nothing of its start, its end or its terminal; TASK_UNKNOWN also while it is being removed. */
int docker_brief(const struct docker *docker, const cJSON *item, struct task_record *ret,
                 struct err *err) _must_check_;
/* What an inspect document says. 1 with *ret (released by the caller), 0 when it is no one-off,
 * -1. */
int docker_record(const struct docker *docker, const cJSON *document, struct task_record *ret,
                  struct err *err) _must_check_;
/* The same of the container with that name or id; -1 with err->http_status 404 when there is none.
 * ret_document may be NULL; else it is owned by the caller. */
int docker_look(struct docker *docker, const char *name, cJSON **ret_document,
                struct task_record *ret, struct err *err) _must_check_;
/* lock.c: after a create was refused because the lock's name is taken. 1: try again, 0: try again in a moment
 * (err says who has it, if there is no time), -1: ERR_LOCKED, or why it cannot be had at all. */
int docker_lock_free(struct docker *docker, const struct identity *identity,
                     struct err *err) _must_check_;
/* True when it stays after its end: nobody deletes it before gc does. */
bool docker_is_kept(const struct task_record *record);

/* find.c */
int docker_find(struct backend *backend, const struct source *source, struct release *ret,
                struct err *err);
/* task.c */
int docker_create(struct backend *backend, const struct plan *plan, const struct identity *identity,
                  const struct burial *burial, struct err *err);
int docker_attach(struct backend *backend, bool tty, bool stdin_open, const char *detach_keys,
                  struct channel **ret, struct err *err);
int docker_task_start(struct backend *backend, struct err *err);
int docker_signal(struct backend *backend, int signal_number, struct err *err);
int docker_resize(struct backend *backend, int rows, int columns, struct err *err);
/* channel.c: the hijacked connection, or a log, as a channel; `upgrade` is taken, on failure too. */
struct upgrade;
int docker_channel_open(struct upgrade *upgrade, bool tty, bool is_log, struct channel **ret,
                        struct err *err);
/* For a channel that reads a log from its beginning: drop that many bytes of each stream.
 * is_text_log: a replacement character in it means that it is not exact, and the stream ends with
 * an error. */
void docker_channel_skip(struct channel *channel, const uint64_t received[CHUNK_STREAM_COUNT],
                         bool is_text_log);
/* reattach.c */
int docker_reattach(struct backend *backend, const uint64_t received[CHUNK_STREAM_COUNT],
                    struct channel **ret, struct err *err);
/* wait.c */
int docker_arm(struct backend *backend, struct err *err);
int docker_exited(struct backend *backend, struct exit_status *ret, struct err *err);
int docker_recover(struct backend *backend, struct exit_status *ret, struct err *err);
/* True once the engine has said that the task ended. Asks nobody. */
bool docker_has_ended(const struct docker *docker);
/* probe.c */
bool docker_may_have_ended(struct backend *backend);
void docker_probe_release(struct docker *docker);
/* remove.c */
int docker_remove(struct backend *backend, struct err *err);
int docker_bury(struct backend *backend, const struct burial *burial, struct err *err);
/* sweep.c */
void docker_sweep(struct backend *backend);
void docker_sweep_turn(struct docker *docker);
void docker_sweep_release(struct docker *docker);
/* files.c */
int docker_read_file(struct backend *backend, const struct release *release, const char *path,
                     size_t cap, struct strbuf *ret, struct err *err);

/* list.c */
int docker_list(struct backend *backend, const struct list_query *query, list_visitor *visit,
                void *context, struct err *err);
int docker_sources(struct backend *backend, source_visitor *visit, void *context, struct err *err);
/* adopt.c */
int docker_adopt(struct backend *backend, const struct task_record *record, struct err *err);
int docker_discard(struct backend *backend, const struct task_record *record, bool force,
                   struct err *err);
/* output.c */
int docker_output(struct backend *backend, const struct output_request *request,
                  struct channel **ret, struct err *err);
/* diagnose.c */
int docker_diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                    void *context, struct err *err);

#endif
