/* SPDX-License-Identifier: Apache-2.0 */
/* Private to oci/: the backend's state, and the slots by file. */
#ifndef ONEOFF_OCI_OCI_INTERNAL_H
#define ONEOFF_OCI_OCI_INTERNAL_H

#include "oci/bundle.h"
#include "oci/image.h"
#include "oci/monitor.h"
#include "oci/oci.h"
#include "oci/state.h"
#include "oci/store.h"

struct oci {
	struct backend base;
	struct loop *loop;
	struct reporter reporter;
	const struct backend_settings settings; /* its strings are the caller's */
	char *run_folder;                       /* owned */
	bool rootless;                          /* not root of the whole machine */
	bool needs_user_namespace;              /* not root at all */
	struct runtime runtime;

	/* The source, after find. */
	struct container_state state;
	struct image *image;
	struct snapshot snapshot;
	struct rootfs rootfs;
	int root_fd;  /* the app's root as the app sees it, or -1 */
	char *cgroup; /* owned; where the task's cgroup goes, or NULL; after plan */

	/* The task. */
	char *name, *folder; /* owned */
	int lock_fd;         /* in the monitor only: says that it lives */
	struct monitor monitor;
	bool tty, detached;
	enum keep_mode keep; /* of plan's request; grace_ms: between TERM and KILL */
	int64_t grace_ms;
	int task_fds[3]; /* the task's ends of what is not our own descriptor, or -1 */
	struct channel *channel;
	void (*channel_ended)(struct channel *channel); /* tells it that the task is gone */
	bool started, ended, removed, lost;
	pid_t pid;
	uint64_t pid_start_time;
	struct exit_status status;
	struct err remove_failure;

	/* Of a task that another process started (adopt.c). */
	bool adopted, kept; /* kept: the record and output of an ended one */
	char *id;           /* owned; a folder of that name may be another's by now */
	int folder_fd;      /* its folder, or -1 */
	int terminal_fd;    /* its terminal's other end, or -1 */
};

/* find.c */
int oci_find(struct backend *backend, const struct source *source, struct release *ret,
             struct err *err);
int oci_read_file(struct backend *backend, const struct release *release, const char *path,
                  size_t cap, struct strbuf *ret, struct err *err);

/* plan.c */
int oci_plan(struct backend *backend, const struct release *release, const struct request *request,
             const struct identity *identity, struct plan *ret, struct err *err);

/* task.c */
int oci_create(struct backend *backend, const struct plan *plan, const struct identity *identity,
               const struct burial *burial, struct err *err);
/* ERR_DENIED when the run folder is not ours alone. */
int oci_check_run_folder(const struct oci *oci, struct err *err) _must_check_;
int oci_attach(struct backend *backend, bool tty, bool stdin_open, const char *detach_keys,
               struct channel **ret, struct err *err);
int oci_arm(struct backend *backend, struct err *err);
int oci_start(struct backend *backend, struct err *err);
int oci_signal(struct backend *backend, int signal_number, struct err *err);
int oci_resize(struct backend *backend, int rows, int columns, struct err *err);

/* wait.c */
int oci_exited(struct backend *backend, struct exit_status *ret, struct err *err);
int oci_recover(struct backend *backend, struct exit_status *ret, struct err *err);
int oci_reattach(struct backend *backend, const uint64_t received[CHUNK_STREAM_COUNT],
                 struct channel **ret, struct err *err);
bool oci_may_have_ended(struct backend *backend);
int oci_remove(struct backend *backend, struct err *err);
/* Takes what the monitor said. ERR_LOST when it is gone without having removed everything. */
int oci_take_messages(struct oci *oci, struct err *err);
/* The loop's driver: polls the monitor beside the items. */
int oci_loop_wait(void *context, struct loop_item *items, size_t count, int timeout_ms,
                  struct err *err);
/* A message other than those of the end: 0, or -1 (ERR_INTERRUPTED, ERR_START_TIMEOUT, ERR_LOST). */
int oci_wait_message(struct oci *oci, int64_t timeout_ms, struct message *ret,
                     int ret_fds[MESSAGE_MAX_FDS], struct err *err);

/* sweep.c */
void oci_sweep(struct backend *backend);

/* channel.c: the streams that are not the task's own descriptors. */
/* A channel over our ends of the pipes (-1: none); takes them. NULL when memory ran out. */
struct channel *oci_channel_new(int input, int output, int error_output, bool tty);
/* The terminal's other end, once the task has started. Takes it. */
void oci_channel_set_terminal(struct channel *channel, int master);
/* Nobody holds the other ends any more: the next ends are ends. */
void oci_channel_set_ended(struct channel *channel);
int oci_channel_terminal(const struct channel *channel);

/* list.c, adopt.c, output.c, discard.c: one-offs that exist already */
int oci_list(struct backend *backend, const struct list_query *query, list_visitor *visit,
             void *context, struct err *err);
int oci_adopt(struct backend *backend, const struct task_record *record, struct err *err);
int oci_output(struct backend *backend, const struct output_request *request, struct channel **ret,
               struct err *err);
int oci_discard(struct backend *backend, const struct task_record *record, bool force,
                struct err *err);
int oci_sources(struct backend *backend, source_visitor *visit, void *context, struct err *err);
/* A connection to the monitor of that one-off (message.h), or -1 with ERR_LOST when it has none. */
int oci_connect(const struct oci *oci, const char *name, struct err *err) _must_check_;
/* What stands in the adopted task's folder now. 1 when that tells of its end, which is taken over. */
int oci_read_end(struct oci *oci);
/* A signal past a monitor that is gone: to that very process, or to none. */
int oci_signal_directly(const struct oci *oci, int signal_number, struct err *err);
/* Reads that connection until the monitor has ended, then waits for its lock. 1; 0 when a start has taken effect
 * and `unstarted_only`; -1 after 10 s. */
int oci_await_monitor(const struct oci *oci, int fd, const char *name, bool unstarted_only,
                      struct err *err);
/* Ends the adopted task, if need be, and deletes what its monitor left. */
int oci_remove_adopted(struct oci *oci, struct err *err) _must_check_;
/* diagnose.c */
int oci_diagnose(struct backend *backend, const struct release *release, finding_visitor *visit,
                 void *context, struct err *err);

#endif
